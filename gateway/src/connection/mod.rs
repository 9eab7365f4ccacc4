//! Sockets and the WebSocket machine on top of them; knows nothing of users or commands.
//!
//! ```text
//!   listener ─► upgrade ─► (handoff to the home shard) ─► driver ─► Application::on_message
//!                                                           ▲              │ writes
//!                                     flush pass ◄── links: outbox of each connection
//! ```
//!
//! Invariants: whatever an application writes during one turn of the loop leaves in one send per connection; bytes
//! read are fed to the machine exactly once, on whichever shard the connection is then.

pub mod address_rate;
pub mod addresses;
pub mod admission;
pub(crate) mod buffers;
pub mod departures;
pub mod driver;
pub mod endpoint;
pub mod flush;
pub mod forwarded;
pub mod links;
pub mod networks;
pub mod outbox;
pub mod upgrade;
pub(crate) mod wheel;
