//! `cargo xtask bench targets`: each of the project's targets, measured, and whether it is met; and the README's table of
//! them.
//!
//! ```text
//!   drivers in bench/compare ─► their reports (JSON) ─► rows ─► --report-json FILE
//!                                            bench/record/targets.json ─► README.md, between two marks
//! ```
//!
//! Invariant: a target of which nothing was measured is a row without a figure, never a row less.

mod figures;
mod rows;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

pub(crate) use figures::write_readme;
pub(crate) use rows::{Reports, rows};

/// Where the figures that the README shows are.
const RECORD: &str = "bench/record/targets.json";

/// On which side of the target a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast,
    AtMost,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    name: String,
    bound: Bound,
    target: f64,
    /// Nothing: it was not measured.
    measured: Option<f64>,
    unit: String,
    met: bool,
    /// The command that measures it, and what is to be known about the figure.
    how: String,
    /// When it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

impl Row {
    fn new(name: &str, bound: Bound, target: f64, measured: Option<f64>) -> Self {
        // A figure that is no number was not measured.
        let measured = measured.filter(|measured| measured.is_finite());
        let met = measured.is_some_and(|measured| match bound {
            Bound::AtLeast => measured >= target,
            Bound::AtMost => measured <= target,
        });
        Self {
            name: name.to_owned(),
            bound,
            target,
            measured,
            unit: String::new(),
            met,
            how: String::new(),
            date: None,
        }
    }

    fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    fn how(mut self, how: &str) -> Self {
        how.clone_into(&mut self.how);
        self
    }
}

/// Prints the rows, and writes them where they are wanted.
pub(crate) fn report(mut rows: Vec<Row>, path: Option<&Path>) -> Result<()> {
    let date = today()?;
    for row in rows.iter_mut().filter(|row| row.measured.is_some()) {
        row.date = Some(date.clone());
    }
    for row in &rows {
        let measured = row.measured.map_or_else(|| "-".to_owned(), figures::number);
        let met = if row.met { "met" } else { "not met" };
        let name = &row.name;
        println!("{name}: {measured} {}, {} ({met})", row.unit, figures::target(row));
    }
    if let Some(path) = path {
        let json = serde_json::to_string_pretty(&rows)? + "\n";
        fs::write(path, json).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn today() -> Result<String> {
    let output = Command::new("date").args(["--utc", "+%F"]).output().context("date")?;
    ensure!(output.status.success(), "date ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
