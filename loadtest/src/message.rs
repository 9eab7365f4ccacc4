//! What a generated message says: who it is, and when it was due.
//!
//! ```text
//!   4f1c09a2 000000017 00000004200311 ................
//!   run      number    due, µs        padding up to text_bytes
//! ```
//!
//! The receiver measures latency from the text alone, and a text that comes back altered, cut or from another run is
//! told from a sound one. `client_msg_id` is the run and the number, so it is unique per sender over all runs.

use std::fmt::Write as _;

/// The shortest text that holds a tag.
pub(crate) const MIN_TEXT_BYTES: usize = 40;

/// How long messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The shortest.
    pub(crate) min: usize,
    /// The longest.
    pub(crate) max: usize,
}

impl Sizes {
    /// The length of one message: decided by its tag, so that its receiver knows it too. Between the bounds, equal
    /// ratios are equally likely: most messages are short, a few long.
    pub(crate) fn of(self, tag: Tag) -> usize {
        if self.min == self.max {
            return self.min;
        }
        let mixed = mix(tag.due_us ^ (u64::from(tag.number) << 40) ^ u64::from(tag.run));
        let position = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
        let ratio = self.max as f64 / self.min as f64;
        ((self.min as f64 * ratio.powf(position)) as usize).clamp(self.min, self.max)
    }
}

/// Spreads the bits of a number over all of another one (the finaliser of SplitMix64).
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// What the text of a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The run that made the message.
    pub(crate) run: u32,
    /// Which of its sender's sends it is, counted from 1.
    pub(crate) number: u32,
    /// When it was due, in microseconds after the start of the run.
    pub(crate) due_us: u64,
}

impl Tag {
    /// The text of the message, `text_bytes` long (at least [`MIN_TEXT_BYTES`]).
    pub(crate) fn text(self, text_bytes: usize) -> String {
        let mut text = String::with_capacity(text_bytes);
        // Writing to a String cannot fail.
        let _ = write!(text, "{:08x} {:09} {:014} ", self.run, self.number, self.due_us);
        text.extend(std::iter::repeat_n('.', text_bytes.saturating_sub(text.len())));
        text
    }

    /// Reads the tag of a text; `None` for a text that [`Self::text`] did not make.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let run = u32::from_str_radix(words.next()?, 16).ok()?;
        let number = words.next()?.parse().ok()?;
        let due_us = words.next()?.parse().ok()?;
        let tag = Self { run, number, due_us };
        let padding = words.next()?;
        padding.bytes().all(|byte| byte == b'.').then_some(tag)
    }

    /// The sender's own name for the message.
    pub(crate) fn client_msg_id(self) -> String {
        format!("{:08x}-{}", self.run, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_survives_its_text_at_every_length() {
        for tag in [
            Tag { run: 0, number: 1, due_us: 0 },
            Tag { run: u32::MAX, number: 999_999_999, due_us: 99_999_999_999_999 },
        ] {
            for text_bytes in [MIN_TEXT_BYTES, 64, 1000] {
                let text = tag.text(text_bytes);
                assert_eq!(text.len(), text_bytes);
                assert_eq!(Tag::parse(&text), Some(tag));
            }
        }
    }

    #[test]
    fn lengths_lie_between_the_bounds_and_most_are_short() {
        let sizes = Sizes { min: 40, max: 4000 };
        let lengths: Vec<_> = (0..10_000)
            .map(|number| sizes.of(Tag { run: 3, number, due_us: u64::from(number) * 700 }))
            .collect();
        assert!(lengths.iter().all(|length| (40..=4000).contains(length)));
        // Half of them below the geometric mean of the bounds; standard deviation 50.
        let short = lengths.iter().filter(|&&length| length < 400).count();
        assert!((4_700..5_300).contains(&short), "{short}");
        assert_eq!(Sizes { min: 64, max: 64 }.of(Tag { run: 0, number: 1, due_us: 0 }), 64);
    }

    #[test]
    fn foreign_and_altered_texts_have_no_tag() {
        for text in ["", "hello", "hello my dear friends", "00000001 000000001 00000000000000 ..x."]
        {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
