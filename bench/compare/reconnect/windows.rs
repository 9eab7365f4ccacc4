//! What others felt before something happened, and while it lasted.
//!
//! ```text
//!   intervals of their run   │    │    │▒▒▒▒│▒▒▒▒│▒▒▒▒│▓▓▓▓│▓▓▓▓│▓▓▓▓│    │    │
//!                                      └─── before ───┴─ meanwhile ──┘
//! ```
//!
//! An interval in which it began or ended counts as one in which it lasted.

use ringwire_loadtest::latency::Packed;
use ringwire_loadtest::series::Interval;

/// What was measured before, and while it lasted.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    pub(crate) before: Window,
    pub(crate) meanwhile: Window,
}

/// Some intervals of a run.
#[derive(Debug, Default)]
pub(crate) struct Window {
    ack: Packed,
    sent: u64,
    late: u64,
}

impl Windows {
    /// Those of a run, around what lasted from `begin_s` to `end_s`; before means from `quiet_s` on. All in seconds after
    /// the run's first send could be due.
    pub(crate) fn around(intervals: &[Interval], quiet_s: f64, begin_s: f64, end_s: f64) -> Self {
        let mut windows = Self::default();
        for interval in intervals {
            let from_s = interval.at_s - interval.seconds;
            if from_s >= quiet_s && interval.at_s <= begin_s {
                windows.before.add(interval);
            } else if interval.at_s > begin_s && from_s < end_s {
                windows.meanwhile.add(interval);
            }
        }
        windows
    }

    /// The larger share of sends that the generator itself was late with; not a number where nothing was sent.
    pub(crate) fn late_share(&self) -> f64 {
        self.before.late_share().max(self.meanwhile.late_share())
    }
}

impl Window {
    fn add(&mut self, interval: &Interval) {
        self.ack.merge(&interval.ack);
        self.sent += interval.counts.sent;
        self.late += interval.counts.late_sends;
    }

    /// Of the acknowledgements; not a number where there were none.
    pub(crate) fn p99_ms(&self) -> f64 {
        self.ack.quantile_ms(0.99).unwrap_or(f64::NAN)
    }

    fn late_share(&self) -> f64 {
        self.late as f64 / self.sent as f64
    }
}

#[cfg(test)]
mod tests {
    use ringwire_loadtest::latency::Latency;
    use ringwire_loadtest::series::Counts;

    use super::*;

    /// The interval that ends at `at_s`, with one acknowledgement that took `ms`.
    fn second(at_s: f64, ms: u64, late_sends: u64) -> Interval {
        let mut latency = Latency::new(0);
        latency.record(0, ms * 1000);
        let counts = Counts { sent: 100, late_sends, ..Counts::default() };
        Interval { at_s, seconds: 1.0, ack: latency.packed(), counts, ..Interval::default() }
    }

    #[test]
    fn what_an_interval_touches_counts_as_meanwhile() {
        let run: Vec<Interval> =
            [(1.0, 900), (2.0, 1), (3.0, 2), (4.0, 30), (5.0, 40), (6.0, 50), (7.0, 800)]
                .map(|(at_s, ms)| second(at_s, ms, u64::from(ms == 50) * 3))
                .into();
        let windows = Windows::around(&run, 1.0, 3.5, 5.2);
        assert!((windows.before.p99_ms() - 2.0).abs() < 0.1, "{windows:?}");
        assert!((windows.meanwhile.p99_ms() - 50.0).abs() < 0.1, "{windows:?}");
        assert!((windows.late_share() - 0.01).abs() < 1e-9, "{windows:?}");
    }

    #[test]
    fn where_nothing_was_measured_there_is_no_figure() {
        let windows = Windows::around(&[], 0.0, 1.0, 2.0);
        assert!(windows.before.p99_ms().is_nan() && windows.late_share().is_nan());
    }
}
