//! Moves what the write-ahead log holds into the database file, beside the writer instead of in its commits.
//!
//! ```text
//!   writer:        commit ─► log (fsync)          never checkpoints, so no commit waits for one
//!   checkpointer:  log ─► database file (fsync)   every INTERVAL, passive: waits for nobody, holds up nobody
//! ```
//!
//! A passive checkpoint never catches up with a writer that does not pause, and the log could grow for ever; beyond
//! [`LOG_PAGES_MAX`] the writer is held up for as long as the few pages take that were written meanwhile.
//! Durability does not depend on any of this: an entry is durable once its commit is in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::error::StoreError;

/// Pause between two checkpoints.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest the log may become before the writer waits: 16,384 pages of 4 KiB are 64 MiB.
const LOG_PAGES_MAX: i64 = 16_384;

/// The thread that checkpoints; dropping it ends it.
#[derive(Debug)]
pub(super) struct Checkpointer {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it with a connection of its own.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        connection.pragma_update(None, "synchronous", "FULL")?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    thread::park_timeout(INTERVAL);
                    if let Err(error) = checkpoint(&connection) {
                        // Nothing is lost: the log keeps it all, and the next round tries again.
                        tracing::warn!(%error, "cannot checkpoint the database");
                    }
                }
            })
            .map_err(|error| StoreError::Fatal(format!("cannot start a thread: {error}")))?;
        Ok(Self { stopping, thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in it has been reported already.
            let _ = thread.join();
        }
    }
}

/// Checkpoints once; the log's pages before it decide whether the writer has to wait.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let log_pages: i64 =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    if log_pages > LOG_PAGES_MAX {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_pages(connection: &Connection) -> i64 {
        connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
            .expect("checkpoint works")
    }

    #[test]
    fn a_log_that_grew_too_long_is_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        let open = || Connection::open(&path).expect("the database opens");
        let writer = open();
        let mode: String = writer
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .expect("WAL is possible");
        assert_eq!(mode, "wal");
        writer.pragma_update(None, "wal_autocheckpoint", 0).expect("pragma");
        writer.pragma_update(None, "synchronous", "OFF").expect("pragma");
        writer.execute_batch("CREATE TABLE t (x BLOB)").expect("a table");
        let big = vec![7_u8; 1 << 20];
        let pages_per_row = (big.len() / 4096) as i64;
        for _ in 0..=LOG_PAGES_MAX / pages_per_row {
            writer.execute("INSERT INTO t VALUES (?1)", [&big]).expect("a row");
        }
        assert!(log_pages(&writer) > LOG_PAGES_MAX);
        checkpoint(&open()).expect("checkpoint works");
        assert_eq!(log_pages(&writer), 0);
        let rows: i64 =
            open().query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
        assert_eq!(rows, LOG_PAGES_MAX / pages_per_row + 1);
    }
}
