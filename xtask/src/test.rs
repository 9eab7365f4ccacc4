//! `cargo xtask test`: every test of the workspace, on a machine that may have none of what they need.
//!
//! Tests start their own servers on private ports and folders; this command only tells them where the programs
//! are (`RINGWIRE_PG_BIN`, `RINGWIRE_CHROMIUM`, `RINGWIRE_PYTHON`, `RINGWIRE_NODE`) and whether the long variants are
//! wanted (`RINGWIRE_TEST_FULL=1`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use crate::command::cargo;
use crate::{packages, prerequisites};

/// How many tests run at the same time.
const THREADS: &str = "RUST_TEST_THREADS";
/// The summary tells that much of why a test failed.
const REASON_CHARS: usize = 160;

/// Runs the tests whose name contains `filter`, or all of them.
pub(crate) fn run(root: &Path, full: bool, filter: Option<&str>) -> Result<()> {
    let programs = prerequisites::ensure()?;
    let python = packages::ensure(root, &programs)?;
    let started = Instant::now();
    let mut command = cargo(root);
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(filter)
        .env("RINGWIRE_PG_BIN", &programs.postgres_folder)
        .env("RINGWIRE_CHROMIUM", &programs.chromium)
        .env("RINGWIRE_PYTHON", python)
        .env("RINGWIRE_NODE", &programs.node)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if std::env::var_os(THREADS).is_none() {
        // Most of the integration tests wait for servers most of the time.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        command.env(THREADS, (2 * cores).to_string());
    }
    if full {
        command.env("RINGWIRE_TEST_FULL", "1");
    } else {
        command.env_remove("RINGWIRE_TEST_FULL");
    }

    let mut child = command.spawn().context("cargo cannot be started")?;
    let output = child.stdout.take().context("standard output is piped")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        // The reader of our output may have gone, as in `… | head`; the tests still run to their end.
        let _ = writeln!(std::io::stdout(), "{line}");
        tally.read(&line);
    }
    let status = child.wait()?;

    ensure!(status.success() || tally.binaries > 0, "the tests cannot be built");
    println!("\n{}", tally.summary(full, started.elapsed().as_secs()));
    if !status.success() {
        bail!("tests failed ({status})");
    }
    ensure!(tally.passed > 0, "no test has {:?} in its name", filter.unwrap_or_default());
    Ok(())
}

/// What the test binaries reported, added up.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    binaries: u32,
    passed: u32,
    failed: Vec<String>,
    /// What each failed test said first, by its name.
    reasons: BTreeMap<String, String>,
    /// The failed test whose output is being read, and whether its next line is why it failed.
    telling: Option<(String, bool)>,
}

impl Tally {
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.binaries += 1;
            self.passed += count(counts, " passed");
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failed.push(name.to_owned());
        } else if let Some(name) =
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.telling = Some((name.to_owned(), false));
        } else if let Some((name, next)) = &mut self.telling {
            if std::mem::take(next) {
                let reason: String = line.chars().take(REASON_CHARS).collect();
                self.reasons.entry(name.clone()).or_insert(reason);
            }
            *next = line.starts_with("thread '") && line.contains(" panicked at ");
        }
    }

    fn summary(&self, full: bool, seconds: u64) -> String {
        let variants =
            if full { "with the long variants" } else { "--full adds the long variants" };
        let mut summary = format!(
            "{} tests passed, {} failed, in {} suites, {seconds} s ({variants})",
            self.passed,
            self.failed.len(),
            self.binaries
        );
        for name in &self.failed {
            let reason = self.reasons.get(name).map_or("", String::as_str);
            let _ = write!(summary, "\n  failed: {name}: {reason}");
        }
        summary
    }
}

/// The number in front of `unit` in "ok. 8 passed; 0 failed; …".
fn count(counts: &str, unit: &str) -> u32 {
    let number = counts.split(unit).next().and_then(|before| before.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 9 tests",
            "test shard::mailbox::tests::order ... ok",
            "test codec::tests::f3_split ... FAILED",
            "test result: FAILED. 8 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.1s",
            "failures:",
            "---- codec::tests::f3_split stdout ----",
            "",
            "thread 'codec::tests::f3_split' (7) panicked at protocol/src/codec.rs:12:5:",
            "a frame is missing",
            "note: run with `RUST_BACKTRACE=1`",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s",
        ] {
            tally.read(line);
        }
        let failed = vec!["codec::tests::f3_split".to_owned()];
        assert_eq!((tally.binaries, tally.passed, &tally.failed), (2, 20, &failed));
        let summary = tally.summary(false, 3);
        assert!(summary.contains("20 tests passed, 1 failed, in 2 suites, 3 s"));
        assert!(summary.contains("failed: codec::tests::f3_split: a frame is missing"));
    }
}
