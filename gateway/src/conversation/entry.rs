//! A committed entry as it goes out to sessions: encoded once, framed once, shared by all.

use std::sync::OnceLock;

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{
    WireType, decode_varint, encode_key, encode_varint, encoded_len_varint, int64, string, uint64,
};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::websocket::{MessageKind, frame};
use ringwire_protocol::{ConversationId, Seq, UserId, wire};
use ringwire_storage::model::{EntryRow, ReactionCount};

use crate::session::resume::About;

/// Two bytes and a 64-bit length; a server's frames carry no mask.
const MAX_SERVER_HEADER_BYTES: usize = 10;
/// How the encoded body of a message begins: with the key of `EntryBody.message`.
const MESSAGE_KEY: u8 = 1 << 3 | WireType::LengthDelimited as u8;
/// How the field `Message.kind` begins.
const KIND_KEY: u8 = 1 << 3 | WireType::Varint as u8;
/// The same of `EntryBody.edited` and `EntryBody.recalled`.
const EDITED_KEY: u8 = 2 << 3 | WireType::LengthDelimited as u8;
const RECALLED_KEY: u8 = 3 << 3 | WireType::LengthDelimited as u8;

/// The whole WebSocket frame of an entry's push, in each encoding.
#[derive(Debug)]
pub struct EntryFrame {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Position in it.
    pub seq: Seq,
    /// Who said it, if it is a message.
    pub speaker: Option<UserId>,
    /// What kind of message it is, if it is one.
    pub kind: Option<wire::message::Kind>,
    /// Of which message it has the body, or takes it back.
    pub about: About,
    protobuf: Bytes,
    /// Length of the WebSocket header in front of the payload.
    header_len: usize,
    /// Where the encoded entry itself begins; it is the last thing in the frame.
    entry_at: usize,
    /// Made when the first JSON session needs it, on whichever shard that is.
    json: OnceLock<Bytes>,
    /// The same compressed, when the first session needs that; `None`: it would not be smaller.
    compressed_json: OnceLock<Option<Bytes>>,
}

impl EntryFrame {
    /// Encodes the push of an entry.
    pub fn new(row: &EntryRow) -> Self {
        let (protobuf, header_len, entry_at) = encode_push(row);
        Self {
            conversation_id: row.conversation_id,
            seq: row.seq,
            speaker: row.sender_id.filter(|_| row.body.first() == Some(&MESSAGE_KEY)),
            kind: message_kind(&row.body),
            about: about(row),
            protobuf,
            header_len,
            entry_at,
            json: OnceLock::new(),
            compressed_json: OnceLock::new(),
        }
    }

    /// The encoded `wire::Entry`, shared with the frame.
    pub fn entry(&self) -> Bytes {
        self.protobuf.slice(self.entry_at..)
    }

    /// The frame for sessions of this encoding.
    pub fn frame(&self, encoding: Encoding) -> &Bytes {
        match encoding {
            Encoding::Protobuf => &self.protobuf,
            Encoding::Json => self.json.get_or_init(|| {
                let payload = &self.protobuf[self.header_len..];
                let mut lines = BytesMut::new();
                for frame in Encoding::Protobuf.decode::<wire::ServerFrame>(payload).flatten() {
                    Encoding::Json.encode(&frame, &mut lines);
                }
                frame::server_frame(MessageKind::Text, &lines)
            }),
        }
    }

    /// The frame for JSON sessions that take compressed messages, made once; `None`: send the plain one.
    pub fn compressed_json(&self, deflater: &mut Deflater) -> Option<&Bytes> {
        let compress = || {
            let payload = frame::server_frame_payload(self.frame(Encoding::Json));
            frame::compressed_server_frame(MessageKind::Text, payload, deflater)
        };
        self.compressed_json.get_or_init(compress).as_ref()
    }
}

/// What an entry tells of a message; only edits and recalls have to be decoded for this.
fn about(row: &EntryRow) -> About {
    match row.body.first() {
        Some(&MESSAGE_KEY) => About::Says((row.conversation_id, row.seq)),
        Some(&(EDITED_KEY | RECALLED_KEY)) => {
            let kind = wire::EntryBody::decode(row.body.clone()).ok().and_then(|body| body.kind);
            kind.map_or(About::Nothing, |kind| about_kind(row.conversation_id, row.seq, &kind))
        }
        _ => About::Nothing,
    }
}

/// Of which kind a message is, by the first bytes of its body; `None`: no message, or of a kind of a newer version.
fn message_kind(body: &[u8]) -> Option<wire::message::Kind> {
    let mut message = body.strip_prefix(&[MESSAGE_KEY])?;
    decode_varint(&mut message).ok()?;
    // Fields come in the order of their numbers, and the kind is the first; what is not said is 0.
    let number = match message {
        [KIND_KEY, number, ..] => i32::from(*number),
        _ => 0,
    };
    wire::message::Kind::try_from(number).ok()
}

