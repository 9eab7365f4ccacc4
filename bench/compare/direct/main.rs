//! `cargo xtask bench direct`: the highest rate of direct messages whose p99 stays under a bound, and what a message
//! costs where everybody sends as fast as it is answered, on SQLite and on a private Postgres.
//!
//! For each database the rates of a ladder are offered one after the other by `ringwire-loadtest`, each to a gateway
//! that has run the ones before. The climb ends after two rates in a row that miss the bound or find the generator
//! itself too slow to tell. Then come closed loops, with so many sends of each user under way at once.
//!
//! The CPU of gateway and database is counted from the first send to the last.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use hdrhistogram::Histogram;
use ringwire_bench::gateway::Gateway;
use ringwire_bench::load::{self, Load};
use ringwire_bench::probe::Probe;
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
    /// Sends under way at once, of each user, in closed loops after the ladder.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16])]
    at_once: Vec<u32>,
    /// The ladder alone.
    #[arg(long)]
    open_only: bool,
    /// Length of each run, a fifth of it warm-up.
    #[arg(long, default_value_t = 10)]
    duration_s: u32,
    /// Databases to measure.
    #[arg(long, value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    databases: Vec<String>,
    /// protobuf or json.
    #[arg(long, default_value = "protobuf")]
    encoding: String,
    /// Threads of the gateway that serve connections; as many as processors unless told otherwise.
    #[arg(long)]
    shards: Option<u16>,
    /// Nothing is indexed for search: the database keeps the indexes of the log alone.
    #[arg(long)]
    without_search: bool,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    database: String,
    /// Of a closed loop.
    at_once: Option<u32>,
    /// As offered; of a closed loop, as they came.
    rate_per_s: f64,
    deliver_p50_ms: f64,
    deliver_p99_ms: f64,
    deliver_p999_ms: f64,
    ack_p99_ms: f64,
    gateway_cpu_s: f64,
    database_cpu_s: Option<f64>,
    generator_cpu_s: f64,
    delivered: f64,
    /// Round trips of a byte over raw TCP beside the load.
    probe_p50_ms: f64,
    probe_p99_ms: f64,
    probe_p999_ms: f64,
    deliveries_per_gateway_cpu_s: f64,
    /// Messages lost, doubled, out of order or unanswered.
    wrong: f64,
    /// A closed loop keeps the generator as busy as it can be: that says nothing about latencies and all about costs.
    verdict: String,
    met: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    println!(
        "database   at once   rate/s   deliver p50    p99   p99.9 ms   ack p99 ms   probe p99   CPU s: gateway  database  generator   \
         deliveries per gateway CPU s   verdict"
    );
    for database in &arguments.databases {
        let shards = arguments.shards.map(|shards| format!("--shards={shards}"));
        let variables: &[_] =
            if arguments.without_search { &[("RINGWIRE_STORAGE__SEARCH", "false")] } else { &[] };
        let (postgres, gateway) = Gateway::start_on(database, shards.as_slice(), variables)?;
        let bed = Bed { database, gateway, postgres: postgres.as_ref(), arguments: &arguments };
        bed.climb(&mut rows)?;
        let closed = arguments.at_once.iter().filter(|_| !arguments.open_only);
        for &at_once in closed {
            rows.push(bed.offer(Load::Closed(at_once))?);
        }
    }
    for database in &arguments.databases {
        let mut met = rows.iter().filter(|row| row.at_once.is_none() && row.met);
        match met.rfind(|row| row.database == *database) {
            Some(row) => println!(
                "{database}: {:.0} messages/s with p99 {:.1} ms",
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

/// A gateway on its database.
struct Bed<'a> {
    database: &'a str,
    gateway: Gateway,
    postgres: Option<&'a PrivatePostgres>,
    arguments: &'a Arguments,
}

impl Bed<'_> {
    fn climb(&self, rows: &mut Vec<Row>) -> Result<()> {
        let mut missed = 0;
        for &rate_per_s in &self.arguments.rates {
            let row = self.offer(Load::Open(rate_per_s))?;
            missed = if row.met { 0 } else { missed + 1 };
            rows.push(row);
            if missed == 2 {
                break;
            }
        }
        Ok(())
    }

    fn offer(&self, offered: Load) -> Result<Row> {
        let scenario = include_str!("../../../loadtest/scenarios/direct.toml");
        let database = self.postgres.and_then(PrivatePostgres::pid);
        let probe = Probe::start()?;
        let target = self.gateway.target(database.as_slice());
        let report = load::run(&target, scenario, &self.settings(offered))?;
        let row = self.row(offered, &report, &probe.finish()?);
        println!("{row}");
        Ok(row)
    }

    fn settings(&self, offered: Load) -> Vec<String> {
        let Arguments { users, p99_ms, duration_s, encoding, .. } = self.arguments;
        let mut settings = vec![
            format!("users={users}"),
            format!("duration_s={duration_s}"),
            format!("warmup_s={}", duration_s / 5),
            format!("encoding={encoding}"),
        ];
        settings.extend(offered.settings());
        if offered.at_once().is_none() {
            settings.push(format!("thresholds.deliver_p99_ms={p99_ms}"));
        }
        settings
    }

    fn row(&self, offered: Load, report: &Value, probe_us: &Histogram<u64>) -> Row {
        let figure = |pointer| load::figure(report, pointer);
        let probe_ms = |quantile| probe_us.value_at_quantile(quantile) as f64 / 1000.0;
        let gateway_cpu_s = figure("/server/cpu_s_of_each/0");
        let delivered = figure("/delivered_meanwhile");
        let verdict = report["verdict"].as_str().unwrap_or("unknown").to_owned();
        Row {
            database: self.database.to_owned(),
            at_once: offered.at_once(),
            rate_per_s: figure("/offered_per_s"),
            deliver_p50_ms: figure("/deliver_ms/p50"),
            deliver_p99_ms: figure("/deliver_ms/p99"),
            deliver_p999_ms: figure("/deliver_ms/p999"),
            ack_p99_ms: figure("/ack_ms/p99"),
            gateway_cpu_s,
            database_cpu_s: self.postgres.map(|_| figure("/server/cpu_s_of_each/1")),
            generator_cpu_s: figure("/generator_cpu_s"),
            delivered,
            probe_p50_ms: probe_ms(0.5),
            probe_p99_ms: probe_ms(0.99),
            probe_p999_ms: probe_ms(0.999),
            deliveries_per_gateway_cpu_s: delivered / gateway_cpu_s,
            wrong: ["/lost", "/duplicated", "/reordered", "/unanswered"].map(figure).iter().sum(),
            met: verdict == "pass",
            verdict,
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:<10} {:>7} {:>8.0}   {:>11.2} {:>6.2} {:>10.2} {:>12.2} {:>11.2} {:>16.2} {:>9} {:>10.2}   {:>28.0}   {}",
            self.database,
            self.at_once.map_or_else(|| "-".to_owned(), |at_once| at_once.to_string()),
            self.rate_per_s,
            self.deliver_p50_ms,
            self.deliver_p99_ms,
            self.deliver_p999_ms,
            self.ack_p99_ms,
            self.probe_p99_ms,
            self.gateway_cpu_s,
            self.database_cpu_s.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}")),
            self.generator_cpu_s,
            self.deliveries_per_gateway_cpu_s,
            self.verdict,
        )
    }
}
