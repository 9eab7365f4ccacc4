//! A store under test, on either database, with its answers at hand.

pub(crate) mod sql;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use ringwire_protocol::{ConversationId, Seq, UserId};
use ringwire_storage::append::{Append, Change, Completion, Outcome};
use ringwire_storage::encryption::{ActiveKey, BodyKeys};
use ringwire_storage::model::{ConversationKind, NewGroup};
use ringwire_storage::{CompletionSink, Database, Store, StoreConfig, StoreError};
use ringwire_testkit::PrivatePostgres;
use tempfile::TempDir;

/// Only a hanging test ever waits this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    /// With the log in partitions.
    PostgresPartitioned,
}

impl Backend {
    /// Partitions of the log; 0: one table.
    pub(crate) const fn partitions(self) -> u32 {
        match self {
            Self::Sqlite | Self::Postgres => 0,
            Self::PostgresPartitioned => 5,
        }
    }
}

/// Answers as they come in.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    received: Mutex<Vec<(u16, Completion)>>,
    more: Condvar,
    /// While set, the writer that delivers waits.
    blocked: Mutex<bool>,
    unblocked: Condvar,
}

impl Answers {
    pub(crate) fn sink(self: &Arc<Self>) -> CompletionSink {
        let this = Arc::clone(self);
        Arc::new(move |origin, completions| {
            // Looked at before anybody sees the answers: who blocks after that means a later delivery.
            let waits = *this.blocked.lock().unwrap();
            let mut received = this.received.lock().unwrap();
            received.extend(completions.into_iter().map(|completion| (origin, completion)));
            this.more.notify_all();
            drop(received);
            if waits {
                let blocked = this.blocked.lock().unwrap();
                drop(this.unblocked.wait_while(blocked, |blocked| *blocked).unwrap());
            }
        })
    }

    /// Holds writers in their next delivery, or lets them go.
    pub(crate) fn block(&self, blocked: bool) {
        *self.blocked.lock().unwrap() = blocked;
        self.unblocked.notify_all();
    }

    /// Waits for so many answers and takes all there are, in the order they came.
    pub(crate) fn take(&self, count: usize) -> Vec<Completion> {
        let received = self.received.lock().unwrap();
        let (mut received, _) = self
            .more
            .wait_timeout_while(received, PATIENCE, |received| received.len() < count)
            .unwrap();
        assert!(received.len() >= count, "{} of {count} answers came", received.len());
        received.drain(..).map(|(_, completion)| completion).collect()
    }

    pub(crate) fn origins(&self) -> Vec<u16> {
        self.received.lock().unwrap().iter().map(|&(origin, _)| origin).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

/// A store on an empty database of its own.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) answers: Arc<Answers>,
    pub(crate) config: StoreConfig,
    pub(crate) _folder: Option<TempDir>,
}

impl Bench {
    pub(crate) async fn new(backend: Backend) -> Self {
        Self::with(backend, |_| {}).await
    }

