//! What an error of Postgres means for us.
//!
//! | class | SQLSTATE | a writer | a request |
//! |---|---|---|---|
//! | collision | 23505, a missing base | looks who was first | refused |
//! | retry | 40001, 40P01: rolled back for the sake of others | again, with back-off | temporary |
//! | retry | 55P03: somebody holds a lock for long | looks whose row it is, goes on without | temporary |
//! | row | 21, 22, 23, 44, 54, P0001: this row, and always | isolates and rejects it | refused |
//! | away | 08, 25, 53, 57, 58, lost connections: the server, now | waits, new connection | temporary |
//! | setup | 28, 3D, 3F, 42, 0A, 26: the configuration or the schema | waits, new connection | ends the start |
//! | unknown | everything else | waits, new connection | refused |
//!
//! A writer takes only what is surely about a row for a row: an entry wrongly held back waits and says so in the log, an
//! entry wrongly rejected is lost to its sender. So 42804 (wrong type) is no row: types are those of our statements,
//! and a schema that does not fit them fails every row alike. A statement that ran into its time limit (57014) is
//! "away" too: it was rolled back, and what made it slow is mostly a lock or a disk, not the entry.
//!
//! Texts never hold `DETAIL`, where Postgres quotes whole rows.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::refusal::unpack;
use crate::error::StoreError;
use crate::executor::AppendError;

/// See the module's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Collision,
    Retry,
    Row,
    Away,
    Setup,
    Unknown,
}

/// Beginnings of SQLSTATEs, with what mends them. The longest that fits counts.
const TABLE: &[(&str, Class, &str)] = &[
    ("08", Class::Away, "the connection broke; a new one is made"),
    ("0A", Class::Setup, "the schema changed meanwhile, or it does not fit this release"),
    ("21", Class::Row, ""),
    ("22", Class::Row, ""),
    ("23", Class::Row, ""),
    ("23505", Class::Collision, ""),
    ("25", Class::Away, "the transaction was ended; it is repeated"),
    (
        READ_ONLY,
        Class::Away,
        "the server is read-only: promote it, reset default_transaction_read_only, or name the primary among the hosts",
    ),
    ("26", Class::Setup, "a pooler in front of the database has to work in session mode"),
    (
        "28",
        Class::Setup,
        "pg_hba.conf has to let this user in from this machine, with this sslmode",
    ),
    (
        "28P01",
        Class::Setup,
        "correct the password in the database address, or set it with ALTER ROLE",
    ),
    (
        "3D000",
        Class::Setup,
        "make it with CREATE DATABASE, or correct the database's name in the address",
    ),
    ("3F", Class::Setup, "make the schema that search_path names, or correct search_path"),
    ("40001", Class::Retry, "others changed the same rows; it is repeated"),
    ("40P01", Class::Retry, "others held the same locks; it is repeated"),
    (
        "42",
        Class::Setup,
        "the schema does not fit this release: was it changed by hand, or restored in part?",
    ),
    (
        "42501",
        Class::Setup,
        "the user needs CREATE on the schema and all rights on its tables: see GRANT",
    ),
    (
        "42P01",
        Class::Setup,
        "a table is missing: was the database restored in part, or search_path changed?",
    ),
    ("42P05", Class::Setup, "a pooler in front of the database has to work in session mode"),
    ("44", Class::Row, ""),
    ("53", Class::Away, "the server is short of something: see its log"),
    ("53100", Class::Away, "the server's disk is full: make room, it goes on by itself"),
    ("53200", Class::Away, "the server is out of memory: see its log and work_mem"),
    (
        "53300",
        Class::Away,
        "the server has no connection left: raise max_connections, or lower storage.writers",
    ),
    ("54", Class::Row, ""),
    ("55P03", Class::Retry, "another session holds the lock for long: look for it in pg_locks"),
    ("57", Class::Away, "an operator stops or restarts the server; it goes on by itself"),
    (
        "57014",
        Class::Away,
        "the statement ran into its time limit: look for a lock in pg_locks, or for a slow disk",
    ),
    ("58", Class::Away, "the server's operating system failed it: see the server's log"),
    ("P0001", Class::Row, ""),
    ("XX", Class::Unknown, "the server found damage or a fault of its own: see its log"),
];

/// `read_only_sql_transaction`: a standby, or a server set read-only.
const READ_ONLY: &str = "25006";

