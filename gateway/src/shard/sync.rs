//! The atomics that `wake.rs` is built on.
//!
//! `wake.rs` is compiled twice: here with the real atomics, and in `gateway/loom` with loom's, which explore
//! every interleaving. It names neither; each of the two crates has a `sync` module beside it.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
