//! Objects with an integer `type` and an id of the client's own. A message is acknowledged when it is stored; one whose
//! id was seen before is acknowledged again and not delivered twice.
//!
//! ```text
//!   ──► {"type":99,"content":{}}  on connecting and every 25 s      ◄── {"type":99,…}: the user is there
//!   ──► {"message_id":"c0ffee-1","type":1,"to":"17","content":{"text":"text"}}
//!   ◄── {"type":30,"content":{"message_id":"c0ffee-1","seq":5}}
//!   ◄── {"message_id":"3-5","type":1,"from":"16","to":"17","content":{"text":"text"},…}
//! ```

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Garbled, Heard, Loose, Out, Place, Post, Text, Which, Word};
use super::{lines, object, put_json, shortened, word};

/// How often a client says that it is there.
pub(super) const BEAT_EVERY_US: u64 = 25_000_000;

const TEXT: i64 = 0;
const SINGLE_CHAT: i64 = 1;
const GROUP_CHAT: i64 = 2;
const ACK: i64 = 30;
const RECEIPT: i64 = 31;
const TYPING: i64 = 33;
const HEARTBEAT: i64 = 99;
const REPLACED: i64 = 100;

/// One user.
#[derive(Debug)]
pub(crate) struct Numbered {
    /// The other user, or the group.
    to: String,
    is_group: bool,
    /// The last message that is not confirmed as read: its conversation and its id.
    unread: Option<(Option<String>, String)>,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "message_id")]
    id: &'a str,
    #[serde(rename = "type")]
    kind: i64,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    content: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    text: &'a str,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "type")]
    kind: Option<i64>,
    #[serde(borrow)]
    message_id: Option<Word<'a>>,
    #[serde(borrow)]
    conversation_id: Option<Loose<'a>>,
    #[serde(borrow)]
    content: Option<Body<'a>>,
    #[serde(borrow)]
    error: Option<Word<'a>>,
}

/// The content of whichever type, or a text where it is none of these.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body<'a> {
    Fields {
        #[serde(borrow)]
        text: Option<Word<'a>>,
        #[serde(borrow)]
        message_id: Option<Word<'a>>,
        #[serde(borrow)]
        reason: Option<Word<'a>>,
    },
    Other(serde::de::IgnoredAny),
}

impl Numbered {
    /// A user who talks with its partner, or in a group.
    pub(super) fn new(place: &Place) -> Self {
        Self {
            to: place.partner.clone().unwrap_or_else(|| place.room.clone()),
            is_group: place.partner.is_none(),
            unread: None,
        }
    }

    /// Takes in a message of the server.
    pub(super) fn take_in(
        &mut self,
        payload: &[u8],
        heard: &mut Vec<Heard>,
    ) -> Result<(), Garbled> {
        for line in lines(payload) {
            let Object { kind, message_id, conversation_id, content, error } = object(line)?;
            let (text, inner_id, reason) = match &content {
                Some(Body::Fields { text, message_id, reason }) => {
                    (text.as_ref(), word(message_id.as_ref()), word(reason.as_ref()))
                }
                Some(Body::Other(_)) | None => (None, "", ""),
            };
            match kind.unwrap_or(-1) {
                TEXT | SINGLE_CHAT | GROUP_CHAT => {
                    let Some(text) = text else { continue };
                    heard.push(Heard::Message(Text::read(&text.0)));
                    let place = conversation_id.as_ref().and_then(Loose::text);
                    let id = word(message_id.as_ref()).to_owned();
                    self.unread = Some((place.map(str::to_owned), id));
                }
                ACK => {
                    let id = if inner_id.is_empty() { word(message_id.as_ref()) } else { inner_id };
                    heard.push(Heard::Acked(Which::Name(id.to_owned())));
                }
                RECEIPT | TYPING => heard.push(Heard::Signal),
                HEARTBEAT => heard.push(Heard::Live),
                REPLACED => {
                    heard.push(Heard::Failed(format!("logged out: {}", shortened(reason))));
                }
                _ => {
                    let Some(error) = &error else { continue };
                    let name = shortened(&error.0);
                    heard.push(match &message_id {
                        Some(id) => {
                            let which = Which::Name(id.0.clone().into_owned());
                            Heard::Refused { which, code: 0, name }
                        }
                        None => Heard::Error(name),
                    });
                }
            }
        }
        Ok(())
    }

    /// Writes a send.
    pub(super) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        put_json(
            frame,
            &Message {
                id: post.name,
                kind: if self.is_group { GROUP_CHAT } else { SINGLE_CHAT },
                to: &self.to,
                group_id: self.is_group.then_some(self.to.as_str()),
                content: Content { text: post.text },
            },
        );
    }

    /// Tells that the user is typing.
    pub(super) fn typing(&self, out: &mut Out) {
        let mut typing = json!({ "type": TYPING, "to": self.to, "content": { "is_typing": true } });
        if self.is_group {
            typing["group_id"] = self.to.as_str().into();
        }
        out.push_json(&typing);
    }

    /// A message is not confirmed as read.
    pub(super) fn owes_receipt(&self) -> bool {
        self.unread.is_some()
    }

    /// Confirms the last message.
    pub(super) fn receipt(&mut self, out: &mut Out) {
        let Some((conversation_id, message_id)) = self.unread.take() else { return };
        let mut content = json!({ "message_id": message_id });
        if let Some(conversation_id) = conversation_id {
            content["conversation_id"] = conversation_id.into();
        }
        out.push_json(&json!({ "type": RECEIPT, "to": self.to, "content": content }));
    }
}

/// Says that the user is there.
pub(super) fn beat(out: &mut Out) {
    out.push_json(&json!({ "type": HEARTBEAT, "content": {} }));
}
