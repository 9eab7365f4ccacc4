//! A tool's connection to SQLite.
//!
//! Calls other than `read` block their thread: a tool has nothing else to do meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use super::session::{Filling, Page};
use super::value::from_sqlite;
use crate::error::StoreError;
use crate::migrate::Applied;
use crate::sqlite;

pub(super) struct SqliteSession {
    connection: Arc<Mutex<Connection>>,
    /// The data folder's lock, of a session that is not only a reader.
    folder: Option<File>,
}

impl SqliteSession {
    /// Reads beside a running server: it takes no lock of the folder, and in WAL mode neither waits for the other.
    pub(super) fn reader(dir: &Path) -> Result<Self, StoreError> {
        let path = sqlite::file(dir);
        if !path.exists() {
            return Err(StoreError::NoDatabase(path));
        }
        Self::open(dir, OpenFlags::SQLITE_OPEN_READ_ONLY, None)
    }

    /// Reads while no server can serve from the folder.
    pub(super) fn sole_reader(dir: &Path) -> Result<Self, StoreError> {
        let mut session = Self::reader(dir)?;
        session.folder = Some(sqlite::lock_folder(dir)?);
        Ok(session)
    }

    /// Writes while no server can serve from the folder.
    pub(super) fn writer(dir: &Path) -> Result<Self, StoreError> {
        let folder = sqlite::lock_folder(dir)?;
        let session = Self::open(dir, OpenFlags::default(), Some(folder))?;
        session.execute("PRAGMA synchronous = FULL")?;
        Ok(session)
    }

    fn open(dir: &Path, flags: OpenFlags, folder: Option<File>) -> Result<Self, StoreError> {
        let connection = sqlite::connect(&sqlite::file(dir), flags)
            .map_err(|error| sqlite::not_opened(dir, error.into()))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), folder })
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database's file.
    pub(super) fn path(&self) -> PathBuf {
        self.connection().path().map(PathBuf::from).unwrap_or_default()
    }

    pub(super) fn execute(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.connection().execute_batch(sql)?)
    }

    pub(super) fn applied(&self) -> Result<Option<Applied>, StoreError> {
        sqlite::schema::applied(&self.connection())
    }

    pub(super) async fn read(
        &self,
        queries: Vec<String>,
        pages: mpsc::Sender<Page>,
    ) -> Result<(), StoreError> {
        let connection = Arc::clone(&self.connection);
        let read = move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            for query in queries {
                let ended = match read_one(&connection, &query, &pages) {
                    Ok(true) => Page::End,
                    Ok(false) => return,
                    Err(error) => Page::Failed(error.to_string()),
                };
                if pages.blocking_send(ended).is_err() {
                    return;
                }
            }
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| StoreError::Fatal(format!("a read failed: {error}")))
    }
}

/// Whether somebody still listens.
fn read_one(
    connection: &Connection,
    query: &str,
    pages: &mpsc::Sender<Page>,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut filling = Filling::default();
    while let Some(row) = rows.next()? {
        if let Some(page) = filling.push(from_sqlite(row)?)
            && pages.blocking_send(page).is_err()
        {
            return Ok(false);
        }
    }
    Ok(filling.take().is_none_or(|page| pages.blocking_send(page).is_ok()))
}
