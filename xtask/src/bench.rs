//! `cargo xtask bench`: micro-benchmarks by criterion, and comparisons with other servers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{cargo, run as run_command};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `echo` compares echo servers, `idle` measures idle sessions, `direct` finds the highest rate of direct messages,
    /// `stalled` tells what a member who never reads costs the others, `logins` what a hundred logins at once cost chat,
    /// `connect` how fast sessions open, `storage` rates the append path; any other name filters the micro-benchmarks.
    name: Option<String>,
    /// Where a comparison writes its figures.
    #[arg(long)]
    report_json: Option<PathBuf>,
    /// Passed on to the comparison or to criterion.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds and runs the benchmark.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    match arguments.name.as_deref() {
        Some("echo") => compare(root, arguments, &["--bins", "--example", "echo"], "echo_compare"),
        Some("direct") => compare(root, arguments, &["--bins"], "direct_rates"),
        Some("idle") => compare(root, arguments, &["--bins"], "idle_sessions"),
        Some("connect") => compare(root, arguments, &["--bins"], "connect_rates"),
        Some("logins") => compare(root, arguments, &["--bins"], "login_load"),
        Some("stalled") => compare(root, arguments, &["--bins"], "stalled_reader"),
        Some("storage") => alone(root, arguments, "storage_rates"),
        filter => {
            if arguments.report_json.is_some() {
                bail!(
                    "--report-json belongs to a comparison: echo, idle, direct, connect, logins, stalled or storage"
                );
            }
            let mut bench = cargo(root);
            bench.args(["bench", "--package", "ringwire-bench", "--"]).args(filter);
            run_command(bench.args(&arguments.rest))
        }
    }
}

/// One cargo invocation builds our server, its peers and the driver with the same features and profile; the
/// driver then finds the servers beside itself.
fn compare(root: &Path, arguments: &Arguments, targets: &[&str], driver: &str) -> Result<()> {
    let packages = ["ringwire-gateway", "ringwire-loadtest", "ringwire-bench"];
    let mut build = cargo(root);
    build.args(["build", "--release"]).args(packages.iter().flat_map(|name| ["-p", *name]));
    run_command(build.args(targets))?;
    drive(arguments, driver)
}

/// A benchmark that needs no server of ours.
fn alone(root: &Path, arguments: &Arguments, driver: &str) -> Result<()> {
    let mut build = cargo(root);
    run_command(build.args(["build", "--release", "-p", "ringwire-bench", "--bin", driver]))?;
    drive(arguments, driver)
}

fn drive(arguments: &Arguments, driver: &str) -> Result<()> {
    // This program lies in `debug` of the same target folder, wherever that is.
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent).context("no target folder")?;
    let mut compare = Command::new(target.join("release").join(driver));
    if let Some(report) = &arguments.report_json {
        compare.arg("--report-json").arg(std::path::absolute(report)?);
    }
    run_command(compare.args(&arguments.rest))
}
