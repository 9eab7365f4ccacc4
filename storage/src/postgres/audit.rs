//! The audit log.

use deadpool_postgres::GenericClient;
use ringwire_protocol::{UnixMs, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::retention::CLOCK;
use super::rows;
use crate::audit::{AuditEntry, AuditId, AuditOutcome, AuditRow, AuditWindow, EXPIRED_PAGE};
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn append_audit(&self, entry: AuditEntry) -> Result<AuditId, StoreError> {
        append_audit(&self.client().await?, &entry).await
    }

    pub(crate) async fn finish_audit(
        &self,
        id: AuditId,
        outcome: AuditOutcome,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE audit SET outcome = $2, detail = coalesce($3, detail)
                 WHERE id = $1 AND outcome = ''",
            )
            .await?;
        client.execute(&statement, &[&id, &outcome.text(), &detail]).await?;
        Ok(())
    }

    pub(crate) async fn expire_audit(&self, kept_ms: UnixMs) -> Result<u64, StoreError> {
        let client = self.client().await?;
        // Two nodes at it wait for each other, and the second finds nothing left of the first one's page.
        let statement = client
            .prepare_cached(&format!(
                "DELETE FROM audit WHERE id IN (
                     SELECT id FROM audit WHERE at < (SELECT {CLOCK}) - $1::int8 ORDER BY at, id LIMIT $2)"
            ))
            .await?;
        Ok(client.execute(&statement, &[&kept_ms, &EXPIRED_PAGE]).await?)
    }

    pub(crate) async fn audit_page(
        &self,
        actor: Option<i64>,
        window: AuditWindow,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let AuditWindow { from, before: (at, id), limit } = window;
        let client = self.client().await?;
        let rows = if let Some(actor) = actor {
            let statement = client
                .prepare_cached(
                    "SELECT id, at, actor_id, operator_id, action, target, detail, outcome FROM audit
                     WHERE actor_id = $5 AND at >= $1 AND (at, id) < ($2, $3)
                     ORDER BY at DESC, id DESC LIMIT $4",
                )
                .await?;
            client.query(&statement, &[&from, &at, &id, &limit, &actor]).await?
        } else {
            let statement = client
                .prepare_cached(
                    "SELECT id, at, actor_id, operator_id, action, target, detail, outcome FROM audit
                     WHERE at >= $1 AND (at, id) < ($2, $3)
                     ORDER BY at DESC, id DESC LIMIT $4",
                )
                .await?;
            client.query(&statement, &[&from, &at, &id, &limit]).await?
        };
        rows.iter().map(audit).collect()
    }
}

/// Adds a row, also within a transaction.
pub(super) async fn append_audit(
    client: &impl GenericClient,
    entry: &AuditEntry,
) -> Result<AuditId, StoreError> {
    let statement = client
        .prepare_cached(&format!(
            "INSERT INTO audit (at, actor_id, operator_id, action, target, detail, outcome)
             VALUES ({CLOCK}, $1, $2, $3, $4, $5, $6) RETURNING id"
        ))
        .await?;
    let actor = entry.actor.map_or(0, UserId::as_i64);
    let operator = entry.operator.unwrap_or(0);
    let outcome = entry.outcome.text();
    let values: [&(dyn ToSql + Sync); 6] =
        [&actor, &operator, &entry.action, &entry.target, &entry.detail, &outcome];
    Ok(client.query_one(&statement, &values).await?.try_get(0)?)
}

fn audit(row: &Row) -> Result<AuditRow, StoreError> {
    let entry = AuditEntry {
        actor: UserId::new(rows::number(row, 2)?),
        operator: Some(row.try_get(3)?).filter(|id| *id > 0),
        action: row.try_get(4)?,
        target: row.try_get(5)?,
        detail: row.try_get(6)?,
        outcome: AuditOutcome::from_text(row.try_get(7)?),
    };
    Ok(AuditRow { id: row.try_get(0)?, at: row.try_get(1)?, entry })
}
