//! The size of the write-ahead log.
//!
//! SQLite begins its log anew at a commit that finds all of it copied to the database file and nobody reading from
//! it. Reads that overlap without a gap keep it from that, and the log grows. So above a size the writer, between two
//! batches, waits a moment for them: nothing is written meanwhile, so whoever begins to read finds everything in the
//! database file and needs no log.
//!
//! One long snapshot outlasts that moment. Then the log grows until it ends, and is looked at again after a pause.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Above this the writer waits for readers, and to this the file is cut when the log begins anew. Several times what lies
/// between two checkpoints, so that in ordinary times neither happens.
pub(super) const MAX_BYTES: i64 = 64 * 1024 * 1024;
/// How long the writer waits for readers.
const PATIENCE: Duration = Duration::from_millis(250);
/// The pause after it waited in vain.
const PAUSE: Duration = Duration::from_secs(10);

/// Keeps one log short.
#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    max_bytes: i64,
    patience: Duration,
    try_at: Option<Instant>,
}

impl Wal {
    /// The log of the database in this file.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self { path: path.into(), max_bytes: MAX_BYTES, patience: PATIENCE, try_at: None }
    }

    /// Copies a log that is too long to the database file and has the next commit begin it anew; `false`: readers kept
    /// it from that. To be called outside a transaction of the writing connection.
    pub(super) fn keep_short(&mut self, writing: &Connection) -> rusqlite::Result<bool> {
        let length = fs::metadata(&self.path).map_or(0, |file| file.len().cast_signed());
        if length <= self.max_bytes || self.try_at.is_some_and(|at| Instant::now() < at) {
            return Ok(true);
        }
        writing.busy_timeout(self.patience)?;
        let kept = writing
            .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0))
            .and_then(|kept| writing.busy_timeout(super::BUSY).map(|()| kept))?;
        self.try_at = kept.then(|| Instant::now() + PAUSE);
        if kept {
            tracing::debug!(
                bytes = length,
                "readers keep the log of the database from beginning anew"
            );
        }
        Ok(!kept)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::OpenFlags;

    use super::super::{connect, schema};
    use super::*;

    const SMALL: i64 = 1024 * 1024;

    struct Bench {
        folder: tempfile::TempDir,
        writing: Connection,
        wal: Wal,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("database");
            let mut writing = connect(&path, OpenFlags::default()).unwrap();
            schema::prepare(&mut writing).unwrap();
            writing.pragma_update(None, "wal_autocheckpoint", 10).unwrap();
            writing.pragma_update(None, "journal_size_limit", SMALL).unwrap();
            writing.execute("CREATE TABLE filling (bytes BLOB)", []).unwrap();
            let wal = Wal { max_bytes: SMALL, ..Wal::of(&path) };
            Self { folder, writing, wal }
        }

        fn write(&self) {
            self.writing.execute("REPLACE INTO filling VALUES (zeroblob(200000))", []).unwrap();
        }

        /// A read that has begun and lasts until it is dropped.
        fn reader(&self) -> Connection {
            let reader =
                connect(&self.folder.path().join("database"), OpenFlags::default()).unwrap();
            reader.execute_batch("BEGIN").unwrap();
            reader.query_row("VALUES ((SELECT count(*) FROM filling))", [], |_| Ok(())).unwrap();
            reader
        }

        fn length(&self) -> i64 {
            fs::metadata(&self.wal.path).unwrap().len().cast_signed()
        }

        /// Writes under reads that overlap; the last one goes on.
        fn overgrown(&self) -> Connection {
            let mut reading = self.reader();
            for _ in 0..20 {
                self.write();
                let next = self.reader();
                self.write();
                drop(std::mem::replace(&mut reading, next));
            }
            assert!(self.length() > 4 * SMALL, "{} bytes", self.length());
            reading
        }
    }

    #[test]
    fn overlapping_reads_do_not_keep_the_log_from_beginning_anew() {
        let mut bench = Bench::new();
        let reading = bench.overgrown();
        bench.wal.patience = Duration::from_mins(1);
        // Ends after the writer has begun to wait, or before: all the same.
        let ends = std::thread::spawn(move || drop(reading));
        assert!(bench.wal.keep_short(&bench.writing).unwrap());
        ends.join().unwrap();
        // Whoever reads now needs no log.
        let _reading = bench.reader();
        bench.write();
        assert!(bench.length() <= SMALL, "{} bytes", bench.length());
    }

    #[test]
    fn one_long_read_holds_the_writer_up_once_in_a_while() {
        let mut bench = Bench::new();
        let reading = bench.overgrown();
        bench.wal.patience = Duration::ZERO;
        assert!(!bench.wal.keep_short(&bench.writing).unwrap());
        let again = bench.wal.try_at;
        assert!(bench.wal.keep_short(&bench.writing).unwrap(), "not at once");
        assert_eq!(bench.wal.try_at, again);
        let busy: i64 =
            bench.writing.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).unwrap();
        assert_eq!(u128::try_from(busy).unwrap(), super::super::BUSY.as_millis());
        drop(reading);
        bench.wal.try_at = None;
        assert!(bench.wal.keep_short(&bench.writing).unwrap());
        bench.write();
        assert!(bench.length() <= SMALL, "{} bytes", bench.length());
    }
}
