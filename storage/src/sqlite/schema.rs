//! The durable mode, and migrations, in one transaction of whoever holds the data folder.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::wal::MAX_BYTES;
use crate::arbiters;
use crate::error::StoreError;
use crate::migrate::{self, Applied};
use crate::operate::migrate::Migrated;

/// What the writing connection may keep in memory, in KiB; taken as it is used.
const WRITER_CACHE_KIB: i64 = 65_536;
/// After how many pages of log (4 KiB each) a commit also writes them to the database file. Larger: pages that change
/// again and again are written once, but the commit that does it takes longer.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Sets the durable mode, brings the schema up to date and says what that took.
pub(crate) fn prepare(connection: &mut Connection) -> Result<Migrated, StoreError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Fatal(format!(
            "the file system allows journal mode {mode} only, write-ahead logging is needed"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", MAX_BYTES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    migrate(connection)
}

/// Applies what is missing, in one transaction.
fn migrate(connection: &mut Connection) -> Result<Migrated, StoreError> {
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

/// An error unless the log has both of its arbiters.
pub(super) fn require_arbiters(connection: &Connection) -> Result<(), StoreError> {
    let found = connection
        .prepare(arbiters::UNIQUE_SQLITE)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    arbiters::require(&found, true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_the_first_schema_survive_the_second() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(migrate::BOOKKEEPING).unwrap();
        let first = &migrate::SQLITE[0];
        connection.execute_batch(first.sql).unwrap();
        connection
            .execute("INSERT INTO schema_migrations VALUES (1, 1, ?1)", [first.name])
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO entries VALUES (7, 2, 1, 3, 4, 'second', 5, x'00FF'),
                     (7, 1, 0, 0, 4, 'first', 5, x''), (8, 1, 0, 3, 4, 'first', 5, x'01')",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let rows: Vec<(i64, i64, String, Vec<u8>, i64)> = connection
            .prepare("SELECT conversation_id, seq, client_msg_id, body, key_id FROM entries ORDER BY 1, 2")
            .unwrap()
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let expected = [
            (7, 1, "first".to_owned(), vec![], 0),
            (7, 2, "second".to_owned(), vec![0, 255], 0),
            (8, 1, "first".to_owned(), vec![1], 0),
        ];
        assert_eq!(rows, expected);
        let twice = connection.execute_batch(
            "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
             VALUES (7, 3, 2, 3, 4, 'second', 5, x'')",
        );
        assert!(twice.is_err(), "one id, one entry");
    }
}
