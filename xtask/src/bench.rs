//! `cargo xtask bench`: micro-benchmarks by criterion, and comparisons with other servers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{cargo, run as run_command};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `echo` compares the echo servers; any other name filters the micro-benchmarks.
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
        Some("echo") => compare_echo(root, arguments),
        filter => {
            if arguments.report_json.is_some() {
                bail!("--report-json belongs to a comparison: cargo xtask bench echo");
            }
            let mut bench = cargo(root);
            bench.args(["bench", "--package", "ringwire-bench", "--"]).args(filter);
            run_command(bench.args(&arguments.rest))
        }
    }
}

/// One cargo invocation builds our server, its peers and the driver with the same features and profile; the
/// driver then finds the servers beside itself.
fn compare_echo(root: &Path, arguments: &Arguments) -> Result<()> {
    let build = ["build", "--release", "-p", "ringwire-gateway", "-p", "ringwire-bench", "--bins"];
    run_command(cargo(root).args(build).args(["--example", "echo"]))?;
    // This program lies in `debug` of the same target folder, wherever that is.
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent).context("no target folder")?;
    let mut compare = Command::new(target.join("release/echo_compare"));
    if let Some(report) = &arguments.report_json {
        compare.arg("--report-json").arg(std::path::absolute(report)?);
    }
    run_command(compare.args(&arguments.rest))
}
