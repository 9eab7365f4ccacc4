//! The table on the terminal and the figures as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::load::Sample;
use crate::server::{Candidate, Server};
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
    /// Those of them that could not be started.
    not_here: Vec<NotHere>,
    cells: Vec<CellReport>,
}

#[derive(Serialize)]
struct NotHere {
    server: Server,
    why: String,
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
    /// Null of a server that is not here.
    median_messages_per_cpu_s: Option<f64>,
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

    fn others_cpu_share(&self) -> Option<f64> {
        let samples = self.servers.iter().flat_map(|server| &server.samples);
        median(samples.map(|sample| sample.others_cpu_share))
    }
}

impl Report {
    pub(crate) fn new(
        workload: Workload,
        candidates: &[&Candidate],
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
            servers: candidates.iter().map(|candidate| candidate.server).collect(),
            not_here: candidates
                .iter()
                .filter_map(|candidate| {
                    let why = candidate.not_here()?.to_owned();
                    Some(NotHere { server: candidate.server, why })
                })
                .collect(),
            cells: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, cell: CellReport) {
        self.cells.push(cell);
    }

    /// The table's first line.
    pub(crate) fn heading() -> String {
        format!(
            "{:>11} {:>7} {:>5}  {:<17} {:>12} {:>6} {:>7}",
            "connections", "bytes", "depth", "server", "per CPU s", "core", "ratio"
        )
    }

    /// A cell in the table, a line for each server: its median and share of its core, and how the first compares with it.
    pub(crate) fn lines(&self, cell: &CellReport) -> String {
        let mut lines = String::new();
        let first = cell.servers.first().and_then(|server| server.median_messages_per_cpu_s);
        for (index, (server, figures)) in self.servers.iter().zip(&cell.servers).enumerate() {
            let named = match index {
                0 => format!("{:>11} {:>7} {:>5}", cell.connections, cell.size_bytes, cell.depth),
                _ => " ".repeat(25),
            };
            let _ = write!(lines, "{named}  {:<17}", server.name());
            let share = median(figures.samples.iter().map(|sample| sample.cpu_share));
            let why = self.not_here.iter().find(|not_here| not_here.server == *server);
            if let (Some(figure), Some(share)) = (figures.median_messages_per_cpu_s, share) {
                let _ = write!(lines, " {figure:>12.0} {:>4.0} %", share * 100.0);
                if let Some(first) = first.filter(|_| index > 0) {
                    let ratio = first / figure;
                    let tie = if (ratio - 1.0).abs() < TIE { " =" } else { "" };
                    let _ = write!(lines, " {ratio:>7.2}{tie}");
                }
            } else if let Some(NotHere { why, .. }) = why {
                let _ = write!(lines, " not here: {why}");
            }
            if let Some(others) = cell.others_cpu_share().filter(|_| index == 0)
                && others > OTHERS_CPU_SHARE_MAX
            {
                let _ = write!(lines, "  others used {:.0} % of a core", others * 100.0);
            }
            lines.push('\n');
        }
        lines
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

/// The middle value; of an even number the mean of the two in the middle, of none nothing.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[odd / 2]),
        even => Some(f64::midpoint(values[even / 2 - 1], values[even / 2])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_the_order_and_outliers() {
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 99.0].into_iter()), Some(3.0));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn a_server_that_is_not_here_has_its_line_and_its_place() {
        let mut report = Report::new(Workload::Echo, &[], 1, 1);
        report.servers = vec![Server::Ringwire, Server::Uwebsockets, Server::Axum];
        report.not_here =
            vec![NotHere { server: Server::Uwebsockets, why: "nobody named it".to_owned() }];
        let mut cell = CellReport::new(Cell { connections: 200, size_bytes: 64, depth: 16 }, 3);
        for (index, messages_per_cpu_s) in [(0, 300.0), (2, 200.0)] {
            let (messages_per_s, cpu_share) = (messages_per_cpu_s, 1.0);
            cell.add(
                index,
                &Sample { messages_per_cpu_s, messages_per_s, cpu_share, others_cpu_share: 0.5 },
            );
        }
        assert_eq!(
            report.lines(&cell).lines().collect::<Vec<_>>(),
            [
                "        200      64    16  ringwire                   300  100 %  others used 50 % of a core",
                "                           uWebSockets       not here: nobody named it",
                "                           axum                       200  100 %    1.50",
            ]
        );
        report.add(cell);
        let json = serde_json::to_value(&report).expect("it is JSON");
        assert_eq!(json["servers"], serde_json::json!(["ringwire", "uwebsockets", "axum"]));
        assert_eq!(json["not_here"][0]["server"], "uwebsockets");
        let medians = [0, 1, 2]
            .map(|index| json["cells"][0]["servers"][index]["median_messages_per_cpu_s"].as_f64());
        assert_eq!(medians, [Some(300.0), None, Some(200.0)]);
    }
}
