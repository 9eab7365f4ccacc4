//! Frames of the schema in both encodings: several to a WebSocket message.
//!
//! ```text
//!   Protobuf: ┌ varint length ┬ frame ┐┌ varint length ┬ frame ┐ …      one binary WebSocket message
//!   JSON:     { frame }\n{ frame }\n …                                  one text WebSocket message
//! ```
//!
//! Invariant: a frame that cannot be decoded says so without harm to the frames before it.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::misfit;
use crate::websocket::MessageKind;
use crate::wire;

/// The subprotocol of binary connections (RFC 6455 section 1.9).
pub const SUBPROTOCOL_PROTOBUF: &str = "ringwire.v1.protobuf";
/// The subprotocol of JSON connections.
pub const SUBPROTOCOL_JSON: &str = "ringwire.v1.json";
/// What a browser, which cannot set headers, prefixes to its token in the list of subprotocols.
pub const SUBPROTOCOL_BEARER_PREFIX: &str = "bearer.";

/// How a connection writes the schema down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Length-delimited Protobuf in binary WebSocket messages.
    Protobuf,
    /// Lines of JSON in text WebSocket messages.
    Json,
}

/// A frame that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not Protobuf, not JSON, or cut off: the rest of the message is lost as well.
    #[error("not decodable: {0}")]
    Malformed(String),
    /// A frame with a field of the wrong type or outside its range. `id` is the command's id, if it has
    /// one that can be read. The frames after it are not lost.
    #[error("field of the wrong type: {message}")]
    WrongType {
        /// The id to answer under; 0 where none could be read.
        id: u64,
        /// Which field, and what belongs there; nothing of what was sent.
        message: String,
    },
}

/// The types that travel as frames: `Command` and `ServerFrame`.
pub trait Frame: Message + Default + Serialize + DeserializeOwned {
    /// Refuses what one of the encodings lets pass and the other cannot say.
    fn check(&self) -> Result<(), DecodeError>;

    /// Why an object is no frame of this type, where the decoder said `error`.
    fn explain(_object: &serde_json::Map<String, serde_json::Value>, error: &str) -> String {
        error.to_owned()
    }
}

impl Frame for wire::Command {
    fn check(&self) -> Result<(), DecodeError> {
        match unspeakable_field(self) {
            None => Ok(()),
            Some(field) => {
                let message = format!("{field} has a value outside its range");
                Err(DecodeError::WrongType { id: self.id, message })
            }
        }
    }

    /// A peer is told about its command, in the words of the schema.
    fn explain(object: &serde_json::Map<String, serde_json::Value>, _error: &str) -> String {
        misfit::explain(object)
    }
}

impl Frame for wire::ServerFrame {
    /// A newer server may know more; its client ignores what it does not.
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// The field of a command with an enum number outside the schema, which Protobuf keeps, or with a coordinate that is
/// not finite. No JSON client could be told about the entry that comes of it.
fn unspeakable_field(command: &wire::Command) -> Option<&'static str> {
    use wire::Visibility;
    use wire::command::Op;
    use wire::group_settings::JoinPolicy;
    use wire::members::List;
    use wire::presence::Status;

