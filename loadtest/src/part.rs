//! The part of a run that one process carries out: its threads, started together and watched while they work.
//!
//! ```text
//!   Order ──► play ──► threads (worker) ── tallies, added up ──► Done
//!   Begin, Stop ──┘         └── snapshots, each second ──► Sample
//! ```
//!
//! A scenario has `threads` threads in all; a process runs a range of them and knows nothing of the others. What the
//! threads of a run have to agree on has to follow from the scenario, or go by way of the server.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::Clock;
use crate::control::{ClockOrder, FromPart, Order, ToPart};
use crate::net;
use crate::scenario::Scenario;
use crate::series::{self, SECOND_US, Snapshot, Told};
use crate::tally::Tally;
use crate::target::Target;
use crate::token::Tokens;
use crate::worker::{self, WorkerError};

/// Descriptors the process needs beside its connections, and per thread.
const OTHER_FILES: u64 = 64;
const FILES_PER_THREAD: u64 = 8;
const WATCH_INTERVAL: Duration = Duration::from_millis(10);
/// How long after the end of an interval a thread that has not told of it yet is waited for.
const SNAPSHOT_PATIENCE_US: u64 = SECOND_US * 9 / 10;
/// Connections from one source address to one server: some 28,000 ports are free, and closed connections hold theirs for
/// a while.
const CONNECTIONS_PER_ADDRESS: u32 = 16_384;

/// What the threads of a process share.
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) target: Target,
    pub(crate) tokens: Tokens,
    /// Tells this run's messages from every other run's.
    pub(crate) id: u32,
    /// Send no more, drain and report.
    stop: AtomicBool,
    /// A thread could not do its part.
    failed: AtomicBool,
    pub(crate) ready_threads: AtomicU32,
    /// When sending begins, on the run's clock; 0: not known yet.
    pub(crate) start_us: AtomicU64,
    clock: Clock,
    threads: Range<u32>,
    /// The newest of each thread here.
    snapshots: Vec<Mutex<Option<Snapshot>>>,
}

/// Why a process cannot do its part.
#[derive(Debug, thiserror::Error)]
enum PartError {
    #[error(
        "{users} users need {needed} open files, but the process may have {limit}; \
         raise the limit (ulimit -n), add processes (--processes) or lower users"
    )]
    Files { users: u64, needed: u64, limit: u64 },
    #[error("the system refuses what the load generator needs: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("a thread of the load generator ended unexpectedly")]
    Panicked,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Run {
    /// Microseconds on the run's clock; never 0.
    pub(crate) fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    /// The end of the last interval that is over: a thread publishes when this has changed.
    pub(crate) fn boundary_us(&self) -> u64 {
        series::boundary_us(self.now_us(), self.start_us.load(Relaxed))
    }

    /// Takes a thread's newest snapshot.
    pub(crate) fn publish(&self, thread: u32, snapshot: Snapshot) {
        let place = &self.snapshots[(thread - self.threads.start) as usize];
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    /// The run was called off, or a thread failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed) || self.failed.load(Relaxed)
    }

    /// The address from which a thread's connection comes; `None`: the system chooses. Only on the loopback are there
    /// addresses to choose from.
    pub(crate) fn source(&self, thread: u32, connection: usize) -> Option<IpAddr> {
        let server = self.target.address.ip();
        if !server.is_ipv4()
            || !server.is_loopback()
            || self.scenario.users <= CONNECTIONS_PER_ADDRESS
        {
            return None;
        }
        let third = (1 + thread % 254) as u8;
        let fourth = (1 + connection / CONNECTIONS_PER_ADDRESS as usize % 254) as u8;
        Some(Ipv4Addr::new(127, 0, third, fourth).into())
    }

    /// The newest of all threads, if each has told of an interval that ended at `at_us` or later, or need not be
    /// waited for.
    fn collect(&self, at_us: u64) -> Option<Snapshot> {
        let be_patient = self.now_us() < at_us + SNAPSHOT_PATIENCE_US;
        let mut all: Option<Snapshot> = None;
        for place in &self.snapshots {
            let place = place.lock().unwrap_or_else(PoisonError::into_inner);
            match &*place {
                Some(one) if one.at_us >= at_us || one.is_last || !be_patient => {
                    all = Some(all.map_or_else(|| one.clone(), |all| all.merge(one)));
                }
                _ if be_patient => return None,
                _ => {}
            }
        }
        all
    }
}

