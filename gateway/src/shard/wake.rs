//! When a producer must signal a sleeping consumer, and when it may save the system call.
//!
//! ```text
//! producer                               consumer
//! ────────                               ────────
//! push(item)                             consume the signal (it is level-triggered)
//! swap(pending, true)  ── was false      swap(pending, false)
//!    └► signal                           drain
//!                                        wait for a signal
//! ```
//!
//! Any number of pushes between two drains cost one signal. Invariants:
//!
//! 1. **No lost wake.** A producer that finds `pending` set stays silent. The consumer's next swap then reads
//!    that producer's swap, or a later one: both sides read-modify-write, so every swap continues the release
//!    sequence of those before it, and the drain behind the consumer's swap sees the item.
//! 2. **`pending` means a signal stands or is about to.** Hence the consumer consumes the signal *before* it
//!    clears the flag: in the other order it could swallow the signal of a producer that came in between, and
//!    everyone after that would stay silent.
//!
//! The consumer must swap and not store. A plain store needs a sequentially consistent fence on both sides,
//! one of them in every send, where on x86 it costs as much again as the swap.
//!
//! All of this is model-checked: `gateway/loom` compiles this very file against loom's atomics, together with
//! variants that have one step wrong each and must be caught.

use super::sync::{AtomicBool, Ordering};

/// The flag that coalesces wakes of one consumer; shared by it and its producers.
#[derive(Debug)]
pub(crate) struct WakeFlag {
    pending: AtomicBool,
}

impl WakeFlag {
    /// A flag nobody has raised.
    pub(crate) fn new() -> Self {
        Self { pending: AtomicBool::new(false) }
    }

    /// Producer, after its push: whether this producer is the one that must signal.
    pub(crate) fn raise(&self) -> bool {
        !self.pending.swap(true, Ordering::AcqRel)
    }

    /// Consumer, after it consumed the signal and before it drains.
    pub(crate) fn lower(&self) {
        self.pending.swap(false, Ordering::AcqRel);
    }
}
