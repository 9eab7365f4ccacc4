//! Ringwire's chat gateway.

pub mod auth;
pub mod config;
pub mod connection;
pub mod limits;
pub mod net;
pub mod secret;
pub mod shard;
