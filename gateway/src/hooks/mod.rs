//! Other programs of the operator: some hear of events, one is asked before a message is accepted.
//!
//! ```text
//!   hook_outbox (written with the entry) ─► events ─► each webhook on its own, signed
//!   home shard ─ Ask::Screen ─► before_send ─► the hook ─ allow, deny, rewrite ─► home shard (`shard/screening.rs`)
//! ```

pub(crate) mod before_send;
mod events;

pub use before_send::Screener;
pub use events::Events;
