//! One run of the load generator against a server.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::gateway::program;
use crate::process;

/// The server that a run is played against.
#[derive(Debug)]
pub struct Target {
    /// Of its WebSocket.
    pub url: String,
    /// What signs its tokens, where it wants any.
    pub jwt_secret_file: Option<PathBuf>,
    /// Its processes: each one's CPU time is in the report, in this order.
    pub pids: Vec<u32>,
}

/// A run that is under way; dropping it kills it.
#[derive(Debug)]
pub struct Run {
    child: Child,
    report: PathBuf,
    _folder: TempDir,
}

impl Run {
    /// Starts a scenario with these settings (`key=value`).
    ///
    /// # Errors
    ///
    /// The generator is not built.
    pub fn start(target: &Target, scenario: &str, settings: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (file, report) =
            (folder.path().join("scenario.toml"), folder.path().join("report.json"));
        fs::write(&file, scenario)?;
        let mut run = Command::new(program("ringwire-loadtest")?);
        run.arg("run").arg(&file).arg("--url").arg(&target.url).arg("--report-json").arg(&report);
        if let Some(secret) = &target.jwt_secret_file {
            run.arg("--jwt-secret-file").arg(secret);
        }
        for pid in &target.pids {
            run.arg("--server-pid").arg(pid.to_string());
        }
        for setting in settings {
            run.arg("--set").arg(setting);
        }
        // What it says is wanted when it fails; a file never fills up, as a pipe does that nobody reads.
        run.stdout(Stdio::null()).stderr(File::create(folder.path().join("said"))?);
        Ok(Self { child: run.spawn()?, report, _folder: folder })
    }

    /// Waits until it has ended by itself; its report.
    ///
    /// # Errors
    ///
    /// It ended without a report.
    pub fn finish(mut self) -> Result<Value> {
        let ended = self.child.wait()?;
        let report = fs::read(&self.report).with_context(|| {
            let said = fs::read_to_string(self.report.with_file_name("said")).unwrap_or_default();
            format!("the load generator ended with {ended} and no report:\n{said}")
        })?;
        Ok(serde_json::from_slice(&report)?)
    }

    /// Ends the sending now; its report.
    ///
    /// # Errors
    ///
    /// It ended without a report.
    pub fn stop(self) -> Result<Value> {
        process::interrupt(&self.child);
        self.finish()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Both fail only when it is gone already, and that is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a scenario with these settings to its end; its report.
///
/// # Errors
///
/// As [`Run::start`] and [`Run::finish`].
pub fn run(target: &Target, scenario: &str, settings: &[String]) -> Result<Value> {
    Run::start(target, scenario, settings)?.finish()
}

/// How messages are offered.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// So many a second, whatever comes back.
    Open(u32),
    /// So many under way at once, of each user, who does not think.
    Closed(u32),
}

impl Load {
    /// What makes a scenario offer so.
    pub fn settings(self) -> Vec<String> {
        match self {
            Self::Open(rate_per_s) => vec![format!("rate_per_s={rate_per_s}")],
            Self::Closed(at_once) => vec![
                "arrival=closed".to_owned(),
                format!("at_once={at_once}"),
                format!("depth={at_once}"),
                "think_s=0".to_owned(),
            ],
        }
    }

    /// Of a closed loop.
    pub fn at_once(self) -> Option<u32> {
        match self {
            Self::Open(_) => None,
            Self::Closed(at_once) => Some(at_once),
        }
    }
}

/// A figure of a report; not a number where it has none.
pub fn figure(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
