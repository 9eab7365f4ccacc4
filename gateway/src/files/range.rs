//! Which bytes of a file a request wants (RFC 9110 section 14), and whether it has them already (section 13).

use std::ops::Range;

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: 200.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// There are none such: 416.
    Nothing,
}

/// What a header `Range` asks of a file of this size. What is not understood, and several ranges at once, mean the
/// whole file, as the RFC allows.
pub(crate) fn wanted(header: &str, size: u64) -> Wanted {
    let Some((unit, range)) = header.split_once('=') else { return Wanted::Whole };
    let range = range.trim();
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = range.split_once('-') else { return Wanted::Whole };
    match (first.trim(), last.trim()) {
        ("", "") => Wanted::Whole,
        ("", suffix) => match number(suffix) {
            None => Wanted::Whole,
            Some(0) => Wanted::Nothing,
            Some(_) if size == 0 => Wanted::Nothing,
            Some(length) => Wanted::Part(size.saturating_sub(length)..size),
        },
        (first, last) => {
            let last = if last.is_empty() { Some(u64::MAX) } else { number(last) };
            match (number(first), last) {
                (Some(first), Some(last)) if first > last => Wanted::Whole,
                (Some(first), Some(_)) if first >= size => Wanted::Nothing,
                (Some(first), Some(last)) => Wanted::Part(first..last.saturating_add(1).min(size)),
                _ => Wanted::Whole,
            }
        }
    }
}

/// Digits; more than fit into a number are very many.
fn number(digits: &str) -> Option<u64> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Whether a header `If-None-Match` names this entity tag.
pub(crate) fn is_known(header: &str, etag: &str) -> bool {
    header
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_mean_what_the_rfc_says() {
        for (header, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=0-999", Wanted::Part(0..10)),
            ("BYTES = 3 - 5", Wanted::Part(3..6)),
            ("bytes=9-", Wanted::Part(9..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=2-99999999999999999999999999", Wanted::Part(2..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=99999999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(wanted("bytes=-1", 0), Wanted::Nothing);
    }

    #[test]
    fn tags_are_found_in_lists() {
        assert!(is_known("\"a\", W/\"b\"", "\"b\"") && is_known("*", "\"b\""));
        assert!(!is_known("\"a\"", "\"b\"") && !is_known("b", "\"b\"") && !is_known("", "\"b\""));
    }

    proptest! {
        #[test]
        fn u1_no_header_leads_out_of_the_file(header in "(bytes=)?[-0-9, a-f]{0,40}|.{0,40}", size in any::<u64>()) {
            if let Wanted::Part(range) = wanted(&header, size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }

        #[test]
        fn a_sound_range_is_that_range(first in 0u64..1000, length in 1u64..1000, more in 0u64..1000) {
            let end = first + length;
            let header = format!("bytes={first}-{}", end - 1);
            prop_assert_eq!(wanted(&header, end + more), Wanted::Part(first..end));
        }
    }
}
