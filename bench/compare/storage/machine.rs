//! On what was measured.

use std::fmt;
use std::fs;
use std::time::Duration;

use ringwire_bench::steadiness::slow_share;
use serde::Serialize;

/// Facts that decide what the figures mean.
#[derive(Default, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: f64,
    kernel: String,
    load_before: String,
    load_after: String,
    /// The share of the time in which a processor alone was slower than half of its speed, before or after: the larger.
    slow_share: f64,
}

/// Long enough for several of a host's interventions.
const STEADINESS: Duration = Duration::from_secs(5);

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib = memory.split(' ').next().and_then(|number| number.parse::<f64>().ok());
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: (kib.unwrap_or_default() / 1_048_576.0).round(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load(),
            load_after: String::new(),
            slow_share: slow_share(STEADINESS),
        }
    }

    /// The load when everything was measured.
    pub(crate) fn look_again(&mut self) {
        self.load_after = load();
        self.slow_share = self.slow_share.max(slow_share(STEADINESS));
    }
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, memory_gib, kernel, load_before, load_after, slow_share } = self;
        write!(f, "{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}; ")?;
        write!(f, "load before {load_before}, after {load_after}; ")?;
        write!(
            f,
            "a processor alone was slower than half for {:.1} % of the time",
            slow_share * 100.0
        )
    }
}
