//! A user's own view. The lock of the user orders its changes.

use ringwire_protocol::{ConversationId, Seq, UserId};

use super::PostgresStore;
use super::hold::lock_user;
use super::members::role_of;
use super::rows;
use crate::error::StoreError;
use crate::views::Hidden;

impl PostgresStore {
    pub(crate) async fn hide(
        &self,
        user: UserId,
        id: ConversationId,
        seqs: Vec<i64>,
    ) -> Result<Option<Hidden>, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        lock_user(&tx, user).await?;
        if role_of(&tx, user, id).await?.is_none() {
            return Ok(None);
        }
        let hide = tx
            .prepare_cached(
                "INSERT INTO hidden (user_id, conversation_id, seq, view_no)
                 SELECT u.id, e.conversation_id, e.seq, u.view_no + 1
                 FROM users u JOIN entries e ON e.conversation_id = $2 AND e.seq = ANY ($3)
                 WHERE u.id = $1 ORDER BY e.seq FOR KEY SHARE OF e
                 ON CONFLICT (user_id, conversation_id, seq) DO NOTHING",
            )
            .await?;
        let new = tx.execute(&hide, &[&user.as_i64(), &id.as_i64(), &seqs]).await?;
        let raise = tx
            .prepare_cached(
                "UPDATE users SET view_no = view_no + $2::int8 WHERE id = $1 RETURNING view_no",
            )
            .await?;
        let raised = tx.query_one(&raise, &[&user.as_i64(), &i64::from(new > 0)]).await?;
        let view_no = rows::number(&raised, 0)?;
        let which = tx
            .prepare_cached(
                "SELECT h.seq FROM hidden h
                 WHERE h.user_id = $1 AND h.conversation_id = $2 AND h.seq = ANY ($3) ORDER BY h.seq",
            )
            .await?;
        let found = tx.query(&which, &[&user.as_i64(), &id.as_i64(), &seqs]).await?;
        let seqs = found.iter().map(|row| rows::number(row, 0)).collect::<Result<_, _>>()?;
        if new > 0 {
            tx.commit().await?;
        }
        Ok(Some(Hidden { view_no, seqs }))
    }

    /// The newest number, and the rows after one: number, conversation, position.
    pub(crate) async fn view_changes(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<(u64, Vec<(u64, ConversationId, Seq)>), StoreError> {
        let client = self.client().await?;
        // One statement, one snapshot; without rows the user alone.
        let statement = client
            .prepare_cached(
                "SELECT u.view_no, h.view_no, h.conversation_id, h.seq
                 FROM users u LEFT JOIN LATERAL (
                     SELECT view_no, conversation_id, seq FROM hidden
                     WHERE user_id = u.id AND view_no > $2
                     ORDER BY view_no, conversation_id, seq LIMIT $3) h ON true
                 WHERE u.id = $1 ORDER BY h.view_no, h.conversation_id, h.seq LIMIT $3",
            )
            .await?;
        let found = client.query(&statement, &[&user.as_i64(), &after, &limit]).await?;
        let view_no = found.first().map_or(Ok(0), |row| rows::number(row, 0))?;
        let hidden = found
            .iter()
            .filter(|row| matches!(row.try_get::<_, Option<i64>>(1), Ok(Some(_))))
            .map(|row| {
                Ok((rows::number(row, 1)?, rows::conversation_id(row, 2)?, rows::number(row, 3)?))
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((view_no, hidden))
    }
}
