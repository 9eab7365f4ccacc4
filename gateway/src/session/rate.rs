//! Token buckets: what a session and a user may send, with a burst after a pause.

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

#[cfg(test)]
mod tests {
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
}
