//! Tests against the real server, each run as a process of its own; one file for each promise or piece of work.

mod bad_input;
mod browser;
mod chromium;
mod connecting;
mod ordering;
mod page;
mod sending;
mod support;
mod upgrade;
