//! Tests against the real server, each run as a process of its own; one file for each promise or piece of work.

mod account;
mod bad_input;
mod browser;
mod chromium;
mod connecting;
mod durability;
mod groups;
mod limits;
mod ordering;
mod page;
mod reading;
mod retention;
mod secrets;
mod sending;
mod slow_consumer;
mod support;
mod tokens;
mod two_nodes;
mod upgrade;
