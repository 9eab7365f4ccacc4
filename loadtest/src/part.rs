//! The part of a run that one process carries out: its threads, started together and watched while they work.
//!
//! ```text
//!   Order ──► play ──► threads (worker) ── tallies, added up ──► Done
//!   Begin, Stop ──┘         └── snapshots, each second ──► Sample
//! ```
//!
//! Lanes are the threads of all processes; a process runs a range of them. What the threads of one process have to
//! agree on they share here; what concerns other processes goes by way of the run (`relay`, gates).

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::control::{ClockOrder, FromPart, Order, ToPart};
use crate::founding::Kind;
use crate::layout::Layout;
use crate::meeting::{Gate, Meeting};
use crate::net;
use crate::relay::{self, Relay};
use crate::scenario::{Conversation, Scenario};
use crate::series::{self, SECOND_US, Snapshot, Told};
use crate::tally::Tally;
use crate::target::Target;
use crate::token::Tokens;
use crate::worker::{self, WorkerError};

/// Descriptors the process needs beside its connections, and per thread.
const OTHER_FILES: u64 = 64;
const FILES_PER_THREAD: u64 = 12;
/// Rates and shares of a shorter time of sending say nothing.
pub(crate) const SHORTEST_SENDING: Duration = Duration::from_millis(100);
const WATCH_INTERVAL: Duration = Duration::from_millis(10);
/// How often the run is told that this process is at work.
const ALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// How long after the end of an interval a thread that has not told of it yet is waited for.
const SNAPSHOT_PATIENCE_US: u64 = SECOND_US * 9 / 10;
/// Connections from one source address to one server: some 28,000 ports are free, and closed connections hold theirs
/// for a while.
const CONNECTIONS_PER_ADDRESS: u32 = 16_384;

