//! One plain function per parser. `protocol/fuzz` gives them to libFuzzer, `fuzz_replay` gives them the corpus.
//!
//! Each takes any bytes, must not panic, and checks what has to hold whatever the bytes are (promises F2 and F3).

// The fuzzing crate shows this module to its targets; for the tests it is private.
#![allow(unreachable_pub)]

use std::fmt::Debug;
use std::io::Cursor;

use bytes::BytesMut;
use ringwire_protocol::codec::{Encoding, Frame};
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::websocket::handshake::{
    ClientHandshake, MAX_HEAD_BYTES, Parsed, accept_response, parse_request,
};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
use ringwire_protocol::wire;
use tungstenite::protocol::frame::FrameHeader;

const LIMITS: Limits = Limits { max_message_bytes: 64 * 1024 };

/// What is fuzzed.
pub type Target = fn(&[u8]);

/// The parsers by name; the corpus lies in folders of these names.
pub const TARGETS: [(&str, Target); 8] = [
    ("frame", frame),
    ("assembly", assembly),
    ("deflate", deflate),
    ("inflate", inflate),
    ("handshake", handshake),
    ("protobuf", protobuf),
    ("json", json),
    ("glance", glance),
];

/// A connection whose role is chosen by the first byte.
fn connection(selector: u8) -> (Connection, Role) {
    match selector & 1 {
        0 => (Connection::new(Role::Server, LIMITS), Role::Server),
        _ => (Connection::new_client(7, LIMITS), Role::Client),
    }
}

/// The first frame is what tungstenite's parser takes it for, or is refused. First byte: the role.
pub fn frame(data: &[u8]) {
    let Some((&selector, bytes)) = data.split_first() else { return };
    let (mut connection, role) = connection(selector);
    let mut received = bytes.to_vec();
    let mut input = Input::new(&mut received);
    let Ok(event) = connection.poll(&mut input) else { return };

    let mut cursor = Cursor::new(bytes);
    let header = FrameHeader::parse(&mut cursor).expect("accepted here, so accepted there");
    let rest = &bytes[cursor.position() as usize..];
    let complete = header.and_then(|(header, length)| {
        assert_eq!(header.mask.is_some(), role == Role::Server);
        assert!(!header.rsv1 && !header.rsv2 && !header.rsv3);
        Some((header, rest.get(..usize::try_from(length).ok()?)?))
    });
    let Some((header, payload)) = complete else {
        return assert_eq!(event, None, "an incomplete frame tells nothing");
    };
    if !header.is_final {
        return;
    }
    let key = header.mask.unwrap_or_default();
    let expected: Vec<u8> =
        payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    match event.expect("a complete frame tells something") {
        Event::Message { payload, .. } | Event::Ping(payload) | Event::Pong(payload) => {
            assert_eq!(payload, expected);
        }
        Event::Close { code, reason } => {
            let code = code.map(u16::to_be_bytes);
            assert_eq!(
                [code.as_ref().map_or(&[][..], |code| code), reason.as_bytes()].concat(),
                expected
            );
        }
    }
}

/// A stream of frames comes to the same however it is split. First byte: the role; second: the size of the pieces.
pub fn assembly(data: &[u8]) {
    let [selector, size, bytes @ ..] = data else { return };
    let fresh = || connection(*selector).0;
    let whole = assemble(fresh(), [bytes]);
    assert_eq!(assemble(fresh(), bytes.chunks(1)), whole);
    assert_eq!(assemble(fresh(), bytes.chunks(usize::from(*size).max(1))), whole);
}

/// The same where compressed messages were agreed on.
pub fn deflate(data: &[u8]) {
    let [selector, size, bytes @ ..] = data else { return };
    let fresh = || connection(*selector).0.with_deflate();
    let whole = assemble(fresh(), [bytes]);
    assert_eq!(assemble(fresh(), bytes.chunks(1)), whole);
    assert_eq!(assemble(fresh(), bytes.chunks(usize::from(*size).max(1))), whole);
}

/// Any bytes as the payload of one compressed binary message: it is refused, or comes back the same when it is
/// compressed and uncompressed once more.
pub fn inflate(data: &[u8]) {
    let mut frame = BytesMut::new();
    frame::put_server_frame(MessageKind::Binary, data, &mut frame);
    frame[0] |= 0x40;
    let Some(message) = inflated(&mut frame) else { return };
    assert!(message.len() <= LIMITS.max_message_bytes);
    let mut again = BytesMut::new();
    let mut deflater = Deflater::default();
    frame::put_smaller_server_frame(MessageKind::Binary, &message, &mut deflater, &mut again);
    assert!(again.len() <= message.len() + 10, "never larger than the plain frame");
    assert_eq!(inflated(&mut again), Some(message));
}

