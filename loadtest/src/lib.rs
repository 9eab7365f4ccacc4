//! The load generator: virtual users who talk at a rate that does not wait for the server, and a ledger that proves what
//! became of every message.
//!
//! ```text
//!   scenario ──► arrival (rate): when each send is due; cuts: when connections end; layout: who sits where
//!   token, target ──► fleet: threads ──► worker: ramp, pace, drain ──► crew: users ──► driver: sockets
//!                       (meeting)           │                        (seating)  │
//!                                           ▼                                   ▼ frames
//!                              verify: ledger, checker  ◄── events ── client: one user (founding, inbox, outgoing)
//!                              latency, tally
//!                                           │
//!                                           ▼
//!                              threshold: verdict ──► report
//! ```
//!
//! Invariants: a send is due when the schedule says so and is never skipped; latency counts from then. Whatever can
//! be pure is: sockets and clocks are known to `net`, `driver`, `crew`, `worker` and `fleet` only. [`verify`] is used by
//! the gateway's integration tests as well.

pub mod arrival;
mod cuts;
pub mod layout;
mod rate;
pub mod scenario;

mod message;
pub mod target;
pub mod token;

mod client;
mod founding;
mod inbox;
mod outgoing;

pub mod fleet;
mod meeting;
mod worker;

mod crew;
mod driver;
mod net;
mod seating;
pub mod tls;

pub mod latency;
pub mod tally;
pub mod verify;

mod progress;
pub mod report;
pub mod threshold;