/// Carries out an order to its end; what comes of it is told through `tell`. The run is called off when `orders` ends.
pub(crate) fn play(
    order: Order,
    target: Target,
    tokens: Tokens,
    orders: &Receiver<ToPart>,
    mut tell: impl FnMut(FromPart),
) {
    let last = match conduct(order, target, tokens, orders, &mut tell) {
        Ok(tally) => FromPart::Done(Box::new(tally)),
        Err(error) => FromPart::Failed(error.to_string()),
    };
    tell(last);
}

fn conduct(
    order: Order,
    target: Target,
    tokens: Tokens,
    orders: &Receiver<ToPart>,
    tell: &mut impl FnMut(FromPart),
) -> Result<Tally, PartError> {
    let limit = net::raise_file_limit()?;
    let threads = u64::from(order.threads.end - order.threads.start);
    let users = (u64::from(order.scenario.users) * threads)
        .div_ceil(u64::from(order.scenario.threads).max(1));
    let needed = users + OTHER_FILES + threads * FILES_PER_THREAD;
    if needed > limit {
        return Err(PartError::Files { users, needed, limit });
    }
    let run = Arc::new(Run {
        scenario: order.scenario,
        target,
        tokens,
        id: order.run_id,
        stop: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        ready_threads: AtomicU32::new(0),
        start_us: AtomicU64::new(0),
        clock: match order.clock {
            ClockOrder::Shared { epoch_us } => Clock::shared(epoch_us),
            ClockOrder::Showing { now_us } => Clock::showing(now_us),
        },
        snapshots: order.threads.clone().map(|_| Mutex::new(None)).collect(),
        threads: order.threads,
    });
    let mut handles = Vec::new();
    for thread in run.threads.clone() {
        let on_thread = Arc::clone(&run);
        let spawned = thread::Builder::new().name(format!("load-{thread}")).spawn(move || {
            let result = worker::run(&on_thread, thread);
            if result.is_err() {
                on_thread.failed.store(true, Relaxed);
            }
            result
        });
        handles.push(spawned.inspect_err(|_| run.failed.store(true, Relaxed))?);
    }
    watch(&run, &handles, orders, tell);

    let mut tally = Tally::new(0);
    let mut failure = None;
    for handle in handles {
        match handle.join().map_err(|_| PartError::Panicked)? {
            Ok(part) => tally.merge(part),
            // The first failure is the cause; the others were called off.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(tally), |error| Err(error.into()))
}

/// Passes on orders and tells how it goes until all threads are done.
fn watch<T>(
    run: &Run,
    handles: &[thread::JoinHandle<T>],
    orders: &Receiver<ToPart>,
    tell: &mut impl FnMut(FromPart),
) {
    let mut told = Told::default();
    let mut told_us = 0;
    let mut is_ready = false;
    let mut is_over = false;
    let threads = run.threads.end - run.threads.start;
    while !handles.iter().all(thread::JoinHandle::is_finished) {
        match orders.recv_timeout(WATCH_INTERVAL) {
            Ok(ToPart::Begin { at_us }) => run.start_us.store(at_us, Release),
            Ok(ToPart::Stop) => run.stop.store(true, Relaxed),
            Ok(ToPart::Order(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                run.stop.store(true, Relaxed);
                thread::sleep(WATCH_INTERVAL);
            }
        }
        if !is_ready && !run.is_stopped() && run.ready_threads.load(Acquire) == threads {
            is_ready = true;
            tell(FromPart::Ready);
        }
        let boundary_us = run.boundary_us();
        if boundary_us > told_us
            && !is_over
            && let Some(all) = run.collect(boundary_us)
        {
            told_us = boundary_us;
            is_over = all.is_last;
            let at_us = if is_over { all.at_us } else { boundary_us };
            let sample = told.news(&Snapshot { at_us, ..all });
            tell(FromPart::Sample(Box::new(sample)));
        }
    }
    if !is_over && let Some(all) = run.collect(0) {
        tell(FromPart::Sample(Box::new(told.news(&all))));
    }
}
