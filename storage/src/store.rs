//! The one handle to everything durable.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::registry::Registry;
use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};

use crate::append::{Append, QueueFull};
use crate::batch::BatchLimits;
use crate::encryption::{BodyKeys, KeyUse, Resealed};
use crate::error::StoreError;
use crate::model::{
    ConversationSnapshot, CursorRow, EntryRow, HeadRow, HeadsAfter, HistoryWindow, LogPage,
    NewGroup, NewUser, Registration, SessionSnapshot, UserRow,
};
use crate::outbox::Outbox;
use crate::postgres::PostgresStore;
use crate::search::SearchText;
use crate::sqlite::SqliteStore;
use crate::writer::CompletionSink;

/// The `client_msg_id` of entry 1 of a direct conversation.
pub(crate) const DIRECT_CREATION_ID: &str = "ringwire.direct";

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// Embedded, in `ringwire.db` in this folder, which is made if it does not exist.
    Sqlite {
        /// The data folder.
        dir: PathBuf,
    },
    /// A server.
    Postgres {
        /// `postgres://user:password@host:port/database`, or the `key=value` form.
        url: String,
    },
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the database is.
    pub database: Database,
    /// Writer threads on Postgres, each with a connection of its own; SQLite has one.
    pub writers: usize,
    /// Entries that may wait for one writer.
    pub queue_capacity: usize,
    /// When a batch closes.
    pub batch: BatchLimits,
    /// Connections for reads and other writes on Postgres.
    pub pool_size: usize,
    /// Partitions of the log where a Postgres database is made; 0: one table.
    pub partitions: u32,
    /// What bodies are sealed with.
    pub keys: Arc<BodyKeys>,
    /// What of a body is searched; `None`, or any key: search is off, and the index is emptied.
    pub search_text: Option<SearchText>,
    /// Who is to be told of what is written.
    pub outbox: Arc<Outbox>,
}

impl StoreConfig {
    /// The defaults for a database.
    pub fn new(database: Database) -> Self {
        let batch = BatchLimits::default();
        let keys = Arc::new(BodyKeys::none());
        Self {
            database,
            writers: 2,
            queue_capacity: 16_384,
            batch,
            pool_size: 8,
            partitions: 0,
            keys,
            search_text: None,
            outbox: Arc::default(),
        }
    }
}

/// The durable log and directory. A handle: clones share everything.
///
/// `submit` is for shards: lock-free, never blocking. Everything else is async and for the service thread's tokio
/// runtime; every read sees one snapshot, every write is one transaction that may safely be repeated when its outcome
/// is unknown.
#[derive(Clone, Debug)]
pub enum Store {
    /// A server.
    Postgres(Arc<PostgresStore>),
    /// Embedded.
    Sqlite(Arc<SqliteStore>),
}

/// Calls the same method on either store.
macro_rules! either {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Self::Postgres($store) => $call,
            Self::Sqlite($store) => $call,
        }
    };
}
pub(crate) use either;

impl Store {
    /// Connects, brings the schema up to date and starts the writers, whose answers go to `completions`.
    ///
    /// [`StoreError::Unavailable`] is worth retrying; the others want somebody to mend something.
    pub async fn open(
        mut config: StoreConfig,
        completions: CompletionSink,
    ) -> Result<Self, StoreError> {
        if config.keys.in_use() {
            // An index would hold what the keys are to hide.
            config.search_text = None;
        }
        match config.database.clone() {
            Database::Sqlite { dir } => {
                let open = move || SqliteStore::open(&dir, &config, &completions);
                let store = tokio::task::spawn_blocking(open)
                    .await
                    .map_err(|error| StoreError::Fatal(error.to_string()))??;
                Ok(Self::Sqlite(Arc::new(store)))
            }
            Database::Postgres { url } => {
                let store = PostgresStore::open(&url, &config, &completions).await?;
                Ok(Self::Postgres(Arc::new(store)))
            }
        }
    }

    /// Accepts an entry for writing, or gives it back when its writer's queue is full (or the store is shut down).
    /// Accepted entries are answered through the sink, those of one conversation in order.
    #[expect(clippy::result_large_err, reason = "the refused entry goes back to be answered BUSY")]
    pub fn submit(&self, append: Append) -> Result<(), QueueFull> {
        either!(self, store => store.writers.submit(append))
    }

