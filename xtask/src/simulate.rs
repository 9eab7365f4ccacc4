//! `cargo xtask simulate`: whole servers and clients in virtual time, with faults that follow from a seed.

use std::path::Path;

use anyhow::Result;

use crate::command::{cargo, run as run_command};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds to run.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long)]
    from: Option<u64>,
    /// Run only this seed, and print its trace.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
}

/// Builds the simulation and runs it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let options =
        [("--seeds", arguments.seeds), ("--from", arguments.from), ("--seed", arguments.seed)];
    let mut simulate = cargo(root);
    simulate.args(["run", "--quiet", "--package", "ringwire-simulation", "--"]);
    for (option, value) in options {
        if let Some(value) = value {
            simulate.arg(option).arg(value.to_string());
        }
    }
    run_command(&mut simulate)
}
