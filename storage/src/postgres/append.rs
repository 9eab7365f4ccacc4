//! The append path on Postgres: one statement for a whole batch, its arguments as arrays, or a COPY for a large one.
//!
//! A batch of messages is a single statement, which is its own transaction: one round trip. With changes it is `BEGIN`, the
//! insert, the changes (see `changes`), `COMMIT`, sent together without waiting in between, unless there are edits: if
//! one fails, the server ignores the rest and makes the commit a rollback.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{LocalBoxFuture, join, join_all};
use ringwire_protocol::{ConversationId, UnixMs, UserId};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Client, Statement};

use super::behind::{LOCK, tails};
use super::changes::{Applier, Changer};
use super::connect::{Address, CALL_TIMEOUT, writer_session};
use super::copy::{Bases, COPY_FROM, Copier};
use super::rows::position;
use crate::append::Append;
use crate::changes::NetChanges;
use crate::encryption::{BodyKeys, Stored, seal_entries};
use crate::error::StoreError;
use crate::executor::{AppendError, Found, Twin};
use crate::outbox::Outbox;
use crate::search::SearchText;

/// A missing base makes `seq` null, which fails the whole statement. (A scalar subquery, because Postgres may turn
/// `EXISTS` into a hash of the whole table.)
const INSERT: &str = "INSERT INTO entries
        (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body, key_id)
    SELECT u.conversation_id,
        CASE WHEN u.check_base AND (SELECT b.seq FROM entries b
                 WHERE b.conversation_id = u.conversation_id AND b.seq = u.seq - 1) IS NULL
             THEN NULL ELSE u.seq END,
        u.msg_no, u.sender_id, u.created_at, u.client_msg_id, u.command_hash, u.body, u.key_id
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::text[], $7::int8[],
            $8::bytea[], $9::int4[], $10::bool[])
        AS u (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body,
            key_id, check_base)
    ORDER BY u.conversation_id, u.seq";

const PROBE: &str = "SELECT t.seq, t.msg_no, t.created_at, t.command_hash, p.seq IS NOT NULL,
        u.check_base AND b.seq IS NULL
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::bool[]) WITH ORDINALITY
        AS u (conversation_id, seq, sender_id, client_msg_id, check_base, n)
    LEFT JOIN entries t ON t.conversation_id = u.conversation_id AND t.sender_id = u.sender_id
        AND t.client_msg_id = u.client_msg_id
    LEFT JOIN entries p ON p.conversation_id = u.conversation_id AND p.seq = u.seq
    LEFT JOIN entries b ON b.conversation_id = u.conversation_id AND b.seq = u.seq - 1
    ORDER BY u.n";

/// Waits for no row: how many were left out because somebody else holds them.
const ACTIVITY: &str = "WITH later AS MATERIALIZED (
        SELECT c.id, u.at FROM conversations c
        JOIN UNNEST($1::int8[], $2::int8[]) AS u (id, at) ON u.id = c.id
        WHERE c.last_activity_at < u.at
    ), free AS MATERIALIZED (
        SELECT c.id, later.at FROM later JOIN conversations c ON c.id = later.id
        FOR NO KEY UPDATE OF c SKIP LOCKED
    ), saved AS (
        UPDATE conversations c SET last_activity_at = GREATEST(c.last_activity_at, free.at)
        FROM free WHERE c.id = free.id
    )
    SELECT (SELECT count(*) FROM later) - (SELECT count(*) FROM free)";

/// A writer's connection, made when asked for and again after it broke.
pub(crate) struct PostgresAppender {
    runtime: Runtime,
    address: Address,
    pub(super) keys: Arc<BodyKeys>,
    pub(super) text: Option<SearchText>,
    pub(super) outbox: Arc<Outbox>,
    session: Option<Session>,
}

impl fmt::Debug for PostgresAppender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAppender").finish_non_exhaustive()
    }
}

