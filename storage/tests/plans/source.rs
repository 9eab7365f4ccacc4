//! The statements in the source of a backend, as patterns of what the database is given.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A statement as it stands in the source: texts with anything in between.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Where it stands.
    pub(crate) file: String,
    parts: Vec<String>,
}

impl Pattern {
    /// File and beginning, for people.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.file, self.parts.join("…"))
    }

    /// Whether the database was given this statement.
    pub(crate) fn matches(&self, sql: &str) -> bool {
        let sql = squeeze(sql);
        let mut at = 0;
        self.parts.iter().enumerate().all(|(place, part)| match sql[at..].find(part.as_str()) {
            Some(found) if place > 0 || found == 0 => {
                at += found + part.len();
                true
            }
            _ => false,
        })
    }
}

/// One space for any.
pub(crate) fn squeeze(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every literal in `storage/src/<folder>` that is a statement about rows.
pub(crate) fn patterns(folder: &str) -> Vec<Pattern> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let mut patterns = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for literal in literals(&source) {
            let literal = squeeze(&literal);
            let is_statement = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "]
                .iter()
                .any(|verb| literal.starts_with(verb));
            if is_statement {
                patterns.push(Pattern { file: file.clone(), parts: parts(&literal) });
            }
        }
    }
    assert!(patterns.len() > 40, "the source was not understood");
    patterns
}

/// What was not run and is not among those that need not be, which are given by file and beginning.
pub(crate) fn missing(
    patterns: &[Pattern],
    ran: &BTreeSet<String>,
    not_run: &[&str],
) -> Vec<String> {
    patterns
        .iter()
        .filter(|pattern| !ran.iter().any(|sql| pattern.matches(sql)))
        .map(Pattern::name)
        .filter(|name| !not_run.iter().any(|begin| name.starts_with(begin)))
        .collect()
}

/// The text between the placeholders of a format string.
fn parts(literal: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in literal.chars() {
        match c {
            '{' => {
                depth += 1;
                parts.push(String::new());
            }
            '}' => depth -= 1,
            c if depth == 0 => parts.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    // What a placeholder stands for may begin or end with a space of its own.
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// String literals outside of comments.
fn literals(source: &str) -> Vec<String> {
    let code: Vec<&str> = source
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect();
    let code = code.join("\n");
    let mut literals = Vec::new();
    let mut rest = code.as_str();
    while let Some(start) = rest.find('"') {
        let mut literal = String::new();
        let mut chars = rest[start + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = start + 1 + at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, 'n')) => literal.push('\n'),
                    Some((_, other)) => literal.push(other),
                },
                c => literal.push(c),
            }
        }
        literals.push(literal);
        rest = &rest[end..];
    }
    literals
}

#[test]
fn statements_are_recognised_around_their_placeholders() {
    let source = r#"
        // "SELECT nothing"
        let a = format!("SELECT {ENTRY} FROM entries e
                 WHERE seq > $1 \
                 LIMIT 5");
    "#;
    let literal = squeeze(&literals(source)[0]);
    let pattern = Pattern { file: String::new(), parts: parts(&literal) };
    assert!(pattern.matches("SELECT e.a,  e.b FROM entries e WHERE seq > $1 LIMIT 5"));
    assert!(!pattern.matches("SELECT e.a FROM entries e WHERE seq >= $1 LIMIT 5"));
    assert!(!pattern.matches("x SELECT e.a FROM entries e WHERE seq > $1 LIMIT 5"));
}
