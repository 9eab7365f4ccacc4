//! A tool's connection to Postgres.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::session::{Filling, Page};
use super::tables::TABLES;
use super::value::from_postgres;
use crate::error::StoreError;
use crate::migrate::Applied;
use crate::postgres::reseal::KEYS_LOCKS;
use crate::postgres::{connect, schema};

pub(super) struct PostgresSession {
    pub(super) client: Client,
}

impl PostgresSession {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { client: connect::tool_session(url).await? })
    }

    pub(super) async fn execute(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Whether a server is connected to the database. Sessions of one that has just ended get a moment to go.
    pub(super) async fn is_served(&self) -> Result<bool, StoreError> {
        // By the lock that each of its sessions holds; the address may give them any name.
        const SERVED: &str = "SELECT EXISTS (SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 2 AND classid = $1::int4::oid
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        for _ in 0..20 {
            if !self.client.query_one(SERVED, &[&KEYS_LOCKS]).await?.try_get(0)? {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(true)
    }

    /// Keeps others out of all tables until the end of the transaction.
    pub(super) async fn lock_tables(&self, mode: &str) -> Result<(), StoreError> {
        let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        self.execute(&format!("LOCK TABLE {} IN {mode} MODE", tables.join(", "))).await
    }

    pub(super) async fn applied(&self) -> Result<Option<Applied>, StoreError> {
        schema::applied(&self.client).await
    }

    /// Each query behind a savepoint, so that the next one works when this one does not.
    pub(super) async fn read(
        &self,
        queries: Vec<String>,
        pages: mpsc::Sender<Page>,
    ) -> Result<(), StoreError> {
        for query in queries {
            self.execute("SAVEPOINT query").await?;
            let ended = match self.read_one(&query, &pages).await {
                Ok(true) => {
                    self.execute("RELEASE query").await?;
                    Page::End
                }
                Ok(false) => return Ok(()),
                // The connection or the server is gone.
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => {
                    self.execute("ROLLBACK TO query").await?;
                    Page::Failed(error.to_string())
                }
            };
            if pages.send(ended).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether somebody still listens.
    async fn read_one(&self, query: &str, pages: &mpsc::Sender<Page>) -> Result<bool, StoreError> {
        let nothing = std::iter::empty::<&(dyn ToSql + Sync)>();
        let mut rows = pin!(self.client.query_raw(query, nothing).await?);
        let mut filling = Filling::default();
        while let Some(row) = rows.try_next().await? {
            if let Some(page) = filling.push(from_postgres(&row)?)
                && pages.send(page).await.is_err()
            {
                return Ok(false);
            }
        }
        Ok(match filling.take() {
            Some(page) => pages.send(page).await.is_ok(),
            None => true,
        })
    }
}
