//! What several test suites and benchmarks share.
//!
//! - [`PrivatePostgres`]: a Postgres server of one's own, to be stopped, killed and paused at will.
//! - [`CutProxy`]: a TCP proxy that cuts a connection at a chosen moment.
//! - [`Authority`]: certificates for servers and clients.

mod certificates;
mod postgres;
mod proxy;
mod server_user;
mod setup;

pub use certificates::{Authority, Identity};
pub use postgres::PrivatePostgres;
pub use proxy::CutProxy;
