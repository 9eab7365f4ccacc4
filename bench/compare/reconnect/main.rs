//! `cargo xtask bench reconnect`: many sessions that are cut at one moment, how long until each is back and has caught
//! up, and what the others feel of it.
//!
//! ```text
//!   users in pairs, a steady rate of messages ─► nobody is cut: p99 of the acknowledgements, the yardstick
//!   the same, most are cut, and back at once  ─► recovery of those, p99 of the others meanwhile
//!   the same, back spread over some seconds   ─► both again: clients pause before they come back, each as long as it draws
//! ```
//!
//! All runs check that nothing is lost, doubled or reordered, and read the log back.

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
    /// Over how many seconds those who are cut spread their return, in the last run.
    #[arg(long, default_value_t = 4.0)]
    spread_s: f64,
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
    /// Acknowledgements where nobody is cut.
    quiet_p99_ms: f64,
    /// Back at once, and spread.
    storms: Vec<Storm>,
}

/// A run with a cut.
#[derive(Serialize)]
struct Storm {
    /// Over how many seconds those who were cut spread their return.
    spread_s: f64,
    cut: u32,
    /// From the cut until a session was live again and had read what it missed.
    recover_p50_ms: f64,
    recover_p99_ms: f64,
    recover_max_ms: f64,
    /// Acknowledgements of those who were not cut, while others came back.
    others_p99_ms: f64,
    /// Beside those where nobody is cut.
    others_ratio: f64,
    /// Messages lost, doubled, out of order or unanswered, in this run and the quiet one.
    wrong: f64,
    verdict: String,
    gateway_cpu_s: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.cut > 0 && arguments.stay > 0, "some are cut, and some stay");
    let (_postgres, gateway) = Gateway::start_on(&arguments.database, &[])?;
    let quiet = run(&gateway, &arguments, "connections={ plan = \"hold\" }")?;
    let mut figures = Figures {
        database: arguments.database.clone(),
        quiet_p99_ms: figure(&quiet, "/ack_ms/p99"),
        storms: Vec::new(),
    };
    println!("{}: ack p99 {:.1} ms where nobody is cut", figures.database, figures.quiet_p99_ms);
    for spread_s in [0.0, arguments.spread_s] {
        let storm = storm(&gateway, &arguments, spread_s, &quiet)?;
        println!("{storm}");
        figures.storms.push(storm);
    }
    if let Some(path) = arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

fn storm(gateway: &Gateway, arguments: &Arguments, spread_s: f64, quiet: &Value) -> Result<Storm> {
    let share = f64::from(arguments.cut) / f64::from(arguments.cut + arguments.stay);
    let at_s = arguments.duration_s / 2;
    let plan = format!(
        "connections={{ plan = \"reconnect\", at_s = {at_s}, share = {share}, spread_s = {spread_s:?} }}"
    );
    let storm = run(gateway, arguments, &plan)?;
    let wrong = ["/lost", "/duplicated", "/reordered", "/unanswered"];
    let wrong = wrong.iter().map(|name| figure(quiet, name) + figure(&storm, name)).sum();
    let others_p99_ms = figure(&storm, "/bystander_ms/p99");
    Ok(Storm {
        spread_s,
        cut: figure(&storm, "/cuts") as u32,
        recover_p50_ms: figure(&storm, "/recover_ms/p50"),
        recover_p99_ms: figure(&storm, "/recover_ms/p99"),
        recover_max_ms: figure(&storm, "/recover_ms/max"),
        others_p99_ms,
        others_ratio: others_p99_ms / figure(quiet, "/ack_ms/p99"),
        wrong,
        verdict: storm["verdict"].as_str().unwrap_or("unknown").to_owned(),
        gateway_cpu_s: figure(&storm, "/server/cpu_s_of_each/0"),
    })
}

impl std::fmt::Display for Storm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions cut, coming back over {} s: p50 {:.0} ms, p99 {:.0} ms, the last after {:.0} ms; \
             {} message(s) wrong; the others' ack p99 {:.1} ms (x {:.2}); {:.1} CPU s of the gateway; {}",
            self.cut,
            self.spread_s,
            self.recover_p50_ms,
            self.recover_p99_ms,
            self.recover_max_ms,
            self.wrong,
            self.others_p99_ms,
            self.others_ratio,
            self.gateway_cpu_s,
            self.verdict,
        )
    }
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
