//! A look into a gateway's database that owes nothing to the gateway: a connection of its own.

use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// An independent connection to either database. Its calls block; each is a transaction of its own unless it begins
/// one.
#[derive(Debug)]
pub enum Observer {
    /// To a server.
    Postgres(Runtime, tokio_postgres::Client),
    /// To the file of an embedded database.
    Sqlite(rusqlite::Connection),
}

impl Observer {
    /// Connects to a server, past any proxy.
    pub fn postgres(url: &str) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        Ok(Self::Postgres(runtime, client))
    }

    /// Opens the file of an embedded database.
    pub fn sqlite(file: &Path) -> Result<Self> {
        let connection = rusqlite::Connection::open(file)?;
        connection.busy_timeout(std::time::Duration::from_mins(1))?;
        Ok(Self::Sqlite(connection))
    }

    /// Runs statements.
    pub fn execute(&self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(runtime, client) => runtime.block_on(client.batch_execute(sql))?,
            Self::Sqlite(connection) => connection.execute_batch(sql)?,
        }
        Ok(())
    }

    /// The one value that a query gives, as text.
    pub fn text(&self, sql: &str) -> Result<String> {
        match self {
            Self::Postgres(runtime, client) => {
                let messages = runtime.block_on(client.simple_query(sql))?;
                let value = messages.iter().find_map(|message| match message {
                    SimpleQueryMessage::Row(row) => row.get(0),
                    _ => None,
                });
                Ok(value.context("the query gives nothing")?.to_owned())
            }
            Self::Sqlite(connection) => Ok(connection.query_row(sql, [], |row| {
                row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                })
            })?),
        }
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> Result<i64> {
        Ok(self.text(sql)?.parse()?)
    }

    /// Whether the log holds this message at this position. The id must be plain letters and digits.
    pub fn holds(&self, conversation: u64, seq: u64, client_msg_id: &str) -> Result<bool> {
        let count = self.number(&format!(
            "SELECT count(*) FROM entries WHERE conversation_id = {conversation} AND seq = {seq}
                 AND client_msg_id = '{client_msg_id}'"
        ))?;
        Ok(count == 1)
    }

    /// Keeps everybody from writing entries, while reading goes on, until [`Self::let_write`].
    pub fn stop_writers(&self) -> Result<()> {
        self.execute(match self {
            Self::Postgres(..) => "BEGIN; LOCK TABLE entries IN SHARE MODE",
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
        })
    }

    /// Ends what [`Self::stop_writers`] began.
    pub fn let_write(&self) -> Result<()> {
        self.execute("COMMIT")
    }
}
