//! All threads of a run: started together, watched while they send, their counts added up.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::founding::Kind;
use crate::layout::Layout;
use crate::meeting::{Gate, Meeting};
use crate::net;
use crate::progress::{Snapshot, Watch};
use crate::scenario::{Conversation, Scenario};
use crate::tally::Tally;
use crate::target::Target;
use crate::token::Tokens;
use crate::worker::{self, WorkerError};

/// Between the moment all threads are ready and the first time a send can be due.
const START_DELAY_US: u64 = 20_000;
/// Descriptors the process needs beside its connections, and per thread.
const OTHER_FILES: u64 = 64;
const WATCH_INTERVAL: Duration = Duration::from_millis(10);

/// What all threads share.
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) target: Target,
    pub(crate) tokens: Tokens,
    /// Tells this run's messages from every other run's.
    pub(crate) id: u32,
    /// Set from outside: send no more, drain and report.
    pub(crate) stop: Arc<AtomicBool>,
    /// A thread could not do its part.
    pub(crate) failed: AtomicBool,
    /// Who sits where; lanes are the threads of all processes.
    pub(crate) layout: Layout,
    /// The lane of this process's first thread, and how many lanes there are.
    pub(crate) first_lane: u32,
    pub(crate) lanes: u32,
    /// What the members of each conversation know of each other.
    pub(crate) meetings: Vec<Meeting>,
    /// Lanes whose users are all live.
    pub(crate) ready: Gate,
    /// Lanes that have drained.
    pub(crate) closed: Gate,
    /// When sending begins, on the run's clock; 0: not known yet.
    pub(crate) start_us: AtomicU64,
    epoch: Instant,
    snapshots: Vec<Mutex<Option<Snapshot>>>,
}

/// What a run came to.
#[derive(Debug)]
pub struct RunResult {
    /// The counts of all threads.
    pub tally: Tally,
    /// Who sat where, and how much was remembered.
    pub layout: Layout,
    /// It was stopped before its schedule ended.
    pub interrupted: bool,
    /// How long sends were offered.
    pub sending: Duration,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// More users than the process may hold connections.
    #[error(
        "{users} users need {needed} open files, but the process may have {limit}; \
         raise the limit (ulimit -n) or lower users"
    )]
    Files {
        /// Users of the scenario.
        users: u32,
        /// What they need.
        needed: u64,
        /// What there is.
        limit: u64,
    },
    /// The system refused something.
    #[error("the system refuses what the load generator needs")]
    Io(#[from] std::io::Error),
    /// A thread could not do its part.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A thread ended by a panic.
    #[error("a thread of the load generator ended unexpectedly")]
    Panicked,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Run {
    /// Microseconds since the process began the run; never 0.
    pub(crate) fn now_us(&self) -> u64 {
        self.epoch.elapsed().as_micros() as u64 + 1
    }

    pub(crate) fn publish(&self, thread: u32, snapshot: Snapshot) {
        let mut place =
            self.snapshots[thread as usize].lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(snapshot);
    }

    pub(crate) fn collect(&self) -> Option<Snapshot> {
        let snapshots = self
            .snapshots
            .iter()
            .filter_map(|place| place.lock().unwrap_or_else(PoisonError::into_inner).clone());
        snapshots.reduce(|all, one| all.merge(&one))
    }

    /// What the first member of a conversation has to open.
    pub(crate) fn founding_kind(&self) -> Kind {
        match self.scenario.conversation {
            Conversation::None {} | Conversation::Pairs {} => Kind::Direct,
            Conversation::Groups { .. } => Kind::Group,
            Conversation::Room {} => Kind::Room,
        }
    }

    /// The run was called off, or a thread failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed) || self.failed.load(Relaxed)
    }
}

/// Carries out a scenario. Setting `stop` ends the sending early and cleanly. `progress`: a line each second to
/// standard error.
pub fn run(
    scenario: Scenario,
    target: Target,
    tokens: Tokens,
    stop: Arc<AtomicBool>,
    progress: bool,
) -> Result<RunResult, FleetError> {
    let limit = net::raise_file_limit()?;
    let needed = u64::from(scenario.users) + OTHER_FILES + u64::from(scenario.threads) * 8;
    if needed > limit {
        return Err(FleetError::Files { users: scenario.users, needed, limit });
    }
    let threads = scenario.threads;
    let layout = Layout::new(&scenario, threads);
    let run = Arc::new(Run {
        scenario,
        target,
        tokens,
        id: rand::random(),
        stop,
        failed: AtomicBool::new(false),
        layout,
        first_lane: 0,
        lanes: threads,
        meetings: (0..layout.conversations).map(|_| Meeting::default()).collect(),
        ready: Gate::default(),
        closed: Gate::default(),
        start_us: AtomicU64::new(0),
        epoch: Instant::now(),
        snapshots: (0..threads).map(|_| Mutex::new(None)).collect(),
    });
    let handles = (0..threads)
        .map(|thread| {
            let run = Arc::clone(&run);
            thread::Builder::new().name(format!("load-{thread}")).spawn(move || {
                let result = worker::run(&run, thread);
                if result.is_err() {
                    run.failed.store(true, Relaxed);
                }
                result
            })
        })
        .collect::<Result<Vec<_>, _>>();
    let handles = handles.inspect_err(|_| run.failed.store(true, Relaxed))?;

    let mut watch = Watch::new(progress);
    let mut stopped_at_us = None;
    while !handles.iter().all(thread::JoinHandle::is_finished) {
        thread::sleep(WATCH_INTERVAL);
        if run.start_us.load(Relaxed) == 0 && run.ready.arrived() == threads {
            run.start_us.store(run.now_us() + START_DELAY_US, Release);
        }
        if run.closed.arrived() == threads {
            run.closed.open();
        }
        if run.stop.load(Relaxed) {
            stopped_at_us.get_or_insert_with(|| run.now_us());
        }
        if watch.is_due()
            && let Some(all) = run.collect()
        {
            let start_us = run.start_us.load(Relaxed);
            let sending_us = run.now_us().checked_sub(start_us).filter(|_| start_us > 0);
            watch.tell(&all, sending_us);
        }
    }
    watch.end();

    let mut tally: Option<Tally> = None;
    let mut failure = None;
    for handle in handles {
        match handle.join().map_err(|_| FleetError::Panicked)? {
            Ok(part) => match &mut tally {
                Some(tally) => tally.merge(part),
                None => tally = Some(part),
            },
            // The first failure is the cause; the others were called off.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if let Some(error) = failure {
        return Err(error.into());
    }
    let whole = Duration::from_secs_f64(run.scenario.duration_s);
    let start_us = run.start_us.load(Relaxed);
    let sending = stopped_at_us.map_or(whole, |at_us| match start_us {
        0 => Duration::ZERO,
        start_us => Duration::from_micros(at_us.saturating_sub(start_us)).min(whole),
    });
    let mut tally = tally.unwrap_or_else(|| Tally::new(0));
    tally.judge_pieces();
    Ok(RunResult { tally, layout, interrupted: sending < whole, sending })
}
