//! What a run tells: a page of text for people, and all of it as JSON for programs.
//!
//! The JSON holds whatever the other forms of a report are made of: the configuration, the machine, every interval, and
//! whole histograms (HdrHistogram V2, deflated, base64; microseconds).

mod text;

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::fleet::RunResult;
use crate::latency::{Packed, Percentiles};
use crate::machine::Machine;
use crate::part::SHORTEST_SENDING;
use crate::scenario::{Acks, Encoding, Protocol, Scenario};
use crate::series::Interval;
use crate::server::Cost;
use crate::tally::Tally;
use crate::threshold::Verdict;
use crate::verify::Level;

/// Changes when a program that reads the JSON has to change.
pub const FORMAT: u32 = 1;

/// The report of one run. Field names are those of the JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// Where the server was.
    pub url: String,
    /// What was spoken with it.
    #[serde(default)]
    pub protocol: Protocol,
    /// What counted as the acknowledgement of a send.
    #[serde(default = "server_acks")]
    pub acks: Acks,
    /// How Ringwire's schema travelled; at other servers, nothing.
    pub encoding: Option<Encoding>,
    /// Virtual users.
    pub users: u32,
    /// Sends per second in the mean, as the schedule asked for; in a closed loop, as they came.
    pub offered_per_s: f64,
    /// How long sends were offered, warm-up included.
    pub duration_s: f64,
    /// Part of it that latencies leave out.
    pub warmup_s: f64,
    /// Sends that were due.
    pub offered: u64,
    /// Sends written.
    pub sent: u64,
    /// Sends acknowledged.
    pub acked: u64,
    /// Messages received by the partner.
    pub delivered: u64,
    /// Of those, what was received while sends were offered: not what came in while the run waited for the rest. Rates and
    /// costs are of these.
    #[serde(default)]
    pub delivered_meanwhile: Option<u64>,
    /// Sends refused for good.
    pub refused: u64,
    /// Sends without an answer.
    pub unanswered: u64,
    /// Acknowledged, but missing somewhere.
    pub lost: u64,
    /// Stored or shown twice.
    pub duplicated: u64,
    /// Out of order.
    pub reordered: u64,
    /// Should not exist, or went to the wrong user.
    pub unexpected: u64,
    /// Seqs missing.
    pub gaps: u64,
    /// Different in different places.
    pub diverging: u64,
    /// Acknowledged under a wrong seq.
    pub phantom_acks: u64,
    /// Learned of only by asking.
    pub unpushed: u64,
    /// How much was remembered to judge that.
    pub verified: Level,
    /// One of so many conversations was verified; the others were only counted.
    pub verified_one_in: u32,
    /// The log of every verified conversation was read back and compared.
    pub log_verified: bool,
    /// The first findings in words.
    pub findings: Vec<String>,
    /// Refusals and lost connections by name.
    pub errors: BTreeMap<String, u64>,
    /// Connections that replaced a lost one.
    pub reconnects: u64,
    /// Connections that were ended on purpose.
    pub cuts: u64,
    /// Pushes of who types and how far somebody got.
    pub signals: u64,
    /// Sends written over 10 ms after they were due, for whatever reason.
    pub late_sends: u64,
    /// The generator's own lateness.
    pub send_slip_ms: Slip,
    /// The longest time for which a thread of the generator did not come to look at the clock, until nothing more was
    /// due.
    #[serde(default)]
    pub standstill_ms: f64,
    /// From due to acknowledged.
    pub ack_ms: Percentiles,
    /// From due to received by the partner.
    pub deliver_ms: Percentiles,
    /// From when a connection was due until the server knew its user.
    pub connect_ms: Percentiles,
    /// From when a user was cut off on purpose (in churn: was due back) until it had everything it missed; the longest is when
    /// all had.
    pub recover_ms: Percentiles,
    /// From due to acknowledged, of users who stayed while others recovered.
    pub bystander_ms: Percentiles,
    /// From when a look at the history was due until it was answered.
    pub history_ms: Percentiles,
    /// Processor time of the generator, from the first send to the end of the drain.
    pub generator_cpu_s: f64,
    /// What the run proves.
    pub verdict: Verdict,
    /// Why it is no pass.
    pub reasons: Vec<String>,
    /// How many processes the generator had.
    pub processes: u32,
    /// When the first send could be due, in seconds of Unix time.
    pub started_at_s: f64,
    /// Where the generator ran.
    pub machine: Machine,
    /// What the server used, where it was watched.
    pub server: Option<Cost>,
    /// Why that cannot be told although it was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_unmeasured: Option<String>,
    /// What whoever started the run says about it.
    pub labels: BTreeMap<String, String>,
    /// The scenario as it was run.
    pub configuration: Scenario,
    /// All latencies that are in the figures.
    pub histograms: Histograms,
    /// How it went over time.
    pub intervals: Vec<Interval>,
}

