//! Migrations: in one transaction, under a lock that nodes starting together wait for.

use tokio_postgres::{Client, GenericClient, Transaction};

use super::partitions;
use crate::arbiters;
use crate::error::StoreError;
use crate::migrate::{self, Applied};
use crate::operate::migrate::Migrated;

/// The advisory lock all nodes agree on ("ringwire" in ASCII).
const LOCK: i64 = 0x7269_6E67_7769_7265;

/// A transaction that may change the schema, the only one of its kind.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    let tx = client.transaction().await?;
    // Short: a migration waits neither for a stuck node nor, holding up everybody else, for a long read.
    // But work on a large table takes as long as it takes: what is cut off would never be done.
    tx.batch_execute("SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0").await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    Ok(tx)
}

/// Brings the schema up to date and says what that took. A new database gets so many partitions (0: one table).
pub(crate) async fn migrate(client: &mut Client, partitions: u32) -> Result<Migrated, StoreError> {
    let tx = begin(client).await?;
    let applied = applied(&tx).await?;
    let steps = migrate::pending(migrate::POSTGRES, applied)?;
    tx.batch_execute("SET LOCAL client_min_messages = warning").await?;
    tx.batch_execute(migrate::BOOKKEEPING).await?;
    for migration in steps {
        tx.batch_execute(migration.sql).await?;
        tx.execute(
            "INSERT INTO schema_migrations (version, major, name) VALUES ($1, $2, $3)",
            &[&migration.version, &migration.major, &migration.name],
        )
        .await?;
        tracing::info!(migration = migration.name, "schema changed");
    }
    if applied.is_none() && partitions > 0 {
        partitions::rebuild(&tx, partitions).await?;
    }
    tx.commit().await?;
    Ok(Migrated::new(applied, steps))
}

/// An error unless the log has both of its arbiters.
pub(super) async fn require_arbiters(client: &Client) -> Result<(), StoreError> {
    let rows = client.query(arbiters::UNIQUE_POSTGRES, &[]).await?;
    let found = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    arbiters::require(&found, false)
}

/// The newest migration that was applied; `None`: none, or not a database of ours.
pub(crate) async fn applied(client: &impl GenericClient) -> Result<Option<Applied>, StoreError> {
    let known =
        client.query_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[]).await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_opt(migrate::NEWEST, &[]).await?;
    let read =
        |row: tokio_postgres::Row| Ok(Applied { version: row.try_get(0)?, major: row.try_get(1)? });
    row.map(read).transpose()
}
