//! What one role sends the other understands, however it is split and fragmented; and the header parser agrees with
//! tungstenite's about every header that the RFC allows (promises F1 and F3).

use std::io::Cursor;

use proptest::prelude::*;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::deflate::{Deflater, Inflater};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

const LIMITS: Limits = Limits { max_message_bytes: 1 << 20 };

#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

/// Everything a connection tells about bytes that arrive in pieces of these sizes, over and over.
fn told(connection: &mut Connection, bytes: &[u8], sizes: &[usize]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut rest = bytes.to_vec();
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(1, |&size| size.clamp(1, rest.len()));
        let mut piece: Vec<u8> = rest.drain(..size).collect();
        let mut input = Input::new(&mut piece);
        while let Some(event) = connection.poll(&mut input).expect("the peer keeps to the protocol")
        {
            told.push(as_told(event));
        }
    }
    told
}

fn as_told(event: Event<'_>) -> Told {
    match event {
        Event::Message { kind: MessageKind::Text, payload } => {
            Told::Text(std::str::from_utf8(payload).expect("text is UTF-8").to_owned())
        }
        Event::Message { kind: MessageKind::Binary, payload } => Told::Binary(payload.to_vec()),
        Event::Ping(payload) => Told::Ping(payload.to_vec()),
        Event::Pong(payload) => Told::Pong(payload.to_vec()),
        Event::Close { code, reason } => Told::Close(code, reason.to_owned()),
    }
}

fn payloads() -> impl Strategy<Value = Told> {
    prop_oneof![
        ".{0,200}".prop_map(Told::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Told::Binary),
        (any::<u8>(), 60_000..70_000_usize).prop_map(|(byte, len)| Told::Binary(vec![byte; len])),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Told::Ping),
    ]
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..20_usize, 1..100_000_usize], 1..8)
}

/// A message as fragments, each an unmasked frame, cut after the given numbers of bytes.
fn fragments(kind: MessageKind, payload: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = payload;
    let mut opcode = match kind {
        MessageKind::Text => OpCode::Data(Data::Text),
        MessageKind::Binary => OpCode::Data(Data::Binary),
    };
    for cut in cuts.iter().map(|&cut| cut.min(1_000)).chain([usize::MAX]) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        let header = FrameHeader { is_final: cut == usize::MAX, opcode, ..FrameHeader::default() };
        header.format(piece.len() as u64, &mut out).expect("a vector takes everything");
        out.extend(piece);
        (rest, opcode) = (after, OpCode::Data(Data::Continue));
        // A control frame may come between any two fragments.
        out.extend(frame::server_ping_frame(b"between"));
    }
    out
}

