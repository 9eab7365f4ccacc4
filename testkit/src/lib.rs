//! What several test suites and benchmarks share.
//!
//! - [`PowerSwitch`]: cuts the power of a server: what it wrote and never synced is gone, or half gone.
//! - [`PrivatePostgres`]: a Postgres server of one's own, to be stopped, killed and paused at will.
//! - [`SmallDisk`]: a disk that a test can fill.
//! - [`ChaosProxy`]: a TCP proxy that fails as networks do, by plan or at random.
//! - [`Observer`]: an independent connection to a gateway's database.
//! - [`Frozen`]: a process that stands still.
//! - [`Authority`]: certificates for servers and clients.

mod certificates;
mod frozen;
mod observer;
mod postgres;
mod power;
mod proxy;
mod server_user;
mod setup;
mod small_disk;

pub use certificates::{Authority, Identity};
pub use frozen::Frozen;
pub use observer::Observer;
pub use postgres::PrivatePostgres;
pub use power::{Damage, PowerSwitch, Remains};
pub use proxy::{Chaos, ChaosProxy, Fault};
pub use small_disk::SmallDisk;
