//! The databases under test: a private Postgres, or SQLite in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use ringwire_bench::process::cpu_seconds_of_tree;
use ringwire_storage::{Store, StoreConfig};
use ringwire_testkit::PrivatePostgres;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

use crate::messages::{CONVERSATIONS, Messages};
use crate::row_by_row;

/// What anybody sets who runs a server with this much memory; the rest, fsync above all, is Postgres's default.
const SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=15min"];

/// Old segments of its log, 3 GiB: enough for all rounds, so that the last finds what the first did.
const OLD_SEGMENTS: u32 = 192;

/// A running database with a schema and the conversations that messages go to.
pub(crate) enum Database {
    Postgres(Box<PostgresServer>),
    Sqlite(TempDir),
}

pub(crate) struct PostgresServer {
    server: PrivatePostgres,
    runtime: Runtime,
    observer: tokio_postgres::Client,
}

impl Database {
    pub(crate) fn start(name: &str) -> Result<Self> {
        let database = match name {
            "postgres" => Self::Postgres(Box::new(PostgresServer::start()?)),
            "sqlite" => Self::Sqlite(tempfile::tempdir()?),
            other => bail!("{other} is neither sqlite nor postgres"),
        };
        // Opening makes the schema.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = Store::open(database.config(), Arc::new(|_, _| {})).await?;
            store.shut_down(std::time::Duration::from_secs(5)).await;
            anyhow::Ok(())
        })?;
        match &database {
            Self::Postgres(server) => server.execute(&format!(
                "INSERT INTO conversations (id, kind, settings, member_count, created_at, last_activity_at)
                 SELECT id, 1, '', 0, 1, 1 FROM generate_series(1, {CONVERSATIONS}) AS id"
            ))?,
            Self::Sqlite(_) => database.sqlite()?.execute_batch(&format!(
                "WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < {CONVERSATIONS})
                 INSERT INTO conversations (id, kind, settings, member_count, created_at, last_activity_at)
                 SELECT id, 1, x'', 0, 1, 1 FROM ids"
            ))?,
        }
        Ok(database)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// How to open a store on it.
    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig::new(match self {
            Self::Postgres(server) => ringwire_storage::Database::Postgres { url: server.url() },
            Self::Sqlite(folder) => {
                ringwire_storage::Database::Sqlite { dir: folder.path().to_owned() }
            }
        })
    }

    /// CPU seconds of the processes of a server; an embedded database has none.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        match self {
            Self::Postgres(server) => {
                cpu_seconds_of_tree(server.server.pid().context("it is running")?)
            }
            Self::Sqlite(_) => Ok(0.0),
        }
    }

    /// Bytes of log written so far; SQLite writes its log over and over and does not say.
    pub(crate) fn wal_position(&self) -> Result<u64> {
        match self {
            Self::Postgres(server) => {
                server.number("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
            }
            Self::Sqlite(_) => Ok(0),
        }
    }

    /// Segments of its log that it can still use again; SQLite's has none.
    pub(crate) fn old_segments_left(&self) -> Result<Option<u64>> {
        let ahead = "SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'
            AND name > pg_walfile_name(pg_current_wal_insert_lsn())";
        match self {
            Self::Postgres(server) => server.number(ahead).map(Some),
            Self::Sqlite(_) => Ok(None),
        }
    }

    /// Bytes of the log of entries with its indexes.
    pub(crate) fn table_bytes(&self) -> Result<u64> {
        match self {
            Self::Postgres(server) => server.number("SELECT pg_total_relation_size('entries')"),
            Self::Sqlite(_) => Ok(self.sqlite()?.query_row(
                "SELECT (c.page_count - f.freelist_count) * s.page_size
                 FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s",
                [],
                |row| row.get::<_, i64>(0).map(|bytes| bytes as u64),
            )?),
        }
    }

    /// SQLite: bytes of log for each row, in transactions of so many rows, without the checkpoints' writes.
    pub(crate) fn log_bytes_per_row(&self, messages: &mut Messages, batch: usize) -> Result<f64> {
        const TRANSACTIONS: usize = 20;
        let mut connection = self.sqlite()?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let batch = batch.max(1);
        for _ in 0..TRANSACTIONS {
            let transaction = connection.transaction()?;
            let mut entries: Vec<_> = (0..batch).map(|_| messages.next()).collect();
            entries.sort_by_key(|entry| entry.conversation_id);
            for entry in &entries {
                row_by_row::insert_sqlite(&transaction, entry)?;
            }
            transaction.commit()?;
        }
        let log = self.sqlite_path().with_extension("db-wal");
        Ok(log.metadata()?.len() as f64 / (batch * TRANSACTIONS) as f64)
    }

    /// A connection as the store's: log ahead, synchronous=FULL.
    pub(crate) fn sqlite(&self) -> Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open(self.sqlite_path())?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    }

    fn sqlite_path(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("ringwire.db"),
            Self::Postgres(_) => unreachable!("asked of SQLite alone"),
        }
    }
}

impl PostgresServer {
    fn start() -> Result<Self> {
        let server = PrivatePostgres::start_with(&SETTINGS).context("no private Postgres")?;
        server.age(OLD_SEGMENTS)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let observer = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
            tokio::spawn(connection);
            anyhow::Ok(client)
        })?;
        Ok(Self { server, runtime, observer })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.observer.batch_execute(sql))?)
    }

    pub(crate) fn number(&self, sql: &str) -> Result<u64> {
        let row = self.runtime.block_on(self.observer.query_one(sql, &[]))?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
    }

    /// Transactions rolled back, of sessions that have ended or been idle for a second.
    pub(crate) fn rollbacks(&self) -> Result<u64> {
        self.execute("SELECT pg_stat_clear_snapshot()")?;
        self.number("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")
    }
}
