//! Which characters a text may hold that other people are shown.
//!
//! A name stands beside other things on a screen and says who or what somebody is: nothing in it may move or hide what is
//! around it. A message is read for itself and may run over lines and in both directions.

use ringwire_protocol::CommandError;

use super::message::invalid;

/// Checks a name of something: a title, a file's name, a word beside a status.
pub fn check_name(text: &str, field: &str) -> Result<(), CommandError> {
    if is_name(text) {
        return Ok(());
    }
    Err(invalid(format!("{field} has control characters, or such as turn its direction")))
}

/// Checks a text that may have several lines and still describes something: as a name, but for the lines.
pub fn check_description(text: &str, field: &str) -> Result<(), CommandError> {
    if text.chars().all(|c| is_space(c) || !(c.is_control() || turns(c))) {
        return Ok(());
    }
    Err(invalid(format!("{field} has control characters, or such as turn its direction")))
}

/// Checks what somebody says.
pub fn check_speech(text: &str, field: &str) -> Result<(), CommandError> {
    if text.bytes().all(|byte| byte >= b' ' || is_space(byte.into())) {
        return Ok(());
    }
    Err(invalid(format!("{field} has control characters")))
}

/// Whether a text may be a name.
pub fn is_name(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || turns(c))
}

const fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r')
}

/// Embeddings, overrides and isolates of the bidirectional algorithm (Unicode Standard Annex 9): they change the order in
/// which what follows is shown. Joiners stay: scripts and emoji need them.
const fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hide_and_turn_nothing() {
        for name in ["", "Zoë", "家族 👩‍👩‍👧", "שלום", "نام‌ها"] {
            assert!(check_name(name, "title").is_ok(), "{name:?}");
        }
        for name in ["a\nb", "a\0", "\u{7f}", "\u{85}", "a\u{202e}gpj.exe", "\u{2066}x\u{2069}"] {
            assert!(check_name(name, "title").is_err(), "{name:?}");
        }
    }

    #[test]
    fn descriptions_have_lines_and_speech_directions_besides() {
        assert!(check_description("one\r\n\ttwo", "description").is_ok());
        for text in ["\0", "\u{1b}[2J", "\u{202e}x"] {
            assert!(check_description(text, "description").is_err(), "{text:?}");
        }
        assert!(check_speech("one\r\n\ttwo \u{202b}שלום\u{202c} \u{85}", "text").is_ok());
        for text in ["\0", "\u{1b}[2J", "\u{8}", "\u{1f}"] {
            assert!(check_speech(text, "text").is_err(), "{text:?}");
        }
    }
}
