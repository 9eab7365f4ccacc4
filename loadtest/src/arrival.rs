//! When sends are due: an open loop, decided before the run and by nothing that happens in it.
//!
//! ```text
//!   constant:  |  |  |  |  |  |  |       poisson:  ||   |  | |     |||  |
//! ```
//!
//! Each generator thread draws its own part of the schedule: constant schedules interleave exactly, Poisson processes
//! add up to one of the sum of their rates. Invariants: times never fall; nothing is due at or after the end; the same
//! seed gives the same schedule.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::scenario;

/// One send that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When, in nanoseconds after the start of the run.
    pub at_ns: u64,
    /// Which of the thread's users sends, from 0.
    pub user: usize,
}

/// What a thread's schedule is made from.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How sends are spread.
    pub arrival: scenario::Arrival,
    /// Sends per second over all threads.
    pub rate_per_s: f64,
    /// How long sends are offered.
    pub duration: Duration,
    /// This thread, from 0.
    pub thread: u32,
    /// How many threads share the rate.
    pub threads: u32,
    /// Users of this thread.
    pub users: usize,
    /// All users of this thread divided by all users there are: its share of a Poisson process.
    pub share: f64,
    /// Seed of the whole run.
    pub seed: u64,
}

/// A thread's part of the schedule, in order of time.
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    end_ns: u64,
    random: StdRng,
    /// Constant arrivals: the users take turns in this order.
    turns: Vec<u32>,
    /// How many were drawn.
    drawn: u64,
    /// The time of the one drawn last, in seconds.
    clock_s: f64,
}

impl Schedule {
    /// The schedule of one thread; empty where it has no users.
    pub fn new(plan: Plan) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed ^ (u64::from(plan.thread) << 48));
        let mut turns: Vec<u32> = (0..plan.users as u32).collect();
        turns.shuffle(&mut random);
        let end_ns = plan.duration.as_nanos() as u64;
        Self { plan, end_ns, random, turns, drawn: 0, clock_s: 0.0 }
    }

    fn next_time_s(&mut self) -> f64 {
        match self.plan.arrival {
            scenario::Arrival::Constant => {
                let position =
                    u64::from(self.plan.thread) + self.drawn * u64::from(self.plan.threads);
                position as f64 / self.plan.rate_per_s
            }
            scenario::Arrival::Poisson => {
                // Inverse of the exponential distribution; 1 − [0, 1) is never 0.
                let uniform = 1.0 - self.random.random::<f64>();
                self.clock_s - uniform.ln() / (self.plan.rate_per_s * self.plan.share)
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        if self.turns.is_empty() {
            return None;
        }
        self.clock_s = self.next_time_s();
        let at_ns = (self.clock_s * 1e9) as u64;
        if at_ns >= self.end_ns {
            return None;
        }
        let turn = match self.plan.arrival {
            scenario::Arrival::Constant => (self.drawn % self.turns.len() as u64) as usize,
            scenario::Arrival::Poisson => self.random.random_range(0..self.turns.len()),
        };
        self.drawn += 1;
        Some(Due { at_ns, user: self.turns[turn] as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arrival: scenario::Arrival) -> Plan {
        Plan {
            arrival,
            rate_per_s: 1000.0,
            duration: Duration::from_secs(10),
            thread: 0,
            threads: 1,
            users: 10,
            share: 1.0,
            seed: 7,
        }
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced_and_users_take_turns() {
        let due: Vec<_> = Schedule::new(plan(scenario::Arrival::Constant)).collect();
        assert_eq!(due.len(), 10_000);
        assert!(due.windows(2).all(|pair| pair[1].at_ns.abs_diff(pair[0].at_ns + 1_000_000) <= 1));
        for user in 0..10 {
            assert_eq!(due.iter().filter(|due| due.user == user).count(), 1000);
        }
    }

    #[test]
    fn threads_interleave_to_the_same_constant_schedule() {
        let whole: Vec<_> =
            Schedule::new(plan(scenario::Arrival::Constant)).map(|due| due.at_ns).collect();
        let mut parts = Vec::new();
        for thread in 0..3 {
            let part = Plan { thread, threads: 3, ..plan(scenario::Arrival::Constant) };
            parts.extend(Schedule::new(part).map(|due| due.at_ns));
        }
        parts.sort_unstable();
        assert_eq!(parts, whole);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_variance_of_a_poisson_process() {
        let due: Vec<_> = Schedule::new(plan(scenario::Arrival::Poisson)).collect();
        // 10,000 expected, standard deviation 100: five of them either way.
        assert!((9_500..10_500).contains(&due.len()), "{}", due.len());
        assert!(due.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
        let mut per_second_10th = [0_f64; 100];
        for due in &due {
            per_second_10th[(due.at_ns / 100_000_000) as usize] += 1.0;
        }
        let mean = per_second_10th.iter().sum::<f64>() / 100.0;
        let variance =
            per_second_10th.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 99.0;
        // Index of dispersion 1; its standard error over 100 windows is 0.14.
        assert!((0.4..1.6).contains(&(variance / mean)), "{}", variance / mean);
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let one: Vec<_> = Schedule::new(plan(scenario::Arrival::Poisson)).collect();
        let two: Vec<_> = Schedule::new(plan(scenario::Arrival::Poisson)).collect();
        let other = Schedule::new(Plan { seed: 8, ..plan(scenario::Arrival::Poisson) });
        assert_eq!(one, two);
        assert_ne!(one, other.collect::<Vec<_>>());
    }

    #[test]
    fn a_thread_without_users_has_nothing_due() {
        let none = Plan { users: 0, share: 0.0, ..plan(scenario::Arrival::Poisson) };
        assert_eq!(Schedule::new(none).next(), None);
    }
}
