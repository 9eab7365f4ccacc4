//! The two frames of which a busy client gets nearly all, read where they lie: an acknowledged send, and the push of a
//! message of text alone.
//!
//! ```text
//!   payload ──► Frames::next_glance ──┬─ Some: borrowed from the payload, nothing built
//!                                     └─ None: the frame is still there; Frames::next decodes it
//! ```
//!
//! Decoding builds every type on the way and copies each text. Who counts millions of messages, as a load generator
//! does, or looks only for what concerns it, need not.
//!
//! Invariant: a glance tells exactly what decoding would. Whatever is unusual, be it a field that is not among those
//! below, one that comes twice, or anything malformed, is left to the decoder.

use prost::encoding::decode_varint;

use crate::codec::{Encoding, Frames};
use crate::{MsgNo, Seq, UnixMs, wire};

/// A frame read at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance<'a> {
    /// The reply to a `send`.
    SendAck(SendAck<'a>),
    /// The push of an entry that holds a message of text alone.
    Message(Message<'a>),
}

/// [`wire::SendAck`], with the id of the command it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendAck<'a> {
    /// The command's id.
    pub id: u64,
    /// The conversation.
    pub conversation_id: u64,
    /// Where the entry is in its log.
    pub seq: Seq,
    /// How many messages the conversation holds up to and with it.
    pub msg_no: MsgNo,
    /// When it was made.
    pub created_at: UnixMs,
    /// As the sender chose it.
    pub client_msg_id: &'a str,
}

/// [`wire::Entry`], with the text of the message it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The conversation.
    pub conversation_id: u64,
    /// Where the entry is in its log.
    pub seq: Seq,
    /// How many messages the conversation holds up to and with it.
    pub msg_no: MsgNo,
    /// Who sent it.
    pub sender_id: u64,
    /// When it was made.
    pub created_at: UnixMs,
    /// As the sender chose it.
    pub client_msg_id: &'a str,
    /// What it says.
    pub text: &'a str,
}

impl<'a> Frames<'a, wire::ServerFrame> {
    /// Takes the next frame if it is one of the two; of the Protobuf encoding only.
    pub fn next_glance(&mut self) -> Option<Glance<'a>> {
        if self.encoding != Encoding::Protobuf {
            return None;
        }
        let mut rest = self.rest;
        let glance = glance(take_bytes(&mut rest)?)?;
        self.rest = rest;
        Some(glance)
    }
}

/// What a `ServerFrame` holds, if it is one of the two.
fn glance(frame: &[u8]) -> Option<Glance<'_>> {
    match only_field(frame)? {
        (1, reply) => send_ack(reply).map(Glance::SendAck),
        (2, push) => message(sole(push, 1)?).map(Glance::Message),
        _ => None,
    }
}

fn send_ack(reply: &[u8]) -> Option<SendAck<'_>> {
    let (mut id, mut ack) = (None, None);
    for field in Fields(reply) {
        match field? {
            (1, Value::Number(number)) => once(&mut id, number)?,
            (20, Value::Bytes(bytes)) => once(&mut ack, bytes)?,
            _ => return None,
        }
    }
    let mut told = SendAck { id: id.unwrap_or(0), ..SendAck::default() };
    for field in Fields(ack?) {
        match field? {
            (1, Value::Number(number)) => told.conversation_id = number,
            (2, Value::Number(number)) => told.seq = number,
            (3, Value::Number(number)) => told.msg_no = number,
            (4, Value::Number(number)) => told.created_at = number.cast_signed(),
            (5, Value::Bytes(bytes)) => told.client_msg_id = text(bytes)?,
            _ => return None,
        }
    }
    Some(told)
}

fn message(entry: &[u8]) -> Option<Message<'_>> {
    let mut told = Message::default();
    let mut body = None;
    for field in Fields(entry) {
        match field? {
            (1, Value::Number(number)) => told.conversation_id = number,
            (2, Value::Number(number)) => told.seq = number,
            (3, Value::Number(number)) => told.msg_no = number,
            (4, Value::Number(number)) => told.sender_id = number,
            (5, Value::Number(number)) => told.created_at = number.cast_signed(),
            (6, Value::Bytes(bytes)) => told.client_msg_id = text(bytes)?,
            (7, Value::Bytes(bytes)) => once(&mut body, bytes)?,
            _ => return None,
        }
    }
    told.text = text(sole(sole(body?, 1)?, 2)?)?;
    Some(told)
}

/// A field of a message.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers; `None` among them: not to be read at a glance.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u32, Value<'a>)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| take_field(&mut self.0))
    }
}

/// The field at the head of `rest`. All that are read here have numbers below 16 and so a key of one byte, but for
/// `send_ack`, whose key has two.
#[inline]
fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Value<'a>)> {
    let key = u32::try_from(number(rest)?).ok()?;
    let value = match key & 7 {
        0 => Value::Number(number(rest)?),
        2 => Value::Bytes(take_bytes(rest)?),
        _ => return None,
    };
    Some((key >> 3, value))
}

/// The number at the head of `rest`, which is mostly a small one.
#[inline]
fn number(rest: &mut &[u8]) -> Option<u64> {
    let (&byte, behind) = rest.split_first()?;
    if byte >= 0x80 {
        return decode_varint(rest).ok();
    }
    *rest = behind;
    Some(byte.into())
}

/// What stands behind its own length at the head of `rest`.
#[inline]
fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(bytes)
}

/// The one field of a message that has no other, with its number.
fn only_field(mut message: &[u8]) -> Option<(u32, &[u8])> {
    match take_field(&mut message)? {
        (number, Value::Bytes(bytes)) if message.is_empty() => Some((number, bytes)),
        _ => None,
    }
}