/// Reports of before there was a choice.
const fn server_acks() -> Acks {
    Acks::Server
}

/// Latencies of a run, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histograms {
    /// From due to acknowledged.
    pub ack: Packed,
    /// From due to received by the partner.
    pub deliver: Packed,
    /// From when a connection was due until the server knew its user.
    pub connect: Packed,
    /// From when a user was cut off (in churn: was due back) until it had everything it missed.
    pub recover: Packed,
    /// As `ack`, of users who stayed while others recovered.
    pub bystander: Packed,
    /// From when a look at the history was due until it was answered.
    pub history: Packed,
}

impl Histograms {
    fn of(tally: &Tally) -> Self {
        Self {
            ack: tally.ack.packed(),
            deliver: tally.deliver.packed(),
            connect: tally.connect.packed(),
            recover: tally.recover.packed(),
            bystander: tally.bystander.packed(),
            history: tally.history.packed(),
        }
    }

    /// All kinds with their names, those of which nothing was recorded left out.
    pub fn recorded(&self) -> Vec<(&'static str, &Packed)> {
        let all = [
            ("ack", &self.ack),
            ("deliver", &self.deliver),
            ("connect", &self.connect),
            ("recover", &self.recover),
            ("bystander", &self.bystander),
            ("history", &self.history),
        ];
        all.into_iter().filter(|(_, latency)| latency.count() > 0).collect()
    }
}

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file cannot be read.
    #[error("cannot read the report")]
    Read(#[from] std::io::Error),
    /// It is no report.
    #[error("no report of this program")]
    Parse(#[from] serde_json::Error),
    /// It is one of another version.
    #[error("a report of format {0}; this program reads format {FORMAT}")]
    Format(u64),
}

/// The generator's own lateness in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Slip {
    /// 99 %.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// What was received in the intervals of the sending, of one that lies across its end the share before; nothing where there
/// is none.
fn delivered_meanwhile(intervals: &[Interval], sending: Duration) -> Option<u64> {
    let mut within = intervals.iter().filter(|interval| interval.at_s > 0.0).peekable();
    within.peek()?;
    let share = |interval: &Interval| {
        let began_s = interval.at_s - interval.seconds;
        let share = (sending.as_secs_f64() - began_s) / interval.seconds.max(f64::MIN_POSITIVE);
        interval.counts.delivered as f64 * share.clamp(0.0, 1.0)
    };
    Some(within.map(share).sum::<f64>().round() as u64)
}

impl Report {
    /// Judges and sums up a run.
    pub fn new(scenario: &Scenario, url: &str, result: RunResult) -> Self {
        let tally = result.tally;
        let histograms = Histograms::of(&tally);
        let (verdict, reasons) =
            scenario.thresholds.judge(&tally, scenario.conversation.is_any(), result.interrupted);
        let slip = tally.slip.percentiles();
        let findings = tally.findings;
        let (server, server_unmeasured) = match result.server {
            None => (None, None),
            Some(Ok(cost)) => (Some(cost), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        Self {
            format: FORMAT,
            scenario: scenario.name.clone(),
            url: url.to_owned(),
            protocol: scenario.protocol,
            acks: scenario.protocol.acks(&scenario.foreign),
            encoding: scenario.protocol.is_ringwire().then_some(scenario.encoding),
            users: scenario.users,
            offered_per_s: scenario.mean_rate_per_s().unwrap_or_else(|| {
                // Of a run that was over as soon as it began there is no rate.
                if result.sending >= SHORTEST_SENDING {
                    tally.offered as f64 / result.sending.as_secs_f64()
                } else {
                    0.0
                }
            }),
            duration_s: result.sending.as_secs_f64(),
            warmup_s: scenario.warmup().as_secs_f64(),
            offered: tally.offered,
            sent: tally.sent,
            acked: tally.acked,
            delivered: tally.delivered,
            delivered_meanwhile: delivered_meanwhile(&result.intervals, result.sending),
            refused: tally.refused,
            unanswered: tally.unanswered,
            lost: findings.lost,
            duplicated: findings.duplicated,
            reordered: findings.reordered,
            unexpected: findings.unexpected + tally.stray,
            gaps: findings.gaps,
            diverging: findings.diverging,
            phantom_acks: findings.phantom_acks,
            unpushed: findings.unpushed,
            verified: result.layout.level,
            verified_one_in: result.layout.one_in,
            log_verified: scenario.verify_log
                && scenario.protocol.is_ringwire()
                && result.layout.level != Level::Off
                && tally.acked > 0
                && tally.unverified + tally.unheard == 0,
            findings: findings.examples,
            errors: tally.errors,
            reconnects: tally.reconnects,
            cuts: tally.cuts,
            signals: tally.signals,
            late_sends: tally.late_sends,
            send_slip_ms: Slip { p99: slip.p99, max: slip.max },
            standstill_ms: tally.standstill.as_secs_f64() * 1e3,
            ack_ms: tally.ack.percentiles(),
            deliver_ms: tally.deliver.percentiles(),
            connect_ms: tally.connect.percentiles(),
            recover_ms: tally.recover.percentiles(),
            bystander_ms: tally.bystander.percentiles(),
            history_ms: tally.history.percentiles(),
            generator_cpu_s: tally.cpu.as_secs_f64(),
            verdict,
            reasons,
            processes: result.processes,
            started_at_s: result
                .started_at
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs_f64(),
            machine: result.machine,
            server,
            server_unmeasured,
            labels: BTreeMap::new(),
            configuration: scenario.clone(),
            histograms,
            intervals: result.intervals,
        }
    }

    /// Messages received while sends were offered; of a run too short for intervals, and of an old report, all.
    pub fn delivered_meanwhile(&self) -> u64 {
        self.delivered_meanwhile.unwrap_or(self.delivered)
    }

    /// What was spoken with the server, and how it travelled.
    pub fn spoken(&self) -> &'static str {
        match self.encoding {
            Some(Encoding::Protobuf) => "ringwire as protobuf",
            Some(Encoding::Json) => "ringwire as json",
            None => self.protocol.name(),
        }
    }

    /// The JSON of a report.
    pub fn to_json(&self) -> Result<Vec<u8>, ReportError> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads the JSON of a report.
    pub fn from_json(json: &[u8]) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<u64>,
        }
        let head: Head = serde_json::from_slice(json)?;
        match head.format {
            Some(format) if format == u64::from(FORMAT) => Ok(serde_json::from_slice(json)?),
            format => Err(ReportError::Format(format.unwrap_or(0))),
        }
    }
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A report of ten seconds at 100 sends a second, behind an interval of connecting; latencies are `factor` times those
/// of factor 1. For the tests of what is made of reports.
#[cfg(test)]
pub(crate) fn sample_report(factor: f64) -> Report {
    use std::time::SystemTime;

    use crate::latency::Latency;
    use crate::layout::Layout;
    use crate::series::Counts;

    let text = include_str!("../scenarios/direct.toml");
    let overrides = ["duration_s=10", "rate_per_s=100", "warmup_s=0", "name=\"a <b> & c\""];
    let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    let scenario = Scenario::parse(text, &overrides).unwrap();
    let mut tally = Tally::new(0);
    let mut intervals = vec![Interval { at_s: 0.0, seconds: 1.0, live: 10, ..Interval::default() }];
    let mut state: u64 = 7;
    for second in 1..=10 {
        let (mut ack, mut deliver) = (Latency::new(0), Latency::new(0));
        for _ in 0..100 {
            // An exponential tail over half a millisecond, and now and then something longer.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let uniform = ((state >> 11) as f64 / (1_u64 << 53) as f64).max(1e-9);
            let took_us = ((500.0 - 800.0 * uniform.ln()) * factor) as u64;
            ack.record(0, took_us);
            deliver.record(0, took_us + 200);
            tally.ack.record(0, took_us);
            tally.deliver.record(0, took_us + 200);
            tally.slip.record(0, 50);
        }
        let counts =
            Counts { offered: 100, sent: 100, acked: 100, delivered: 100, ..Counts::default() };
        intervals.push(Interval {
            at_s: f64::from(second),
            seconds: 1.0,
            live: 10,
            counts,
            ack: ack.packed(),
            deliver: deliver.packed(),
            server_cpu_s: Some(0.5),
            server_resident_bytes: Some(50 << 20),
        });
    }
    for count in [&mut tally.offered, &mut tally.sent, &mut tally.acked, &mut tally.delivered] {
        *count = 1000;
    }
    let result = RunResult {
        tally,
        layout: Layout::new(&scenario, 1),
        interrupted: false,
        sending: Duration::from_secs(10),
        intervals,
        machine: Machine::look(),
        started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        server: Some(Ok(Cost {
            source: "pid 1".to_owned(),
            cpu_s: 5.0,
            cpu_s_of_each: vec![5.0],
            resident_bytes_before: 40 << 20,
            resident_bytes_after: 50 << 20,
        })),
        processes: 1,
    };
    Report::new(&scenario, "ws://127.0.0.1:1/ws", result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Counts;

    #[test]
    fn what_comes_in_after_the_last_send_makes_no_rate() {
        let interval = |at_s: f64, delivered: u64| {
            let counts = Counts { delivered, ..Counts::default() };
            Interval { at_s, seconds: 1.0, counts, ..Interval::default() }
        };
        let intervals =
            [interval(-0.2, 9), interval(1.0, 100), interval(2.0, 90), interval(3.0, 500)];
        let meanwhile = |millis| delivered_meanwhile(&intervals, Duration::from_millis(millis));
        assert_eq!(meanwhile(2000), Some(190));
        assert_eq!(meanwhile(1400), Some(136));
        assert_eq!(meanwhile(600), Some(60));
        assert_eq!(delivered_meanwhile(&intervals[..1], Duration::from_millis(300)), None);
    }

    #[test]
    fn a_report_survives_its_json() {
        let report = sample_report(1.0);
        let read = Report::from_json(&report.to_json().unwrap()).unwrap();
        assert_eq!(read.intervals, report.intervals);
        assert_eq!(read.histograms, report.histograms);
        assert_eq!(read.configuration, report.configuration);
        assert_eq!(read.to_string(), report.to_string());
        assert_eq!(read.verdict, Verdict::Pass, "{read}");
    }

    #[test]
    fn sends_without_an_answer_are_named_where_they_are_missing() {
        let mut report = sample_report(1.0);
        let line = |report: &Report| {
            let text = report.to_string();
            text.lines().find(|line| line.contains("  ack ")).unwrap_or_default().to_owned()
        };
        assert!(line(&report).ends_with(&format!("({})", report.ack_ms.count)), "{report}");
        report.unanswered = 7;
        assert!(line(&report).ends_with("; 7 without an answer are not in it)"), "{report}");
    }

    /// Reports from before other protocols were spoken are of Ringwire.
    #[test]
    fn a_report_without_a_protocol_is_read_as_before() {
        let report = sample_report(1.0);
        let mut json = serde_json::to_value(&report).unwrap();
        for field in ["protocol", "acks"] {
            assert!(json.as_object_mut().unwrap().remove(field).is_some());
        }
        for field in ["protocol", "foreign"] {
            assert!(json["configuration"].as_object_mut().unwrap().remove(field).is_some());
        }
        let read = Report::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!((read.protocol, read.acks), (Protocol::Ringwire, Acks::Server));
        assert_eq!(read.to_string(), report.to_string());
    }

    #[test]
    fn what_is_no_report_of_this_format_is_refused_in_words() {
        let error = Report::from_json(b"{\"acked\": 7}").unwrap_err().to_string();
        assert!(error.contains("format 0"), "{error}");
        let error = Report::from_json(b"{\"format\": 99}").unwrap_err().to_string();
        assert!(error.contains("format 99"), "{error}");
        assert!(Report::from_json(b"<html>").is_err());
    }
}
