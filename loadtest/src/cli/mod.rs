//! The commands, each from its arguments to its exit code.

pub(crate) mod capacity;
pub(crate) mod compare;
pub(crate) mod outputs;
pub(crate) mod place;
pub(crate) mod run;
pub(crate) mod worker;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use ringwire_loadtest::threshold::Verdict;

/// Prints a line. A reader that has gone away, as `head` does, wants no more lines: that is no error, and the exit code
/// still counts.
pub(crate) fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

pub(crate) fn exit_code(verdict: Verdict) -> ExitCode {
    ExitCode::from(verdict.exit_code())
}

/// Set by the first Ctrl-C, which ends the sending and reports; the second ends the process.
pub(crate) fn stop_on_signals() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
