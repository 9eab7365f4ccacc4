//! `ringwire migrate`: the schema steps of a server's start, by themselves.

use rusqlite::OpenFlags;

use crate::error::StoreError;
use crate::migrate::{self, Applied};
pub use crate::postgres::partitions::Converted;
use crate::postgres::{connect, partitions, schema};
use crate::sqlite;
use crate::store::Database;

/// What migrating did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version before; 0: there was none.
    pub before: i64,
    /// Its version afterwards.
    pub after: i64,
    /// The steps in between, in order.
    pub steps: Vec<&'static str>,
}

impl Migrated {
    pub(crate) fn new(applied: Option<Applied>, steps: &[migrate::Migration]) -> Self {
        let before = applied.map_or(0, |applied| applied.version);
        let after = steps.last().map_or(before, |step| step.version);
        Self { before, after, steps: steps.iter().map(|step| step.name).collect() }
    }
}

/// Brings the schema up to date, in one transaction. Servers of the same major schema may run meanwhile on Postgres; on
/// SQLite the data folder must be free. A new database on Postgres gets so many `partitions` of the log (0: one table).
pub async fn migrate(database: &Database, partitions: u32) -> Result<Migrated, StoreError> {
    match database {
        Database::Sqlite { dir } => {
            let _folder = sqlite::lock_folder(dir)?;
            let mut connection = sqlite::connect(&sqlite::file(dir), OpenFlags::default())
                .map_err(|error| sqlite::not_opened(dir, error.into()))?;
            sqlite::schema::prepare(&mut connection).map_err(|error| sqlite::not_opened(dir, error))
        }
        Database::Postgres { url } => {
            let mut client = connect::tool_session(url).await?;
            schema::migrate(&mut client, partitions).await
        }
    }
}

/// Brings the log of a database with the schema of this release to so many partitions, 0 for one table; `None`: it is
/// so already. Servers may run: whoever works with entries waits until all are copied, and goes on.
pub async fn partition(
    database: &Database,
    partitions: u32,
) -> Result<Option<Converted>, StoreError> {
    match database {
        Database::Sqlite { .. } => Err(StoreError::NoPartitions),
        Database::Postgres { url } => {
            partitions::convert(&mut connect::tool_session(url).await?, partitions).await
        }
    }
}

/// Whether a log may have so many partitions: none, which is one table, or 2 to 256. Each one more costs every
/// statement some planning and the server some locks.
pub const fn is_partition_count(partitions: u32) -> bool {
    partitions == 0 || (partitions >= 2 && partitions <= 256)
}

/// How many partitions the log has; 0: one table, or none yet.
pub async fn partitions(database: &Database) -> Result<u32, StoreError> {
    match database {
        Database::Sqlite { .. } => Err(StoreError::NoPartitions),
        Database::Postgres { url } => partitions::count(&connect::tool_session(url).await?).await,
    }
}

/// What [`migrate`] would do. Changes nothing, not even a missing file.
pub async fn pending(database: &Database) -> Result<Migrated, StoreError> {
    let (known, applied) = match database {
        Database::Sqlite { dir } if !sqlite::file(dir).exists() => (migrate::SQLITE, None),
        Database::Sqlite { dir } => {
            let connection = sqlite::connect(&sqlite::file(dir), OpenFlags::SQLITE_OPEN_READ_ONLY)
                .map_err(|error| sqlite::not_opened(dir, error.into()))?;
            let applied = sqlite::schema::applied(&connection);
            (migrate::SQLITE, applied.map_err(|error| sqlite::not_opened(dir, error))?)
        }
        Database::Postgres { url } => {
            let client = connect::tool_session(url).await?;
            (migrate::POSTGRES, schema::applied(&client).await?)
        }
    };
    Ok(Migrated::new(applied, migrate::pending(known, applied)?))
}
