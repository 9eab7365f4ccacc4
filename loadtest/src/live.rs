//! How a run is going, told while it goes: a few lines that change in a terminal, one line a second elsewhere.
//!
//! ```text
//!   direct     00:12 / 01:00  ███████░░░░░░░░░░░░░░░░░░░░░░░░░   users 1000
//!   per s      offered 1000   sent 1000   acked 1000   delivered 999
//!   ack        p50 0.51  p99 2.10  p99.9 4.02  max 8.11 ms     p99 ▁▂▁▁▃▁▂▇▂▁
//!   deliver    p50 0.61  p99 2.31  p99.9 4.55  max 9.02 ms     p99 ▁▂▁▁▃▁▂▇▂▁
//!   trouble    errors 0   refused 0   late sends 0   reconnects 0
//! ```
//!
//! Rates are those of the last whole interval, percentiles those of the run so far. Nobody may be listening: what
//! cannot be written is let go, and a thread of its own writes, so that a terminal that stands still holds up no run.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::latency::Packed;
use crate::scenario::Scenario;
use crate::series::{Counts, Interval, Series};

const INTERVAL: Duration = Duration::from_secs(1);
/// How long the end waits for the last picture.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How many intervals a sparkline shows.
const SPARK_INTERVALS: usize = 40;
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const BAR_CELLS: usize = 32;
/// Where a terminal does not say how wide it is.
const DEFAULT_COLUMNS: usize = 100;

/// Who looks on.
#[derive(Debug)]
pub struct View {
    /// A terminal looks on, in which a picture replaces the one before.
    terminal: bool,
    /// When it was shown last.
    at: Option<Instant>,
    /// Lines that the next picture replaces.
    shown_lines: usize,
    /// `None`: nobody looks on, or no longer.
    pen: Option<Pen>,
}

/// Writes what is handed to it, one sheet at a time.
#[derive(Debug)]
struct Pen {
    sheets: SyncSender<String>,
    /// Ends when everything is written.
    done: Receiver<()>,
}

impl Pen {
    fn new(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sheets, handed) = mpsc::sync_channel::<String>(1);
        let (writes, done) = mpsc::channel();
        thread::Builder::new().name("view".to_owned()).spawn(move || {
            // Ends with the thread.
            let _writes: mpsc::Sender<()> = writes;
            for sheet in handed {
                let _ = out.write_all(sheet.as_bytes()).and_then(|()| out.flush());
            }
        })?;
        Ok(Self { sheets, done })
    }

    /// `false`: the one before is still being written.
    fn write(&self, sheet: String) -> bool {
        self.sheets.try_send(sheet).is_ok()
    }

    /// Waits for what is being written, but not for long.
    fn finish(self) {
        drop(self.sheets);
        // Nothing is ever sent: either everything is written, or it takes too long.
        let _ = self.done.recv_timeout(LAST_WORDS);
    }
}

impl View {
    /// Nobody.
    pub const fn none() -> Self {
        Self { terminal: false, at: None, shown_lines: 0, pen: None }
    }

    /// Whoever reads standard error.
    pub fn stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        // Where no thread can be had, nothing is shown.
        Self { terminal, at: None, shown_lines: 0, pen: Pen::new(io::stderr()).ok() }
    }

    /// Shows how it goes, if it is time again. `sending_us`: since when sends are due; `None`: users are connecting.
    pub(crate) fn show(&mut self, scenario: &Scenario, series: &Series, sending_us: Option<u64>) {
        let is_due = self.at.is_none_or(|at| at.elapsed() >= INTERVAL);
        let Some(pen) = self.pen.as_ref().filter(|_| is_due) else { return };
        self.at = Some(Instant::now());
        let picture = Picture::new(scenario, &series.intervals(), sending_us);
        let mut text = String::new();
        let mut shown_lines = 0;
        if self.terminal {
            let columns = columns();
            let lines = picture.lines();
            if self.shown_lines > 0 {
                let _ = write!(text, "\x1b[{}A", self.shown_lines);
            }
            for line in &lines {
                let cut: String = line.chars().take(columns.saturating_sub(1)).collect();
                let _ = writeln!(text, "\r\x1b[2K{cut}");
            }
            shown_lines = lines.len();
        } else {
            let _ = writeln!(text, "{}", picture.line());
        }
        if pen.write(text) {
            self.shown_lines = shown_lines;
        }
    }

    /// Nothing follows; what is shown stays.
    pub(crate) fn end(&mut self) {
        self.shown_lines = 0;
        if let Some(pen) = self.pen.take() {
            pen.finish();
        }
    }
}

