//! Whole servers on one thread: real shards, mailboxes and conversations; a network, a database and clients that are
//! played; virtual time; and faults that all follow from one seed, so that every run can be repeated.
//!
//! ```text
//!                    ┌──────────────── world: one queue of events in virtual time ────────────────┐
//!   device ── socket ──► shard ── mailbox ──► shard ──► writer ──► database                        │
//!   real protocol     real: State, Links,      played: appends, rivals, outages, lost answers      │
//!   machine, rules    conversations, fan-out   service: snapshots and pages by the real `rows`     │
//!                    └─────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Checked at every step: nothing is acknowledged or shown that is not committed, or to somebody it is not for; each command
//! is answered at most once; no gap without a word. In the end, when everything has healed: every device of every member has
//! the identical whole log, each sender's messages are there once and in order, cursors are where they were left, nothing is
//! under way and no credit is missing.
//!
//! Invariant: nothing in here reads a clock, a random source of the system or the order of a hash map, so the same seed
//! gives the same trace.

mod actions;
mod check;
mod database;
mod device;
mod faults;
mod hearing;
mod journal;
mod network;
mod node;
mod outgoing;
mod plan;
mod random;
mod roster;
mod sabotage;
mod service;
mod socket;
mod view;
mod world;
mod writer;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

pub use sabotage::Sabotage;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How long it took in virtual time, in microseconds.
    pub virtual_us: u64,
    /// A hash of everything that happened.
    pub trace_hash: u64,
    /// Broken promises.
    pub findings: Vec<String>,
    /// What was met, and how often.
    pub met: BTreeMap<&'static str, u64>,
}

/// Runs one seed; with `print` the trace goes to the standard output.
///
/// # Errors
///
/// The machine lacks what a simulated node needs, such as descriptors.
pub fn run(seed: u64, sabotage: Sabotage, print: bool) -> Result<Report> {
    world::World::new(seed, sabotage, print)?.run()
}

/// Runs many seeds, so many at a time; each of them stays on one thread. The reports come in the order of the seeds.
///
/// # Errors
///
/// As [`run`].
pub fn run_seeds(seeds: Range<u64>, threads: usize) -> Result<Vec<(u64, Report)>> {
    let (next, reports) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            let report = run(seed, Sabotage::None, false)?;
            reports.lock().unwrap_or_else(PoisonError::into_inner).push((seed, report));
        }
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })?;
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|(seed, _)| *seed);
    Ok(reports)
}

/// What many runs met, added up.
pub fn met(reports: &[(u64, Report)]) -> BTreeMap<&'static str, u64> {
    let mut met = BTreeMap::new();
    for (what, count) in reports.iter().flat_map(|(_, report)| &report.met) {
        *met.entry(*what).or_default() += count;
    }
    met
}
