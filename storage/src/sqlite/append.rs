//! The append path on SQLite: one `BEGIN IMMEDIATE` transaction a batch, a prepared statement a row.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use ringwire_protocol::{ConversationId, UnixMs, UserId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, ffi};

use super::changes::Applier;
use super::is_away;
use super::jobs::Jobs;
use super::rows::{number, position};
use super::wal::Wal;
use crate::append::Append;
use crate::changes::NetChanges;
use crate::encryption::{BodyKeys, Stored, seal_entries};
use crate::executor::{AppendError, Found, Twin};
use crate::outbox::Outbox;
use crate::search::SearchText;

/// The writing connection, used by the writer thread alone.
pub(crate) struct SqliteAppender {
    pub(super) connection: Connection,
    opened_at: Instant,
    jobs: Arc<Jobs>,
    pub(super) keys: Arc<BodyKeys>,
    pub(super) text: Option<SearchText>,
    pub(super) outbox: Arc<Outbox>,
    wal: Wal,
    _folder: Arc<File>,
}

impl fmt::Debug for SqliteAppender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteAppender").finish_non_exhaustive()
    }
}

impl SqliteAppender {
    pub(super) fn new(
        connection: Connection,
        jobs: Arc<Jobs>,
        keys: Arc<BodyKeys>,
        text: Option<SearchText>,
        outbox: Arc<Outbox>,
        folder: Arc<File>,
        wal: Wal,
    ) -> Self {
        let opened_at = Instant::now();
        Self { connection, opened_at, jobs, keys, text, outbox, wal, _folder: folder }
    }

    pub(crate) fn opened_at(&self) -> Instant {
        self.opened_at
    }

    pub(crate) fn append(&mut self, entries: &[Append]) -> Result<(), AppendError> {
        let bodies = seal_entries(&self.keys, entries)?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert_entries(&tx, entries, &bodies)?;
        let applier = Applier { keys: &self.keys, text: self.text };
        applier.apply(&tx, &NetChanges::of(entries, &self.outbox))?;
        Ok(tx.commit()?)
    }

    pub(crate) fn probe(&mut self, entries: &[Append]) -> Result<Vec<Found>, AppendError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let mut twins = tx.prepare_cached(
            "SELECT seq, msg_no, created_at, command_hash FROM entries
             WHERE conversation_id = ?1 AND sender_id = ?2 AND client_msg_id = ?3",
        )?;
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            let conversation = entry.conversation_id;
            let twin = twins
                .query_row((conversation.as_i64(), sender(entry), &*entry.client_msg_id), |row| {
                    Ok(Twin {
                        seq: number(row, 0)?,
                        msg_no: number(row, 1)?,
                        created_at: row.get(2)?,
                        command_hash: row.get(3)?,
                    })
                })
                .optional()?;
            found.push(Found {
                twin,
                taken: exists(&tx, conversation, entry.seq)?,
                base_missing: entry.check_base && !exists(&tx, conversation, entry.seq - 1)?,
            });
        }
        Ok(found)
    }

    pub(crate) fn save_activity(
        &mut self,
        activity: &[(ConversationId, UnixMs)],
    ) -> Result<(), AppendError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut update = tx.prepare_cached(
                "UPDATE conversations SET last_activity_at = ?2 WHERE id = ?1 AND last_activity_at < ?2",
            )?;
            for (conversation, at) in activity {
                update.execute((conversation.as_i64(), at))?;
            }
        }
        Ok(tx.commit()?)
    }

    /// What there is to do between two batches.
    pub(crate) fn run_jobs(&mut self) -> bool {
        if let Err(error) = self.wal.keep_short(&self.connection) {
            tracing::warn!(%error, "the log of the database cannot be shortened now");
        }
        self.jobs.run_some(&mut self.connection)
    }

    pub(crate) fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }
}

impl Drop for SqliteAppender {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

pub(super) fn insert_entries(
    tx: &Transaction<'_>,
    entries: &[Append],
    bodies: &[Stored],
) -> Result<(), AppendError> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
             command_hash, body, key_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (entry, stored) in entries.iter().zip(bodies) {
        if entry.check_base && !exists(tx, entry.conversation_id, entry.seq - 1)? {
            return Err(AppendError::Collision);
        }
        insert.execute((
            entry.conversation_id.as_i64(),
            position(entry.seq),
            position(entry.msg_no),
            sender(entry),
            entry.created_at,
            &*entry.client_msg_id,
            entry.command_hash,
            &*stored.body,
            stored.key_id,
        ))?;
    }
    Ok(())
}

fn exists(tx: &Transaction<'_>, conversation: ConversationId, seq: u64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM entries WHERE conversation_id = ?1 AND seq = ?2")?
        .exists((conversation.as_i64(), position(seq)))
}

/// The server's own entries have sender 0.
fn sender(entry: &Append) -> i64 {
    entry.sender_id.map_or(0, UserId::as_i64)
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = &error else {
            return Self::Refused(error.to_string());
        };
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE => Self::Collision,
            _ if is_away(failure.code) => Self::Away(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}
