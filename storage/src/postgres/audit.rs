//! The audit log.

use deadpool_postgres::GenericClient;
use ringwire_protocol::UserId;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::retention::CLOCK;
use super::rows;
use crate::audit::{AuditEntry, AuditRow, AuditWindow};
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        append_audit(&self.client().await?, &entry).await
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
                    "SELECT id, at, actor_id, operator_id, action, target, detail FROM audit
                     WHERE actor_id = $5 AND at >= $1 AND (at, id) < ($2, $3)
                     ORDER BY at DESC, id DESC LIMIT $4",
                )
                .await?;
            client.query(&statement, &[&from, &at, &id, &limit, &actor]).await?
        } else {
            let statement = client
                .prepare_cached(
                    "SELECT id, at, actor_id, operator_id, action, target, detail FROM audit
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
) -> Result<(), StoreError> {
    let statement = client
        .prepare_cached(&format!(
            "INSERT INTO audit (at, actor_id, operator_id, action, target, detail)
             VALUES ({CLOCK}, $1, $2, $3, $4, $5)"
        ))
        .await?;
    let actor = entry.actor.map_or(0, UserId::as_i64);
    let operator = entry.operator.unwrap_or(0);
    let values: [&(dyn ToSql + Sync); 5] =
        [&actor, &operator, &entry.action, &entry.target, &entry.detail];
    client.execute(&statement, &values).await?;
    Ok(())
}

fn audit(row: &Row) -> Result<AuditRow, StoreError> {
    let entry = AuditEntry {
        actor: UserId::new(rows::number(row, 2)?),
        operator: Some(row.try_get(3)?).filter(|id| *id > 0),
        action: row.try_get(4)?,
        target: row.try_get(5)?,
        detail: row.try_get(6)?,
    };
    Ok(AuditRow { id: row.try_get(0)?, at: row.try_get(1)?, entry })
}
