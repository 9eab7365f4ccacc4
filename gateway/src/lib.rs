//! Ringwire's chat gateway.

pub mod auth;
pub mod config;
pub mod secret;
pub mod shard;
