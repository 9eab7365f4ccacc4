//! `cargo xtask bench stalled`: what a reader who never reads costs the others of a room (promise S1).
//!
//! ```text
//!   one room ─► rounds in turn: everyone reads │ one member never does ─► p50, p99, p99.9 from the intended send time
//! ```
//!
//! One member sends at a fixed rate, open loop; every other one is read by one thread on one epoll. The messages are
//! large enough for the stalled member's socket and outbox to be full before the counting begins, and it comes back
//! whenever the server gives it up. The figure is the ratio of the medians over the rounds.

mod room;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use ringwire_bench::gateway::Gateway;
use serde::Serialize;

use room::{Latencies, Room};

#[derive(Clone, Parser)]
#[command(about = "Compares a room's latency with and without a member who never reads")]
struct Arguments {
    /// Members, the sender and the one who may stall included.
    #[arg(long, default_value_t = 1_000)]
    members: usize,
    /// Messages per second.
    #[arg(long, default_value_t = 20)]
    rate_per_s: u32,
    /// Bytes of text in each.
    #[arg(long, default_value_t = 4_096)]
    text_bytes: usize,
    /// Counted seconds of each run.
    #[arg(long, default_value_t = 8)]
    duration_s: u32,
    /// Seconds before the counting begins.
    #[arg(long, default_value_t = 6)]
    warmup_s: u32,
    /// Pairs of runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    members: usize,
    rate_per_s: u32,
    everyone_reads: Vec<Latencies>,
    one_stalls: Vec<Latencies>,
    p50_ratio: f64,
    p99_ratio: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let gateway = Gateway::start(&["--database", "sqlite"])?;
    let mut room = Room::open(&gateway, &arguments)?;
    let (mut everyone_reads, mut one_stalls) = (Vec::new(), Vec::new());
    println!("                  deliveries     p50 ms     p99 ms   p99.9 ms");
    for _ in 0..arguments.rounds {
        for (name, stalled, runs) in [
            ("everyone reads", false, &mut everyone_reads),
            ("one never reads", true, &mut one_stalls),
        ] {
            let run = room.run(&arguments, stalled)?;
            println!(
                "{name:<16} {:>11} {:>10.2} {:>10.2} {:>10.2}",
                run.deliveries, run.p50_ms, run.p99_ms, run.p999_ms
            );
            runs.push(run);
        }
    }
    let ratio = |of: fn(&Latencies) -> f64| median(&one_stalls, of) / median(&everyone_reads, of);
    let (p50_ratio, p99_ratio) = (ratio(|run| run.p50_ms), ratio(|run| run.p99_ms));
    println!("with a member who never reads: p50 × {p50_ratio:.2}, p99 × {p99_ratio:.2}");
    if let Some(path) = &arguments.report_json {
        let report = Report {
            members: arguments.members,
            rate_per_s: arguments.rate_per_s,
            everyone_reads,
            one_stalls,
            p50_ratio,
            p99_ratio,
        };
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn median(runs: &[Latencies], of: fn(&Latencies) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
