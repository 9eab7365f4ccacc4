//! UTF-8 that arrives in pieces (RFC 6455 section 8.1).
//!
//! A piece may end in the middle of a character. Such an end is carried over, at most three bytes of it; everything
//! else is checked at once, so bad text is refused with the first byte that cannot be right, however long the message
//! is going to be.

use super::ProtocolError;

/// Below this size, finding out that a text is ASCII is cheaper than starting the vectorized check.
const SHORT_BYTES: usize = 128;

/// Checks a whole text.
#[inline]
pub(super) fn check(text: &[u8]) -> Result<(), ProtocolError> {
    if text.len() < SHORT_BYTES && text.is_ascii() {
        return Ok(());
    }
    simdutf8::basic::from_utf8(text).map(|_| ()).map_err(|_| ProtocolError::InvalidUtf8)
}

/// Checks a text piece by piece.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The start of a character whose end has not arrived.
    carried: [u8; 4],
    /// How many of those bytes count.
    carried_len: usize,
}

impl Progress {
    /// Checks the next piece as far as it can be judged.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        let mut rest = piece;
        while self.carried_len > 0 {
            let Some((&byte, after)) = rest.split_first() else { return Ok(()) };
            rest = after;
            self.carried[self.carried_len] = byte;
            self.carried_len += 1;
            match std::str::from_utf8(&self.carried[..self.carried_len]) {
                Ok(_) => self.carried_len = 0,
                // At most three bytes can be a start only, so the next one still fits.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(ProtocolError::InvalidUtf8),
            }
        }
        match simdutf8::compat::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                let start = &rest[error.valid_up_to()..];
                self.carried[..start.len()].copy_from_slice(start);
                self.carried_len = start.len();
                Ok(())
            }
            Err(_) => Err(ProtocolError::InvalidUtf8),
        }
    }

    /// Checks that the text does not end inside a character.
    pub(super) fn finish(&self) -> Result<(), ProtocolError> {
        if self.carried_len == 0 { Ok(()) } else { Err(ProtocolError::InvalidUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a text, given byte by byte, is refused: `Err(index)` or, at its end, `Err(length)`.
    fn refused_at(text: &[u8]) -> Result<(), usize> {
        let mut progress = Progress::default();
        for (index, byte) in text.iter().enumerate() {
            progress.feed(&[*byte]).map_err(|_| index)?;
        }
        progress.finish().map_err(|_| text.len())
    }

    #[test]
    fn f4_bad_utf8_is_refused_with_the_first_byte_that_cannot_be_right() {
        let rows: [(&[u8], Result<(), usize>); 14] = [
            (b"", Ok(())),
            ("κόσμε".as_bytes(), Ok(())),
            (b"\xf4\x8f\xbf\xbf", Ok(())),          // U+10FFFF
            (b"ab\x80", Err(2)),                    // continuation without a start
            (b"\xc0\x80", Err(0)),                  // overlong
            (b"\xc1", Err(0)),                      // always overlong
            (b"\xe0\x80\x80", Err(1)),              // overlong
            (b"\xf0\x8f\xbf\xbf", Err(1)),          // overlong
            (b"\xed\xa0\x80", Err(1)),              // surrogate
            (b"\xf4\x90\x80\x80", Err(1)),          // above U+10FFFF
            (b"\xf5", Err(0)),                      // above U+10FFFF
            (b"\xce\xbaa\xff", Err(3)),             // never a byte of UTF-8
            (b"\xe2\x82", Err(2)),                  // ends too early
            (b"\xe2\x82\xac\xe2a\xac\x80", Err(4)), // cut by ASCII
        ];
        for (text, expected) in rows {
            assert_eq!(refused_at(text), expected, "{text:x?}");
            assert_eq!(check(text).is_ok(), expected.is_ok(), "{text:x?}");
        }
    }

    #[test]
    fn f3_every_split_of_a_text_is_accepted() {
        let text = "a¢€😀z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut progress = Progress::default();
                for piece in [&text[..first], &text[first..second], &text[second..]] {
                    progress.feed(piece).unwrap();
                }
                progress.finish().unwrap();
            }
        }
    }
}
