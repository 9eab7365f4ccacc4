//! Micro-benchmarks (`benches/`), side-by-side comparisons (`compare/`) and dated records (`record/`).

pub mod client;
pub mod gateway;
pub mod load;
pub mod peer;
pub mod poll;
pub mod probe;
pub mod process;
pub mod server;
pub mod steadiness;
