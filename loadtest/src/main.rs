//! `ringwire-loadtest`: the command line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Load generator for Ringwire.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario. Exit codes: 0 pass, 99 fail, 98 insufficient evidence, 1 error.
    Run(Box<cli::run::RunArguments>),
    /// Search the highest rate that meets a scenario's thresholds, and confirm it. Exit codes as of `run`.
    Capacity(Box<cli::capacity::CapacityArguments>),
    /// Compare reports (JSON) with the first one. Exit codes: 0, also for differences; 1 error.
    Compare(cli::compare::CompareArguments),
    /// Work for a run on another host.
    Worker(cli::worker::WorkerArguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => cli::run::run(&arguments),
        Command::Capacity(arguments) => cli::capacity::search(&arguments),
        Command::Compare(arguments) => cli::compare::compare(&arguments),
        Command::Worker(arguments) => cli::worker::work(&arguments),
    };
    result.unwrap_or_else(|error| {
        // Where nobody listens the exit code has to do.
        let _ = writeln!(io::stderr(), "ringwire-loadtest: {error:#}");
        ExitCode::FAILURE
    })
}
