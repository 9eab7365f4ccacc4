//! Tests against the real server, each run as a process of its own; one file for each promise or piece of work.

mod browser;
mod chromium;
mod ordering;
mod page;
mod sending;
mod support;
