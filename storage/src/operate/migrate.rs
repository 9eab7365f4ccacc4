//! `ringwire migrate`: the schema steps of a server's start, by themselves.

use rusqlite::OpenFlags;

use crate::error::StoreError;
use crate::migrate::{self, Applied};
use crate::postgres::{connect, schema};
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
/// SQLite the data folder must be free.
pub async fn migrate(database: &Database) -> Result<Migrated, StoreError> {
    match database {
        Database::Sqlite { dir } => {
            let _folder = sqlite::lock_folder(dir)?;
            let mut connection = sqlite::connect(&sqlite::file(dir), OpenFlags::default())
                .map_err(|error| sqlite::not_opened(dir, error.into()))?;
            sqlite::schema::prepare(&mut connection).map_err(|error| sqlite::not_opened(dir, error))
        }
        Database::Postgres { url } => {
            let mut client = connect::tool_session(url).await?;
            schema::migrate(&mut client).await
        }
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
