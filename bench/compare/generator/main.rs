//! `cargo xtask bench generator`: what the load generator itself takes, and adds to latencies.
//!
//! ```text
//!   ringwire-loadtest (protocol = echo) ◄────► our connection layer alone, as an echo on one thread
//!        a slow steady rate: what it tells of a server that takes no time, beside a byte over raw TCP
//!        closed loops:       messages per CPU-second of the generator, beside those of the server
//! ```
//!
//! A message is written, given back, read, held against the ledger and counted.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use ringwire_bench::load::{self, Load, figure};
use ringwire_bench::probe::Probe;
use ringwire_bench::server::Server;
use serde::Serialize;

#[derive(Parser)]
#[command(about = "Measures the load generator against an echo")]
struct Arguments {
    /// Connections.
    #[arg(long, default_value_t = 200)]
    users: u32,
    /// Sends per second over all of them, where the schedule is fixed.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 40_000])]
    rates: Vec<u32>,
    /// Sends under way at once, of each user, in closed loops.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16])]
    at_once: Vec<u32>,
    /// Length of each run, a fifth of it warm-up.
    #[arg(long, default_value_t = 10)]
    duration_s: u32,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    /// Of a closed loop.
    at_once: Option<u32>,
    /// As offered; of a closed loop, as they came.
    rate_per_s: f64,
    /// From the intended send time until the message was back.
    echo_p50_ms: f64,
    echo_p99_ms: f64,
    echo_p999_ms: f64,
    /// Round trips of a byte over raw TCP beside the load.
    probe_p50_ms: f64,
    probe_p99_ms: f64,
    probe_p999_ms: f64,
    generator_cpu_s: f64,
    server_cpu_s: f64,
    messages_per_generator_cpu_s: f64,
    messages_per_server_cpu_s: f64,
    /// The first by the second.
    ratio: f64,
    verdict: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = Server::echo()?;
    let open = arguments.rates.iter().map(|&rate_per_s| Load::Open(rate_per_s));
    let closed = arguments.at_once.iter().map(|&at_once| Load::Closed(at_once));
    println!(
        "at once   rate/s   echo p50    p99   p99.9 ms   probe p50    p99   p99.9 ms   \
         messages per CPU s: generator    server   ratio   verdict"
    );
    let mut rows = Vec::new();
    for load in open.chain(closed) {
        let row = measure(&server, &arguments, load)?;
        println!("{row}");
        rows.push(row);
    }
    if let Some(path) = &arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}

fn measure(server: &Server, arguments: &Arguments, load: Load) -> Result<Row> {
    let Arguments { users, duration_s, .. } = arguments;
    let mut settings = vec![
        "protocol=echo".to_owned(),
        "conversation.kind=alone".to_owned(),
        format!("users={users}"),
        format!("duration_s={duration_s}"),
        format!("warmup_s={}", duration_s / 5),
    ];
    settings.extend(load.settings());
    let probe = Probe::start()?;
    let scenario = include_str!("../../../loadtest/scenarios/direct.toml");
    let report = load::run(&server.target(), scenario, &settings)?;
    let probe_us = probe.finish()?;
    let probe_ms = |quantile| probe_us.value_at_quantile(quantile) as f64 / 1000.0;
    let (generator_cpu_s, server_cpu_s) =
        (figure(&report, "/generator_cpu_s"), figure(&report, "/server/cpu_s_of_each/0"));
    let messages = figure(&report, "/acked");
    Ok(Row {
        at_once: load.at_once(),
        rate_per_s: figure(&report, "/offered_per_s"),
        echo_p50_ms: figure(&report, "/ack_ms/p50"),
        echo_p99_ms: figure(&report, "/ack_ms/p99"),
        echo_p999_ms: figure(&report, "/ack_ms/p999"),
        probe_p50_ms: probe_ms(0.5),
        probe_p99_ms: probe_ms(0.99),
        probe_p999_ms: probe_ms(0.999),
        generator_cpu_s,
        server_cpu_s,
        messages_per_generator_cpu_s: messages / generator_cpu_s,
        messages_per_server_cpu_s: messages / server_cpu_s,
        ratio: server_cpu_s / generator_cpu_s,
        verdict: report["verdict"].as_str().unwrap_or("unknown").to_owned(),
    })
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>7} {:>8.0} {:>10.3} {:>6.3} {:>10.3} {:>11.3} {:>6.3} {:>10.3} {:>31.0} {:>9.0} {:>7.2}   {}",
            self.at_once.map_or_else(|| "-".to_owned(), |at_once| at_once.to_string()),
            self.rate_per_s,
            self.echo_p50_ms,
            self.echo_p99_ms,
            self.echo_p999_ms,
            self.probe_p50_ms,
            self.probe_p99_ms,
            self.probe_p999_ms,
            self.messages_per_generator_cpu_s,
            self.messages_per_server_cpu_s,
            self.ratio,
            self.verdict,
        )
    }
}
