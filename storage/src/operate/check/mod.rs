//! `ringwire db check`: is everything in the database that should be, and nothing that should not?
//!
//! Everything is read in one snapshot and nothing is written or locked, so a database may be looked at while servers
//! work on it. The database does the comparing; only what is wrong comes over. What the snapshot costs: Postgres cannot
//! vacuum away, and SQLite cannot take from its log, what changed after it began.

mod finding;
mod probes;

use tokio::sync::mpsc;

pub use finding::{Finding, FindingKind};

use super::session::{PAGES, Page, Session};
use super::value::{Row, Value};
use crate::error::StoreError;
use crate::store::Database;

/// Whether a body can be read; the store itself cannot.
pub type BodyReader<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Told what the check does and finds, while it does.
pub trait Observer {
    /// This is looked at now.
    fn looks_at(&mut self, about: &str);
    /// Something is wrong. Called for each finding, in no particular order.
    fn finds(&mut self, finding: Finding);
}

/// Looks at everything; with `bodies`, at every body too.
///
/// An error means that it could not look. What is found is told to the observer; no news is good news.
pub async fn check(
    database: &Database,
    bodies: Option<BodyReader<'_>>,
    observer: &mut dyn Observer,
) -> Result<(), StoreError> {
    let session = match look_at_schema(database).await {
        Err(StoreError::FileDamaged(reason)) => {
            observer.finds(finding(FindingKind::FileDamaged, None, reason));
            return Ok(());
        }
        result => result?,
    };
    let probes = probes::probes(session.is_sqlite());
    let queries = probes.iter().map(|probe| probe.sql.clone());
    let queries = queries.chain(bodies.map(|_| probes::BODIES.to_owned())).collect();
    let (sender, mut pages) = mpsc::channel(PAGES);
    let watch = async {
        for probe in &probes {
            observer.looks_at(probe.about);
            each_row(&mut pages, observer, |row, observer| report(row, observer)).await?;
        }
        if let Some(readable) = bodies {
            observer.looks_at("bodies");
            each_row(&mut pages, observer, |row, observer| {
                body(row, readable, observer);
                Ok(())
            })
            .await?;
        }
        drop(pages);
        Ok(())
    };
    let (read, watched) = tokio::join!(session.read(queries, sender), watch);
    // Why the reader ended says more than that it did.
    read.and(watched)
}

/// A session that reads one snapshot of a database with the schema of this release.
async fn look_at_schema(database: &Database) -> Result<Session, StoreError> {
    let session = Session::reader(database).await?;
    session.begin_snapshot().await?;
    session.require_schema().await?;
    Ok(session)
}

/// Uses the rows of one query.
async fn each_row(
    pages: &mut mpsc::Receiver<Page>,
    observer: &mut dyn Observer,
    mut work: impl FnMut(&Row, &mut dyn Observer) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        match pages.recv().await {
            Some(Page::Rows(rows)) => {
                for row in &rows {
                    work(row, observer)?;
                }
            }
            Some(Page::End) => return Ok(()),
            Some(Page::Failed(reason)) => {
                observer.finds(finding(FindingKind::Unreadable, None, reason));
                return Ok(());
            }
            None => return Err(StoreError::Closed),
        }
    }
}

/// A probe's row: one finding for each kind it names.
fn report(row: &Row, observer: &mut dyn Observer) -> Result<(), StoreError> {
    let [Value::Text(kinds), conversation, user, detail] = row.as_slice() else {
        return Err(StoreError::Fatal(format!("a probe answered {} columns", row.len())));
    };
    for kind in kinds.split_ascii_whitespace() {
        let kind = FindingKind::named(kind)
            .ok_or_else(|| StoreError::Fatal(format!("a probe named {kind}")))?;
        observer.finds(Finding {
            kind,
            conversation_id: conversation.integer(),
            user_id: user.integer(),
            detail: detail.text().unwrap_or_default().to_owned(),
        });
    }
    Ok(())
}

fn body(row: &Row, readable: BodyReader<'_>, observer: &mut dyn Observer) {
    let seq = row.get(1).and_then(Value::integer).unwrap_or_default();
    let sealed = row.get(3).and_then(Value::integer) != Some(0);
    let body = row.get(2).and_then(Value::bytes).unwrap_or_default();
    if !sealed && !readable(body) {
        let conversation = row.first().and_then(Value::integer);
        observer.finds(finding(FindingKind::BodyUnreadable, conversation, format!("entry {seq}")));
    }
}

const fn finding(kind: FindingKind, conversation_id: Option<i64>, detail: String) -> Finding {
    Finding { kind, conversation_id, user_id: None, detail }
}
