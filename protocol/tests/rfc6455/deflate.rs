//! Permessage-deflate (RFC 7692): the tables of offers and answers, the table of frames, and payloads that another
//! implementation of deflate made.

use std::fmt::Write as _;

use ringwire_protocol::connection::Connection;
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::websocket::handshake::{
    ClientHandshake, Parsed, accept_response, parse_request,
};
use ringwire_protocol::websocket::{Limits, MessageKind, Role};

use crate::notation::{Outcome, Recorder, frames, run};

const PLAIN: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const NAMED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
    server_max_window_bits=12";

/// Offers, and the answer; empty: none of them is accepted.
#[rustfmt::skip]
const OFFERS: &[(&str, &[&str], &str)] = &[
    ("none", &[], ""),
    ("bare", &["permessage-deflate"], PLAIN),
    ("as browsers offer it", &["permessage-deflate; client_max_window_bits"], PLAIN),
    ("ours", &[PLAIN], PLAIN),
    ("parameters in another order", &["permessage-deflate;client_no_context_takeover;server_no_context_takeover"], PLAIN),
    ("client window of any size", &["permessage-deflate; client_max_window_bits=8"], PLAIN),
    ("quoted value", &["permessage-deflate; client_max_window_bits=\"10\""], PLAIN),
    ("quoted value with escapes", &[r#"permessage-deflate; client_max_window_bits="1\0""#], PLAIN),
    ("spaces", &["  permessage-deflate  ;  client_max_window_bits = 9 "], PLAIN),
    ("our window or larger", &["permessage-deflate; server_max_window_bits=12"], NAMED),
    ("the largest window", &["permessage-deflate; server_max_window_bits=15; client_max_window_bits"], NAMED),
    ("smaller window than ours", &["permessage-deflate; server_max_window_bits=11"], ""),
    ("smallest window", &["permessage-deflate; server_max_window_bits=8"], ""),
    ("window too small", &["permessage-deflate; server_max_window_bits=7"], ""),
    ("window too large", &["permessage-deflate; server_max_window_bits=16"], ""),
    ("client window too small", &["permessage-deflate; client_max_window_bits=7"], ""),
    ("client window too large", &["permessage-deflate; client_max_window_bits=16"], ""),
    ("leading zero", &["permessage-deflate; server_max_window_bits=012"], ""),
    ("sign", &["permessage-deflate; server_max_window_bits=+12"], ""),
    ("no number", &["permessage-deflate; client_max_window_bits=x"], ""),
    ("server window without a value", &["permessage-deflate; server_max_window_bits"], ""),
    ("takeover with a value", &["permessage-deflate; server_no_context_takeover=1"], ""),
    ("client takeover with a value", &["permessage-deflate; client_no_context_takeover=\"x\""], ""),
    ("unknown parameter", &["permessage-deflate; x"], ""),
    ("unknown parameter with a value", &["permessage-deflate; client_max_window_bits; x=1"], ""),
    ("parameter in capitals", &["permessage-deflate; CLIENT_MAX_WINDOW_BITS"], ""),
    ("same parameter twice", &["permessage-deflate; server_no_context_takeover; server_no_context_takeover"], ""),
    ("client takeover twice", &["permessage-deflate; client_no_context_takeover; client_no_context_takeover"], ""),
    ("same window twice", &["permessage-deflate; server_max_window_bits=12; server_max_window_bits=12"], ""),
    ("client window twice", &["permessage-deflate; client_max_window_bits; client_max_window_bits=9"], ""),
    ("another extension", &["permessage-bzip2"], ""),
    ("name that merely begins like it", &["permessage-deflate2"], ""),
    ("second offer", &["permessage-deflate; x, permessage-deflate"], PLAIN),
    ("first of two that both would do", &["permessage-deflate, permessage-deflate; server_max_window_bits=12"], PLAIN),
    ("offers on two lines", &["permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=13"], NAMED),
    ("behind another extension", &["x; y=1; z, permessage-deflate"], PLAIN),
    ("empty elements", &[", ,permessage-deflate,"], PLAIN),
];

/// Answers to our offer, and what they come to: compressed or not, or a failed handshake.
#[rustfmt::skip]
const ANSWERS: &[(&str, &[&str], Result<bool, ()>)] = &[
    ("none", &[], Ok(false)),
    ("empty", &[""], Ok(false)),
    ("what was offered", &[PLAIN], Ok(true)),
    ("the least", &["permessage-deflate; server_no_context_takeover"], Ok(true)),
    ("a window for the server", &["permessage-deflate; server_no_context_takeover; server_max_window_bits=9"], Ok(true)),
    ("quoted window", &["permessage-deflate; server_no_context_takeover; server_max_window_bits=\"15\""], Ok(true)),
    ("server keeps its window", &["permessage-deflate"], Err(())),
    ("server keeps its window, client does not", &["permessage-deflate; client_no_context_takeover"], Err(())),
    ("window for the client, not offered", &["permessage-deflate; server_no_context_takeover; client_max_window_bits=9"], Err(())),
    ("window out of range", &["permessage-deflate; server_no_context_takeover; server_max_window_bits=16"], Err(())),
    ("window without a value", &["permessage-deflate; server_no_context_takeover; server_max_window_bits"], Err(())),
    ("unknown parameter", &["permessage-deflate; server_no_context_takeover; x"], Err(())),
    ("parameter twice", &["permessage-deflate; server_no_context_takeover; server_no_context_takeover"], Err(())),
    ("twice", &[PLAIN, PLAIN], Err(())),
    ("another extension", &["permessage-bzip2"], Err(())),
    ("another extension as well", &[PLAIN, "x"], Err(())),
    ("malformed", &["permessage-deflate; server_no_context_takeover;"], Err(())),
];

/// A request or response with these extensions.
fn with_extensions(head: &str, extensions: &[&str]) -> String {
    let mut head = head.strip_suffix("\r\n").expect("ends with an empty line").to_owned();
    for extension in extensions {
        write!(head, "Sec-WebSocket-Extensions: {extension}\r\n").unwrap();
    }
    head + "\r\n"
}

#[test]
fn f1_every_offer_is_answered_as_the_rfc_says() {
    for (name, offers, expected) in OFFERS {
        let (_, head) = ClientHandshake::new("h", "/ws", &[], &[]);
        let head = with_extensions(std::str::from_utf8(&head).unwrap(), offers);
        let Ok(Parsed::Upgrade { request, .. }) = parse_request(head.as_bytes()) else {
            panic!("{name}: {head}");
        };
        let response = accept_response(&request, None, request.deflate);
        let response = std::str::from_utf8(&response).unwrap();
        let answer = response.split_once("Sec-WebSocket-Extensions: ");
        let answer = answer.map_or("", |(_, rest)| rest.lines().next().unwrap());
        assert_eq!(answer, *expected, "{name}");
        // Whoever does not want it does not answer it.
        let response = accept_response(&request, None, None);
        assert!(!response.windows(10).any(|bytes| bytes == b"Extensions"), "{name}");
    }
}

#[test]
fn f1_every_answer_comes_to_what_the_rfc_says() {
    for (name, answers, expected) in ANSWERS {
        let (client, request) = ClientHandshake::with_deflate("h", "/ws", &[], &[]);
        let Ok(Parsed::Upgrade { request, .. }) = parse_request(&request) else {
            panic!("{request:?}");
        };
        let response = accept_response(&request, None, None);
        let response = with_extensions(std::str::from_utf8(&response).unwrap(), answers);
        let agreed = client.parse_response(response.as_bytes());
        let agreed = agreed.map(|answer| answer.unwrap().0.deflate).map_err(|_| ());
        assert_eq!(agreed, *expected, "{name}");
    }
}

#[test]
fn f1_both_sides_agree_on_it() {
    let (client, request) = ClientHandshake::with_deflate("h", "/ws", &[], &[]);
    let Ok(Parsed::Upgrade { request, .. }) = parse_request(&request) else {
        panic!("{request:?}");
    };
    let response = accept_response(&request, None, request.deflate);
    let (answer, _) = client.parse_response(&response).unwrap().unwrap();
    assert!(answer.deflate);
}

/// What arrives where permessage-deflate was agreed on, what is told, what is answered.
struct Row(&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Section 7.2.3: examples
    Row("7.2.3.1, one block", r"c1(\xf2\x48\xcd\xc9\xc9\x07\x00)", "text(Hello)", ""),
    Row("7.2.3.1, in two fragments", r"41(\xf2\x48\xcd) 80(\xc9\xc9\x07\x00)", "text(Hello)", ""),
    Row("7.2.3.3, a block that is not compressed", r"c1(\x00\x05\x00\xfa\xffHello\x00)", "text(Hello)", ""),
    Row("7.2.3.4, BFINAL", r"c1(\xf3\x48\xcd\xc9\xc9\x07\x00\x00)", "text(Hello)", ""),
    Row("7.2.3.5, two blocks", r"c1(\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00)", "text(Hello)", ""),
    Row("7.2.3.6, empty", r"c1(\x00)", "text()", ""),
    Row("binary", r"c2(\xf2\x48\xcd\xc9\xc9\x07\x00)", "binary(Hello)", ""),
    Row("nothing at all", "c1()", "text()", ""),
    Row("a message for itself each", r"c1(\xf2\x48\xcd\xc9\xc9\x07\x00) c1(\xf2\x48\xcd\xc9\xc9\x07\x00)", "text(Hello) text(Hello)", ""),
    // The window of the first message would make this one "Hello" (7.2.3.2).
    Row("window of the message before", r"c1(\xf2\x48\xcd\xc9\xc9\x07\x00) c1(\xf2\x00\x11\x00\x00)", "text(Hello) error(1007)", r"88(\x03\xef)"),

    // Section 6: which messages are compressed
    Row("plain message", "81(Hello)", "text(Hello)", ""),
    Row("plain fragments", "01(Hel) 80(lo)", "text(Hello)", ""),
    Row("plain and compressed", r"81(a) c1(\xf2\x48\xcd\xc9\xc9\x07\x00) 82(b)", "text(a) text(Hello) binary(b)", ""),
    Row("plain behind compressed fragments", r"41(\xf2\x48\xcd\xc9) 80(\xc9\x07\x00) 01(a) 80(b)", "text(Hello) text(ab)", ""),

    // Section 6.1: where RSV1 may be set
    Row("RSV1 on the second fragment", r"41(\xf2\x48\xcd) c0(\xc9\xc9\x07\x00)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on the second fragment alone", "01(a) c0(b)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on a middle fragment", r"41(\xf2\x48\xcd) 40(\xc9)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on a ping", r"c9(\xf2\x48\xcd\xc9\xc9\x07\x00)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on a pong", "ca()", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on a close", r"c8(\x03\xe8)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 on a reserved opcode", "c3()", "error(1002)", r"88(\x03\xea)"),
    Row("RSV1 and RSV2", r"e1(\x00)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV2", r"a1(a)", "error(1002)", r"88(\x03\xea)"),
    Row("RSV3 on a compressed message", r"d1(\x00)", "error(1002)", r"88(\x03\xea)"),

    // Fragments, and what comes between them
    Row("one byte a fragment", r"41(\xf2) 00(\x48) 00(\xcd) 00(\xc9) 00(\xc9) 00(\x07) 80(\x00)", "text(Hello)", ""),
    Row("empty fragments", r"41() 00(\xf2\x48\xcd\xc9) 00() 00(\xc9\x07\x00) 80()", "text(Hello)", ""),
    Row("ping between", r"41(\xf2\x48) 89(x) 80(\xcd\xc9\xc9\x07\x00)", "ping(x) text(Hello)", "8a(x)"),
    Row("pings and a pong between", r"42(\xf2) 89(x) 00(\x48) 8a(y) 80(\xcd\xc9\xc9\x07\x00)", "ping(x) pong(y) binary(Hello)", "8a(x)"),
    Row("close between", r"41(\xf2\x48) 88(\x03\xe8)", "close(1000)", r"88(\x03\xe8)"),
    Row("a new message between", r"41(\xf2\x48) c1(\x00)", "error(1002)", r"88(\x03\xea)"),
    Row("compressed inside plain", r"01(a) c1(\x00)", "error(1002)", r"88(\x03\xea)"),
    Row("incomplete tells nothing", r"41(\xf2\x48\xcd\xc9\xc9\x07\x00)", "", ""),
    Row("half a frame tells nothing", r"c1[08](\xf2\x48\xcd\xc9\xc9\x07\x00)", "", ""),

    // What is no deflate, or not what the message says
    Row("no deflate", r"c1(\xff\xff)", "error(1007)", r"88(\x03\xef)"),
    Row("no deflate, binary", r"c2(\xff)", "error(1007)", r"88(\x03\xef)"),
    Row("no deflate in fragments fails at the end", r"41(\xff) 89(x) 80(\xff)", "ping(x) error(1007)", "8a(x) 88(\\x03\\xef)"),
    Row("cut off", r"c1(\xf2\x48\xcd)", "error(1007)", r"88(\x03\xef)"),
    Row("cut off in a stored block", r"c1(\x00\x05\x00\xfa\xffHel)", "error(1007)", r"88(\x03\xef)"),
    Row("with the tail that is to be left out", r"c1(\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00)", "text(Hello)", ""),
    Row("plain text marked as compressed", "c1(Hello)", "error(1007)", r"88(\x03\xef)"),
    Row("text that is not UTF-8", r"c1(\x00\x02\x00\xfd\xff\xc0\xaf\x00)", "error(1007)", r"88(\x03\xef)"),
    Row("the same bytes as binary", r"c2(\x00\x02\x00\xfd\xff\xc0\xaf\x00)", r"binary(\xc0\xaf)", ""),
    Row("character across blocks", r"c1(\x00\x01\x00\xfe\xff\xc3\x00\x01\x00\xfe\xff\xa9\x00)", r"text(\xc3\xa9)", ""),
    Row("messages before a bad one count", r"c1(\xf2\x48\xcd\xc9\xc9\x07\x00) c1(\xff)", "text(Hello) error(1007)", r"88(\x03\xef)"),
    Row("nothing behind a bad one counts", r"c1(\xff) 81(a)", "error(1007)", r"88(\x03\xef)"),
    Row("fragment too large by its header", "41(a) 00[7f7fffffffffffffff]()", "error(1009)", r"88(\x03\xf1)"),
    Row("too large by its header", "c2[7f0000000000013500]()", "error(1009)", r"88(\x03\xf1)"),
];

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn outcome<'b>(role: Role, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
    run(Recorder::with_deflate(role), pieces)
}

#[test]
fn f1_every_compressed_row_comes_to_what_the_rfc_says_however_it_is_split() {
    for Row(name, arriving, events, answers) in ROWS {
        let expected = Outcome::expected(events, answers);
        for role in ROLES {
            let bytes = frames(arriving, role);
            assert_eq!(outcome(role, [&bytes[..]]), expected, "{name} ({role:?})");
            assert_eq!(outcome(role, bytes.chunks(1)), expected, "{name} ({role:?}), byte by byte");
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                let split = outcome(role, [first, second]);
                assert_eq!(split, expected, "{name} ({role:?}), split at {at}");
            }
        }
    }
}

#[test]
fn f1_without_an_agreement_every_compressed_frame_is_refused() {
    let expected = Outcome::expected("error(1002)", r"88(\x03\xea)");
    for role in ROLES {
        for frame in [r"c1(\x00)", r"c2(\xf2\x48\xcd\xc9\xc9\x07\x00)", r"41(\x00)"] {
            let bytes = frames(frame, role);
            assert_eq!(run(Recorder::new(role), [&bytes[..]]), expected, "{frame} ({role:?})");
        }
    }
}

/// Messages that Python's zlib compressed, one a line: how, what, and the payload of the frame, the last two in hex.
const PYTHON: &str = include_str!("python_zlib.txt");

#[test]
fn f1_what_another_deflate_compressed_is_read() {
    let hex = |digits: &str| {
        format!(
            "\\x{}",
            digits
                .as_bytes()
                .chunks(2)
                .map(|pair| std::str::from_utf8(pair).unwrap())
                .collect::<Vec<_>>()
                .join("\\x")
        )
    };
    let mut rows = 0;
    for line in PYTHON.lines().filter(|line| !line.starts_with('#')) {
        let [name, text, payload] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let expected = Outcome::expected(&format!("text({})", hex(text)), "");
        for role in ROLES {
            let bytes = frames(&format!("c1({})", hex(payload)), role);
            for size in [bytes.len(), 1, 7, 100] {
                let found = outcome(role, bytes.chunks(size));
                assert_eq!(found, expected, "{name} ({role:?}), pieces of {size}");
            }
        }
        rows += 1;
    }
    assert!(rows >= 20, "{rows}");
}

#[test]
fn f1_messages_are_compressed_where_agreed_and_worth_it() {
    let limits = Limits { max_message_bytes: 1 << 20 };
    let text = r#"{"id":"1","op":{"send":{"text":"again and again"}}}"#.repeat(20);
    let mut deflater = Deflater::default();
    for role in ROLES {
        let mut plain = Connection::new(role, limits);
        plain.send_smaller(MessageKind::Text, text.as_bytes(), &mut deflater);
        assert_eq!(plain.output()[0], 0x81, "{role:?}: not agreed");

        let mut sender = Connection::new(role, limits).with_deflate();
        sender.send_smaller(MessageKind::Text, text.as_bytes(), &mut deflater);
        assert_eq!(sender.output()[0], 0xc1, "{role:?}");
        assert!(sender.output().len() < text.len() / 4);
        let small_at = sender.output().len();
        sender.send_smaller(MessageKind::Text, b"small", &mut deflater);
        assert_eq!(sender.output()[small_at], 0x81, "{role:?}: not worth it");
        sender.close(1000, "");
        let closed_at = sender.output().len();
        sender.send_smaller(MessageKind::Text, text.as_bytes(), &mut deflater);
        assert_eq!(sender.output().len(), closed_at, "{role:?}: nothing follows a close");

        let receiver = if role == Role::Server { Role::Client } else { Role::Server };
        let mut recorder = Recorder::with_deflate(receiver);
        recorder.read(&sender.output().split());
        let told = recorder.finish().events;
        assert_eq!(told[0], ("text".to_owned(), None, text.clone().into_bytes()), "{role:?}");
        assert_eq!(told[1], ("text".to_owned(), None, b"small".to_vec()), "{role:?}");
    }
}
