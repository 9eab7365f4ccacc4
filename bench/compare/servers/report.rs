//! The table on the terminal and the figures as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::load::Sample;
use crate::server::Server;
use crate::{Cell, Workload};

/// Ratios this close to 1 are ties.
const TIE: f64 = 0.1;
/// A row is marked when others used more than this of a core.
const OTHERS_CPU_SHARE_MAX: f64 = 0.1;

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    workload: Workload,
    unit: &'static str,
    rounds: usize,
    measure_ms: u64,
    servers: Vec<Server>,
    cells: Vec<CellReport>,
}

/// One cell: connections × size × depth.
#[derive(Serialize)]
pub(crate) struct CellReport {
    connections: usize,
    size_bytes: usize,
    depth: usize,
    /// In the order of the report's servers.
    servers: Vec<ServerReport>,
}

#[derive(Default, Serialize)]
struct ServerReport {
    median_messages_per_cpu_s: f64,
    samples: Vec<Sample>,
}

impl CellReport {
    pub(crate) fn new(cell: Cell, servers: usize) -> Self {
        Self {
            connections: cell.connections,
            size_bytes: cell.size_bytes,
            depth: cell.depth,
            servers: (0..servers).map(|_| ServerReport::default()).collect(),
        }
    }

    /// Adds a sample of the server at `index`.
    pub(crate) fn add(&mut self, index: usize, sample: &Sample) {
        let server = &mut self.servers[index];
        server.samples.push(*sample);
        server.median_messages_per_cpu_s =
            median(server.samples.iter().map(|sample| sample.messages_per_cpu_s));
    }

    /// One line of the table: each server's median and share of its core, and how the first compares with it.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{:>11} {:>7} {:>5}", self.connections, self.size_bytes, self.depth);
        let first = self.servers.first().map_or(0.0, |server| server.median_messages_per_cpu_s);
        for (index, server) in self.servers.iter().enumerate() {
            let share = median(server.samples.iter().map(|sample| sample.cpu_share));
            let figure = format!("{:.0} {:3.0} %", server.median_messages_per_cpu_s, share * 100.0);
            let _ = write!(line, " {figure:>19}");
            if index > 0 {
                let ratio = first / server.median_messages_per_cpu_s;
                let tie = if (ratio - 1.0).abs() < TIE { "=" } else { " " };
                let _ = write!(line, " {ratio:>5.2}{tie}");
            }
        }
        let others = self.others_cpu_share();
        if others > OTHERS_CPU_SHARE_MAX {
            let _ = write!(line, "  others used {:.0} % of a core", others * 100.0);
        }
        line
    }

    fn others_cpu_share(&self) -> f64 {
        let samples = self.servers.iter().flat_map(|server| &server.samples);
        median(samples.map(|sample| sample.others_cpu_share))
    }
}

impl Report {
    pub(crate) fn new(
        workload: Workload,
        servers: &[Server],
        rounds: usize,
        measure_ms: u64,
    ) -> Self {
        Self {
            workload,
            unit: match workload {
                Workload::Echo => "messages per CPU-second of the server",
                Workload::Fanout => "deliveries per CPU-second of the server",
            },
            rounds,
            measure_ms,
            servers: servers.to_vec(),
            cells: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, cell: CellReport) {
        self.cells.push(cell);
    }

    /// The table's first line.
    pub(crate) fn heading(&self) -> String {
        let mut line = format!("{:>11} {:>7} {:>5}", "connections", "bytes", "depth");
        for (index, server) in self.servers.iter().enumerate() {
            let _ = write!(line, " {:>19}", server.name());
            if index > 0 {
                let _ = write!(line, " {:>6}", "ratio");
            }
        }
        line
    }

    /// What the columns mean.
    pub(crate) fn legend(&self) -> String {
        let first = self.servers.first().map_or("", |server| server.name());
        format!(
            "{}, median of {} rounds of {} ms; share of its core; ratio = {first} / that server, =: a tie within 10 %",
            self.unit, self.rounds, self.measure_ms
        )
    }
}

/// The middle value; of an even number the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_the_order_and_outliers() {
        assert!((median([9.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 99.0].into_iter()) - 3.0).abs() < f64::EPSILON);
    }
}
