//! `cargo xtask bench direct`: the highest rate of direct messages whose p99 stays under a bound, on SQLite and on a
//! private Postgres, with the CPU of gateway and database beside it.
//!
//! For each database the rates of a ladder are offered one after the other by `ringwire-loadtest`, each to a gateway
//! that has run the ones before. The climb ends after two rates in a row that miss the bound or find the generator
//! itself too slow to tell.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use ringwire_bench::gateway::{Gateway, program};
use ringwire_bench::process::cpu_seconds_of_tree;
use ringwire_testkit::PrivatePostgres;
use serde::Serialize;
use serde_json::Value;

#[derive(Parser)]
#[command(about = "Finds the highest rate of direct messages that meets a latency")]
struct Arguments {
    /// Virtual users, in pairs.
    #[arg(long, default_value_t = 1_000)]
    users: u32,
    /// The latency that counts: p99 from the intended send time to the delivery.
    #[arg(long, default_value_t = 10.0)]
    p99_ms: f64,
    /// Sends per second, rising.
    #[arg(long, value_delimiter = ',', default_values_t = [500, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 13_000, 16_000, 20_000, 25_000])]
    rates: Vec<u32>,
    /// Length of each run, a fifth of it warm-up.
    #[arg(long, default_value_t = 10)]
    duration_s: u32,
    /// Databases to measure.
    #[arg(long, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    databases: Vec<String>,
    /// protobuf or json.
    #[arg(long, default_value = "protobuf")]
    encoding: String,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    database: String,
    rate_per_s: u32,
    deliver_p50_ms: f64,
    deliver_p99_ms: f64,
    deliver_p999_ms: f64,
    ack_p99_ms: f64,
    /// Of the whole run, connecting and reading the log back included.
    gateway_cpu_s: f64,
    database_cpu_s: Option<f64>,
    generator_cpu_s: f64,
    verdict: String,
    met: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    println!(
        "database    rate/s   deliver p50    p99   p99.9 ms   ack p99 ms   CPU s: gateway  database  generator   verdict"
    );
    for database in &arguments.databases {
        let postgres = match database.as_str() {
            "sqlite" => None,
            "postgres" => Some(PrivatePostgres::start().context("no private Postgres")?),
            other => bail!("{other} is neither sqlite nor postgres"),
        };
        climb(database, postgres.as_ref(), &arguments, &mut rows)?;
    }
    for database in &arguments.databases {
        let best = rows.iter().rfind(|row| row.database == *database && row.met);
        match best {
            Some(row) => println!(
                "{database}: {} messages/s with p99 {:.1} ms",
                row.rate_per_s, row.deliver_p99_ms
            ),
            None => println!("{database}: no rate met p99 {} ms", arguments.p99_ms),
        }
    }
    if let Some(path) = &arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}

fn climb(
    database: &str,
    postgres: Option<&PrivatePostgres>,
    arguments: &Arguments,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let gateway = match postgres {
        None => Gateway::start::<&str>(&[])?,
        Some(postgres) => Gateway::start(&["--database", &postgres.url()])?,
    };
    let mut missed = 0;
    for &rate_per_s in &arguments.rates {
        let row = offer(&gateway, database, postgres, rate_per_s, arguments)?;
        println!(
            "{:<10} {:>7}   {:>11.2} {:>6.2} {:>10.2} {:>12.2} {:>16.2} {:>9} {:>10.2}   {}",
            row.database,
            row.rate_per_s,
            row.deliver_p50_ms,
            row.deliver_p99_ms,
            row.deliver_p999_ms,
            row.ack_p99_ms,
            row.gateway_cpu_s,
            row.database_cpu_s.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}")),
            row.generator_cpu_s,
            row.verdict,
        );
        missed = if row.met { 0 } else { missed + 1 };
        rows.push(row);
        if missed == 2 {
            break;
        }
    }
    Ok(())
}

fn offer(
    gateway: &Gateway,
    database: &str,
    postgres: Option<&PrivatePostgres>,
    rate_per_s: u32,
    arguments: &Arguments,
) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let (scenario, report) = (folder.path().join("direct.toml"), folder.path().join("report.json"));
    std::fs::write(&scenario, include_str!("../../../loadtest/scenarios/direct.toml"))?;
    let cpu = |pid: Option<u32>| pid.map(cpu_seconds_of_tree).transpose();
    let postgres_pid = postgres.and_then(PrivatePostgres::pid);
    let before = (cpu_seconds_of_tree(gateway.pid())?, cpu(postgres_pid)?);

    let mut load = Command::new(program("ringwire-loadtest")?);
    load.arg("run").arg(&scenario).arg("--url").arg(format!("ws://{}/ws", gateway.address()));
    load.arg("--jwt-secret-file").arg(gateway.jwt_secret_file()).arg("--report-json").arg(&report);
    let warmup_s = arguments.duration_s / 5;
    for (key, value) in [
        ("users", arguments.users.to_string()),
        ("rate_per_s", rate_per_s.to_string()),
        ("duration_s", arguments.duration_s.to_string()),
        ("warmup_s", warmup_s.to_string()),
        ("encoding", arguments.encoding.clone()),
        ("thresholds.deliver_p99_ms", arguments.p99_ms.to_string()),
    ] {
        load.arg("--set").arg(format!("{key}={value}"));
    }
    let status = load.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let report = std::fs::read(&report)
        .with_context(|| format!("the load generator ended with {status} and no report"))?;
    let report: Value = serde_json::from_slice(&report)?;

    let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let after = (cpu_seconds_of_tree(gateway.pid())?, cpu(postgres_pid)?);
    let verdict = report["verdict"].as_str().unwrap_or("unknown").to_owned();
    Ok(Row {
        database: database.to_owned(),
        rate_per_s,
        deliver_p50_ms: number("/deliver_ms/p50"),
        deliver_p99_ms: number("/deliver_ms/p99"),
        deliver_p999_ms: number("/deliver_ms/p999"),
        ack_p99_ms: number("/ack_ms/p99"),
        gateway_cpu_s: after.0 - before.0,
        database_cpu_s: after.1.zip(before.1).map(|(after, before)| after - before),
        generator_cpu_s: number("/generator_cpu_s"),
        met: verdict == "pass",
        verdict,
    })
}