/// What the threads of a process share.
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) target: Target,
    pub(crate) tokens: Tokens,
    /// Tells this run's messages from every other run's.
    pub(crate) id: u32,
    /// Lanes whose clock is this process's: when they say a message was due can be held against what time it is here.
    pub(crate) same_clock: Range<u32>,
    /// Who sits where.
    pub(crate) layout: Layout,
    /// The lane of this process's first thread, and how many lanes there are.
    pub(crate) first_lane: u32,
    pub(crate) lanes: u32,
    /// What the members of each conversation know of each other.
    pub(crate) meetings: Vec<Meeting>,
    /// Lanes of this process whose users are all live.
    pub(crate) ready: Gate,
    /// Lanes of this process that have drained; it opens when all lanes have.
    pub(crate) closed: Gate,
    /// Send no more, drain and report.
    stop: AtomicBool,
    /// A thread could not do its part.
    pub(crate) failed: AtomicBool,
    /// When sending begins, on the run's clock; 0: not known yet.
    pub(crate) start_us: AtomicU64,
    clock: Clock,
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
        let place = &self.snapshots[thread as usize];
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    /// The run was called off, or a thread failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed) || self.failed.load(Relaxed)
    }

    /// Members of one conversation sit in several processes.
    pub(crate) fn is_split_over_processes(&self) -> bool {
        self.layout.is_split() && self.snapshots.len() < self.lanes as usize
    }

    /// What the first member of a conversation has to open.
    pub(crate) fn founding_kind(&self) -> Kind {
        match self.scenario.conversation {
            Conversation::None {} | Conversation::Alone {} | Conversation::Pairs {} => Kind::Direct,
            Conversation::Groups { .. } => Kind::Group,
            Conversation::Room {} => Kind::Room,
        }
    }

    /// The address from which a lane's connection comes; see [`source`].
    pub(crate) fn source(&self, lane: u32, connection: usize) -> Option<IpAddr> {
        source(self.target.address.ip(), self.scenario.users, lane, connection)
    }

    /// When the last interval ended. What drained just behind the end of one that was not told of yet belongs to that
    /// one.
    fn last_end_us(&self, all: &Snapshot, told_us: u64) -> u64 {
        let boundary_us = series::boundary_us(all.at_us, self.start_us.load(Relaxed));
        let is_whole = boundary_us > told_us && all.at_us - boundary_us < SECOND_US / 2;
        if is_whole { boundary_us } else { all.at_us }
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
    let layout = Layout::new(&order.scenario, order.lanes);
    let threads = order.own_lanes.end.saturating_sub(order.own_lanes.start);
    let users: usize = order
        .own_lanes
        .clone()
        .map(|lane| layout.conversations_of(lane).count() * layout.members_of(lane).count())
        .sum();
    let needed = users as u64 + OTHER_FILES + u64::from(threads) * FILES_PER_THREAD;
    if needed > limit {
        return Err(PartError::Files { users: users as u64, needed, limit });
    }
    let run = Arc::new(Run {
        scenario: order.scenario,
        target,
        tokens,
        id: order.run_id,
        same_clock: order.same_clock,
        layout,
        first_lane: order.own_lanes.start,
        lanes: order.lanes,
        meetings: (0..layout.conversations).map(|_| Meeting::default()).collect(),
        ready: Gate::default(),
        closed: Gate::default(),
        stop: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        start_us: AtomicU64::new(0),
        clock: match order.clock {
            ClockOrder::Shared { epoch_us } => Clock::shared(epoch_us),
            ClockOrder::Showing { now_us } => Clock::showing(now_us),
        },
        snapshots: (0..threads).map(|_| Mutex::new(None)).collect(),
    });
    let mut handles = Vec::new();
    for thread in 0..threads {
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
    let mut is_drained = false;
    let mut is_over = false;
    let mut relay = Relay::new(if run.is_split_over_processes() { run.meetings.len() } else { 0 });
    let threads = handles.len() as u32;
    let mut alive = Instant::now();
    while !handles.iter().all(thread::JoinHandle::is_finished) {
        match orders.recv_timeout(WATCH_INTERVAL) {
            Ok(ToPart::Begin { at_us }) => run.start_us.store(at_us, Release),
            Ok(ToPart::Stop) => run.stop.store(true, Relaxed),
            Ok(ToPart::Met(news)) => relay::heard(&run.meetings, &news),
            Ok(ToPart::Close) => run.closed.open(),
            Ok(ToPart::Order(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                run.stop.store(true, Relaxed);
                run.closed.open();
                thread::sleep(WATCH_INTERVAL);
            }
        }
        if alive.elapsed() >= ALIVE_INTERVAL {
            alive = Instant::now();
            tell(FromPart::Alive);
        }
        if !is_ready && !run.is_stopped() && run.ready.arrived() == threads {
            is_ready = true;
            if let Some(all) = run.collect(0) {
                tell(FromPart::Sample(Box::new(told.news(&all))));
            }
            tell(FromPart::Ready);
        }
        let news = relay.news(&run.meetings);
        if !news.is_empty() {
            tell(FromPart::Met(news));
        }
        if !is_drained && run.closed.arrived() == threads {
            is_drained = true;
            tell(FromPart::Drained);
        }
        let boundary_us = run.boundary_us();
        if boundary_us > told_us
            && !is_over
            && let Some(all) = run.collect(boundary_us)
        {
            is_over = all.is_last;
            let at_us = if is_over { run.last_end_us(&all, told_us) } else { boundary_us };
            let sample = told.news(&Snapshot { at_us, ..all });
            tell(FromPart::Sample(Box::new(sample)));
            told_us = boundary_us;
        }
    }
    if !is_over && let Some(all) = run.collect(0) {
        let at_us = run.last_end_us(&all, told_us);
        tell(FromPart::Sample(Box::new(told.news(&Snapshot { at_us, ..all }))));
    }
}

/// The address from which a lane's connection comes; `None`: the system chooses. Only on the loopback are there
/// addresses to choose from.
fn source(server: IpAddr, users: u32, lane: u32, connection: usize) -> Option<IpAddr> {
    if !server.is_ipv4() || !server.is_loopback() || users <= CONNECTIONS_PER_ADDRESS {
        return None;
    }
    let third = (1 + lane % 254) as u8;
    let fourth = (1 + connection / CONNECTIONS_PER_ADDRESS as usize % 254) as u8;
    Some(Ipv4Addr::new(127, 0, third, fourth).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_users_on_the_loopback_come_from_many_addresses() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(source(loopback, CONNECTIONS_PER_ADDRESS, 0, 0), None);
        assert_eq!(source("10.0.0.1".parse().unwrap(), 1_000_000, 0, 0), None);
        assert_eq!(source("::1".parse().unwrap(), 1_000_000, 0, 0), None);
        let from =
            |lane, connection| source(loopback, 1_000_000, lane, connection).unwrap().to_string();
        assert_eq!(from(0, 0), "127.0.1.1");
        assert_eq!(from(0, CONNECTIONS_PER_ADDRESS as usize), "127.0.1.2");
        assert_eq!(from(3, 16_383), "127.0.4.1");
    }
}
