//! Commands: from a decoded frame to whoever carries it out. One match, one file per family.
//!
//! ```text
//!   Command ─┬─ log, state ──► Request ──► owner shard of the conversation ──► Ack
//!            ├─ pull, open ──► Ask ──► service thread (database) ──► reply
//!            └─ session ─────► answered here
//! ```

pub mod key;
pub mod message;
pub mod query;
pub mod route;
