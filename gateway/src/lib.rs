//! Ringwire's chat gateway.

pub mod shard;
