//! `cargo xtask bench echo`: what an echoed message costs our connection layer, beside a raw TCP echo on the same
//! runtime and the usual Rust WebSocket server.
//!
//! ```text
//! core A: one server, a child process          core B: this process
//!         utime + stime from /proc     ◄────►          load: epoll, `depth` messages in flight a connection,
//!                                                      every echo compared with what was sent
//! ```
//!
//! For each cell (connections × size × depth) the servers take turns, `rounds` times; a server is started afresh
//! for each turn. The figure is messages per CPU-second of the server; medians are compared, and a difference
//! below 10 % is a tie.
//!
//! The raw TCP server gets the same payloads without WebSocket framing. A row during which others used the machine
//! is marked: its figures are no evidence.

mod cpu;
mod load;
mod report;
mod server;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use load::{Load, Sample};
use report::{CellReport, Report};
use server::Server;

#[derive(Parser)]
#[command(about = "Compares echo servers by messages per CPU-second of the server")]
struct Arguments {
    /// Servers to compare.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Server::ALL)]
    servers: Vec<Server>,
    /// Connections of a cell.
    #[arg(long, value_delimiter = ',', default_values_t = [200, 5_000])]
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

    let mut report = Report::new(&arguments.servers, arguments.rounds, arguments.measure_ms);
    println!("{}", report.heading());
    for cell in cells(&arguments) {
        let mut row = CellReport::new(cell, arguments.servers.len());
        for round in 0..arguments.rounds {
            for turn in 0..arguments.servers.len() {
                // Every server gets to be first.
                let index = (round + turn) % arguments.servers.len();
                let server = arguments.servers[index];
                let sample = measure(server, cell, &cores, &arguments)
                    .with_context(|| format!("{} with {cell:?}", server.name()))?;
                row.add(index, &sample);
            }
        }
        println!("{}", row.line());
        report.add(row);
    }
    println!("\n{}", report.legend());
    if let Some(path) = &arguments.report_json {
        std::fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn cells(arguments: &Arguments) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &connections in &arguments.connections {
        for &size_bytes in &arguments.size_bytes {
            for &depth in &arguments.depth {
                cells.push(Cell { connections, size_bytes, depth });
            }
        }
    }
    cells
}

fn measure(
    server: Server,
    cell: Cell,
    cores: &cpu::Cores,
    arguments: &Arguments,
) -> Result<Sample> {
    let running = server.start(cores.server)?;
    let mut load = Load::connect(running.address(), server.wire(cell.size_bytes)?, cell)?;
    load.run_for(Duration::from_millis(arguments.warm_up_ms))?;
    let before = running.usage()?;
    let measured = load.run_for(Duration::from_millis(arguments.measure_ms))?;
    let usage = running.usage()?.since(before);
    load.finish()?;
    Ok(Sample::new(measured, usage))
}
