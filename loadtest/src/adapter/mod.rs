//! Protocols of other servers, so that the same scenario can be played against them: bytes in, bytes out, no socket.
//!
//! ```text
//!              request (path, subprotocol) ──►            open ──► first frames
//!   guest ──►  send, typing, receipt, history, beat ──►   Adapter ──► frames ──► socket
//!   guest ◄──  Heard: live, message, acknowledged … ◄──     │    ◄── payloads ◄── socket
//!                                                           └──► answers to pings and the like
//! ```
//!
//! One file a protocol. An adapter knows how things are said there, and nothing of schedules, latencies and ledgers,
//! which `guest` and those above it know. The set is closed: a new protocol is a new variant, which the compiler then
//! asks everybody about.
//!
//! Invariants: what a server sends never panics; what is no frame of the protocol is [`Garbled`] and ends the
//! connection; what is one but says nothing to us is passed over.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::{BufMut as _, BytesMut};
use ringwire_protocol::websocket::MessageKind;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::message::Stamp;
use crate::scenario::{Acks, Foreign, Protocol};

mod centrifugo;
mod notify;
mod numbered;
mod payload;
mod raw;
mod request;
mod rooms;
mod socket_io;
mod typed_strings;

pub(crate) use request::{Request, own_or_usual};

/// Frames of an adapter's own, as answers to pings, that may wait for the socket; further ones are left out. A server
/// that asks on without reading would otherwise fill the memory.
const MAX_WAITING: usize = 32;

/// Who a user is at a foreign server, and with whom it talks.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its token; empty: it has none.
    pub(crate) token: String,
    /// Its id.
    pub(crate) user: String,
    /// The other one, where two talk.
    pub(crate) partner: Option<String>,
    /// The conversation's room, group or channel.
    pub(crate) room: String,
    /// There is a conversation: a room that has to be entered, if the protocol has rooms.
    pub(crate) converses: bool,
}

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Post<'a> {
    /// The command's number on this connection; unique, above 0.
    pub(crate) id: u32,
    /// The sender's own name for the message, the same when it is repeated; see [`crate::message::Tag::client_msg_id`].
    pub(crate) name: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
}

/// How a server names a send it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// By the number of its command.
    Id(u32),
    /// By the sender's name for it.
    Name(String),
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// From now on the user can send, and receives. Said again on the same connection it changes nothing.
    Live,
    /// A message.
    Message(Text),
    /// A send is taken.
    Acked(Which),
    /// A send, or a look at the history, is refused.
    Refused {
        /// Which one.
        which: Which,
        /// The server's code, 0 where it has none.
        code: u32,
        /// What it is called in reports.
        name: String,
    },
    /// A look at the history is answered.
    HistoryRead {
        /// The number of its command.
        id: u32,
    },
    /// Who types, or how far somebody got.
    Signal,
    /// Something went wrong that stops nobody.
    Error(String),
    /// The user cannot go on; a new connection would not help.
    Failed(String),
}

/// The text of a message, read: latency and identity are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Which message it is; `None`: no generator wrote it, or not like this.
    pub(crate) stamp: Option<Stamp>,
    /// How long it is.
    pub(crate) bytes: usize,
}

impl Text {
    /// Reads a text.
    pub(crate) fn read(text: &str) -> Self {
        Self { stamp: Stamp::parse(text), bytes: text.len() }
    }
}

/// No frame of the protocol.
#[derive(Debug, thiserror::Error)]
#[error("no frame of this protocol: {0}")]
pub(crate) struct Garbled(String);

impl Garbled {
    fn new(what: impl std::fmt::Display) -> Self {
        Self(what.to_string())
    }
}

/// Frames that an adapter has to send by itself.
#[derive(Debug, Default)]
pub(crate) struct Out {
    waiting: VecDeque<BytesMut>,
}

impl Out {
    /// Queues a frame.
    fn push(&mut self, frame: impl AsRef<[u8]>) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(BytesMut::from(frame.as_ref()));
        }
    }

    /// Queues an object.
    fn push_json(&mut self, object: &impl Serialize) {
        let mut frame = BytesMut::new();
        put_json(&mut frame, object);
        self.push(frame);
    }

    /// The next frame to be sent.
    pub(crate) fn pop(&mut self) -> Option<BytesMut> {
        self.waiting.pop_front()
    }

    /// The connection is gone, and with it what waited for it.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Writes an object behind what is in the frame. Our own objects have string keys, so that this cannot fail.
fn put_json(frame: &mut BytesMut, object: &impl Serialize) {
    let _ = serde_json::to_writer(frame.writer(), object);
}

/// The objects of a text frame: servers in a hurry put several into one, a line each.
fn lines(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    payload.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty())
}

/// Reads an object.
fn object<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Garbled> {
    serde_json::from_slice(line).map_err(Garbled::new)
}

/// An error in words, shortened: servers may write essays, and every different one is a line of the report.
fn shortened(what: &str) -> String {
    const MAX_CHARS: usize = 80;
    what.chars().filter(|character| !character.is_control()).take(MAX_CHARS).collect()
}

/// A string that is borrowed where its JSON needs no unescaping.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text, where others may have anything.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Loose<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
}

impl Loose<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

/// What an optional string says; empty where there is none.
fn word<'a>(word: Option<&'a Word<'_>>) -> &'a str {
    word.map_or("", |word| &word.0)
}

