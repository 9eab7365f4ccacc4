//! The two databases a server can have. Tests share one private Postgres server, each with a database of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use ringwire_testkit::PrivatePostgres;

/// Where a server keeps the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// In its data folder.
    Sqlite,
    /// In the Postgres database with this URL.
    Postgres(String),
}

impl Database {
    /// A fresh one of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::Sqlite, Self::postgres()]
    }

    /// A fresh database on the shared Postgres server.
    pub(crate) fn postgres() -> Self {
        Self::Postgres(Self::postgres_port().0)
    }

    /// The address of a fresh database on the shared Postgres server, and the port in it.
    pub(crate) fn postgres_port() -> (String, u16) {
        /// Cleaned up by its guard when this process ends.
        static SERVER: OnceLock<Mutex<PrivatePostgres>> = OnceLock::new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = SERVER.get_or_init(|| {
            // Many databases come and go here; their log need not be kept for long.
            let settings = ["max_connections=300", "max_wal_size=128MB"];
            Mutex::new(PrivatePostgres::start_with(&settings).expect("a private Postgres"))
        });
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = server.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (server.create_database(&name).expect("a fresh database"), server.port())
    }

    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(url) => Some(url),
        }
    }
}
