//! Everything one user sent, page by page.

use deadpool_postgres::Transaction;
use ringwire_protocol::UserId;
use tokio_postgres::IsolationLevel;

use super::PostgresStore;
use super::log::snapshot;
use super::rows::{self, ENTRY, ENTRY_WIDTH};
use crate::account::{LOOK_PAGE, SentPage, SentPosition};
use crate::encryption::BodyKeys;
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn sent_page(
        &self,
        user: UserId,
        at: SentPosition,
        limit: i64,
    ) -> Result<SentPage, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        sent_page(&tx, &self.keys, user, at, limit).await
    }
}

pub(super) async fn sent_page(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    at: SentPosition,
    limit: i64,
) -> Result<SentPage, StoreError> {
    // The entry before tells whether this one was counted; where that is trimmed, it counts as a message.
    let sent = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY}, coalesce(b.msg_no, 0) FROM entries e
             LEFT JOIN entries b ON b.conversation_id = e.conversation_id AND b.seq = e.seq - 1
             WHERE e.conversation_id = $1 AND e.sender_id = $2 AND e.client_msg_id > $3
             ORDER BY e.client_msg_id LIMIT $4"
        ))
        .await?;
    let entries = tx
        .query(&sent, &[&at.conversation, &user.as_i64(), &at.key, &limit])
        .await?
        .iter()
        .map(|row| {
            let entry = rows::entry(row, 0, keys)?;
            let is_message = entry.msg_no > rows::number(row, ENTRY_WIDTH)?;
            Ok((entry, is_message))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    if entries.len() as i64 == limit {
        let next = SentPosition::behind(&entries);
        return Ok(SentPage { entries, next });
    }
    let others = tx
        .prepare_cached(
            "SELECT c.id, EXISTS (SELECT FROM entries e
                 WHERE e.conversation_id = c.id AND e.sender_id = $2)
             FROM (SELECT id FROM conversations WHERE id > $1 ORDER BY id LIMIT $3) c ORDER BY c.id",
        )
        .await?;
    let looked_at = tx
        .query(&others, &[&at.conversation, &user.as_i64(), &LOOK_PAGE])
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<(i64, bool)>, StoreError>>()?;
    Ok(SentPage { entries, next: SentPosition::in_next_of(&looked_at) })
}
