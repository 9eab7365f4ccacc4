//! A whole run: its processes reached, ordered about and heard, their counts added up.
//!
//! ```text
//!   Setup ──► links ──► hello ──► orders (threads shared out) ──► all ready ──► begin ──► samples ──► done
//!                                                                                │
//!                                         view, series, what the server uses ◄───┘
//! ```
//!
//! Every process runs as many threads as the scenario says; together they are the lanes of one run, so that all that
//! threads share out (users, sends, the rate of connecting) is shared out over processes as well. Histograms are
//! added bucket by bucket: the figures are those of all processes together, as if there were one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use crate::clock::{self, Clock};
use crate::control::{ClockOrder, FromPart, Order, ToPart, VERSION};
use crate::layout::Layout;
use crate::link::{Events, Here, Link, LinkError, Place};
use crate::live::View;
use crate::machine::Machine;
use crate::relay::Board;
use crate::scenario::Scenario;
use crate::series::{Interval, Series};
use crate::server::{Cost, Watch};
use crate::tally::Tally;
use crate::target::Target;
use crate::token::Tokens;

/// Between the moment all processes are ready and the first time a send can be due.
const START_DELAY_US: u64 = 20_000;
/// The same where the word has to travel to other hosts.
const FAR_START_DELAY_US: u64 = 500_000;
const TURN: Duration = Duration::from_millis(10);
/// What took longer was no turn of a run that could go on.
const LONGEST_TURN: Duration = Duration::from_secs(1);
/// What processes said and was not yet taken in. Full, they wait: that delays no send.
const MAX_EVENTS: usize = 256;
/// How long a process may take to say hello.
const HELLO_LIMIT: Duration = Duration::from_secs(30);
/// How long a process may say nothing once it has its order: it says so each second that it is at work, but not while it
/// puts its counts together.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// The most threads of all processes together.
const MAX_LANES: u32 = 4096;

/// What a run needs.
#[derive(Debug)]
pub struct Setup {
    /// What to do; its threads are those of each process.
    pub scenario: Scenario,
    /// The server.
    pub url: String,
    /// The processes.
    pub places: Vec<Place>,
    /// What of the server is watched.
    pub server: Option<Watch>,
    /// Who looks on.
    pub view: View,
    /// Set from outside: send no more, drain and report.
    pub stop: Arc<AtomicBool>,
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
    /// How it went over time.
    pub intervals: Vec<Interval>,
    /// When the first send could be due.
    pub started_at: SystemTime,
    /// Where it was conducted, as it was before the first connection.
    pub machine: Machine,
    /// What the server used meanwhile, where it was watched, or why that cannot be told.
    pub server: Option<Result<Cost, String>>,
    /// How many processes took part.
    pub processes: u32,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A process could not be reached.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A process could not do its part.
    #[error("{0}")]
    Part(String),
    /// More threads than there can be.
    #[error("{0} threads in all; there can be {MAX_LANES}")]
    Lanes(u64),
}

/// Carries out a scenario in this process. Setting `stop` ends the sending early and cleanly. `progress`: a line each
/// second to standard error.
pub fn run(
    scenario: Scenario,
    target: Target,
    tokens: Tokens,
    stop: Arc<AtomicBool>,
    progress: bool,
) -> Result<RunResult, FleetError> {
    let url = target.url.clone();
    let places = vec![Place::Here(Box::new(Here { target, tokens }))];
    let view = if progress { View::stderr() } else { View::none() };
    run_at(Setup { scenario, url, places, server: None, view, stop })
}

/// Carries out a scenario wherever it is to be.
pub fn run_at(setup: Setup) -> Result<RunResult, FleetError> {
    let machine = Machine::look();
    let (channel, events) = mpsc::sync_channel(MAX_EVENTS);
    let mut links = Vec::new();
    for (number, place) in setup.places.into_iter().enumerate() {
        links.push(Link::open(place, Events::new(number, channel.clone()))?);
    }
    drop(channel);
    let clock = Clock::start();
    let hosts = hear_hellos(&links, &events)?;
    let orders = share_out(&setup.scenario, &setup.url, &hosts, clock)?;
    let layout = Layout::new(&setup.scenario, setup.scenario.threads * links.len() as u32);
    for (link, order) in links.iter_mut().zip(orders) {
        link.tell(ToPart::Order(Box::new(order)));
    }
    let is_far = hosts.iter().any(|&is_here| !is_here);
    let mut fleet = Fleet {
        duration: Duration::from_secs_f64(setup.scenario.duration_s),
        scenario: setup.scenario,
        layout,
        ready: 0,
        drained: vec![false; links.len()],
        awake: Duration::ZERO,
        heard: vec![Some(Duration::ZERO); links.len()],
        board: Board::new(links.len()),
        links,
        clock,
        start_delay_us: if is_far { FAR_START_DELAY_US } else { START_DELAY_US },
        start_us: 0,
        started_at: SystemTime::now(),
        stopped_at_us: None,
        series: Series::new(),
        tally: None,
        failure: None,
        machine,
        server: setup.server,
        view: setup.view,
    };
    fleet.conduct(&events, &setup.stop);
    fleet.finish()
}

