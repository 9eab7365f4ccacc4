//! Ringwire's chat gateway, in the order in which a message meets its parts.
//!
//! ```text
//!   net ─► connection ─► session ─► command ─► conversation ─► persist ─► fanout ─► connection
//!                            shard: the loop that calls them · service, api: database reads and HTTP
//! ```

pub use ringwire_net as net;

pub mod placement;
pub mod refusals;

pub mod connection;
pub mod session;

pub mod auth;
pub mod permissions;

pub mod command;
pub mod conversation;
pub mod fanout;
pub mod pacing;
pub mod persist;
pub mod presence;

pub mod shard;

pub mod api;
pub mod export;
pub mod files;
pub mod hooks;
pub mod outbound;
pub mod push;
pub mod service;

pub mod observe;

pub mod body_keys;
pub mod cli;
pub mod config;
pub mod limits;
pub mod logging;
pub mod memory;
pub mod operate;
pub mod secret;
pub mod server;
pub mod startup;
