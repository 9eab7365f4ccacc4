//! Retention: which logs may be due, and trimming one.

use deadpool_postgres::Transaction;
use ringwire_protocol::ConversationId;

use super::PostgresStore;
use super::rows::{self, position};
use super::trim::remove_entries;
use crate::error::StoreError;
use crate::retention::{BITE, Bite, KeepRule, LogEnds, SETTLED_MS, prefix_end};

/// The advisory lock of the node that trims ("trim" in ASCII).
const LOCK: i64 = 0x7472_696D;

/// The database's clock, later than anything this statement sees committed.
pub(super) const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";

impl PostgresStore {
    pub(crate) async fn log_ends(
        &self,
        from: Option<ConversationId>,
        limit: i64,
    ) -> Result<Vec<LogEnds>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT c.id, c.kind, o.seq, o.created_at, coalesce(h.seq, 0), {CLOCK}
                 FROM (SELECT id, kind FROM conversations WHERE id >= $1 ORDER BY id LIMIT $2) c
                 LEFT JOIN LATERAL (SELECT seq, created_at FROM entries
                     WHERE conversation_id = c.id ORDER BY seq LIMIT 1) o ON true
                 LEFT JOIN LATERAL (SELECT seq FROM entries
                     WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) h ON true
                 ORDER BY c.id"
            ))
            .await?;
        let from = from.map_or(0, ConversationId::as_i64);
        let rows = client.query(&statement, &[&from, &limit]).await?;
        rows.iter()
            .map(|row| {
                let oldest = match row.try_get::<_, Option<i64>>(2)? {
                    Some(_) => Some((rows::number(row, 2)?, row.try_get(3)?)),
                    None => None,
                };
                Ok(LogEnds {
                    conversation_id: rows::conversation_id(row, 0)?,
                    kind: rows::kind(row, 1)?,
                    oldest,
                    head_seq: rows::number(row, 4)?,
                    now_ms: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// Removes the oldest entries of one conversation as far as the rule and the mark allow; without a mark, sets it.
    pub(crate) async fn trim(
        &self,
        id: ConversationId,
        rule: KeepRule,
    ) -> Result<Bite, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let alone = tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK]).await?;
        if !alone.try_get::<_, bool>(0)? {
            return Ok(Bite::Elsewhere);
        }
        let bite = trim(&tx, id, rule).await?;
        tx.commit().await?;
        Ok(bite)
    }
}

async fn trim(
    tx: &Transaction<'_>,
    id: ConversationId,
    rule: KeepRule,
) -> Result<Bite, StoreError> {
    const NOTHING: Bite = Bite::Removed { entries: 0, more: false };
    let id = id.as_i64();
    let log = tx
        .prepare_cached(&format!(
            "SELECT coalesce((SELECT max(seq) FROM entries WHERE conversation_id = $1), 0), {CLOCK}, m.seq,
                 m.marked_at
             FROM (SELECT) one LEFT JOIN retention_marks m ON m.conversation_id = $1"
        ))
        .await?;
    let row = tx.query_one(&log, &[&id]).await?;
    let (head, now_ms) = (rows::number(&row, 0)?, row.try_get::<_, i64>(1)?);
    let Some(marked_at) = row.try_get::<_, Option<i64>>(3)? else {
        tx.execute(
            "INSERT INTO retention_marks (conversation_id, seq, marked_at) VALUES ($1, $2, $3)",
            &[&id, &position(head), &now_ms],
        )
        .await?;
        return Ok(NOTHING);
    };
    if marked_at > now_ms - SETTLED_MS {
        return Ok(NOTHING);
    }
    let settled = rows::number(&row, 2)?.min(head.saturating_sub(1));
    let oldest = tx
        .prepare_cached(
            "SELECT seq, created_at FROM entries WHERE conversation_id = $1 AND seq <= $2
             ORDER BY seq LIMIT $3",
        )
        .await?;
    let oldest = tx
        .query(&oldest, &[&id, &position(settled), &BITE])
        .await?
        .iter()
        .map(|row| Ok((rows::number(row, 0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let end = prefix_end(&oldest, rule, head, now_ms);
    let entries = match end {
        Some(end) => remove_entries(tx, id, position(end)).await?,
        None => 0,
    };
    let more = end.is_some() && entries == BITE.unsigned_abs();
    if !more {
        // Whatever is due later needs a mark of its own.
        tx.execute("DELETE FROM retention_marks WHERE conversation_id = $1", &[&id]).await?;
    }
    Ok(Bite::Removed { entries, more })
}
