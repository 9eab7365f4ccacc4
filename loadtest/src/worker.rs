//! One thread of the generator: its pairs of users, their ledgers, and the clock that makes sends due.
//!
//! ```text
//!   ramp ──► all users live ──► (all threads ready) ──► pace: due sends ──► drain ──► read back ──► check
//! ```
//!
//! Everything here runs on one thread and is never borrowed across an await. Events of a user are applied before
//! anything else happens, and the users they touch are written to in the same turn.

use std::cell::{Cell, RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use ringwire_protocol::codec::Encoding;

use crate::arrival::{Plan, Schedule};
use crate::client::{Event, Identity, Settings, User};
use crate::driver::{self, Link, Slot};
use crate::fleet::{Run, Snapshot};
use crate::net::{self, FineTimer};
use crate::tally::Tally;
use crate::target::Target;
use crate::token::TokenError;
use crate::verify::{DeviceIndex, Ledger, SenderIndex};

/// A send written later than this after it was due counts as late.
const LATE_AFTER_US: u64 = 10_000;
/// The pacer wakes at most this often; sends due meanwhile go out together.
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
/// The pacer wakes at least this often, to see that the run was stopped.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// How often delayed repeats are looked at and progress is published.
const SWEEP: Duration = Duration::from_millis(5);
const SWEEPS_PER_SNAPSHOT: u32 = 40;
/// How long all users together may take to become live after the last one began to connect.
const LIVE_LIMIT: Duration = Duration::from_secs(30);
/// How many users read back at once, and how long all may take.
const READING_AT_ONCE: usize = 256;
const READ_BACK_LIMIT: Duration = Duration::from_secs(120);
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Two users and the ledger of their conversation.
#[derive(Debug)]
struct Pair {
    ledger: Ledger,
    senders: [SenderIndex; 2],
    server_ids: [Option<u64>; 2],
    devices: [Option<DeviceIndex>; 2],
}

/// The state of one thread. User `index` is side `index % 2` of pair `index / 2`.
#[derive(Debug)]
pub(crate) struct Worker {
    run: Arc<Run>,
    thread: u32,
    settings: Rc<Settings>,
    slots: Vec<RefCell<Slot>>,
    pairs: Vec<RefCell<Pair>>,
    tally: RefCell<Tally>,
    /// When which user must be asked for output although nothing happened.
    wakes: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    buffer: RefCell<Vec<u8>>,
    live: Cell<u64>,
    over: Cell<bool>,
}

/// Why a thread could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The system refused something.
    #[error("load generator: {0}")]
    Io(#[from] std::io::Error),
    /// The users did not become live.
    #[error("{missing} of {users} users could not connect to {url}: {reason}")]
    NotLive {
        /// How many are missing.
        missing: u64,
        /// How many there are on this thread.
        users: usize,
        /// Where they wanted to connect.
        url: String,
        /// The first reason heard.
        reason: String,
    },
}

/// Runs one thread of the fleet to its end.
pub(crate) fn run(run: &Arc<Run>, thread: u32) -> Result<Tally, WorkerError> {
    let worker = Rc::new(Worker::new(Arc::clone(run), thread)?);
    net::block_on(worker.play())?
}

impl Worker {
    fn new(run: Arc<Run>, thread: u32) -> Result<Self, WorkerError> {
        let scenario = &run.scenario;
        let settings = Rc::new(Settings {
            run: run.id,
            encoding: scenario.encoding.into(),
            text_bytes: scenario.text_bytes,
            depth: scenario.depth,
            retry: scenario.retry,
        });
        let mut slots = Vec::new();
        let mut pairs = Vec::new();
        for pair in (thread..scenario.users / 2).step_by(scenario.threads as usize) {
            let ids = [0, 1].map(|side| scenario.first_user_id + u64::from(pair) * 2 + side);
            let mut ledger = Ledger::new();
            let senders = ids.map(|id| ledger.add_sender(format!("user {id}")));
            for side in 0..2 {
                let identity = Identity {
                    token: run.tokens.sign(ids[side])?,
                    device_id: format!("loadtest-{}", ids[side]),
                    own: senders[side],
                    partner: senders[1 - side],
                };
                slots.push(RefCell::new(Slot::new(User::new(Rc::clone(&settings), identity))));
            }
            pairs.push(RefCell::new(Pair {
                ledger,
                senders,
                server_ids: [None; 2],
                devices: [None; 2],
            }));
        }
        Ok(Self {
            thread,
            settings,
            slots,
            pairs,
            // The time before the start is warm-up too; the true value is set when the start is known.
            tally: RefCell::new(Tally::new(u64::MAX)),
            wakes: RefCell::new(BinaryHeap::new()),
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES]),
            live: Cell::new(0),
            over: Cell::new(false),
            run,
        })
    }

    async fn play(self: &Rc<Self>) -> Result<Tally, WorkerError> {
        monoio::spawn(Rc::clone(self).sweep());
        self.ramp().await?;
        let Some(start_us) = self.wait_for_start().await else {
            return Ok(self.tally.borrow().clone());
        };
        let cpu_before = net::thread_cpu();
        self.pace(start_us).await?;
        self.drain().await;
        self.tally.borrow_mut().cpu = net::thread_cpu().saturating_sub(cpu_before);
        self.read_back().await;
        self.over.set(true);
        for slot in &self.slots {
            slot.borrow_mut().close();
        }
        Ok(self.check())
    }

    /// Connects the users at the rate asked for and waits until all are live.
    async fn ramp(self: &Rc<Self>) -> Result<(), WorkerError> {
        let scenario = &self.run.scenario;
        let interval =
            Duration::from_secs_f64(f64::from(scenario.threads) / scenario.connect_rate_per_s);
        let began_us = self.run.now_us();
        for index in 0..self.slots.len() {
            let due_us = began_us + (interval * index as u32).as_micros() as u64;
            let wait_us = due_us.saturating_sub(self.run.now_us());
            if wait_us >= 1000 {
                monoio::time::sleep(Duration::from_micros(wait_us)).await;
            }
            if self.run.is_stopped() {
                break;
            }
            monoio::spawn(driver::keep_connected(Rc::clone(self), index));
        }
        let give_up_us = self.run.now_us() + LIVE_LIMIT.as_micros() as u64;
        while self.live.get() < self.slots.len() as u64 && !self.run.is_stopped() {
            let failed = self.tally.borrow().failures.first().cloned();
            if failed.is_some() || self.run.now_us() > give_up_us {
                let errors = self.tally.borrow().errors.keys().next().cloned();
                return Err(WorkerError::NotLive {
                    missing: self.slots.len() as u64 - self.live.get(),
                    users: self.slots.len(),
                    url: self.run.target.url.clone(),
                    reason: failed.or(errors).unwrap_or_else(|| "no answer".to_owned()),
                });
            }
            monoio::time::sleep(SWEEP).await;
        }
        Ok(())
    }

    /// Waits until every thread is ready; `None`: the run was called off.
    async fn wait_for_start(&self) -> Option<u64> {
        self.run.ready_threads.fetch_add(1, Release);
        loop {
            match self.run.start_us.load(Acquire) {
                0 if self.run.is_stopped() => return None,
                0 => monoio::time::sleep(Duration::from_millis(1)).await,
                start_us => return Some(start_us),
            }
        }
    }

    /// Makes sends due as the schedule says.
    async fn pace(self: &Rc<Self>, start_us: u64) -> Result<(), WorkerError> {
        let scenario = &self.run.scenario;
        {
            let mut tally = self.tally.borrow_mut();
            let before = std::mem::replace(
                &mut *tally,
                Tally::new(start_us + (scenario.warmup_s * 1e6) as u64),
            );
            // What went wrong while connecting is part of the run.
            tally.errors = before.errors;
        }
        let mut schedule = Schedule::new(Plan {
            arrival: scenario.arrival,
            rate_per_s: scenario.rate_per_s,
            duration: Duration::from_secs_f64(scenario.duration_s),
            thread: self.thread,
            threads: scenario.threads,
            users: self.slots.len(),
            share: self.slots.len() as f64 / f64::from(scenario.users),
            seed: scenario.seed,
        })
        .peekable();
        let timer = FineTimer::new()?;
        let cpu_before = net::thread_cpu();
        let mut dirty = Vec::new();
        while let Some(next) = schedule.peek() {
            let now_us = self.run.now_us();
            let next_us = start_us + next.at_ns / 1000;
            if next_us > now_us {
                let sleep = Duration::from_micros(next_us - now_us);
                timer.sleep(sleep.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await?;
                if self.run.is_stopped() {
                    break;
                }
                continue;
            }
            while let Some(due) = schedule.next_if(|due| start_us + due.at_ns / 1000 <= now_us) {
                self.due(due.user, start_us + due.at_ns / 1000, now_us);
                dirty.push(due.user);
            }
            for index in dirty.drain(..) {
                self.with_slot(index, |_, _, _| ());
            }
            // Answers are read between two turns, however late the pacer is.
            timer.sleep(SHORTEST_SLEEP).await?;
        }
        let sending_us = self.run.now_us().saturating_sub(start_us).max(1);
        let busy = net::thread_cpu().saturating_sub(cpu_before);
        self.tally.borrow_mut().busiest_thread = busy.as_secs_f64() * 1e6 / sending_us as f64;
        Ok(())
    }

    fn due(&self, index: usize, due_us: u64, now_us: u64) {
        let mut tally = self.tally.borrow_mut();
        tally.offered += 1;
        tally.slip.record(due_us, now_us);
        let mut pair = self.pairs[index / 2].borrow_mut();
        let sender = pair.senders[index % 2];
        let origin = pair.ledger.invoke(sender);
        let mut slot = self.slots[index].borrow_mut();
        // A user that gave up still owes its sends: they stay unanswered in the ledger.
        if !slot.dead {
            slot.user.due(origin, due_us);
        }
    }

    /// Waits until every send is answered and every pair agrees how far its conversation got.
    async fn drain(&self) {
        let end_us = self.run.now_us() + (self.run.scenario.drain_s * 1e6) as u64;
        while self.run.now_us() < end_us {
            let settled = self.slots.chunks_exact(2).all(|pair| {
                let (one, two) = (pair[0].borrow(), pair[1].borrow());
                let done = |slot: &Slot| slot.dead || slot.user.is_settled();
                let agree = one.user.cursor() == two.user.cursor();
                done(&one) && done(&two) && (agree || one.dead || two.dead)
            });
            if settled {
                return;
            }
            monoio::time::sleep(SWEEP).await;
        }
    }

    /// Lets every user ask once more for what it may lack, and one of each pair read the whole log.
    async fn read_back(self: &Rc<Self>) {
        let end_us = self.run.now_us() + READ_BACK_LIMIT.as_micros() as u64;
        let mut waiting = (0..self.slots.len()).rev().collect::<Vec<_>>();
        let mut reading: Vec<usize> = Vec::new();
        let mut unread = 0;
        loop {
            reading.retain(|&index| {
                let slot = self.slots[index].borrow();
                unread += u64::from(slot.dead);
                !slot.dead && !slot.user.is_finished()
            });
            while reading.len() < READING_AT_ONCE
                && let Some(index) = waiting.pop()
            {
                let read_log = self.run.scenario.verify_log && index % 2 == 0;
                self.with_slot(index, |slot, _, _| slot.user.finish(read_log));
                reading.push(index);
            }
            if reading.is_empty() {
                break;
            }
            if self.run.now_us() > end_us {
                unread += (reading.len() + waiting.len()) as u64;
                break;
            }
            monoio::time::sleep(Duration::from_millis(1)).await;
        }
        self.tally.borrow_mut().unverified += unread;
    }

    fn check(&self) -> Tally {
        let mut tally = self.tally.borrow().clone();
        for pair in &self.pairs {
            let pair = pair.borrow();
            let (_, _, unanswered) = pair.ledger.outcomes();
            tally.unanswered += unanswered;
            tally.findings += pair.ledger.check();
        }
        tally
    }

    /// Looks after delayed repeats and publishes progress.
    async fn sweep(self: Rc<Self>) {
        let mut sweeps: u32 = 0;
        while !self.over.get() {
            monoio::time::sleep(SWEEP).await;
            let now_us = self.run.now_us();
            loop {
                let due = self.wakes.borrow().peek().map(|&Reverse(wake)| wake);
                match due {
                    Some((at_us, index)) if at_us <= now_us => {
                        self.wakes.borrow_mut().pop();
                        self.with_slot(index, |_, _, _| ());
                    }
                    _ => break,
                }
            }
            sweeps += 1;
            if sweeps.is_multiple_of(SWEEPS_PER_SNAPSHOT) {
                let tally = self.tally.borrow();
                self.run.publish(
                    self.thread,
                    Snapshot {
                        live: self.live.get(),
                        sent: tally.sent,
                        acked: tally.acked,
                        delivered: tally.delivered,
                        ack: tally.ack.clone(),
                        deliver: tally.deliver.clone(),
                    },
                );
            }
        }
    }

    /// Lets `work` at a user, then applies the events that came of it and writes whatever became writable.
    pub(crate) fn with_slot<T>(
        self: &Rc<Self>,
        index: usize,
        work: impl FnOnce(&mut Slot, u64, &mut Vec<Event>) -> T,
    ) -> T {
        let now_us = self.run.now_us();
        let mut events = Vec::new();
        let result = work(&mut self.slots[index].borrow_mut(), now_us, &mut events);
        let mut dirty = vec![index];
        self.apply(index, &mut events, now_us, &mut dirty);
        while let Some(index) = dirty.pop() {
            let (blocked, wake_us) = {
                let mut slot = self.slots[index].borrow_mut();
                let blocked = slot.write(self.encoding(), now_us, &mut events);
                (blocked, slot.user.wake_us())
            };
            self.apply(index, &mut events, now_us, &mut dirty);
            if let Some(socket) = blocked {
                monoio::spawn(driver::write_on(Rc::clone(self), index, socket));
            }
            if let Some(wake_us) = wake_us {
                self.wakes.borrow_mut().push(Reverse((wake_us, index)));
            }
        }
        result
    }

    fn apply(
        &self,
        index: usize,
        events: &mut Vec<Event>,
        now_us: u64,
        dirty: &mut Vec<usize>,
    ) {
        if events.is_empty() {
            return;
        }
        let side = index % 2;
        let mut pair = self.pairs[index / 2].borrow_mut();
        let pair = &mut *pair;
        let mut tally = self.tally.borrow_mut();
        for event in events.drain(..) {
            match event {
                Event::Identified(id) => {
                    pair.server_ids[side] = Some(id);
                    if let [Some(one), Some(two)] = pair.server_ids {
                        self.slots[index - side].borrow_mut().user.open(two);
                        self.slots[index - side + 1].borrow_mut().user.open(one);
                        dirty.extend([index - side, index - side + 1]);
                    }
                }
                Event::Opened(start) => {
                    let name = format!("device of side {}", side + 1);
                    pair.devices[side] = Some(pair.ledger.add_device(name, start));
                    self.live.set(self.live.get() + 1);
                }
                Event::Reconnected => {
                    tally.reconnects += 1;
                    self.live.set(self.live.get() + 1);
                    if let Some(device) = pair.devices[side] {
                        pair.ledger.reconnected(device);
                    }
                }
                Event::Sent { due_us } => {
                    tally.sent += 1;
                    tally.late_sends += u64::from(now_us.saturating_sub(due_us) > LATE_AFTER_US);
                }
                Event::Acked { origin, due_us, seq } => {
                    tally.acked += 1;
                    tally.ack.record(due_us, now_us);
                    pair.ledger.acked(origin, seq);
                }
                Event::Refused { origin, code } => {
                    tally.refused += 1;
                    pair.ledger.refused(origin, code);
                }
                Event::Received { seq, content, via, delivered_due_us } => {
                    if let Some(due_us) = delivered_due_us {
                        tally.delivered += 1;
                        tally.deliver.record(due_us, now_us);
                    }
                    if let Some(device) = pair.devices[side] {
                        pair.ledger.received(device, seq, content, via);
                    }
                }
                Event::LogRead { start, entries } => pair.ledger.log_read(start, entries),
                Event::Stray => tally.stray += 1,
                Event::Error(name) => tally.error(name),
                Event::Failed(reason) => {
                    tally.failure(reason);
                    self.slots[index].borrow_mut().dead = true;
                }
            }
        }
    }

    pub(crate) fn connected(self: &Rc<Self>, index: usize, link: Link) {
        self.with_slot(index, |slot, _, _| {
            slot.link = Some(link);
            slot.user.connected();
        });
    }

    pub(crate) fn disconnected(&self, index: usize) {
        let mut slot = self.slots[index].borrow_mut();
        if slot.user.is_live() {
            self.live.set(self.live.get() - 1);
        }
        slot.link = None;
        slot.user.disconnected();
    }

    pub(crate) fn give_up(&self, index: usize, reason: &str) {
        self.slots[index].borrow_mut().dead = true;
        self.tally.borrow_mut().failure(reason.to_owned());
    }

    pub(crate) fn error(&self, name: String) {
        self.tally.borrow_mut().error(name);
    }

    pub(crate) fn was_opened(&self, index: usize) -> bool {
        self.pairs[index / 2].borrow().devices[index % 2].is_some()
    }

    pub(crate) fn is_dead(&self, index: usize) -> bool {
        self.slots[index].borrow().dead
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    pub(crate) fn retries(&self) -> bool {
        self.settings.retry
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.settings.encoding
    }

    pub(crate) fn target(&self) -> &Target {
        &self.run.target
    }

    pub(crate) fn mask_seed(&self, index: usize) -> u64 {
        u64::from(self.run.id) << 32 | u64::from(self.thread) << 24 ^ index as u64
    }

    pub(crate) fn read_buffer(&self) -> RefMut<'_, Vec<u8>> {
        self.buffer.borrow_mut()
    }
}

impl Run {
    /// The run was called off, or a thread failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed) || self.failed.load(Relaxed)
    }
}