proptest! {
    #[test]
    fn f1_what_one_role_sends_the_other_receives(
        sent in prop::collection::vec(payloads(), 0..12),
        sizes in sizes(),
        seed: u64,
        close in prop::option::of((4000..5000_u16, "[a-zé]{0,50}")),
    ) {
        for sender_role in [Role::Server, Role::Client] {
            let (mut sender, mut receiver) = match sender_role {
                Role::Server => {
                    (Connection::new(Role::Server, LIMITS), Connection::new(Role::Client, LIMITS))
                }
                Role::Client => {
                    (Connection::new_client(seed, LIMITS), Connection::new(Role::Server, LIMITS))
                }
            };
            let mut expected = sent.clone();
            for message in &sent {
                match message {
                    Told::Text(text) => sender.send(MessageKind::Text, text.as_bytes()),
                    Told::Binary(payload) => sender.send(MessageKind::Binary, payload),
                    Told::Ping(payload) => sender.ping(payload),
                    Told::Pong(_) | Told::Close(..) => unreachable!("not among the payloads"),
                }
            }
            if let Some((code, reason)) = &close {
                sender.close(*code, reason);
                expected.push(Told::Close(Some(*code), reason.clone()));
            }
            let bytes = sender.output().split();
            prop_assert_eq!(told(&mut receiver, &bytes, &sizes), expected);

            // The answers: a pong to each ping, the close given back.
            let answers = receiver.output().split();
            let mut expected: Vec<Told> = sent.iter().filter_map(|message| match message {
                Told::Ping(payload) => Some(Told::Pong(payload.clone())),
                _ => None,
            }).collect();
            expected.extend(close.iter().map(|(code, _)| Told::Close(Some(*code), String::new())));
            prop_assert_eq!(told(&mut sender, &answers, &sizes), expected);
            prop_assert_eq!(sender.is_closed(), close.is_some());
            prop_assert_eq!(receiver.is_closed(), close.is_some());
        }
    }

    #[test]
    fn f3_fragments_come_to_the_message_however_they_are_cut_and_split(
        text in ".{0,400}",
        payload in prop::collection::vec(any::<u8>(), 0..2_000),
        cuts in prop::collection::vec(0..300_usize, 0..6),
        sizes in sizes(),
    ) {
        let bytes = [
            fragments(MessageKind::Text, text.as_bytes(), &cuts),
            fragments(MessageKind::Binary, &payload, &cuts),
        ].concat();
        let mut client = Connection::new(Role::Client, LIMITS);
        let mut messages = told(&mut client, &bytes, &sizes);
        messages.retain(|told| !matches!(told, Told::Ping(_)));
        prop_assert_eq!(messages, [Told::Text(text), Told::Binary(payload)]);
    }

    /// Compressed or not, as it is worth: the other role receives what was sent, however it is split. One deflater and
    /// one inflater serve all connections, as on a shard.
    #[test]
    fn f3_what_one_role_compresses_the_other_receives(
        sent in prop::collection::vec(payloads(), 1..8),
        words in prop::collection::vec("[a-zé]{1,6}", 1..5),
        repeats in 1..300_usize,
        sizes in sizes(),
        seed: u64,
    ) {
        let mut sent = sent;
        sent.push(Told::Text(words.concat().repeat(repeats)));
        let (mut deflater, mut inflater) = (Deflater::default(), Inflater::default());
        for sender_role in [Role::Server, Role::Client] {
            let client = Connection::new_client(seed, LIMITS).with_deflate();
            let server = Connection::new(Role::Server, LIMITS).with_deflate();
            let (mut sender, mut receiver) = match sender_role {
                Role::Server => (server, client),
                Role::Client => (client, server),
            };
            let mut plain_bytes = 0;
            for message in &sent {
                let (kind, payload) = match message {
                    Told::Text(text) => (MessageKind::Text, text.as_bytes()),
                    Told::Binary(payload) => (MessageKind::Binary, &payload[..]),
                    Told::Ping(payload) => {
                        sender.ping(payload);
                        continue;
                    }
                    Told::Pong(_) | Told::Close(..) => unreachable!("not among the payloads"),
                };
                plain_bytes += payload.len() + 14;
                sender.send_smaller(kind, payload, &mut deflater);
            }
            let mut rest = sender.output().split();
            prop_assert!(rest.len() <= plain_bytes + sent.len() * 140);
            let mut told = Vec::new();
            let mut sizes = sizes.iter().cycle();
            while !rest.is_empty() {
                let size = sizes.next().map_or(1, |&size| size.clamp(1, rest.len()));
                let mut piece = rest.split_to(size);
                let mut input = Input::with_inflater(&mut piece, &mut inflater);
                while let Some(event) = receiver.poll(&mut input).unwrap() {
                    told.push(as_told(event));
                }
            }
            prop_assert_eq!(&told, &sent);
        }
    }

    /// Whatever tungstenite reads from our frames is what we meant, and the other way round.
    #[test]
    fn f1_headers_are_what_tungstenite_takes_them_for(
        payload_bytes in prop_oneof![0..300_usize, 65_000..66_000_usize],
        seed: u64,
    ) {
        let payload = vec![7; payload_bytes];
        let mut client = Connection::new_client(seed, LIMITS);
        client.send(MessageKind::Binary, &payload);
        let masked = client.output().split();
        for (bytes, is_masked) in [
            (&masked[..], true),
            (&frame::server_frame(MessageKind::Binary, &payload)[..], false),
        ] {
            let mut cursor = Cursor::new(bytes);
            let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
            prop_assert_eq!(length, payload_bytes as u64);
            prop_assert_eq!(header.opcode, OpCode::Data(Data::Binary));
            prop_assert!(header.is_final);
            prop_assert_eq!(header.mask.is_some(), is_masked);
            let key = header.mask.unwrap_or_default();
            let received = &bytes[cursor.position() as usize..];
            let unmasked: Vec<u8> =
                received.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            prop_assert_eq!(&unmasked, &payload);
            let mut formatted = Vec::new();
            header.format(length, &mut formatted).unwrap();
            prop_assert_eq!(&formatted[..], &bytes[..bytes.len() - payload_bytes]);
        }
    }

    /// Bytes without any meaning end in an event, an error or silence, the same one however they are split.
    #[test]
    fn f2_any_bytes_are_judged_the_same_way_whole_and_split(
        mut bytes in prop::collection::vec(any::<u8>(), 0..64),
        at in 0..64_usize,
        sane_start: bool,
    ) {
        if sane_start && bytes.len() > 1 {
            // Random first bytes are nearly always refused; these lead deeper.
            bytes[0] &= 0x8b;
            bytes[1] &= 0xfe;
        }
        for role in [Role::Server, Role::Client] {
            let run = |pieces: &[&[u8]]| {
                let mut connection = Connection::new_client(1, LIMITS);
                if role == Role::Server {
                    connection = Connection::new(role, LIMITS);
                }
                let mut log = Vec::new();
                for piece in pieces {
                    let mut piece = piece.to_vec();
                    let mut input = Input::new(&mut piece);
                    loop {
                        match connection.poll(&mut input) {
                            Ok(None) => break,
                            Ok(Some(event)) => log.push(format!("{event:?}")),
                            Err(error) => log.push(format!("{error:?}")),
                        }
                    }
                }
                (log, connection.output().split())
            };
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let whole = run(&[&bytes]);
            prop_assert_eq!(&run(&[first, second]), &whole);
            prop_assert_eq!(&run(&bytes.chunks(1).collect::<Vec<_>>()), &whole);
        }
    }
}
