//! A user's own view.

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::hold::require_user;
use super::members::role_of;
use super::rows::{self, json_list};
use crate::error::StoreError;
use crate::views::Hidden;

impl SqliteStore {
    pub(crate) async fn hide(
        &self,
        user: UserId,
        id: ConversationId,
        seqs: Vec<i64>,
    ) -> Result<Option<Hidden>, StoreError> {
        self.write(move |tx| {
            require_user(tx, user.as_i64())?;
            if role_of(tx, user, id)?.is_none() {
                return Ok(None);
            }
            let mut view_no = view_no(tx, user)?;
            let asked = json_list(seqs.into_iter());
            let new = tx
                .prepare_cached(
                    "INSERT INTO hidden (user_id, conversation_id, seq, view_no)
                     SELECT ?1, ?2, e.seq, ?4 FROM json_each(?3) j CROSS JOIN entries e
                         ON e.conversation_id = ?2 AND e.seq = j.value WHERE true
                     ON CONFLICT (user_id, conversation_id, seq) DO NOTHING",
                )?
                .execute((user.as_i64(), id.as_i64(), &asked, view_no + 1))?;
            if new > 0 {
                view_no += 1;
                tx.prepare_cached("UPDATE users SET view_no = ?2 WHERE id = ?1")?
                    .execute((user.as_i64(), view_no))?;
            }
            let seqs = tx
                .prepare_cached(
                    "SELECT h.seq FROM json_each(?3) j CROSS JOIN hidden h
                         ON h.user_id = ?1 AND h.conversation_id = ?2 AND h.seq = j.value
                     ORDER BY h.seq",
                )?
                .query_map((user.as_i64(), id.as_i64(), &asked), |row| rows::number(row, 0))?
                .collect::<Result<_, _>>()?;
            Ok(Some(Hidden { view_no: view_no.unsigned_abs(), seqs }))
        })
        .await
    }

    /// The newest number, and the rows after one: number, conversation, position.
    pub(crate) async fn view_changes(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<(u64, Vec<(u64, ConversationId, Seq)>), StoreError> {
        self.read(move |tx| {
            let hidden = tx
                .prepare_cached(
                    "SELECT view_no, conversation_id, seq FROM hidden
                     WHERE user_id = ?1 AND view_no > ?2
                     ORDER BY view_no, conversation_id, seq LIMIT ?3",
                )?
                .query_map((user.as_i64(), after, limit), |row| {
                    Ok((
                        rows::number(row, 0)?,
                        rows::conversation_id(row, 1)?,
                        rows::number(row, 2)?,
                    ))
                })?
                .collect::<Result<_, _>>()?;
            Ok((view_no(tx, user)?.unsigned_abs(), hidden))
        })
        .await
    }
}

fn view_no(tx: &Transaction<'_>, user: UserId) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached("SELECT view_no FROM users WHERE id = ?1")?
        .query_row([user.as_i64()], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}
