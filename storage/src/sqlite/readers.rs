//! The reading connections: a few, each lent to one read at a time.
//!
//! Invariants:
//! - A permit is a connection. It travels with the read into its thread and goes back after the connection, so a caller
//!   that goes away takes nobody's reader.
//! - A read whose caller went away ends within some thousand instructions of SQLite's machine, whatever it was about.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use crate::error::StoreError;

/// SQLite reads in parallel; more than this only share the processors.
const READERS: usize = 4;
/// Instructions of SQLite's machine between two looks whether the caller is still there: some microseconds.
const LOOK_EVERY: i32 = 4_000;

#[derive(Debug)]
pub(super) struct Readers {
    free: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Connects to the database in this file.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let free = (0..READERS)
            .map(|_| super::connect(path, flags))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let permits = Arc::new(Semaphore::new(READERS));
        Ok(Self { free: Arc::new(Mutex::new(free)), permits })
    }

    /// Runs `work` in one read transaction, which is one snapshot. It is cut off when the caller goes away.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let free = Arc::clone(&self.free);
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let run = move || {
            let _permit = permit;
            // Only a read that panicked keeps its connection.
            let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut connection) = taken else {
                return Err(StoreError::Unavailable("all readers are busy".into()));
            };
            let result = until_gone(&mut connection, gone, work);
            free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        };
        let result = tokio::task::spawn_blocking(run).await;
        drop(caller);
        result.map_err(|error| StoreError::Fatal(format!("a read failed: {error}")))?
    }
}

/// Raises the flag when whoever holds it is dropped.
#[derive(Default)]
struct Caller {
    gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// A flag of each read's own cannot end the next read on the connection, and is not lost between two statements.
fn until_gone<T>(
    connection: &mut Connection,
    gone: Arc<AtomicBool>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let look = move || gone.load(Ordering::Relaxed);
    connection.progress_handler(LOOK_EVERY, Some(look))?;
    let result = connection
        .transaction_with_behavior(TransactionBehavior::Deferred)
        .map_err(StoreError::from)
        .and_then(|transaction| work(&transaction));
    connection.progress_handler(0, None::<fn() -> bool>)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anybody waits.
    const ENDLESS: &str =
        "VALUES ((WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)
        SELECT count(*) FROM n))";

    #[tokio::test]
    async fn an_abandoned_read_gives_its_reader_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database");
        Connection::open(&path).unwrap();
        let readers = Readers::open(&path).unwrap();
        for _ in 0..2 * READERS {
            let (begun, begins) = tokio::sync::oneshot::channel();
            let read = readers.read(move |tx| {
                begun.send(()).unwrap();
                Ok(tx.query_row(ENDLESS, [], |_| Ok(()))?)
            });
            tokio::select! {
                result = read => panic!("it has an end: {result:?}"),
                result = begins => result.unwrap(),
            }
        }
        let answer =
            readers.read(|tx| Ok(tx.query_row("VALUES (7)", [], |row| row.get::<_, i64>(0))?));
        assert_eq!(answer.await.unwrap(), 7);
    }
}
