//! `run`: one scenario, once.

use std::process::ExitCode;

use super::outputs::OutputArguments;
use super::place::PlaceArguments;
use super::{exit_code, say, stop_on_signals};

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
    // First what can be read again nowhere if a file fails; and the files even if nobody reads this.
    let said = say(&report);
    arguments.outputs.write(&report)?;
    said?;
    Ok(exit_code(report.verdict))
}
