//! Postgres: for production, and for many nodes on one database.
//!
//! ```text
//!   submit ─► queues ─► writer threads, each with a runtime and a connection of its own
//!   reads, other writes ─► a small pool on the service thread
//! ```
//!
//! Writers use prepared statements in sessions with `synchronous_commit=on`; time limits on both sides end a call to a
//! database that has stopped answering, and release the locks of a node that has. Every connection, of whatever use, is
//! made by `connect`, to a host and with the TLS that the address asks for.

mod abandoned;
mod address;
mod aliases;
pub(crate) mod append;
mod attachments;
mod audit;
mod behind;
mod blocks;
mod changes;
pub(crate) mod connect;
mod contacts;
mod conversations;
mod copy;
mod deletion;
mod deliveries;
mod devices;
mod directory;
mod export;
mod hold;
mod hooks;
mod ids;
mod log;
mod marks;
mod members;
mod moderation;
mod notifications;
mod operators;
pub(crate) mod partitions;
mod passwords;
mod pool;
mod presence;
mod profiles;
mod push;
mod refresh;
mod refusal;
pub(crate) mod reseal;
mod retention;
mod rows;
pub(crate) mod schema;
mod search;
mod sent;
mod snapshots;
mod sqlstate;
mod tls;
mod trim;
mod verify;
mod views;

use std::sync::Arc;

use deadpool_postgres::{Object, Pool};
use tokio::sync::Mutex;

use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::executor::Executor;
use crate::outbox::Outbox;
use crate::search::Search;
use crate::store::StoreConfig;
use crate::writer::{CompletionSink, WriterQueue, Writers};
use append::PostgresAppender;
use connect::Address;
use ids::IdBlock;

/// The store on a server.
#[derive(Debug)]
pub struct PostgresStore {
    pub(crate) writers: Writers,
    pub(crate) keys: Arc<BodyKeys>,
    pub(crate) search: Search,
    outbox: Arc<Outbox>,
    pool: Pool,
    address: Address,
    user_ids: Mutex<IdBlock>,
    conversation_ids: Mutex<IdBlock>,
}

impl PostgresStore {
    pub(crate) async fn open(
        url: &str,
        config: &StoreConfig,
        completions: &CompletionSink,
    ) -> Result<Self, StoreError> {
        let mut address = Address::read(url)?;
        let (mut client, _) = connect::service_session(&address).await?;
        schema::migrate(&mut client, config.partitions).await?;
        schema::require_arbiters(&client).await?;
        partitions::compare(&client, config.partitions).await?;
        reseal::enter_keys(&mut client, &config.keys).await?;
        drop(client);
        address.greet_with(reseal::begin_use(&config.keys));
        let pool = pool::build(address.clone(), config.pool_size)?;
        let writers = (0..config.writers.max(1))
            .map(|_| {
                let appender = PostgresAppender::new(
                    address.clone(),
                    Arc::clone(&config.keys),
                    config.search_text,
                    Arc::clone(&config.outbox),
                )?;
                let executor = Executor::Postgres(Box::new(appender));
                Ok((WriterQueue::new(config.queue_capacity), executor))
            })
            .collect::<Result<_, StoreError>>()?;
        let search = Search::new(config.search_text);
        Ok(Self {
            keys: Arc::clone(&config.keys),
            writers: Writers::start(writers, config.batch, completions, &search.active())?,
            search,
            outbox: Arc::clone(&config.outbox),
            pool,
            address,
            user_ids: Mutex::new(IdBlock::new("user_ids")),
            conversation_ids: Mutex::new(IdBlock::new("conversation_ids")),
        })
    }

    async fn client(&self) -> Result<Object, StoreError> {
        Ok(self.pool.get().await?)
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.client().await?.batch_execute("SELECT 1").await?)
    }

    pub(crate) async fn command_key(&self) -> Result<[u8; 16], StoreError> {
        command_key(&self.client().await?).await
    }
}

/// On a connection at hand: taking a second one could wait for others that do the same.
async fn command_key(client: &Object) -> Result<[u8; 16], StoreError> {
    let row = client.query_one("SELECT key FROM command_key", &[]).await?;
    <[u8; 16]>::try_from(row.get::<_, &[u8]>(0))
        .map_err(|_| StoreError::Damaged("the command key is not 16 bytes long".to_owned()))
}
