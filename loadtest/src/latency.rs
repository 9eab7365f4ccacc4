//! How long things took, counted from when they were due.
//!
//! ```text
//!   due ─────────── written ─────────── answered
//!    └───────────────── latency ───────────┘        a stalled server delays what was due meanwhile, and all of that
//!    └── slip ──┘                                   delay is recorded: no coordinated omission
//! ```
//!
//! Recorded in microseconds with three significant digits (HdrHistogram). What was due before the end of the warm-up
//! is not recorded.

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency told apart; a longer one counts as this one.
const MAX_LATENCY_US: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies of one kind.
#[derive(Clone, Debug)]
pub struct Latency {
    histogram: Histogram<u64>,
    warmup_us: u64,
}

/// The figures of a report, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// How many were recorded.
    pub count: u64,
}

impl Latency {
    /// An empty record that leaves out what was due in the first `warmup_us` of the run.
    pub fn new(warmup_us: u64) -> Self {
        let mut histogram = Histogram::new_with_max(MAX_LATENCY_US, SIGNIFICANT_DIGITS)
            .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"));
        histogram.auto(false);
        Self { histogram, warmup_us }
    }

    /// Records that what was due at `due_us` happened at `now_us`, both after the start of the run.
    pub fn record(&mut self, due_us: u64, now_us: u64) {
        if due_us >= self.warmup_us {
            self.histogram.saturating_record(now_us.saturating_sub(due_us));
        }
    }

    /// Adds another thread's record. Lossless: both have the same buckets.
    pub fn merge(&mut self, other: &Self) {
        let added = self.histogram.add(&other.histogram);
        debug_assert!(added.is_ok(), "{added:?}");
    }

    /// The figures so far.
    pub fn percentiles(&self) -> Percentiles {
        let at = |quantile| self.histogram.value_at_quantile(quantile) as f64 / 1000.0;
        if self.histogram.is_empty() {
            return Percentiles::default();
        }
        Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.histogram.max() as f64 / 1000.0,
            mean: self.histogram.mean() / 1000.0,
            count: self.histogram.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_up_is_left_out() {
        let mut latency = Latency::new(1000);
        latency.record(999, 500_000);
        assert_eq!(latency.percentiles(), Percentiles::default());
        latency.record(1000, 3000);
        assert_eq!(latency.percentiles().count, 1);
        assert!((latency.percentiles().p50 - 2.0).abs() < 0.01);
    }

    /// A server that answers within 1 ms but stands still for one second in ten: at 1,000 sends a second, 10 % of the
    /// sends fall into the stall and wait up to a second. Counting from the write of a client that waits for answers
    /// would show one slow send in 9,000.
    #[test]
    fn a_stall_shows_in_full_because_latency_counts_from_the_due_time() {
        let mut latency = Latency::new(0);
        let stall_us = 5_000_000..6_000_000;
        for due_us in (0..10_000_000).step_by(1000) {
            let served_us = if stall_us.contains(&due_us) { stall_us.end } else { due_us };
            latency.record(due_us, served_us + 1000);
        }
        let figures = latency.percentiles();
        assert_eq!(figures.count, 10_000);
        assert!(figures.p50 < 1.1, "{figures:?}");
        assert!((850.0..950.0).contains(&figures.p99), "{figures:?}");
        assert!((980.0..1005.0).contains(&figures.p999), "{figures:?}");
    }

    #[test]
    fn merging_threads_loses_nothing() {
        let (mut one, mut two) = (Latency::new(0), Latency::new(0));
        one.record(0, 1000);
        two.record(0, 9000);
        one.merge(&two);
        let figures = one.percentiles();
        assert_eq!(figures.count, 2);
        assert!((figures.max - 9.0).abs() < 0.01, "{figures:?}");
    }

    #[test]
    fn what_takes_longer_than_the_range_counts_as_its_end() {
        let mut latency = Latency::new(0);
        latency.record(0, u64::MAX);
        assert_eq!(latency.percentiles().count, 1);
    }
}
