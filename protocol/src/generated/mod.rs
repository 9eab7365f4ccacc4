//! The schema's types, compiled by `cargo xtask codegen`; never edited by hand.
#![allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]

include!("ringwire.v1.rs");
include!("ringwire.v1.serde.rs");
