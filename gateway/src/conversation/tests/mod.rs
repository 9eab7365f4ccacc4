//! The conversation machine against a simple model (promise V2).
//!
//! ```text
//!   actions ─► World: two nodes, each with an owner machine and a writer of its own for each conversation
//!                │  submissions, answers, tails             │ effects
//!                ▼                                          ▼
//!              Log: one per conversation, shared       Ledger: what was asked and answered
//!                └───────────── Model: who belonged when, what may follow what ─────────────┘
//! ```
//!
//! - `store`: the log with compare-and-append as `ringwire_storage::append` documents it, and a writer.
//! - `group`: replays the log, and judges every entry.
//! - `model`: judges every answer and push.
//! - `world`: carries actions out one by one; everything that may be late is late until an action says otherwise.
//! - `effects`: what the machines want done.
//! - `properties`: random actions; planted faults, each of which the model must catch.
//! - `examples`: the same world told step by step.

mod effects;
mod examples;
mod group;
mod model;
mod properties;
mod store;
mod world;

/// What the model found wrong.
type Violation = String;
