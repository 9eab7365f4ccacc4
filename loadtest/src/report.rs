//! What a run tells: a page of text for people, and the same as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::fleet::RunResult;
use crate::latency::Percentiles;
use crate::scenario::{Encoding, Scenario};
use crate::threshold::Verdict;
use crate::verify::Level;

/// The report of one run. Field names are those of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// Where the server was.
    pub url: String,
    /// How the schema travelled.
    pub encoding: Encoding,
    /// Virtual users.
    pub users: u32,
    /// Sends per second that the schedule asked for.
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
    /// From due to acknowledged.
    pub ack_ms: Percentiles,
    /// From due to received by the partner.
    pub deliver_ms: Percentiles,
    /// From when a connection was due until the server knew its user.
    pub connect_ms: Percentiles,
    /// From when a user who was cut off on purpose was due back until it had everything it missed; the longest is when
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
}

/// The generator's own lateness in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Slip {
    /// 99 %.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Report {
    /// Judges and sums up a run.
    pub fn new(scenario: &Scenario, url: &str, result: RunResult) -> Self {
        let tally = result.tally;
        let (verdict, reasons) = scenario.thresholds.judge(&tally, result.interrupted);
        let slip = tally.slip.percentiles();
        let findings = tally.findings;
        Self {
            scenario: scenario.name.clone(),
            url: url.to_owned(),
            encoding: scenario.encoding,
            users: scenario.users,
            offered_per_s: scenario.rate_per_s,
            duration_s: result.sending.as_secs_f64(),
            warmup_s: scenario.warmup().as_secs_f64(),
            offered: tally.offered,
            sent: tally.sent,
            acked: tally.acked,
            delivered: tally.delivered,
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
                && result.layout.level != Level::Off
                && tally.unverified == 0,
            findings: findings.examples,
            errors: tally.errors,
            reconnects: tally.reconnects,
            cuts: tally.cuts,
            signals: tally.signals,
            late_sends: tally.late_sends,
            send_slip_ms: Slip { p99: slip.p99, max: slip.max },
            ack_ms: tally.ack.percentiles(),
            deliver_ms: tally.deliver.percentiles(),
            connect_ms: tally.connect.percentiles(),
            recover_ms: tally.recover.percentiles(),
            bystander_ms: tally.bystander.percentiles(),
            history_ms: tally.history.percentiles(),
            generator_cpu_s: tally.cpu.as_secs_f64(),
            verdict,
            reasons,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoding = match self.encoding {
            Encoding::Protobuf => "protobuf",
            Encoding::Json => "json",
        };
        writeln!(f, "{}: {} users, {encoding}, {}", self.scenario, self.users, self.url)?;
        writeln!(
            f,
            "  offered    {:.0}/s for {:.1} s ({:.1} s of it warm-up): {} sends",
            self.offered_per_s, self.duration_s, self.warmup_s, self.offered
        )?;
        writeln!(
            f,
            "  messages   {} sent, {} acknowledged, {} delivered, {} refused, {} unanswered",
            self.sent, self.acked, self.delivered, self.refused, self.unanswered
        )?;
        let log =
            if self.log_verified { "server's log read back" } else { "server's log not read back" };
        let verified = match self.verified {
            Level::Ledger => format!("every arrival; {log}"),
            Level::Counters => format!("every send, hashes of what arrived; {log}"),
            Level::Off => "not verified, only counted".to_owned(),
        };
        let share = match self.verified_one_in {
            0 | 1 => String::new(),
            many => format!("; one conversation in {many}"),
        };
        writeln!(
            f,
            "  ledger     {} lost, {} duplicated, {} reordered, {} unexpected, {} gaps, {} diverging, {} phantom acks, \
             {} unpushed ({verified}{share})",
            self.lost,
            self.duplicated,
            self.reordered,
            self.unexpected,
            self.gaps,
            self.diverging,
            self.phantom_acks,
            self.unpushed,
        )?;
        for (what, figures) in [
            ("ack", &self.ack_ms),
            ("deliver", &self.deliver_ms),
            ("connect", &self.connect_ms),
            ("recover", &self.recover_ms),
            ("bystander", &self.bystander_ms),
            ("history", &self.history_ms),
        ] {
            if figures.count == 0 && !matches!(what, "ack" | "deliver") {
                continue;
            }
            writeln!(
                f,
                "  {what:<9}  p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3} ms  ({})",
                figures.p50, figures.p90, figures.p99, figures.p999, figures.max, figures.count
            )?;
        }
        writeln!(
            f,
            "  generator  slip p99 {:.3}  max {:.3} ms, {} late sends, {:.2} CPU s, {} reconnects",
            self.send_slip_ms.p99,
            self.send_slip_ms.max,
            self.late_sends,
            self.generator_cpu_s,
            self.reconnects
        )?;
        for (name, count) in &self.errors {
            writeln!(f, "  error      {name}: {count}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  finding    {finding}")?;
        }
        for reason in &self.reasons {
            writeln!(f, "  reason     {reason}")?;
        }
        write!(f, "  verdict    {}", self.verdict.name())
    }
}
