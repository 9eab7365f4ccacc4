//! Appending behind a tail, on Postgres: one transaction, two round trips. The row of each conversation is locked first, so
//! nodes that go this way queue up instead of colliding; one that does not may still come between.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures_util::future::{join, join3};
use ringwire_protocol::ConversationId;

use super::append::{Kit, PostgresAppender, Session};
use super::rows::{self, position};
use crate::append::Append;
use crate::changes::NetChanges;
use crate::encryption::seal_entries;
use crate::executor::AppendError;
use crate::outbox::Outbox;
use crate::renumber::{self, Place};

/// Whoever locks these rows does so before writing entries, in this order.
pub(super) const LOCK: &str = "SELECT FROM conversations c WHERE c.id = ANY ($1::int8[])
    ORDER BY c.id FOR NO KEY UPDATE OF c";

/// Those of these rows that could be locked at once.
const FREE: &str = "SELECT c.id FROM conversations c WHERE c.id = ANY ($1::int8[])
    FOR NO KEY UPDATE OF c SKIP LOCKED";

/// The logs from a position on. A statement of its own: it sees what was committed before the lock was given.
pub(super) fn tails() -> String {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, base)
         CROSS JOIN LATERAL (SELECT * FROM entries x
             WHERE x.conversation_id = u.conversation_id AND x.seq >= u.base
             ORDER BY x.seq LIMIT {}) e
         ORDER BY e.conversation_id, e.seq",
        rows::ENTRY,
        renumber::ROWS,
    )
}

impl PostgresAppender {
    pub(crate) fn append_behind(
        &mut self,
        entries: &[Append],
    ) -> Result<Vec<Option<Place>>, AppendError> {
        let keys = Arc::clone(&self.keys);
        let kit = Kit { keys: &keys, text: self.text };
        let outbox = Arc::clone(&self.outbox);
        self.call(async |session| {
            let result = session.append_behind(entries, kit, &outbox).await;
            if !matches!(result, Ok(_) | Err(AppendError::Away(_))) {
                session.client.batch_execute("ROLLBACK").await?;
            }
            result
        })
    }

    pub(crate) fn held(
        &mut self,
        conversations: &[ConversationId],
    ) -> Result<Vec<ConversationId>, AppendError> {
        let ids: Vec<i64> = conversations.iter().map(|id| id.as_i64()).collect();
        let free = self.call(async |session| {
            let rows = session.client.query(FREE, &[&ids]).await?;
            Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<i64>, _>>()?)
        })?;
        Ok(conversations.iter().copied().filter(|id| !free.contains(&id.as_i64())).collect())
    }
}

impl Session {
    async fn append_behind(
        &self,
        entries: &[Append],
        kit: Kit<'_>,
        outbox: &Outbox,
    ) -> Result<Vec<Option<Place>>, AppendError> {
        let mut bases: BTreeMap<ConversationId, u64> = BTreeMap::new();
        for entry in entries {
            bases.entry(entry.conversation_id).or_insert(entry.seq.saturating_sub(1));
        }
        let ids: Vec<i64> = bases.keys().map(|id| id.as_i64()).collect();
        let bases: Vec<i64> = bases.values().map(|&seq| position(seq)).collect();
        // Polled, and so sent, in this order.
        let (begun, locked, log) = join3(
            self.client.batch_execute("BEGIN"),
            self.client.execute(&self.lock, &[&ids]),
            self.client.query(&self.tails, &[&ids, &bases]),
        )
        .await;
        begun?;
        locked?;
        let log = log?
            .iter()
            .map(|row| rows::entry(row, 0, kit.keys))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| AppendError::Refused(error.to_string()))?;
        let (places, settled) = renumber::places(&log, entries);
        if settled.is_empty() {
            self.client.batch_execute("ROLLBACK").await?;
            return Ok(places);
        }
        // Sealed where it goes: a body belongs to its position.
        let bodies = seal_entries(kit.keys, &settled)?;
        let changes = NetChanges::of(&settled, outbox);
        let commit = self.applier(kit).apply_and_commit(&changes);
        let (inserted, committed) = join(self.insert(&settled, &bodies), commit).await;
        inserted?;
        committed?;
        Ok(places)
    }
}
