//! `ringwire db check`: one line for each finding, then a summary.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::process::ExitCode;

use clap::Args;
use prost::Message as _;
use ringwire_protocol::wire::EntryBody;
use ringwire_storage::operate::check::{self, Finding, FindingKind, Observer, Readable};
use serde_json::json;

use super::{Progress, configured, exit_code, name_of, run};
use crate::body_keys;
use crate::config::StorageConfig;

/// Flags of `ringwire db check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Read every body too, which takes longer.
    #[arg(long)]
    pub bodies: bool,
    /// One JSON object a line: the findings, then the summary.
    #[arg(long)]
    pub json: bool,
}

/// Looks at the whole database; exit code 1 if anything is wrong.
pub fn check(config: &StorageConfig, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let database = configured(config);
    let out = BufWriter::new(io::stdout());
    let mut report =
        Report { json: args.json, progress: Progress::new(), out, found: BTreeMap::new() };
    let keys = body_keys::load(&config.encryption)?;
    let readable = |body: &[u8]| EntryBody::decode(body).is_ok();
    let readable = args.bodies.then_some(&readable as Readable<'_>);
    run(async { Ok(check::check(&database, &keys, readable, &mut report).await?) })?;
    report.summary(&name_of(&database))
}

/// Prints findings as they come and counts them.
struct Report {
    json: bool,
    progress: Progress,
    out: BufWriter<Stdout>,
    found: BTreeMap<FindingKind, u64>,
}

impl Observer for Report {
    fn looks_at(&mut self, about: &str) {
        self.progress.show(&format!("looking at {about}"));
    }

    fn finds(&mut self, finding: Finding) {
        *self.found.entry(finding.kind).or_default() += 1;
        self.progress.clear();
        // A reader that has gone away wants no more lines; the exit code still counts.
        let _ = if self.json {
            let line = json!({
                "kind": finding.kind.name(),
                "hint": finding.kind.is_hint(),
                "conversation_id": finding.conversation_id,
                "user_id": finding.user_id,
                "detail": finding.detail,
            });
            writeln!(self.out, "{line}")
        } else {
            let word = if finding.kind.is_hint() { "hint: " } else { "" };
            writeln!(self.out, "{word}{finding}")
        };
    }
}

impl Report {
    fn summary(mut self, database: &str) -> anyhow::Result<ExitCode> {
        self.progress.clear();
        let count = |hint: bool| -> u64 {
            self.found.iter().filter(|(kind, _)| kind.is_hint() == hint).map(|(_, n)| n).sum()
        };
        let (findings, hints) = (count(false), count(true));
        if self.json {
            let kinds: serde_json::Map<_, _> = self
                .found
                .iter()
                .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
                .collect();
            let line = json!({"findings": findings, "hints": hints, "kinds": kinds});
            writeln!(self.out, "{line}")?;
        } else {
            for (kind, count) in &self.found {
                writeln!(self.out, "{count} × {}: {}", kind.name(), kind.meaning())?;
            }
            let verdict = if findings == 0 { "sound" } else { "NOT sound" };
            let (s, t) = (plural(findings), plural(hints));
            writeln!(self.out, "{database} is {verdict}: {findings} finding{s}, {hints} hint{t}")?;
        }
        self.out.flush()?;
        Ok(exit_code(findings > 0))
    }
}

const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
