//! The service thread: what needs the database or HTTP and must not hold up a shard.
//!
//! ```text
//!   shard ─► Call ─► at most SERVICE_CONCURRENT at once ─► store ─► Served ─► the shard's mailbox
//!   shard ─► HttpSocket ─► hyper and axum                └► upgraded after all? back to a shard
//!   calls: what HTTP and upkeep ask of shards ─► Question ─► the shard's mailbox
//!   upkeep: one step of background work at a time ─► store · issuers: keys of others are fetched
//! ```

pub mod ask;
mod attachments;
mod blocks;
pub mod calls;
pub(crate) mod issuers;
mod opening;
pub(crate) mod orders;
mod queries;
pub mod rows;
mod run;
pub(crate) mod upkeep;
mod views;

pub use run::Service;
