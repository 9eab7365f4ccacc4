//! `ringwire-loadtest`: the command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::Scenario;
use ringwire_loadtest::target::Target;
use ringwire_loadtest::tls::Trust;
use ringwire_loadtest::token::{SECRET_FILE_VARIABLE, Tokens};
use ringwire_loadtest::{fleet, token};

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
    Run(RunArguments),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// The scenario, a TOML file.
    scenario: PathBuf,
    /// The server's WebSocket: ws://host:port/path, or wss:// for TLS.
    #[arg(long, default_value = "ws://127.0.0.1:8080/ws")]
    url: String,
    /// Trusts only servers whose certificate an authority in this PEM file has signed.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Takes any certificate.
    #[arg(long)]
    insecure: bool,
    /// Overrides a field of the scenario; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The server's HS256 secret, to sign the users' tokens with.
    #[arg(long, value_name = "FILE", help = secret_help())]
    jwt_secret_file: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    report_json: Option<PathBuf>,
}

fn secret_help() -> String {
    format!(
        "The server's HS256 secret [default: ${SECRET_FILE_VARIABLE}, else {}]",
        token::DEFAULT_SECRET_FILE
    )
}

fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ringwire-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let scenario = Scenario::load(&arguments.scenario, &arguments.set)?;
    let trust = match &arguments.ca {
        Some(file) => Trust::File(file.clone()),
        None if arguments.insecure => Trust::Anyone,
        None => Trust::System,
    };
    let target = Target::parse_trusting(&arguments.url, &trust)?;
    let tokens = Tokens::load(arguments.jwt_secret_file.as_deref())?;

    // The first Ctrl-C ends the sending and reports; the second ends the process.
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }

    let result = fleet::run(scenario.clone(), target, tokens, stop, true)?;
    let report = Report::new(&scenario, &arguments.url, result);
    println!("{report}");
    if let Some(path) = &arguments.report_json {
        let mut json = serde_json::to_vec_pretty(&report)?;
        json.push(b'\n');
        std::fs::write(path, json)
            .with_context(|| format!("cannot write the report {}", path.display()))?;
    }
    Ok(ExitCode::from(report.verdict.exit_code()))
}
