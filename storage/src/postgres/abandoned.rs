//! Statements that are worth ending when their caller goes away.
//!
//! A dropped query goes on at the server, and its connection, back in the pool, would make the next user wait for it. So
//! the query is a task of its own that holds the connection; when nobody listens any more it asks the server to end it,
//! waits for that and gives the connection up: a request that comes late must not meet somebody else's statement.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::PostgresStore;
use super::connect::CALL_TIMEOUT;
use crate::error::StoreError;

/// How long the server may take to be asked.
const ASK: Duration = Duration::from_secs(5);

impl PostgresStore {
    /// Runs `work` on a connection for as long as the caller waits for it. What `work` owns lives until the server is
    /// done with it.
    pub(super) async fn while_wanted<T, F>(
        &self,
        work: impl FnOnce(Object) -> F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = (Object, Result<T, StoreError>)> + Send + 'static,
    {
        let client = self.client().await?;
        let token = client.cancel_token();
        let connector = self.address.connector();
        let work = work(client);
        let (mut answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let mut work = pin!(work);
            tokio::select! {
                (_client, result) = &mut work => {
                    // Nobody to tell is no harm.
                    let _ = answer.send(result);
                }
                () = answer.closed() => {
                    if let Ok(Err(error)) = timeout(ASK, token.cancel_query(connector)).await {
                        tracing::debug!(%error, "a statement that nobody waits for goes on");
                    }
                    if let Ok((client, _)) = timeout(CALL_TIMEOUT, work).await {
                        drop(Object::take(client));
                    }
                }
            }
        });
        answered.await.map_err(|_| StoreError::Closed)?
    }
}
