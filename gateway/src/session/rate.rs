//! Token buckets: what a session and a user may send, with a burst after a pause; and one that threads share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::config::CommandRate;

/// The state of one bucket, in thousandths of a command.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    level_milli: u64,
    filled_at_ms: i64,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate: CommandRate, now_ms: i64) -> Self {
        Self { level_milli: u64::from(rate.burst) * 1000, filled_at_ms: now_ms }
    }

    /// Whether it is as good as new.
    pub fn is_full(&self, rate: CommandRate, now_ms: i64) -> bool {
        let elapsed_ms = now_ms.saturating_sub(self.filled_at_ms).max(0).cast_unsigned();
        let gained = elapsed_ms.saturating_mul(rate.per_s.into());
        rate.per_s == 0 || self.level_milli.saturating_add(gained) >= u64::from(rate.burst) * 1000
    }

    /// Takes one command out, or tells in how many milliseconds there will be one.
    pub fn take(&mut self, rate: CommandRate, now_ms: i64) -> Result<(), u32> {
        if rate.per_s == 0 {
            return Ok(());
        }
        let elapsed_ms = now_ms.saturating_sub(self.filled_at_ms).max(0).cast_unsigned();
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
        let most = u64::from(rate.burst) * 1000;
        self.level_milli =
            most.min(self.level_milli + elapsed_ms.saturating_mul(rate.per_s.into()));
        if self.level_milli >= 1000 {
            self.level_milli -= 1000;
            Ok(())
        } else {
            let missing = 1000 - self.level_milli;
            Err(missing.div_ceil(u64::from(rate.per_s)) as u32)
        }
    }
}

/// The same for threads together, without a lock. It keeps when the bucket will be full again, in thousandths of a
/// command that come in since it was made (the generic cell rate algorithm), which one compare-and-swap moves on.
#[derive(Debug)]
pub struct SharedBucket {
    rate: CommandRate,
    made_at: Instant,
    /// The latest time anybody came with, since it was made: threads read their clocks at different moments.
    latest_ms: AtomicU64,
    full_at_milli: AtomicU64,
}

impl SharedBucket {
    /// A full bucket.
    pub const fn new(rate: CommandRate, at: Instant) -> Self {
        let (latest_ms, full_at_milli) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { rate, made_at: at, latest_ms, full_at_milli }
    }

    /// Whether it is as good as new.
    pub fn is_full(&self, at: Instant) -> bool {
        self.rate.per_s == 0 || self.full_at_milli.load(Ordering::Relaxed) <= self.milli(at)
    }

    /// Takes one command out, or tells in how many milliseconds there will be one.
    pub fn take(&self, at: Instant) -> Result<(), u32> {
        let rate = self.rate;
        if rate.per_s == 0 {
            return Ok(());
        }
        let now_milli = self.milli(at);
        let most = now_milli.saturating_add(u64::from(rate.burst) * 1000);
        let taken = |full_at: u64| full_at.max(now_milli).saturating_add(1000);
        let step = |full_at: u64| Some(taken(full_at)).filter(|after| *after <= most);
        match self.full_at_milli.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(_) => Ok(()),
            Err(full_at) => {
                let missing = taken(full_at).saturating_sub(most);
                Err(u32::try_from(missing.div_ceil(u64::from(rate.per_s))).unwrap_or(u32::MAX))
            }
        }
    }

    /// What has come in since the bucket was made; never less than anybody has seen.
    fn milli(&self, at: Instant) -> u64 {
        let elapsed_ms = at.saturating_duration_since(self.made_at).as_millis() as u64;
        let elapsed_ms = self.latest_ms.fetch_max(elapsed_ms, Ordering::Relaxed).max(elapsed_ms);
        elapsed_ms.saturating_mul(self.rate.per_s.into())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let rate = CommandRate { per_s: 0, burst: 1 };
        let mut bucket = Bucket::new(rate, 0);
        assert!((0..100).all(|_| bucket.take(rate, 0).is_ok()));
    }

    #[test]
    fn burst_then_sustained_rate() {
        let rate = CommandRate { per_s: 10, burst: 3 };
        let mut bucket = Bucket::new(rate, 0);
        assert_eq!((0..3).try_for_each(|_| bucket.take(rate, 0)), Ok(()));
        assert_eq!(bucket.take(rate, 0), Err(100));
        assert!(!bucket.is_full(rate, 299) && bucket.is_full(rate, 300));
        assert_eq!(bucket.take(rate, 60), Err(40));
        assert_eq!(bucket.take(rate, 100), Ok(()));
        // A clock that goes back gives nothing and takes nothing.
        assert_eq!(bucket.take(rate, 50), Err(100));
        assert_eq!((0..4).filter(|_| bucket.take(rate, 1_000_000).is_ok()).count(), 3);
    }

    #[test]
    fn a_shared_bucket_gives_exactly_what_one_of_a_single_thread_does() {
        for rate in [(10, 3), (1, 1), (3, 2), (1000, 7), (999_999, 1)] {
            let rate = CommandRate { per_s: rate.0, burst: rate.1 };
            let began = Instant::now();
            let (mut own, shared) = (Bucket::new(rate, 0), SharedBucket::new(rate, began));
            let mut now = 0_i64;
            for step in 0..500_i64 {
                let at = began + Duration::from_millis(now.cast_unsigned());
                assert_eq!(shared.take(at), own.take(rate, now), "{rate:?} {step}");
                assert_eq!(shared.is_full(at), own.is_full(rate, now), "{rate:?} {step}");
                // Forward by uneven steps, now and then a pause or a step back.
                now = (now + (step * 7919) % 97 - 11).max(0)
                    + if step % 100 == 99 { 5000 } else { 0 };
            }
        }
        let none = CommandRate { per_s: 0, burst: 1 };
        let now = Instant::now();
        let bucket = SharedBucket::new(none, now);
        assert!((0..100).all(|_| bucket.take(now).is_ok()) && bucket.is_full(now));
    }

    #[test]
    fn q1_threads_together_get_no_more_than_the_burst() {
        let rate = CommandRate { per_s: 1, burst: 1000 };
        let now = Instant::now();
        let bucket = SharedBucket::new(rate, now);
        let granted: usize = thread::scope(|scope| {
            let take = || (0..1000).filter(|_| bucket.take(now).is_ok()).count();
            let threads = [(); 4].map(|()| scope.spawn(take));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((granted, bucket.take(now)), (1000, Err(1000)));
    }
}
