//! Which characters a text may hold that other people are shown.
//!
//! A name stands beside other things on a screen and says who or what somebody is: nothing in it may move or hide what is
//! around it. A message is read for itself and may run over lines and in both directions.

use ringwire_protocol::CommandError;
use ringwire_storage::profiles::OWN_FILES;

use super::message::invalid;
use crate::files::FileId;

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

/// Checks an address that others are to follow or show; empty is none.
pub fn check_address(url: &str, field: &str) -> Result<(), CommandError> {
    if url.is_empty() || is_address(url) {
        return Ok(());
    }
    Err(invalid(format!(
        "{field}: an http(s) address without a user's name, {OWN_FILES} and a file_id, or empty"
    )))
}

/// Whether this is an address of the web or of a file of this server: nothing a page would run, nothing that holds what
/// it names, no other scheme, no user's name that looks like a host, and no other path of this server.
pub fn is_address(url: &str) -> bool {
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let is_web = ["https://", "http://"].iter().any(|scheme| {
        let begins = url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
        let rest = url.get(scheme.len()..).unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        begins && !host.is_empty() && !host.contains('@')
    });
    is_plain && (is_web || is_own_file(url))
}

/// Whether it is an address as the server makes them: of a file, or of its thumbnail.
fn is_own_file(url: &str) -> bool {
    url.strip_prefix(OWN_FILES).is_some_and(|rest| {
        FileId::parse(rest.strip_suffix("/thumbnail").unwrap_or(rest)).is_some()
    })
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
    fn addresses_are_of_the_web_or_own_files() {
        let file = format!("/api/v1/files/{}", "0a".repeat(16));
        let thumbnail = format!("{file}/thumbnail");
        for url in ["", "https://a.example/b?c=d@e", "HTTP://a", "https://a/@b", &file, &thumbnail]
        {
            assert!(check_address(url, "url").is_ok(), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript://a/%0aalert(1)",
            "data:image/png;base64,AA",
            "blob:https://a/b",
            "file:///etc/passwd",
            "ftp://a",
            "//a.example",
            "/api/v1/account",
            "/api/v1/files/",
            "https://",
            "https:///x",
            "https://a b",
            "https://a\"onerror=x",
            "https://ä",
            " https://a",
            "https://?a",
            "https://bank.example@a.example/",
            "http://ann:secret@a.example",
            "/api/v1/files/abc",
            "/api/v1/files/../account/export",
            "/api/v1/files/%2e%2e/account/export",
            &format!("{file}/"),
            &format!("{file}/info"),
            &format!("{file}/thumbnail/thumbnail"),
            &format!("{file}?user=1"),
            &format!("{file}#x"),
            &format!("{file}/../../account/export"),
            &file.to_uppercase(),
        ] {
            assert!(check_address(url, "url").is_err(), "{url}");
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
