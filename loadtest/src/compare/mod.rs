//! Comparison of runs: how much a figure differs, how sure that is, and whether it is more than noise.
//!
//! ```text
//!   base   ──► Side (runs × seconds) ──┐
//!                                      ├─► bootstrap ──► ratio with its 95 % interval ──► better | worse | tie
//!   other  ──► Side ───────────────────┘
//! ```
//!
//! A difference is told as one only if its interval leaves out "none" and it is larger than the noise that is put up
//! with; all else is a tie. One run a side says nothing of how runs differ among themselves: several are better, and
//! then whole runs are drawn as well. What was configured differently is told, because it explains more than any
//! figure.

mod bootstrap;

use serde::{Deserialize, Serialize};

use crate::latency::Packed;
use crate::report::Report;
use crate::scenario::Arrival;
use crate::threshold::Verdict;
use bootstrap::{Side, Statistics};

/// How differences are judged, for those who want to look it up.
pub const METHOD: &str = "circular block bootstrap (Politis and Romano, 1992) over the seconds of each run after its \
    warm-up, blocks of the cube root of their number; with several runs a side, whole runs are drawn first (Davison and \
    Hinkley, 1997, 3.8); 95 % percentile intervals (Efron, 1979) of the ratio from 1,000 resamples";
/// Differences up to this many percent are ties unless the caller says otherwise: as much as a busy machine makes by
/// itself.
pub const DEFAULT_NOISE_PERCENT: f64 = 10.0;

/// Intervals a side has to have before anything is sure: seconds drawn from a few are all alike.
const ENOUGH_INTERVALS: usize = 10;

/// Rates offered that differ by this share at most are the same.
const OFFERED_ALIKE: f64 = 0.01;

/// Settings that may differ: of chance, of who the users are, and of the protocol, which is told by itself.
const BESIDE_THE_POINT: [&str; 4] = ["seed", "first_user_id", "protocol", "foreign"];

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// From due to acknowledged, median.
    AckP50,
    /// The same, 99 %.
    AckP99,
    /// The same, 99.9 %.
    AckP999,
    /// From due to received, median.
    DeliverP50,
    /// The same, 99 %.
    DeliverP99,
    /// The same, 99.9 %.
    DeliverP999,
    /// Messages received per second.
    DeliveredPerS,
    /// Messages received per second of the server's processor time.
    DeliveredPerCpuS,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AckP50,
        Self::AckP99,
        Self::AckP999,
        Self::DeliverP50,
        Self::DeliverP99,
        Self::DeliverP999,
        Self::DeliveredPerS,
        Self::DeliveredPerCpuS,
    ];

    /// As people call it, with its unit.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AckP50 => "ack p50, ms",
            Self::AckP99 => "ack p99, ms",
            Self::AckP999 => "ack p99.9, ms",
            Self::DeliverP50 => "deliver p50, ms",
            Self::DeliverP99 => "deliver p99, ms",
            Self::DeliverP999 => "deliver p99.9, ms",
            Self::DeliveredPerS => "delivered per s",
            Self::DeliveredPerCpuS => "delivered per CPU s",
        }
    }

    const fn more_is_better(self) -> bool {
        matches!(self, Self::DeliveredPerS | Self::DeliveredPerCpuS)
    }
}

/// What a difference amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The other side is better than the base.
    Better,
    /// It is worse.
    Worse,
    /// Not to be told from noise.
    Tie,
    /// There is too little to tell.
    Unsure,
}

impl Outcome {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Tie => "tie",
            Self::Unsure => "unsure",
        }
    }
}

/// One figure on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Which one.
    pub metric: Metric,
    /// Its value at the base.
    pub base: f64,
    /// Its value on the other side.
    pub other: f64,
    /// How much more the other is, in percent of the base.
    pub change_percent: f64,
    /// Between these it lies in 95 of 100 cases, as far as the runs can tell.
    pub interval_percent: [f64; 2],
    /// What that amounts to.
    pub outcome: Outcome,
}

/// The runs of one side.
#[derive(Clone, Debug)]
pub struct Runs {
    /// What people call them: the files.
    pub name: String,
    /// At least one.
    pub reports: Vec<Report>,
}

/// One side held against the base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What the base is called.
    pub base: String,
    /// What the other side is called.
    pub other: String,
    /// How many runs each has.
    pub runs: [usize; 2],
    /// Every figure that both sides have.
    pub differences: Vec<Difference>,
    /// What makes the comparison doubtful.
    pub doubts: Vec<String>,
}

impl Runs {
    /// All latencies of the side.
    pub(crate) fn deliver(&self) -> Packed {
        let mut all = Packed::default();
        self.reports.iter().for_each(|report| all.merge(&report.histograms.deliver));
        all
    }
}

