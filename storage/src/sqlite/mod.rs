//! SQLite, embedded: one file in the data folder, one process, one writing thread.
//!
//! ```text
//!   submit ─► queue ─► writer thread ─┬─► the one writing connection
//!   other writes ─► jobs ─────────────┘        (WAL, synchronous=FULL)
//!   reads ─► a few reading connections, each in a blocking thread of tokio; never wait for the writer
//! ```
//!
//! The data folder is held by an exclusive lock on a file in it for as long as any connection of this store lives.

mod aliases;
pub(crate) mod append;
mod attachments;
mod audit;
mod behind;
mod blocks;
mod changes;
mod contacts;
mod conversations;
mod deletion;
mod deliveries;
mod devices;
mod directory;
mod export;
mod hold;
mod hooks;
mod jobs;
mod log;
mod marks;
mod members;
mod moderation;
mod notifications;
mod operators;
mod passwords;
mod presence;
mod profiles;
mod push;
mod readers;
mod refresh;
mod reseal;
mod retention;
mod rows;
pub(crate) mod schema;
mod search;
mod sent;
mod snapshots;
mod trim;
mod views;
mod wal;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::executor::Executor;
use crate::outbox::Outbox;
use crate::search::Search;
use crate::store::StoreConfig;
use crate::writer::{CompletionSink, WriterQueue, Writers};
use append::SqliteAppender;
use jobs::Jobs;
use readers::Readers;
use wal::Wal;

/// How long a connection waits for another one that writes.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 128;
/// What a reading connection may keep in memory, in KiB; taken as it is used.
const READER_CACHE_KIB: i64 = 16_384;

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) writers: Writers,
    pub(crate) keys: Arc<BodyKeys>,
    pub(crate) search: Search,
    outbox: Arc<Outbox>,
    jobs: Arc<Jobs>,
    readers: Readers,
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
        let path = file(dir);
        let mut writing =
            connect(&path, OpenFlags::default()).map_err(|error| not_opened(dir, error.into()))?;
        schema::prepare(&mut writing).map_err(|error| not_opened(dir, error))?;
        schema::require_arbiters(&writing).map_err(|error| not_opened(dir, error))?;
        reseal::enter_keys(&mut writing, &config.keys).map_err(|error| not_opened(dir, error))?;
        let readers = Readers::open(&path).map_err(|error| not_opened(dir, error.into()))?;
        let queue = WriterQueue::new(config.queue_capacity);
        let jobs = Arc::new(Jobs::new(Arc::clone(&queue)));
        let appender = SqliteAppender::new(
            writing,
            Arc::clone(&jobs),
            Arc::clone(&config.keys),
            config.search_text,
            Arc::clone(&config.outbox),
            Arc::clone(&folder),
            Wal::of(&path),
        );
        let search = Search::new(config.search_text);
        let writers = Writers::start(
            vec![(queue, Executor::Sqlite(Box::new(appender)))],
            config.batch,
            completions,
            &search.active(),
        )?;
        Ok(Self {
            writers,
            keys: Arc::clone(&config.keys),
            search,
            outbox: Arc::clone(&config.outbox),
            jobs,
            readers,
            _folder: folder,
        })
    }

    /// Runs `work` in one read transaction, which is one snapshot. It is cut off when the caller goes away.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
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

/// The database in a data folder.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("ringwire.db")
}

/// Makes the folder and takes its lock.
pub(crate) fn lock_folder(dir: &Path) -> Result<File, StoreError> {
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

pub(crate) fn unreadable(dir: &Path, reason: &str) -> StoreError {
    StoreError::DataFolderUnreadable { dir: PathBuf::from(dir), reason: reason.to_owned() }
}

/// Why a database file could not be opened: what cannot be used at a start is to be mended, not waited for.
pub(crate) fn not_opened(dir: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(reason) | StoreError::Fatal(reason) => unreadable(dir, &reason),
        StoreError::FileDamaged(reason) => {
            StoreError::FileDamaged(format!("{}: {reason}", file(dir).display()))
        }
        other => other,
    }
}

pub(crate) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is removed, erased or sealed is overwritten at once. Appends free nothing, so it costs them nothing.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
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
            | ErrorCode::FileLockingProtocolFailed
    ) || is_corrupt(code)
}

/// Whether the file holds what SQLite never writes.
fn is_corrupt(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY {
                    Self::NoSuchUser
                } else if is_corrupt(failure.code) {
                    Self::FileDamaged(error.to_string())
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
