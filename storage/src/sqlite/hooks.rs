//! Events for webhooks. One process, one writer: takers never meet.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::SqliteStore;
use super::retention::CLOCK;
use super::rows::{self, ENTRY, position};
use crate::error::StoreError;
use crate::hooks::{DEPTH_COUNTED, HookEvent, OutboxDepth};
use crate::model::EntryRow;
use crate::outbox::{EventKind, Noted};

/// Adds events within a transaction, due at once.
pub(super) fn note_events(tx: &Transaction<'_>, events: &[Noted]) -> rusqlite::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(&format!(
        "INSERT INTO hook_outbox (hook, conversation_id, seq, kind, created_at, next_try_at)
         VALUES (?1, ?2, ?3, ?4, {CLOCK}, {CLOCK})
         ON CONFLICT (hook, conversation_id, seq) DO NOTHING"
    ))?;
    for event in events {
        let id = event.conversation_id.map_or(0, ConversationId::as_i64);
        statement.execute((&*event.hook, id, position(event.seq), event.kind as i16))?;
    }
    Ok(())
}

impl SqliteStore {
    pub(crate) async fn take_events(
        &self,
        hook: String,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<HookEvent>, StoreError> {
        self.write(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "UPDATE hook_outbox SET tries = tries + 1, next_try_at = {CLOCK} + ?3
                     WHERE (hook, conversation_id, seq) IN (
                         SELECT x.hook, x.conversation_id, x.seq FROM hook_outbox x
                         WHERE x.hook = ?1 AND x.next_try_at <= {CLOCK}
                             AND (x.conversation_id = 0 OR NOT EXISTS (SELECT 1 FROM hook_outbox b
                                 WHERE b.hook = x.hook AND b.conversation_id = x.conversation_id
                                     AND b.seq < x.seq))
                         ORDER BY x.next_try_at LIMIT ?2)
                     RETURNING kind, conversation_id, seq, created_at, tries"
                ))?
                .query_map((hook, limit, lease_ms), event)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn finish_event(
        &self,
        hook: String,
        event: HookEvent,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "DELETE FROM hook_outbox WHERE hook = ?1 AND conversation_id = ?2 AND seq = ?3",
            )?
            .execute((hook, event.conversation(), position(event.seq)))?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn retry_event(
        &self,
        hook: String,
        event: HookEvent,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            // The number of the try tells this taker from later ones.
            let retried = tx
                .prepare_cached(&format!(
                    "UPDATE hook_outbox SET next_try_at = {CLOCK} + ?5
                     WHERE hook = ?1 AND conversation_id = ?2 AND seq = ?3 AND tries = ?4"
                ))?
                .execute((
                    hook,
                    event.conversation(),
                    position(event.seq),
                    event.tries,
                    delay_ms,
                ))?;
            Ok(retried > 0)
        })
        .await
    }

    pub(crate) async fn expire_events(&self, age_ms: i64, limit: u32) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let expired = tx
                .prepare_cached(&format!(
                    "DELETE FROM hook_outbox WHERE (hook, conversation_id, seq) IN (
                         SELECT hook, conversation_id, seq FROM hook_outbox
                         WHERE created_at < {CLOCK} - ?1 ORDER BY created_at LIMIT ?2)"
                ))?
                .execute((age_ms, limit))?;
            Ok(expired as u64)
        })
        .await
    }

    pub(crate) async fn event_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = ?1 AND e.seq = ?2"
                ))?
                .query_row((id.as_i64(), position(seq)), |row| rows::entry(row, 0, &keys))
                .optional()?)
        })
        .await
    }

    pub(crate) async fn outbox_depth(&self) -> Result<OutboxDepth, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT (SELECT count(*) FROM (SELECT 1 FROM push_outbox LIMIT {DEPTH_COUNTED})),
                         (SELECT count(*) FROM (SELECT 1 FROM push_deliveries LIMIT {DEPTH_COUNTED})),
                         (SELECT count(*) FROM (SELECT 1 FROM hook_outbox LIMIT {DEPTH_COUNTED}))"
                ))?
                .query_row([], |row| {
                    Ok(OutboxDepth {
                        pushes: rows::number(row, 0)?,
                        deliveries: rows::number(row, 1)?,
                        events: rows::number(row, 2)?,
                    })
                })?)
        })
        .await
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<HookEvent> {
    let unknown =
        || rusqlite::Error::InvalidColumnType(0, "unknown kind of event".into(), Type::Integer);
    Ok(HookEvent {
        kind: EventKind::from_number(row.get(0)?).ok_or_else(unknown)?,
        conversation_id: ConversationId::new(rows::number(row, 1)?),
        seq: rows::number(row, 2)?,
        created_at: row.get(3)?,
        tries: row.get(4)?,
    })
}
