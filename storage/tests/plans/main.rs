//! The plan of every statement the store issues, at 1,000,000 entries: none reads a growing table from end to end.
//!
//! ```text
//!   fill (SQL) ─► exercise: the whole API ─► what the database ran ─┬─► its plans
//!                                                                  └─► are all statements of the source among it?
//! ```
//!
//! The database itself tells what it ran, so no statement escapes by not being listed here; and every statement in the
//! source has to have been run, so none escapes by not being exercised. Postgres is asked before it has statistics and
//! after, for the plans it made for the values at hand and for those it makes for any.

mod accounts;
mod changes;
mod exercise;
mod fill;
mod postgres;
mod source;
mod sqlite;
#[expect(dead_code, reason = "shared with the contract suite, which needs more of it")]
#[path = "../support/mod.rs"]
mod support;
