//! One thread of the generator, from its first connection to its last.
//!
//! ```text
//!   ramp ──► all users live ──► gate: ready ──► pace: due sends ──► drain ──► gate: closed ──► read back ──► check
//!            (sweep: openings, delayed repeats, cuts)
//! ```

use std::cell::Ref;
use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use ringwire_net::{sleep, spawn};

use crate::arrival::{Plan, Schedule, Turns};
use crate::crew::{self, Crew};
use crate::cuts::Cuts;
use crate::driver::{self, Slot};
use crate::flush;
use crate::net::{self, FineTimer};
use crate::part::{Run, SHORTEST_SENDING};
use crate::reading;
use crate::scenario::{Arrival, Connections};
use crate::tally::Tally;
use crate::token::TokenError;
use crate::verify::Level;

/// The pacer wakes at most this often; sends due meanwhile go out together.
pub(crate) const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
/// The pacer wakes at least this often, to see that the run was stopped.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// Where answers make sends due, how often a thread has to look at the clock: how late it does is its own lateness.
const TICK_US: u64 = 5_000;
/// How often delayed repeats are looked at, and whether an interval is over.
const SWEEP: Duration = Duration::from_millis(5);
/// How many users read back at once, how long all may take, and how long at least the server may say nothing.
const READING_AT_ONCE: usize = 256;
const READ_BACK_LIMIT: Duration = Duration::from_mins(2);
const SILENCE_LIMIT: Duration = Duration::from_secs(2);

/// Why a thread could not do its part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    /// A token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The system refused something.
    #[error("the system refuses what the load generator needs")]
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
    let worker = Worker { crew: Rc::new(Crew::new(Arc::clone(run), thread)?) };
    net::block_on(worker.play())?
}

/// One thread at work.
struct Worker {
    crew: Rc<Crew>,
}

impl Worker {
    async fn play(&self) -> Result<Tally, WorkerError> {
        self.crew.flush.borrow_mut().prepare();
        spawn(sweep(Rc::clone(&self.crew)));
        spawn(reading::read_loop(Rc::clone(&self.crew)));
        spawn(flush::flush_loop(Rc::clone(&self.crew)));
        let tally = self.carry_out().await;
        self.crew.let_go();
        tally
    }

    async fn carry_out(&self) -> Result<Tally, WorkerError> {
        self.ramp().await?;
        let Some(start_us) = self.wait_for_start().await else {
            return Ok(self.crew.tally.borrow().clone());
        };
        let cpu_before = net::thread_cpu();
        self.pace(start_us).await?;
        self.drain().await;
        self.crew.tally.borrow_mut().cpu = net::thread_cpu().saturating_sub(cpu_before);
        self.crew.drained();
        self.crew.close_talks();
        self.wait_for_the_others().await;
        if self.crew.run.is_split_over_processes() {
            // How far the others got was heard of with a delay; by now all of it was.
            self.drain().await;
        }
        self.read_back().await;
        Ok(self.crew.check())
    }

