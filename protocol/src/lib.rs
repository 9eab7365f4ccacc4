//! Ringwire's wire protocol, version 1, without sockets, runtimes or clocks.
//!
//! ```text
//!   bytes from the network                                              bytes to the network
//!        │                                                                      ▲
//!        ▼                                                                      │
//!   websocket::handshake ─► websocket::{frame, assembler} ─► connection (sans-IO machine)
//!                                                               │            ▲
//!                                                   messages    ▼            │   messages
//!                                                            codec: Command / ServerFrame
//!                                                         (Protobuf or JSON, one schema: wire)
//!                                                            glance: the two most frequent frames, undecoded
//! ```
//!
//! Invariants: nothing here panics on input from a peer; nothing allocates what a header merely claims; splitting the
//! same bytes differently gives the same messages.

pub mod codec;
pub mod connection;
pub mod error;
pub mod glance;
pub mod ids;
mod misfit;
pub mod websocket;

/// The schema's types, as `proto/ringwire.proto` describes them.
#[path = "generated/mod.rs"]
pub mod wire;

/// The messages of the schema as JSON schemas, in the form of OpenAPI's components, and for every command its message,
/// its reply and its refusals: JSON.
pub const SCHEMA_JSON: &str = include_str!("generated/schema.json");

pub use error::{CloseReason, CommandError, ErrorCode};
pub use ids::{ConversationId, MsgNo, Seq, UnixMs, UserId};
