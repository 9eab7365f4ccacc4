//! Who guesses passwords of operators is made to wait, and nobody else.
//!
//! ```text
//!   try ─┬─ this name from this address: a few free, then longer each time  ┐
//!        ├─ any name from this address:  the same                           ├─ the longest wait of the three
//!        └─ this name from anywhere:     so many a minute, begun anew each  ┘
//! ```
//!
//! A try counts as failed until it has succeeded, so many at once are no more than one after another. Addresses without a
//! limit are one address as far as names go, and have no count of their own.
//!
//! Invariants: what one address does keeps no operator out who comes from another; what all addresses do to a name keeps
//! its operator waiting for the rest of a minute at most; the table is bounded.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures from an address that cost nothing.
const FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(15);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);
/// Failures are forgotten after this long without another.
const FORGOTTEN: Duration = Duration::from_mins(30);
/// Failures of a name in one minute, from wherever they come.
const OF_NAME_A_MINUTE: u32 = 300;
const MINUTE: Duration = Duration::from_mins(1);
/// Names and addresses that are counted at a time; beyond that the one that failed longest ago is forgotten.
const COUNTED: usize = 4096;

/// What failures are counted by. Names are in small letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum By {
    Address(u64),
    NameFrom(String, Option<u64>),
    Name(String),
}

/// What one try is counted by.
#[derive(Debug)]
pub(super) struct Tries(Vec<By>);

impl Tries {
    /// `name`: if it can be one. `address`: what stands for it, if it has a limit.
    pub(super) fn new(name: Option<&str>, address: Option<u64>) -> Self {
        let name = name.map(str::to_lowercase);
        let of_name = name.map(|name| [By::NameFrom(name.clone(), address), By::Name(name)]);
        Self(address.map(By::Address).into_iter().chain(of_name.into_iter().flatten()).collect())
    }
}

#[derive(Debug)]
struct Failures {
    count: u32,
    first: Instant,
    last: Instant,
}

impl Failures {
    /// How long the next try has to wait.
    fn wait(&self, by: &By, now: Instant) -> Duration {
        let until = match by {
            By::Name(_) if self.count >= OF_NAME_A_MINUTE => self.first + MINUTE,
            By::Name(_) => return Duration::ZERO,
            By::Address(_) | By::NameFrom(..) => {
                let Some(beyond) = self.count.checked_sub(FREE) else { return Duration::ZERO };
                self.last + FIRST.saturating_mul(1 << beyond.min(10)).min(LONGEST)
            }
        };
        until.saturating_duration_since(now)
    }

    fn is_over(&self, by: &By, now: Instant) -> bool {
        match by {
            By::Name(_) => now.saturating_duration_since(self.first) >= MINUTE,
            By::Address(_) | By::NameFrom(..) => {
                now.saturating_duration_since(self.last) >= FORGOTTEN
            }
        }
    }
}

/// The failures that are remembered.
#[derive(Debug, Default)]
pub(super) struct Lockout(Mutex<HashMap<By, Failures>>);

impl Lockout {
    /// Somebody tries, which counts as failed unless it [succeeds](Self::succeeded); `Err`: how long they wait before they
    /// may.
    pub(super) fn enter(&self, Tries(tries): &Tries, now: Instant) -> Result<(), Duration> {
        let mut counted = self.counted();
        let left = |by: &By| Some(counted.get(by)?.wait(by, now));
        if let Some(left) = tries.iter().filter_map(left).max().filter(|left| !left.is_zero()) {
            return Err(left);
        }
        counted.retain(|by, failures| !failures.is_over(by, now));
        for by in tries {
            if counted.len() >= COUNTED && !counted.contains_key(by) {
                let oldest = counted.iter().min_by_key(|(_, failures)| failures.last);
                if let Some(oldest) = oldest.map(|(by, _)| by.clone()) {
                    counted.remove(&oldest);
                }
            }
            let new = Failures { count: 0, first: now, last: now };
            let failures = counted.entry(by.clone()).or_insert(new);
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
        }
        Ok(())
    }

