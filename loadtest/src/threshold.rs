//! The verdict: what a run must meet, and whether it can prove anything at all.
//!
//! Order of judgement: a broken promise fails the run, however late the generator was; then a generator that was late
//! or saturated makes latencies meaningless (`insufficient_evidence`); then latencies and counts are held against the
//! thresholds. Sends that such a generator never wrote are no promise that the server broke.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::tally::Tally;

/// A thread that was busy for more than this share of the time it sent could not have kept its schedule honestly.
const MAX_BUSY_SHARE: f64 = 0.95;

/// A thread that stood still for longer is no witness of connections and users who catch up. A crowd that connects at once
/// keeps a thread for some tenths of it.
const MAX_STANDSTILL: Duration = Duration::from_secs(1);

/// What a run must meet. Counts are the most allowed; latencies are in milliseconds, absent ones are not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Acknowledged messages missing somewhere, phantom acks and gaps.
    pub lost: u64,
    /// Messages stored or shown twice.
    pub duplicated: u64,
    /// Messages out of order.
    pub reordered: u64,
    /// Entries that should not exist, or differ between places, or went to the wrong user.
    pub unexpected: u64,
    /// Entries a user learned of only by asking.
    pub unpushed: u64,
    /// Sends without an answer.
    pub unanswered: u64,
    /// Sends refused for good.
    pub refused: u64,
    /// The generator's own lateness, 99th percentile.
    pub send_slip_p99_ms: f64,
    /// From due to acknowledged.
    pub ack_p99_ms: Option<f64>,
    /// From due to received.
    pub deliver_p99_ms: Option<f64>,
    /// From when a connection was due until the server knew its user.
    pub connect_p99_ms: Option<f64>,
    /// From when a user was cut off (in churn: was due back) until it had everything it missed.
    pub recover_p99_ms: Option<f64>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            lost: 0,
            duplicated: 0,
            reordered: 0,
            unexpected: 0,
            unpushed: 0,
            unanswered: 0,
            refused: 0,
            send_slip_p99_ms: 10.0,
            ack_p99_ms: None,
            deliver_p99_ms: None,
            connect_p99_ms: None,
            recover_p99_ms: None,
        }
    }
}

/// What a run proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every threshold is met.
    Pass,
    /// At least one is not.
    Fail,
    /// The generator was late, saturated or interrupted: its figures say nothing about the server.
    InsufficientEvidence,
}

impl Verdict {
    /// The exit code of the process.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 99,
            Self::InsufficientEvidence => 98,
        }
    }

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::InsufficientEvidence => "insufficient_evidence",
        }
    }
}

impl Thresholds {
    /// The times, by the names they have in scenarios.
    pub(crate) fn times_ms(&self) -> impl Iterator<Item = (&'static str, f64)> {
        [
            ("thresholds.send_slip_p99_ms", Some(self.send_slip_p99_ms)),
            ("thresholds.ack_p99_ms", self.ack_p99_ms),
            ("thresholds.deliver_p99_ms", self.deliver_p99_ms),
            ("thresholds.connect_p99_ms", self.connect_p99_ms),
            ("thresholds.recover_p99_ms", self.recover_p99_ms),
        ]
        .into_iter()
        .filter_map(|(name, time_ms)| Some((name, time_ms?)))
    }

