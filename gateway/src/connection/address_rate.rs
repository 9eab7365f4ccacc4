//! What all sessions of an address may send together, whoever their users are and on whichever shards they live.
//!
//! ```text
//!   introduced ─► join: the address's bucket ─► moves with the connection ─► session, on its home shard
//!                   ▲ lock, once a connection                                  └─ take: no lock, once a command
//! ```
//!
//! Invariants: an address has one bucket as long as it has a session, and until the bucket is full again, so connecting
//! anew does not fill it; the table holds those of the sessions there are and a bounded number of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::config::CommandRate;
use crate::limits;
use crate::session::rate::SharedBucket;

/// Entries up to which nobody looks for some that can go.
const SMALL: usize = 1024;

/// The buckets of all addresses. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct AddressRates {
    rate: CommandRate,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug)]
struct Table {
    buckets: HashMap<u64, Arc<SharedBucket>>,
    /// So many entries, and those that nobody needs go; twice what was left last time, so joining stays cheap.
    tidy_at: usize,
}

/// One session's part in the rate of its address.
#[derive(Clone, Debug)]
pub struct AddressRate(Arc<SharedBucket>);

impl AddressRate {
    /// Takes one command out, or tells in how many milliseconds there will be one.
    pub fn take(&self, at: Instant) -> Result<(), u32> {
        self.0.take(at)
    }
}

impl AddressRates {
    /// Nobody has sent anything.
    pub fn new(rate: CommandRate) -> Self {
        let table = Table { buckets: HashMap::new(), tidy_at: SMALL };
        Self { rate, table: Arc::new(Mutex::new(table)) }
    }

    /// The part of one more session of an address; `None`: there is no limit.
    pub fn join(&self, prefix: u64, at: Instant) -> Option<AddressRate> {
        if self.rate.per_s == 0 {
            return None;
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.buckets.len() >= table.tidy_at {
            table.tidy(at);
        }
        let fresh = || Arc::new(SharedBucket::new(self.rate, at));
        Some(AddressRate(Arc::clone(table.buckets.entry(prefix).or_insert_with(fresh))))
    }
}

impl Table {
    fn tidy(&mut self, at: Instant) {
        let mut absent = 0;
        self.buckets.retain(|_, bucket| {
            if Arc::strong_count(bucket) > 1 {
                return true;
            }
            absent += 1;
            absent <= limits::KNOWN_ADDRESSES && !bucket.is_full(at)
        });
        self.tidy_at = SMALL.max(self.buckets.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: CommandRate = CommandRate { per_s: 1, burst: 1 };

    fn len(rates: &AddressRates) -> usize {
        rates.table.lock().unwrap().buckets.len()
    }

    #[test]
    fn q1_connecting_anew_does_not_fill_the_bucket() {
        let (rates, now) = (AddressRates::new(RATE), Instant::now());
        let later = |ms| now + Duration::from_millis(ms);
        assert_eq!(rates.join(7, now).unwrap().take(now), Ok(()));
        assert_eq!(rates.join(7, now).unwrap().take(later(400)), Err(600));
        assert_eq!(rates.join(8, now).unwrap().take(now), Ok(()));
        assert_eq!(rates.join(7, now).unwrap().take(later(1000)), Ok(()));
        assert!(AddressRates::new(CommandRate { per_s: 0, burst: 1 }).join(7, now).is_none());
    }

    #[test]
    fn addresses_without_sessions_are_forgotten_and_others_are_not() {
        let (rates, now) = (AddressRates::new(RATE), Instant::now());
        let stays = rates.join(u64::MAX, now).unwrap();
        stays.take(now).unwrap();
        for prefix in 0..10 * SMALL as u64 {
            drop(rates.join(prefix, now));
        }
        assert!(len(&rates) <= 2 * SMALL, "{}", len(&rates));
        assert_eq!(rates.join(u64::MAX, now).unwrap().take(now), Err(1000), "the same bucket");
        // Those that are not full again are kept as well, but not without bound.
        for prefix in 0..3 * limits::KNOWN_ADDRESSES as u64 {
            rates.join(prefix, now).unwrap().take(now).unwrap_or_default();
        }
        assert!(len(&rates) <= 2 * (limits::KNOWN_ADDRESSES + 1), "{}", len(&rates));
        assert_eq!(stays.take(now), Err(1000));
    }
}