/// Waits until every process has said who it is; answers which have this process's clock.
fn hear_hellos(
    links: &[Link],
    events: &Receiver<(usize, FromPart)>,
) -> Result<Vec<bool>, FleetError> {
    let own = clock::host_id();
    let mut hosts = vec![None; links.len()];
    while hosts.iter().any(Option::is_none) {
        let (number, event) = events.recv_timeout(HELLO_LIMIT).map_err(|_| {
            FleetError::Part("a process of the load generator says nothing".to_owned())
        })?;
        let name = &links[number].name;
        match event {
            FromPart::Hello(hello) if hello.version == VERSION => {
                hosts[number] = Some(hello.host_id.is_some() && hello.host_id == own);
            }
            FromPart::Hello(hello) => {
                return Err(FleetError::Part(format!(
                    "{name} speaks version {}, this program version {VERSION}",
                    hello.version
                )));
            }
            FromPart::Failed(reason) => return Err(FleetError::Part(reason)),
            _ => return Err(FleetError::Part(format!("{name} does not say hello first"))),
        }
    }
    Ok(hosts.into_iter().flatten().collect())
}

/// One order for each process. Those that share this host's clock get neighbouring lanes.
fn share_out(
    scenario: &Scenario,
    url: &str,
    is_here: &[bool],
    clock: Clock,
) -> Result<Vec<Order>, FleetError> {
    let each = scenario.threads;
    let all = u64::from(each) * is_here.len() as u64;
    let lanes = u32::try_from(all).ok().filter(|&all| all <= MAX_LANES);
    let lanes = lanes.ok_or(FleetError::Lanes(all))?;
    let run_id = rand::random();
    let here = 0..each * is_here.iter().filter(|&&is_here| is_here).count() as u32;
    let (mut next_here, mut next_far) = (here.start, here.end);
    let orders = is_here.iter().map(|&is_here| {
        let next = if is_here { &mut next_here } else { &mut next_far };
        let own_lanes = *next..*next + each;
        *next = own_lanes.end;
        Order {
            scenario: scenario.clone(),
            url: url.to_owned(),
            run_id,
            same_clock: if is_here { here.clone() } else { own_lanes.clone() },
            own_lanes,
            lanes,
            clock: if is_here {
                ClockOrder::Shared { epoch_us: clock.epoch_us() }
            } else {
                ClockOrder::Showing { now_us: clock.now_us() }
            },
        }
    });
    Ok(orders.collect())
}

/// A run on its way.
struct Fleet {
    scenario: Scenario,
    layout: Layout,
    duration: Duration,
    links: Vec<Link>,
    /// Processes whose users are live.
    ready: usize,
    /// Which processes have drained, or need not be waited for any more.
    drained: Vec<bool>,
    /// How long the run is under way, without the time it was stopped itself, by a terminal perhaps.
    awake: Duration,
    /// When a process was heard last, by that time; `None`: it has ended.
    heard: Vec<Option<Duration>>,
    board: Board,
    clock: Clock,
    start_delay_us: u64,
    /// 0: not known yet.
    start_us: u64,
    started_at: SystemTime,
    stopped_at_us: Option<u64>,
    series: Series,
    tally: Option<Tally>,
    failure: Option<String>,
    machine: Machine,
    server: Option<Watch>,
    view: View,
}

