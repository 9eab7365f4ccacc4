//! Ringwire's chat gateway.

pub mod config;
pub mod shard;
