//! The durable mode, and migrations, in one transaction of whoever holds the data folder.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::error::StoreError;
use crate::migrate::{self, Applied};
use crate::operate::migrate::Migrated;

/// Sets the durable mode, brings the schema up to date and says what that took.
pub(crate) fn prepare(connection: &mut Connection) -> Result<Migrated, StoreError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Fatal(format!(
            "the file system allows journal mode {mode} only, write-ahead logging is needed"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied = applied(&tx)?;
    let steps = migrate::pending(migrate::SQLITE, applied)?;
    tx.execute_batch(migrate::BOOKKEEPING)?;
    for migration in steps {
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "INSERT INTO schema_migrations (version, major, name) VALUES (?1, ?2, ?3)",
            (migration.version, migration.major, migration.name),
        )?;
        tracing::info!(migration = migration.name, "schema changed");
    }
    tx.commit()?;
    Ok(Migrated::new(applied, steps))
}

/// The newest migration that was applied; `None`: none, or not a database of ours.
pub(crate) fn applied(connection: &Connection) -> Result<Option<Applied>, StoreError> {
    let known = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'")?
        .exists([])?;
    if !known {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| Ok(Applied { version: row.get(0)?, major: row.get(1)? });
    Ok(connection.query_row(migrate::NEWEST, [], read).optional()?)
}
