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
    /// Makes sure that the files can be written, before a run that would be for nothing.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        if let Some(folder) = &self.report_dir {
            make_folder(folder)?;
            probe(&folder.join("report.json"))?;
        }
        let files = [&self.report_json, &self.report_html, &self.report_csv, &self.interval_log];
        for (place, path) in files.iter().enumerate() {
            let Some(path) = path else { continue };
            let is_new = files[..place].iter().all(|earlier| earlier.as_ref() != Some(path));
            anyhow::ensure!(is_new, "two reports would be written to {}", path.display());
            probe(path)?;
        }
        self.hgrm.iter().try_for_each(|path| {
            anyhow::ensure!(path.file_name().is_some(), "--hgrm names no file: {}", path.display());
            probe(&hgrm_path(path, "ack"))
        })
    }

    pub(crate) fn write(&self, report: &Report) -> anyhow::Result<()> {
        let folder = self.report_dir.as_deref();
        if let Some(folder) = folder {
            make_folder(folder)?;
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
                write(&hgrm_path(&path, name), export::hgrm(latency))?;
            }
        }
        Ok(())
    }
}

fn hgrm_path(path: &Path, name: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(format!(".{name}.hgrm"));
    path.into()
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Fails where a file could not be written; leaves none behind, and one that is there as it is.
fn probe(path: &Path) -> anyhow::Result<()> {
    let was_there = path.exists();
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write the report {}", path.display()))?;
    if !was_there {
        std::fs::remove_file(path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    std::fs::write(path, content)
        .with_context(|| format!("cannot write the report {}", path.display()))
}