impl PostgresAppender {
    pub(super) fn new(
        address: Address,
        keys: Arc<BodyKeys>,
        text: Option<SearchText>,
        outbox: Arc<Outbox>,
    ) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            StoreError::Fatal(format!("cannot start a writer's runtime: {error}"))
        })?;
        Ok(Self { runtime, address, keys, text, outbox, session: None })
    }

    /// Makes the connection unless it is there; since when it has been.
    pub(crate) fn connect(&mut self) -> Result<Instant, AppendError> {
        if let Some(session) = &self.session
            && !session.client.is_closed()
        {
            return Ok(session.opened_at);
        }
        let Self { runtime, address, session, .. } = self;
        *session = None;
        let opened =
            runtime.block_on(async { timeout(CALL_TIMEOUT, Session::open(address)).await });
        Ok(session.insert(opened.unwrap_or_else(|_| Err(no_answer()))?).opened_at)
    }

    pub(crate) fn append(&mut self, entries: &[Append]) -> Result<(), AppendError> {
        let changes = NetChanges::of(entries, &self.outbox);
        let bodies = seal_entries(&self.keys, entries)?;
        let keys = Arc::clone(&self.keys);
        let kit = Kit { keys: &keys, text: self.text };
        self.call(async |session| session.append(entries, &bodies, &changes, kit).await)
    }

    pub(crate) fn probe(&mut self, entries: &[Append]) -> Result<Vec<Found>, AppendError> {
        self.call(async |session| session.probe(entries).await)
    }

    pub(crate) fn save_activity(
        &mut self,
        activity: &[(ConversationId, UnixMs)],
    ) -> Result<(), AppendError> {
        let ids: Vec<i64> = activity.iter().map(|(id, _)| id.as_i64()).collect();
        let times: Vec<UnixMs> = activity.iter().map(|&(_, at)| at).collect();
        self.connect()?;
        self.call(async |session| {
            let row = session.client.query_one(&session.activity, &[&ids, &times]).await?;
            match row.try_get::<_, i64>(0)? {
                0 => Ok(()),
                held => Err(AppendError::Locked(format!("{held} rows are held elsewhere"))),
            }
        })
    }

    /// Runs one call in the session, within the time limit; what went wrong with the connection ends the session.
    pub(super) fn call<T>(
        &mut self,
        work: impl AsyncFnOnce(&Session) -> Result<T, AppendError>,
    ) -> Result<T, AppendError> {
        let Some(session) = &self.session else {
            return Err(AppendError::Away("not connected".into()));
        };
        let result = self.runtime.block_on(async {
            let limited = timeout(CALL_TIMEOUT, work(session));
            limited.await.unwrap_or_else(|_| Err(no_answer()))
        });
        if matches!(result, Err(AppendError::Away(_))) {
            // The first attempt may still run on the server. The next one meets its locks and its rows, so both cannot
            // take effect.
            self.session = None;
        }
        result
    }
}

fn no_answer() -> AppendError {
    AppendError::Away(format!("no answer within {CALL_TIMEOUT:?}"))
}

impl Drop for PostgresAppender {
    /// Says good-bye to the server; a pending driver task would otherwise just be dropped.
    fn drop(&mut self) {
        if self.session.take().is_some() {
            // The timer belongs to the runtime, so it is made inside.
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
    }
}

/// A connection with its prepared statements.
pub(super) struct Session {
    pub(super) client: Client,
    /// Taken when all was ready, so that nothing learned before counts as learned since.
    opened_at: Instant,
    insert: Statement,
    copier: Copier,
    probe: Statement,
    changer: Changer,
    activity: Statement,
    pub(super) lock: Statement,
    pub(super) tails: Statement,
}

impl Session {
    async fn open(address: &Address) -> Result<Self, AppendError> {
        let client = writer_session(address).await?;
        Ok(Self {
            insert: client.prepare(INSERT).await?,
            copier: Copier::prepare(&client).await?,
            probe: client.prepare(PROBE).await?,
            changer: Changer::prepare(&client).await?,
            activity: client.prepare(ACTIVITY).await?,
            lock: client.prepare(LOCK).await?,
            tails: client.prepare(&tails()).await?,
            opened_at: Instant::now(),
            client,
        })
    }

    async fn append(
        &self,
        entries: &[Append],
        bodies: &[Stored],
        changes: &NetChanges,
        kit: Kit<'_>,
    ) -> Result<(), AppendError> {
        if entries.len() >= COPY_FROM {
            return self.append_many(entries, bodies, changes, kit).await;
        }
        if changes.is_empty() {
            return Ok(self.insert(entries, bodies).await?);
        }
        // Polled, and so sent, in this order. The changes need the rows of their conversations; to lock these only behind
        // the insert would be the opposite order to that of `behind`.
        let first: Vec<Step<'_>> = vec![
            Box::pin(self.client.batch_execute("BEGIN")),
            Box::pin(self.lock_changed(entries)),
            Box::pin(self.insert(entries, bodies)),
        ];
        let rest = self.applier(kit).apply_and_commit(changes);
        let (first, rest) = join(in_one_go(first), rest).await;
        // The first error is the cause; those after it only say that the transaction is over.
        self.or_roll_back(first.map_err(AppendError::from).and(rest)).await
    }

    async fn append_many(
        &self,
        entries: &[Append],
        bodies: &[Stored],
        changes: &NetChanges,
        kit: Kit<'_>,
    ) -> Result<(), AppendError> {
        let copied = async {
            let mut first: Step<'_> = Box::pin(self.client.batch_execute("BEGIN"));
            if changes.needs_rows() {
                // As in a small set. Waited for, because a COPY in a transaction that has failed ends the connection.
                in_one_go(vec![first, Box::pin(self.lock_changed(entries))]).await?;
                first = Box::pin(async { Ok(()) });
            }
            let last = self.applier(kit).apply_and_commit(changes);
            match self.copier.copy(&self.client, entries, bodies, first, last).await? {
                Bases::Present => Ok(()),
                Bases::Missing => Err(AppendError::Collision),
            }
        };
        let copied = copied.await;
        self.or_roll_back(copied).await
    }

