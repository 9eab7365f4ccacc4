//! `run`: one scenario, once.

use std::process::ExitCode;

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
    let stop = stop_on_signals()?;
    let report = arguments.place.run(&arguments.place.scenario()?, &stop)?;
    println!("{report}");
    arguments.outputs.write(&report)?;
    Ok(exit_code(report.verdict))
}
