//! The audit log.

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::{Row, Transaction};

use super::SqliteStore;
use super::retention::CLOCK;
use super::rows;
use crate::audit::{AuditEntry, AuditId, AuditOutcome, AuditRow, AuditWindow, EXPIRED_PAGE};
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn append_audit(&self, entry: AuditEntry) -> Result<AuditId, StoreError> {
        self.write(move |tx| append_audit(tx, &entry)).await
    }

    pub(crate) async fn finish_audit(
        &self,
        id: AuditId,
        outcome: AuditOutcome,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(
                "UPDATE audit SET outcome = ?2, detail = coalesce(?3, detail)
                 WHERE id = ?1 AND outcome = ''",
            )?
            .execute((id, outcome.text(), &detail))?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn expire_audit(&self, kept_ms: UnixMs) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let removed = tx
                .prepare_cached(&format!(
                    "DELETE FROM audit WHERE id IN (
                         SELECT id FROM audit WHERE at < {CLOCK} - ?1 ORDER BY at, id LIMIT ?2)"
                ))?
                .execute([kept_ms, EXPIRED_PAGE])?;
            Ok(removed as u64)
        })
        .await
    }

    pub(crate) async fn audit_page(
        &self,
        actor: Option<i64>,
        window: AuditWindow,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let AuditWindow { from, before: (at, id), limit } = window;
        self.read(move |tx| {
            if let Some(actor) = actor {
                let mut statement = tx.prepare_cached(
                    "SELECT id, at, actor_id, operator_id, action, target, detail, outcome FROM audit
                     WHERE actor_id = ?5 AND at >= ?1 AND (at, id) < (?2, ?3)
                     ORDER BY at DESC, id DESC LIMIT ?4",
                )?;
                let rows = statement.query_map((from, at, id, limit, actor), audit)?;
                return Ok(rows.collect::<Result<_, _>>()?);
            }
            let mut statement = tx.prepare_cached(
                "SELECT id, at, actor_id, operator_id, action, target, detail, outcome FROM audit
                 WHERE at >= ?1 AND (at, id) < (?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4",
            )?;
            let rows = statement.query_map((from, at, id, limit), audit)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Adds a row within a transaction.
pub(super) fn append_audit(
    tx: &Transaction<'_>,
    entry: &AuditEntry,
) -> Result<AuditId, StoreError> {
    tx.prepare_cached(&format!(
        "INSERT INTO audit (at, actor_id, operator_id, action, target, detail, outcome)
         VALUES ({CLOCK}, ?1, ?2, ?3, ?4, ?5, ?6)"
    ))?
    .execute((
        entry.actor.map_or(0, UserId::as_i64),
        entry.operator.unwrap_or(0),
        &entry.action,
        &entry.target,
        &entry.detail,
        entry.outcome.text(),
    ))?;
    Ok(tx.last_insert_rowid())
}

fn audit(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let entry = AuditEntry {
        actor: UserId::new(rows::number(row, 2)?),
        operator: Some(row.get(3)?).filter(|id| *id > 0),
        action: row.get(4)?,
        target: row.get(5)?,
        detail: row.get(6)?,
        outcome: AuditOutcome::from_text(row.get(7)?),
    };
    Ok(AuditRow { id: row.get(0)?, at: row.get(1)?, entry })
}