    let message = |message: &Option<wire::Message>| {
        let message = message.as_ref()?;
        if wire::message::Kind::try_from(message.kind).is_err() {
            return Some("message.kind");
        }
        let location = message.location.as_ref()?;
        let finite = location.latitude.is_finite() && location.longitude.is_finite();
        (!finite).then_some("message.location")
    };
    let settings = |settings: &Option<wire::GroupSettings>| {
        let policy = settings.as_ref().and_then(|settings| settings.join_policy);
        policy
            .is_some_and(|policy| JoinPolicy::try_from(policy).is_err())
            .then_some("settings.join_policy")
    };
    match command.op.as_ref()? {
        Op::Send(send) => message(&send.message),
        Op::Edit(edit) => message(&edit.message),
        Op::Connect(connect) => Status::try_from(connect.status).is_err().then_some("status"),
        Op::SetStatus(status) => {
            let unknown = |chosen: Option<i32>| {
                chosen.is_some_and(|number| Visibility::try_from(number).is_err())
            };
            if Status::try_from(status.status).is_err() {
                return Some("status");
            }
            if unknown(status.status_visibility) {
                return Some("status_visibility");
            }
            unknown(status.last_seen_visibility).then_some("last_seen_visibility")
        }
        Op::Members(members) => List::try_from(members.list).is_err().then_some("list"),
        Op::CreateGroup(group) => match wire::ConversationKind::try_from(group.kind) {
            Ok(_) => settings(&group.settings),
            Err(_) => Some("kind"),
        },
        Op::UpdateGroup(group) => settings(&group.settings),
        Op::SetRole(role) => wire::Role::try_from(role.role).is_err().then_some("role"),
        _ => None,
    }
}

impl Encoding {
    /// The subprotocol that stands for this encoding.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Protobuf => SUBPROTOCOL_PROTOBUF,
            Self::Json => SUBPROTOCOL_JSON,
        }
    }

    /// The kind of WebSocket message that carries it.
    pub const fn message_kind(self) -> MessageKind {
        match self {
            Self::Protobuf => MessageKind::Binary,
            Self::Json => MessageKind::Text,
        }
    }

    /// What a kind of WebSocket message carries, on a connection without subprotocol.
    pub const fn of_message(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Binary => Self::Protobuf,
            MessageKind::Text => Self::Json,
        }
    }

    /// The encoding a subprotocol stands for.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        match name {
            SUBPROTOCOL_PROTOBUF => Some(Self::Protobuf),
            SUBPROTOCOL_JSON => Some(Self::Json),
            _ => None,
        }
    }

    /// The frames in the payload of one WebSocket message, in order. After `Malformed` there are no more.
    pub fn decode<F: Frame>(self, payload: &[u8]) -> Frames<'_, F> {
        Frames { encoding: self, rest: payload, frame: std::marker::PhantomData }
    }

    /// Appends one frame to the payload of a WebSocket message.
    pub fn encode<F: Frame>(self, frame: &F, payload: &mut BytesMut) {
        match self {
            Self::Protobuf => {
                let length = frame.encoded_len();
                payload.reserve(length + encoded_len_varint(length as u64));
                encode_varint(length as u64, payload);
                frame.encode_raw(payload);
            }
            Self::Json => {
                let before_bytes = payload.len();
                if before_bytes > 0 {
                    payload.put_u8(b'\n');
                }
                let serialized = serde_json::to_writer((&mut *payload).writer(), frame);
                // The generated serializers fail only for enum numbers outside the schema, which this side never
                // makes and which `Frame::check` keeps out of commands.
                debug_assert!(serialized.is_ok(), "{serialized:?}");
                if serialized.is_err() {
                    payload.truncate(before_bytes);
                }
            }
        }
    }

    /// One frame as the payload of a WebSocket message of its own.
    pub fn encode_one<F: Frame>(self, frame: &F) -> Bytes {
        let mut payload = BytesMut::new();
        self.encode(frame, &mut payload);
        payload.freeze()
    }
}

/// Iterator over the frames of one WebSocket message.
#[derive(Debug)]
pub struct Frames<'a, F> {
    pub(crate) encoding: Encoding,
    pub(crate) rest: &'a [u8],
    frame: std::marker::PhantomData<F>,
}

impl<F: Frame> Iterator for Frames<'_, F> {
    type Item = Result<F, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.encoding {
            Encoding::Protobuf => self.next_protobuf(),
            Encoding::Json => self.next_json(),
        }
    }
}

