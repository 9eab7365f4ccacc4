//! `cargo xtask bench`: micro-benchmarks by criterion and then the README's table; instruction counts, measurements of
//! whole servers, and the project's targets.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{cargo, run as run_command};
use crate::targets::{self, Reports, Row};
use crate::{instructions, packages, prerequisites};

/// Length of each run of the direct driver whose figures become targets.
const DIRECT_S: u32 = 10;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Instructions that each hot path takes for a message, compared with bench/instructions.toml.
    Instructions {
        /// Write the counts down instead.
        #[arg(long)]
        accept: bool,
    },
    /// What a message costs that is echoed, or told to everybody, beside other servers.
    Compare {
        /// `echo`, `fanout`; both unless told otherwise.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Source of uWebSockets, with its submodule uSockets inside: without it, that one is not compared.
        #[arg(long, value_name = "FOLDER")]
        uwebsockets: Option<PathBuf>,
        #[command(flatten)]
        driving: Driving,
    },
    /// Every target of the project, measured. Takes about an hour, and a machine that does nothing else.
    Targets {
        /// Where to write them.
        #[arg(long)]
        report_json: Option<PathBuf>,
        /// Rounds of what is repeated.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
        /// Source of uWebSockets, as for `compare`.
        #[arg(long, value_name = "FOLDER")]
        uwebsockets: Option<PathBuf>,
    },
    /// Write the README's table of targets from bench/record/targets.json.
    Readme {
        /// Only compare; exit 1 when they differ.
        #[arg(long)]
        check: bool,
    },
    /// The highest rate of direct messages, and what they cost.
    Direct(Driving),
    /// The memory of idle sessions.
    Idle(Driving),
    /// How fast sessions open and resume.
    Connect(Driving),
    /// How fast thousands of sessions that are cut at once come back, and what the others feel.
    Reconnect(Driving),
    /// What the load generator takes for a message, and adds to a latency.
    Generator(Driving),
    /// What a hundred logins at once cost chat.
    Logins(Driving),
    /// What a member who never reads costs the others.
    Stalled(Driving),
    /// What durable messages cost, beside one connection that commits row by row.
    Storage(Driving),
    /// Anything else filters the micro-benchmarks.
    #[command(external_subcommand)]
    Micro(Vec<String>),
}

/// What a measurement is given.
#[derive(clap::Args)]
struct Driving {
    /// Where it writes its figures.
    #[arg(long)]
    report_json: Option<PathBuf>,
    /// Passed on to it.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds and runs the benchmark.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let Some(what) = &arguments.what else {
        micro(root, &[])?;
        return targets::write_readme(root, false);
    };
    match what {
        What::Instructions { accept } => instructions::run(root, *accept),
        What::Compare { only, uwebsockets, driving } => {
            compare(root, only, uwebsockets.as_deref(), driving)
        }
        What::Targets { report_json, rounds, uwebsockets } => {
            let rows = measure_targets(root, *rounds, uwebsockets.as_deref())?;
            targets::report(rows, report_json.as_deref())
        }
        What::Readme { check } => targets::write_readme(root, *check),
        What::Direct(driving) => built(root, "direct_rates", driving),
        What::Idle(driving) => built(root, "idle_sessions", driving),
        What::Connect(driving) => built(root, "connect_rates", driving),
        What::Reconnect(driving) => built(root, "reconnect_storm", driving),
        What::Generator(driving) => built(root, "generator_floor", driving),
        What::Logins(driving) => built(root, "login_load", driving),
        What::Stalled(driving) => built(root, "stalled_reader", driving),
        What::Storage(driving) => built(root, "storage_rates", driving),
        What::Micro(filter) => micro(root, filter),
    }
}

/// Criterion's benchmarks whose names match.
fn micro(root: &Path, filter: &[String]) -> Result<()> {
    let mut bench = cargo(root);
    run_command(bench.args(["bench", "--package", "ringwire-bench", "--"]).args(filter))
}

/// A measurement by a driver.
fn built(root: &Path, driver: &str, driving: &Driving) -> Result<()> {
    build(root)?;
    drive(driver, driving)
}

/// One cargo invocation builds our server, its peers and the drivers with the same features and profile; a
/// driver then finds the servers beside itself. The same for every measurement: what is built decides features, and with
/// other features all would be built anew.
fn build(root: &Path) -> Result<()> {
    let packages = ["ringwire-gateway", "ringwire-loadtest", "ringwire-bench"];
    let mut build = cargo(root);
    build.args(["build", "--release"]).args(packages.iter().flat_map(|name| ["-p", *name]));
    run_command(build.args(["--bins", "--example", "echo"]))
}

