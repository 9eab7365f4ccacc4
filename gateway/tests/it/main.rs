//! Tests against the real server, each run as a process of its own; one file for each promise or piece of work.

mod account;
mod bad_input;
mod browser;
mod chaos;
mod chromium;
mod connecting;
mod durability;
mod full_queue;
mod groups;
mod limits;
mod ordering;
mod outage;
mod page;
mod poison;
mod power_loss;
mod reading;
mod retention;
mod secrets;
mod sending;
mod slow_consumer;
mod support;
mod tokens;
mod tools;
mod two_nodes;
mod upgrade;
