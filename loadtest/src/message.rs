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
    fn foreign_and_altered_texts_have_no_tag() {
        for text in ["", "hello", "hello my dear friends", "00000001 000000001 00000000000000 ..x."]
        {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
