//! Connections that are ended on purpose: whose, and when.
//!
//! ```text
//!   reconnect:  ───────────╳ (a share of all, at once)        churn:  ──╳──╳─╳───╳─ (one at a time, at a rate)
//! ```
//!
//! Like sends, cuts are due by a schedule that waits for nobody. A cut whose user is away already is passed over.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::crew::is_drawn;
use crate::scenario::Connections;

/// One cut that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Whose connection ends, by its place on the lane.
    pub(crate) user: usize,
    /// How long the user stays away, in microseconds.
    pub(crate) away_us: u64,
    /// How long after the cut its recovery begins to count, in microseconds.
    pub(crate) excused_us: u64,
    /// It ends with a close frame.
    pub(crate) clean: bool,
}

/// The cuts of one lane.
#[derive(Debug)]
pub(crate) struct Cuts {
    connections: Connections,
    /// The numbers of the lane's users among all.
    users: Vec<u32>,
    seed: u64,
    random: StdRng,
    /// Cuts per second on this lane.
    rate_per_s: f64,
    next_us: u64,
    done: bool,
}

impl Cuts {
    /// The cuts of a lane that holds the users with these numbers, of `all` there are.
    pub(crate) fn new(connections: Connections, users: Vec<u32>, all: u32, seed: u64) -> Self {
        let lane_seed = users.first().map_or(seed, |&first| seed ^ (u64::from(first) << 20));
        let mut random = StdRng::seed_from_u64(lane_seed ^ 0xC075);
        let share = users.len() as f64 / f64::from(all.max(1));
        let (rate_per_s, next_us) = match connections {
            Connections::Hold {} | Connections::Storm {} => (0.0, u64::MAX),
            Connections::Reconnect { at_s, .. } => (0.0, (at_s * 1e6) as u64),
            Connections::Churn { rate_per_s, .. } => {
                let rate_per_s = rate_per_s * share;
                (rate_per_s, gap_us(rate_per_s, &mut random))
            }
        };
        Self { connections, users, seed, random, rate_per_s, next_us, done: false }
    }

    /// What is due `since_us` after the first send was due, and has not been told before.
    pub(crate) fn due(&mut self, since_us: u64) -> Vec<Cut> {
        let mut cuts = Vec::new();
        match self.connections {
            Connections::Hold {} | Connections::Storm {} => {}
            Connections::Reconnect { share, spread_s, .. } => {
                if since_us >= self.next_us && !self.done {
                    self.done = true;
                    for (user, &number) in self.users.iter().enumerate() {
                        if is_drawn(share, number, self.seed) {
                            let away_us = (self.random.random::<f64>() * spread_s * 1e6) as u64;
                            // Whoever comes back late has been without its messages for as long.
                            cuts.push(Cut { user, away_us, excused_us: 0, clean: false });
                        }
                    }
                }
            }
            Connections::Churn { away_s, .. } => {
                while since_us >= self.next_us && !self.users.is_empty() {
                    let user = self.random.random_range(0..self.users.len());
                    let away_us = (away_s * 1e6) as u64;
                    cuts.push(Cut { user, away_us, excused_us: away_us, clean: true });
                    self.next_us += gap_us(self.rate_per_s, &mut self.random);
                }
            }
        }
        cuts
    }
}

/// Until the next event of a Poisson process.
fn gap_us(rate_per_s: f64, random: &mut StdRng) -> u64 {
    let uniform = 1.0 - random.random::<f64>();
    // Saturates where the rate is 0.
    (-uniform.ln() / rate_per_s * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_is_cut_once() {
        let plan = Connections::Reconnect { at_s: 2.0, share: 0.25, spread_s: 0.0 };
        let mut cuts = Cuts::new(plan, (0..10_000).collect(), 10_000, 9);
        assert!(cuts.due(1_999_999).is_empty());
        let due = cuts.due(2_000_000);
        // Standard deviation 43.
        assert!((2_250..2_750).contains(&due.len()), "{}", due.len());
        assert!(due.iter().all(|cut| cut.away_us == 0 && !cut.clean));
        assert!(cuts.due(3_000_000).is_empty());
    }

    #[test]
    fn everybody_is_everybody() {
        let plan = Connections::Reconnect { at_s: 0.0, share: 1.0, spread_s: 0.0 };
        assert_eq!(Cuts::new(plan, (5..25).collect(), 100, 1).due(0).len(), 20);
    }

    #[test]
    fn a_return_is_spread_evenly_and_counts_from_the_cut() {
        let plan = Connections::Reconnect { at_s: 0.0, share: 1.0, spread_s: 4.0 };
        let due = Cuts::new(plan, (0..10_000).collect(), 10_000, 1).due(0);
        assert!(due.iter().all(|cut| cut.away_us < 4_000_000 && cut.excused_us == 0));
        // Standard deviation 43.
        let soon = due.iter().filter(|cut| cut.away_us < 1_000_000).count();
        assert!((2_250..2_750).contains(&soon), "{soon}");
    }

    #[test]
    fn churn_has_its_rate_shared_among_lanes() {
        let plan = Connections::Churn { rate_per_s: 100.0, away_s: 0.5 };
        let mut cuts = Cuts::new(plan, (0..50).collect(), 100, 3);
        let due = cuts.due(100_000_000);
        // 5,000 expected, standard deviation 71.
        assert!((4_600..5_400).contains(&due.len()), "{}", due.len());
        assert!(due.iter().all(|cut| cut.user < 50 && cut.away_us == 500_000 && cut.clean));
        assert!(Cuts::new(plan, Vec::new(), 100, 3).due(100_000_000).is_empty());
    }
}
