//! Every adapter against recorded frames, in both directions, and against whatever a server might send instead.

use super::*;
use crate::message::Tag;

const STAMP: Stamp = Stamp { tag: Tag { run: 0xc0_ffee, number: 2, due_us: 3 }, user: 4 };

/// One user's adapter, with what came of the last call.
struct Bench {
    adapter: Adapter,
    out: Out,
}

impl Bench {
    fn new(protocol: Protocol, partner: Option<&str>) -> Self {
        Self::with(protocol, partner, &Foreign::default())
    }

    fn with(protocol: Protocol, partner: Option<&str>, foreign: &Foreign) -> Self {
        let place = Place {
            token: "eyJ".to_owned(),
            user: "16".to_owned(),
            partner: partner.map(str::to_owned),
            room: "7".to_owned(),
            converses: true,
        };
        let adapter = Adapter::new(protocol, &place, foreign).unwrap();
        Self { adapter, out: Out::default() }
    }

    fn opened(mut self) -> Self {
        let mut heard = Vec::new();
        self.adapter.open(&mut self.out, &mut heard);
        self
    }

    fn hear(&mut self, frame: impl AsRef<[u8]>) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.adapter.take_in(frame.as_ref(), &mut self.out, &mut heard).unwrap();
        heard
    }

    /// What the adapter said of itself.
    fn said(&mut self) -> Vec<String> {
        let frames = std::iter::from_fn(|| self.out.pop());
        frames.map(|frame| String::from_utf8(frame.to_vec()).unwrap()).collect()
    }

    fn send(&self, text: &str) -> String {
        let mut frame = BytesMut::new();
        self.adapter.send(Post { id: 9, name: "c0ffee-2", text }, &mut frame);
        String::from_utf8(frame.to_vec()).unwrap()
    }
}

fn message() -> Vec<Heard> {
    vec![Heard::Message(Text { stamp: Some(STAMP), bytes: 50 })]
}

/// A frame with the text of a message in the place of `TEXT`.
fn with_text(frame: &str) -> String {
    frame.replace("TEXT", &STAMP.text(50))
}

