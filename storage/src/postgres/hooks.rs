//! Events for webhooks.

use deadpool_postgres::Transaction;
use ringwire_protocol::{ConversationId, Seq, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::retention::CLOCK;
use super::rows::{self, ENTRY, position};
use crate::error::StoreError;
use crate::hooks::{DEPTH_COUNTED, HookEvent, OutboxDepth};
use crate::model::EntryRow;
use crate::outbox::{EventKind, Noted};

/// Adds events, due at once.
pub(super) const NOTE: &str = "INSERT INTO hook_outbox
        (hook, conversation_id, seq, kind, created_at, next_try_at)
    SELECT hook, conversation_id, seq, kind,
        (extract(epoch FROM clock_timestamp()) * 1000)::int8,
        (extract(epoch FROM clock_timestamp()) * 1000)::int8
    FROM UNNEST($1::text[], $2::int8[], $3::int8[], $4::int2[]) AS u (hook, conversation_id, seq, kind)
    ON CONFLICT (hook, conversation_id, seq) DO NOTHING";

/// The arguments of [`NOTE`].
pub(super) struct NotedColumns {
    pub(super) hooks: Vec<String>,
    pub(super) conversations: Vec<i64>,
    pub(super) seqs: Vec<i64>,
    pub(super) kinds: Vec<i16>,
}

impl NotedColumns {
    pub(super) fn of(events: &[Noted]) -> Self {
        let id = |event: &Noted| event.conversation_id.map_or(0, ConversationId::as_i64);
        Self {
            hooks: events.iter().map(|event| event.hook.to_string()).collect(),
            conversations: events.iter().map(id).collect(),
            seqs: events.iter().map(|event| position(event.seq)).collect(),
            kinds: events.iter().map(|event| event.kind as i16).collect(),
        }
    }
}

/// Adds events within a transaction.
async fn note_events(tx: &Transaction<'_>, events: &[Noted]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let NotedColumns { hooks, conversations, seqs, kinds } = NotedColumns::of(events);
    let statement = tx.prepare_cached(NOTE).await?;
    tx.execute(&statement, &[&hooks, &conversations, &seqs, &kinds]).await?;
    Ok(())
}

impl PostgresStore {
    /// A conversation is made in this transaction.
    pub(super) async fn note_created(
        &self,
        tx: &Transaction<'_>,
        id: ConversationId,
    ) -> Result<(), StoreError> {
        note_events(tx, &self.outbox.created(id)).await
    }

    /// A user is made in this transaction.
    pub(super) async fn note_registered(
        &self,
        tx: &Transaction<'_>,
        user: UserId,
    ) -> Result<(), StoreError> {
        note_events(tx, &self.outbox.registered(user)).await
    }

    pub(crate) async fn take_events(
        &self,
        hook: String,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<HookEvent>, StoreError> {
        let client = self.client().await?;
        // Rows that another taker has just locked are passed over; those it has taken are not due.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE hook_outbox o SET tries = o.tries + 1, next_try_at = {CLOCK} + $3 FROM (
                     SELECT x.hook, x.conversation_id, x.seq FROM hook_outbox x
                     WHERE x.hook = $1 AND x.next_try_at <= (SELECT {CLOCK})
                         AND (x.conversation_id = 0 OR (SELECT b.seq FROM hook_outbox b
                             WHERE b.hook = x.hook AND b.conversation_id = x.conversation_id
                                 AND b.seq < x.seq LIMIT 1) IS NULL)
                     ORDER BY x.next_try_at LIMIT $2 FOR UPDATE SKIP LOCKED) due
                 WHERE o.hook = due.hook AND o.conversation_id = due.conversation_id
                     AND o.seq = due.seq
                 RETURNING o.kind, o.conversation_id, o.seq, o.created_at, o.tries"
            ))
            .await?;
        let rows = client.query(&statement, &[&hook, &i64::from(limit), &lease_ms]).await?;
        rows.iter().map(event).collect()
    }

    pub(crate) async fn finish_event(
        &self,
        hook: String,
        event: HookEvent,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "DELETE FROM hook_outbox WHERE hook = $1 AND conversation_id = $2 AND seq = $3",
            )
            .await?;
        let key = (event.conversation(), position(event.seq));
        client.execute(&statement, &[&hook, &key.0, &key.1]).await?;
        Ok(())
    }

    pub(crate) async fn retry_event(
        &self,
        hook: String,
        event: HookEvent,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        // The number of the try tells this taker from later ones.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE hook_outbox SET next_try_at = {CLOCK} + $5
                 WHERE hook = $1 AND conversation_id = $2 AND seq = $3 AND tries = $4"
            ))
            .await?;
        let key = (event.conversation(), position(event.seq));
        let tries = i32::try_from(event.tries).unwrap_or(i32::MAX);
        let retried =
            client.execute(&statement, &[&hook, &key.0, &key.1, &tries, &delay_ms]).await?;
        Ok(retried > 0)
    }

    pub(crate) async fn expire_events(&self, age_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "DELETE FROM hook_outbox o USING (
                     SELECT hook, conversation_id, seq FROM hook_outbox
                     WHERE created_at < (SELECT {CLOCK} - $1)
                     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) old
                 WHERE o.hook = old.hook AND o.conversation_id = old.conversation_id
                     AND o.seq = old.seq"
            ))
            .await?;
        Ok(client.execute(&statement, &[&age_ms, &i64::from(limit)]).await?)
    }

    pub(crate) async fn event_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = $1 AND e.seq = $2"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&id.as_i64(), &position(seq)]).await?;
        row.map(|row| rows::entry(&row, 0, &self.keys)).transpose()
    }

    pub(crate) async fn outbox_depth(&self) -> Result<OutboxDepth, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT (SELECT count(*) FROM (SELECT FROM push_outbox LIMIT {DEPTH_COUNTED}) a),
                     (SELECT count(*) FROM (SELECT FROM push_deliveries LIMIT {DEPTH_COUNTED}) b),
                     (SELECT count(*) FROM (SELECT FROM hook_outbox LIMIT {DEPTH_COUNTED}) c)"
            ))
            .await?;
        let row = client.query_one(&statement, &[]).await?;
        Ok(OutboxDepth {
            pushes: rows::number(&row, 0)?,
            deliveries: rows::number(&row, 1)?,
            events: rows::number(&row, 2)?,
        })
    }
}

fn event(row: &Row) -> Result<HookEvent, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(what.to_owned());
    Ok(HookEvent {
        kind: EventKind::from_number(row.try_get(0)?)
            .ok_or_else(|| damaged("an event has an unknown kind"))?,
        conversation_id: ConversationId::new(rows::number(row, 1)?),
        seq: rows::number(row, 2)?,
        created_at: row.try_get(3)?,
        tries: u32::try_from(row.try_get::<_, i32>(4)?)
            .map_err(|_| damaged("an event was tried a negative number of times"))?,
    })
}
