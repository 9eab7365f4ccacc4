//! When sends of an open loop are due: decided before the run, and by nothing that happens in it.
//!
//! ```text
//!   constant:  |  |  |  |  |  |  |       poisson:  ||   |  | |     |||  |
//! ```
//!
//! Each lane (a thread of the generator) draws its own part of the schedule: constant schedules interleave exactly,
//! Poisson processes add up to one of the sum of their rates. Invariants: times never fall; nothing is due at or after
//! the end; the same seed gives the same schedule. A closed loop has no schedule: its sends follow the answers.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::rate::Rate;
use crate::scenario;

/// One send that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When, in nanoseconds after the start of the run.
    pub at_ns: u64,
    /// Which of the lane's sending users it is, from 0.
    pub user: usize,
}

/// What a lane's schedule is made from.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How sends are spread.
    pub arrival: scenario::Arrival,
    /// Sends per second over all lanes, at the beginning.
    pub rate_per_s: f64,
    /// How that rate changes.
    pub shape: scenario::Shape,
    /// How long sends are offered, in seconds.
    pub duration_s: f64,
    /// This lane, from 0.
    pub lane: u32,
    /// How many lanes share the rate.
    pub lanes: u32,
    /// Users of this lane who send.
    pub users: usize,
    /// Those divided by all users who send: the lane's share of a Poisson process.
    pub share: f64,
    /// Seed of the whole run.
    pub seed: u64,
}

/// A lane's part of the schedule, in order of time.
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    rate: Rate,
    random: StdRng,
    /// Constant arrivals: the users take turns in this order.
    turns: Vec<u32>,
    /// How many were drawn.
    drawn: u64,
    /// Poisson arrivals: how many sends of all lanes were expected by the time of the one drawn last.
    expected: f64,
}

impl Schedule {
    /// The schedule of one lane; empty where it has no users, and for a closed loop.
    pub fn new(plan: Plan) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed ^ (u64::from(plan.lane) << 48));
        let mut turns: Vec<u32> = match plan.arrival {
            scenario::Arrival::Closed => Vec::new(),
            _ => (0..plan.users as u32).collect(),
        };
        turns.shuffle(&mut random);
        let rate = Rate::new(plan.rate_per_s, plan.shape, plan.duration_s);
        Self { plan, rate, random, turns, drawn: 0, expected: 0.0 }
    }

    fn next_count(&mut self) -> f64 {
        match self.plan.arrival {
            scenario::Arrival::Constant | scenario::Arrival::Closed => {
                (u64::from(self.plan.lane) + self.drawn * u64::from(self.plan.lanes)) as f64
            }
            scenario::Arrival::Poisson => {
                // Inverse of the exponential distribution; 1 − [0, 1) is never 0.
                let uniform = 1.0 - self.random.random::<f64>();
                self.expected - uniform.ln() / self.plan.share
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
        self.expected = self.next_count();
        let at_ns = (self.rate.due(self.expected)? * 1e9) as u64;
        let turn = match self.plan.arrival {
            scenario::Arrival::Poisson => self.random.random_range(0..self.turns.len()),
            _ => (self.drawn % self.turns.len() as u64) as usize,
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
            shape: scenario::Shape::default(),
            duration_s: 10.0,
            lane: 0,
            lanes: 1,
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
    fn lanes_interleave_to_the_same_constant_schedule() {
        let whole: Vec<_> =
            Schedule::new(plan(scenario::Arrival::Constant)).map(|due| due.at_ns).collect();
        let mut parts = Vec::new();
        for lane in 0..3 {
            let part = Plan { lane, lanes: 3, ..plan(scenario::Arrival::Constant) };
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
    fn lanes_of_a_poisson_process_follow_the_shape_together() {
        let spike = scenario::Shape::Spike { at_s: 5.0, for_s: 1.0, to_per_s: 5000.0 };
        let mut seconds = [0_u32; 10];
        for lane in 0..4 {
            let quarter = Plan {
                shape: spike,
                lane,
                lanes: 4,
                share: 0.25,
                ..plan(scenario::Arrival::Poisson)
            };
            for due in Schedule::new(quarter) {
                seconds[(due.at_ns / 1_000_000_000) as usize] += 1;
            }
        }
        // Five standard deviations either way.
        for (second, count) in seconds.into_iter().enumerate() {
            let (expected, tolerance) = if second == 5 { (5000, 354) } else { (1000, 158) };
            assert!(count.abs_diff(expected) < tolerance, "{seconds:?}");
        }
    }

    #[test]
    fn a_closed_loop_and_a_lane_without_users_have_nothing_due() {
        assert_eq!(Schedule::new(plan(scenario::Arrival::Closed)).next(), None);
        let none = Plan { users: 0, share: 0.0, ..plan(scenario::Arrival::Poisson) };
        assert_eq!(Schedule::new(none).next(), None);
    }
}
