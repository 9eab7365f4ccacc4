//! Ringwire's chat gateway.

pub mod api;
pub mod auth;
pub mod cli;
pub mod config;
pub mod connection;
pub mod limits;
pub mod logging;
pub mod net;
pub mod secret;
pub mod server;
pub mod shard;
pub mod startup;
