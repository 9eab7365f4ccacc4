//! No protocol on top of WebSocket: a text is a message. An echo server gives it back, a broadcast server gives it to
//! everybody.
//!
//! ```text
//!   ──► text      ◄── text
//! ```

use super::{Garbled, Heard, Text};

/// One user of an echo or broadcast server.
#[derive(Debug)]
pub(crate) struct Raw;

impl Raw {
    /// Takes in a message: whatever it is, it is one.
    #[expect(clippy::unused_self, reason = "the call is that of all adapters")]
    pub(super) fn take_in(&self, payload: &[u8], heard: &mut Vec<Heard>) -> Result<(), Garbled> {
        let text = std::str::from_utf8(payload).map_err(Garbled::new)?;
        heard.push(Heard::Message(Text::read(text)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Stamp, Tag};

    #[test]
    fn every_text_is_a_message_and_what_is_no_text_is_garbled() {
        let stamp = Stamp { tag: Tag { run: 1, number: 2, due_us: 3 }, user: 4 };
        let mut heard = Vec::new();
        Raw.take_in(stamp.text(50).as_bytes(), &mut heard).unwrap();
        Raw.take_in(b"Welcome!", &mut heard).unwrap();
        assert_eq!(heard[0], Heard::Message(Text { stamp: Some(stamp), bytes: 50 }));
        assert_eq!(heard[1], Heard::Message(Text { stamp: None, bytes: 8 }));
        assert!(Raw.take_in(&[0xff, 0xfe], &mut heard).is_err());
    }
}
