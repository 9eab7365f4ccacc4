//! `cargo xtask bench instructions`: how many instructions each hot path takes for a message, compared with what is
//! committed.
//!
//! ```text
//!   bench/instructions (optimized) ─► callgrind ─► one dump a counted run ─► per message ─► bench/instructions.toml
//! ```
//!
//! Instructions do not depend on how busy the machine is, so they can be a gate; they do depend on the compiler, the C
//! library and the processor's extensions. The committed counts name theirs: elsewhere the comparison is printed, and
//! judges nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::command::cargo;
use crate::prerequisites;

/// A count may differ by this much, in percent. Fewer count as well: what was won is to be kept.
const TOLERANCE_PERCENT: f64 = 3.0;
const COUNTS: &str = "bench/instructions.toml";
const PROFILE: &str = "bench/instructions/profile.toml";
const PROGRAM: &str = "instructions";
/// The function that is counted, as callgrind calls it.
const COUNTED: &str = "instructions::counted";

/// Counts, and compares; with `accept` writes the counts down instead.
pub(crate) fn run(root: &Path, accept: bool) -> Result<()> {
    let valgrind = prerequisites::ensure_valgrind()?;
    let program = build(root)?;
    let counts = count(root, &valgrind, &program)?;
    let environment = environment(&valgrind)?;
    let path = root.join(COUNTS);
    if accept {
        fs::write(&path, render(&environment, &counts)).context(COUNTS)?;
        println!("{} counts written to {COUNTS}", counts.len());
        return Ok(());
    }
    let text = fs::read_to_string(&path).context(COUNTS)?;
    let recorded = Recorded::parse(&text)?;
    let (table, differing) = compare(&recorded.per_message, &counts);
    print!("{table}");
    if recorded.environment != environment {
        println!("\nnot judged: counted with {environment}; {COUNTS} has {}", recorded.environment);
        return Ok(());
    }
    ensure!(
        differing == 0,
        "{differing} paths differ by more than {TOLERANCE_PERCENT} %: if that is meant, \
         `cargo xtask bench instructions --accept` and commit {COUNTS}"
    );
    Ok(())
}

/// Builds the program beside what the tests have built; where it is.
fn build(root: &Path) -> Result<PathBuf> {
    let mut build = cargo(root);
    build.arg("--config").arg(root.join(PROFILE));
    build.args(["build", "--package", "ringwire-bench", "--example", PROGRAM]);
    build.args(["--message-format", "json-render-diagnostics"]);
    // Incremental builds are cut into more pieces, and what is inlined depends on the pieces.
    build.env("CARGO_INCREMENTAL", "0");
    let output = build.stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
    ensure!(output.status.success(), "the program cannot be built");
    let mut artifacts = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| {
        let artifact: Value = serde_json::from_slice(line).ok()?;
        let executable = artifact["executable"].as_str()?;
        (artifact["target"]["name"] == PROGRAM).then(|| PathBuf::from(executable))
    });
    artifacts.next_back().context("cargo names no executable")
}

/// Instructions per message, by path.
fn count(root: &Path, valgrind: &Path, program: &Path) -> Result<Vec<(String, f64)>> {
    let folder = root.join("target").join(PROGRAM);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let out = folder.join("out");
    let mut callgrind = Command::new(valgrind);
    callgrind.args(["--tool=callgrind", "--collect-atstart=no"]);
    callgrind.arg(format!("--toggle-collect={COUNTED}")).arg(format!("--dump-after={COUNTED}"));
    callgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(program);
    let output = callgrind.output().context("valgrind cannot be started")?;
    if !output.status.success() {
        bail!(
            "callgrind ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let mut dumps = (1..).map(|number| folder.join(format!("out.{number}")));
    let mut counts = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let [name, messages, runs] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("{PROGRAM} printed {line:?}");
        };
        let (messages, runs): (f64, usize) = (messages.parse()?, runs.parse()?);
        let of_runs: Result<Vec<u64>> =
            dumps.by_ref().take(runs).map(|dump| total(&dump)).collect();
        let mut of_runs = of_runs?;
        of_runs.sort_unstable();
        let middle = *of_runs.get(runs / 2).context("no run was counted")?;
        counts.push((name.to_owned(), middle as f64 / messages));
    }
    ensure!(!counts.is_empty(), "{PROGRAM} printed nothing");
    Ok(counts)
}

/// What a dump adds up to.
fn total(dump: &Path) -> Result<u64> {
    let text = fs::read_to_string(dump).with_context(|| dump.display().to_string())?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: u64 = totals.context("a dump without totals")?.trim().parse()?;
    ensure!(total > 0, "{} has counted nothing", dump.display());
    Ok(total)
}