/// Our connection layer beside other servers.
fn compare(
    root: &Path,
    only: &[String],
    uwebsockets: Option<&Path>,
    driving: &Driving,
) -> Result<()> {
    let (node, npm) = prerequisites::ensure_node()?;
    packages::install_node_packages(root, packages::NODE_PEERS, &npm)?;
    look_for_nchan();
    build(root)?;
    let mut command = driver("compare_servers", driving)?;
    if !only.is_empty() {
        command.arg("--only").arg(only.join(","));
    }
    if let Some(source) = uwebsockets {
        command.arg("--uwebsockets").arg(std::path::absolute(source)?);
    }
    run_command(command.env("RINGWIRE_NODE", node))
}

/// Without it the comparison says that it is not here.
fn look_for_nchan() {
    if let Err(why) = prerequisites::ensure_nchan() {
        println!("no nginx with nchan: {why:#}");
    }
}

/// Runs every driver that a target needs, one after the other. For direct messages the gateway gets one shard: generator
/// and Postgres share the machine's two processors with it. What fails is told, and is a target without a figure.
fn measure_targets(root: &Path, rounds: u32, uwebsockets: Option<&Path>) -> Result<Vec<Row>> {
    let programs = prerequisites::ensure()?;
    build(root)?;
    let measure = |driver: &str, arguments: &[String]| {
        report_of(driver, arguments, &programs).unwrap_or_else(|error| {
            println!("{driver} measured nothing: {error:#}");
            Value::Null
        })
    };
    let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    // Those that are never the fastest would only stretch the rounds, within which the machine's speed changes.
    let fastest = "--servers ringwire,monoio-tcp,tokio-tungstenite,fastwebsockets,uwebsockets";
    let mut compare = words(&format!("{fastest} --rounds {rounds}"));
    if let Some(source) = uwebsockets {
        compare.push("--uwebsockets".to_owned());
        compare.push(std::path::absolute(source)?.display().to_string());
    }
    let mut reports = Reports {
        compare: measure("compare_servers", &compare),
        storage: measure(
            "storage_rates",
            &words(&format!("--databases postgres --rounds {rounds}")),
        ),
        direct: measure(
            "direct_rates",
            &words(&format!("--databases postgres --shards 1 --duration-s {DIRECT_S}")),
        ),
        without_search: measure(
            "direct_rates",
            &words(&format!(
                "--databases postgres --shards 1 --rates 500 --duration-s {DIRECT_S} --without-search"
            )),
        ),
        reconnect: measure("reconnect_storm", &words("--database postgres")),
        idle: measure("idle_sessions", &[]),
        ..Reports::default()
    };
    if let Some(best) = reports.best_rate_per_s() {
        let half = (best / 2.0) as u32;
        let many = format!(
            "--databases postgres --shards 1 --users 10000 --rates {half} --open-only --duration-s 60"
        );
        let runs = (0..rounds).map(|_| measure("direct_rates", &words(&many)));
        reports.many_users = runs.collect();
    }
    Ok(targets::rows(&reports))
}

/// Runs a driver; what it wrote.
fn report_of(
    name: &str,
    arguments: &[String],
    programs: &prerequisites::Programs,
) -> Result<Value> {
    println!("\n── {name} {} ──", arguments.join(" "));
    let report = std::env::temp_dir().join(format!("ringwire-{name}-{}.json", std::process::id()));
    let driving = Driving { report_json: Some(report.clone()), rest: arguments.to_vec() };
    let mut command = driver(name, &driving)?;
    run_command(command.env("RINGWIRE_PG_BIN", &programs.postgres_folder))?;
    let text = std::fs::read(&report).with_context(|| report.display().to_string())?;
    std::fs::remove_file(&report)?;
    Ok(serde_json::from_slice(&text)?)
}

fn drive(name: &str, driving: &Driving) -> Result<()> {
    run_command(&mut driver(name, driving)?)
}

/// How a driver is started.
fn driver(name: &str, driving: &Driving) -> Result<Command> {
    // This program lies in `debug` of the same target folder, wherever that is.
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent).context("no target folder")?;
    let mut command = Command::new(target.join("release").join(name));
    if let Some(report) = &driving.report_json {
        command.arg("--report-json").arg(std::path::absolute(report)?);
    }
    command.args(&driving.rest);
    Ok(command)
}
