//! Named rooms, made on first use; every object has a `type` and a `payload`. Everybody in a room gets its messages,
//! the sender as well.
//!
//! ```text
//!   GET /ws/chat/kitchen?token=…
//!   ◄── {"type":"init","payload":{"user":{…},"users":[…]}}
//!   ──► {"type":"message","payload":{"content":"text"}}
//!   ◄── {"type":"message","payload":{"id":…,"user_id":…,"content":"text","type":"text",…}}
//! ```

use bytes::BytesMut;
use serde::{Deserialize, Serialize};

use super::{Garbled, Heard, Loose, Out, Post, Text, Word};
use super::{lines, object, put_json, shortened, word};

/// One user in its room.
#[derive(Debug)]
pub(crate) struct Payload;

#[derive(Serialize)]
struct Said<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    payload: T,
}

#[derive(Serialize)]
struct Message<'a> {
    content: &'a str,
}

#[derive(Serialize)]
struct Typing {
    is_typing: bool,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Word<'a>>,
    #[serde(borrow)]
    payload: Option<Inner<'a>>,
}

#[derive(Default, Deserialize)]
struct Inner<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Loose<'a>>,
    #[serde(borrow)]
    content: Option<Loose<'a>>,
    #[serde(borrow)]
    message: Option<Loose<'a>>,
}

impl Payload {
    /// Takes in a message of the server.
    #[expect(clippy::unused_self, reason = "the call is that of all adapters")]
    pub(super) fn take_in(&self, payload: &[u8], heard: &mut Vec<Heard>) -> Result<(), Garbled> {
        for line in lines(payload) {
            let Object { kind, payload } = object(line)?;
            let inner = payload.unwrap_or_default();
            match word(kind.as_ref()) {
                "init" => heard.push(Heard::Live),
                // "NAME joined" is a message, too.
                "message" if text(inner.kind.as_ref()) != Some("system") => {
                    heard.extend(text(inner.content.as_ref()).map(Text::read).map(Heard::Message));
                }
                "typing" => heard.push(Heard::Signal),
                "error" => {
                    heard.push(Heard::Error(shortened(
                        text(inner.message.as_ref()).unwrap_or("error"),
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a field says, if that is a text.
fn text<'a>(field: Option<&'a Loose<'_>>) -> Option<&'a str> {
    field.and_then(Loose::text)
}

/// Writes a send.
pub(super) fn send(post: Post<'_>, frame: &mut BytesMut) {
    put_json(frame, &Said { kind: "message", payload: Message { content: post.text } });
}

/// Tells that the user is typing.
pub(super) fn typing(out: &mut Out) {
    out.push_json(&Said { kind: "typing", payload: Typing { is_typing: true } });
}
