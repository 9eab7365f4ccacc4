//! Every row of what clients can do wrong: coded refusals on a connection that stays, or the right close code.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::wire::{self, command::Op};

use crate::support::ENCODINGS;
use crate::support::chat::{refusal, say};
use crate::support::client::{Arrived, Client, Upgrade};
use crate::support::http;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

#[test]
fn f4_a_command_that_cannot_be_is_refused_and_the_connection_stays() {
    let server = ServerProcess::start(&[]);
    drop(Client::session(&server, 2, Encoding::Json));
    drop(Client::session(&server, 3, Encoding::Json));
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        let mut other = Client::session(&server, 3, encoding);
        let group = client.create_group(&[]);
        let foreign = other.create_group(&[]);
        let send = |conversation_id, message| {
            Op::Send(wire::Send { conversation_id, message, ..Default::default() })
        };
        let text = |text: &str| wire::Message { text: text.to_owned(), ..Default::default() };
        let kind = |kind: wire::message::Kind| wire::Message { kind: kind.into(), ..text("x") };
        let metadata = [("k".repeat(100), "v".repeat(4000))].into();
        let history =
            |conversation_id| Op::History(wire::History { conversation_id, ..Default::default() });
        let sync = |conversation_id| Op::Sync(wire::Sync { conversation_id, ..Default::default() });
        let members =
            |conversation_id| Op::Members(wire::Members { conversation_id, ..Default::default() });
        let join = |conversation_id| Op::Join(wire::Join { conversation_id, ..Default::default() });
        let leave =
            |conversation_id| Op::Leave(wire::Leave { conversation_id, ..Default::default() });
        let read = |conversation_id, seq| Op::Read(wire::Read { conversation_id, seq });
        let direct = |user_id, username: &str| {
            Op::OpenDirect(wire::OpenDirect { user_id, username: username.to_owned() })
        };
        let create = |user_ids: &[u64], usernames: &[&str]| {
            Op::CreateGroup(wire::CreateGroup {
                user_ids: user_ids.to_vec(),
                usernames: usernames.iter().map(|&name| name.to_owned()).collect(),
                ..Default::default()
            })
        };
        let settings = |settings| {
            Op::CreateGroup(wire::CreateGroup { settings: Some(settings), ..Default::default() })
        };
        let heads = |page_token: &str| {
            Op::Heads(wire::Heads { page_token: page_token.to_owned(), ..Default::default() })
        };
        let none = 9_000_000_000_000;
        let beyond = 1 << 53;
        let cases = vec![
            ("empty text", send(group, Some(text(" \n\t"))), "EMPTY_MESSAGE"),
            ("no message", send(group, None), "INVALID_ARGUMENT"),
            ("long text", send(group, Some(text(&"x".repeat(8193)))), "TOO_LARGE"),
            (
                "large metadata",
                send(group, Some(wire::Message { metadata, ..text("x") })),
                "TOO_LARGE",
            ),
            (
                "many mentions",
                send(group, Some(wire::Message { mentions: vec![1; 65], ..text("x") })),
                "TOO_LARGE",
            ),
            ("a notice", send(group, Some(kind(wire::message::Kind::Notice))), "INVALID_ARGUMENT"),
            ("long id", say(group, &"x".repeat(65), "x"), "INVALID_ARGUMENT"),
            ("NUL in the id", say(group, "a\0b", "x"), "INVALID_ARGUMENT"),
            ("conversation 0", say(0, "m", "x"), "INVALID_ARGUMENT"),
            ("conversation 2^53", say(beyond, "m", "x"), "INVALID_ARGUMENT"),
            ("conversation 2^64-1", say(u64::MAX, "m", "x"), "INVALID_ARGUMENT"),
            ("no such conversation", say(none, "m", "x"), "NOT_MEMBER"),
            ("not a member: send", say(foreign, "m", "x"), "NOT_MEMBER"),
            ("not a member: history", history(foreign), "NOT_MEMBER"),
            ("not a member: sync", sync(foreign), "NOT_MEMBER"),
            ("not a member: members", members(foreign), "NOT_MEMBER"),
            ("not a member: read", read(foreign, 1), "NOT_MEMBER"),
            ("not a member: leave", leave(foreign), "NOT_MEMBER"),
            ("closed group: join", join(foreign), "CONVERSATION_NOT_FOUND"),
            ("none: history", history(none), "NOT_MEMBER"),
            ("none: sync", sync(none), "NOT_MEMBER"),
            ("none: members", members(none), "NOT_MEMBER"),
            ("none: join", join(none), "CONVERSATION_NOT_FOUND"),
            ("0: history", history(0), "INVALID_ARGUMENT"),
            ("2^53: sync", sync(beyond), "INVALID_ARGUMENT"),
            ("member already", join(group), "ALREADY_MEMBER"),
            ("read beyond the end", read(group, 99), "INVALID_ARGUMENT"),
            ("direct with oneself", direct(1, ""), "INVALID_ARGUMENT"),
            ("direct with nobody", direct(none, ""), "USER_NOT_FOUND"),
            ("direct with 2^53", direct(beyond, ""), "INVALID_ARGUMENT"),
            ("direct with no name", direct(0, "nobody.here"), "USER_NOT_FOUND"),
            ("direct without anybody", direct(0, ""), "INVALID_ARGUMENT"),
            ("direct with two", direct(2, "anna"), "INVALID_ARGUMENT"),
            ("group with nobody", create(&[none], &[]), "USER_NOT_FOUND"),
            ("group with 0", create(&[0], &[]), "INVALID_ARGUMENT"),
            ("group without name", create(&[], &["nobody.here"]), "USER_NOT_FOUND"),
            (
                "long title",
                settings(wire::GroupSettings {
                    title: Some("x".repeat(257)),
                    ..Default::default()
                }),
                "TOO_LARGE",
            ),
            (
                "no room",
                settings(wire::GroupSettings { max_members: Some(0), ..Default::default() }),
                "INVALID_ARGUMENT",
            ),
            ("page token", heads("nonsense"), "INVALID_ARGUMENT"),
            (
                "bad refresh",
                Op::Refresh(wire::Refresh { token: "nonsense".to_owned() }),
                "UNAUTHENTICATED",
            ),
            (
                "refresh of another",
                Op::Refresh(wire::Refresh { token: server.token(2) }),
                "FORBIDDEN",
            ),
        ];
        for (name, op, code) in cases {
            assert_eq!(refusal(client.call(op)), code, "{name}, {encoding:?}");
        }
        // Nothing of it left a trace, and the connection still works.
        assert_eq!(client.say(group, "after all", "x").seq, 2);
        client.assert_quiet();
        other.assert_quiet();
    }
}