/// Holds `other` against `base`. Equal reports give equal answers: chance is seeded.
pub fn compare(base: &Runs, other: &Runs, noise_percent: f64) -> Comparison {
    let sides = [base, other].map(|runs| Side::new(&runs.reports));
    let (whole, resampled) = bootstrap::resample(&sides);
    let alike = are_offered_alike(base, other);
    let enough = sides.iter().all(|side| side.intervals() >= ENOUGH_INTERVALS);
    let metrics =
        Metric::ALL.into_iter().filter(|&metric| alike || metric != Metric::DeliveredPerS);
    let differences = metrics.filter_map(|metric| {
        let value = |statistics: &Statistics| statistics.get(metric).filter(|value| *value > 0.0);
        let (base, other) = (value(&whole[0])?, value(&whole[1])?);
        let ratios =
            resampled.iter().filter_map(|[base, other]| Some(value(other)? / value(base)?));
        let mut changes: Vec<f64> = ratios.map(|ratio| (ratio - 1.0) * 100.0).collect();
        changes.sort_by(f64::total_cmp);
        let at = |share: f64| {
            changes.get(((changes.len() as f64 * share) as usize).min(changes.len() - 1)).copied()
        };
        let interval_percent =
            if changes.is_empty() { return None } else { [at(0.025)?, at(0.975)?] };
        let change_percent = (other / base - 1.0) * 100.0;
        Some(Difference {
            metric,
            base,
            other,
            change_percent,
            interval_percent,
            outcome: if enough {
                judge(metric, change_percent, interval_percent, noise_percent)
            } else {
                Outcome::Unsure
            },
        })
    });
    let mut doubts = doubts(base, other, &sides);
    if !alike {
        let doubt = "what was offered differs: what was delivered per s is not compared";
        doubts.push(doubt.to_owned());
    }
    Comparison {
        base: base.name.clone(),
        other: other.name.clone(),
        runs: [base.reports.len(), other.reports.len()],
        differences: differences.collect(),
        doubts,
    }
}

/// Whether what is delivered in a second says anything of the servers. An open loop delivers what it offers: it does not
/// where different rates are offered.
fn are_offered_alike(base: &Runs, other: &Runs) -> bool {
    let all = || base.reports.iter().chain(&other.reports);
    let first = base.reports[0].offered_per_s;
    let is_closed = |report: &Report| report.configuration.arrival == Arrival::Closed;
    all().all(is_closed)
        || all().all(|report| {
            !is_closed(report) && (report.offered_per_s - first).abs() <= first * OFFERED_ALIKE
        })
}

fn judge(metric: Metric, change: f64, [low, high]: [f64; 2], noise_percent: f64) -> Outcome {
    let is_sure = low > 0.0 || high < 0.0;
    if !is_sure || change.abs() <= noise_percent {
        Outcome::Tie
    } else if (change > 0.0) == metric.more_is_better() {
        Outcome::Better
    } else {
        Outcome::Worse
    }
}