    /// What `connect` tells a client: the newest lines of its list, how much is unread in all, and for each cursor what
    /// it missed.
    pub async fn session_snapshot(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
        heads_limit: u32,
        sync_limit: u32,
    ) -> Result<SessionSnapshot, StoreError> {
        let cursors = cursors.to_vec();
        either!(self, store =>
            store.session_snapshot(user, cursors, heads_limit, sync_limit).await)
    }

    /// A page of a user's conversations, latest activity first, and whether there are more. `only`: just these, if the
    /// user is a member; empty: all.
    pub async fn heads(
        &self,
        user: UserId,
        after: Option<HeadsAfter>,
        only: &[ConversationId],
        limit: u32,
    ) -> Result<(Vec<HeadRow>, bool), StoreError> {
        let only = only.to_vec();
        either!(self, store => store.heads(user, after, only, limit).await)
    }

    /// All an owner shard needs, with at most `recent_limit` of the newest entries. `None`: no such conversation.
    /// One that is dissolved is told as such.
    pub async fn load_conversation(
        &self,
        id: ConversationId,
        recent_limit: u32,
    ) -> Result<Option<ConversationSnapshot>, StoreError> {
        either!(self, store => store.load_conversation(id, recent_limit).await)
    }

    /// The entries after a position, for the owner shard. `None`: no such conversation. One that is dissolved still tells
    /// its owner: the members have to hear of that from every node.
    pub async fn load_tail(
        &self,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        either!(self, store => store.load_tail(id, after_seq, limit).await)
    }

    /// The entries after a position, for a member. `None`: no such conversation, or not a member.
    pub async fn sync_page(
        &self,
        user: UserId,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        either!(self, store => store.sync_page(user, id, after_seq, limit).await)
    }

    /// A stretch of the log, for a member. `None`: no such conversation, or not a member.
    pub async fn history_page(
        &self,
        user: UserId,
        id: ConversationId,
        window: HistoryWindow,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        either!(self, store => store.history_page(user, id, window, limit).await)
    }