#[test]
fn typed_strings() {
    let mut user = Bench::new(Protocol::TypedStrings, Some("17")).opened();
    let welcome = r#"{"type":"system","content":"Welcome to the chat!","from":"server","to":"16"}"#;
    assert_eq!(user.hear(welcome), [Heard::Live]);
    assert_eq!(user.send("hi"), r#"{"type":"private","content":"hi","to":"17"}"#);
    let heard =
        user.hear(with_text(r#"{"type":"private","content":"TEXT","to":"16","from":"17"}"#));
    assert_eq!(heard, message());
    let status =
        r#"{"type":"user_status","content":{"user_id":"17","status":"away"},"from":"system"}"#;
    let typing = r#"{"type":"typing","content":{"is":true},"to":"16","from":"17"}"#;
    assert_eq!(user.hear(format!("{status}\n{typing}\n")), [Heard::Signal]);
    let file = r#"{"type":"private","content":{"type":"file","url":"/f/1"},"to":"16","from":"17"}"#;
    assert_eq!(user.hear(file), []);
    assert_eq!(user.hear(r#"{"error":"no such user"}"#), [Heard::Error("no such user".into())]);
    user.adapter.typing(&mut user.out);
    assert_eq!(user.said(), [r#"{"type":"typing","content":"","to":"17"}"#]);
    let member = Bench::new(Protocol::TypedStrings, None);
    assert_eq!(member.send("hi"), r#"{"type":"group","content":"hi","group_id":"7"}"#);
}

#[test]
fn rooms() {
    let mut user = Bench::new(Protocol::Rooms, None).opened();
    let online = r#"{"type":"online_users","room_id":7,"data":{"users":[{"id":1}]}}"#;
    let joined = r#"{"type":"user_joined","room_id":7,"data":{"user":{"id":1}}}"#;
    assert_eq!(user.hear(format!("{joined}\n{online}")), [Heard::Live]);
    assert_eq!(user.send("hi"), r#"{"type":"message","room_id":7,"content":"hi"}"#);
    let heard = user.hear(with_text(
        r#"{"type":"message","room_id":7,"data":{"id":3,"user_id":1,"content":"TEXT","user":{"id":1}}}"#,
    ));
    assert_eq!(heard, message());
    let error = r#"{"type":"error","room_id":0,"error":"unknown room"}"#;
    assert_eq!(user.hear(error), [Heard::Error("unknown room".into())]);
}

#[test]
fn notify() {
    let mut user = Bench::new(Protocol::Notify, None).opened();
    let connected = r#"{"type":"CONNECTED","data":{"userID":16},"timestamp":1700000000}"#;
    assert_eq!(user.hear(connected), [Heard::Live]);
    let news = r#"{"type":"NEW_MESSAGE","data":{"messageId":1,"title":"t"},"timestamp":1}"#;
    assert_eq!(user.hear(news), []);
    assert_eq!(user.hear(r#"{"type":"HEARTBEAT","data":{"ping":"pong"},"timestamp":1}"#), []);
    let said = user.said();
    let reply = r#"{"type":"HEARTBEAT_REPLY","data":{"ping":"pong"},"timestamp":"#;
    assert!(said.len() == 1 && said[0].starts_with(reply), "{said:?}");
}

#[test]
fn payload() {
    let mut user = Bench::new(Protocol::Payload, None).opened();
    let init = r##"{"type":"init","payload":{"user":{"user_id":"16","color":"#123"},"users":[]}}"##;
    assert_eq!(user.hear(init), [Heard::Live]);
    assert_eq!(user.send("hi"), r#"{"type":"message","payload":{"content":"hi"}}"#);
    let said = r#"{"type":"message","payload":{"id":"1","content":"TEXT","type":"text"}}"#;
    assert_eq!(user.hear(with_text(said)), message());
    let joined = r#"{"type":"message","payload":{"id":"1","content":"x joined","type":"system"}}"#;
    assert_eq!(user.hear(joined), []);
    let typing = r#"{"type":"typing","payload":{"user_id":"1","is_typing":true}}"#;
    assert_eq!(user.hear(typing), [Heard::Signal]);
    user.adapter.typing(&mut user.out);
    assert_eq!(user.said(), [r#"{"type":"typing","payload":{"is_typing":true}}"#]);
}

#[test]
fn numbered() {
    let mut user = Bench::new(Protocol::Numbered, Some("17")).opened();
    assert_eq!(user.said(), [r#"{"content":{},"type":99}"#]);
    let beat = r#"{"message_id":"","type":99,"from":"","to":"16","content":{"timestamp":1},"timestamp":1}"#;
    assert_eq!(user.hear(beat), [Heard::Live]);
    assert_eq!(
        user.send("hi"),
        r#"{"message_id":"c0ffee-2","type":1,"to":"17","content":{"text":"hi"}}"#
    );
    let acked = vec![Heard::Acked(Which::Name("c0ffee-2".into()))];
    let ack = r#"{"message_id":"9-5","type":30,"content":{"message_id":"c0ffee-2","server_message_id":"9-5","seq":5}}"#;
    assert_eq!(user.hear(ack), acked);
    assert_eq!(user.hear(r#"{"message_id":"c0ffee-2","type":30}"#), acked);
    assert!(!user.adapter.owes_receipt());
    let said = r#"{"message_id":"9-6","type":0,"from":"17","to":"16","conversation_id":"9",
        "content":{"text":"TEXT"},"timestamp":1,"seq":6}"#
        .replace("\n        ", "");
    assert_eq!(user.hear(with_text(&said)), message());
    assert!(user.adapter.owes_receipt());
    user.adapter.receipt(&mut user.out);
    let receipt = r#"{"content":{"conversation_id":"9","message_id":"9-6"},"to":"17","type":31}"#;
    assert_eq!(user.said(), [receipt]);
    let replaced = user.hear(r#"{"type":100,"content":{"reason":"elsewhere"}}"#);
    assert_eq!(replaced, [Heard::Failed("logged out: elsewhere".into())]);
    // A system message whose content is a text, and the notice of a group.
    assert_eq!(user.hear(r#"{"type":3,"content":"maintenance"}"#), []);
    assert_eq!(user.hear(r#"{"type":21,"content":{"group_id":"3","target_ids":[]}}"#), []);
    let member = Bench::new(Protocol::Numbered, None);
    assert_eq!(
        member.send("hi"),
        r#"{"message_id":"c0ffee-2","type":2,"to":"7","group_id":"7","content":{"text":"hi"}}"#
    );
}

#[test]
fn socket_io() {
    let mut user = Bench::new(Protocol::SocketIo, None).opened();
    assert_eq!(
        user.hear(r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#),
        []
    );
    assert_eq!(user.said(), [r#"40{"token":"eyJ"}"#]);
    assert_eq!(user.hear(r#"40{"sid":"b"}"#), []);
    assert_eq!(user.said(), [r#"420["join","7"]"#]);
    assert_eq!(user.hear(r#"430[{"ok":true}]"#), [Heard::Live]);
    assert_eq!(user.send("hi"), r#"429["message",{"room":"7","text":"hi"}]"#);
    assert_eq!(user.hear("439[]"), [Heard::Acked(Which::Id(9))]);
    for event in [
        r#"42["message",{"text":"TEXT","id":1}]"#,
        r#"42["message","TEXT"]"#,
        r#"4217["message","7","TEXT"]"#,
    ] {
        assert!(matches!(user.hear(with_text(event))[..], [Heard::Message(_)]), "{event}");
    }
    assert_eq!(user.hear(with_text(r#"42["message",{"text":"TEXT"}]"#)), message());
    assert_eq!(user.hear(r#"42["online",["a"]]"#), []);
    assert_eq!(user.hear(r#"42/admin,["message","x"]"#), [], "another namespace");
    assert_eq!(user.hear("2"), []);
    assert_eq!(user.said(), ["3"]);
    let refused = user.hear(r#"44{"message":"bad token"}"#);
    assert_eq!(refused, [Heard::Failed("connect was refused: bad token".into())]);

    let silent = Foreign { acks: Acks::OwnCopy, event: "chat".to_owned(), ..Foreign::default() };
    let mut user = Bench::with(Protocol::SocketIo, None, &silent).opened();
    assert_eq!(user.hear(r#"40{"sid":"b"}"#), [Heard::Live]);
    assert_eq!(user.said(), [r#"42["join","7"]"#]);
    assert_eq!(user.send("hi"), r#"42["chat",{"room":"7","text":"hi"}]"#);
}

#[test]
fn centrifugo_json() {
    let mut user = Bench::new(Protocol::CentrifugoJson, None).opened();
    let connect = r#"{"id":4294967295,"connect":{"token":"eyJ","name":"ringwire-loadtest"}}"#;
    assert_eq!(user.said(), [connect]);
    let connected =
        r#"{"id":4294967295,"connect":{"client":"c","version":"5.4.0","ping":25,"pong":true}}"#;
    assert_eq!(user.hear(connected), []);
    let subscribe =
        r#"{"id":4294967294,"subscribe":{"channel":"7","recover":false,"epoch":"","offset":0}}"#;
    assert_eq!(user.said(), [subscribe]);
    let subscribed = r#"{"id":4294967294,"subscribe":{"recoverable":true,"epoch":"e","positioned":true,"offset":4}}"#;
    // Two replies in one frame.
    assert_eq!(user.hear(format!("{subscribed}\n{{}}\n")), [Heard::Live]);
    assert_eq!(user.said(), ["{}"]);
    assert_eq!(user.send("hi"), r#"{"id":9,"publish":{"channel":"7","data":{"text":"hi"}}}"#);
    assert_eq!(user.hear(r#"{"id":9,"publish":{}}"#), [Heard::Acked(Which::Id(9))]);
    let push = r#"{"push":{"channel":"7","pub":{"data":{"text":"TEXT"},"info":{"user":"17"},"offset":5}}}"#;
    assert_eq!(user.hear(with_text(push)), message());
    assert_eq!(user.hear(push.replace("\"7\"", "\"8\"")), [], "another channel");
    let other = r#"{"push":{"channel":"7","pub":{"data":[1]}}}"#;
    assert_eq!(user.hear(other), [Heard::Message(Text { stamp: None, bytes: 0 })]);
    assert_eq!(user.hear(r#"{"push":{"channel":"7","join":{"info":{"user":"1"}}}}"#), []);
    let refused = user.hear(r#"{"id":9,"error":{"code":103,"message":"permission denied"}}"#);
    let name = "permission denied".to_owned();
    assert_eq!(refused, [Heard::Refused { which: Which::Id(9), code: 103, name }]);
    user.adapter.history(10, 50, &mut user.out);
    assert_eq!(user.said(), [r#"{"id":10,"history":{"channel":"7","limit":50,"reverse":true}}"#]);
    let page = r#"{"id":10,"history":{"publications":[],"epoch":"e","offset":5}}"#;
    assert_eq!(user.hear(page), [Heard::HistoryRead { id: 10 }]);

    // Back again: what was missed comes with the subscription.
    user = user.opened();
    user.hear(connected);
    let again =
        r#"{"id":4294967294,"subscribe":{"channel":"7","recover":true,"epoch":"e","offset":5}}"#;
    assert_eq!(user.said(), [connect, again]);
    let recovered = with_text(
        &r#"{"id":4294967294,"subscribe":{"recoverable":true,"epoch":"e","recovered":true,
            "offset":6,"publications":[{"data":{"text":"TEXT"},"offset":6}]}}"#
            .replace("\n            ", ""),
    );
    assert_eq!(user.hear(&recovered), [message(), vec![Heard::Live]].concat());
    let lost = user.hear(recovered.replace(r#""recovered":true,"#, ""));
    assert!(matches!(lost[..], [_, Heard::Error(_), Heard::Live]), "{lost:?}");
}

/// The bytes are from Centrifugo's schema by hand: number and kind of each field, then what it holds.
#[test]
fn centrifugo_protobuf() {
    let mut user = Bench::new(Protocol::CentrifugoProtobuf, None).opened();
    assert_eq!(user.adapter.kind(), MessageKind::Binary);
    let connect = user.out.pop().unwrap();
    let expected = b"\x20\x08\xff\xff\xff\xff\x0f\x22\x18\x0a\x03eyJ\x22\x11ringwire-loadtest";
    assert_eq!(&connect[..], expected);
    // Connected, with pings that are to be answered: id, then connect { pong }.
    assert_eq!(user.hear(b"\x0a\x08\xff\xff\xff\xff\x0f\x2a\x02\x40\x01"), []);
    let subscribe = user.out.pop().unwrap();
    assert_eq!(&subscribe[..], b"\x0b\x08\xfe\xff\xff\xff\x0f\x2a\x03\x0a\x017");
    // Subscribed, and a ping: a message of no bytes.
    assert_eq!(user.hear(b"\x08\x08\xfe\xff\xff\xff\x0f\x32\x00\x00"), [Heard::Live]);
    assert_eq!(&user.out.pop().unwrap()[..], b"\x00");
    assert_eq!(
        user.send("hi").as_bytes(),
        b"\x16\x08\x09\x3a\x12\x0a\x017\x12\x0d{\"text\":\"hi\"}"
    );
    assert_eq!(user.hear(b"\x04\x08\x09\x42\x00"), [Heard::Acked(Which::Id(9))]);
    let data = with_text(r#"{"text":"TEXT"}"#);
    assert_eq!(data.len(), 61);
    let push = [&[70, 0x22, 68, 0x12, 1, b'7', 0x22, 63, 0x22, 61], data.as_bytes()].concat();
    assert_eq!(user.hear(&push), message());
    let refused = user.hear(b"\x0b\x08\x09\x12\x07\x08\x67\x12\x03bad");
    assert_eq!(refused, [Heard::Refused { which: Which::Id(9), code: 103, name: "bad".into() }]);
}

/// Whatever comes, nothing panics, and what waits to be sent stays bounded.
#[test]
fn hostile_servers_are_survived() {
    let frames = [
        r#"{"type":"system","content":"Welcome!"}"#,
        r#"{"type":"message","room_id":7,"data":{"content":"TEXT"}}"#,
        r#"{"type":"message","payload":{"content":"TEXT","type":"text"}}"#,
        r#"{"type":1,"message_id":"1-1","content":{"text":"TEXT"}}"#,
        r#"{"type":30,"content":{"message_id":"c0ffee-2"}}"#,
        r#"{"type":"HEARTBEAT"}"#,
        r#"{"type":-9223372036854775808,"content":[]}"#,
        r#"{"push":{"channel":"7","pub":{"data":{"text":"TEXT"},"offset":18446744073709551615}}}"#,
        r#"{"id":4294967294,"subscribe":{"recoverable":true,"offset":1,"publications":[{}]}}"#,
        r#"{"id":4294967295,"connect":{"pong":true}}"#,
        "{}",
        "[]",
        "null",
        "0",
        "2",
        r#"40{"sid":"b"}"#,
        r#"4299999999999999999999["message"]"#,
        r#"42["message",{"text":{}}]"#,
        "43",
        "4",
        "44",
        "é",
        "\x04\x08\x09\x42\x00",
        "\x0a\x22\x08\x12\x017\x22\x03\x22\x01{",
    ];
    let mut state: u64 = 1;
    let mut random = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound.max(1)
    };
    for protocol in Protocol::ALL.into_iter().filter(|protocol| !protocol.is_ringwire()) {
        let mut user = Bench::new(protocol, Some("17")).opened();
        let mut heard = Vec::new();
        for round in 0..4000 {
            let mut frame = with_text(frames[round % frames.len()]).into_bytes();
            for _ in 0..random(4) {
                let place = random(frame.len());
                match random(3) {
                    0 => frame.truncate(place),
                    1 if !frame.is_empty() => frame[place] = random(256) as u8,
                    _ => frame.extend_from_within(place..),
                }
            }
            heard.clear();
            // Garbled or not is all the same here.
            let _ = user.adapter.take_in(&frame, &mut user.out, &mut heard);
            assert!(user.out.waiting.len() <= MAX_WAITING, "{protocol:?}");
        }
        let _ = user.adapter.take_in(&[0xff; 64], &mut user.out, &mut heard);
        assert!(user.adapter.take_in(&[0xff; 64], &mut user.out, &mut heard).is_err());
    }
}
