//! How a run is going, told once a second while it goes.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::latency::Latency;

const INTERVAL: Duration = Duration::from_secs(1);

/// How far a thread is.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) live: u64,
    pub(crate) sent: u64,
    pub(crate) acked: u64,
    pub(crate) delivered: u64,
    pub(crate) ack: Latency,
    pub(crate) deliver: Latency,
}

impl Snapshot {
    /// Adds another thread's.
    pub(crate) fn merge(mut self, other: &Self) -> Self {
        self.live += other.live;
        self.sent += other.sent;
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.ack.merge(&other.ack);
        self.deliver.merge(&other.deliver);
        self
    }
}

/// Writes the lines to standard error.
pub(crate) struct Watch {
    progress: bool,
    terminal: bool,
    /// When the last line was written.
    at: Instant,
    /// What it told: sent, acknowledged, delivered.
    before: [u64; 3],
}

impl Watch {
    /// `progress`: write anything at all.
    pub(crate) fn new(progress: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { progress, terminal, at: Instant::now(), before: [0; 3] }
    }

    /// A second has passed since the last line.
    pub(crate) fn is_due(&self) -> bool {
        self.progress && self.at.elapsed() >= INTERVAL
    }

    /// Writes a line. `sending_us`: since when sends are due; `None`: users are still connecting.
    pub(crate) fn tell(&mut self, all: &Snapshot, sending_us: Option<u64>) {
        let seconds = self.at.elapsed().as_secs_f64();
        let counts = [all.sent, all.acked, all.delivered];
        let mut rates = [0.0; 3];
        for ((rate, count), before) in rates.iter_mut().zip(counts).zip(self.before) {
            *rate = count.saturating_sub(before) as f64 / seconds;
        }
        let [sent, acked, delivered] = rates;
        let (ack, deliver) = (all.ack.percentiles(), all.deliver.percentiles());
        let clock = sending_us.map_or("connect".to_owned(), |us| format!("{:5} s", us / 1_000_000));
        let line = format!(
            "{clock}  users {:<6} sent {sent:>7.0}/s  acked {acked:>7.0}/s  delivered {delivered:>7.0}/s  \
             ack ms p50 {:.2} p99 {:.2}  deliver ms p50 {:.2} p99 {:.2}",
            all.live, ack.p50, ack.p99, deliver.p50, deliver.p99,
        );
        // A terminal shows one line that changes; a file gets one line after another. Nobody may be listening.
        let mut out = std::io::stderr().lock();
        let _ = if self.terminal {
            write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush())
        } else {
            writeln!(out, "{line}")
        };
        self.before = counts;
        self.at = Instant::now();
    }

    /// No more lines follow.
    pub(crate) fn end(&self) {
        if self.progress && self.terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}