    /// Ends a transaction that failed. If that fails the connection is gone, and the transaction with it.
    async fn or_roll_back(&self, result: Result<(), AppendError>) -> Result<(), AppendError> {
        if !matches!(result, Ok(()) | Err(AppendError::Away(_))) {
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        result
    }

    /// What applies changes in a transaction of this session.
    pub(super) fn applier<'a>(&'a self, kit: Kit<'a>) -> Applier<'a> {
        Applier { client: &self.client, changer: &self.changer, keys: kit.keys, text: kit.text }
    }

    async fn lock_changed(&self, entries: &[Append]) -> Result<(), tokio_postgres::Error> {
        let changed = entries.iter().filter(|entry| entry.change.needs_row());
        let mut ids: Vec<i64> = changed.map(|entry| entry.conversation_id.as_i64()).collect();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        self.client.execute(&self.lock, &[&ids]).await?;
        Ok(())
    }

    pub(super) async fn insert(
        &self,
        entries: &[Append],
        stored: &[Stored],
    ) -> Result<(), tokio_postgres::Error> {
        let columns = Columns::of(entries);
        let msg_nos: Vec<i64> = entries.iter().map(|e| position(e.msg_no)).collect();
        let times: Vec<UnixMs> = entries.iter().map(|e| e.created_at).collect();
        let hashes: Vec<i64> = entries.iter().map(|e| e.command_hash).collect();
        let bodies: Vec<&[u8]> = stored.iter().map(|s| &*s.body).collect();
        let key_ids: Vec<i32> = stored.iter().map(|s| s.key_id).collect();
        self.client
            .execute(
                &self.insert,
                &[
                    &columns.conversations,
                    &columns.seqs,
                    &msg_nos,
                    &columns.senders,
                    &times,
                    &columns.client_msg_ids,
                    &hashes,
                    &bodies,
                    &key_ids,
                    &columns.check_bases,
                ],
            )
            .await?;
        Ok(())
    }

    async fn probe(&self, entries: &[Append]) -> Result<Vec<Found>, AppendError> {
        let columns = Columns::of(entries);
        let rows = self
            .client
            .query(
                &self.probe,
                &[
                    &columns.conversations,
                    &columns.seqs,
                    &columns.senders,
                    &columns.client_msg_ids,
                    &columns.check_bases,
                ],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let twin = match row.try_get::<_, Option<i64>>(0)? {
                    None => None,
                    Some(seq) => Some(Twin {
                        seq: seq as u64,
                        msg_no: row.try_get::<_, i64>(1)? as u64,
                        created_at: row.try_get(2)?,
                        command_hash: row.try_get(3)?,
                    }),
                };
                Ok(Found { twin, taken: row.try_get(4)?, base_missing: row.try_get(5)? })
            })
            .collect()
    }
}

/// What writing bodies takes.
#[derive(Clone, Copy)]
pub(super) struct Kit<'a> {
    pub(super) keys: &'a BodyKeys,
    /// What of a body is searched; `None`: search is off.
    pub(super) text: Option<SearchText>,
}

/// A statement of a transaction, not yet sent.
pub(super) type Step<'a> = LocalBoxFuture<'a, Result<(), tokio_postgres::Error>>;

/// Sends all without waiting in between: steps are polled, and so sent, in their order.
pub(super) async fn in_one_go(steps: Vec<Step<'_>>) -> Result<(), tokio_postgres::Error> {
    // The first error is the cause; those after it only say that the transaction is over.
    for result in join_all(steps).await {
        result?;
    }
    Ok(())
}

/// The columns that insert, copy and probe have in common.
pub(super) struct Columns<'a> {
    pub(super) conversations: Vec<i64>,
    pub(super) seqs: Vec<i64>,
    pub(super) senders: Vec<i64>,
    pub(super) client_msg_ids: Vec<&'a str>,
    check_bases: Vec<bool>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(entries: &'a [Append]) -> Self {
        Self {
            conversations: entries.iter().map(|e| e.conversation_id.as_i64()).collect(),
            seqs: entries.iter().map(|e| position(e.seq)).collect(),
            // The server's own entries have sender 0.
            senders: entries.iter().map(|e| e.sender_id.map_or(0, UserId::as_i64)).collect(),
            client_msg_ids: entries.iter().map(|e| &*e.client_msg_id).collect(),
            check_bases: entries.iter().map(|e| e.check_base).collect(),
        }
    }
}