#[test]
fn a_command_that_no_server_knows_is_refused_under_its_id() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        let unknown: &[u8] = match encoding {
            // Field 1023, length-delimited, empty.
            Encoding::Protobuf => &[5, 0x08, 9, 0xfa, 0x3f, 0],
            Encoding::Json => br#"{"id":"9","dance":{"tempo":120}}"#,
        };
        client.send_payload(unknown);
        assert_eq!(refusal(client.answer(9)), "UNKNOWN_COMMAND");
        client.assert_quiet();
    }
}

#[test]
fn a_json_field_of_the_wrong_type_is_refused_and_its_neighbours_count() {
    let server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, Encoding::Json);
    let lines = [
        r#"{"id":"21","send":7}"#,
        r#"{"id":22,"send":{"conversation_id":"18446744073709551616"}}"#,
        r#"{"id":"23","send":{"conversation_id":"-1"}}"#,
        r#"{"id":"24","send":{"conversation_id":1.5}}"#,
        r#"{"id":"25","send":{"conversation_id":{}}}"#,
        r#"{"id":"26","create_group":{"kind":"CIRCUS"}}"#,
        r#"{"id":"27","ping":{},"heads":{}}"#,
        r#"{"id":"28","heads":{"limit":-1}}"#,
        "",
        r#"{"id":"29","ping":{}}"#,
    ];
    client.send_payload(lines.join("\n").as_bytes());
    for id in 21..=28 {
        assert_eq!(refusal(client.answer(id)), "INVALID_ARGUMENT", "{id}");
    }
    client.answer(29).expect("a pong");
    client.assert_quiet();
}