/// What an entry as the schema has it tells of a message.
pub fn about_entry(entry: &wire::Entry) -> About {
    let id = ConversationId::new(entry.conversation_id);
    let kind = entry.body.as_ref().and_then(|body| body.kind.as_ref());
    id.zip(kind).map_or(About::Nothing, |(id, kind)| about_kind(id, entry.seq, kind))
}

fn about_kind(id: ConversationId, seq: Seq, kind: &wire::entry_body::Kind) -> About {
    match kind {
        wire::entry_body::Kind::Message(_) => About::Says((id, seq)),
        wire::entry_body::Kind::Edited(edited) => About::Says((id, edited.target_seq)),
        wire::entry_body::Kind::Recalled(recalled) => About::Recalls((id, recalled.target_seq)),
        _ => About::Nothing,
    }
}

/// The entry as the schema has it. A body that does not decode (written by a newer version) is left out.
pub fn wire_entry(row: &EntryRow) -> wire::Entry {
    let marks = row.marks.as_ref();
    wire::Entry {
        conversation_id: row.conversation_id.get(),
        seq: row.seq,
        msg_no: row.msg_no,
        sender_id: row.sender_id.map_or(0, UserId::get),
        created_at: row.created_at,
        client_msg_id: row.client_msg_id.clone(),
        body: wire::EntryBody::decode(row.body.clone()).ok(),
        edited_at: marks.map_or(0, |marks| marks.edited_at),
        recalled_at: marks.map_or(0, |marks| marks.recalled_at),
        reactions: marks
            .map_or_else(Vec::new, |marks| marks.reactions.iter().map(reaction_count).collect()),
        hidden: marks.is_some_and(|marks| marks.hidden),
    }
}

fn reaction_count(count: &ReactionCount) -> wire::ReactionCount {
    let ReactionCount { reaction, count, own } = count;
    wire::ReactionCount { reaction: reaction.clone(), count: *count, own: *own }
}

/// `ServerFrame{push{entry}}`, length-delimited, in a binary WebSocket frame. The stored body is put in as it is:
/// it never has to be decoded on the way from sender to recipients.
fn encode_push(row: &EntryRow) -> (Bytes, usize, usize) {
    let sender = row.sender_id.map_or(0, UserId::get);
    let mut fields = BytesMut::with_capacity(64 + row.client_msg_id.len());
    uint64::encode(1, &row.conversation_id.get(), &mut fields);
    uint64::encode(2, &row.seq, &mut fields);
    if row.msg_no != 0 {
        uint64::encode(3, &row.msg_no, &mut fields);
    }
    if sender != 0 {
        uint64::encode(4, &sender, &mut fields);
    }
    if row.created_at != 0 {
        int64::encode(5, &row.created_at, &mut fields);
    }
    if !row.client_msg_id.is_empty() {
        string::encode(6, &row.client_msg_id, &mut fields);
    }
    encode_key(7, WireType::LengthDelimited, &mut fields);
    encode_varint(row.body.len() as u64, &mut fields);
    let marks = marks(row);

    let entry_len = fields.len() + row.body.len() + marks.len();
    let push_len = 1 + encoded_len_varint(entry_len as u64) + entry_len;
    let frame_len = 1 + encoded_len_varint(push_len as u64) + push_len;
    let payload_len = encoded_len_varint(frame_len as u64) + frame_len;

    let mut out = BytesMut::with_capacity(payload_len + MAX_SERVER_HEADER_BYTES);
    frame::put_server_frame_header(MessageKind::Binary, payload_len, &mut out);
    let header_len = out.len();
    encode_varint(frame_len as u64, &mut out);
    encode_key(2, WireType::LengthDelimited, &mut out); // ServerFrame.push
    encode_varint(push_len as u64, &mut out);
    encode_key(1, WireType::LengthDelimited, &mut out); // Push.entry
    encode_varint(entry_len as u64, &mut out);
    let entry_at = out.len();
    out.put_slice(&fields);
    out.put_slice(&row.body);
    out.put_slice(&marks);
    (out.freeze(), header_len, entry_at)
}

/// When a later entry, which follows, changed the body or took it back. Reactions come with their own entries.
fn marks(row: &EntryRow) -> BytesMut {
    let mut fields = BytesMut::new();
    if let Some(marks) = &row.marks {
        if marks.edited_at != 0 {
            int64::encode(8, &marks.edited_at, &mut fields);
        }
        if marks.recalled_at != 0 {
            int64::encode(9, &marks.recalled_at, &mut fields);
        }
    }
    fields
}