/// What a reader has to know before he believes the differences.
fn doubts(base: &Runs, other: &Runs, sides: &[Side; 2]) -> Vec<String> {
    let mut doubts = Vec::new();
    for (runs, side) in [base, other].into_iter().zip(sides) {
        for report in runs.reports.iter().filter(|report| report.verdict != Verdict::Pass) {
            let (verdict, reasons) = (report.verdict.name(), report.reasons.join("; "));
            doubts.push(format!("{}: {verdict}: {reasons}", runs.name));
        }
        let unanswered: u64 = runs.reports.iter().map(|report| report.unanswered).sum();
        if unanswered > 0 {
            doubts.push(format!(
                "{}: {unanswered} sends without an answer are in no latency",
                runs.name
            ));
        }
        let seconds = side.shortest();
        if side.intervals() < ENOUGH_INTERVALS {
            doubts.push(format!(
                "{}: {} intervals are too few to be sure of anything; {ENOUGH_INTERVALS} at least are needed",
                runs.name,
                side.intervals()
            ));
        } else if seconds < ENOUGH_INTERVALS {
            doubts.push(format!(
                "{}: only {seconds} intervals in a run; {ENOUGH_INTERVALS} at least are better",
                runs.name
            ));
        }
    }
    let all = || base.reports.iter().chain(&other.reports);
    if base.reports.len() < 3 || other.reports.len() < 3 {
        doubts.push(
            "with fewer than three runs a side, how much runs differ among themselves is not in the intervals".to_owned(),
        );
    }
    let first = &base.reports[0];
    let mut configured = std::collections::BTreeSet::new();
    for report in all() {
        different_keys("", &configuration(first), &configuration(report), &mut configured);
    }
    if !configured.is_empty() {
        let keys: Vec<_> = configured.into_iter().collect();
        doubts.push(format!("configured differently: {}", keys.join(", ")));
    }
    let place = |report: &Report| {
        (report.machine.processor.clone(), report.machine.cores, report.machine.kernel.clone())
    };
    if all().any(|report| place(report) != place(first)) {
        doubts.push("the runs are from different machines".to_owned());
    }
    let spoken = |report: &Report| (report.protocol, report.acks);
    for report in all().filter(|report| spoken(report) != spoken(first)) {
        let (here, there) = (first.acks.meaning(), report.acks.meaning());
        let acks =
            if here == there { String::new() } else { format!(": an ack is {there}; not {here}") };
        let (here, there) = (first.protocol.name(), report.protocol.name());
        let doubt = format!("{there} is compared with {here}{acks}");
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    if all().any(|report| report.processes != first.processes) {
        doubts.push("the generators had different numbers of processes".to_owned());
    }
    doubts
}

fn configuration(report: &Report) -> serde_json::Value {
    serde_json::to_value(&report.configuration).unwrap_or_default()
}

/// Which settings differ; a seed may.
fn different_keys(
    prefix: &str,
    one: &serde_json::Value,
    two: &serde_json::Value,
    keys: &mut std::collections::BTreeSet<String>,
) {
    if one == two {
        return;
    }
    let (Some(first), Some(second)) = (one.as_object(), two.as_object()) else {
        keys.insert(prefix.to_owned());
        return;
    };
    for key in
        first.keys().chain(second.keys()).filter(|key| !BESIDE_THE_POINT.contains(&key.as_str()))
    {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let null = serde_json::Value::Null;
        different_keys(
            &path,
            first.get(key).unwrap_or(&null),
            second.get(key).unwrap_or(&null),
            keys,
        );
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs =
            |count: usize| if count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
        writeln!(f, "base   {} ({})", self.base, runs(self.runs[0]))?;
        writeln!(f, "other  {} ({})", self.other, runs(self.runs[1]))?;
        for difference in &self.differences {
            let [low, high] = difference.interval_percent;
            writeln!(
                f,
                "  {:<20} {:>12.3} → {:>12.3}   {:>+7.1} %  [{low:+.1} %, {high:+.1} %]  {}",
                difference.metric.name(),
                difference.base,
                difference.other,
                difference.change_percent,
                difference.outcome.name()
            )?;
        }
        if self.differences.is_empty() {
            writeln!(f, "  no figure that is followed second by second is in both")?;
        }
        for doubt in &self.doubts {
            writeln!(f, "  doubt  {doubt}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_report;
    use crate::scenario::{Acks, Protocol};

    fn runs(factors: &[f64]) -> Runs {
        Runs {
            name: format!("{factors:?}"),
            reports: factors.iter().map(|&factor| sample_report(factor)).collect(),
        }
    }

    fn outcome(comparison: &Comparison, metric: Metric) -> Outcome {
        let found = comparison.differences.iter().find(|difference| difference.metric == metric);
        found.unwrap().outcome
    }

    #[test]
    fn equal_runs_tie_in_every_figure() {
        let comparison = compare(&runs(&[1.0]), &runs(&[1.0]), DEFAULT_NOISE_PERCENT);
        assert_eq!(comparison.differences.len(), Metric::ALL.len());
        for difference in &comparison.differences {
            assert_eq!(difference.outcome, Outcome::Tie, "{comparison}");
            assert!(difference.change_percent.abs() < 1e-9);
        }
        assert_eq!(comparison, compare(&runs(&[1.0]), &runs(&[1.0]), DEFAULT_NOISE_PERCENT));
    }

    /// A second drawn from one second is always the same: that is no certainty.
    #[test]
    fn few_intervals_are_sure_of_nothing() {
        let (base, mut other) = (runs(&[1.0]), runs(&[3.0]));
        assert_eq!(outcome(&compare(&base, &other, 10.0), Metric::AckP50), Outcome::Worse);
        other.reports[0].intervals.truncate(ENOUGH_INTERVALS / 2);
        let comparison = compare(&base, &other, 10.0);
        assert_eq!(outcome(&comparison, Metric::AckP50), Outcome::Unsure, "{comparison}");
        assert!(comparison.doubts.iter().any(|doubt| doubt.contains("too few")), "{comparison}");
    }

    #[test]
    fn a_fifth_more_is_found_and_a_twentieth_is_noise() {
        for (factor, expected) in
            [(1.2, Outcome::Worse), (1.0 / 1.2, Outcome::Better), (1.05, Outcome::Tie)]
        {
            let comparison = compare(&runs(&[1.0]), &runs(&[factor]), DEFAULT_NOISE_PERCENT);
            assert_eq!(outcome(&comparison, Metric::AckP50), expected, "{comparison}");
            assert_eq!(outcome(&comparison, Metric::DeliveredPerS), Outcome::Tie, "{comparison}");
        }
        // With less noise to put up with, less is found as well, if the seconds agree on it.
        let comparison = compare(&runs(&[1.0, 1.0, 1.0]), &runs(&[1.12, 1.12, 1.12]), 5.0);
        assert_eq!(outcome(&comparison, Metric::AckP50), Outcome::Worse, "{comparison}");
    }

    /// Where runs of one side differ as much as the sides do, nothing is sure.
    #[test]
    fn runs_that_differ_among_themselves_make_the_interval_wide() {
        let spread =
            compare(&runs(&[0.7, 1.0, 1.3]), &runs(&[0.9, 1.2, 1.5]), DEFAULT_NOISE_PERCENT);
        assert_eq!(outcome(&spread, Metric::AckP50), Outcome::Tie, "{spread}");
        let agreed =
            compare(&runs(&[1.0, 1.0, 1.0]), &runs(&[1.2, 1.2, 1.2]), DEFAULT_NOISE_PERCENT);
        assert_eq!(outcome(&agreed, Metric::AckP50), Outcome::Worse, "{agreed}");
        let width = |comparison: &Comparison| {
            let [low, high] = comparison.differences[0].interval_percent;
            high - low
        };
        assert!(width(&spread) > 2.0 * width(&agreed), "{spread}\n{agreed}");
    }

    /// The same scenario at another server is compared; what an acknowledgement is there is told.
    #[test]
    fn protocols_are_compared_and_named() {
        let base = runs(&[1.0]);
        let mut other = runs(&[1.0, 1.0]);
        for report in &mut other.reports {
            report.protocol = Protocol::TypedStrings;
            report.acks = Acks::Written;
            report.encoding = None;
            report.configuration.protocol = Protocol::TypedStrings;
            report.configuration.foreign.room = "7".to_owned();
        }
        let comparison = compare(&base, &other, DEFAULT_NOISE_PERCENT);
        assert!(!comparison.differences.is_empty());
        let told: Vec<_> =
            comparison.doubts.iter().filter(|doubt| doubt.contains("typed")).collect();
        assert_eq!(told.len(), 1, "{:?}", comparison.doubts);
        assert!(told[0].contains("ringwire") && told[0].contains("once it is written"), "{told:?}");
        assert!(!comparison.doubts.iter().any(|doubt| doubt.contains("configured")));
    }

    #[test]
    fn what_open_loops_deliver_is_compared_where_they_offer_the_same() {
        let (base, mut other) = (runs(&[1.0]), runs(&[1.0]));
        let is_compared = |other: &Runs| {
            let comparison = compare(&base, other, DEFAULT_NOISE_PERCENT);
            let metrics = comparison.differences.iter().map(|difference| difference.metric);
            let is_compared = metrics.clone().any(|metric| metric == Metric::DeliveredPerS);
            let is_doubted = comparison.doubts.iter().any(|doubt| doubt.contains("offered"));
            assert_eq!(is_compared, !is_doubted);
            assert!(metrics.clone().any(|metric| metric == Metric::DeliveredPerCpuS));
            is_compared
        };
        other.reports[0].offered_per_s *= 1.005;
        assert!(is_compared(&other));
        other.reports[0].offered_per_s *= 2.0;
        assert!(!is_compared(&other));
        // A schedule offers what it offers; a closed loop what the server takes.
        other.reports[0].configuration.arrival = Arrival::Closed;
        assert!(!is_compared(&other));
    }

    #[test]
    fn what_makes_a_comparison_doubtful_is_told() {
        let base = runs(&[1.0]);
        let mut other = runs(&[1.0]);
        let report = &mut other.reports[0];
        report.configuration.rate_per_s = 7.0;
        report.configuration.thresholds.ack_p99_ms = Some(1.0);
        report.configuration.seed = 99;
        report.machine.kernel = "Linux 0.1".to_owned();
        report.verdict = Verdict::InsufficientEvidence;
        report.reasons = vec!["the generator was late".to_owned()];
        report.unanswered = 12;
        let mut failed = other.reports[0].clone();
        failed.verdict = Verdict::Fail;
        failed.reasons = vec!["sends without an answer: 12 (at most 0)".to_owned()];
        other.reports.push(failed);
        let doubts = compare(&base, &other, DEFAULT_NOISE_PERCENT).doubts.join("\n");
        for part in [
            "insufficient_evidence: the generator was late",
            "fail: sends without an answer: 12",
            "24 sends without an answer are in no latency",
            "rate_per_s",
            "thresholds.ack_p99_ms",
            "different machines",
            "three runs",
        ] {
            assert!(doubts.contains(part), "{part}: {doubts}");
        }
        assert!(!doubts.contains("seed"), "{doubts}");
    }
}
