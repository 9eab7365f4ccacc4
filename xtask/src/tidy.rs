//! House rules that no other tool checks, for every text file of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

const MAX_LINES: usize = 600;
/// Kinds of files people write; data (vectors, corpora) follows other rules.
const TEXT: [&str; 16] = [
    "conf", "cpp", "css", "html", "js", "md", "mjs", "proto", "py", "rs", "service", "sh", "sql",
    "toml", "yaml", "yml",
];
/// Folders that hold no source: build output, and data of a server that ran here.
const SKIPPED_FOLDERS: [&str; 3] = ["target", "node_modules", "ringwire-data"];

/// Checks every file; an error when one breaks a rule.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut broken = 0;
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file);
        let text = fs::read(file).with_context(|| name.display().to_string())?;
        let text = String::from_utf8_lossy(&text);
        for complaint in complaints(name, &text) {
            println!("{}{complaint}", name.display());
            broken += 1;
        }
    }
    println!("{} files", files.len());
    ensure!(broken == 0, "{broken} house rules are broken");
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name.as_ref()) {
            collect(&entry.path(), files)?;
        } else if kind.is_file()
            && entry.path().extension().is_some_and(|kind| TEXT.iter().any(|text| kind == *text))
        {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What a file breaks; each begins with its place, ":12: …".
fn complaints(name: &Path, text: &str) -> Vec<String> {
    let generated = name.components().any(|part| part.as_os_str() == "generated");
    let rust = name.extension().is_some_and(|kind| kind == "rs");
    let mut complaints = Vec::new();
    if generated {
        return complaints;
    }
    for (index, line) in text.lines().enumerate() {
        for complaint in line_complaints(line, rust) {
            complaints.push(format!(":{}: {complaint}", index + 1));
        }
    }
    if rust {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            complaints.push(format!(": {lines} lines, more than {MAX_LINES}"));
        }
        if !text.starts_with("//!") {
            complaints.push(":1: does not begin with a module comment (//!)".to_owned());
        }
    }
    complaints
}

fn line_complaints(line: &str, rust: bool) -> Vec<String> {
    // Written in two halves, so that this file passes itself.
    const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
    const UNFINISHED_RUST: [&str; 4] = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[", "ignore"),
    ];
    let mut complaints = Vec::new();
    if line.ends_with([' ', '\t']) {
        complaints.push("trailing whitespace".to_owned());
    }
    let words = UNFINISHED.iter().filter(|word| holds_word(line, word));
    let calls = UNFINISHED_RUST.iter().filter(|call| rust && line.contains(**call));
    for found in words.chain(calls) {
        complaints.push(format!("{found} is not for the main branch"));
    }
    complaints
}

/// Whether `word` stands in `line` by itself, not inside a longer name.
fn holds_word(line: &str, word: &str) -> bool {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Vec<String> {
        complaints(Path::new(name), text)
    }

    #[test]
    fn a_tidy_file_passes() {
        assert!(of("a.rs", "//! One thing.\n\nfn main() {}\n").is_empty());
        assert!(of("a.md", "# Title\n").is_empty());
    }

    #[test]
    fn each_rule_is_checked() {
        assert_eq!(of("a.rs", "fn main() {}\n").len(), 1, "no module comment");
        assert_eq!(of("a.md", "trailing \n"), [":1: trailing whitespace"]);
        let unfinished =
            format!("//! {}: later\n{}1);\n", concat!("TO", "DO"), concat!("dbg", "!("));
        assert_eq!(of("a.rs", &unfinished).len(), 2);
        let ignored = format!("//! Tests.\n{} = \"slow\"]\n", concat!("#[", "ignore"));
        assert_eq!(of("a.rs", &ignored).len(), 1);
        let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES));
        assert_eq!(of("a.rs", &long), [": 601 lines, more than 600"]);
    }

    #[test]
    fn names_that_contain_a_word_and_generated_files_are_left_alone() {
        assert!(of("a.md", &format!("MAS{}_LIST\n", concat!("TO", "DO"))).is_empty());
        assert!(of("src/generated/a.rs", "x \n").is_empty());
    }
}
