//! The commented configuration file, made of what options mean and of the defaults that the code takes.
//!
//! ```text
//!   table: option ─► meaning ─┐
//!   Raw::default() ─► value ──┴─► text ─► `ringwire config doc` ─► deploy/ringwire.toml
//! ```
//!
//! Invariant: the table names every option there is, and no other; a test fails for one that is not in it.

/// Makes the table out of options and their meanings.
macro_rules! options {
    ($($key:literal: $meaning:literal,)+) => {
        /// Every option as section and key, and what it means.
        pub(super) const OPTIONS: &[(&str, &str)] = &[$(($key, $meaning)),+];
    };
}

mod table;

use super::raw::Raw;
use table::{HEAD, OPTIONS};

/// A file with every option at its default and what it means.
pub fn documented() -> String {
    // Plain text, numbers and lists always serialize; were it otherwise, the file would name no option, and a test fail.
    let defaults = toml::Value::try_from(Raw::default());
    let defaults = defaults.unwrap_or_else(|_| toml::Value::Table(toml::Table::new()));
    let mut text = String::new();
    explain(&mut text, HEAD);
    let (mut within, mut above) = ("", "");
    for (option, meaning) in OPTIONS {
        if option.starts_with('[') {
            above = meaning;
            continue;
        }
        let found = option.split('.').try_fold(&defaults, |value, name| value.get(name));
        let (Some(value), Some((section, key))) = (found, option.rsplit_once('.')) else {
            continue;
        };
        if section != within {
            text.push('\n');
            explain(&mut text, std::mem::take(&mut above));
            text += &["[", section, "]\n"].concat();
        } else if !meaning.is_empty() {
            text.push('\n');
        }
        within = section;
        explain(&mut text, meaning);
        text += &[key, " = ", &value.to_string(), "\n"].concat();
    }
    text
}

/// Writes a comment.
fn explain(text: &mut String, meaning: &str) {
    for line in meaning.lines() {
        text.push_str(if line.is_empty() { "#" } else { "# " });
        text.push_str(line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_for_operators_is_what_the_code_says() {
        let kept = include_str!("../../../../deploy/ringwire.toml");
        let fresh = documented();
        let differs = kept.lines().zip(fresh.lines()).find(|(kept, fresh)| kept != fresh);
        let how = "ringwire config doc > deploy/ringwire.toml";
        assert!(kept == fresh, "the file is not fresh ({how}): {differs:?}");
    }

    #[test]
    fn every_option_is_explained_in_its_section() {
        let mut within = "";
        for (option, meaning) in OPTIONS.iter().filter(|(option, _)| !option.starts_with('[')) {
            let (section, _) = option.rsplit_once('.').unwrap();
            assert!(section == within || !meaning.is_empty(), "{option} has nothing before it");
            within = section;
        }
    }
}
