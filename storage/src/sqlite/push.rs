//! The push outbox. One process, one writer: takers never meet.

use ringwire_protocol::{ConversationId, Seq};
use rusqlite::{Row, Transaction};

use super::SqliteStore;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::error::StoreError;
use crate::push::{PushRow, TakenPushes};

impl SqliteStore {
    pub(crate) async fn add_pushes(
        &self,
        entries: Vec<(ConversationId, Seq)>,
        delay_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |tx| Ok(add_pushes(tx, &entries, delay_ms)?)).await
    }

    pub(crate) async fn take_pushes(
        &self,
        limit: u32,
        lease_ms: i64,
        max_tries: u32,
    ) -> Result<TakenPushes, StoreError> {
        self.write(move |tx| {
            let taken = tx
                .prepare_cached(&format!(
                    "UPDATE push_outbox SET tries = tries + 1, next_try_at = {CLOCK} + ?2
                     WHERE (conversation_id, seq) IN (
                         SELECT conversation_id, seq FROM push_outbox WHERE next_try_at <= {CLOCK}
                         ORDER BY next_try_at LIMIT ?1)
                     RETURNING conversation_id, seq, created_at, tries"
                ))?
                .query_map((limit, lease_ms), push)?
                .collect::<Result<_, _>>()?;
            let taken = TakenPushes::new(taken, max_tries);
            remove(tx, taken.given_up.iter().map(|push| (push.conversation_id, push.seq)))?;
            Ok(taken)
        })
        .await
    }

    pub(crate) async fn finish_pushes(
        &self,
        entries: Vec<(ConversationId, Seq)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| remove(tx, entries.into_iter())).await
    }

    pub(crate) async fn retry_push(
        &self,
        push: PushRow,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            // The number of the try tells this taker from later ones.
            let retried = tx
                .prepare_cached(&format!(
                    "UPDATE push_outbox SET next_try_at = {CLOCK} + ?4
                     WHERE conversation_id = ?1 AND seq = ?2 AND tries = ?3"
                ))?
                .execute((
                    push.conversation_id.as_i64(),
                    position(push.seq),
                    push.tries,
                    delay_ms,
                ))?;
            Ok(retried > 0)
        })
        .await
    }
}

/// Adds entries within a transaction.
pub(super) fn add_pushes(
    tx: &Transaction<'_>,
    entries: &[(ConversationId, Seq)],
    delay_ms: i64,
) -> rusqlite::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(&format!(
        "INSERT INTO push_outbox (conversation_id, seq, created_at, next_try_at)
         VALUES (?1, ?2, {CLOCK}, {CLOCK} + ?3) ON CONFLICT (conversation_id, seq) DO NOTHING"
    ))?;
    for (id, seq) in entries {
        statement.execute((id.as_i64(), position(*seq), delay_ms))?;
    }
    Ok(())
}

pub(super) fn remove(
    tx: &Transaction<'_>,
    entries: impl Iterator<Item = (ConversationId, Seq)>,
) -> Result<(), StoreError> {
    let mut statement =
        tx.prepare_cached("DELETE FROM push_outbox WHERE conversation_id = ?1 AND seq = ?2")?;
    for (id, seq) in entries {
        statement.execute((id.as_i64(), position(seq)))?;
    }
    Ok(())
}

fn push(row: &Row<'_>) -> rusqlite::Result<PushRow> {
    Ok(PushRow {
        conversation_id: rows::conversation_id(row, 0)?,
        seq: rows::number(row, 1)?,
        created_at: row.get(2)?,
        tries: row.get(3)?,
    })
}