/// When a server was last too read-only for us, in this process.
static READ_ONLY_AT: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether a server turned out to be read-only since then: connections that were looked at before have to be looked at
/// again, because a failover may have left them with a server that is no primary any more.
pub(super) fn read_only_refused_since(then: Instant) -> bool {
    READ_ONLY_AT.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at >= then)
}

/// The class of a SQLSTATE and how to mend it, if that can be said.
pub(super) fn classify(code: &str) -> (Class, &'static str) {
    TABLE
        .iter()
        .filter(|(beginning, ..)| code.starts_with(beginning))
        .max_by_key(|(beginning, ..)| beginning.len())
        .map_or((Class::Unknown, ""), |&(_, class, advice)| (class, advice))
}

/// The class and the text of an error. Without an answer of the server the connection is lost.
pub(super) fn judge(error: &Error) -> (Class, String) {
    if let Some(answer) = unpack(error) {
        return (Class::Away, answer.to_string());
    }
    let Some(db) = error.as_db_error() else { return (Class::Away, explain(error)) };
    let code = db.code().code();
    if code == READ_ONLY {
        *READ_ONLY_AT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
    let (class, advice) = classify(code);
    let mut text = format!("{} (SQLSTATE {code})", db.message());
    if !advice.is_empty() {
        text.push_str("; ");
        text.push_str(advice);
    }
    (class, text)
}

/// An error that is no answer of the server, with its causes on one line; the outer message alone tells nothing.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<Error> for AppendError {
    fn from(error: Error) -> Self {
        // How the insert says that a base is missing.
        let base_missing = error.as_db_error().is_some_and(|db| {
            *db.code() == SqlState::NOT_NULL_VIOLATION && db.column() == Some("seq")
        });
        match judge(&error) {
            _ if base_missing => Self::Collision,
            (Class::Collision, _) => Self::Collision,
            (Class::Retry, text) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                Self::Locked(text)
            }
            (Class::Retry, text) => Self::Retry(text),
            (Class::Row, text) => Self::Refused(text),
            (Class::Away | Class::Setup | Class::Unknown, text) => Self::Away(text),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
            return Self::NoSuchUser;
        }
        if let Some(answer) = unpack(&error) {
            return answer.into();
        }
        match judge(&error) {
            (Class::Away | Class::Retry, text) => Self::Unavailable(text),
            (Class::Setup, text) => Self::Misconfigured(text),
            (Class::Collision | Class::Row | Class::Unknown, text) => Self::Fatal(text),
        }
    }
}

/// The constraint that a unique violation names.
pub(super) fn violated(error: &Error) -> Option<&str> {
    let db = error.as_db_error()?;
    if *db.code() == SqlState::UNIQUE_VIOLATION { db.constraint() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_class() {
        for (class, states) in [
            (Class::Collision, &["23505"][..]),
            (Class::Retry, &["40001", "40P01", "55P03"]),
            (
                Class::Row,
                &[
                    "21000", "22001", "22021", "22P05", "23502", "23503", "23514", "44000",
                    "54000", "P0001",
                ],
            ),
            (
                Class::Away,
                &[
                    "08000", "08003", "08006", "25006", "25P02", "25P03", "53000", "53100",
                    "53200", "53300", "57014", "57P01", "57P02", "57P03", "57P04", "58000",
                    "58030", "58P01",
                ],
            ),
            (
                Class::Setup,
                &[
                    "0A000", "26000", "28000", "28P01", "3D000", "3F000", "42501", "42703",
                    "42804", "42P01", "42P05",
                ],
            ),
            (Class::Unknown, &["XX000", "XX001", "40002", "55000", "P0002", "00000", ""]),
        ] {
            for state in states {
                assert_eq!(classify(state).0, class, "{state}");
            }
        }
    }

    #[test]
    fn whatever_somebody_can_mend_says_how() {
        for (beginning, class, advice) in TABLE {
            let waits = matches!(class, Class::Retry | Class::Away | Class::Setup | Class::Unknown);
            assert_eq!(waits, !advice.is_empty(), "{beginning}");
        }
    }

    #[test]
    fn the_longest_beginning_counts() {
        assert!(classify("53100").1.contains("disk"));
        assert!(classify("53999").1.contains("short of"));
        assert!(classify("28P01").1.contains("password"));
    }
}
