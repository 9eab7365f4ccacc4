//! File names: shown to people, never a path.

/// The longest name that is kept, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// What a file without a usable name is called.
const NAMELESS: &str = "file";

/// Undoes what browsers do to names in forms (HTML, "multipart/form-data encoding algorithm"): they escape a quotation
/// mark, CR and LF, and nothing else, so nothing else is undone.
pub(crate) fn unescape(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// What a client calls a file, without folders and without characters that are not seen or turn text around, so that a
/// name looks like what it is.
pub(crate) fn clean_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = name.chars().filter(|c| !c.is_control() && !is_unseen(*c)).collect();
    let name = seen.trim_start_matches(|c: char| c == '.' || c.is_whitespace()).trim_end();
    match name.len() {
        0 => NAMELESS.to_owned(),
        1..=MAX_NAME_BYTES => name.to_owned(),
        _ => shorten(name),
    }
}

/// Marks of direction, joiners, and spaces without width.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The end of a name says what it is: characters of the middle go.
fn shorten(name: &str) -> String {
    const KEPT_END: usize = 32;
    let mut end = name.len() - KEPT_END;
    while !name.is_char_boundary(end) {
        end += 1;
    }
    let mut begin = MAX_NAME_BYTES - (name.len() - end) - "…".len();
    while !name.is_char_boundary(begin) {
        begin -= 1;
    }
    format!("{}…{}", &name[..begin], &name[end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn u1_a_name_is_no_path_and_hides_nothing() {
        for (given, kept) in [
            ("cat.png", "cat.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system.ini", "system.ini"),
            ("/", "file"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            ("a\0b\r\nSet-Cookie: x.txt", "abSet-Cookie: x.txt"),
            // Shown as "annexe.png" by what turns text around.
            ("ann\u{202e}gnp.exe", "anngnp.exe"),
            ("  Größe 1.txt ", "Größe 1.txt"),
        ] {
            assert_eq!(clean_name(given), kept, "{given:?}");
        }
        let long = clean_name(&format!("{}.pdf", "ä".repeat(300)));
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("ä.pdf"), "{long}");
    }

    #[test]
    fn names_in_forms_are_unescaped_as_browsers_escape_them() {
        assert_eq!(unescape("a %22b%22.txt"), "a \"b\".txt");
        assert_eq!(clean_name(&unescape("a%0D%0Ab.txt")), "ab.txt");
        for name in ["100%.txt", "a%20b%2e.txt", "%0d%0a", "%2522"] {
            assert_eq!(unescape(name), name);
        }
        assert_eq!(unescape("%%2222"), "%\"22");
    }

    proptest! {
        #[test]
        fn u1_any_name_becomes_a_short_visible_one(name in any::<String>()) {
            let clean = clean_name(&name);
            prop_assert!((1..=MAX_NAME_BYTES).contains(&clean.len()));
            prop_assert!(!clean.contains(['/', '\\', '\0', '\r', '\n']) && !clean.starts_with('.'));
            prop_assert_eq!(clean_name(&clean), clean);
        }
    }
}
