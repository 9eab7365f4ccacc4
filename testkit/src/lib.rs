//! What several test suites and benchmarks share.
//!
//! - [`PrivatePostgres`]: a Postgres server of one's own, to be stopped, killed and paused at will.
//! - [`CutProxy`]: a TCP proxy that cuts a connection at a chosen moment.

mod postgres;
mod proxy;
mod server_user;

pub use postgres::PrivatePostgres;
pub use proxy::CutProxy;
