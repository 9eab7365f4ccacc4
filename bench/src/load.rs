//! One run of the load generator against a gateway.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::gateway::{Gateway, program};

/// Runs a scenario with these settings (`key=value`) to its end; its report. The CPU time of the gateway and of the
/// other processes named is in it, in this order.
///
/// # Errors
///
/// The generator is not built, or ended without a report.
pub fn run(
    gateway: &Gateway,
    scenario: &str,
    settings: &[String],
    others: &[u32],
) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let (file, report) = (folder.path().join("scenario.toml"), folder.path().join("report.json"));
    std::fs::write(&file, scenario)?;
    let mut run = Command::new(program("ringwire-loadtest")?);
    run.arg("run").arg(&file).arg("--url").arg(format!("ws://{}/ws", gateway.address()));
    run.arg("--jwt-secret-file").arg(gateway.jwt_secret_file()).arg("--report-json").arg(&report);
    for pid in std::iter::once(&gateway.pid()).chain(others) {
        run.arg("--server-pid").arg(pid.to_string());
    }
    for setting in settings {
        run.arg("--set").arg(setting);
    }
    let status = run.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let report = std::fs::read(&report)
        .with_context(|| format!("the load generator ended with {status} and no report"))?;
    Ok(serde_json::from_slice(&report)?)
}

/// A figure of a report; not a number where it has none.
pub fn figure(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
