//! The page of text for people.

use std::fmt;

use super::{Report, Slip, mebibytes};
use crate::scenario::{Acks, Conversation};
use crate::verify::Level;

impl Report {
    /// What was looked for, and found.
    fn ledger(&self) -> String {
        let log =
            if self.log_verified { "server's log read back" } else { "server's log not read back" };
        let verified = match self.verified {
            // What came to the wrong user shows anyway.
            Level::Off => {
                return format!("not verified, only counted; {} unexpected", self.unexpected);
            }
            _ if !self.protocol.is_ringwire() => {
                "arrivals in each sender's order; there is no log".to_owned()
            }
            Level::Ledger => format!("sends and arrivals; {log}"),
            Level::Counters => format!("sends, hashes of what arrived; {log}"),
        };
        let share = match self.verified_one_in {
            0 | 1 => "; every conversation".to_owned(),
            many => format!("; one conversation in {many}"),
        };
        format!(
            "{} lost, {} duplicated, {} reordered, {} unexpected, {} gaps, {} diverging, {} phantom acks, \
             {} unpushed ({verified}{share})",
            self.lost,
            self.duplicated,
            self.reordered,
            self.unexpected,
            self.gaps,
            self.diverging,
            self.phantom_acks,
            self.unpushed,
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processes = match self.processes {
            0 | 1 => String::new(),
            processes => format!("{processes} processes, "),
        };
        let spoken = self.spoken();
        writeln!(f, "{}: {} users, {processes}{spoken}, {}", self.scenario, self.users, self.url)?;
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
        if self.acks != Acks::Server {
            writeln!(f, "  acks       {}", self.acks.meaning())?;
        }
        writeln!(f, "  ledger     {}", self.ledger())?;
        let hears_others = self.configuration.conversation != Conversation::Alone {};
        for (what, figures) in [
            ("ack", &self.ack_ms),
            ("deliver", &self.deliver_ms),
            ("connect", &self.connect_ms),
            ("recover", &self.recover_ms),
            ("bystander", &self.bystander_ms),
            ("history", &self.history_ms),
        ] {
            let is_expected = match what {
                "ack" => self.offered > 0 && self.acks != Acks::Written,
                "deliver" => self.offered > 0 && hears_others,
                _ => false,
            };
            if figures.count == 0 && !is_expected {
                continue;
            }
            if figures.count == 0 {
                writeln!(f, "  {what:<9}  none was measured")?;
                continue;
            }
            write!(
                f,
                "  {what:<9}  p50 {:.3}  p90 {:.3}  p99 {:.3}  p99.9 {:.3}  max {:.3} ms  ({}",
                figures.p50, figures.p90, figures.p99, figures.p999, figures.max, figures.count
            )?;
            // What was never answered has no latency, and the percentiles look the better for it.
            match self.unanswered {
                1.. if what == "ack" => {
                    writeln!(f, "; {} without an answer are not in it)", self.unanswered)?;
                }
                _ => writeln!(f, ")")?,
            }
        }
        // Where nothing was due, nothing was late, and nothing is known of it.
        let slip = if self.offered == 0 {
            "no sends".to_owned()
        } else {
            let Slip { p99, max } = self.send_slip_ms;
            format!("slip p99 {p99:.3}  max {max:.3} ms, {} late sends", self.late_sends)
        };
        writeln!(
            f,
            "  generator  {slip}, stood still {:.3} ms at most, {:.2} CPU s, {} reconnects",
            self.standstill_ms, self.generator_cpu_s, self.reconnects
        )?;
        if self.cuts + self.signals > 0 {
            writeln!(
                f,
                "  around     {} connections cut on purpose, {} pushes of who types and has read",
                self.cuts, self.signals
            )?;
        }
        if let Some(server) = &self.server {
            // Less than a tick of the clock is no base for a ratio.
            let per_cpu_s = if server.cpu_s > 0.0 {
                let per_cpu_s = self.delivered_meanwhile() as f64 / server.cpu_s;
                format!(" ({per_cpu_s:.0} deliveries per CPU s)")
            } else {
                String::new()
            };
            writeln!(
                f,
                "  server     {:.2} CPU s{per_cpu_s}, {:.1} MiB before, {:.1} MiB after ({})",
                server.cpu_s,
                mebibytes(server.resident_bytes_before),
                mebibytes(server.resident_bytes_after),
                server.source
            )?;
        }
        if let Some(reason) = &self.server_unmeasured {
            writeln!(f, "  server     not measured: {reason}")?;
        }
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