impl<F: Frame> Frames<'_, F> {
    fn next_protobuf(&mut self) -> Option<Result<F, DecodeError>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut rest = self.rest;
        // From here on a failure ends the message: without a sound length there is no next frame.
        self.rest = &[];
        let length = match decode_varint(&mut rest) {
            Ok(length) => length,
            Err(error) => return Some(Err(DecodeError::Malformed(error.to_string()))),
        };
        if length > rest.len() as u64 {
            return Some(Err(DecodeError::Malformed("frame is cut off".to_owned())));
        }
        let (bytes, rest) = rest.split_at(length as usize);
        // Filled where it stays: frames are large, and moves of them show.
        let mut frame = F::default();
        if let Err(error) = frame.merge(bytes) {
            return Some(Err(DecodeError::Malformed(error.to_string())));
        }
        self.rest = rest;
        if let Err(refused) = frame.check() {
            return Some(Err(refused));
        }
        Some(Ok(frame))
    }

    fn next_json(&mut self) -> Option<Result<F, DecodeError>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = self.rest.iter().position(|&byte| byte == b'\n').unwrap_or(self.rest.len());
            let line = self.rest[..end].trim_ascii();
            self.rest = self.rest.get(end + 1..).unwrap_or(&[]);
            if line.is_empty() {
                continue;
            }
            return Some(decode_line(line).inspect_err(|error| {
                if matches!(error, DecodeError::Malformed(_)) {
                    self.rest = &[];
                }
            }));
        }
    }
}

/// Decodes one line of JSON.
fn decode_line<F: Frame>(line: &[u8]) -> Result<F, DecodeError> {
    let error = match serde_json::from_slice::<F>(line) {
        Ok(frame) => return frame.check().map(|()| frame),
        Err(error) => error,
    };
    // The rare way: tell a broken line from a sound object, which can be answered under its id, and try once more
    // without nulls. In proto3 JSON a null stands for a field that is left out; the generated code refuses it.
    let Ok(serde_json::Value::Object(mut object)) = serde_json::from_slice(line) else {
        return Err(DecodeError::Malformed(error.to_string()));
    };
    let id = object.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    let error = if remove_nulls(&mut object) {
        match F::deserialize(&object) {
            Ok(frame) => return frame.check().map(|()| frame),
            Err(error) => error,
        }
    } else {
        error
    };
    let message = F::explain(&object, &error.to_string());
    Err(DecodeError::WrongType { id: id.unwrap_or(0), message })
}

