//! What an operator does with the database besides serving from it. One file a tool: arguments, report, exit code; the
//! work itself is the storage crate's.
//!
//! Exit codes: 0 as it should be, 1 something to be seen to (a finding, a pending migration), 2 it could not be done.

pub mod check;
pub mod copy;
pub mod keys;
pub mod migrate;
pub mod operator;
pub mod user;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use ringwire_storage::Database as StoreDatabase;

use crate::config::{Database, StorageConfig};

/// The exit code for something to be seen to.
const EXIT_FOUND: u8 = 1;

/// The database that the configuration names.
fn configured(config: &StorageConfig) -> StoreDatabase {
    match &config.database {
        Database::Sqlite => StoreDatabase::Sqlite { dir: config.data_dir.clone() },
        Database::Postgres(url) => StoreDatabase::Postgres { url: url.clone() },
    }
}

/// How a database is called in reports, without its password.
fn name_of(database: &StoreDatabase) -> String {
    match database {
        StoreDatabase::Sqlite { dir } => file_in(dir),
        StoreDatabase::Postgres { url } => crate::config::redact::url(url),
    }
}

fn file_in(dir: &Path) -> String {
    dir.join("ringwire.db").display().to_string()
}

/// Runs a tool to its end.
fn run<T>(tool: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?
        .block_on(tool)
}

/// What is going on, on one line of standard error that is overwritten; silent where nobody watches.
#[derive(Debug)]
struct Progress {
    watched: bool,
}

impl Progress {
    fn new() -> Self {
        Self { watched: io::stderr().is_terminal() }
    }

    fn show(&self, text: &str) {
        if self.watched {
            // Nothing can be done about a terminal that is gone.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }

    fn clear(&self) {
        self.show("");
    }
}

/// 0, or 1 when there is something to be seen to.
fn exit_code(found: bool) -> ExitCode {
    if found { ExitCode::from(EXIT_FOUND) } else { ExitCode::SUCCESS }
}
