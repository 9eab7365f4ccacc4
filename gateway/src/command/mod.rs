//! Commands: from a decoded frame to whoever carries it out. One match, one file per family.
//!
//! ```text
//!   Command ─┬─ log, state ──► Request ──► owner shard of the conversation ──► Ack
//!            ├─ invite, ban ─► who is that? ──► service, then as above
//!            ├─ message with files of this server ─► what are they? ──► likewise
//!            ├─ pull, open ──► Ask ──► service thread (database) ──► reply
//!            └─ session ─────► answered here
//! ```

pub(crate) mod body;
mod entry;
pub mod key;
pub mod message;
pub mod named;
pub mod query;
pub mod route;
pub mod text;