/// What is to be seen at one moment.
struct Picture<'a> {
    scenario: &'a Scenario,
    sending_us: Option<u64>,
    live: u64,
    counts: Counts,
    /// Per second, in the last whole interval.
    rates: [f64; 4],
    ack: Packed,
    deliver: Packed,
    ack_spark: String,
    deliver_spark: String,
}

impl<'a> Picture<'a> {
    fn new(scenario: &'a Scenario, intervals: &[Interval], sending_us: Option<u64>) -> Self {
        let mut counts = Counts::default();
        let (mut ack, mut deliver) = (Packed::default(), Packed::default());
        for interval in intervals {
            counts.add(&interval.counts);
            ack.merge(&interval.ack);
            deliver.merge(&interval.deliver);
        }
        let sending_s = sending_us.unwrap_or(0) as f64 / 1e6;
        // Of the newest, some processes may have told nothing yet.
        let whole = intervals.iter().rev().find(|interval| interval.at_s + 0.2 <= sending_s);
        let rates = whole.map_or([0.0; 4], |last| {
            let counts = &last.counts;
            [counts.offered, counts.sent, counts.acked, counts.delivered]
                .map(|count| count as f64 / last.seconds.max(0.001))
        });
        let recent = &intervals[intervals.len().saturating_sub(SPARK_INTERVALS)..];
        Self {
            scenario,
            sending_us,
            live: intervals.last().map_or(0, |last| last.live),
            counts,
            rates,
            ack_spark: sparkline(recent.iter().map(|interval| interval.ack.quantile_ms(0.99))),
            deliver_spark: sparkline(
                recent.iter().map(|interval| interval.deliver.quantile_ms(0.99)),
            ),
            ack,
            deliver,
        }
    }

    fn lines(&self) -> [String; 5] {
        let [offered, sent, acked, delivered] = self.rates;
        let Counts { errors, refused, late_sends, reconnects, .. } = self.counts;
        let name: String = self.scenario.name.chars().take(10).collect();
        let (clock, bar) = match self.sending_us {
            None => (
                "connecting".to_owned(),
                bar(self.live as f64 / f64::from(self.scenario.users.max(1))),
            ),
            Some(us) => {
                let (now_s, all_s) = (us as f64 / 1e6, self.scenario.duration_s);
                let state = if now_s > all_s { "draining" } else { "" };
                (
                    format!("{} / {} {state}", minutes(now_s.min(all_s)), minutes(all_s)),
                    bar(now_s / all_s),
                )
            }
        };
        let latency = |what: &str, all: &Packed, spark: &str| {
            format!("{what:<10} {}     p99 {spark}", figures(all))
        };
        [
            format!("{name:<10} {clock}  {bar}   users {}", self.live),
            format!(
                "per s      offered {offered:.0}   sent {sent:.0}   acked {acked:.0}   delivered {delivered:.0}"
            ),
            latency("ack", &self.ack, &self.ack_spark),
            latency("deliver", &self.deliver, &self.deliver_spark),
            format!(
                "trouble    errors {errors}   refused {refused}   late sends {late_sends}   reconnects {reconnects}"
            ),
        ]
    }

    fn line(&self) -> String {
        let [offered, sent, acked, delivered] = self.rates;
        let clock =
            self.sending_us.map_or("connect".to_owned(), |us| format!("{:5} s", us / 1_000_000));
        format!(
            "{clock}  users {:<6} offered {offered:>7.0}/s  sent {sent:>7.0}/s  acked {acked:>7.0}/s  \
             delivered {delivered:>7.0}/s  ack {}  deliver {}  errors {}",
            self.live,
            figures(&self.ack),
            figures(&self.deliver),
            self.counts.errors,
        )
    }
}

