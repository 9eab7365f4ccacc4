//! `cargo xtask bench reconnect`: many sessions that are cut at one moment, how long until each is back and has caught
//! up, and what others feel of it.
//!
//! ```text
//!   one generator:  10,000 sessions in pairs ─── steady rate ───╳ all cut ─── back, at once or spread ─── until the end
//!   another:         2,000 sessions in pairs ─── steady rate ───┼───────────────┼─── until it is stopped
//!                                                 the yardstick ┘ the others' p99 ┘
//! ```
//!
//! The others have a process of their own: who ends 10,000 connections in one go and makes as many anew is late with
//! everything else. Their p99 in the storm is held against that of the same run before the cut. Two storms: all come
//! back at once, and spread over some seconds, as clients do that pause before they come back, each as long as it draws.
//!
//! All runs check that nothing is lost, doubled or reordered, and read the log back.

mod windows;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use ringwire_bench::gateway::Gateway;
use ringwire_bench::load::{Run, figure};
use ringwire_loadtest::report::Report;
use serde::Serialize;

use crate::windows::Windows;

/// Beside the scenario's own users.
const FIRST_OTHER: u64 = 2_000_000_001;
/// The others go on until they are stopped, if nothing goes wrong.
const OTHERS_S: u32 = 600;

#[derive(Parser)]
#[command(about = "Measures a storm of reconnects, and what others feel of it")]
struct Arguments {
    /// Sessions that are cut at once.
    #[arg(long, default_value_t = 10_000)]
    cut: u32,
    /// Sessions that stay.
    #[arg(long, default_value_t = 2_000)]
    stay: u32,
    /// Over how many seconds those who are cut spread their return, in the last run.
    #[arg(long, default_value_t = 4.8)]
    spread_s: f64,
    /// Sends per second of those who are cut, and as many of the others.
    #[arg(long, default_value_t = 500)]
    rate_per_s: u32,
    /// Length of each run; the cut is in its middle.
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
    /// Acknowledgements of the others before the cut.
    quiet_p99_ms: f64,
    /// Acknowledgements of the others from the cut until the last was back.
    others_p99_ms: f64,
    /// The second beside the first.
    others_ratio: f64,
    /// Messages lost, doubled, out of order or unanswered, of both.
    wrong: f64,
    /// Of the generator that cuts.
    verdict: String,
    /// Of the others' sends, how many their generator was late with itself, before the cut or meanwhile.
    others_late_share: f64,
    gateway_cpu_s: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.cut > 0 && arguments.stay > 0, "some are cut, and some stay");
    let (_postgres, gateway) = Gateway::start_on(&arguments.database, &[], &[])?;
    let mut figures = Figures { database: arguments.database.clone(), storms: Vec::new() };
    for spread_s in [0.0, arguments.spread_s] {
        let storm = storm(&gateway, &arguments, spread_s)?;
        println!("{storm}");
        figures.storms.push(storm);
    }
    if let Some(path) = arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

fn storm(gateway: &Gateway, arguments: &Arguments, spread_s: f64) -> Result<Storm> {
    let cut_at_s = arguments.duration_s / 2;
    let cut = [
        format!("users={}", arguments.cut),
        format!("duration_s={}", arguments.duration_s),
        format!(
            "connections={{ plan = \"reconnect\", at_s = {cut_at_s}, share = 1.0, spread_s = {spread_s:?} }}"
        ),
    ];
    let others = [
        format!("users={}", arguments.stay),
        format!("first_user_id={FIRST_OTHER}"),
        format!("duration_s={OTHERS_S}"),
        "connections={ plan = \"hold\" }".to_owned(),
    ];
    let others = start(gateway, arguments, &others)?;
    let cut = start(gateway, arguments, &cut)?.finish()?;
    let others = others.stop()?;
    let wrong = ["/lost", "/duplicated", "/reordered", "/unanswered"];
    let wrong = wrong.iter().map(|name| figure(&cut, name) + figure(&others, name)).sum();
    let recover_max_ms = figure(&cut, "/recover_ms/max");
    let others: Report = serde_json::from_value(others)?;
    // The others are there before those who are cut have all connected.
    let began_s = figure(&cut, "/started_at_s") - others.started_at_s;
    ensure!(began_s >= 0.0, "the others were slower to connect than those who are cut");
    let quiet_s = began_s + figure(&cut, "/warmup_s");
    let cut_at_s = began_s + f64::from(cut_at_s);
    let back_at_s = cut_at_s + recover_max_ms / 1000.0;
    let windows = Windows::around(&others.intervals, quiet_s, cut_at_s, back_at_s);
    let (quiet_p99_ms, others_p99_ms) = (windows.before.p99_ms(), windows.meanwhile.p99_ms());
    Ok(Storm {
        spread_s,
        cut: figure(&cut, "/cuts") as u32,
        recover_p50_ms: figure(&cut, "/recover_ms/p50"),
        recover_p99_ms: figure(&cut, "/recover_ms/p99"),
        recover_max_ms,
        quiet_p99_ms,
        others_p99_ms,
        others_ratio: others_p99_ms / quiet_p99_ms,
        wrong,
        verdict: cut["verdict"].as_str().unwrap_or("unknown").to_owned(),
        others_late_share: windows.late_share(),
        gateway_cpu_s: figure(&cut, "/server/cpu_s_of_each/0"),
    })
}

impl std::fmt::Display for Storm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions cut, coming back over {} s: p50 {:.0} ms, p99 {:.0} ms, the last after {:.0} ms; \
             {} message(s) wrong; the others' ack p99 {:.1} ms, before {:.1} ms (x {:.2}); \
             {:.1} % of their sends late by their generator; {:.1} CPU s of the gateway; {}",
            self.cut,
            self.spread_s,
            self.recover_p50_ms,
            self.recover_p99_ms,
            self.recover_max_ms,
            self.wrong,
            self.others_p99_ms,
            self.quiet_p99_ms,
            self.others_ratio,
            self.others_late_share * 100.0,
            self.gateway_cpu_s,
            self.verdict,
        )
    }
}

fn start(gateway: &Gateway, arguments: &Arguments, settings: &[String]) -> Result<Run> {
    let mut all = vec![
        format!("rate_per_s={}", arguments.rate_per_s),
        // All are new to the server, and it is busy with the other run as well.
        "connect_limit_s=300".to_owned(),
        // Everybody may come back at once.
        "thresholds.recover_p99_ms=60000".to_owned(),
    ];
    all.extend_from_slice(settings);
    let scenario = include_str!("../../../loadtest/scenarios/reconnect-storm.toml");
    Run::start(&gateway.target(&[]), scenario, &all)
}
