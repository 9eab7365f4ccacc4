//! What operators do with a database besides serving from it: bring its schema up to date, look for damage, move it.
//!
//! ```text
//!   migrate  ── the same steps as at a server's start
//!   check    ── queries ─► Session::read ─► pages of rows ─► findings
//!   keys     ── queries ─► Session::rows ─► how far a rotation is
//!   copy     ── tables  ─► Session::read ─► pages of rows ─► the other database
//! ```
//!
//! A tool has one `Session`: a connection of its own, without the pool, the writers and the time
//! limits of a server. Rows travel as plain values in pages of bounded size, so memory does not grow with the database.

pub mod check;
pub mod copy;
pub mod keys;
pub mod migrate;
mod postgres;
mod session;
mod sqlite;
mod tables;
mod value;