/// What counts depend on, beside the code.
fn environment(valgrind: &Path) -> Result<String> {
    let said = |program: &Path, arguments: &[&str]| -> Result<String> {
        let output = Command::new(program).args(arguments).output();
        let output = output.with_context(|| program.display().to_string())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let rustc = std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wide = processor.split_ascii_whitespace().any(|flag| flag == "avx2");
    Ok(format!(
        "{}, {}, {}, {}{}",
        said(&rustc, &["--version"])?,
        said(valgrind, &["--version"])?,
        said(Path::new("getconf"), &["GNU_LIBC_VERSION"])?,
        std::env::consts::ARCH,
        if wide { " with AVX2" } else { "" },
    ))
}

/// What is committed.
struct Recorded {
    environment: String,
    per_message: BTreeMap<String, f64>,
}

impl Recorded {
    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().context(COUNTS)?;
        let environment = table.get("environment").and_then(toml::Value::as_str);
        let counts = table.get("per_message").and_then(toml::Value::as_table);
        let counts = counts.context("bench/instructions.toml has no [per_message]")?;
        let number = |(name, count): (&String, &toml::Value)| {
            let whole = count.as_integer().map(|count| count as f64);
            Some((name.clone(), whole.or_else(|| count.as_float())?))
        };
        Ok(Self {
            environment: environment.unwrap_or_default().to_owned(),
            per_message: counts.iter().filter_map(number).collect(),
        })
    }
}

fn render(environment: &str, counts: &[(String, f64)]) -> String {
    let mut text = String::from(
        "# Instructions that each hot path takes for a message or a delivery, in the build that\n\
         # bench/instructions/profile.toml describes. Written by `cargo xtask bench instructions --accept`;\n\
         # without --accept it fails where a count is more than 3 % off.\n\n\
         # What they were counted with; with anything else they are compared but not judged.\n",
    );
    let _ = write!(text, "environment = \"{environment}\"\n\n[per_message]\n");
    for (name, count) in counts {
        let _ = writeln!(text, "\"{name}\" = {count:.1}");
    }
    text
}

/// The table, and how many paths are out of tolerance, new or gone.
fn compare(recorded: &BTreeMap<String, f64>, counts: &[(String, f64)]) -> (String, usize) {
    let mut table =
        format!("{:<34} {:>12} {:>12}\n", "instructions per message", "recorded", "counted");
    let mut differing = 0;
    for (name, count) in counts {
        let Some(before) = recorded.get(name) else {
            let _ = writeln!(table, "{name:<34} {:>12} {count:>12.1}  new", "");
            differing += 1;
            continue;
        };
        let percent = (count / before - 1.0) * 100.0;
        let out = percent.abs() > TOLERANCE_PERCENT;
        let mark = match out {
            true if percent > 0.0 => "  more",
            true => "  fewer",
            false => "",
        };
        let _ = writeln!(table, "{name:<34} {before:>12.1} {count:>12.1} {percent:>+7.1} %{mark}");
        differing += usize::from(out);
    }
    for name in recorded.keys().filter(|name| !counts.iter().any(|(counted, _)| counted == *name)) {
        let _ = writeln!(table, "{name:<34} is not counted any more");
        differing += 1;
    }
    (table, differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let counts = vec![("receive, 64 B".to_owned(), 81.5), ("mailbox".to_owned(), 40.0)];
        let recorded = Recorded::parse(&render("rustc 1", &counts)).expect("it is TOML");
        assert_eq!(recorded.environment, "rustc 1");
        assert_eq!(compare(&recorded.per_message, &counts).1, 0);
    }

    #[test]
    fn more_fewer_new_and_gone_are_told() {
        let recorded =
            ["same", "more", "fewer", "gone"].map(|name| (name.to_owned(), 100.0)).into();
        let counts = [("same", 102.9), ("more", 104.0), ("fewer", 90.0), ("new", 1.0)];
        let counts: Vec<_> = counts.map(|(name, count)| (name.to_owned(), count)).into();
        let (table, differing) = compare(&recorded, &counts);
        assert_eq!(differing, 4, "{table}");
        assert!(table.contains("+4.0 %  more") && table.contains("-10.0 %  fewer"), "{table}");
    }

    #[test]
    fn a_dump_tells_its_total() {
        let dump = std::env::temp_dir().join(format!("ringwire-dump-{}", std::process::id()));
        fs::write(&dump, "events: Ir\nfn=(1)\n0 7\ntotals: 1234\n").expect("the file is ours");
        assert_eq!(total(&dump).expect("a total"), 1_234);
        fs::write(&dump, "events: Ir\ntotals: 0\n").expect("the file is ours");
        assert!(total(&dump).is_err(), "nothing was counted");
        fs::remove_file(&dump).expect("the file is ours");
    }
}
