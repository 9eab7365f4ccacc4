//! When sends of an open loop are due: decided before the run, and by nothing that happens in it.
//!
//! ```text
//!   constant:  |  |  |  |  |  |  |       poisson:  ||   |  | |     |||  |
//! ```
//!
//! Each lane (a thread of the generator) draws its own part of the schedule, as large as its part of the users who send:
//! of a constant schedule those sends whose turn is one of its users', in an order that all lanes draw alike; Poisson
//! processes add up to one of the sum of their rates. Invariants: the lanes' parts are the whole, however many users each
//! has; times never fall; nothing is due at or after the end; the same seed gives the same schedule. A closed loop has no
//! schedule: its sends follow the answers.

use std::collections::HashMap;

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
    /// Seed of the whole run.
    pub seed: u64,
}

/// When it is a user's turn: their place among all who send.
#[derive(Clone, Copy, Debug)]
struct Turn {
    place: u32,
    /// Which of the lane's sending users it is, from 0.
    user: u32,
}

/// The turns of a lane's users, in order.
#[derive(Clone, Debug)]
pub struct Turns {
    own: Vec<Turn>,
    /// Users who send, over all lanes.
    senders: usize,
}

impl Turns {
    /// `all` are the numbers of those who send, over all lanes, and `own` those of this lane. The same seed draws the same
    /// order on every lane.
    pub fn new(all: impl Iterator<Item = u32>, own: impl Iterator<Item = u32>, seed: u64) -> Self {
        let mut order: Vec<u32> = all.collect();
        order.shuffle(&mut StdRng::seed_from_u64(seed));
        let own: HashMap<u32, u32> = own.zip(0..).collect();
        let turn = |(number, place)| own.get(number).map(|&user| Turn { place, user });
        Self { own: order.iter().zip(0..).filter_map(turn).collect(), senders: order.len() }
    }
}

/// A lane's part of the schedule, in order of time.
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    rate: Rate,
    random: StdRng,
    turns: Turns,
    /// How many were drawn.
    drawn: u64,
    /// How many sends of all lanes were expected by the time of the one drawn last.
    expected: f64,
}

impl Schedule {
    /// The schedule of one lane; empty where it has no turns, and for a closed loop.
    pub fn new(plan: Plan, turns: Turns) -> Self {
        let random = StdRng::seed_from_u64(plan.seed ^ (u64::from(plan.lane) << 48));
        let rate = Rate::new(plan.rate_per_s, plan.shape, plan.duration_s);
        Self { plan, rate, random, turns, drawn: 0, expected: 0.0 }
    }

    /// Whose, and which of the sends of all lanes, the next one is.
    fn draw(&mut self) -> Option<(Turn, f64)> {
        let Turns { own, senders } = &self.turns;
        if own.is_empty() {
            return None;
        }
        match self.plan.arrival {
            scenario::Arrival::Constant => {
                let turn = own[(self.drawn % own.len() as u64) as usize];
                let rounds = self.drawn / own.len() as u64;
                Some((turn, (rounds * *senders as u64 + u64::from(turn.place)) as f64))
            }
            scenario::Arrival::Poisson => {
                let turn = own[self.random.random_range(0..own.len())];
                // Inverse of the exponential distribution; 1 − [0, 1) is never 0.
                let uniform = 1.0 - self.random.random::<f64>();
                let share = own.len() as f64 / *senders as f64;
                Some((turn, self.expected - uniform.ln() / share))
            }
            scenario::Arrival::Closed => None,
        }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        let (turn, expected) = self.draw()?;
        self.expected = expected;
        let at_ns = (self.rate.due(self.expected)? * 1e9) as u64;
        self.drawn += 1;
        Some(Due { at_ns, user: turn.user as usize })
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
            seed: 7,
        }
    }

    /// The schedule of a lane with these of ten users.
    fn lane(plan: Plan, own: &[u32]) -> Schedule {
        Schedule::new(plan, Turns::new(0..10, own.iter().copied(), plan.seed))
    }

    fn alone(plan: Plan) -> Schedule {
        lane(plan, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced_and_users_take_turns() {
        let due: Vec<_> = alone(plan(scenario::Arrival::Constant)).collect();
        assert_eq!(due.len(), 10_000);
        assert!(due.windows(2).all(|pair| pair[1].at_ns.abs_diff(pair[0].at_ns + 1_000_000) <= 1));
        for user in 0..10 {
            assert_eq!(due.iter().filter(|due| due.user == user).count(), 1000);
        }
    }

    #[test]
    fn lanes_interleave_to_the_same_constant_schedule_however_many_users_each_has() {
        let constant = plan(scenario::Arrival::Constant);
        let whole: Vec<_> = alone(constant).map(|due| due.at_ns).collect();
        let mut times = Vec::new();
        for own in [&[0, 3, 7][..], &[], &[1, 2, 4, 5, 6, 8], &[9]] {
            let part: Vec<_> = lane(constant, own).collect();
            assert!(part.windows(2).all(|pair| pair[0].at_ns < pair[1].at_ns));
            for user in 0..own.len() {
                assert_eq!(part.iter().filter(|due| due.user == user).count(), 1000, "a fair turn");
            }
            times.extend(part.into_iter().map(|due| due.at_ns));
        }
        times.sort_unstable();
        assert_eq!(times, whole);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_variance_of_a_poisson_process() {
        let due: Vec<_> = alone(plan(scenario::Arrival::Poisson)).collect();
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
        let one: Vec<_> = alone(plan(scenario::Arrival::Poisson)).collect();
        let two: Vec<_> = alone(plan(scenario::Arrival::Poisson)).collect();
        let other = alone(Plan { seed: 8, ..plan(scenario::Arrival::Poisson) });
        assert_eq!(one, two);
        assert_ne!(one, other.collect::<Vec<_>>());
    }

    #[test]
    fn lanes_of_a_poisson_process_follow_the_shape_together() {
        let spike = scenario::Shape::Spike { at_s: 5.0, for_s: 1.0, to_per_s: 5000.0 };
        let mut seconds = [0_u32; 10];
        for (number, own) in [&[0, 1, 2][..], &[3], &[4, 5, 6, 7, 8], &[9]].into_iter().enumerate()
        {
            let poisson = plan(scenario::Arrival::Poisson);
            for due in lane(Plan { shape: spike, lane: number as u32, ..poisson }, own) {
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
        assert_eq!(alone(plan(scenario::Arrival::Closed)).next(), None);
        assert_eq!(lane(plan(scenario::Arrival::Poisson), &[]).next(), None);
        assert_eq!(lane(plan(scenario::Arrival::Constant), &[]).next(), None);
    }
}
