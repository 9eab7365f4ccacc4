//! What a generated message says: who it is, and when it was due.
//!
//! ```text
//!   4f1c09a2 00000011 000000401797 ................
//!   run      number   due, µs      padding up to text_bytes
//! ```
//!
//! Numbers are hexadecimal and of fixed lengths: reading and writing them is a good part of what a message costs the
//! generator. The receiver measures latency from the text alone, and a text that comes back altered, cut or from another run is
//! told from a sound one. `client_msg_id` is the run and the number, so it is unique per sender over all runs.
//!
//! Other servers do not say in a uniform way, or at all, who sent what: there the text says it itself ([`Stamp`]).

/// The shortest text that holds a tag, and who sent it.
pub(crate) const MIN_TEXT_BYTES: usize = 40;
/// Digits of a run and of a number.
const WORD_DIGITS: usize = 8;
/// Digits of a time: nine years.
const DUE_DIGITS: usize = 12;
/// Digits of a user's place.
const USER_DIGITS: usize = 5;
/// A tag at the head of a text: three numbers, each with a space behind it.
const TAG_BYTES: usize = 2 * (WORD_DIGITS + 1) + DUE_DIGITS + 1;
/// A stamp at the head of a text.
const STAMP_BYTES: usize = TAG_BYTES + USER_DIGITS + 1;
/// A run and a number, with a dash between them.
const ID_BYTES: usize = 2 * WORD_DIGITS + 1;
/// What fills a text up, over and over.
const PADDING: &str = "................................................................";

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
    /// When it was due, in microseconds after the start of the run; below 2⁴⁸.
    pub(crate) due_us: u64,
}

impl Tag {
    /// Replaces `text` by that of the message, `text_bytes` long (at least [`MIN_TEXT_BYTES`]).
    pub(crate) fn put_text(self, text_bytes: usize, text: &mut String) {
        let mut head = [0; TAG_BYTES];
        self.write(&mut head);
        put_padded(&head, text_bytes, text);
    }

    /// [`Self::put_text`] into a new string.
    #[cfg(test)]
    pub(crate) fn text(self, text_bytes: usize) -> String {
        let mut text = String::new();
        self.put_text(text_bytes, &mut text);
        text
    }

    fn write(self, head: &mut [u8]) {
        let rest = put_number::<WORD_DIGITS>(head, self.run.into(), b' ');
        let rest = put_number::<WORD_DIGITS>(rest, self.number.into(), b' ');
        put_number::<DUE_DIGITS>(rest, self.due_us, b' ');
    }

    /// Reads the tag of a text; `None` for a text that [`Self::text`] did not make.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let tag = Self::take(&mut rest)?;
        is_padding(rest).then_some(tag)
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let run = take_number::<WORD_DIGITS>(rest, b' ')? as u32;
        let number = take_number::<WORD_DIGITS>(rest, b' ')? as u32;
        let due_us = take_number::<DUE_DIGITS>(rest, b' ')?;
        Some(Self { run, number, due_us })
    }

    /// The sender's own name for the message.
    pub(crate) fn client_msg_id(self) -> String {
        let mut name = String::new();
        self.put_client_msg_id(&mut name);
        name
    }

    /// Replaces `name` by the sender's own name for the message.
    pub(crate) fn put_client_msg_id(self, name: &mut String) {
        put_padded(&self.id(), ID_BYTES, name);
    }

    /// Whether that is the sender's own name for the message.
    pub(crate) fn is_named(self, client_msg_id: &str) -> bool {
        client_msg_id.as_bytes() == self.id()
    }

    fn id(self) -> [u8; ID_BYTES] {
        let mut id = [0; ID_BYTES];
        let number = put_number::<WORD_DIGITS>(&mut id, self.run.into(), b'-');
        put_digits(number, self.number.into());
        id
    }

    /// The number in a [`Self::client_msg_id`] of this run.
    pub(crate) fn number_of(run: u32, client_msg_id: &str) -> Option<u32> {
        let mut rest = client_msg_id.as_bytes();
        let of_run = take_number::<WORD_DIGITS>(&mut rest, b'-')?;
        let number = digits::<WORD_DIGITS>(rest.try_into().ok()?)? as u32;
        let tag = Self { run, number, due_us: 0 };
        (of_run == u64::from(run) && tag.is_named(client_msg_id)).then_some(number)
    }
}