/// Removes the fields that are null, here and in the objects below; answers whether there were any. What is in a list
/// stays: there a null has no meaning. `serde_json` has bounded the depth.
fn remove_nulls(object: &mut serde_json::Map<String, serde_json::Value>) -> bool {
    let before = object.len();
    object.retain(|_, value| !value.is_null());
    let mut removed = object.len() < before;
    for value in object.values_mut() {
        let objects = match value {
            serde_json::Value::Array(values) => values.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for object in objects.iter_mut().filter_map(serde_json::Value::as_object_mut) {
            removed |= remove_nulls(object);
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::command::Op;

    fn command(id: u64) -> wire::Command {
        wire::Command { id, received: 0, op: Some(Op::Ping(wire::Ping {})) }
    }

    #[test]
    fn several_frames_share_a_message_in_both_encodings() {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let mut payload = BytesMut::new();
            for id in 1..=3 {
                encoding.encode(&command(id), &mut payload);
            }
            let decoded: Result<Vec<wire::Command>, _> = encoding.decode(&payload).collect();
            assert_eq!(decoded, Ok(vec![command(1), command(2), command(3)]), "{encoding:?}");
        }
    }

    #[test]
    fn json_is_canonical_with_names_as_in_the_schema() {
        let line = r#"{"id":"18446744073709551615","send":{"conversation_id":"7","client_msg_id":"a","message":{"text":"hi"}}}"#;
        let frame: wire::Command = Encoding::Json.decode(line.as_bytes()).next().unwrap().unwrap();
        assert_eq!(frame.id, u64::MAX);
        assert_eq!(Encoding::Json.encode_one(&frame), line.as_bytes());
        // Numbers are accepted where strings are canonical, and unknown fields are ignored.
        let loose = br#"{"id":5,"new_field":[1],"ping":{"x":1}}"#;
        assert_eq!(Encoding::Json.decode(loose).next(), Some(Ok(command(5))));
    }

    #[test]
    fn unknown_operation_decodes_to_none() {
        let json = Encoding::Json.decode::<wire::Command>(br#"{"id":"9","dance":{}}"#).next();
        assert_eq!(json, Some(Ok(wire::Command { id: 9, received: 0, op: None })));
        // Field 1023, length-delimited, empty.
        let protobuf = [5, 0x08, 9, 0xfa, 0x3f, 0];
        let frame = Encoding::Protobuf.decode::<wire::Command>(&protobuf).next();
        assert_eq!(frame, Some(Ok(wire::Command { id: 9, received: 0, op: None })));
    }

    #[test]
    fn a_wrong_field_is_answered_under_its_id_and_the_next_line_still_counts() {
        let text = b"{\"id\":\"3\",\"send\":7}\n\n{\"id\":4,\"ping\":{}}";
        let frames: Vec<_> = Encoding::Json.decode::<wire::Command>(text).collect();
        assert!(matches!(frames[0], Err(DecodeError::WrongType { id: 3, .. })), "{frames:?}");
        assert_eq!(frames[1], Ok(command(4)));
    }

    #[test]
    fn a_value_that_one_encoding_cannot_say_is_refused_under_the_id_of_its_command() {
        let message = Some(wire::Message { kind: 99, ..wire::Message::default() });
        let settings = Some(wire::GroupSettings { join_policy: Some(99), ..Default::default() });
        let location = wire::Location { latitude: f64::INFINITY, ..wire::Location::default() };
        let astray = wire::Message { location: Some(location), ..wire::Message::default() };
        let ops = [
            Op::Send(wire::Send { message: Some(astray), ..wire::Send::default() }),
            Op::Send(wire::Send { message: message.clone(), ..wire::Send::default() }),
            Op::Edit(wire::Edit { message, ..wire::Edit::default() }),
            Op::Connect(wire::Connect { status: 99, ..wire::Connect::default() }),
            Op::SetStatus(wire::SetStatus { status: 99, ..wire::SetStatus::default() }),
            Op::SetStatus(wire::SetStatus { status_visibility: Some(99), ..Default::default() }),
            Op::SetStatus(wire::SetStatus { last_seen_visibility: Some(99), ..Default::default() }),
            Op::Members(wire::Members { list: 99, ..wire::Members::default() }),
            Op::CreateGroup(wire::CreateGroup { kind: 99, ..wire::CreateGroup::default() }),
            Op::CreateGroup(wire::CreateGroup {
                settings: settings.clone(),
                ..wire::CreateGroup::default()
            }),
            Op::UpdateGroup(wire::UpdateGroup { settings, ..wire::UpdateGroup::default() }),
            Op::SetRole(wire::SetRole { role: 99, ..wire::SetRole::default() }),
        ];
        for op in ops {
            let mut payload = BytesMut::new();
            let bad = wire::Command { id: 7, received: 0, op: Some(op) };
            Encoding::Protobuf.encode(&bad, &mut payload);
            Encoding::Protobuf.encode(&command(8), &mut payload);
            let frames: Vec<_> = Encoding::Protobuf.decode::<wire::Command>(&payload).collect();
            assert!(matches!(frames[0], Err(DecodeError::WrongType { id: 7, .. })), "{frames:?}");
            assert_eq!(frames[1], Ok(command(8)));
        }
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let mut payload = vec![0xff; 9];
        payload.push(0x01);
        let frames: Vec<_> = Encoding::Protobuf.decode::<wire::Command>(&payload).collect();
        assert!(matches!(frames[..], [Err(DecodeError::Malformed(_))]), "{frames:?}");
    }
}
