//! The durable log and directory: Postgres and SQLite behind one [`Store`].
//!
//! ```text
//!  shards ── submit ──► queue ──► batch ──► commit ──► executor ──► SQLite | Postgres
//!    ▲                                        │
//!    └──────── CompletionSink ◄───────────────┘        service thread ── Store's async reads and other writes
//! ```
//!
//! The durability contract:
//! - `Committed` is said only after the database has committed with its log flushed (`synchronous_commit=on`,
//!   `synchronous=FULL`).
//! - A conversation's log has no gaps: the primary key `(conversation_id, seq)` lets exactly one entry have a position.
//! - One (conversation, sender, `client_msg_id`) is stored once, also when the answer to a commit was lost.
//! - Every accepted entry is answered exactly once, except those dropped by a shutdown while the database is away;
//!   these were never acknowledged.
//! - What does not fit the bounded queues is refused before it is accepted.
//!
//! Bodies are opaque: the store seals and opens them where there are keys ([`encryption`]), and reads none.

pub mod account;
mod activity;
pub mod aliases;
pub mod append;
mod arbiters;
pub mod attachments;
pub mod audit;
mod batch;
pub mod blocks;
mod changes;
mod commit;
pub mod contacts;
pub mod deliveries;
pub mod devices;
pub mod encryption;
mod error;
mod executor;
mod first;
mod heat;
pub mod hooks;
mod marks;
pub mod members;
mod metrics;
mod migrate;
pub mod model;
pub mod moderation;
pub mod notifications;
pub mod operate;
pub mod operators;
pub mod outbox;
pub mod passwords;
mod postgres;
pub mod presence;
pub mod profiles;
pub mod push;
pub mod refresh;
mod renumber;
pub mod retention;
pub mod search;
mod sqlite;
mod stale;
mod store;
#[cfg(test)]
mod testing;
pub mod views;
mod wake;
mod writer;

pub use batch::BatchLimits;
pub use error::StoreError;
pub use store::{Database, Store, StoreConfig};
pub use writer::CompletionSink;
