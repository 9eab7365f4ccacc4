//! Everything one user sent, page by page.

use std::sync::Arc;

use ringwire_protocol::UserId;
use rusqlite::Transaction;

use super::SqliteStore;
use super::rows::{self, ENTRY, ENTRY_WIDTH};
use crate::account::{LOOK_PAGE, SentPage, SentPosition};
use crate::encryption::BodyKeys;
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn sent_page(
        &self,
        user: UserId,
        at: SentPosition,
        limit: i64,
    ) -> Result<SentPage, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| sent_page(tx, &keys, user, &at, limit)).await
    }
}

pub(super) fn sent_page(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    at: &SentPosition,
    limit: i64,
) -> Result<SentPage, StoreError> {
    // The entry before tells whether this one was counted; where that is trimmed, it counts as a message.
    let entries = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY}, coalesce(b.msg_no, 0) FROM entries e
             LEFT JOIN entries b ON b.conversation_id = e.conversation_id AND b.seq = e.seq - 1
             WHERE e.conversation_id = ?1 AND e.sender_id = ?2 AND e.client_msg_id > ?3
             ORDER BY e.client_msg_id LIMIT ?4"
        ))?
        .query_map((at.conversation, user.as_i64(), &at.key, limit), |row| {
            let entry = rows::entry(row, 0, keys)?;
            let is_message = entry.msg_no > rows::number(row, ENTRY_WIDTH)?;
            Ok((entry, is_message))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    if entries.len() as i64 == limit {
        let next = SentPosition::behind(&entries);
        return Ok(SentPage { entries, next });
    }
    let looked_at = tx
        .prepare_cached(
            "SELECT c.id, EXISTS (SELECT 1 FROM entries e
                 WHERE e.conversation_id = c.id AND e.sender_id = ?2)
             FROM (SELECT id FROM conversations WHERE id > ?1 ORDER BY id LIMIT ?3) c ORDER BY c.id",
        )?
        .query_map((at.conversation, user.as_i64(), LOOK_PAGE), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(i64, bool)>, _>>()?;
    Ok(SentPage { entries, next: SentPosition::in_next_of(&looked_at) })
}
