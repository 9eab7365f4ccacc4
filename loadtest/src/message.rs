//! What a generated message says: who it is, and when it was due.
//!
//! ```text
//!   4f1c09a2 000000017 00000004200311 ................
//!   run      number    due, µs        padding up to text_bytes
//! ```
//!
//! The receiver measures latency from the text alone, and a text that comes back altered, cut or from another run is
//! told from a sound one. `client_msg_id` is the run and the number, so it is unique per sender over all runs.
//!
//! Other servers do not say in a uniform way, or at all, who sent what: there the text says it itself ([`Stamp`]).

use std::fmt::Write as _;

/// The shortest text that holds a tag, and who sent it.
pub(crate) const MIN_TEXT_BYTES: usize = 40;
/// A tag at the head of a text: three numbers of fixed lengths, each with a space behind it.
const TAG_BYTES: usize = 8 + 1 + 9 + 1 + 14 + 1;

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

    /// The number in a [`Self::client_msg_id`] of this run.
    pub(crate) fn number_of(run: u32, client_msg_id: &str) -> Option<u32> {
        let (of_run, number) = client_msg_id.split_once('-')?;
        (u32::from_str_radix(of_run, 16).ok()? == run).then(|| number.parse().ok())?
    }
}

/// What the text of a message carries at a server that is not ours: the tag, and behind it who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which message it is.
    pub(crate) tag: Tag,
    /// The sender's place among all users of the run, from 0.
    pub(crate) user: u32,
}

impl Stamp {
    /// The text of the message, `text_bytes` long (at least [`MIN_TEXT_BYTES`]).
    pub(crate) fn text(self, text_bytes: usize) -> String {
        let Tag { run, number, due_us } = self.tag;
        let mut text = String::with_capacity(text_bytes);
        // Writing to a String cannot fail.
        let _ = write!(text, "{run:08x} {number:09} {due_us:014} {:05x} ", self.user);
        text.extend(std::iter::repeat_n('.', text_bytes.saturating_sub(text.len())));
        text
    }

    /// Reads the stamp of a text; `None` for a text that [`Self::text`] did not make.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (tag, own) = text.split_at_checked(TAG_BYTES)?;
        let tag = Tag::parse(tag)?;
        let (user, padding) = own.split_once(' ')?;
        let user = u32::from_str_radix(user, 16).ok()?;
        padding.bytes().all(|byte| byte == b'.').then_some(Self { tag, user })
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
            let name = tag.client_msg_id();
            assert_eq!(Tag::number_of(tag.run, &name), Some(tag.number));
            assert_eq!(Tag::number_of(tag.run ^ 1, &name), None);
            assert_eq!(Tag::number_of(tag.run, "x-y"), None);
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
    fn a_stamp_survives_its_text_at_every_length_and_an_altered_one_is_none() {
        for (user, number) in [(0, 1), (999_999, 999_999_999)] {
            let tag = Tag { run: 0xfedc_ba98, number, due_us: 99_999_999_999_999 };
            let stamp = Stamp { tag, user };
            for text_bytes in [MIN_TEXT_BYTES, 64, 1000] {
                let text = stamp.text(text_bytes);
                assert_eq!(text.len(), text_bytes);
                assert_eq!(Stamp::parse(&text), Some(stamp));
                assert_eq!(Stamp::parse(&format!("{text}!")), None);
            }
        }
        let plain = Tag { run: 1, number: 2, due_us: 3 }.text(64);
        for text in ["", "héllo wörld, this text is long enough to hold more than a tag", &plain]
        {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn foreign_and_altered_texts_have_no_tag() {
        for text in ["", "hello", "hello my dear friends", "00000001 000000001 00000000000000 ..x."]
        {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