#[test]
fn f4_a_name_that_nobody_can_have_is_not_found_on_either_database() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let login = serde_json::json!({ "username": "a\u{0}b", "password": "some password" });
        let answer = http::post(server.address(), "/api/v1/auth/login", &login);
        assert_eq!(answer.json()["error"]["name"], "INVALID_CREDENTIALS");
        let mut client = Client::session(&server, 1, Encoding::Json);
        let username = "a\u{0}b".to_owned();
        let open = Op::OpenDirect(wire::OpenDirect { user_id: 0, username: username.clone() });
        assert_eq!(refusal(client.call(open)), "USER_NOT_FOUND");
        let usernames = vec![username];
        let create = Op::CreateGroup(wire::CreateGroup { usernames, ..Default::default() });
        assert_eq!(refusal(client.call(create)), "USER_NOT_FOUND");
    }
}

#[test]
fn f4_an_id_that_cannot_be_read_closes_with_4002() {
    let server = ServerProcess::start(&[]);
    for line in [r#"{"id":-1,"ping":{}}"#, r#"{"id":"18446744073709551616","ping":{}}"#] {
        let mut client = Client::session(&server, 1, Encoding::Json);
        client.send_payload(line.as_bytes());
        assert_eq!(client.close_code(), Some(4002), "{line}");
    }
}

#[test]
fn a_command_without_id_is_carried_out_without_an_answer() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        let group = client.create_group(&[]);
        for (text, id) in [("x", "m"), (" ", "e")] {
            let silent = wire::Command { id: 0, received: 0, op: Some(say(group, id, text)) };
            let payload = client.encode(&silent);
            client.send_payload(&payload);
        }
        assert_eq!(client.say(group, "next", "x").seq, 3);
        // Without an ack the session learns of its own message as the others do; of the refusal it hears nothing.
        assert_eq!(client.next_entry().seq, 2);
        client.assert_quiet();
    }
}