impl Fleet {
    /// Goes on until every process has ended, or one of them is gone without an end.
    fn conduct(&mut self, events: &Receiver<(usize, FromPart)>, stop: &AtomicBool) {
        let mut turned = Instant::now();
        while self.heard.iter().any(Option::is_some) {
            self.awake += turned.elapsed().min(LONGEST_TURN);
            turned = Instant::now();
            if let Some(gone) = self.silent() {
                let (name, limit_s) = (&self.links[gone].name, SILENCE_LIMIT.as_secs());
                let reason = format!("{name} has said nothing for {limit_s} s");
                self.failure.get_or_insert(reason);
                self.links[gone].abandon();
                break;
            }
            match events.recv_timeout(TURN) {
                Ok((number, event)) => self.hear(number, event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if stop.load(Relaxed) && self.stopped_at_us.is_none() {
                self.stopped_at_us = Some(self.clock.now_us());
                self.tell_all(|| ToPart::Stop);
            }
            let now_us = self.clock.now_us();
            let sending_us = now_us.checked_sub(self.start_us).filter(|_| self.start_us > 0);
            let is_over = sending_us.is_some_and(|us| us >= self.duration.as_micros() as u64);
            if let Some(server) = &mut self.server {
                for usage in server.news() {
                    self.series.used(now_us, usage);
                }
                if is_over || self.stopped_at_us.is_some() {
                    server.finish();
                }
            }
            self.view.show(&self.scenario, &self.series, sending_us);
        }
        self.view.end();
    }

    /// A process of which nothing was heard for too long.
    fn silent(&self) -> Option<usize> {
        let is_silent = |heard: &Option<Duration>| {
            heard.is_some_and(|at| self.awake.saturating_sub(at) > SILENCE_LIMIT)
        };
        self.heard.iter().position(is_silent)
    }

    fn hear(&mut self, number: usize, event: FromPart) {
        self.heard[number] = Some(self.awake);
        match event {
            FromPart::Hello(_) | FromPart::Alive => {}
            FromPart::Ready => {
                self.ready += 1;
                if self.ready == self.links.len() && self.stopped_at_us.is_none() {
                    self.begin();
                }
            }
            FromPart::Sample(sample) => self.series.add(number, *sample),
            FromPart::Met(news) => {
                for (other, news) in self.board.said(number, news) {
                    self.links[other].tell(ToPart::Met(news));
                }
            }
            FromPart::Drained => self.has_drained(number),
            FromPart::Done(part) => {
                self.heard[number] = None;
                match &mut self.tally {
                    Some(tally) => tally.merge(*part),
                    None => self.tally = Some(*part),
                }
                self.has_drained(number);
            }
            FromPart::Failed(reason) => {
                self.heard[number] = None;
                if self.failure.is_none() {
                    // The first failure is the cause; the others are called off.
                    self.failure = Some(reason);
                    self.tell_all(|| ToPart::Stop);
                }
                self.has_drained(number);
            }
        }
    }

    fn has_drained(&mut self, number: usize) {
        let were_all = self.drained.iter().all(|&drained| drained);
        self.drained[number] = true;
        if !were_all && self.drained.iter().all(|&drained| drained) {
            self.tell_all(|| ToPart::Close);
        }
    }

    fn begin(&mut self) {
        if let Some(server) = &mut self.server {
            server.begin();
        }
        let at_us = self.clock.now_us() + self.start_delay_us;
        self.start_us = at_us;
        self.started_at = SystemTime::now() + Duration::from_micros(self.start_delay_us);
        self.series.started(at_us);
        self.tell_all(|| ToPart::Begin { at_us });
    }

    fn tell_all(&mut self, message: impl Fn() -> ToPart) {
        self.links.iter_mut().for_each(|link| link.tell(message()));
    }

    fn finish(self) -> Result<RunResult, FleetError> {
        if let Some(reason) = self.failure {
            return Err(FleetError::Part(reason));
        }
        let sending = self.stopped_at_us.map_or(self.duration, |at_us| match self.start_us {
            0 => Duration::ZERO,
            start_us => Duration::from_micros(at_us.saturating_sub(start_us)).min(self.duration),
        });
        let mut tally = self.tally.unwrap_or_else(|| Tally::new(0));
        tally.judge_pieces();
        Ok(RunResult {
            tally,
            layout: self.layout,
            interrupted: sending < self.duration,
            sending,
            intervals: self.series.intervals(),
            started_at: self.started_at,
            machine: self.machine,
            server: self.server.and_then(Watch::end),
            processes: self.links.len() as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_out_without_gap_and_one_hosts_threads_are_neighbours() {
        let text = include_str!("../scenarios/direct.toml");
        let scenario = Scenario::parse(text, &["threads=2".to_owned()]).unwrap();
        let share = |is_here: &[bool]| share_out(&scenario, "ws://x/", is_here, Clock::start());
        let orders = share(&[false, true, true]).unwrap();
        let lanes: Vec<_> = orders.iter().map(|order| order.own_lanes.clone()).collect();
        assert_eq!(lanes, [4..6, 0..2, 2..4]);
        let clocks: Vec<_> = orders.iter().map(|order| order.same_clock.clone()).collect();
        assert_eq!(clocks, [4..6, 0..4, 0..4]);
        assert!(orders.iter().all(|order| order.lanes == 6));
        assert!(matches!(orders[0].clock, ClockOrder::Showing { .. }));
        assert!(matches!(orders[2].clock, ClockOrder::Shared { .. }));
        assert_eq!(orders[0].run_id, orders[2].run_id);
        assert!(matches!(share(&[true; 4000]), Err(FleetError::Lanes(8000))));
    }
}