    /// One entry, for the owner shard: what the reader did to it is left out. `None`: no such conversation or entry.
    pub async fn load_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        either!(self, store => store.load_entry(id, seq).await)
    }

    /// The direct conversation of two users, and whether this call made it, with `body` as its entry 1 by `opener`.
    /// [`StoreError::NoSuchUser`] if one of them does not exist.
    pub async fn open_direct(
        &self,
        opener: UserId,
        other: UserId,
        now_ms: UnixMs,
        body: Bytes,
    ) -> Result<(ConversationId, bool), StoreError> {
        either!(self, store => store.open_direct(opener, other, now_ms, body).await)
    }

    /// Makes a group or room, or finds the one that the same creator made with the same `client_msg_id`.
    /// [`StoreError::NoSuchUser`] if a member does not exist.
    pub async fn create_group(
        &self,
        group: NewGroup,
        now_ms: UnixMs,
    ) -> Result<(ConversationId, bool), StoreError> {
        either!(self, store => store.create_group(group, now_ms).await)
    }

    /// Makes a user with a password.
    pub async fn register(
        &self,
        user: NewUser,
        now_ms: UnixMs,
    ) -> Result<Registration, StoreError> {
        either!(self, store => store.register(user, now_ms).await)
    }

    /// The user with this name or address (a name wins), with the password hash; `None` also for users without
    /// password.
    pub async fn credentials(&self, login: &str) -> Result<Option<(UserRow, String)>, StoreError> {
        either!(self, store => store.credentials(login).await)
    }

    /// The user with this id, made if missing, and whether it was. An empty or taken `username_hint` gives a name
    /// made from the id. [`StoreError::NoSuchUser`] if that user is deleted: a deleted id is nobody's ever again.
    pub async fn ensure_user(
        &self,
        id: UserId,
        username_hint: &str,
        now_ms: UnixMs,
    ) -> Result<(UserRow, bool), StoreError> {
        either!(self, store => store.ensure_user(id, username_hint, now_ms).await)
    }

    /// The user whom a token's issuer and subject mean. Unknown ones are made when `provision_hint` is given, with that
    /// name if it is free and not empty; not those of a deleted user.
    pub async fn resolve_identity(
        &self,
        issuer: &str,
        subject: &str,
        provision_hint: Option<&str>,
        now_ms: UnixMs,
    ) -> Result<Option<UserRow>, StoreError> {
        let hint = provision_hint.map(str::to_owned);
        either!(self, store => store.resolve_identity(issuer, subject, hint, now_ms).await)
    }

    /// The user with this id; `None` also for one that is deleted.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        either!(self, store => store.user(id).await)
    }

    /// The user with this name, without regard to case.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        either!(self, store => store.user_by_name(username).await)
    }

    /// The users with these ids, by id; those that do not exist are missing, deleted ones are called that.
    pub async fn users(&self, ids: &[UserId]) -> Result<Vec<UserRow>, StoreError> {
        either!(self, store => store.users(ids).await)
    }

    /// Raises cursors. Those of users who are not members are skipped; a read cursor ends at the newest entry at or
    /// below it.
    pub async fn save_cursors(&self, cursors: &[CursorRow]) -> Result<(), StoreError> {
        either!(self, store => store.save_cursors(cursors).await)
    }

    /// The key of every `command_hash` in this database.
    pub async fn command_key(&self) -> Result<[u8; 16], StoreError> {
        either!(self, store => store.command_key().await)
    }

    /// Whether bodies are sealed, or some may be. While this holds nothing may keep plain copies of them in the database,
    /// as a search index does.
    pub fn is_encrypted(&self) -> bool {
        either!(self, store => store.keys.in_use())
    }

    /// A bounded step of the background work that brings every body under the active key. Any node may call it at any
    /// time; one works, the others are told that there is nothing to do.
    pub async fn reseal_step(&self) -> Result<Resealed, StoreError> {
        either!(self, store => store.reseal_step().await)
    }

    /// How many bodies each key has sealed. Reads the whole log: for operators, not for a running server's routine.
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        either!(self, store => store.key_uses().await)
    }

    /// Whether entries can be written, as far as the last tries told: no batch waits for a disk that is full, a server that
    /// is away or takes no writes.
    pub fn can_write(&self) -> bool {
        either_writers(self).can_write()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        either!(self, store => store.ping().await)
    }

    /// Registers what the writers count: queue depth, batch size, commit duration and retries.
    pub fn register_metrics(&self, registry: &mut Registry) {
        either_writers(self).metrics.register(registry);
    }

    /// Stops accepting entries and waits until all accepted ones are written. With the database away that ends after
    /// `patience`; the entries dropped then (none of which was acknowledged) are counted.
    pub async fn shut_down(&self, patience: Duration) -> u64 {
        let store = self.clone();
        let stop = move || either_writers(&store).shut_down(patience);
        tokio::task::spawn_blocking(stop).await.unwrap_or(0)
    }
}

fn either_writers(store: &Store) -> &crate::writer::Writers {
    match store {
        Store::Postgres(store) => &store.writers,
        Store::Sqlite(store) => &store.writers,
    }
}

/// How names and addresses are compared.
pub(crate) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// Names to try for a user made from a token.
pub(crate) fn provisioned_names(id: UserId, hint: &str) -> impl Iterator<Item = String> {
    let hint = (!hint.is_empty()).then(|| hint.to_owned());
    let plain = format!("user-{id}");
    let numbered = (2..100).map(move |number| format!("user-{id}-{number}"));
    hint.into_iter().chain(std::iter::once(plain)).chain(numbered)
}

/// One row per member, sorted, with the highest of each cursor.
pub(crate) fn merge_cursors(cursors: &[CursorRow]) -> Vec<CursorRow> {
    let mut merged: BTreeMap<_, CursorRow> = BTreeMap::new();
    for &cursor in cursors {
        let row = merged.entry((cursor.conversation_id, cursor.user_id)).or_insert(cursor);
        row.read_seq = row.read_seq.max(cursor.read_seq);
        row.delivered_seq = row.delivered_seq.max(cursor.delivered_seq);
    }
    merged.into_values().collect()
}