/// The field with this number of a message that has no other.
fn sole(message: &[u8], number: u32) -> Option<&[u8]> {
    only_field(message).filter(|&(only, _)| only == number).map(|(_, bytes)| bytes)
}

/// Parts of a message that come twice are merged, which is no matter for a glance.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

fn text(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

impl From<Glance<'_>> for wire::ServerFrame {
    /// The frame it was read from.
    fn from(glance: Glance<'_>) -> Self {
        use wire::{entry_body, push, reply, server_frame};
        let frame = match glance {
            Glance::SendAck(ack) => {
                let outcome = reply::Outcome::SendAck(wire::SendAck {
                    conversation_id: ack.conversation_id,
                    seq: ack.seq,
                    msg_no: ack.msg_no,
                    created_at: ack.created_at,
                    client_msg_id: ack.client_msg_id.to_owned(),
                });
                server_frame::Frame::Reply(wire::Reply { id: ack.id, outcome: Some(outcome) })
            }
            Glance::Message(message) => {
                let text = message.text.to_owned();
                let kind = entry_body::Kind::Message(wire::Message { text, ..Default::default() });
                let entry = wire::Entry {
                    conversation_id: message.conversation_id,
                    seq: message.seq,
                    msg_no: message.msg_no,
                    sender_id: message.sender_id,
                    created_at: message.created_at,
                    client_msg_id: message.client_msg_id.to_owned(),
                    body: Some(wire::EntryBody { kind: Some(kind) }),
                    ..Default::default()
                };
                server_frame::Frame::Push(wire::Push { event: Some(push::Event::Entry(entry)) })
            }
        };
        Self { frame: Some(frame) }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn frames(payload: &[u8]) -> Frames<'_, wire::ServerFrame> {
        Encoding::Protobuf.decode(payload)
    }

    fn acks() -> impl Strategy<Value = wire::ServerFrame> {
        let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>());
        (numbers, ".{0,40}").prop_map(|((id, conversation_id, seq, msg_no, created_at), name)| {
            let client_msg_id = name.as_str();
            Glance::SendAck(SendAck { id, conversation_id, seq, msg_no, created_at, client_msg_id })
                .into()
        })
    }

    fn messages() -> impl Strategy<Value = wire::ServerFrame> {
        let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>());
        (numbers, ".{0,40}", ".{1,300}").prop_map(|(numbers, name, text)| {
            let (conversation_id, seq, msg_no, sender_id, created_at) = numbers;
            Glance::Message(Message {
                conversation_id,
                seq,
                msg_no,
                sender_id,
                created_at,
                client_msg_id: &name,
                text: &text,
            })
            .into()
        })
    }

    proptest! {
        #[test]
        fn both_kinds_are_read_as_they_are_decoded(
            sent in prop::collection::vec(prop_oneof![acks(), messages()], 0..8),
        ) {
            let mut payload = BytesMut::new();
            for frame in &sent {
                Encoding::Protobuf.encode(frame, &mut payload);
            }
            let mut frames = frames(&payload);
            for frame in &sent {
                prop_assert_eq!(&wire::ServerFrame::from(frames.next_glance().unwrap()), frame);
            }
            prop_assert_eq!(frames.next_glance(), None);
            prop_assert!(frames.next().is_none());
        }

        #[test]
        fn what_is_cut_or_changed_is_read_as_it_is_decoded(
            frame in prop_oneof![acks(), messages()],
            at: prop::sample::Index,
            byte: u8,
            cut: bool,
        ) {
            let mut payload = BytesMut::new();
            Encoding::Protobuf.encode(&frame, &mut payload);
            let at = at.index(payload.len());
            if cut {
                payload.truncate(at);
            } else {
                payload[at] = byte;
            }
            let (mut glanced, mut decoded) = (frames(&payload), frames(&payload));
            while let Some(glance) = glanced.next_glance() {
                prop_assert_eq!(Some(Ok(glance.into())), decoded.next());
            }
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_decoder() {
        use wire::{entry_body, push, server_frame};
        let message = wire::Message { text: "hi".into(), reply_to: 4, ..Default::default() };
        let entry = |kind, edited_at| {
            let body = Some(wire::EntryBody { kind });
            let event = push::Event::Entry(wire::Entry { edited_at, body, ..Default::default() });
            wire::ServerFrame {
                frame: Some(server_frame::Frame::Push(wire::Push { event: Some(event) })),
            }
        };
        let plain = wire::Message { text: "hi".into(), ..Default::default() };
        let unusual = [
            wire::ServerFrame::default(),
            entry(Some(entry_body::Kind::Message(message)), 0),
            entry(Some(entry_body::Kind::Message(plain.clone())), 7),
            entry(Some(entry_body::Kind::Message(wire::Message::default())), 0),
            entry(Some(entry_body::Kind::Left(wire::Left::default())), 0),
            entry(None, 0),
        ];
        for frame in unusual {
            let payload = Encoding::Protobuf.encode_one(&frame);
            let mut frames = frames(&payload);
            assert_eq!(frames.next_glance(), None, "{frame:?}");
            assert_eq!(frames.next(), Some(Ok(frame)));
        }
        // A push said twice is one with both halves.
        let usual = entry(Some(entry_body::Kind::Message(plain)), 0).encode_to_vec();
        let twice = [usual.as_slice(), usual.as_slice()].concat();
        assert!(glance(&usual).is_some() && glance(&twice).is_none());
        let json = Encoding::Json.encode_one(&wire::ServerFrame::default());
        assert_eq!(Encoding::Json.decode::<wire::ServerFrame>(&json).next_glance(), None);
    }
}