/// What of a stored body people search in: the text of a message.
pub fn searched_text(body: &[u8]) -> Option<String> {
    match wire::EntryBody::decode(body).ok()?.kind? {
        wire::entry_body::Kind::Message(message) => Some(message.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ringwire_storage::model::EntryMarks;

    use super::*;

    fn push(entry: wire::Entry) -> wire::ServerFrame {
        let push = wire::Push { event: Some(wire::push::Event::Entry(entry)) };
        wire::ServerFrame { frame: Some(wire::server_frame::Frame::Push(push)) }
    }

    fn row(text: &str, sender: Option<UserId>) -> EntryRow {
        let message = wire::Message { text: text.to_owned(), ..Default::default() };
        let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) };
        EntryRow {
            conversation_id: ConversationId::new(77).unwrap(),
            seq: 300,
            msg_no: 299,
            sender_id: sender,
            created_at: 1_700_000_000_000,
            client_msg_id: "abc".to_owned(),
            body: body.encode_to_vec().into(),
            damaged: false,
            marks: None,
            command_hash: 0,
        }
    }

    #[test]
    fn the_spliced_frame_is_what_the_codec_writes() {
        for (text, sender) in
            [("hi", UserId::new(5)), ("", None), (&*"x".repeat(70_000), UserId::new(1))]
        {
            let marks = EntryMarks { edited_at: 5, recalled_at: 6, ..Default::default() };
            let marks = sender.map(|_| Box::new(marks));
            let row = EntryRow { marks, ..row(text, sender) };
            let entry = EntryFrame::new(&row);
            for (encoding, kind) in
                [(Encoding::Protobuf, MessageKind::Binary), (Encoding::Json, MessageKind::Text)]
            {
                let expected = encoding.encode_one(&push(wire_entry(&row)));
                assert_eq!(entry.frame(encoding), &frame::server_frame(kind, &expected));
            }
            assert_eq!(wire::Entry::decode(entry.entry()).unwrap(), wire_entry(&row));
            assert_eq!(entry.speaker, sender);
        }
    }

    #[test]
    fn the_compressed_frame_is_made_once_and_only_where_it_is_smaller() {
        let (mut first, mut second) = (Deflater::default(), Deflater::default());
        let entry = EntryFrame::new(&row(&"again and again ".repeat(50), UserId::new(5)));
        let compressed = entry.compressed_json(&mut first).expect("it gets smaller");
        assert!(compressed.len() < entry.frame(Encoding::Json).len() / 2);
        let shared = entry.compressed_json(&mut second).expect("the same frame");
        assert_eq!(shared.as_ptr(), compressed.as_ptr());
        let short = EntryFrame::new(&row("hi", UserId::new(5)));
        assert_eq!(short.compressed_json(&mut first), None);
    }

    #[test]
    fn messages_and_edits_have_a_body_that_a_recall_takes_back() {
        use wire::entry_body::Kind;
        let subject = |seq| (ConversationId::new(77).unwrap(), seq);
        for (kind, about) in [
            (Kind::Message(wire::Message::default()), About::Says(subject(300))),
            (
                Kind::Edited(wire::Edited { target_seq: 9, ..Default::default() }),
                About::Says(subject(9)),
            ),
            (Kind::Recalled(wire::Recalled { target_seq: 9 }), About::Recalls(subject(9))),
            (Kind::Pinned(wire::Pinned { target_seq: 9, ..Default::default() }), About::Nothing),
        ] {
            let body = wire::EntryBody { kind: Some(kind) }.encode_to_vec().into();
            let row = EntryRow { body, ..row("", None) };
            assert_eq!(EntryFrame::new(&row).about, about);
            assert_eq!(about_entry(&wire_entry(&row)), about);
        }
    }

    #[test]
    fn the_kind_of_a_message_is_read_without_decoding_it() {
        for number in 0..=8 {
            let kind = wire::message::Kind::try_from(number).unwrap();
            for text in ["", "short", &"long ".repeat(100)] {
                let message = wire::Message {
                    kind: number,
                    text: text.to_owned(),
                    mention_all: true,
                    ..Default::default()
                };
                let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) };
                assert_eq!(message_kind(&body.encode_to_vec()), Some(kind));
            }
        }
        let pinned = wire::entry_body::Kind::Pinned(wire::Pinned::default());
        let pinned = wire::EntryBody { kind: Some(pinned) }.encode_to_vec();
        assert_eq!(message_kind(&pinned), None);
        assert_eq!(message_kind(&[]), None);
        assert_eq!(message_kind(&[MESSAGE_KEY, 0xff]), None);
        assert_eq!(message_kind(&[MESSAGE_KEY, 2, KIND_KEY, 99]), None, "of a newer version");
    }

    #[test]
    fn only_messages_are_said_by_somebody() {
        let joined = wire::entry_body::Kind::Joined(wire::Joined::default());
        let body = wire::EntryBody { kind: Some(joined) }.encode_to_vec().into();
        let row = EntryRow { body, ..row("", UserId::new(5)) };
        assert_eq!(EntryFrame::new(&row).speaker, None);
    }
}