    /// Somebody got in: their address is as good as new. What others tried with their name is not forgotten.
    pub(super) fn succeeded(&self, Tries(tries): &Tries) {
        let mut counted = self.counted();
        for by in tries {
            match (by, counted.get_mut(by)) {
                (By::Name(_), Some(failures)) => failures.count = failures.count.saturating_sub(1),
                _ => drop(counted.remove(by)),
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<By, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: u64 = 1;
    const ELSEWHERE: u64 = 2;

    #[test]
    fn guesses_cost_more_and_more_time_until_they_are_forgotten() {
        let lockout = Lockout::default();
        let start = Instant::now();
        let ann = Tries::new(Some("Ann"), Some(HERE));
        for _ in 0..FREE {
            assert_eq!(lockout.enter(&ann, start), Ok(()));
        }
        assert_eq!(lockout.enter(&ann, start), Err(FIRST));
        for other in [None, Some("bob")] {
            let from_here = Tries::new(other, Some(HERE));
            assert_eq!(lockout.enter(&from_here, start), Err(FIRST), "so do others from there");
        }
        assert_eq!(lockout.enter(&Tries::new(Some("bob"), Some(ELSEWHERE)), start), Ok(()));
        let mut now = start;
        for wait in [FIRST, FIRST * 2, FIRST * 4] {
            assert_eq!(lockout.enter(&ann, now), Err(wait));
            now += wait;
            assert_eq!(lockout.enter(&ann, now), Ok(()));
        }
        for _ in 0..20 {
            now += LONGEST;
            assert_eq!(lockout.enter(&ann, now), Ok(()));
        }
        assert_eq!(lockout.enter(&ann, now), Err(LONGEST));
        lockout.succeeded(&ann);
        assert_eq!(lockout.enter(&ann, now), Ok(()));
    }

    #[test]
    fn strangers_keep_nobody_out_who_comes_from_elsewhere() {
        for address in [Some(ELSEWHERE), None] {
            let lockout = Lockout::default();
            let mut now = Instant::now();
            let (stranger, ann) =
                (Tries::new(Some("ann"), Some(HERE)), Tries::new(Some("ANN"), address));
            for _ in 0..FREE {
                assert_eq!(lockout.enter(&stranger, now), Ok(()));
            }
            // One wrong try whenever the wait is over, for a day.
            for _ in 0..100 {
                let wait = lockout.enter(&stranger, now).unwrap_err();
                assert_eq!(lockout.enter(&ann, now), Ok(()), "the operator never waits");
                lockout.succeeded(&ann);
                now += wait;
                assert_eq!(lockout.enter(&stranger, now), Ok(()));
            }
        }
    }

    #[test]
    fn a_name_that_everybody_tries_waits_for_the_end_of_a_minute_and_no_longer() {
        let lockout = Lockout::default();
        let start = Instant::now();
        let many = |n: u32| Tries::new(Some("ann"), Some(u64::from(n) + 100));
        for n in 0..OF_NAME_A_MINUTE {
            assert_eq!(lockout.enter(&many(n), start), Ok(()));
        }
        let ann = Tries::new(Some("ann"), Some(HERE));
        let late = start + MINUTE / 4;
        assert_eq!(lockout.enter(&ann, late), Err(MINUTE / 4 * 3));
        assert_eq!(lockout.enter(&Tries::new(Some("bob"), Some(HERE)), late), Ok(()));
        assert_eq!(lockout.enter(&ann, start + MINUTE), Ok(()), "a new minute");
    }

    #[test]
    fn so_many_are_counted_and_no_more() {
        let lockout = Lockout::default();
        let start = Instant::now();
        for n in 0..2 * COUNTED as u64 {
            let tries = Tries::new(None, Some(n));
            assert_eq!(lockout.enter(&tries, start + Duration::from_millis(n)), Ok(()));
        }
        assert_eq!(lockout.counted().len(), COUNTED);
        assert_eq!(lockout.enter(&Tries::new(None, Some(HERE)), start + FORGOTTEN * 2), Ok(()));
        assert_eq!(lockout.counted().len(), 1);
    }
}
