//! What a file is, by its first bytes; what clients call it does not count.
//!
//! Only what is in this table gets a type of its own. HTML, SVG and XML are not: they are text, which is never shown in
//! place. Everything unknown is `application/octet-stream`.

/// Bytes at a place, and what they mean. The first row that fits counts.
const MAGIC: [(usize, &[u8], &str); 33] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP8", "image/webp"),
    (8, b"WAVEfmt ", "audio/wav"),
    (8, b"AVI LIST", "video/x-msvideo"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A ", "audio/mp4"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
];

/// Types a browser shows in place: it can run nothing that is in them. Not PDF, which may hold scripts.
const INLINE: [&str; 14] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/wav",
    "audio/mp4",
    "audio/flac",
    "audio/mpeg",
    "audio/aac",
    "audio/ogg",
    "video/mp4",
    "video/ogg",
    "video/webm",
];

/// What nobody knows.
const UNKNOWN: &str = "application/octet-stream";
/// Text of any kind, markup and scripts among it.
const TEXT: &str = "text/plain; charset=utf-8";

/// The content type of a file that begins like this; `whole`: it has no more bytes.
pub(crate) fn sniff(head: &[u8], whole: bool) -> &'static str {
    let holds =
        |at: usize, magic: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(magic));
    let contains = |part: &[u8]| head.windows(part.len()).any(|window| window == part);
    if holds(0, b"OggS") {
        return if contains(b"\x80theora") { "video/ogg" } else { "audio/ogg" };
    }
    if holds(0, b"\x1a\x45\xdf\xa3") {
        return if contains(b"webm") { "video/webm" } else { "video/x-matroska" };
    }
    let riff = holds(0, b"RIFF");
    let fits = |&&(at, magic, _): &&(usize, &[u8], _)| holds(at, magic) && (at != 8 || riff);
    if let Some((_, _, mime_type)) = MAGIC.iter().find(fits) {
        return mime_type;
    }
    if is_text(head, whole) { TEXT } else { UNKNOWN }
}

/// Whether a browser may show it in place.
pub(crate) fn is_inline(mime_type: &str) -> bool {
    INLINE.contains(&mime_type)
}

/// Whether a list of types, `image/*` among them, allows this one. An empty list allows all.
pub(crate) fn is_allowed(allowed: &[String], mime_type: &str) -> bool {
    let essence = mime_type.split(';').next().unwrap_or_default();
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(family) => essence.starts_with(family),
        None => essence == pattern,
    };
    allowed.is_empty() || allowed.iter().any(fits)
}

/// UTF-8 without control characters; a character that the end of `head` cuts off does not count.
fn is_text(head: &[u8], whole: bool) -> bool {
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if !whole && error.error_len().is_none() => {
            str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn u1_first_bytes_decide() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a<script>alert(1)</script>", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
            (b"12345678WEBPVP8 ", TEXT),
            (b"\0\0\0\x18ftypmp42", "video/mp4"),
            (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
            (b"OggS\0\x02\x80theora", "video/ogg"),
            (b"OggS\0\x02OpusHead", "audio/ogg"),
            (b"\x1a\x45\xdf\xa3\x42\x82\x84webm", "video/webm"),
            (b"%PDF-1.7", "application/pdf"),
            (b"PK\x03\x04\x14\0", "application/zip"),
            (b"MZ\x90\0", "application/x-msdownload"),
            (b"<html><script>alert(1)</script>", TEXT),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", TEXT),
            (b"<?xml version='1.0'?>", TEXT),
            ("Grüße".as_bytes(), TEXT),
            (b"\0\x01\x02\x03", UNKNOWN),
            (b"\xfe\xff\0<\0h", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(sniff(head, true), expected, "{:?}", String::from_utf8_lossy(head));
        }
        let cut = "ä".as_bytes();
        assert_eq!((sniff(&cut[..1], false), sniff(&cut[..1], true)), (UNKNOWN, UNKNOWN));
        assert_eq!((sniff(b"a\xc3", false), sniff(b"a\xc3", true)), (TEXT, UNKNOWN));
    }

    #[test]
    fn lists_of_types_have_families() {
        let list = ["image/*".to_owned(), "application/pdf".to_owned(), "text/plain".to_owned()];
        for allowed in ["image/png", "application/pdf", TEXT] {
            assert!(is_allowed(&list, allowed), "{allowed}");
        }
        for refused in ["imagery/png", "application/pdfx", "video/mp4", UNKNOWN] {
            assert!(!is_allowed(&list, refused), "{refused}");
        }
        assert!(is_allowed(&[], UNKNOWN));
    }

    proptest! {
        #[test]
        fn u1_markup_is_never_shown_in_place(before in "[ \t\r\n]{0,9}", after in any::<Vec<u8>>()) {
            for markup in ["<html", "<!DOCTYPE html", "<svg", "<?xml", "<script>", "javascript:"] {
                let head = [before.as_bytes(), markup.as_bytes(), &after].concat();
                prop_assert!(!is_inline(sniff(&head, true)));
            }
        }

        #[test]
        fn any_bytes_have_a_type(head in any::<Vec<u8>>(), whole in any::<bool>()) {
            prop_assert!(sniff(&head, whole).contains('/'));
        }
    }
}
