//! Who guesses passwords of operators is made to wait: by name and by address, longer each time. A try counts as failed until
//! it has succeeded, so many at once are no more than one after another. Addresses without a limit are counted by name alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of a name, or of an address, that cost nothing.
const FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(15);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);
/// Failures are forgotten after this long without another.
const FORGOTTEN: Duration = Duration::from_mins(30);
/// Names and addresses that are counted at a time; beyond that the one that failed longest ago is forgotten.
const COUNTED: usize = 4096;

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(&self) -> Duration {
        let Some(beyond) = self.count.checked_sub(FREE) else { return Duration::ZERO };
        FIRST.saturating_mul(1 << beyond.min(10)).min(LONGEST)
    }
}

/// The failures that are remembered.
#[derive(Debug, Default)]
pub(super) struct Lockout(Mutex<HashMap<String, Failures>>);

impl Lockout {
    /// Somebody tries, which counts as failed unless it [succeeds](Self::succeeded); `Err`: how long they wait before they
    /// may.
    pub(super) fn enter(&self, keys: &[String], now: Instant) -> Result<(), Duration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |key: &String| {
            let failures = counted.get(key)?;
            (failures.last + failures.wait()).checked_duration_since(now)
        };
        if let Some(left) = keys.iter().filter_map(left).max().filter(|left| !left.is_zero()) {
            return Err(left);
        }
        counted.retain(|_, failures| now.saturating_duration_since(failures.last) < FORGOTTEN);
        for key in keys {
            if counted.len() >= COUNTED && !counted.contains_key(key) {
                let oldest = counted.iter().min_by_key(|(_, failures)| failures.last);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    counted.remove(&oldest);
                }
            }
            let failures = counted.entry(key.clone()).or_insert(Failures { count: 0, last: now });
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
        }
        Ok(())
    }

    /// Somebody got in: their name and address are as good as new.
    pub(super) fn succeeded(&self, keys: &[String]) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            counted.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_cost_more_and_more_time_until_they_are_forgotten() {
        let lockout = Lockout::default();
        let start = Instant::now();
        let ann = ["name:ann".to_owned(), "address:::1".to_owned()];
        for _ in 0..FREE {
            assert_eq!(lockout.enter(&ann, start), Ok(()));
        }
        assert_eq!(lockout.enter(&ann, start), Err(FIRST));
        assert_eq!(lockout.enter(&ann[1..], start), Err(FIRST), "other names from there wait too");
        assert_eq!(lockout.enter(&["name:bob".to_owned()], start), Ok(()));
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
    fn so_many_are_counted_and_no_more() {
        let lockout = Lockout::default();
        let start = Instant::now();
        for n in 0..2 * COUNTED as u64 {
            let entered =
                lockout.enter(&[format!("address:{n}")], start + Duration::from_millis(n));
            assert_eq!(entered, Ok(()));
        }
        assert_eq!(lockout.0.lock().unwrap().len(), COUNTED);
        assert_eq!(lockout.enter(&["name:ann".to_owned()], start + FORGOTTEN * 2), Ok(()));
        assert_eq!(lockout.0.lock().unwrap().len(), 1);
    }
}
