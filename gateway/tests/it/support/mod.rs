//! What the tests share: the server as a process, databases, and a client that can also misbehave.
//!
//! ```text
//!   store ─► server (child process) ◄─ http   one request, the raw answer
//!           endpoint ◄─ asks        ◄─ client one WebSocket, in either encoding
//!                                   ◄─ files  uploads and downloads
//!                                        chat         what people do, as one call each
//!                                        flood        sends more than the server can hold
//!                                        participant  sends and receives through any trouble, and keeps the ledger
//! ```
//!
//! Invariant: time decides nothing. A wait ends with what it waits for; [`PATIENCE`] only ends a test that hangs.

pub(crate) mod chat;
pub(crate) mod client;
pub(crate) mod endpoint;
pub(crate) mod files;
pub(crate) mod flood;
pub(crate) mod http;
pub(crate) mod mock;
pub(crate) mod participant;
pub(crate) mod server;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod watch;

use std::time::Duration;

use ringwire_protocol::codec::Encoding;

/// How long a test waits for something that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Both ways to write the schema down.
pub(crate) const ENCODINGS: [Encoding; 2] = [Encoding::Protobuf, Encoding::Json];

/// Whether the long variants are wanted.
pub(crate) fn full() -> bool {
    std::env::var_os("RINGWIRE_TEST_FULL").is_some()
}
