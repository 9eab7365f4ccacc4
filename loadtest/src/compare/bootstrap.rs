//! Resampling: what the figures might have been, had other seconds of the same kind come.
//!
//! ```text
//!   run 1   s s s s s s s s        draw runs ──► in each, draw blocks of neighbouring seconds, around the end
//!   run 2   s s s s s s s s        until there are as many seconds as before ──► add up ──► figures
//! ```
//!
//! Seconds that follow each other are alike (a stall, a checkpoint); blocks keep that, where single seconds drawn
//! independently would make the figures look surer than they are.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::Metric;
use crate::latency::Packed;
use crate::report::Report;
use crate::series::Interval;

const RESAMPLES: usize = 1000;
/// Chance is the same each time.
const SEED: u64 = 0x0072_696e_6777_6972;

/// The runs of one side, made ready to be added up quickly.
#[derive(Debug)]
pub(super) struct Side {
    runs: Vec<Vec<Second>>,
    ack: Scale,
    deliver: Scale,
}

/// The values that occur in any second of a side, ascending.
#[derive(Debug)]
struct Scale(Vec<u64>);

/// One interval of a run.
#[derive(Debug)]
struct Second {
    seconds: f64,
    delivered: u64,
    cpu_s: Option<f64>,
    /// Places on the scale, and how often.
    ack: Vec<(u32, u64)>,
    deliver: Vec<(u32, u64)>,
}

/// The figures of some seconds together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Statistics {
    ack: [Option<f64>; 3],
    deliver: [Option<f64>; 3],
    delivered_per_s: f64,
    delivered_per_cpu_s: Option<f64>,
}

impl Statistics {
    pub(super) fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::AckP50 => self.ack[0],
            Metric::AckP99 => self.ack[1],
            Metric::AckP999 => self.ack[2],
            Metric::DeliverP50 => self.deliver[0],
            Metric::DeliverP99 => self.deliver[1],
            Metric::DeliverP999 => self.deliver[2],
            Metric::DeliveredPerS => Some(self.delivered_per_s),
            Metric::DeliveredPerCpuS => self.delivered_per_cpu_s,
        }
    }
}

impl Scale {
    fn new<'a>(records: impl Iterator<Item = &'a Packed>) -> Self {
        let values: BTreeSet<u64> =
            records.flat_map(|record| record.buckets().iter().map(|bucket| bucket.0)).collect();
        Self(values.into_iter().collect())
    }

    fn place(&self, record: &Packed) -> Vec<(u32, u64)> {
        let places = record
            .buckets()
            .iter()
            .filter_map(|(value, count)| Some((self.0.binary_search(value).ok()? as u32, *count)));
        places.collect()
    }

    /// p50, p99 and p99.9 in milliseconds of counts by place.
    fn quantiles(&self, counts: &[u64]) -> [Option<f64>; 3] {
        let all: u64 = counts.iter().sum();
        [0.5, 0.99, 0.999].map(|quantile| {
            let rank = ((quantile * all as f64).ceil() as u64).max(1);
            let mut seen = 0;
            let place = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            })?;
            Some(self.0[place] as f64 / 1000.0)
        })
    }
}

impl Side {
    /// Intervals of all runs together.
    pub(super) fn intervals(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    pub(super) fn new(reports: &[Report]) -> Self {
        let runs: Vec<Vec<&Interval>> = reports.iter().map(counted).collect();
        let all = || runs.iter().flatten();
        let (ack, deliver) = (
            Scale::new(all().map(|interval| &interval.ack)),
            Scale::new(all().map(|interval| &interval.deliver)),
        );
        let second = |interval: &&Interval| Second {
            seconds: interval.seconds,
            delivered: interval.counts.delivered,
            cpu_s: interval.server_cpu_s,
            ack: ack.place(&interval.ack),
            deliver: deliver.place(&interval.deliver),
        };
        let runs = runs.iter().map(|run| run.iter().map(second).collect()).collect();
        Self { runs, ack, deliver }
    }

    /// How many intervals the run with the fewest has.
    pub(super) fn shortest(&self) -> usize {
        self.runs.iter().map(Vec::len).min().unwrap_or(0)
    }

    fn figures<'a>(&self, seconds: impl Iterator<Item = &'a Second>) -> Statistics {
        let (mut ack, mut deliver) = (vec![0; self.ack.0.len()], vec![0; self.deliver.0.len()]);
        let (mut delivered, mut length_s, mut cpu_s) = (0, 0.0, Some(0.0));
        for second in seconds {
            delivered += second.delivered;
            length_s += second.seconds;
            cpu_s = cpu_s.zip(second.cpu_s).map(|(sum, cpu_s)| sum + cpu_s);
            for (sums, record) in [(&mut ack, &second.ack), (&mut deliver, &second.deliver)] {
                for &(place, count) in record {
                    sums[place as usize] += count;
                }
            }
        }
        Statistics {
            ack: self.ack.quantiles(&ack),
            deliver: self.deliver.quantiles(&deliver),
            delivered_per_s: delivered as f64 / f64::max(length_s, 0.001),
            delivered_per_cpu_s: cpu_s
                .filter(|&cpu_s| cpu_s > 0.0)
                .map(|cpu_s| delivered as f64 / cpu_s),
        }
    }

