//! The service thread: what needs the database or HTTP and must not hold up a shard.
//!
//! ```text
//!   shard ─► Call ─► at most SERVICE_CONCURRENT at once ─► store ─► Served ─► the shard's mailbox
//!   shard ─► HttpSocket ─► hyper and axum                └► upgraded after all? back to a shard
//! ```

pub mod ask;
mod opening;
mod queries;
mod rows;
mod run;

pub use run::Service;