fn figures(all: &Packed) -> String {
    if all.count() == 0 {
        return "nothing yet".to_owned();
    }
    let at = |quantile| all.quantile_ms(quantile).unwrap_or(0.0);
    format!(
        "p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
        at(0.5),
        at(0.99),
        at(0.999),
        all.max_ms()
    )
}

fn minutes(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * BAR_CELLS as f64) as usize;
    "█".repeat(full) + &"░".repeat(BAR_CELLS - full)
}

/// A picture of some values, from the least to the most of them on a logarithmic scale; a blank where there is none.
fn sparkline(values: impl Iterator<Item = Option<f64>> + Clone) -> String {
    let known = values.clone().flatten().map(|value| value.max(0.001).ln());
    let (least, most) = known
        .fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    // Twice as much is half the height at least: noise shall not look like mountains.
    let span = (most - least).max(4_f64.ln());
    let spark = |value: f64| {
        let height = (value.max(0.001).ln() - least) / span * (SPARKS.len() - 1) as f64;
        SPARKS[(height.round() as usize).min(SPARKS.len() - 1)]
    };
    values.map(|value| value.map_or(' ', spark)).collect()
}

/// How wide the terminal is.
fn columns() -> usize {
    // SAFETY: an all-zero winsize is valid, and the call only fills it in.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size);
        size
    };
    match size.ws_col {
        0 => DEFAULT_COLUMNS,
        columns => columns.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::latency::Latency;

    fn interval(at_s: f64, sent: u64, took_us: u64) -> Interval {
        let mut ack = Latency::new(0);
        (0..sent).for_each(|_| ack.record(0, took_us));
        let counts = Counts { sent, acked: sent, errors: 2, ..Counts::default() };
        Interval { at_s, seconds: 1.0, live: 8, counts, ack: ack.packed(), ..Interval::default() }
    }

    #[test]
    fn the_picture_tells_rates_of_the_last_interval_and_figures_of_all() {
        let text = include_str!("../scenarios/direct.toml");
        let scenario = Scenario::parse(text, &["duration_s=60".to_owned()]).unwrap();
        let intervals = [interval(1.0, 100, 1000), interval(2.0, 70, 4000), interval(3.0, 5, 1000)];
        let picture = Picture::new(&scenario, &intervals, Some(2_500_000));
        let lines = picture.lines();
        assert!(lines[0].contains("00:02 / 01:00") && lines[0].contains("users 8"), "{lines:?}");
        assert!(lines[1].contains("sent 70 "), "{lines:?}");
        assert!(lines[2].contains("p50 1.00") && lines[2].ends_with("▁█▁"), "{lines:?}");
        assert!(lines[4].contains("errors 6 "), "{lines:?}");
        let line = picture.line();
        assert!(!line.contains(['\n', '\x1b', '█']) && line.contains("sent      70/s"), "{line}");
        let connecting = Picture::new(&scenario, &[], None);
        assert!(connecting.lines()[0].contains("connecting"));
    }

    /// A full pipe that nobody reads, or a terminal that was stopped.
    #[test]
    fn who_cannot_be_written_to_holds_up_nothing() {
        let (mut reader, writer) = io::pipe().unwrap();
        let pen = Pen::new(writer).unwrap();
        let sheet = "x".repeat(1 << 20);
        while pen.write(sheet.clone()) {}
        assert!(!pen.write(sheet));
        pen.finish();
        // What does get through comes whole.
        reader.read_exact(&mut [0; 1]).unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let pen = Pen::new(writer).unwrap();
        assert!(pen.write("a line\n".to_owned()));
        pen.finish();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a line\n");
    }

    #[test]
    fn a_sparkline_is_flat_for_noise_and_steep_for_a_stall() {
        assert_eq!(sparkline([Some(1.0), Some(1.3), None, Some(1.0)].into_iter()), "▁▂ ▁");
        assert_eq!(sparkline([Some(1.0), Some(1000.0)].into_iter()), "▁█");
        assert_eq!(sparkline([None, None].into_iter()), "  ");
    }

    #[test]
    fn a_bar_is_as_long_whatever_the_share() {
        for share in [-1.0, 0.0, 0.5, 1.0, 7.0, f64::NAN] {
            assert_eq!(bar(share).chars().count(), BAR_CELLS, "{share}");
        }
    }
}
