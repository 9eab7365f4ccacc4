//! Compressed messages (permessage-deflate): who may use them, what they save, and what a bomb comes to.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{say, text};
use crate::support::client::{Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};

fn start() -> ServerProcess {
    Setup::new().config("[server]\ncompression = \"json\"").start()
}

/// A JSON session of this user whose messages may be compressed.
fn session(server: &ServerProcess, user: u64) -> Client {
    session_with(server, user, wire::Connect::default())
}

fn session_with(server: &ServerProcess, user: u64, connect: wire::Connect) -> Client {
    let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(user)).deflate();
    let mut client =
        Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("a WebSocket");
    assert!(client.is_deflate_agreed());
    client.connect(connect).expect("a session");
    client
}

/// What the next thing that arrives takes on the wire.
fn bytes_of<T>(client: &mut Client, arrive: impl FnOnce(&mut Client) -> T) -> (T, usize) {
    let before = client.received_bytes;
    let arrived = arrive(client);
    (arrived, client.received_bytes - before)
}

#[test]
fn f1_compression_is_agreed_on_with_json_sessions_only_and_only_where_configured() {
    let (on, off) = (start(), ServerProcess::start(&[]));
    for (server, is_on) in [(&on, true), (&off, false)] {
        for (protocols, encoding, expected) in [
            (vec![Encoding::Json.subprotocol()], Encoding::Json, is_on),
            (vec![Encoding::Protobuf.subprotocol()], Encoding::Protobuf, false),
            // Which of them it will be, the first message tells.
            (vec![], Encoding::Json, false),
            (vec![], Encoding::Protobuf, false),
            // The first one that the server knows.
            (vec!["x", Encoding::Json.subprotocol()], Encoding::Json, is_on),
            (
                vec![Encoding::Protobuf.subprotocol(), Encoding::Json.subprotocol()],
                Encoding::Protobuf,
                false,
            ),
        ] {
            let protocols = protocols.iter().map(|&name| name.to_owned()).collect();
            let upgrade = Upgrade { protocols, ..Upgrade::default() };
            let upgrade = upgrade.bearer(&server.token(1)).deflate();
            let mut client =
                Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
            assert_eq!(client.is_deflate_agreed(), expected, "{encoding:?}, {is_on}");
            client.connect(wire::Connect::default()).expect("a session");
            client.assert_answers_ping();
        }
        // Who does not offer it does not get it.
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
        let client = Client::upgrade(server.address(), &upgrade, Encoding::Json);
        assert!(!client.expect("a WebSocket").is_deflate_agreed());
    }
}

#[test]
fn f1_people_with_and_without_compression_talk_with_each_other() {
    let server = start();
    let mut sender = session(&server, 1);
    let mut compressed = [session(&server, 2), session(&server, 2), session(&server, 3)];
    let mut plain = ENCODINGS.map(|encoding| Client::session(&server, 4, encoding));
    let group = sender.create_group(&[2, 3, 4]);
    for client in compressed.iter_mut().chain(&mut plain) {
        assert_eq!(client.next_entry().seq, 1);
    }

    let long = "What is said again and again is said in few bytes. ".repeat(40);
    for (number, said) in [&*long, "short", "κόσμε 😀 ".repeat(50).trim()].into_iter().enumerate()
    {
        let ack = sender.say(group, &format!("m{number}"), said);
        for client in &mut compressed {
            let (entry, bytes) = bytes_of(client, Client::next_entry);
            assert_eq!((entry.seq, text(&entry)), (ack.seq, Some(said)));
            if said.len() > 256 {
                assert!(bytes < said.len() / 2, "{bytes} bytes for {}", said.len());
            }
        }
        for client in &mut plain {
            let (entry, bytes) = bytes_of(client, Client::next_entry);
            assert_eq!((entry.seq, text(&entry)), (ack.seq, Some(said)));
            assert!(bytes > said.len(), "{bytes} bytes for {}", said.len());
        }
    }

    // And the other way round, pipelined, from each kind of session.
    for client in compressed.iter_mut().chain(&mut plain) {
        let ids: Vec<u64> = (0..20).map(|_| client.queue(say(group, "", &long))).collect();
        client.flush().expect("writing");
        let seqs: Vec<u64> = ids.into_iter().map(|id| client.ack(id).seq).collect();
        for seq in seqs {
            let entry = sender.next_entry();
            assert_eq!((entry.seq, text(&entry)), (seq, Some(&*long)));
        }
    }
}

