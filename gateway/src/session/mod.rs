//! Sessions: an authenticated user on a device, over one connection at a time, on the user's home shard.
//!
//! ```text
//!   admission ─► (home shard) ─► awaiting connect ─┬► gate ─► opening: snapshot is read, pushes wait ─► live ◄┐
//!                                                  └► resume: the pushes that were missed ──────────────┘     │
//!                                                                 ▲                connection ends ▼          │
//!                                                                 └── detached: pushes are kept, for a minute ┘
//! ```
//!
//! Invariants: a session is registered for live traffic before its snapshot is read, so nothing falls between; every
//! command is answered once, and a session with too many unanswered commands is not read; a resume is whole or refused.

pub mod admission;
pub mod callers;
pub mod cursors;
pub mod detached;
pub mod gate;
pub mod opening;
pub mod policy;
pub mod rate;
pub mod registry;
pub mod resume;
