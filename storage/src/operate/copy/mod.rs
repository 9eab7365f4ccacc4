//! `ringwire db copy`: everything from one database into another, empty one.
//!
//! ```text
//!   source: nobody serves from it ── rows ─► target: migrated, empty, locked
//!                                            one transaction: copy, ids, compare, commit
//! ```
//!
//! All of the target's part is one transaction, so a copy that is interrupted, even by kill -9, leaves it as empty as it
//! was and may simply be repeated. Before the commit both sides are read again, in the order of their keys, and compared
//! row by row: no row is lost, doubled or changed in a target that is not empty.

mod target;

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use super::session::{PAGES, Page, Session};
use super::tables::TABLES;
use super::value::{Row, Value};
use crate::error::StoreError;
use crate::store::Database;
use target::Target;

/// Why nothing was copied. The target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database could not be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Source and target are one.
    #[error("source and target are the same database; name another one with --to")]
    Same,
    /// Something is in the target already.
    #[error(
        "the target holds rows in {0} already, and a copy never mixes with what is there; \
         make a new database, or empty this one"
    )]
    NotEmpty(&'static str),
    /// A server is connected to one of the databases.
    #[error("a ringwire server is connected to the {0}; stop it, then copy")]
    InUse(&'static str),
    /// A table has other columns on the other side.
    #[error(
        "the table {0} has other columns in the target; run `ringwire migrate` on both with the same release"
    )]
    ColumnsDiffer(&'static str),
    /// Reading a table of the source failed.
    #[error("the source cannot be read: {table}: {reason}; look at it with `ringwire db check`")]
    Unreadable {
        /// Which table.
        table: &'static str,
        /// What the database said.
        reason: String,
    },
    /// The comparison found a difference, and the copy was undone.
    #[error(
        "{table} differs after the copy, at row {row}; nothing was kept in the target, report this"
    )]
    Differs {
        /// Which table.
        table: &'static str,
        /// The place in the order of its key.
        row: u64,
    },
}

