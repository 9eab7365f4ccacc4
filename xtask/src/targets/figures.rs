//! The README's table of targets, made from the committed figures.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Bound, RECORD, Row};

const README: &str = "README.md";
const BEGIN: &str =
    "<!-- Written by `cargo xtask bench readme` from bench/record/targets.json. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// Writes the table into the README; with `check` it only compares.
pub(crate) fn write_readme(root: &Path, check: bool) -> Result<()> {
    let rows = fs::read_to_string(root.join(RECORD)).context(RECORD)?;
    let rows: Vec<Row> = serde_json::from_str(&rows).context(RECORD)?;
    let path = root.join(README);
    let before = fs::read_to_string(&path).context(README)?;
    let after = replaced(&before, &table(&rows))?;
    if check && before != after {
        bail!("{README} does not show {RECORD}: run `cargo xtask bench readme`");
    }
    if !check {
        fs::write(&path, after).context(README)?;
    }
    Ok(())
}

fn replaced(text: &str, table: &str) -> Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.context("the README has lost the marks around its table of targets")?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from("| target | | measured | | how |\n|---|---|---|---|---|\n");
    for row in rows {
        let measured = match (row.measured, &row.date) {
            (None, _) => "not yet".to_owned(),
            (Some(measured), None) => unit(measured, row),
            (Some(measured), Some(date)) => format!("{} ({date})", unit(measured, row)),
        };
        let met = match row.measured {
            None => "",
            Some(_) if row.met => "met",
            Some(_) => "**missed**",
        };
        let _ = writeln!(
            table,
            "| {} | {} | {measured} | {met} | {} |",
            row.name,
            target(row),
            row.how
        );
    }
    table
}

fn unit(measured: f64, row: &Row) -> String {
    format!("{} {}", number(measured), row.unit)
}

/// The target, with the side on which a figure has to be.
pub(super) fn target(row: &Row) -> String {
    let side = match row.bound {
        Bound::AtLeast => "≥",
        Bound::AtMost => "≤",
    };
    format!("{side} {}", unit(row.target, row))
}

/// A figure with three digits, or all those before the point.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, text) in [
            (0.954, "0.95"),
            (2.0, "2"),
            (99.5, "99.5"),
            (4_096.0, "4,096"),
            (50_000.4, "50,000"),
            (123.4, "123"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(
            replaced(&text, "new\n").expect("marks"),
            format!("before\n{BEGIN}new\n{END}after\n")
        );
        assert!(replaced("no marks", "new").is_err());
    }

    #[test]
    fn a_row_says_whether_its_target_is_met() {
        let row = |measured| {
            Row::new("memory", Bound::AtMost, 4_096.0, measured).unit("bytes").how("`a`")
        };
        assert!(
            table(&[row(Some(4_000.0))])
                .contains("| memory | ≤ 4,096 bytes | 4,000 bytes | met | `a` |")
        );
        assert!(table(&[row(Some(5_000.0))]).contains("| 5,000 bytes | **missed** |"));
        assert!(table(&[row(None)]).contains("| not yet |  |"));
    }
}
