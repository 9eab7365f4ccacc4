//! SQLite, embedded: one file in the data folder, one process, one writing thread.
//!
//! ```text
//!   submit ─► queue ─► writer thread ─┬─► the one writing connection
//!   other writes ─► jobs ─────────────┘        (WAL, synchronous=FULL)
//!   reads ─► a few reading connections, each in a blocking thread of tokio; never wait for the writer
//! ```
//!
//! The data folder is held by an exclusive lock on a file in it for as long as any connection of this store lives.

pub(crate) mod append;
mod conversations;
mod deletion;
mod directory;
mod export;
mod jobs;
mod log;
mod reseal;
mod retention;
mod rows;
mod sent;
mod snapshots;
mod trim;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior,
};
use tokio::sync::Semaphore;

use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::executor::Executor;
use crate::migrate;
use crate::store::StoreConfig;
use crate::writer::{CompletionSink, WriterQueue, Writers};
use append::SqliteAppender;
use jobs::Jobs;

/// Reading connections. SQLite reads in parallel; more than this only share the processors.
const READERS: usize = 4;
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 64;
/// Pages the writing connection may keep in memory, in KiB; taken as they are used.
const WRITER_CACHE_KIB: i64 = 65_536;
/// The same for each reading connection.
const READER_CACHE_KIB: i64 = 16_384;
/// After how many pages of log (4 KiB each) a commit also writes them to the database file. Larger: pages that change
/// again and again are written once, but the commit that does it takes longer.
const CHECKPOINT_PAGES: i64 = 4_000;

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) writers: Writers,
    pub(crate) keys: Arc<BodyKeys>,
    jobs: Arc<Jobs>,
    readers: Arc<Mutex<Vec<Connection>>>,
    reader_permits: Semaphore,
    /// Released when the last holder goes: this or the writer thread.
    _folder: Arc<File>,
}

impl SqliteStore {
    /// Opens or makes the database in `dir`. Blocks.
    pub(crate) fn open(
        dir: &Path,
        config: &StoreConfig,
        completions: &CompletionSink,
    ) -> Result<Self, StoreError> {
        let folder = Arc::new(lock_folder(dir)?);
        let path = dir.join("ringwire.db");
        let mut writing = connect(&path, OpenFlags::default())
            .map_err(|error| unreadable(dir, &error.to_string()))?;
        prepare(&mut writing, &config.keys).map_err(|error| match error {
            StoreError::Unavailable(reason) | StoreError::Fatal(reason) => unreadable(dir, &reason),
            other => other,
        })?;
        let reading = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let readers = (0..READERS)
            .map(|_| connect(&path, reading))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(dir, &error.to_string()))?;
        let queue = WriterQueue::new(config.queue_capacity);
        let jobs = Arc::new(Jobs::new(Arc::clone(&queue)));
        let appender = SqliteAppender::new(
            writing,
            Arc::clone(&jobs),
            Arc::clone(&config.keys),
            Arc::clone(&folder),
        );
        let writers =
            Writers::start(vec![(queue, Executor::Sqlite(appender))], config.batch, completions)?;
        Ok(Self {
            writers,
            keys: Arc::clone(&config.keys),
            jobs,
            readers: Arc::new(Mutex::new(readers)),
            reader_permits: Semaphore::new(READERS),
            _folder: folder,
        })
    }

    /// Runs `work` in one read transaction, which is one snapshot.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.reader_permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(&self.readers);
        let run = move || {
            // A permit is a connection, unless a caller went away while its work still ran.
            let taken = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut connection) = taken else {
                return Err(StoreError::Unavailable("all readers are busy".into()));
            };
            let result = connection
                .transaction_with_behavior(TransactionBehavior::Deferred)
                .map_err(StoreError::from)
                .and_then(|transaction| work(&transaction));
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(|error| StoreError::Fatal(format!("a read failed: {error}")))?
    }

    /// Runs `work` in one write transaction on the writer thread, between two batches.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.jobs.run(work).await
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.read(|tx| Ok(tx.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }

    pub(crate) async fn command_key(&self) -> Result<[u8; 16], StoreError> {
        self.read(|tx| Ok(tx.query_row("SELECT key FROM command_key", [], |row| row.get(0))?)).await
    }
}

/// Makes the folder and takes its lock.
fn lock_folder(dir: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(dir).map_err(|error| unreadable(dir, &error.to_string()))?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("ringwire.lock"))
        .map_err(|error| unreadable(dir, &error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::DataFolderLocked(PathBuf::from(dir))),
        Err(TryLockError::Error(error)) => Err(unreadable(dir, &error.to_string())),
    }
}

fn unreadable(dir: &Path, reason: &str) -> StoreError {
    StoreError::DataFolderUnreadable { dir: PathBuf::from(dir), reason: reason.to_owned() }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// Sets the durable mode and a current schema, and enters the keys.
fn prepare(connection: &mut Connection, keys: &BodyKeys) -> Result<(), StoreError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Fatal(format!(
            "the file system allows journal mode {mode} only, write-ahead logging is needed"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    migrate(connection)?;
    reseal::enter_keys(connection, keys)
}

/// Brings the schema up to date.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(migrate::BOOKKEEPING)?;
    let applied = tx
        .query_row(
            "SELECT max(version), max(major) FROM schema_migrations HAVING count(*) > 0",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    for migration in migrate::pending(migrate::SQLITE, applied)? {
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "INSERT INTO schema_migrations (version, major, name) VALUES (?1, ?2, ?3)",
            (migration.version, migration.major, migration.name),
        )?;
        tracing::info!(migration = migration.name, "schema changed");
    }
    Ok(tx.commit()?)
}

/// Whether the database itself is in trouble (and may recover), rather than the request.
fn is_away(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::PermissionDenied
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::FileLockingProtocolFailed
    )
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY {
                    Self::NoSuchUser
                } else if is_away(failure.code) {
                    Self::Unavailable(error.to_string())
                } else {
                    Self::Fatal(error.to_string())
                }
            }
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Damaged(error.to_string()),
            _ => Self::Fatal(error.to_string()),
        }
    }
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
