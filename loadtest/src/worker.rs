//! One thread of the generator, from its first connection to its last.
//!
//! ```text
//!   ramp ──► all users live ──► (all threads ready) ──► pace: due sends ──► drain ──► read back ──► check
//! ```

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

use crate::arrival::{Due, Plan, Schedule};
use crate::crew::Crew;
use crate::driver::{self, Slot};
use crate::net::{self, FineTimer};
use crate::part::Run;
use crate::tally::Tally;
use crate::token::TokenError;

/// The pacer wakes at most this often; sends due meanwhile go out together.
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
/// The pacer wakes at least this often, to see that the run was stopped.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// How often delayed repeats are looked at, and whether an interval is over.
const SWEEP: Duration = Duration::from_millis(5);
/// How long all users together may take to become live after the last one began to connect.
const LIVE_LIMIT: Duration = Duration::from_secs(30);
/// How many users read back at once, and how long all may take.
const READING_AT_ONCE: usize = 256;
const READ_BACK_LIMIT: Duration = Duration::from_mins(2);

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
        monoio::spawn(sweep(Rc::clone(&self.crew)));
        self.ramp().await?;
        let Some(start_us) = self.wait_for_start().await else {
            return Ok(self.crew.tally.borrow().clone());
        };
        let cpu_before = net::thread_cpu();
        self.pace(start_us).await?;
        self.drain().await;
        self.crew.tally.borrow_mut().cpu = net::thread_cpu().saturating_sub(cpu_before);
        self.crew.drained();
        self.read_back().await;
        self.crew.over.set(true);
        for slot in &self.crew.slots {
            slot.borrow_mut().close();
        }
        Ok(self.crew.check())
    }

    /// Connects the users at the rate asked for and waits until all are live.
    async fn ramp(&self) -> Result<(), WorkerError> {
        let scenario = &self.crew.run.scenario;
        let interval =
            Duration::from_secs_f64(f64::from(scenario.threads) / scenario.connect_rate_per_s);
        let began_us = self.crew.run.now_us();
        for index in 0..self.crew.slots.len() {
            let due_us = began_us + (interval * index as u32).as_micros() as u64;
            let wait_us = due_us.saturating_sub(self.crew.run.now_us());
            if wait_us >= 1000 {
                monoio::time::sleep(Duration::from_micros(wait_us)).await;
            }
            if self.crew.run.is_stopped() {
                break;
            }
            monoio::spawn(driver::keep_connected(Rc::clone(&self.crew), index));
        }
        let give_up_us = self.crew.run.now_us() + LIVE_LIMIT.as_micros() as u64;
        while self.crew.live.get() < self.crew.slots.len() as u64 && !self.crew.run.is_stopped() {
            let failed = self.crew.tally.borrow().failures.first().cloned();
            if failed.is_some() || self.crew.run.now_us() > give_up_us {
                let errors = self.crew.tally.borrow().errors.keys().next().cloned();
                return Err(WorkerError::NotLive {
                    missing: self.crew.slots.len() as u64 - self.crew.live.get(),
                    users: self.crew.slots.len(),
                    url: self.crew.run.target.url.clone(),
                    reason: failed.or(errors).unwrap_or_else(|| "no answer".to_owned()),
                });
            }
            monoio::time::sleep(SWEEP).await;
        }
        Ok(())
    }

    /// Waits until every thread is ready; `None`: the run was called off.
    async fn wait_for_start(&self) -> Option<u64> {
        self.crew.run.ready_threads.fetch_add(1, Release);
        loop {
            match self.crew.run.start_us.load(Acquire) {
                0 if self.crew.run.is_stopped() => return None,
                0 => monoio::time::sleep(Duration::from_millis(1)).await,
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
        }
        let mut schedule = Schedule::new(Plan {
            arrival: scenario.arrival,
            rate_per_s: scenario.rate_per_s,
            duration: Duration::from_secs_f64(scenario.duration_s),
            thread: self.crew.thread,
            threads: scenario.threads,
            users: self.crew.slots.len(),
            share: self.crew.slots.len() as f64 / f64::from(scenario.users),
            seed: scenario.seed,
        })
        .peekable();
        let timer = FineTimer::new()?;
        let cpu_before = net::thread_cpu();
        let mut dirty = Vec::new();
        while !self.crew.run.is_stopped() {
            let now_us = self.crew.run.now_us();
            let due_us = |due: &Due| start_us + due.at_ns / 1000;
            while let Some(due) = schedule.next_if(|due| due_us(due) <= now_us) {
                self.crew.due(due.user, due_us(&due));
                dirty.push((due.user, due_us(&due)));
            }
            // A user with several sends due writes them all at once, the first time.
            for (index, due_us) in dirty.drain(..) {
                self.crew.write(index);
                let taken_up_us = self.crew.run.now_us();
                self.crew.tally.borrow_mut().slip.record(due_us, taken_up_us);
            }
            let Some(next) = schedule.peek() else { break };
            // Answers are read while this sleeps, so it does so however late it is.
            let sleep = Duration::from_micros(due_us(next).saturating_sub(self.crew.run.now_us()));
            timer.sleep(sleep.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await?;
        }
        let sending_us = self.crew.run.now_us().saturating_sub(start_us).max(1);
        let busy = net::thread_cpu().saturating_sub(cpu_before);
        self.crew.tally.borrow_mut().busiest_thread = busy.as_secs_f64() * 1e6 / sending_us as f64;
        Ok(())
    }

    /// Waits until every send is answered and every pair agrees how far its conversation got.
    async fn drain(&self) {
        let end_us = self.crew.run.now_us() + (self.crew.run.scenario.drain_s * 1e6) as u64;
        while self.crew.run.now_us() < end_us {
            let settled = self.crew.slots.chunks_exact(2).all(|pair| {
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

    /// Lets every pair look once more for what it may lack.
    async fn read_back(&self) {
        let end_us = self.crew.run.now_us() + READ_BACK_LIMIT.as_micros() as u64;
        let mut waiting = 0..self.crew.slots.len() / 2;
        let mut reading: Vec<usize> = Vec::new();
        loop {
            reading.retain(|&index| {
                let slot = self.crew.slots[index].borrow();
                !slot.dead && !slot.user.is_finished()
            });
            while reading.len() < READING_AT_ONCE
                && let Some(pair) = waiting.next()
            {
                self.crew.finish(pair);
                reading.extend([pair * 2, pair * 2 + 1]);
            }
            if reading.is_empty() {
                break;
            }
            if self.crew.run.now_us() > end_us {
                // Nothing can be said about what these have not received yet.
                let unread = waiting.flat_map(|pair| [pair * 2, pair * 2 + 1]);
                reading.into_iter().chain(unread).for_each(|index| self.crew.left(index));
                break;
            }
            monoio::time::sleep(Duration::from_millis(1)).await;
        }
        let dead = self.crew.slots.iter().filter(|slot| slot.borrow().dead).count();
        self.crew.tally.borrow_mut().unverified = dead as u64;
    }
}

/// Looks after delayed repeats and tells at the end of each interval how far the thread is.
async fn sweep(crew: Rc<Crew>) {
    let mut told_us = crew.run.boundary_us();
    while !crew.over.get() {
        monoio::time::sleep(SWEEP).await;
        crew.wake();
        let boundary_us = crew.run.boundary_us();
        if boundary_us != told_us {
            told_us = boundary_us;
            crew.tell(boundary_us);
        }
    }
}