    /// Judges a run; also answers the reasons, none for a pass. `converses`: its users have a conversation;
    /// `interrupted`: it was stopped early.
    pub fn judge(
        &self,
        tally: &Tally,
        converses: bool,
        interrupted: bool,
    ) -> (Verdict, Vec<String>) {
        let mut weak = Vec::new();
        let slip = tally.slip.percentiles();
        let slip_p99_ms = slip.p99;
        if slip_p99_ms > self.send_slip_p99_ms {
            weak.push(format!(
                "the generator was late: p99 of its own lateness is {slip_p99_ms:.1} ms (at most {:.1} ms)",
                self.send_slip_p99_ms
            ));
        }
        // Sends tell how late it was by themselves; connections and users who catch up do not.
        let needs_witness =
            slip.count == 0 || self.connect_p99_ms.is_some() || self.recover_p99_ms.is_some();
        if needs_witness && tally.standstill > MAX_STANDSTILL {
            weak.push(format!(
                "the generator stood still for {:.1} s (at most {:.1} s)",
                tally.standstill.as_secs_f64(),
                MAX_STANDSTILL.as_secs_f64()
            ));
        }
        if tally.busiest_thread > MAX_BUSY_SHARE {
            weak.push(format!(
                "the generator was saturated: a thread was busy {:.0} % of the time",
                tally.busiest_thread * 100.0
            ));
        }
        let unwritten = if weak.is_empty() { 0 } else { tally.offered.saturating_sub(tally.sent) };
        if unwritten > 0 {
            weak.push(format!("{unwritten} sends were never written"));
        }

        let mut broken = Vec::new();
        let findings = &tally.findings;
        let mut most = |what: &str, count: u64, allowed: u64| {
            if count > allowed {
                broken.push(format!("{what}: {count} (at most {allowed})"));
            }
        };
        most("lost", findings.lost, self.lost);
        most("acknowledged under a wrong seq", findings.phantom_acks, self.lost);
        most("gaps", findings.gaps, self.lost);
        most("duplicated", findings.duplicated, self.duplicated);
        most("reordered", findings.reordered, self.reordered);
        most("unexpected", findings.unexpected, self.unexpected);
        most("diverging", findings.diverging, self.unexpected);
        most("pushed to the wrong user", tally.stray, self.unexpected);
        most("unpushed", findings.unpushed, self.unpushed);
        let unanswered =
            if unwritten > 0 { "unanswered, of those that were written" } else { "unanswered" };
        most(unanswered, tally.unanswered.saturating_sub(unwritten), self.unanswered);
        most("refused", tally.refused, self.refused);
        most("users who could not be asked at the end for what they lack", tally.unverified, 0);
        broken.extend(tally.failures.iter().map(|reason| format!("a user gave up: {reason}")));

        if tally.unheard > 0 {
            let unheard = tally.unheard;
            weak.push(format!(
                "{unheard} users still had so much to read at the end that it was broken off"
            ));
        }
        if interrupted {
            weak.push("the run was interrupted".to_owned());
        }
        // A run without conversations measures connections.
        let count = |latency: &Latency| latency.percentiles().count;
        let measured = if converses {
            // Where nothing is acknowledged, what arrives is all there is.
            count(&tally.ack) + count(&tally.deliver)
        } else {
            count(&tally.connect)
        };
        if measured == 0 && broken.is_empty() {
            let what =
                if tally.offered > 0 { "acknowledged after the warm-up" } else { "measured" };
            weak.push(format!("nothing was {what}"));
        }

        let mut slow = Vec::new();
        for (what, latency, allowed) in [
            ("ack p99", &tally.ack, self.ack_p99_ms),
            ("deliver p99", &tally.deliver, self.deliver_p99_ms),
            ("connect p99", &tally.connect, self.connect_p99_ms),
            ("recover p99", &tally.recover, self.recover_p99_ms),
        ] {
            let Some(allowed) = allowed else { continue };
            let measured = latency.percentiles();
            if measured.count == 0 {
                weak.push(format!("nothing was measured to be held against {what}"));
            } else if measured.p99 > allowed {
                slow.push(format!("{what}: {:.1} ms (at most {allowed} ms)", measured.p99));
            }
        }

        let verdict = if !broken.is_empty() {
            Verdict::Fail
        } else if !weak.is_empty() {
            Verdict::InsufficientEvidence
        } else if !slow.is_empty() {
            Verdict::Fail
        } else {
            Verdict::Pass
        };
        (verdict, [broken, weak, slow].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Tally {
        let mut tally = Tally { offered: 100, sent: 100, ..Tally::new(0) };
        for due_us in 0..100 {
            tally.ack.record(due_us, due_us + 2000);
            tally.deliver.record(due_us, due_us + 3000);
            tally.slip.record(due_us, due_us + 100);
        }
        tally
    }

    fn judge(tally: &Tally) -> Verdict {
        let (verdict, reasons) = Thresholds::default().judge(tally, true, false);
        assert_eq!(reasons.is_empty(), verdict == Verdict::Pass, "{reasons:?}");
        verdict
    }

    #[test]
    fn a_sound_run_passes() {
        assert_eq!(judge(&sound()), Verdict::Pass);
    }

    #[test]
    fn every_broken_promise_fails() {
        let breaks: [fn(&mut Tally); 13] = [
            |tally| tally.findings.lost = 1,
            |tally| tally.findings.phantom_acks = 1,
            |tally| tally.findings.gaps = 1,
            |tally| tally.findings.duplicated = 1,
            |tally| tally.findings.reordered = 1,
            |tally| tally.findings.unexpected = 1,
            |tally| tally.findings.diverging = 1,
            |tally| tally.findings.unpushed = 1,
            |tally| tally.stray = 1,
            |tally| tally.unanswered = 1,
            |tally| tally.refused = 1,
            |tally| tally.unverified = 1,
            |tally| tally.failure("banned".to_owned()),
        ];
        for (index, break_it) in breaks.iter().enumerate() {
            let mut tally = sound();
            break_it(&mut tally);
            assert_eq!(judge(&tally), Verdict::Fail, "{index}");
            tally.busiest_thread = 1.0;
            assert_eq!(judge(&tally), Verdict::Fail, "a late generator hides no fault ({index})");
        }
    }

    #[test]
    fn a_late_saturated_or_interrupted_generator_proves_nothing() {
        let mut late = sound();
        for due_us in 0..10 {
            late.slip.record(due_us, due_us + 50_000);
        }
        assert_eq!(judge(&late), Verdict::InsufficientEvidence);
        // What sends tell by themselves needs no second witness; connections do.
        let frozen = Tally { standstill: Duration::from_secs(2), ..sound() };
        assert_eq!(judge(&frozen), Verdict::Pass);
        for (connect_p99_ms, recover_p99_ms) in [(Some(60_000.0), None), (None, Some(60_000.0))] {
            let judged = Thresholds { connect_p99_ms, recover_p99_ms, ..Thresholds::default() };
            let mut frozen = frozen.clone();
            frozen.connect.record(0, 5);
            frozen.recover.record(0, 5);
            let (verdict, reasons) = judged.judge(&frozen, true, false);
            assert_eq!(verdict, Verdict::InsufficientEvidence, "{reasons:?}");
            frozen.standstill = Duration::ZERO;
            assert_eq!(judged.judge(&frozen, true, false).0, Verdict::Pass);
        }
        let mut silent = Tally { standstill: Duration::from_secs(2), ..Tally::new(0) };
        silent.connect.record(0, 5);
        let (verdict, reasons) = Thresholds::default().judge(&silent, false, false);
        assert_eq!(verdict, Verdict::InsufficientEvidence, "{reasons:?}");
        silent.standstill = Duration::from_millis(900);
        assert_eq!(Thresholds::default().judge(&silent, false, false).0, Verdict::Pass);
        let saturated = Tally { busiest_thread: 0.99, ..sound() };
        assert_eq!(judge(&saturated), Verdict::InsufficientEvidence);
        assert_eq!(judge(&Tally::new(0)), Verdict::InsufficientEvidence);
        let unheard = Tally { unheard: 1, ..sound() };
        assert_eq!(judge(&unheard), Verdict::InsufficientEvidence);
        let (verdict, _) = Thresholds::default().judge(&sound(), true, true);
        assert_eq!(verdict, Verdict::InsufficientEvidence);
    }

    /// Whose fault it is that sends were never written.
    #[test]
    fn what_a_saturated_generator_did_not_write_is_no_fault_of_the_server() {
        let undone = Tally { offered: 1000, unanswered: 900, ..sound() };
        assert_eq!(judge(&undone), Verdict::Fail, "the server let them wait");
        let saturated = Tally { busiest_thread: 0.99, ..undone };
        assert_eq!(judge(&saturated), Verdict::InsufficientEvidence);
        let also_unanswered = Tally { unanswered: 901, ..saturated };
        assert_eq!(judge(&also_unanswered), Verdict::Fail);
    }

    #[test]
    fn a_run_that_offers_nothing_is_judged_by_its_connections() {
        let mut idle = Tally::new(0);
        idle.connect.record(0, 30_000);
        assert_eq!(Thresholds::default().judge(&idle, false, false).0, Verdict::Pass);
        assert_eq!(judge(&idle), Verdict::InsufficientEvidence, "users who should have talked");
        let strict = Thresholds { connect_p99_ms: Some(10.0), ..Thresholds::default() };
        assert_eq!(strict.judge(&idle, false, false).0, Verdict::Fail);
    }

    #[test]
    fn latencies_are_judged_only_on_sound_evidence() {
        let strict = Thresholds { ack_p99_ms: Some(1.0), ..Thresholds::default() };
        assert_eq!(strict.judge(&sound(), true, false).0, Verdict::Fail);
        assert_eq!(strict.judge(&sound(), true, true).0, Verdict::InsufficientEvidence);
        let loose = Thresholds { ack_p99_ms: Some(5.0), ..Thresholds::default() };
        assert_eq!(loose.judge(&sound(), true, false).0, Verdict::Pass);
        let unmeasured = Thresholds { recover_p99_ms: Some(5.0), ..Thresholds::default() };
        assert_eq!(unmeasured.judge(&sound(), true, false).0, Verdict::InsufficientEvidence);
    }
}
