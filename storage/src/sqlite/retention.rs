//! Retention: which logs may be due, and trimming one.

use ringwire_protocol::ConversationId;
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::rows::{self, position};
use super::trim::remove_entries;
use crate::error::StoreError;
use crate::retention::{BITE, Bite, KeepRule, LogEnds, SETTLED_MS, prefix_end};

/// The clock, in milliseconds.
pub(super) const CLOCK: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

impl SqliteStore {
    pub(crate) async fn log_ends(
        &self,
        from: Option<ConversationId>,
        limit: i64,
    ) -> Result<Vec<LogEnds>, StoreError> {
        let from = from.map_or(0, ConversationId::as_i64);
        self.read(move |tx| {
            // Each end of a log is one look into the primary key.
            let mut statement = tx.prepare_cached(&format!(
                "SELECT c.id, c.kind, o.seq, o.created_at,
                     coalesce((SELECT max(seq) FROM entries WHERE conversation_id = c.id), 0), {CLOCK}
                 FROM (SELECT id, kind FROM conversations WHERE id >= ?1 ORDER BY id LIMIT ?2) c
                 LEFT JOIN entries o ON o.conversation_id = c.id
                     AND o.seq = (SELECT min(seq) FROM entries WHERE conversation_id = c.id)
                 ORDER BY c.id"
            ))?;
            let rows = statement.query_map((from, limit), |row| {
                let oldest = match row.get::<_, Option<i64>>(2)? {
                    Some(_) => Some((rows::number(row, 2)?, row.get(3)?)),
                    None => None,
                };
                Ok(LogEnds {
                    conversation_id: rows::conversation_id(row, 0)?,
                    kind: rows::kind(row, 1)?,
                    oldest,
                    head_seq: rows::number(row, 4)?,
                    now_ms: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Removes the oldest entries of one conversation as far as the rule and the mark allow; without a mark, sets it.
    pub(crate) async fn trim(
        &self,
        id: ConversationId,
        rule: KeepRule,
    ) -> Result<Bite, StoreError> {
        self.write(move |tx| trim(tx, id.as_i64(), rule)).await
    }
}

fn trim(tx: &Transaction<'_>, id: i64, rule: KeepRule) -> Result<Bite, StoreError> {
    const NOTHING: Bite = Bite::Removed { entries: 0, more: false };
    let (head, now_ms) = tx
        .prepare_cached(&format!(
            "SELECT coalesce(max(seq), 0), {CLOCK} FROM entries WHERE conversation_id = ?1"
        ))?
        .query_row([id], |row| Ok((rows::number(row, 0)?, row.get::<_, i64>(1)?)))?;
    let mark = tx
        .prepare_cached("SELECT seq, marked_at FROM retention_marks WHERE conversation_id = ?1")?
        .query_row([id], |row| Ok((rows::number(row, 0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let Some((marked, marked_at)) = mark else {
        tx.prepare_cached(
            "INSERT INTO retention_marks (conversation_id, seq, marked_at) VALUES (?1, ?2, ?3)",
        )?
        .execute((id, position(head), now_ms))?;
        return Ok(NOTHING);
    };
    if marked_at > now_ms - SETTLED_MS {
        return Ok(NOTHING);
    }
    let settled = marked.min(head.saturating_sub(1));
    let oldest = tx
        .prepare_cached(
            "SELECT seq, created_at FROM entries WHERE conversation_id = ?1 AND seq <= ?2
             ORDER BY seq LIMIT ?3",
        )?
        .query_map((id, position(settled), BITE), |row| Ok((rows::number(row, 0)?, row.get(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let end = prefix_end(&oldest, rule, head, now_ms);
    let entries = match end {
        Some(end) => remove_entries(tx, id, position(end))?,
        None => 0,
    };
    let more = end.is_some() && entries == BITE.unsigned_abs();
    if !more {
        // Whatever is due later needs a mark of its own.
        tx.prepare_cached("DELETE FROM retention_marks WHERE conversation_id = ?1")?
            .execute([id])?;
    }
    Ok(Bite::Removed { entries, more })
}
