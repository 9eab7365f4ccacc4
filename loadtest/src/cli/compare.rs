//! `compare`: reports held against the first one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use ringwire_loadtest::compare::{self, DEFAULT_NOISE_PERCENT, Runs};
use ringwire_loadtest::page;
use ringwire_loadtest::report::Report;

use super::outputs::write;
use super::say;

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArguments {
    /// Reports as JSON; the first is what the others are held against. Repeats of one side are put together with
    /// commas: a1.json,a2.json,a3.json b1.json,b2.json,b3.json
    #[arg(required = true, num_args = 2.., value_name = "FILE[,FILE…]")]
    sides: Vec<String>,
    /// Differences up to this many percent are ties, however sure they are.
    #[arg(long, value_name = "PERCENT", default_value_t = DEFAULT_NOISE_PERCENT)]
    noise: f64,
    /// Writes the comparison as a page with plots.
    #[arg(long, value_name = "FILE")]
    report_html: Option<PathBuf>,
    /// Writes the comparison as JSON.
    #[arg(long, value_name = "FILE")]
    report_json: Option<PathBuf>,
}

pub(crate) fn compare(arguments: &CompareArguments) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        (0.0..=1000.0).contains(&arguments.noise),
        "--noise has to be a percentage from 0 to 1000"
    );
    let sides =
        arguments.sides.iter().map(|side| read(side)).collect::<anyhow::Result<Vec<_>>>()?;
    let [base, others @ ..] = &sides[..] else { anyhow::bail!("nothing to compare") };
    let comparisons: Vec<_> =
        others.iter().map(|other| compare::compare(base, other, arguments.noise)).collect();
    for comparison in &comparisons {
        say(comparison)?;
    }
    let noise = arguments.noise;
    say(format_args!("ties: up to {noise} % and all that is not sure; {}", compare::METHOD))?;
    if let Some(path) = &arguments.report_html {
        write(path, page::versus::page(&sides, &comparisons))?;
    }
    if let Some(path) = &arguments.report_json {
        write(path, serde_json::to_vec_pretty(&comparisons)?)?;
    }
    let comparable = comparisons.iter().all(|comparison| !comparison.differences.is_empty());
    anyhow::ensure!(
        comparable,
        "there are reports in which nothing can be compared with {}",
        base.name
    );
    Ok(ExitCode::SUCCESS)
}

fn read(side: &str) -> anyhow::Result<Runs> {
    let read = |file: &str| {
        let json = std::fs::read(Path::new(file))
            .with_context(|| format!("cannot read the report {file}"))?;
        Report::from_json(&json).with_context(|| format!("{file} cannot be compared"))
    };
    let reports = side.split(',').map(read).collect::<anyhow::Result<Vec<_>>>()?;
    // However they are written.
    let files = side.split(',').map(std::fs::canonicalize);
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    files.sort_unstable();
    files.dedup();
    anyhow::ensure!(
        files.len() == reports.len(),
        "{side} names a report twice; a run that counts twice makes differences look surer than they are"
    );
    Ok(Runs { name: side.to_owned(), reports })
}