/// The message in one frame, if it holds one.
fn inflated(frame: &mut [u8]) -> Option<Vec<u8>> {
    let mut client = Connection::new_client(7, LIMITS).with_deflate();
    let mut input = Input::new(frame);
    match client.poll(&mut input) {
        Ok(Some(Event::Message { payload, .. })) => Some(payload.to_vec()),
        Ok(other) => panic!("a whole frame is a message: {other:?}"),
        Err(error) => {
            assert!(matches!(error.close_code(), 1007 | 1009), "{error}");
            None
        }
    }
}

/// Events and answers of a connection; at most one error, and the answers stay in proportion.
fn assemble<'b>(
    mut connection: Connection,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> (Vec<String>, Vec<u8>) {
    let mut log = Vec::new();
    let (mut read_bytes, mut errors) = (0, 0);
    for piece in pieces {
        read_bytes += piece.len();
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            match connection.poll(&mut input) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    if let Event::Message { payload, .. } = event {
                        assert!(payload.len() <= LIMITS.max_message_bytes);
                    }
                    log.push(format!("{event:?}"));
                }
                Err(error) => {
                    errors += 1;
                    assert!(matches!(error.close_code(), 1002 | 1007 | 1009));
                    log.push(format!("{error:?}"));
                }
            }
        }
        assert_eq!(input.remaining(), 0);
    }
    assert!(errors <= 1 && (errors == 0 || connection.is_closed()));
    let answers = connection.output().to_vec();
    // A client's pong to an empty ping is three times as large as the ping.
    assert!(answers.len() <= 3 * read_bytes + 8);
    (log, answers)
}

/// A head is judged once, by its own bytes alone, and no token shows. First byte: server or client.
pub fn handshake(data: &[u8]) {
    let Some((&selector, bytes)) = data.split_first() else { return };
    if selector & 1 == 0 {
        let Ok(Parsed::Upgrade { request, consumed }) = parse_request(bytes) else { return };
        assert!(consumed <= bytes.len().min(MAX_HEAD_BYTES));
        for end in [0, consumed / 2, consumed - 1] {
            assert!(matches!(parse_request(&bytes[..end]), Ok(Parsed::Incomplete)));
        }
        let Ok(Parsed::Upgrade { request: again, .. }) = parse_request(&bytes[..consumed]) else {
            panic!("the head alone is judged differently");
        };
        assert_eq!(again, request);
        for subprotocol in [None, request.protocols.first().map(String::as_str)] {
            let response = accept_response(&request, subprotocol, request.deflate);
            assert_eq!(response.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count(), 1);
        }
    } else {
        let (client, _) = ClientHandshake::new("h", "/", &["a"], &[]);
        if let Ok(Some((response, consumed))) = client.parse_response(bytes) {
            assert!(consumed <= bytes.len().min(MAX_HEAD_BYTES));
            let again = client.parse_response(&bytes[..consumed]);
            assert_eq!(again, Ok(Some((response, consumed))));
            assert_eq!(client.parse_response(&bytes[..consumed - 1]), Ok(None));
        }
    }
}

/// Frames in Protobuf.
pub fn protobuf(data: &[u8]) {
    frames::<wire::Command>(Encoding::Protobuf, data, &[Encoding::Protobuf, Encoding::Json]);
    // What a newer server may send is kept, though JSON cannot say all of it.
    frames::<wire::ServerFrame>(Encoding::Protobuf, data, &[Encoding::Protobuf]);
}

/// Frames in JSON.
pub fn json(data: &[u8]) {
    frames::<wire::Command>(Encoding::Json, data, &[Encoding::Protobuf, Encoding::Json]);
    frames::<wire::ServerFrame>(Encoding::Json, data, &[Encoding::Protobuf]);
}

/// What is read at a glance is what would be decoded, in this frame and in those behind it.
pub fn glance(data: &[u8]) {
    let frames = || Encoding::Protobuf.decode::<wire::ServerFrame>(data);
    let (mut glanced, mut decoded) = (frames(), frames());
    loop {
        let told = glanced.next_glance().map(|glance| Ok(glance.into()));
        let Some(frame) = told.or_else(|| glanced.next()) else { break };
        assert_eq!(Some(frame), decoded.next());
    }
    assert!(decoded.next().is_none());
}

/// What can be decoded can be encoded, and comes back the same.
fn frames<F: Frame + PartialEq + Debug>(encoding: Encoding, data: &[u8], others: &[Encoding]) {
    for frame in encoding.decode::<F>(data) {
        let Ok(frame) = frame else { continue };
        for other in others {
            let payload = other.encode_one(&frame);
            let again: Vec<_> = other.decode::<F>(&payload).collect();
            // A number that is not a number differs from itself.
            #[expect(clippy::eq_op, reason = "finds such numbers")]
            let comparable = frame == frame;
            match again.as_slice() {
                [Ok(again)] => assert!(!comparable || *again == frame, "{again:?} was {frame:?}"),
                other => panic!("{other:?} was {frame:?}"),
            }
        }
    }
}
