//! A tool's connection to either database, and how it reads.

use tokio::sync::mpsc;

use super::postgres::PostgresSession;
use super::sqlite::SqliteSession;
use super::value::Row;
use crate::error::StoreError;
use crate::migrate::{self, Applied};
use crate::postgres::partitions::LOCK_FIRST;
use crate::store::Database;

/// Pages on their way from the reader to whoever uses them.
pub(super) const PAGES: usize = 2;
/// Rows of a page.
const PAGE_ROWS: usize = 1_000;
/// Bytes of a page, after the row that passes it.
const PAGE_BYTES: usize = 1024 * 1024;

/// A connection without the time limits of a server.
pub(super) enum Session {
    Sqlite(SqliteSession),
    Postgres(PostgresSession),
}

/// What a reader hands on. The queries are read one after the other, each ended by `End` or `Failed`.
#[derive(Debug)]
pub(super) enum Page {
    Rows(Vec<Row>),
    End,
    /// The database works, but not for this query: what it reads is damaged or missing.
    Failed(String),
}

impl Session {
    /// Opens the database for reading alone, beside whoever serves from it.
    pub(super) async fn reader(database: &Database) -> Result<Self, StoreError> {
        Ok(match database {
            Database::Sqlite { dir } => Self::Sqlite(SqliteSession::reader(dir)?),
            Database::Postgres { url } => Self::Postgres(PostgresSession::open(url).await?),
        })
    }

    /// Opens the database for reading, and keeps servers from serving it.
    pub(super) async fn source(database: &Database) -> Result<Self, StoreError> {
        Ok(match database {
            Database::Sqlite { dir } => Self::Sqlite(SqliteSession::sole_reader(dir)?),
            Database::Postgres { url } => Self::Postgres(PostgresSession::open(url).await?),
        })
    }

    /// An error unless the schema is the one of this release.
    pub(super) async fn require_schema(&self) -> Result<(), StoreError> {
        let known = if self.is_sqlite() { migrate::SQLITE } else { migrate::POSTGRES };
        let applied = self.applied().await?;
        if let (Self::Sqlite(session), None) = (self, applied) {
            return Err(StoreError::NoDatabase(session.path()));
        }
        if migrate::pending(known, applied)?.is_empty() {
            Ok(())
        } else {
            Err(StoreError::SchemaTooOld { found: applied.map_or(0, |applied| applied.version) })
        }
    }

    /// Runs statements.
    pub(super) async fn execute(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(session) => session.execute(sql),
            Self::Postgres(session) => session.execute(sql).await,
        }
    }

    /// All rows of a query that has few.
    pub(super) async fn rows(&self, query: &str) -> Result<Vec<Row>, StoreError> {
        let (sender, mut pages) = mpsc::channel(PAGES);
        let gather = async {
            let mut all = Vec::new();
            loop {
                match pages.recv().await {
                    Some(Page::Rows(rows)) => all.extend(rows),
                    Some(Page::End) => return Ok(all),
                    Some(Page::Failed(reason)) => return Err(StoreError::Fatal(reason)),
                    None => return Err(StoreError::Closed),
                }
            }
        };
        let (read, rows) = tokio::join!(self.read(vec![query.to_owned()], sender), gather);
        read?;
        rows
    }

    /// The columns that a table stores, in its order; none: there is no such table.
    pub(super) async fn columns(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let query = if self.is_sqlite() {
            format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid")
        } else {
            format!(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('{table}')
                     AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                 ORDER BY attnum"
            )
        };
        let rows = self.rows(&query).await?;
        Ok(rows.iter().filter_map(|row| row.first()?.text().map(str::to_owned)).collect())
    }

    /// Whether the statements are to be those of SQLite.
    pub(super) const fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Begins the one snapshot that everything until the end of the session reads.
    pub(super) async fn begin_snapshot(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(session) => session.execute("BEGIN"),
            Self::Postgres(session) => {
                let empty = session.applied().await?.is_none();
                session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                // Without a schema there is nothing to lock; whoever reads on says so.
                if empty { Ok(()) } else { session.execute(LOCK_FIRST).await }
            }
        }
    }

    /// The newest migration that was applied, `None`: not a database of ours.
    pub(super) async fn applied(&self) -> Result<Option<Applied>, StoreError> {
        match self {
            Self::Sqlite(session) => session.applied(),
            Self::Postgres(session) => session.applied().await,
        }
    }

    /// Reads queries one after the other in the transaction that is open, until the end or until nobody listens.
    pub(super) async fn read(
        &self,
        queries: Vec<String>,
        pages: mpsc::Sender<Page>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(session) => session.read(queries, pages).await,
            Self::Postgres(session) => session.read(queries, pages).await,
        }
    }
}

/// Rows that wait for a page to be full.
#[derive(Default)]
pub(super) struct Filling {
    rows: Vec<Row>,
    bytes: usize,
}

impl Filling {
    /// Adds a row; gives the page when that has filled it.
    pub(super) fn push(&mut self, row: Row) -> Option<Page> {
        self.bytes += row.iter().map(super::value::Value::size).sum::<usize>();
        self.rows.push(row);
        let full = self.rows.len() >= PAGE_ROWS || self.bytes >= PAGE_BYTES;
        if full { self.take() } else { None }
    }

    /// What is there, if anything.
    pub(super) fn take(&mut self) -> Option<Page> {
        self.bytes = 0;
        (!self.rows.is_empty()).then(|| Page::Rows(std::mem::take(&mut self.rows)))
    }
}
