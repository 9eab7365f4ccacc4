//! Loom explores every interleaving, and every stale read the memory model allows, of the gateway's wake
//! protocol.
//!
//! A crate of its own, because only `wake.rs` has to be compiled against loom's
//! atomics: it is included by path, so what is checked is the code that runs.

#[cfg(test)]
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
}

#[cfg(test)]
#[path = "../../src/shard/wake.rs"]
mod wake;

#[cfg(test)]
mod model;
