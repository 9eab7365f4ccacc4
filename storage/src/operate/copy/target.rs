//! The database that is filled.

use std::pin::pin;

use rusqlite::params_from_iter;
use tokio::sync::mpsc;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::{CopyError, Observer, next_ids, next_page};
use crate::error::StoreError;
use crate::operate::migrate::migrate;
use crate::operate::postgres::PostgresSession;
use crate::operate::session::{Page, Session};
use crate::operate::sqlite::SqliteSession;
use crate::operate::tables::TABLES;
use crate::store::Database;

/// An empty database with the schema of this release, in a transaction that nobody else can get in between.
pub(super) struct Target {
    session: Session,
}

impl Target {
    pub(super) async fn open(database: &Database) -> Result<Self, CopyError> {
        migrate(database, 0).await?;
        let session = match database {
            Database::Sqlite { dir } => {
                let session = SqliteSession::writer(dir)?;
                session.execute("BEGIN IMMEDIATE")?;
                Session::Sqlite(session)
            }
            Database::Postgres { url } => {
                let session = PostgresSession::open(url).await?;
                if session.is_served().await? {
                    return Err(CopyError::InUse("target"));
                }
                session.execute("BEGIN").await?;
                session.lock_tables("ACCESS EXCLUSIVE").await?;
                Session::Postgres(session)
            }
        };
        session.require_schema().await?;
        // Made by migrating, and never used.
        session.execute("DELETE FROM command_key").await?;
        for table in TABLES {
            if !session.rows(&format!("SELECT 1 FROM {} LIMIT 1", table.name)).await?.is_empty() {
                return Err(CopyError::NotEmpty(table.name));
            }
        }
        Ok(Self { session })
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn columns(&self, table: &str) -> Result<Vec<String>, StoreError> {
        self.session.columns(table).await
    }

    /// Writes one table's pages; how many rows that was.
    pub(super) async fn write(
        &self,
        table: &'static str,
        columns: &[String],
        pages: &mut mpsc::Receiver<Page>,
        observer: &mut dyn Observer,
    ) -> Result<u64, CopyError> {
        match &self.session {
            Session::Sqlite(session) => {
                write_sqlite(session, table, columns, pages, observer).await
            }
            Session::Postgres(session) => {
                write_postgres(session, table, columns, pages, observer).await
            }
        }
    }

    /// Lets new ids begin behind the source's.
    pub(super) async fn set_ids(&self, source: &Session) -> Result<(), StoreError> {
        let [user, conversation] = next_ids(source).await?;
        let highest = self.session.rows("SELECT max(id) FROM conversations").await?;
        let highest = highest.first().and_then(|row| row.first()?.integer()).unwrap_or(0);
        // Ids of users may lie anywhere, since tokens choose them too; whoever takes a new one leaves those out.
        let conversation = conversation.max(highest + 1);
        let statements = match self.session {
            Session::Sqlite(_) => format!(
                "UPDATE ids SET next = {user} WHERE name = 'user';
                 UPDATE ids SET next = {conversation} WHERE name = 'conversation'"
            ),
            Session::Postgres(_) => {
                let identity = |table: &str| {
                    format!(
                        "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id))
                         FROM {table} HAVING max(id) IS NOT NULL;"
                    )
                };
                let identities: String = ["audit", "operators", "orders"].map(identity).concat();
                format!(
                    "SELECT setval('user_ids', {user}, false);
                     SELECT setval('conversation_ids', {conversation}, false);
                     {identities}"
                )
            }
        };
        self.session.execute(&statements).await
    }

    pub(super) async fn commit(&self) -> Result<(), StoreError> {
        self.session.execute("COMMIT").await
    }
}

async fn write_sqlite(
    session: &SqliteSession,
    table: &'static str,
    columns: &[String],
    pages: &mut mpsc::Receiver<Page>,
    observer: &mut dyn Observer,
) -> Result<u64, CopyError> {
    let places = vec!["?"; columns.len()].join(", ");
    let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
    let mut written = 0;
    while let Some(rows) = next_page(pages, table).await? {
        let connection = session.connection();
        let mut statement = connection.prepare_cached(&insert).map_err(StoreError::from)?;
        for row in &rows {
            statement.execute(params_from_iter(row)).map_err(StoreError::from)?;
        }
        written += rows.len() as u64;
        observer.copying(table, written);
    }
    Ok(written)
}

async fn write_postgres(
    session: &PostgresSession,
    table: &'static str,
    columns: &[String],
    pages: &mut mpsc::Receiver<Page>,
    observer: &mut dyn Observer,
) -> Result<u64, CopyError> {
    let columns = columns.join(", ");
    let shape = session.client.prepare(&format!("SELECT {columns} FROM {table}")).await;
    let shape = shape.map_err(StoreError::from)?;
    let types: Vec<Type> = shape.columns().iter().map(|column| column.type_().clone()).collect();
    let copy = format!("COPY {table} ({columns}) FROM STDIN BINARY");
    let sink = session.client.copy_in(&copy).await.map_err(StoreError::from)?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    let mut written = 0;
    while let Some(rows) = next_page(pages, table).await? {
        for row in &rows {
            let row = row.iter().map(|value| value as &(dyn ToSql + Sync));
            writer.as_mut().write_raw(row).await.map_err(StoreError::from)?;
        }
        written += rows.len() as u64;
        observer.copying(table, written);
    }
    writer.finish().await.map_err(StoreError::from)?;
    Ok(written)
}