    /// Connects the users at the rate asked for and waits until all are live.
    async fn ramp(&self) -> Result<(), WorkerError> {
        let scenario = &self.crew.run.scenario;
        let interval = if scenario.connections == (Connections::Storm {}) {
            Duration::ZERO
        } else {
            let lanes = f64::from(self.crew.run.lanes);
            Duration::from_secs_f64(lanes / scenario.connect_rate_per_s)
        };
        let began_us = self.crew.run.now_us();
        for index in 0..self.crew.slots.len() {
            let due_us = began_us + (interval * index as u32).as_micros() as u64;
            loop {
                let wait_us = due_us.saturating_sub(self.crew.run.now_us());
                if wait_us < 1000 || self.crew.run.is_stopped() {
                    break;
                }
                sleep(Duration::from_micros(wait_us).min(SWEEP)).await;
            }
            if self.crew.run.is_stopped() {
                break;
            }
            self.crew.slots[index].borrow_mut().connect_due_us = Some(due_us);
            spawn(driver::keep_connected(Rc::clone(&self.crew), index));
        }
        let give_up_us = self.crew.run.now_us() + (scenario.connect_limit_s * 1e6) as u64;
        while self.crew.live.get() < self.crew.slots.len() as u64 && !self.crew.run.is_stopped() {
            let failed = self.crew.tally.borrow().failures.first().cloned();
            if failed.is_some() || self.crew.run.now_us() > give_up_us {
                let errors = self.crew.tally.borrow().errors.keys().next().cloned();
                return Err(WorkerError::NotLive {
                    missing: self.crew.slots.len() as u64 - self.crew.live.get(),
                    users: self.crew.slots.len(),
                    url: self.crew.run.target.url.clone(),
                    reason: failed.or(errors).unwrap_or_else(|| {
                        let spoken = scenario.protocol.name();
                        format!("no answer; is {spoken} what the server speaks there?")
                    }),
                });
            }
            sleep(SWEEP).await;
        }
        Ok(())
    }

    /// Waits until every thread is ready; `None`: the run was called off.
    async fn wait_for_start(&self) -> Option<u64> {
        self.crew.tell(self.crew.run.now_us());
        self.crew.run.ready.arrive();
        loop {
            match self.crew.run.start_us.load(Acquire) {
                0 if self.crew.run.is_stopped() => return None,
                0 => sleep(Duration::from_millis(1)).await,
                start_us => return Some(start_us),
            }
        }
    }

    /// Makes sends due as the schedule says.
    async fn pace(&self, start_us: u64) -> Result<(), WorkerError> {
        let scenario = &self.crew.run.scenario;
        {
            let mut tally = self.crew.tally.borrow_mut();
            let before = std::mem::replace(
                &mut *tally,
                Tally::new(start_us + scenario.warmup().as_micros() as u64),
            );
            // What went wrong while connecting is part of the run.
            tally.errors = before.errors;
            tally.reconnects = before.reconnects;
            tally.connect = before.connect;
            tally.standstill = before.standstill;
        }
        let plan = Plan {
            arrival: scenario.arrival,
            rate_per_s: if scenario.conversation.is_any() { scenario.rate_per_s } else { 0.0 },
            shape: scenario.shape,
            duration_s: scenario.duration_s,
            lane: self.crew.lane(),
            seed: scenario.seed,
        };
        let sends = |number: &u32| !crew::is_slow(scenario.slow_readers.share, *number);
        let own = self.crew.senders.iter().map(|&index| self.crew.user_number(index));
        let turns = Turns::new((0..scenario.users).filter(sends), own, scenario.seed);
        let mut schedule = Schedule::new(plan, turns).peekable();
        if scenario.arrival == Arrival::Closed && scenario.conversation.is_any() {
            for &index in &self.crew.senders {
                for _ in 0..scenario.at_once {
                    self.crew.think(index, start_us);
                }
            }
        }
        self.crew.slowing.set(true);
        let end_us = start_us + (scenario.duration_s * 1e6) as u64;
        self.crew.offers_until_us.set(end_us);
        let timer = Rc::new(FineTimer::new()?);
        self.crew.pacer.replace(Some(Rc::clone(&timer)));
        let cpu_before = net::thread_cpu();
        let mut dirty = Vec::new();
        let ticks = scenario.arrival == Arrival::Closed && scenario.think_s == 0.0;
        let mut tick_us = start_us;
        loop {
            let now_us = self.crew.run.now_us();
            let mut next_us = end_us;
            if ticks {
                let slip = &mut self.crew.tally.borrow_mut().slip;
                while tick_us <= now_us.min(end_us) {
                    slip.record(tick_us, now_us);
                    tick_us += TICK_US;
                }
                next_us = next_us.min(tick_us);
            }
            while let Some(due) = schedule.peek() {
                let due_us = start_us + due.at_ns / 1000;
                if due_us > now_us {
                    next_us = next_us.min(due_us);
                    break;
                }
                dirty.push((self.crew.senders[due.user], due_us));
                schedule.next();
            }
            {
                let mut thinkers = self.crew.thinkers.borrow_mut();
                while let Some(&Reverse((due_us, index))) = thinkers.peek() {
                    if due_us > now_us || due_us >= end_us {
                        next_us = next_us.min(due_us);
                        break;
                    }
                    dirty.push((index, due_us));
                    thinkers.pop();
                }
            }
            for &(index, due_us) in &dirty {
                self.crew.due(index, due_us);
            }
            // A user with several sends due writes them all at once, the first time.
            for (index, due_us) in dirty.drain(..) {
                let taken_up_us = self.crew.write(index);
                self.crew.tally.borrow_mut().slip.record(due_us, taken_up_us);
            }
            // What was due before the end is offered, however late that is.
            let now_us = self.crew.run.now_us();
            if self.crew.run.is_stopped() || (now_us >= end_us && next_us >= end_us) {
                break;
            }
            // Answers are read while this sleeps, so it does so however late it is.
            let sleep = Duration::from_micros(next_us.saturating_sub(now_us));
            let sleep = sleep.clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
            self.crew.paced_until_us.set(now_us + sleep.as_micros() as u64);
            timer.sleep(sleep).await?;
        }
        self.crew.offers_until_us.set(0);
        self.crew.slowing.set(false);
        let shortest_us = SHORTEST_SENDING.as_micros() as u64;
        let sending_us = self.crew.run.now_us().saturating_sub(start_us).max(shortest_us);
        let busy = net::thread_cpu().saturating_sub(cpu_before);
        self.crew.tally.borrow_mut().busiest_thread = busy.as_secs_f64() * 1e6 / sending_us as f64;
        Ok(())
    }

