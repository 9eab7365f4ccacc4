//! `worker`: works for a run on another host.

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use ringwire_loadtest::secret::{SECRET_VARIABLE, Secret};
use ringwire_loadtest::worker_host;

use super::place::EquipmentArguments;

#[derive(Debug, clap::Args)]
#[command(override_usage = "ringwire-loadtest worker --listen <HOST:PORT> [OPTIONS]")]
pub(crate) struct WorkerArguments {
    /// Waits for runs at this address.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "stdio")]
    listen: Option<String>,
    /// Works for the run that started this process.
    #[arg(long, hide = true, conflicts_with = "listen")]
    stdio: bool,
    #[command(flatten)]
    equipment: EquipmentArguments,
    /// The secret a run has to know; without one, a new one is made and printed.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

pub(crate) fn work(arguments: &WorkerArguments) -> anyhow::Result<ExitCode> {
    let equipment = arguments.equipment.equipment();
    let Some(address) = &arguments.listen else {
        worker_host::serve_parent(&equipment)?;
        return Ok(ExitCode::SUCCESS);
    };
    // What every run would fail for is told before one comes.
    equipment.check().map_err(anyhow::Error::msg)?;
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))?;
    let secret = if let Some(secret) = Secret::load(arguments.secret_file.as_deref())? {
        secret
    } else {
        let (secret, text) = Secret::generate()?;
        // To be seen by whoever started this and has to give it to the run; nothing else is written to stdout.
        println!("{SECRET_VARIABLE}={text}");
        secret
    };
    let address = listener.local_addr()?;
    // It works, whoever listens to that.
    let _ = writeln!(io::stderr(), "waits for runs at {address}");
    worker_host::serve_runs(&listener, &secret, &equipment)?;
    Ok(ExitCode::SUCCESS)
}