/// Told how far the copy is.
pub trait Observer {
    /// So many rows of a table are in the target, not committed yet.
    fn copying(&mut self, table: &'static str, rows: u64);
    /// A table is in the target, not committed yet.
    fn copied(&mut self, table: &'static str, rows: u64);
    /// So many rows of a table are equal on both sides.
    fn comparing(&mut self, table: &'static str, rows: u64);
}

/// Copies everything, compares it, commits. How many rows there are.
pub async fn copy(
    from: &Database,
    to: &Database,
    observer: &mut dyn Observer,
) -> Result<u64, CopyError> {
    if from == to {
        return Err(CopyError::Same);
    }
    let source = open_source(from).await?;
    let target = Target::open(to).await?;
    let mut columns = Vec::new();
    for table in TABLES {
        let (here, there) = (source.columns(table.name).await?, target.columns(table.name).await?);
        if here.is_empty() || BTreeSet::from_iter(&here) != BTreeSet::from_iter(&there) {
            return Err(CopyError::ColumnsDiffer(table.name));
        }
        columns.push(here);
    }
    let rows = move_rows(&source, &target, &columns, observer).await?;
    target.set_ids(&source).await?;
    compare(&source, &target, &columns, observer).await?;
    target.commit().await?;
    Ok(rows)
}

/// The source in one snapshot that stays the last word: no server may write to it meanwhile.
async fn open_source(database: &Database) -> Result<Session, CopyError> {
    let session = Session::source(database).await?;
    match &session {
        Session::Sqlite(session) => session.execute("BEGIN")?,
        Session::Postgres(session) => {
            if session.is_served().await? {
                return Err(CopyError::InUse("source"));
            }
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            session.lock_tables("SHARE").await?;
        }
    }
    session.require_schema().await?;
    Ok(session)
}

async fn move_rows(
    source: &Session,
    target: &Target,
    columns: &[Vec<String>],
    observer: &mut dyn Observer,
) -> Result<u64, CopyError> {
    let queries = TABLES.iter().zip(columns).map(|(table, columns)| table.select(columns));
    let (sender, mut pages) = mpsc::channel(PAGES);
    let write = async {
        let mut total = 0;
        for (table, columns) in TABLES.iter().zip(columns) {
            let rows = target.write(table.name, columns, &mut pages, observer).await?;
            observer.copied(table.name, rows);
            total += rows;
        }
        drop(pages);
        Ok(total)
    };
    let (read, written) = tokio::join!(source.read(queries.collect(), sender), write);
    // Why the reader ended says more than that it did.
    read?;
    written
}

/// Both sides, row by row in the order of their keys.
async fn compare(
    source: &Session,
    target: &Target,
    columns: &[Vec<String>],
    observer: &mut dyn Observer,
) -> Result<(), CopyError> {
    let target = target.session();
    let queries = |sqlite| {
        let tables = TABLES.iter().zip(columns);
        tables.map(|(table, columns)| table.select_in_order(columns, sqlite)).collect()
    };
    let (from, here) = mpsc::channel(PAGES);
    let (to, there) = mpsc::channel(PAGES);
    let look = async {
        let (mut here, mut there) = (Rows::new(here), Rows::new(there));
        for table in TABLES {
            let mut row = 0;
            loop {
                let pair = (here.next(table.name).await?, there.next(table.name).await?);
                row += 1;
                match pair {
                    (None, None) => break,
                    (here, there) if here != there => {
                        return Err(CopyError::Differs { table: table.name, row });
                    }
                    _ if row % 10_000 == 0 => observer.comparing(table.name, row),
                    _ => {}
                }
            }
        }
        Ok(())
    };
    let (here, there, looked) = tokio::join!(
        source.read(queries(source.is_sqlite()), from),
        target.read(queries(target.is_sqlite()), to),
        look
    );
    here?;
    there?;
    looked
}

/// Rows one at a time, of pages.
struct Rows {
    pages: mpsc::Receiver<Page>,
    page: std::vec::IntoIter<Row>,
}

impl Rows {
    fn new(pages: mpsc::Receiver<Page>) -> Self {
        Self { pages, page: Vec::new().into_iter() }
    }

    /// The next row of the table; `None`: that was all.
    async fn next(&mut self, table: &'static str) -> Result<Option<Row>, CopyError> {
        loop {
            if let Some(row) = self.page.next() {
                return Ok(Some(row));
            }
            match next_page(&mut self.pages, table).await? {
                Some(rows) => self.page = rows.into_iter(),
                None => return Ok(None),
            }
        }
    }
}

/// The next rows of the table; `None`: that was all.
async fn next_page(
    pages: &mut mpsc::Receiver<Page>,
    table: &'static str,
) -> Result<Option<Vec<Row>>, CopyError> {
    match pages.recv().await {
        Some(Page::Rows(rows)) => Ok(Some(rows)),
        Some(Page::End) => Ok(None),
        Some(Page::Failed(reason)) => Err(CopyError::Unreadable { table, reason }),
        None => Err(StoreError::Closed.into()),
    }
}

/// The next ids of users and conversations that a session's database would give away.
async fn next_ids(session: &Session) -> Result<[i64; 2], StoreError> {
    let query = if session.is_sqlite() {
        "SELECT (SELECT next FROM ids WHERE name = 'user'),
             (SELECT next FROM ids WHERE name = 'conversation')"
    } else {
        "SELECT (SELECT CASE WHEN is_called THEN last_value + 1000 ELSE last_value END FROM user_ids),
             (SELECT CASE WHEN is_called THEN last_value + 1000 ELSE last_value END
              FROM conversation_ids)"
    };
    let rows = session.rows(query).await?;
    match rows.first().map(Vec::as_slice) {
        Some([Value::Integer(user), Value::Integer(conversation)]) => Ok([*user, *conversation]),
        _ => Err(StoreError::Damaged("it does not know its next ids".into())),
    }
}
