//! `cargo xtask bench reconnect`: many sessions that are cut at one moment, how long until each is back and has caught
//! up, and what the others feel of it.
//!
//! ```text
//!   users in pairs, a steady rate of messages ─► nobody is cut: p99 of the acknowledgements, the yardstick
//!   the same, most are cut at once            ─► recovery of those, p99 of the others meanwhile
//! ```
//!
//! Both runs check that nothing is lost, doubled or reordered, and read the log back.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use ringwire_bench::gateway::Gateway;
use ringwire_bench::load::{self, figure};
use serde::Serialize;
use serde_json::Value;

#[derive(Parser)]
#[command(about = "Measures a storm of reconnects, and what the others feel of it")]
struct Arguments {
    /// Sessions that are cut at once.
    #[arg(long, default_value_t = 10_000)]
    cut: u32,
    /// Sessions that stay.
    #[arg(long, default_value_t = 2_000)]
    stay: u32,
    /// Sends per second over all of them.
    #[arg(long, default_value_t = 1_000)]
    rate_per_s: u32,
    /// Length of each run.
    #[arg(long, default_value_t = 30)]
    duration_s: u32,
    /// sqlite or postgres.
    #[arg(long, default_value = "postgres")]
    database: String,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Figures {
    database: String,
    cut: u32,
    /// From the cut until a session was live again and had read what it missed.
    recover_p50_ms: f64,
    recover_p99_ms: f64,
    recover_max_ms: f64,
    /// Acknowledgements of those who were not cut, while others came back.
    others_p99_ms: f64,
    /// Acknowledgements where nobody is cut.
    quiet_p99_ms: f64,
    others_ratio: f64,
    /// Messages lost, doubled or out of order, in both runs.
    wrong: f64,
    /// Of the run with the cut.
    verdict: String,
    gateway_cpu_s: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.cut > 0 && arguments.stay > 0, "some are cut, and some stay");
    let (_postgres, gateway) = Gateway::start_on(&arguments.database, &[])?;
    let quiet = run(&gateway, &arguments, "connections={ plan = \"hold\" }")?;
    let share = f64::from(arguments.cut) / f64::from(arguments.cut + arguments.stay);
    let at_s = arguments.duration_s / 2;
    let cut = format!("connections={{ plan = \"reconnect\", at_s = {at_s}, share = {share} }}");
    let storm = run(&gateway, &arguments, &cut)?;

    let wrong = ["/lost", "/duplicated", "/reordered", "/unanswered"];
    let wrong = wrong.iter().map(|name| figure(&quiet, name) + figure(&storm, name)).sum();
    let others_p99_ms = figure(&storm, "/bystander_ms/p99");
    let quiet_p99_ms = figure(&quiet, "/ack_ms/p99");
    let figures = Figures {
        database: arguments.database,
        cut: figure(&storm, "/cuts") as u32,
        recover_p50_ms: figure(&storm, "/recover_ms/p50"),
        recover_p99_ms: figure(&storm, "/recover_ms/p99"),
        recover_max_ms: figure(&storm, "/recover_ms/max"),
        others_p99_ms,
        quiet_p99_ms,
        others_ratio: others_p99_ms / quiet_p99_ms,
        wrong,
        verdict: storm["verdict"].as_str().unwrap_or("unknown").to_owned(),
        gateway_cpu_s: figure(&storm, "/server/cpu_s_of_each/0"),
    };
    println!(
        "{}: {} sessions cut; back after p50 {:.0} ms, p99 {:.0} ms, the last after {:.0} ms; {} message(s) wrong",
        figures.database,
        figures.cut,
        figures.recover_p50_ms,
        figures.recover_p99_ms,
        figures.recover_max_ms,
        figures.wrong,
    );
    println!(
        "the others: ack p99 {:.1} ms, {:.1} ms where nobody is cut (x {:.2}); {:.1} CPU s of the gateway; {}",
        figures.others_p99_ms,
        figures.quiet_p99_ms,
        figures.others_ratio,
        figures.gateway_cpu_s,
        figures.verdict,
    );
    if let Some(path) = arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

fn run(gateway: &Gateway, arguments: &Arguments, connections: &str) -> Result<Value> {
    let settings = [
        format!("users={}", arguments.cut + arguments.stay),
        format!("rate_per_s={}", arguments.rate_per_s),
        format!("duration_s={}", arguments.duration_s),
        connections.to_owned(),
        // Everybody may come back at once.
        "thresholds.recover_p99_ms=60000".to_owned(),
    ];
    let scenario = include_str!("../../../loadtest/scenarios/reconnect-storm.toml");
    load::run(&gateway.target(&[]), scenario, &settings)
}
