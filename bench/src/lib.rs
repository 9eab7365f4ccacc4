//! Micro-benchmarks (`benches/`), side-by-side comparisons (`compare/`) and dated records (`record/`).

pub mod gateway;
pub mod process;
