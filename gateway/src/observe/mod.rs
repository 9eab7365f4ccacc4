//! What the server tells about itself in numbers: counted where it happens, read when somebody asks.
//!
//! ```text
//!   shard: Figures, plain numbers ─ four times a second ─► Block, atomics of its own ─┐
//!   queues: their own lengths ────────────────────────────────────────────────────────┼─► Board ─► /metrics, /health/ready
//!   /proc: memory, processor time by thread ──────────────────────────────────────────┘
//!   sampled entries: spans ─► bounded queue ─► Exporter (service thread) ─► an OpenTelemetry collector
//! ```
//!
//! Invariants: a shard adds to memory that it alone writes and reads no clock for it; what is read may be a second old
//! and is never in the way of who counts; labels come from tables of the program, never from what a peer sent.

pub mod board;
pub mod exporter;
mod exposition;
pub mod figures;
pub mod kinds;
mod process;
pub mod stats;
pub mod trace;

pub use exposition::register;