#[test]
fn f4_what_is_no_command_closes_with_4002() {
    let server = ServerProcess::start(&[]);
    let deep = format!(r#"{{"id":1,"send":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let cases: [(&str, Encoding, Vec<u8>); 9] = [
        ("no JSON", Encoding::Json, b"hello".to_vec()),
        ("half JSON", Encoding::Json, br#"{"id":1,"ping":{}"#.to_vec()),
        ("a list", Encoding::Json, b"[]".to_vec()),
        ("a number", Encoding::Json, b"7".to_vec()),
        ("deep nesting", Encoding::Json, deep.into_bytes()),
        ("no Protobuf", Encoding::Protobuf, vec![3, 0xff, 0xff, 0xff]),
        ("cut off", Encoding::Protobuf, vec![200, 1, 8]),
        ("endless length", Encoding::Protobuf, vec![0xff; 11]),
        ("wrong wire type", Encoding::Protobuf, vec![2, 0x0d, 0]),
    ];
    for (name, encoding, payload) in cases {
        let mut client = Client::session(&server, 1, encoding);
        client.send_payload(&payload);
        assert_eq!(client.close_code(), Some(4002), "{name}");

        // The same as the first thing a connection says.
        let mut client = Client::upgrade(server.address(), &Upgrade::encoding(encoding), encoding)
            .expect("a WebSocket");
        client.send_payload(&payload);
        assert_eq!(client.close_code(), Some(4002), "{name}, at first");
    }
}

#[test]
fn f4_deep_nesting_in_a_field_that_no_server_knows_is_skipped() {
    let server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, Encoding::Json);
    let objects = format!("{}1{}", r#"{"a":"#.repeat(5000), "}".repeat(5000));
    let lists = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for (id, nested) in [(31, objects), (32, lists)] {
        client.send_payload(format!(r#"{{"id":{id},"later":{nested},"ping":{{}}}}"#).as_bytes());
        client.answer(id).expect("a pong");
    }
}

#[test]
fn f4_the_wrong_kind_of_message_closes_with_4002() {
    let server = ServerProcess::start(&[]);
    for (encoding, wrong) in ENCODINGS.into_iter().zip([MessageKind::Text, MessageKind::Binary]) {
        let mut client = Client::session(&server, 1, encoding);
        let ping = wire::Command { id: 5, received: 0, op: Some(Op::Ping(wire::Ping {})) };
        let payload = client.encode(&ping);
        // A text message has to be UTF-8 to get so far.
        let payload = if wrong == MessageKind::Text { b"{}".to_vec() } else { payload.to_vec() };
        client.send_message(wrong, &payload);
        assert_eq!(client.close_code(), Some(4002));
    }
}

#[test]
fn f4_frames_that_break_the_websocket_protocol_close_with_its_codes() {
    let server = ServerProcess::start(&[]);
    let mask = [0, 0, 0, 0];
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | payload.len() as u8];
        frame.extend_from_slice(&mask);
        frame.extend_from_slice(payload);
        frame
    };
    let claims = |length: u64| {
        let mut frame = vec![0x82, 0xff];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&mask);
        frame
    };
    let mut fragments = Vec::new();
    for part in 0..3 {
        let first: &[u8] =
            if part == 0 { &[0x02, 0xfe, 0x7f, 0xff] } else { &[0x00, 0xfe, 0x7f, 0xff] };
        fragments.extend_from_slice(first);
        fragments.extend_from_slice(&mask);
        fragments.extend_from_slice(&vec![b'x'; 0x7fff]);
    }
    let cases = [
        ("not masked", vec![0x82, 1, b'x'], 1002),
        ("reserved bit", masked(0xc2, b"x"), 1002),
        ("reserved opcode", masked(0x83, b"x"), 1002),
        ("fragmented ping", masked(0x09, b""), 1002),
        ("continuation of nothing", masked(0x80, b"x"), 1002),
        ("half a close code", masked(0x88, &[3]), 1002),
        ("close code 1005", masked(0x88, &[3, 237]), 1002),
        ("top bit of the length", claims(1 << 63), 1002),
        ("text that is no UTF-8", masked(0x81, &[b'{', 0xff]), 1007),
        ("reason that is no UTF-8", masked(0x88, &[3, 232, 0xff]), 1007),
        ("a frame beyond the limit", claims(65_537), 1009),
        ("a frame beyond all limits", claims((1 << 63) - 1), 1009),
        ("fragments beyond the limit", fragments, 1009),
    ];
    for (name, bytes, code) in cases {
        let mut session = Client::session(&server, 1, Encoding::Protobuf);
        let upgrade = Upgrade::encoding(Encoding::Protobuf);
        let mut fresh =
            Client::upgrade(server.address(), &upgrade, Encoding::Protobuf).expect("a WebSocket");
        for client in [&mut session, &mut fresh] {
            client.send_bytes(&bytes);
            assert_eq!(client.close_code(), Some(code), "{name}");
        }
    }
}

#[test]
fn the_largest_message_that_is_allowed_passes() {
    let server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, Encoding::Json);
    let mut payload = br#"{"id":"77","ping":{}}"#.to_vec();
    payload.resize(64 * 1024, b' ');
    client.send_payload(&payload);
    client.answer(77).expect("a pong");
    payload.push(b' ');
    client.send_payload(&payload);
    assert_eq!(client.close_code(), Some(1009));
}

#[test]
fn a_clients_close_is_answered_with_its_own_code() {
    let server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, Encoding::Protobuf);
    let ping = client.queue(Op::Ping(wire::Ping {}));
    client.flush().expect("writing");
    client.send_bytes(&[0x88, 0x82, 0, 0, 0, 0, 0x0b, 0xb8]);
    client.answer(ping).expect("what was asked before is answered");
    assert_eq!(client.close_code(), Some(3000));
    assert_eq!(client.next(), Arrived::Closed(None));
}