/// Writes a number at the head of `out` and what separates it from the next; what is left behind it.
fn put_number<const DIGITS: usize>(out: &mut [u8], number: u64, separator: u8) -> &mut [u8] {
    let (own, rest) = out.split_at_mut(DIGITS + 1);
    let (digits, end) = own.split_at_mut(DIGITS);
    put_digits(digits, number);
    end[0] = separator;
    rest
}

/// Reads the number at the head of `rest`, and moves on behind what separates it from the next.
fn take_number<const DIGITS: usize>(rest: &mut &[u8], separator: u8) -> Option<u64> {
    let (own, others) = rest.split_first_chunk::<DIGITS>()?;
    *rest = others.strip_prefix(&[separator])?;
    digits(own)
}

/// Fills `out` with hexadecimal digits.
fn put_digits(out: &mut [u8], mut number: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn digits<const DIGITS: usize>(digits: &[u8; DIGITS]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// Replaces `text` by one that begins so, `text_bytes` long.
fn put_padded(head: &[u8], text_bytes: usize, text: &mut String) {
    text.clear();
    text.reserve(text_bytes.max(head.len()));
    // It is ASCII.
    text.push_str(std::str::from_utf8(head).unwrap_or_default());
    while text.len() < text_bytes {
        text.push_str(&PADDING[..PADDING.len().min(text_bytes - text.len())]);
    }
}

fn is_padding(rest: &[u8]) -> bool {
    rest.chunks(PADDING.len()).all(|piece| piece == &PADDING.as_bytes()[..piece.len()])
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
        let mut head = [0; STAMP_BYTES];
        let (tag, user) = head.split_at_mut(TAG_BYTES);
        self.tag.write(tag);
        put_number::<USER_DIGITS>(user, self.user.into(), b' ');
        let mut text = String::new();
        put_padded(&head, text_bytes, &mut text);
        text
    }

    /// Reads the stamp of a text; `None` for a text that [`Self::text`] did not make.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let tag = Tag::take(&mut rest)?;
        let user = take_number::<USER_DIGITS>(&mut rest, b' ')? as u32;
        is_padding(rest).then_some(Self { tag, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_survives_its_text_at_every_length() {
        for tag in [
            Tag { run: 0, number: 1, due_us: 0 },
            Tag { run: u32::MAX, number: u32::MAX, due_us: (1 << 48) - 1 },
            Tag { run: 0x4f1c_09a2, number: 17, due_us: 0x40_1797 },
        ] {
            for text_bytes in [MIN_TEXT_BYTES, 64, 1000] {
                let text = tag.text(text_bytes);
                assert_eq!(text.len(), text_bytes);
                assert_eq!(Tag::parse(&text), Some(tag));
            }
            let name = tag.client_msg_id();
            assert_eq!(Tag::number_of(tag.run, &name), Some(tag.number));
            assert_eq!(Tag::number_of(tag.run ^ 1, &name), None);
            assert!(tag.is_named(&name) && !tag.is_named("x-y"));
            assert_eq!(Tag::number_of(tag.run, "x-y"), None);
            assert_eq!(Tag::number_of(tag.run, &name.replace('-', " ")), None);
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
        for (user, number) in [(0, 1), (999_999, u32::MAX)] {
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
        for text in [
            "",
            "hello",
            "hello my dear friends",
            "00000001 00000001 000000000000 ..x.",
            "00000001 00000001 00000000000G ....",
            "00000001 00000001 000000000000",
        ] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
