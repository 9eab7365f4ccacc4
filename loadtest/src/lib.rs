//! The load generator: virtual users who talk at a rate that does not wait for the server, and a ledger that proves
//! what became of every message.
//!
//! ```text
//!   scenario ──► arrival (rate): when each send is due; cuts: when connections end; layout: who sits where
//!   token, target ──► fleet ──link──► part ──► worker: ramp, pace, drain ──► crew: users ──► driver: sockets
//!                       │  (processes)  (threads, meeting)            (seating) │
//!                       ▼                                                       ▼ messages
//!             series, server, live view     verify: ledger, checker ◄── player: one user, of Ringwire (client:
//!                       │                                     founding, inbox, outgoing) or elsewhere (guest: adapter)
//!                       │                   latency, tally
//!                       ▼
//!             threshold: verdict ──► report ──► page, export; compare, capacity
//! ```
//!
//! Invariants: a send is due when the schedule says so and is never skipped; latency counts from then. Whatever can be
//! pure is: sockets and clocks are known to `net`, `driver`, `reading`, `flush`, `crew`, `worker`, `part`, `link`, `fleet` and
//! `server` only. [`verify`] is used by the gateway's integration tests as well.

pub mod arrival;
mod cuts;
pub mod layout;
mod rate;
pub mod scenario;

mod message;
pub mod target;
pub mod token;

mod adapter;
mod client;
mod founding;
mod guest;
mod inbox;
mod outgoing;
mod player;

mod clock;
mod control;
pub mod fleet;
pub mod link;
mod meeting;
mod part;
mod relay;
pub mod secret;
mod worker;
pub mod worker_host;

mod crew;
mod driver;
mod flush;
mod net;
mod reading;
mod seating;
pub mod tls;

pub mod latency;
pub mod tally;
pub mod verify;

pub mod capacity;
pub mod compare;
pub mod export;
pub mod live;
pub mod machine;
pub mod page;
pub mod report;
pub mod series;
pub mod server;
pub mod threshold;
