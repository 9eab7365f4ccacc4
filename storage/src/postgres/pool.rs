//! The service thread's connections.
//!
//! A connection that served before is looked at before it is handed out again: at its first use in a second, and always
//! after some server refused a write for being read-only. After a failover an old primary may live on as a standby, with
//! our connections open; they end here, and new ones search all hosts. In quiet times this costs nothing, in busy ones
//! a round trip per connection and second.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Metrics, Pool, PoolError,
    RecyclingMethod, Runtime, TimeoutType,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error};

use super::connect::{Address, IS_READ_ONLY, is_read_only, service_session};
use super::sqlstate::read_only_refused_since;
use crate::error::StoreError;

/// How long a caller waits for one of the connections to be free.
const WAIT: Duration = Duration::from_secs(5);
/// How long a connection may take to prove itself; one that hangs is given up.
const PROOF: Duration = Duration::from_secs(2);

/// Makes the pool; connections are made when first needed.
pub(super) fn build(address: Address, size: usize) -> Result<Pool, StoreError> {
    let started_at = Instant::now();
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    // The address that counts is the dialer's.
    Pool::builder(Manager::from_connect(Config::new(), Dialer(address), config))
        .max_size(size.max(1))
        // A search for a server ends by itself, and tells why.
        .wait_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .pre_recycle(Hook::async_fn(move |client, metrics| {
            let due = proof_is_due(metrics, started_at);
            Box::pin(async move { if due { prove(client).await } else { Ok(()) } })
        }))
        .build()
        .map_err(|error| StoreError::Fatal(error.to_string()))
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::Unavailable(format!("all connections were busy for {WAIT:?}"))
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Makes connections where the address says.
struct Dialer(Address);

impl Connect for Dialer {
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(service_session(&self.0))
    }
}

/// Whether a connection was last looked at in another second, or before a server turned out to be read-only.
fn proof_is_due(metrics: &Metrics, started_at: Instant) -> bool {
    let looked_at = metrics.recycled.unwrap_or(metrics.created);
    let second = |at: Instant| at.saturating_duration_since(started_at).as_secs();
    second(looked_at) != second(Instant::now()) || read_only_refused_since(looked_at)
}

/// The pool drops a connection that fails this, and takes the next one or makes a new one.
async fn prove(client: &ClientWrapper) -> Result<(), HookError> {
    if client.is_closed() {
        return Err(HookError::message("it is closed"));
    }
    match timeout(PROOF, client.simple_query(IS_READ_ONLY)).await {
        Ok(Ok(answers)) if is_read_only(&answers) => {
            tracing::debug!("a connection to a read-only server is given up");
            Err(HookError::message("its server is read-only"))
        }
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(HookError::Backend(error)),
        Err(_) => Err(HookError::message("it does not answer")),
    }
}