#[test]
fn f1_pages_and_what_was_missed_are_compressed() {
    let server = start();
    drop(session(&server, 2));
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&[2]);
    let long = "All of this was said before. ".repeat(30);
    for number in 0..30 {
        sender.say(group, &format!("m{number}"), &long);
    }

    // A first message that is compressed and holds the token; what it missed follows.
    let connect = wire::Connect {
        token: server.token(2),
        cursors: std::iter::once((group, 1))
            .chain((1..40).map(|other| (900_000_000 + other, 1)))
            .map(|(conversation_id, seq)| wire::SyncCursor { conversation_id, seq })
            .collect(),
        ..Default::default()
    };
    let upgrade = Upgrade::encoding(Encoding::Json).deflate();
    let mut client = Client::upgrade(server.address(), &upgrade, Encoding::Json).unwrap();
    assert!(client.is_deflate_agreed());
    client.connect(connect).expect("a session");
    for seq in 2..=31 {
        let entry = client.next_entry();
        assert_eq!((entry.seq, text(&entry)), (seq, Some(&*long)));
    }
    let plain_bytes = 30 * long.len();
    assert!(client.received_bytes < plain_bytes / 2, "{}", client.received_bytes);

    let history = Op::History(wire::History { conversation_id: group, ..Default::default() });
    let (page, bytes) = bytes_of(&mut client, |client| client.call(history));
    match page {
        Ok(Outcome::HistoryPage(page)) => assert_eq!(page.entries.len(), 31),
        other => panic!("no page: {other:?}"),
    }
    assert!(bytes < plain_bytes / 5, "{bytes}");
}

#[test]
fn f4_a_bomb_closes_1009_and_leaves_no_memory_behind() {
    let server = start();
    let mut bystander = session(&server, 1);
    // Some 5 KB on the wire; masked with zeros, so that it can be made once.
    let mut deflater = Deflater::default();
    let deflated = deflater.deflate(&vec![b'a'; 5_000_000]).expect("it gets smaller");
    let length = u16::try_from(deflated.len()).expect("it gets much smaller").to_be_bytes();
    let bomb = [&[0xc1, 0xfe], &length[..], &[0; 4], deflated].concat();
    let explode = || {
        let mut client = session(&server, 2);
        client.send_bytes(&bomb);
        assert_eq!(client.close_code(), Some(1009));
    };
    // The first ones make what is made once.
    (0..5).for_each(|_| explode());
    let resident_kib = server.resident_kib();
    (0..20).for_each(|_| explode());
    // All of them together want to be 100 MB.
    let grown_kib = server.resident_kib().saturating_sub(resident_kib);
    assert!(grown_kib < 8 * 1024, "{grown_kib} KiB");
    bystander.assert_answers_ping();

    // One byte more than what is allowed, and what is allowed.
    let mut client = session(&server, 2);
    client.send_payload(&vec![b' '; 64 * 1024 + 1]);
    assert_eq!(client.close_code(), Some(1009));
    let mut client = session(&server, 2);
    client.send_payload(&[&br#"{"id":"77","ping":{}}"#[..], &vec![b' '; 65_000]].concat());
    assert!(matches!(client.answer(77), Ok(Outcome::Pong(_))));
}

#[test]
fn f4_what_is_not_deflate_closes_1007_and_where_it_was_not_agreed_1002() {
    let server = start();
    // Masked with zeros: FIN, RSV1, text, and a payload that is no deflate.
    let frame = [&[0xc1, 0x82, 0, 0, 0, 0][..], &[0xff, 0xff]].concat();
    let mut client = session(&server, 1);
    client.send_bytes(&frame);
    assert_eq!(client.close_code(), Some(1007));
    for encoding in ENCODINGS {
        let mut client = Client::session(&server, 1, encoding);
        client.send_bytes(&frame);
        assert_eq!(client.close_code(), Some(1002), "{encoding:?}");
    }
}

#[test]
fn f1_offers_that_cannot_be_accepted_are_declined_and_malformed_ones_refused() {
    let server = start();
    let upgrade = |extensions: &str| {
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
        let upgrade = upgrade.header("Sec-WebSocket-Extensions", extensions);
        Client::upgrade(server.address(), &upgrade, Encoding::Json)
    };
    for declined in ["permessage-deflate; server_max_window_bits=9", "permessage-deflate; x", "y"] {
        let mut client = upgrade(declined).expect("a WebSocket without extensions");
        client.connect(wire::Connect::default()).expect("a session");
    }
    assert_eq!(upgrade("permessage-deflate;;").err(), Some(400));
}
