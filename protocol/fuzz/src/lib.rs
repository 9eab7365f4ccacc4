//! The functions that are fuzzed; they live beside the tests that replay the corpus.

#[path = "../../tests/fuzz_targets/mod.rs"]
pub mod targets;
