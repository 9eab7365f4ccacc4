//! Proof that a conversation was served correctly: a ledger of what happened, and a checker that finds what may not.
//!
//! ```text
//!   senders: invoked, acknowledged with seq, refused, unknown ─┐
//!   devices: what each received, in order, and how             ├─► Ledger ──► check() ──► Findings
//!   log:     what the server says it holds, read at the end   ─┘
//! ```
//!
//! How much a ledger remembers is its [`Level`]: every arrival at every device, or of each device a cursor and a hash
//! (`digest`), which is what thousands of members can afford. Ledgers of lanes that share a conversation add up. Where
//! the server has no log, each sender's messages are held against its own numbers (`streams`).
//!
//! One ledger describes one conversation, from a known seq on. It knows nothing of sockets, so integration tests keep
//! ledgers of their own clients. A send whose answer never came is *unknown*: it may be in the log or not, but not
//! twice, and not in one place only. Invariant: the checker reports nothing on a correct history and something on
//! every history that breaks a promise; its tests hold one of each kind.

mod checker;
mod digest;
mod ledger;
mod streams;

pub use checker::{Finding, Findings};
pub use ledger::{Content, DeviceIndex, Ledger, Level, Origin, Outcome, SenderIndex, Via};
