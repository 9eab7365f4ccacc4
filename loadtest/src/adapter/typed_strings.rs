//! Objects with a `type` in words. Nobody is told that a message arrived, and a sender does not see its own.
//!
//! ```text
//!   ◄── {"type":"system","content":"Welcome…"}
//!   ──► {"type":"private","content":"text","to":"17"}      ──► {"type":"group","content":"text","group_id":"3"}
//!   ◄── the same with "from"
//! ```

use bytes::BytesMut;
use serde::{Deserialize, Serialize};

use super::{Garbled, Heard, Loose, Out, Place, Post, Text, Word};
use super::{lines, object, put_json, shortened, word};

/// One user.
#[derive(Debug)]
pub(crate) struct TypedStrings {
    to: To,
}

#[derive(Clone, Debug, Serialize)]
enum To {
    #[serde(rename = "to")]
    User(String),
    #[serde(rename = "group_id")]
    Group(String),
}

#[derive(Serialize)]
struct Said<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    content: &'a str,
    #[serde(flatten)]
    to: &'a To,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Word<'a>>,
    #[serde(borrow)]
    content: Option<Loose<'a>>,
    #[serde(borrow)]
    error: Option<Word<'a>>,
}

impl TypedStrings {
    /// A user who talks with its partner, or in a group.
    pub(super) fn new(place: &Place) -> Self {
        let to = match &place.partner {
            Some(partner) => To::User(partner.clone()),
            None => To::Group(place.room.clone()),
        };
        Self { to }
    }

    /// Takes in a message of the server.
    #[expect(clippy::unused_self, reason = "the call is that of all adapters")]
    pub(super) fn take_in(&self, payload: &[u8], heard: &mut Vec<Heard>) -> Result<(), Garbled> {
        for line in lines(payload) {
            let Object { kind, content, error } = object(line)?;
            let text = content.as_ref().and_then(Loose::text);
            match word(kind.as_ref()) {
                // The first one welcomes; later ones are news, and change nothing.
                "system" => heard.push(Heard::Live),
                "private" | "group" => heard.extend(text.map(Text::read).map(Heard::Message)),
                "typing" | "read" => heard.push(Heard::Signal),
                "error" => heard.push(Heard::Error(shortened(text.unwrap_or("error")))),
                _ if error.is_some() => heard.push(Heard::Error(shortened(word(error.as_ref())))),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a send.
    pub(super) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        let kind = match self.to {
            To::User(_) => "private",
            To::Group(_) => "group",
        };
        put_json(frame, &Said { kind, content: post.text, to: &self.to });
    }

    /// Tells that the user is typing.
    pub(super) fn typing(&self, out: &mut Out) {
        out.push_json(&Said { kind: "typing", content: "", to: &self.to });
    }
}
