//! A small tree and its YAML: maps keep their order, text is always quoted as in JSON, so nothing can be misread.

use std::fmt::Write as _;

/// A value of the document.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Number(i64),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A map with these entries.
pub(super) fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A reference to another part of the document.
pub(super) fn reference(path: &str) -> Node {
    map([("$ref", format!("#/{path}").into())])
}

impl Node {
    /// The same map with one entry more.
    pub(super) fn with(self, key: &str, value: Self) -> Self {
        let Self::Map(mut entries) = self else { return self };
        entries.push((key.to_owned(), value));
        Self::Map(entries)
    }

    /// The same as JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value.to_json()));
                serde_json::Value::Object(entries.collect())
            }
        }
    }

    /// The document as text.
    pub(super) fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        self.write(&mut yaml, 0);
        yaml
    }

    /// Writes the value of a key, whose colon is there already, or a whole document.
    fn write(&self, yaml: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    let _ = write!(yaml, "{indent}{}:", key_text(key));
                    value.write_behind(yaml, depth + 1);
                }
            }
            Self::List(items) if !items.is_empty() => {
                for item in items {
                    let _ = write!(yaml, "{indent}-");
                    item.write_behind(yaml, depth + 1);
                }
            }
            scalar => {
                let _ = writeln!(yaml, "{indent}{}", scalar.inline());
            }
        }
    }

    /// Writes it behind a key or a dash: on the same line, or on lines of its own below.
    fn write_behind(&self, yaml: &mut String, depth: usize) {
        let is_block = match self {
            Self::Map(entries) => !entries.is_empty(),
            Self::List(items) => !items.is_empty(),
            _ => false,
        };
        if is_block {
            yaml.push('\n');
            self.write(yaml, depth);
        } else {
            let _ = writeln!(yaml, " {}", self.inline());
        }
    }

    fn inline(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Number(number) => number.to_string(),
            Self::List(_) => "[]".to_owned(),
            Self::Map(_) => "{}".to_owned(),
        }
    }
}

fn key_text(key: &str) -> String {
    let plain = key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&key);
    if plain { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_written_in_order_and_unmistakably() {
        let tree = map([
            ("b", map([("on", Node::Number(1)), ("none", Node::Map(Vec::new()))])),
            (
                "a",
                Node::List(vec![
                    "no".into(),
                    map([("$ref", "#/x".into()), ("count", Node::Number(1))]),
                ]),
            ),
            ("quote", "say \"hi\"".into()),
        ]);
        let yaml = "b:\n  \"on\": 1\n  none: {}\na:\n  - \"no\"\n  -\n    \"$ref\": \"#/x\"\n    count: 1\n\
                    quote: \"say \\\"hi\\\"\"\n";
        assert_eq!(tree.to_yaml(), yaml);
    }
}
