//! `run`: one scenario, once.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use super::outputs::OutputArguments;
use super::place::PlaceArguments;
use super::{exit_code, stop_on_signals};

#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    outputs: OutputArguments,
}

pub(crate) fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let scenario = arguments.place.scenario()?;
    arguments.outputs.prepare()?;
    let stop = stop_on_signals()?;
    let report = arguments.place.run(&scenario, &stop)?;
    arguments.outputs.write(&report)?;
    writeln!(io::stdout(), "{report}").context("cannot write the report to standard output")?;
    Ok(exit_code(report.verdict))
}
