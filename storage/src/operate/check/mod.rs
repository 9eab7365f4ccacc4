//! `ringwire db check`: is everything in the database that should be, and nothing that should not?
//!
//! Everything is read in one snapshot and nothing is written or locked, so a database may be looked at while servers
//! work on it. The database does the comparing; only what is wrong comes over. What the snapshot costs: Postgres cannot
//! vacuum away, and SQLite cannot take from its log, what changed after it began.

mod finding;
mod probes;
mod schema;

use std::collections::BTreeSet;

use ringwire_protocol::{ConversationId, UserId};
use tokio::sync::mpsc;

pub use finding::{Finding, FindingKind};

use super::session::{PAGES, Page, Session};
use super::value::{Row, Value};
use crate::encryption::{BodyKeys, Fault, Place};
use crate::error::StoreError;
use crate::store::Database;

/// Tells whether a body can be read; the store itself cannot.
pub type Readable<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Told what the check does and finds, while it does.
pub trait Observer {
    /// This is looked at now.
    fn looks_at(&mut self, about: &str);
    /// Something is wrong. Called for each finding, in no particular order.
    fn finds(&mut self, finding: Finding);
}

/// Looks at everything, also whether a server would start with these keys; with `readable`, at every body too.
///
/// An error means that it could not look. What is found is told to the observer; no news is good news.
pub async fn check(
    database: &Database,
    keys: &BodyKeys,
    readable: Option<Readable<'_>>,
    observer: &mut dyn Observer,
) -> Result<(), StoreError> {
    let session = match look_at_schema(database).await {
        Err(StoreError::FileDamaged(reason)) => {
            observer.finds(finding(FindingKind::FileDamaged, None, reason));
            return Ok(());
        }
        result => result?,
    };
    observer.looks_at("schema");
    for finding in schema::compare(&session).await? {
        observer.finds(finding);
    }
    observer.looks_at("keys");
    let mut missing = keys_entered(&session, keys, observer).await?;
    let probes = probes::probes(session.is_sqlite());
    let queries = probes.iter().map(|probe| probe.sql.clone());
    let queries = queries.chain(readable.map(|_| probes::BODIES.to_owned())).collect();
    let (sender, mut pages) = mpsc::channel(PAGES);
    let watch = async {
        for probe in &probes {
            observer.looks_at(probe.about);
            each_row(&mut pages, observer, |row, observer| report(row, observer)).await?;
        }
        if let Some(readable) = readable {
            observer.looks_at("bodies");
            each_row(&mut pages, observer, |row, observer| {
                body(row, keys, readable, &mut missing, observer)
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

/// Looks at the keys that a server asks for when it starts; the ids of those that are missing.
async fn keys_entered(
    session: &Session,
    keys: &BodyKeys,
    observer: &mut dyn Observer,
) -> Result<BTreeSet<i32>, StoreError> {
    let mut missing = BTreeSet::new();
    let rows = match session.rows("SELECT key_id, proof FROM body_keys ORDER BY key_id").await {
        Err(StoreError::Fatal(reason)) => {
            observer.finds(finding(FindingKind::Unreadable, None, reason));
            return Ok(missing);
        }
        rows => rows?,
    };
    for row in &rows {
        let [Value::Integer(id), Value::Bytes(proof)] = row.as_slice() else {
            return Err(StoreError::Fatal("a key's row is of another shape".into()));
        };
        let Ok(id) = i32::try_from(*id) else { continue };
        match keys.check(id, proof) {
            Ok(()) => {}
            Err(StoreError::KeyMissing(_)) => {
                missing.insert(id);
                observer.finds(finding(FindingKind::KeyMissing, None, format!("key {id}")));
            }
            Err(_) => observer.finds(finding(FindingKind::KeyChanged, None, format!("key {id}"))),
        }
    }
    Ok(missing)
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

/// One of [`probes::BODIES`]. A key that is missing is told once.
fn body(
    row: &Row,
    keys: &BodyKeys,
    readable: Readable<'_>,
    missing: &mut BTreeSet<i32>,
    observer: &mut dyn Observer,
) -> Result<(), StoreError> {
    let [
        Value::Integer(conversation),
        Value::Integer(seq),
        Value::Integer(sender),
        Value::Integer(version),
        Value::Integer(key),
        Value::Bytes(stored),
    ] = row.as_slice()
    else {
        return Err(StoreError::Fatal("a body's row is of another shape".into()));
    };
    let mut tell = |kind, detail| observer.finds(finding(kind, Some(*conversation), detail));
    let number = |value: &i64| u64::try_from(*value).ok();
    // Numbers that cannot be are findings of their own.
    let place = || {
        Some(Place {
            conversation_id: ConversationId::new(number(conversation)?)?,
            seq: number(seq)?,
            sender_id: UserId::new(number(sender)?),
            body_version: u32::try_from(*version).ok()?,
        })
    };
    let (Some(place), Ok(key)) = (place(), i32::try_from(*key)) else { return Ok(()) };
    match keys.open(&place, key, stored) {
        Ok(body) if readable(&body) => {}
        Ok(_) => tell(FindingKind::BodyUnreadable, format!("entry {seq}")),
        Err(Fault::UnknownKey(id)) => {
            if missing.insert(id) {
                tell(FindingKind::KeyMissing, format!("key {id}, first needed by entry {seq}"));
            }
        }
        Err(fault) => tell(FindingKind::BodySealedWrong, format!("entry {seq}: {fault}")),
    }
    Ok(())
}

const fn finding(kind: FindingKind, conversation_id: Option<i64>, detail: String) -> Finding {
    Finding { kind, conversation_id, user_id: None, detail }
}