    /// Draws as many runs and seconds as there are.
    fn draw<'a>(&'a self, chance: &mut StdRng, drawn: &mut Vec<&'a Second>) {
        drawn.clear();
        for _ in 0..self.runs.len() {
            let run = &self.runs[chance.random_range(0..self.runs.len())];
            let length = run.len();
            let block = (length as f64).cbrt().ceil() as usize;
            let mut missing = length;
            while missing > 0 {
                let first = chance.random_range(0..length);
                let count = block.min(missing);
                drawn.extend((first..first + count).map(|place| &run[place % length]));
                missing -= count;
            }
        }
    }
}

/// The intervals that count: after the warm-up and before the last send. A run too short for that counts as a whole.
fn counted(report: &Report) -> Vec<&Interval> {
    let is_inside = |interval: &&Interval| {
        interval.at_s - interval.seconds >= report.warmup_s - 1e-6
            && interval.at_s <= report.duration_s + 1e-6
    };
    let inside: Vec<_> = report.intervals.iter().filter(is_inside).collect();
    match inside.len() {
        0 => report.intervals.iter().filter(|interval| interval.at_s > 0.0).collect(),
        _ => inside,
    }
}

/// The figures as they are, and as they might have been.
pub(super) fn resample(sides: &[Side; 2]) -> ([Statistics; 2], Vec<[Statistics; 2]>) {
    let whole = [0, 1].map(|side| sides[side].figures(sides[side].runs.iter().flatten()));
    if sides.iter().any(|side| side.shortest() == 0) {
        return (whole, Vec::new());
    }
    let mut chance = StdRng::seed_from_u64(SEED);
    let mut drawn = Vec::new();
    let resampled = (0..RESAMPLES).map(|_| {
        [0, 1].map(|side| {
            sides[side].draw(&mut chance, &mut drawn);
            sides[side].figures(drawn.iter().copied())
        })
    });
    let resampled = resampled.collect();
    (whole, resampled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report;

    #[test]
    fn the_seconds_together_give_the_figures_of_the_run() {
        let report = sample_report(1.0);
        let side = Side::new(std::slice::from_ref(&report));
        assert_eq!(side.shortest(), 10);
        let figures = side.figures(side.runs.iter().flatten());
        for (metric, expected) in [
            (Metric::AckP50, report.ack_ms.p50),
            (Metric::AckP99, report.ack_ms.p99),
            (Metric::DeliverP999, report.deliver_ms.p999),
            (Metric::DeliveredPerS, 100.0),
            (Metric::DeliveredPerCpuS, 200.0),
        ] {
            let found = figures.get(metric).unwrap();
            assert!((found - expected).abs() < 1e-9, "{metric:?}: {found} {expected}");
        }
    }

    #[test]
    fn warm_up_and_drain_do_not_count() {
        let mut report = sample_report(1.0);
        report.warmup_s = 3.0;
        report.duration_s = 9.0;
        assert_eq!(Side::new(&[report]).shortest(), 6);
    }

    #[test]
    fn draws_are_as_many_seconds_as_there_are_and_differ() {
        let side = Side::new(&[sample_report(1.0), sample_report(1.1)]);
        let mut chance = StdRng::seed_from_u64(1);
        let mut drawn = Vec::new();
        let mut sums = BTreeSet::new();
        for _ in 0..20 {
            side.draw(&mut chance, &mut drawn);
            assert_eq!(drawn.len(), 20);
            let places = drawn.iter().map(|second| std::ptr::from_ref::<Second>(second) as usize);
            sums.insert(places.collect::<Vec<_>>());
        }
        assert!(sums.len() > 10);
    }
}
