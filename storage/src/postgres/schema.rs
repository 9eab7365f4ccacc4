//! Migrations at start-up: in one transaction, under a lock that nodes starting together wait for.

use tokio_postgres::Client;

use crate::error::StoreError;
use crate::migrate;

/// The advisory lock all nodes agree on ("ringwire" in ASCII).
const LOCK: i64 = 0x7269_6E67_7769_7265;

pub(super) async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    let tx = client.transaction().await?;
    // Short: a migration waits neither for a stuck node nor, holding up everybody else, for a long read.
    tx.batch_execute("SET LOCAL lock_timeout = '5s'").await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    tx.batch_execute("SET LOCAL client_min_messages = warning").await?;
    tx.batch_execute(migrate::BOOKKEEPING).await?;
    let applied = tx
        .query_opt(
            "SELECT max(version), max(major) FROM schema_migrations HAVING count(*) > 0",
            &[],
        )
        .await?
        .map(|row| Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?)))
        .transpose()?;
    for migration in migrate::pending(migrate::POSTGRES, applied)? {
        tx.batch_execute(migration.sql).await?;
        tx.execute(
            "INSERT INTO schema_migrations (version, major, name) VALUES ($1, $2, $3)",
            &[&migration.version, &migration.major, &migration.name],
        )
        .await?;
        tracing::info!(migration = migration.name, "schema changed");
    }
    Ok(tx.commit().await?)
}
