//! Sessions: an authenticated user on a device, over one connection, on the user's home shard.
//!
//! ```text
//!   admission ─► (home shard) ─► awaiting connect ─► opening: snapshot is read, pushes wait ─► live
//! ```
//!
//! Invariants: a session is registered for live traffic before its snapshot is read, so nothing falls between; every
//! command is answered once, and a session with too many unanswered commands is not read.

pub mod admission;
pub mod cursors;
pub mod opening;
pub mod rate;
pub mod registry;
