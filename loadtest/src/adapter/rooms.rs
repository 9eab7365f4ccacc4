//! Numbered rooms, one at a time; whoever connects says which. Everybody in a room gets its messages, the sender as
//! well.
//!
//! ```text
//!   GET /ws?token=…&room_id=1
//!   ◄── {"type":"online_users","room_id":1,"data":{"users":[…]}}
//!   ──► {"type":"message","room_id":1,"content":"text"}
//!   ◄── {"type":"message","room_id":1,"data":{"id":5,"user_id":17,"content":"text",…}}
//! ```

use bytes::BytesMut;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Garbled, Heard, Place, Post, Text, Word};
use super::{lines, object, put_json, shortened, word};

/// One user in its room.
#[derive(Debug)]
pub(crate) struct Rooms {
    room: RoomId,
}

/// A number, as this protocol wants it, or whatever a server of its kind calls its rooms.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RoomId {
    Number(u64),
    Name(String),
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    room_id: &'a RoomId,
    content: &'a str,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Word<'a>>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(borrow)]
    error: Option<Word<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Data<'a> {
    Message {
        #[serde(borrow)]
        content: Word<'a>,
    },
    Other(IgnoredAny),
}

impl Rooms {
    /// A user of a room.
    pub(super) fn new(place: &Place) -> Self {
        let room = match place.room.parse() {
            Ok(number) => RoomId::Number(number),
            Err(_) => RoomId::Name(place.room.clone()),
        };
        Self { room }
    }

    /// Takes in a message of the server.
    #[expect(clippy::unused_self, reason = "the call is that of all adapters")]
    pub(super) fn take_in(&self, payload: &[u8], heard: &mut Vec<Heard>) -> Result<(), Garbled> {
        for line in lines(payload) {
            let Object { kind, data, error } = object(line)?;
            match (word(kind.as_ref()), data) {
                ("online_users", _) => heard.push(Heard::Live),
                ("message", Some(Data::Message { content })) => {
                    heard.push(Heard::Message(Text::read(&content.0)));
                }
                ("error", _) => {
                    let what = if error.is_some() { word(error.as_ref()) } else { "error" };
                    heard.push(Heard::Error(shortened(what)));
                }
                _ if error.is_some() => heard.push(Heard::Error(shortened(word(error.as_ref())))),
                // Who comes and goes; what is no message.
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a send.
    pub(super) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        put_json(frame, &Message { kind: "message", room_id: &self.room, content: post.text });
    }
}
