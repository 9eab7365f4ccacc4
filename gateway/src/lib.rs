//! Ringwire's chat gateway.

pub mod config;
pub mod connection;
pub mod limits;
pub mod net;
pub mod shard;
