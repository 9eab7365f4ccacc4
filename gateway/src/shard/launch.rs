//! Starts the threads of the shards.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use crate::net::{self, Driver};
use crate::placement::ShardId;

/// Starts a shard: a thread with a name, pinned to its processor, with a runtime that is built and used by it alone.
///
/// # Errors
///
/// The thread cannot be started. A runtime that cannot be built ends the thread with that error.
pub fn spawn<F, M>(
    shard: ShardId,
    driver: Driver,
    main: M,
) -> io::Result<JoinHandle<io::Result<()>>>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = io::Result<()>>,
{
    std::thread::Builder::new().name(format!("shard-{shard}")).spawn(move || {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if let Err(error) = net::pin_to_cpu(usize::from(shard) % cpus) {
            tracing::warn!(shard, %error, "the shard is not pinned to a processor");
        }
        driver.block_on(main())?
    })
}