    /// Waits until every send is answered and the members of every conversation agree how far it got.
    async fn drain(&self) {
        let end_us = self.crew.run.now_us() + (self.crew.run.scenario.drain_s * 1e6) as u64;
        // Those that have settled need no second look: nothing is sent any more.
        let mut open: Vec<usize> = (0..self.crew.talks.len()).collect();
        while self.crew.run.now_us() < end_us {
            open.retain(|&talk| !self.has_settled(talk));
            if open.is_empty() {
                return;
            }
            sleep(SWEEP).await;
        }
    }

    fn has_settled(&self, talk: usize) -> bool {
        let talk = self.crew.talks[talk].borrow();
        let goal = self.crew.run.meetings[talk.conversation as usize].goal();
        let slots = || {
            talk.slots.clone().map(|index| {
                let slot = self.crew.slots[index].borrow();
                // Of what comes twice, a user has one.
                let reached = talk.messages(index).unwrap_or_else(|| slot.user.cursor());
                (slot, reached)
            })
        };
        let furthest = slots().map(|(_, reached)| reached).max().unwrap_or(0).max(goal);
        slots().all(|(slot, reached): (Ref<'_, Slot>, u64)| {
            slot.dead || (slot.user.is_settled() && reached >= furthest)
        })
    }

    /// Waits until every lane has drained: what they have seen by then is what the last look has to find.
    async fn wait_for_the_others(&self) {
        self.crew.run.closed.arrive();
        while !self.crew.run.closed.is_open() && !self.crew.run.failed.load(Acquire) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets the members of every conversation look once more for what they may lack.
    async fn read_back(&self) {
        let end_us = self.crew.run.now_us() + READ_BACK_LIMIT.as_micros() as u64;
        // Who is in no conversation has nothing to look for.
        let converses = self.crew.run.scenario.conversation.is_any();
        let mut waiting = 0..if converses { self.crew.talks.len() } else { 0 };
        let mut reading: Vec<usize> = Vec::new();
        let slots_of = |talk: usize| self.crew.talks[talk].borrow().slots.clone();
        let silence = SILENCE_LIMIT.as_secs_f64().max(self.crew.run.scenario.drain_s);
        let mut unheard = 0;
        let (mut heard, mut heard_us) = (self.crew.heard(), self.crew.run.now_us());
        loop {
            reading.retain(|&index| {
                let slot = self.crew.slots[index].borrow();
                !slot.dead && !slot.user.is_finished()
            });
            while reading.len() < READING_AT_ONCE
                && let Some(talk) = waiting.next()
            {
                self.crew.finish(talk);
                reading.extend(slots_of(talk));
            }
            if reading.is_empty() {
                break;
            }
            if self.crew.heard() != heard {
                (heard, heard_us) = (self.crew.heard(), self.crew.run.now_us());
            }
            let is_silent = (self.crew.run.now_us() - heard_us) as f64 > silence * 1e6;
            if self.crew.run.now_us() > end_us || is_silent {
                // Nothing can be said about what these have not received yet.
                let unread: Vec<usize> =
                    reading.into_iter().chain(waiting.flat_map(slots_of)).collect();
                for &index in &unread {
                    self.crew.left(index);
                }
                if !is_silent {
                    unheard = unread.len() as u64;
                }
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        unheard += self.leave_the_slow();
        if self.crew.run.layout.level != Level::Off {
            let dead = self.crew.slots.iter().filter(|slot| slot.borrow().dead).count();
            let mut tally = self.crew.tally.borrow_mut();
            tally.unheard = unheard;
            tally.unverified = dead as u64 - unheard;
        }
    }

    /// Without a log nobody can ask for what is still to be read: slow readers who are behind answer only for what they
    /// have. Answers how many that are.
    fn leave_the_slow(&self) -> u64 {
        let mut left = 0;
        for talk in &self.crew.talks {
            let (slots, goal) = {
                let talk = talk.borrow();
                (talk.slots.clone(), self.crew.run.meetings[talk.conversation as usize].goal())
            };
            for index in slots {
                let is_behind = {
                    let slot = self.crew.slots[index].borrow();
                    let messages = talk.borrow().messages(index);
                    slot.slow && !slot.dead && messages.is_some_and(|messages| messages < goal)
                };
                if is_behind {
                    self.crew.left(index);
                    left += 1;
                }
            }
        }
        left
    }
}

/// Looks after openings, delayed repeats and cuts, and tells at the end of each interval how far the thread is.
async fn sweep(crew: Rc<Crew>) {
    let scenario = &crew.run.scenario;
    let numbers = (0..crew.slots.len()).map(|index| crew.user_number(index)).collect();
    let mut cuts = Cuts::new(scenario.connections, numbers, scenario.users, scenario.seed);
    let end_us = (scenario.duration_s * 1e6) as u64;
    let mut told_us = crew.run.boundary_us();
    let mut swept_us = crew.run.now_us();
    while !crew.over.get() {
        sleep(SWEEP).await;
        let now_us = crew.run.now_us();
        let turn_us = now_us - std::mem::replace(&mut swept_us, now_us);
        crew.look_for_openings();
        crew.wake();
        let start_us = crew.run.start_us.load(Acquire);
        let since_us = crew.run.now_us().checked_sub(start_us).filter(|_| start_us > 0);
        if let Some(since_us) = since_us.filter(|&since_us| since_us < end_us) {
            for cut in cuts.due(since_us) {
                crew.cut(cut);
            }
        }
        // Also the turn in which it ended.
        if since_us.is_none_or(|since_us| since_us < end_us + turn_us) {
            let late = Duration::from_micros(turn_us).saturating_sub(SWEEP);
            let mut tally = crew.tally.borrow_mut();
            tally.standstill = tally.standstill.max(late);
        }
        let boundary_us = crew.run.boundary_us();
        if boundary_us != told_us {
            told_us = boundary_us;
            crew.tell(boundary_us);
        }
    }
}