    pub(crate) async fn with(backend: Backend, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let (database, folder) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (sqlite(folder.path()), Some(folder))
            }
            Backend::Postgres | Backend::PostgresPartitioned => {
                (Database::Postgres { url: fresh_database() }, None)
            }
        };
        let mut config = StoreConfig::new(database);
        config.partitions = backend.partitions();
        if SEALED.try_with(|sealed| *sealed).unwrap_or(false) {
            config.keys = keys(&[1], ActiveKey::Highest);
        }
        change(&mut config);
        Self::open(config, folder).await
    }

    /// On any database, which lives as long as `folder`.
    pub(crate) async fn open(config: StoreConfig, folder: Option<TempDir>) -> Self {
        let answers = Arc::new(Answers::default());
        let store = Store::open(config.clone(), answers.sink()).await.unwrap();
        Self { store, answers, config, _folder: folder }
    }

    /// Another store on the same database.
    pub(crate) async fn another(&self) -> Result<(Store, Arc<Answers>), StoreError> {
        let answers = Arc::new(Answers::default());
        let store = Store::open(self.config.clone(), answers.sink()).await?;
        Ok((store, answers))
    }

    /// The same database, shut down and opened anew with the configuration as it is now.
    pub(crate) async fn reopened(self) -> Self {
        let Self { store, config, _folder: folder, .. } = self;
        store.shut_down(PATIENCE).await;
        // SQLite's folder is free once the last handle is gone.
        drop(store);
        Self::open(config, folder).await
    }

    /// Users with the ids 1 to `count`.
    pub(crate) async fn users(&self, count: u64) -> Vec<UserId> {
        for number in 1..=count {
            let name = format!("name{number}");
            self.store.ensure_user(user(number), &name, 1).await.unwrap();
        }
        (1..=count).map(user).collect()
    }

    /// The direct conversation of users 1 and 2.
    pub(crate) async fn direct(&self) -> ConversationId {
        self.users(2).await;
        self.store.open_direct(user(1), user(2), 1_000, body("opened")).await.unwrap().0
    }

    /// Submits and waits for the answers, by seq.
    pub(crate) fn append(&self, entries: Vec<Append>) -> Vec<(Seq, Outcome)> {
        let count = entries.len();
        for entry in entries {
            self.store.submit(entry).unwrap();
        }
        let mut outcomes: Vec<_> =
            self.answers.take(count).into_iter().map(|c| (c.seq, c.outcome)).collect();
        outcomes.sort_by_key(|(seq, _)| *seq);
        outcomes
    }
}

tokio::task_local! {
    static SEALED: bool;
}

/// Runs a test whose stores encrypt, unless it chooses keys itself.
pub(crate) async fn sealed(test: impl Future<Output = ()>) {
    SEALED.scope(true, test).await;
}

/// Keys with these ids, always the same ones.
pub(crate) fn keys(ids: &[u8], active: ActiveKey) -> Arc<BodyKeys> {
    const DIGITS: &[u8] = b"ABCDEFGHIJ";
    let line = |id: &u8| {
        let digit = char::from(DIGITS[usize::from(*id)]);
        format!("{id} = {}=\n", digit.to_string().repeat(42) + "A")
    };
    let text: String = ids.iter().map(line).collect();
    Arc::new(BodyKeys::parse(&text, active).unwrap())
}

/// A store whose answers nobody reads.
pub(crate) async fn open(database: Database) -> Result<Store, StoreError> {
    Store::open(StoreConfig::new(database), Arc::new(|_, _| {})).await
}

pub(crate) fn sqlite(dir: &Path) -> Database {
    Database::Sqlite { dir: dir.to_owned() }
}

/// An empty database on the server that the tests of this process share.
pub(crate) fn fresh_database() -> String {
    static SERVER: OnceLock<PrivatePostgres> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(|| PrivatePostgres::start().unwrap());
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    server.create_database(&format!("test{number}")).unwrap()
}

pub(crate) fn user(number: u64) -> UserId {
    UserId::new(number).unwrap()
}

pub(crate) fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// A message of user 1 whose id is made from its position; messages begin at position 2.
pub(crate) fn message(conversation_id: ConversationId, seq: Seq) -> Append {
    Append {
        conversation_id,
        seq,
        msg_no: seq - 1,
        sender_id: Some(user(1)),
        created_at: 1_000 + seq as i64,
        client_msg_id: format!("m{seq}").into(),
        body: body(&format!("text {seq}")),
        command_hash: seq as i64,
        change: Change::None,
        head_confirmed_at: std::time::Instant::now(),
        check_base: false,
        origin: 0,
        token: seq,
        generation: 1,
    }
}

/// A group to be made.
pub(crate) fn group(creator: u64, members: &[u64]) -> NewGroup {
    NewGroup {
        kind: ConversationKind::Group,
        creator: user(creator),
        members: members.iter().map(|&number| user(number)).collect(),
        settings: body("settings"),
        client_msg_id: "make".into(),
        body: body("created"),
        command_hash: 42,
    }
}
