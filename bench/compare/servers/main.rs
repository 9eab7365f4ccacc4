//! `cargo xtask bench compare`: what a message costs our connection layer, beside other servers: echoed to who sent it,
//! or told to everybody who is connected.
//!
//! ```text
//!   core A: one server, a child process          core B: this process
//!         utime + stime from /proc     ◄────►          load: epoll, every message that comes compared with what
//!                                                      was sent
//! ```
//!
//! For each cell (connections × size × depth) the servers take turns, `rounds` times; a server is started afresh
//! for each turn. The figure is messages, or deliveries, per CPU-second of the server; medians are compared, and a
//! difference below 10 % is a tie.
//!
//! The raw TCP server gets the same payloads without WebSocket framing, and knows nothing but echo; nginx knows nothing
//! but fan-out. Socket.IO gets payloads of the same length in events of its own protocol. A server that is not here is
//! told in the table. A row during which others used the machine is marked: its figures are no evidence.

mod cpu;
mod handshake;
mod load;
mod nchan;
mod report;
mod server;
mod uwebsockets;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use serde::Serialize;

use load::{Load, Sample};
use report::{CellReport, Report};
use server::{Candidate, Server};

/// What servers do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Workload {
    /// Sends it back.
    Echo,
    /// Sends it to everybody.
    Fanout,
}

impl Workload {
    /// Connections of the cells, unless told otherwise.
    fn connections(self) -> Vec<usize> {
        match self {
            Self::Echo => vec![200, 5_000],
            Self::Fanout => vec![1_000, 10_000],
        }
    }
}

#[derive(Parser)]
#[command(about = "Compares servers by messages per CPU-second of the server")]
struct Arguments {
    /// What is compared.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Workload::Echo, Workload::Fanout])]
    only: Vec<Workload>,
    /// Servers to compare; those that cannot do it are left out.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Server::ALL)]
    servers: Vec<Server>,
    /// Source of uWebSockets, with its submodule uSockets inside; it is built by `cc` and `c++`.
    #[arg(long, value_name = "FOLDER")]
    uwebsockets: Option<PathBuf>,
    /// Connections of a cell [default: 200 and 5,000 for echo, 1,000 and 10,000 for fan-out].
    #[arg(long, value_delimiter = ',')]
    connections: Vec<usize>,
    /// Payload of a message.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1_024])]
    size_bytes: Vec<usize>,
    /// Messages in flight on each connection.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16])]
    depth: Vec<usize>,
    /// Turns of each server in each cell.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Length of a measurement.
    #[arg(long, default_value_t = 2_000)]
    measure_ms: u64,
    /// Load before a measurement begins.
    #[arg(long, default_value_t = 500)]
    warm_up_ms: u64,
    /// Where to write every sample, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

/// One row of the comparison.
#[derive(Clone, Copy, Debug)]
struct Cell {
    connections: usize,
    size_bytes: usize,
    depth: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cores = cpu::Cores::choose()?;
    cpu::raise_descriptor_limit()?;
    cpu::pin(cores.load)?;

    let source = arguments.uwebsockets.as_deref();
    let found = arguments.servers.iter().map(|server| server.find(source));
    let candidates = found.collect::<Result<Vec<_>>>()?;
    let mut reports = Vec::new();
    for &workload in &arguments.only {
        let report = compare(workload, &candidates, &cores, &arguments)?;
        println!("\n{}\n", report.legend());
        reports.push(report);
    }
    if let Some(path) = &arguments.report_json {
        let json = serde_json::to_string_pretty(&reports)? + "\n";
        std::fs::write(path, json).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// One table.
fn compare(
    workload: Workload,
    candidates: &[Candidate],
    cores: &cpu::Cores,
    arguments: &Arguments,
) -> Result<Report> {
    let candidates: Vec<&Candidate> =
        candidates.iter().filter(|candidate| candidate.server.does(workload)).collect();
    let mut report = Report::new(workload, &candidates, arguments.rounds, arguments.measure_ms);
    println!("{}", Report::heading());
    for cell in cells(workload, arguments) {
        let mut row = CellReport::new(cell, candidates.len());
        for round in 0..arguments.rounds {
            for turn in 0..candidates.len() {
                // Every server gets to be first.
                let index = (round + turn) % candidates.len();
                let candidate = candidates[index];
                if candidate.not_here().is_none() {
                    let sample = measure(workload, candidate, cell, cores, arguments)
                        .with_context(|| format!("{} with {cell:?}", candidate.server.name()))?;
                    row.add(index, &sample);
                }
            }
        }
        print!("{}", report.lines(&row));
        report.add(row);
    }
    Ok(report)
}

fn cells(workload: Workload, arguments: &Arguments) -> Vec<Cell> {
    let usual = workload.connections();
    let connections =
        if arguments.connections.is_empty() { &usual } else { &arguments.connections };
    let mut cells = Vec::new();
    for &connections in connections {
        for &size_bytes in &arguments.size_bytes {
            for &depth in &arguments.depth {
                cells.push(Cell { connections, size_bytes, depth });
            }
        }
    }
    cells
}

fn measure(
    workload: Workload,
    candidate: &Candidate,
    cell: Cell,
    cores: &cpu::Cores,
    arguments: &Arguments,
) -> Result<Sample> {
    let running = candidate.start(workload, cores.server)?;
    let wire = candidate.server.wire(cell.size_bytes)?;
    let mut load = Load::connect(workload, running.address(), wire, cell)?;
    load.run_for(Duration::from_millis(arguments.warm_up_ms))?;
    let before = running.usage()?;
    let measured = load.run_for(Duration::from_millis(arguments.measure_ms))?;
    let usage = running.usage()?.since(before);
    load.finish()?;
    Ok(Sample::new(measured, usage))
}
