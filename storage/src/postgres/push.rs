//! The push outbox.

use deadpool_postgres::Transaction;
use ringwire_protocol::{ConversationId, Seq};
use tokio_postgres::Row;

use super::PostgresStore;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::error::StoreError;
use crate::push::{PushRow, TakenPushes};

/// Adds entries, due after a while.
pub(super) const ADD: &str =
    "INSERT INTO push_outbox (conversation_id, seq, created_at, next_try_at)
    SELECT id, seq, (extract(epoch FROM clock_timestamp()) * 1000)::int8,
        (extract(epoch FROM clock_timestamp()) * 1000)::int8 + $3
    FROM UNNEST($1::int8[], $2::int8[]) AS u (id, seq) ORDER BY id, seq
    ON CONFLICT (conversation_id, seq) DO NOTHING";

impl PostgresStore {
    pub(crate) async fn add_pushes(
        &self,
        entries: Vec<(ConversationId, Seq)>,
        delay_ms: i64,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        add_pushes(&tx, &entries, delay_ms).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn take_pushes(
        &self,
        limit: u32,
        lease_ms: i64,
        max_tries: u32,
    ) -> Result<TakenPushes, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        // Rows that another taker has just locked are passed over; those it has taken are not due.
        let statement = tx
            .prepare_cached(&format!(
                "UPDATE push_outbox p SET tries = p.tries + 1, next_try_at = {CLOCK} + $2 FROM (
                     SELECT conversation_id, seq FROM push_outbox
                     WHERE next_try_at <= (SELECT {CLOCK})
                     ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
                 WHERE p.conversation_id = due.conversation_id AND p.seq = due.seq
                 RETURNING p.conversation_id, p.seq, p.created_at, p.tries"
            ))
            .await?;
        let taken = tx
            .query(&statement, &[&i64::from(limit), &lease_ms])
            .await?
            .iter()
            .map(push)
            .collect::<Result<_, _>>()?;
        let taken = TakenPushes::new(taken, max_tries);
        let given_up: Vec<_> =
            taken.given_up.iter().map(|push| (push.conversation_id, push.seq)).collect();
        remove(&tx, &given_up).await?;
        tx.commit().await?;
        Ok(taken)
    }

    pub(crate) async fn finish_pushes(
        &self,
        entries: Vec<(ConversationId, Seq)>,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        remove(&tx, &entries).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn retry_push(
        &self,
        push: PushRow,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        // The number of the try tells this taker from later ones.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE push_outbox SET next_try_at = {CLOCK} + $4
                 WHERE conversation_id = $1 AND seq = $2 AND tries = $3"
            ))
            .await?;
        let (id, seq) = (push.conversation_id.as_i64(), position(push.seq));
        let tries = i32::try_from(push.tries).unwrap_or(i32::MAX);
        Ok(client.execute(&statement, &[&id, &seq, &tries, &delay_ms]).await? > 0)
    }
}

/// Adds entries within a transaction.
async fn add_pushes(
    tx: &Transaction<'_>,
    entries: &[(ConversationId, Seq)],
    delay_ms: i64,
) -> Result<(), StoreError> {
    let (ids, seqs) = columns(entries);
    let statement = tx.prepare_cached(ADD).await?;
    tx.execute(&statement, &[&ids, &seqs, &delay_ms]).await?;
    Ok(())
}

pub(super) async fn remove(
    tx: &Transaction<'_>,
    entries: &[(ConversationId, Seq)],
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let (ids, seqs) = columns(entries);
    let statement = tx
        .prepare_cached(
            "DELETE FROM push_outbox p USING UNNEST($1::int8[], $2::int8[]) AS u (id, seq)
             WHERE p.conversation_id = u.id AND p.seq = u.seq",
        )
        .await?;
    tx.execute(&statement, &[&ids, &seqs]).await?;
    Ok(())
}

fn columns(entries: &[(ConversationId, Seq)]) -> (Vec<i64>, Vec<i64>) {
    entries.iter().map(|(id, seq)| (id.as_i64(), position(*seq))).unzip()
}

fn push(row: &Row) -> Result<PushRow, StoreError> {
    let tries = u32::try_from(row.try_get::<_, i32>(3)?)
        .map_err(|_| StoreError::Damaged("a push was tried a negative number of times".into()))?;
    Ok(PushRow {
        conversation_id: rows::conversation_id(row, 0)?,
        seq: rows::number(row, 1)?,
        created_at: row.try_get(2)?,
        tries,
    })
}
