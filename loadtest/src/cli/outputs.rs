//! Where reports are written.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ringwire_loadtest::export;
use ringwire_loadtest::page;
use ringwire_loadtest::report::Report;

/// The files of a report.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArguments {
    /// Writes all forms of the report into a folder.
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    report_json: Option<PathBuf>,
    /// Writes the report as a page with plots.
    #[arg(long, value_name = "FILE")]
    report_html: Option<PathBuf>,
    /// Writes one line per second as CSV.
    #[arg(long, value_name = "FILE")]
    report_csv: Option<PathBuf>,
    /// Writes every kind of latency by percentile: FILE.ack.hgrm, FILE.deliver.hgrm …
    #[arg(long, value_name = "FILE")]
    hgrm: Option<PathBuf>,
    /// Writes a histogram per second as an HdrHistogram log.
    #[arg(long, value_name = "FILE")]
    interval_log: Option<PathBuf>,
}

impl OutputArguments {
    pub(crate) fn write(&self, report: &Report) -> anyhow::Result<()> {
        let folder = self.report_dir.as_deref();
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        // Each form goes where its own option says, and into the folder.
        let places = |file: &Option<PathBuf>, name: &str| {
            file.iter().cloned().chain(folder.map(|folder| folder.join(name))).collect::<Vec<_>>()
        };
        for path in places(&self.report_json, "report.json") {
            write(&path, report.to_json()?)?;
        }
        for path in places(&self.report_html, "report.html") {
            write(&path, page::run::page(report))?;
        }
        for path in places(&self.report_csv, "report.csv") {
            write(&path, export::csv(report))?;
        }
        for path in places(&self.interval_log, "report.hlog") {
            write(&path, export::interval_log(report)?)?;
        }
        for path in places(&self.hgrm, "report") {
            for (name, latency) in report.histograms.recorded() {
                let mut path = path.clone().into_os_string();
                path.push(format!(".{name}.hgrm"));
                write(Path::new(&path), export::hgrm(latency))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    std::fs::write(path, content)
        .with_context(|| format!("cannot write the report {}", path.display()))
}
