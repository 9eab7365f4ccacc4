//! What a writer asks of its database: a connection, and a few calls, each its own transaction. Everything that is policy (what to do
//! about a collision, a refusal, an absent database) lies in `commit` and is the same for both.

use std::time::Instant;

use ringwire_protocol::{ConversationId, UnixMs};

use crate::append::Append;
use crate::encryption::SealError;
use crate::postgres::append::PostgresAppender;
use crate::renumber::Place;
use crate::sqlite::append::SqliteAppender;

/// Why a transaction did not (or not certainly) commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// A position is taken, a `client_msg_id` was used before, or a base is missing: rolled back. `probe` tells which.
    Collision,
    /// The database refuses some row, and will again: rolled back.
    Refused(String),
    /// Deadlock or serialization failure: rolled back, worth repeating at once.
    Retry(String),
    /// Somebody else holds what this needs, for longer than is waited: rolled back. `held` tells what, if it is a row.
    Locked(String),
    /// The database is away or cannot write. Whether the transaction committed is unknown.
    Away(String),
}

impl From<SealError> for AppendError {
    /// Like an absent database: waiting may help, and nothing is stored unsealed.
    fn from(error: SealError) -> Self {
        Self::Away(error.to_string())
    }
}

/// The entry that already carries a (conversation, sender, `client_msg_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) seq: u64,
    pub(crate) msg_no: u64,
    pub(crate) created_at: UnixMs,
    pub(crate) command_hash: i64,
}

/// What the log says about one entry that collided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The entry of the same sender and `client_msg_id`.
    pub(crate) twin: Option<Twin>,
    /// The position holds an entry.
    pub(crate) taken: bool,
    /// The entry asks for its base, which is not there.
    pub(crate) base_missing: bool,
}

/// A writer's database.
pub(crate) enum Executor {
    Sqlite(Box<SqliteAppender>),
    Postgres(Box<PostgresAppender>),
    #[cfg(test)]
    Scripted(crate::commit::tests::Scripted),
}

impl Executor {
    /// Connects where that is needed, and tells since when the connection has been there. What was known of the log
    /// before then may be wrong: it may be another server now. Appending never connects by itself.
    pub(crate) fn connect(&mut self) -> Result<Instant, AppendError> {
        match self {
            Self::Sqlite(appender) => Ok(appender.opened_at()),
            Self::Postgres(appender) => appender.connect(),
            #[cfg(test)]
            Self::Scripted(script) => Ok(script.connect()),
        }
    }

    /// Appends entries, sorted by conversation and in log order within, with their changes: all or none.
    pub(crate) fn append(&mut self, entries: &[Append]) -> Result<(), AppendError> {
        match self {
            Self::Sqlite(appender) => appender.append(entries),
            Self::Postgres(appender) => appender.append(entries),
            #[cfg(test)]
            Self::Scripted(script) => script.append(entries),
        }
    }

    /// Appends messages, sorted by conversation and in log order within, behind whatever messages the log holds, one
    /// transaction for all that have a place there. Tells the place of each conversation's entries.
    pub(crate) fn append_behind(
        &mut self,
        entries: &[Append],
    ) -> Result<Vec<Option<Place>>, AppendError> {
        match self {
            Self::Sqlite(appender) => appender.append_behind(entries),
            Self::Postgres(appender) => appender.append_behind(entries),
            #[cfg(test)]
            Self::Scripted(script) => script.append_behind(entries),
        }
    }

    /// What the log says about each of these, in a statement of its own.
    pub(crate) fn probe(&mut self, entries: &[Append]) -> Result<Vec<Found>, AppendError> {
        match self {
            Self::Sqlite(appender) => appender.probe(entries),
            Self::Postgres(appender) => appender.probe(entries),
            #[cfg(test)]
            Self::Scripted(script) => Ok(script.probe(entries)),
        }
    }

    /// Which of these conversations have a row that somebody else holds now, sorted; both lists are. One that is gone
    /// counts as held: its owner has to know either way. Only Postgres has such locks.
    pub(crate) fn held(
        &mut self,
        conversations: &[ConversationId],
    ) -> Result<Vec<ConversationId>, AppendError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(appender) => appender.held(conversations),
            #[cfg(test)]
            Self::Scripted(script) => Ok(script.held(conversations)),
        }
    }

    /// Raises `last_activity_at` of these conversations, sorted by id. Losing it does no harm.
    pub(crate) fn save_activity(
        &mut self,
        activity: &[(ConversationId, UnixMs)],
    ) -> Result<(), AppendError> {
        match self {
            Self::Sqlite(appender) => appender.save_activity(activity),
            Self::Postgres(appender) => appender.save_activity(activity),
            #[cfg(test)]
            Self::Scripted(_) => Ok(()),
        }
    }

    /// Runs a few other writes that wait for this thread; whether there were any. Only SQLite has such jobs.
    pub(crate) fn run_jobs(&mut self) -> bool {
        match self {
            Self::Sqlite(appender) => appender.run_jobs(),
            Self::Postgres(_) => false,
            #[cfg(test)]
            Self::Scripted(_) => false,
        }
    }

    /// Whether other writes wait for this thread.
    pub(crate) fn has_jobs(&self) -> bool {
        match self {
            Self::Sqlite(appender) => appender.has_jobs(),
            Self::Postgres(_) => false,
            #[cfg(test)]
            Self::Scripted(_) => false,
        }
    }
}