/// One user's side of a foreign protocol.
#[derive(Debug)]
pub(crate) enum Adapter {
    /// Echo and broadcast.
    Raw(raw::Raw),
    TypedStrings(typed_strings::TypedStrings),
    Rooms(rooms::Rooms),
    Notify(notify::Notify),
    Payload(payload::Payload),
    Numbered(numbered::Numbered),
    SocketIo(socket_io::SocketIo),
    Centrifugo(centrifugo::Centrifugo),
}

impl Adapter {
    /// The adapter of a protocol; `None`: Ringwire's own needs none.
    pub(crate) fn new(protocol: Protocol, place: &Place, foreign: &Foreign) -> Option<Self> {
        Some(match protocol {
            Protocol::Ringwire => return None,
            Protocol::Echo | Protocol::Broadcast => Self::Raw(raw::Raw),
            Protocol::TypedStrings => Self::TypedStrings(typed_strings::TypedStrings::new(place)),
            Protocol::Rooms => Self::Rooms(rooms::Rooms::new(place)),
            Protocol::Notify => Self::Notify(notify::Notify),
            Protocol::Payload => Self::Payload(payload::Payload),
            Protocol::Numbered => Self::Numbered(numbered::Numbered::new(place)),
            Protocol::SocketIo => {
                let answers = protocol.acks(foreign) == Acks::Server;
                Self::SocketIo(socket_io::SocketIo::new(place, foreign, answers))
            }
            Protocol::CentrifugoJson => {
                Self::Centrifugo(centrifugo::Centrifugo::new(place, centrifugo::Codec::Json))
            }
            Protocol::CentrifugoProtobuf => {
                Self::Centrifugo(centrifugo::Centrifugo::new(place, centrifugo::Codec::Protobuf))
            }
        })
    }

    /// How frames travel.
    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Centrifugo(centrifugo) => centrifugo.kind(),
            _ => MessageKind::Text,
        }
    }

    /// The WebSocket is open.
    pub(crate) fn open(&mut self, out: &mut Out, heard: &mut Vec<Heard>) {
        match self {
            Self::Raw(_) => heard.push(Heard::Live),
            // The server speaks first.
            Self::TypedStrings(_)
            | Self::Rooms(_)
            | Self::Notify(_)
            | Self::Payload(_)
            | Self::SocketIo(_) => {}
            // The answer says that the server knows the user.
            Self::Numbered(_) => numbered::beat(out),
            Self::Centrifugo(centrifugo) => centrifugo.open(out),
        }
    }

    /// Takes in a message of the server.
    pub(crate) fn take_in(
        &mut self,
        payload: &[u8],
        out: &mut Out,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Garbled> {
        match self {
            Self::Raw(raw) => raw.take_in(payload, heard),
            Self::TypedStrings(typed) => typed.take_in(payload, heard),
            Self::Rooms(rooms) => rooms.take_in(payload, heard),
            Self::Notify(notify) => notify.take_in(payload, out, heard),
            Self::Payload(dialect) => dialect.take_in(payload, heard),
            Self::Numbered(numbered) => numbered.take_in(payload, heard),
            Self::SocketIo(socket_io) => socket_io.take_in(payload, out, heard),
            Self::Centrifugo(centrifugo) => centrifugo.take_in(payload, out, heard),
        }
    }

    /// Writes a send into a frame.
    pub(crate) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        match self {
            Self::Raw(_) => frame.extend_from_slice(post.text.as_bytes()),
            Self::TypedStrings(typed) => typed.send(post, frame),
            Self::Rooms(rooms) => rooms.send(post, frame),
            // A scenario with sends is refused.
            Self::Notify(_) => {}
            Self::Payload(_) => payload::send(post, frame),
            Self::Numbered(numbered) => numbered.send(post, frame),
            Self::SocketIo(socket_io) => socket_io.send(post, frame),
            Self::Centrifugo(centrifugo) => centrifugo.send(post, frame),
        }
    }

    /// Tells the others that the user is typing; a protocol without such signals has none to tell.
    pub(crate) fn typing(&self, out: &mut Out) {
        match self {
            Self::TypedStrings(typed) => typed.typing(out),
            Self::Payload(_) => payload::typing(out),
            Self::Numbered(numbered) => numbered.typing(out),
            Self::Raw(_)
            | Self::Rooms(_)
            | Self::Notify(_)
            | Self::SocketIo(_)
            | Self::Centrifugo(_) => {}
        }
    }

    /// Confirms the last message as read, if there is one that was not.
    pub(crate) fn receipt(&mut self, out: &mut Out) {
        if let Self::Numbered(numbered) = self {
            numbered.receipt(out);
        }
    }

    /// There is something to confirm.
    pub(crate) fn owes_receipt(&self) -> bool {
        matches!(self, Self::Numbered(numbered) if numbered.owes_receipt())
    }

    /// Looks at the newest entries of the history, as command `id`.
    pub(crate) fn history(&self, id: u32, limit: u32, out: &mut Out) {
        if let Self::Centrifugo(centrifugo) = self {
            centrifugo.history(id, limit, out);
        }
    }

    /// How often the user has to say that it is there, in microseconds; `None`: the server asks.
    pub(crate) fn beat_every_us(&self) -> Option<u64> {
        matches!(self, Self::Numbered(_)).then_some(numbered::BEAT_EVERY_US)
    }

    /// Says that the user is there.
    pub(crate) fn beat(&self, out: &mut Out) {
        if matches!(self, Self::Numbered(_)) {
            numbered::beat(out);
        }
    }
}

#[cfg(test)]
mod tests;
