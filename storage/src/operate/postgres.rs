//! A tool's connection to Postgres.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::session::{Filling, Page};
use super::value::from_postgres;
use crate::error::StoreError;
use crate::migrate::Applied;
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
                Ok(true) => Page::End,
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
