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
//!
//! Between processes and in reports a histogram is written as HdrHistogram's own compressed form (V2, deflated, base64;
//! other programs read it too), which keeps every bucket: adding up the records of many processes loses nothing. A
//! series keeps one histogram for each of hundreds of intervals, so there it is [`Packed`]: only the buckets in use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

/// The longest latency told apart; a longer one counts as this one.
const MAX_LATENCY_US: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    #[serde(serialize_with = "write_histogram", deserialize_with = "read_histogram")]
    histogram: Histogram<u64>,
    warmup_us: u64,
}

/// A histogram of few values: each with how often it was recorded, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed(Vec<(u64, u64)>);

/// The figures of a report, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
        Self { histogram: empty(), warmup_us }
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

    /// What was recorded here and not yet in `before`, an earlier state of the same record.
    pub(crate) fn since(&self, before: &Packed) -> Packed {
        let mut before = before.0.iter().peekable();
        let mut values = Vec::new();
        for bucket in self.histogram.iter_recorded() {
            let value = bucket.value_iterated_to();
            let earlier = before.next_if(|(earlier, _)| *earlier == value).map_or(0, |pair| pair.1);
            match bucket.count_at_value().saturating_sub(earlier) {
                0 => {}
                count => values.push((value, count)),
            }
        }
        Packed(values)
    }

    /// The buckets in use.
    pub fn packed(&self) -> Packed {
        self.since(&Packed::default())
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

impl Packed {
    /// The buckets: value in microseconds, and how often.
    pub fn buckets(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.0.last().map_or(0.0, |&(value, _)| value as f64 / 1000.0)
    }

    /// The value in milliseconds that this share of all do not exceed; `None`: nothing was recorded.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let rank = ((quantile * self.count() as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = self.0.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        reached.map(|&(value, _)| value as f64 / 1000.0)
    }

    /// Adds another record.
    pub fn merge(&mut self, other: &Self) {
        let mut merged = Vec::with_capacity(self.0.len().max(other.0.len()));
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let Some(&value) =
            [one.peek(), two.peek()].into_iter().flatten().map(|(value, _)| value).min()
        {
            let take = |from: &mut std::iter::Peekable<std::slice::Iter<(u64, u64)>>| {
                from.next_if(|pair| pair.0 == value).map_or(0, |pair| pair.1)
            };
            merged.push((value, take(&mut one) + take(&mut two)));
        }
        self.0 = merged;
    }

    /// The same as a full histogram.
    pub(crate) fn unpacked(&self) -> Histogram<u64> {
        let mut histogram = empty();
        for &(value, count) in &self.0 {
            histogram.saturating_record_n(value, count);
        }
        histogram
    }
}

impl Serialize for Packed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_histogram(&self.unpacked(), serializer)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let histogram = read_histogram(deserializer)?;
        Ok(Latency { histogram, warmup_us: 0 }.packed())
    }
}

/// The one shape of histogram there is; only equal shapes can be added without loss.
fn empty() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_max(MAX_LATENCY_US, SIGNIFICANT_DIGITS)
        .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"));
    histogram.auto(false);
    histogram
}

fn write_histogram<S: serde::Serializer>(
    histogram: &Histogram<u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn read_histogram<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Histogram<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
    let read: Histogram<u64> = Deserializer::new()
        .deserialize(&mut &bytes[..])
        .map_err(|error| D::Error::custom(format!("no histogram: {error:?}")))?;
    let mut histogram = empty();
    if (read.low(), read.high(), read.sigfig())
        != (histogram.low(), histogram.high(), histogram.sigfig())
    {
        return Err(D::Error::custom("a histogram of another shape"));
    }
    histogram.add(&read).map_err(D::Error::custom)?;
    Ok(histogram)
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

    /// A run over processes adds up what came over a wire; it must be what one process would have recorded.
    #[test]
    fn written_and_read_histograms_add_up_to_the_one_of_a_single_process() {
        let mut whole = Latency::new(5);
        let mut parts = [Latency::new(5), Latency::new(5), Latency::new(5)];
        let mut series = Packed::default();
        let mut state: u64 = 1;
        for number in 0..30_000 {
            // Over all magnitudes from microseconds to beyond the range.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let took_us = (state >> 33) >> (number % 31);
            whole.record(10, 10 + took_us);
            let part = &mut parts[number % 3];
            let before = (number % 1000 == 0).then(|| part.packed());
            part.record(10, 10 + took_us);
            if let Some(before) = before {
                assert_eq!(part.since(&before).count(), 1);
            }
        }
        let mut sum = Latency::new(5);
        for part in &parts {
            let json = serde_json::to_string(part).unwrap();
            let read: Latency = serde_json::from_str(&json).unwrap();
            assert_eq!(read.histogram, part.histogram);
            sum.merge(&read);
            let json = serde_json::to_string(&part.packed()).unwrap();
            series.merge(&serde_json::from_str(&json).unwrap());
        }
        assert_eq!(sum.histogram, whole.histogram);
        assert_eq!(series, whole.packed());
        let figures = whole.percentiles();
        for (quantile, expected) in
            [(0.5, figures.p50), (0.99, figures.p99), (0.999, figures.p999), (1.0, figures.max)]
        {
            let found = series.quantile_ms(quantile).unwrap();
            assert!((found - expected).abs() < 1e-9, "{quantile}: {found} {expected}");
        }
        assert_eq!(Packed::default().quantile_ms(0.5), None);
    }

    #[test]
    fn what_is_no_histogram_of_this_shape_is_refused() {
        let mut bytes = Vec::new();
        let other = Histogram::<u64>::new_with_max(1000, 2).unwrap();
        V2DeflateSerializer::new().serialize(&other, &mut bytes).unwrap();
        for text in [STANDARD.encode(bytes), STANDARD.encode(b"nothing"), "%".to_owned()] {
            let json = serde_json::to_string(&text).unwrap();
            let error = serde_json::from_str::<Packed>(&json).unwrap_err().to_string();
            assert!(error.contains("istogram") || error.contains("nvalid"), "{error}");
        }
    }

    #[test]
    fn what_takes_longer_than_the_range_counts_as_its_end() {
        let mut latency = Latency::new(0);
        latency.record(0, u64::MAX);
        assert_eq!(latency.percentiles().count, 1);
    }
}
