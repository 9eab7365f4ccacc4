//! The tables of handshakes: a sound head, what a row changes in it, and what that comes to.
//!
//! A change is `-Name` (leave the header out), `Name: value` (replace it, or add it) or `+Name: value` (add a line
//! beside it); a first line stands for the sound one.

use ringwire_protocol::websocket::handshake::{
    ClientHandshake, HandshakeError, MAX_HEAD_BYTES, Parsed, Response, UpgradeRequest,
    accept_response, parse_request, refuse_response,
};

const REQUEST: &[&str] = &[
    "GET /ws HTTP/1.1",
    "Host: chat.example",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// What a request comes to: its status, or where it goes.
#[rustfmt::skip]
const REQUESTS: &[(&str, &[&str], &str)] = &[
    ("sound", &[], "upgrade"),
    ("names in any case", &["-Upgrade", "uPGRADE: WebSocket", "-Connection", "connection: UPGRADE"], "upgrade"),
    ("connection is a list", &["Connection: keep-alive, Upgrade"], "upgrade"),
    ("connection on two lines", &["Connection: keep-alive", "+Connection: Upgrade"], "upgrade"),
    ("upgrade is a list", &["Upgrade: h2c, websocket"], "upgrade"),
    ("extensions are offered, none is taken", &["Sec-WebSocket-Extensions: permessage-deflate"], "upgrade"),
    ("extensions without a name", &["Sec-WebSocket-Extensions: "], "upgrade"),
    ("extension with an empty name", &["Sec-WebSocket-Extensions: ; x"], "400"),
    ("extension that is no token", &["Sec-WebSocket-Extensions: permessage deflate"], "400"),
    ("parameter without a name", &["Sec-WebSocket-Extensions: permessage-deflate; =1"], "400"),
    ("parameter without a value", &["Sec-WebSocket-Extensions: x; y="], "400"),
    ("empty parameter", &["Sec-WebSocket-Extensions: permessage-deflate;"], "400"),
    ("value that is no token", &["Sec-WebSocket-Extensions: x; y=a b"], "400"),
    ("quoted value that is no token", &["Sec-WebSocket-Extensions: x; y=\"a b\""], "400"),
    ("quoted value with a comma", &["Sec-WebSocket-Extensions: x; y=\"a,b\""], "400"),
    ("value with one quote", &["Sec-WebSocket-Extensions: x; y=\"a"], "400"),
    ("value with a quote inside", &["Sec-WebSocket-Extensions: x; y=\"a\"b\""], "400"),
    ("empty quoted value", &["Sec-WebSocket-Extensions: x; y=\"\""], "400"),
    ("extension that is not ASCII", &["Sec-WebSocket-Extensions: dëflate"], "400"),
    ("nonsense behind an offer", &["Sec-WebSocket-Extensions: permessage-deflate, =, x"], "400"),
    ("empty body", &["Content-Length: 0"], "upgrade"),
    ("absolute URL", &["GET http://chat.example/ws HTTP/1.1"], "upgrade"),
    ("no spaces after colons", &["Host:chat.example", "Upgrade:websocket"], "upgrade"),
    ("key with padding bits set", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="], "upgrade"),

    ("plain request", &["-Upgrade", "-Connection", "-Sec-WebSocket-Version", "-Sec-WebSocket-Key"], "http"),
    ("another upgrade", &["Upgrade: h2c", "-Sec-WebSocket-Version", "-Sec-WebSocket-Key"], "http"),
    ("another method", &["POST /ws HTTP/1.1"], "http"),
    ("longer method", &["GETS /ws HTTP/1.1"], "http"),
    ("method in small letters", &["get /ws HTTP/1.1"], "http"),
    ("HTTP/1.0 without an upgrade", &["GET / HTTP/1.0", "-Upgrade", "-Sec-WebSocket-Key"], "http"),
    ("HTTP/2 preface", &["PRI * HTTP/2.0"], "http"),

    ("HTTP/1.0", &["GET /ws HTTP/1.0"], "400"),
    ("HTTP/1.2", &["GET /ws HTTP/1.2"], "400"),
    ("no version of HTTP", &["GET /ws"], "400"),
    ("two spaces in the first line", &["GET /ws  HTTP/1.1"], "400"),
    ("space in a header name", &["+Ho st: x"], "400"),
    ("header without a colon", &["+nonsense"], "400"),
    ("control character in a value", &["+X: a\x01b"], "400"),
    ("folded line", &["+X: a\r\n b"], "400"),
    ("no host", &["-Host"], "400"),
    ("two hosts", &["+Host: other.example"], "400"),
    ("no upgrade", &["-Upgrade"], "400"),
    ("upgrade to something else", &["Upgrade: websockets"], "400"),
    ("no connection", &["-Connection"], "400"),
    ("connection without upgrade", &["Connection: keep-alive"], "400"),
    ("connection merely like upgrade", &["Connection: Upgrades"], "400"),
    ("no version", &["-Sec-WebSocket-Version"], "426"),
    ("version 8", &["Sec-WebSocket-Version: 8"], "426"),
    ("version 14", &["Sec-WebSocket-Version: 14"], "426"),
    ("list of versions", &["Sec-WebSocket-Version: 13, 8"], "426"),
    ("two versions", &["+Sec-WebSocket-Version: 8"], "400"),
    ("no key", &["-Sec-WebSocket-Key"], "400"),
    ("empty key", &["Sec-WebSocket-Key: "], "400"),
    ("short key", &["Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="], "400"),
    ("long key", &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFh"], "400"),
    ("key that is no base64", &["Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], "400"),
    ("two keys", &["+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], "400"),
    ("body", &["Content-Length: 5"], "400"),
    ("chunked body", &["Transfer-Encoding: chunked"], "400"),
    ("two origins", &["Origin: a", "+Origin: b"], "400"),
    ("two authorizations", &["Authorization: a", "+Authorization: b"], "400"),
    ("subprotocol with a space", &["Sec-WebSocket-Protocol: ringwire v1"], "400"),
    ("subprotocol that is not ASCII", &["Sec-WebSocket-Protocol: rïngwire"], "400"),
];

const RESPONSE: &[&str] = &[
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: {accept}",
];

/// What an answer to an offer of `a` and `b` comes to: status and subprotocol, or an error.
type Answer = Result<(u16, Option<&'static str>), ()>;

#[rustfmt::skip]
const RESPONSES: &[(&str, &[&str], Answer)] = &[
    ("sound", &[], Ok((101, None))),
    ("any case", &["Upgrade: WEBSOCKET", "Connection: upgrade"], Ok((101, None))),
    ("other phrase", &["HTTP/1.1 101 Fine"], Ok((101, None))),
    ("more headers", &["+Server: x", "+Date: y"], Ok((101, None))),
    ("first subprotocol", &["Sec-WebSocket-Protocol: a"], Ok((101, Some("a")))),
    ("second subprotocol", &["Sec-WebSocket-Protocol: b"], Ok((101, Some("b")))),
    ("refused", &["HTTP/1.1 401 Unauthorized"], Ok((401, None))),
    ("refused without headers", &["HTTP/1.1 503 Busy", "-Upgrade", "-Connection", "-Sec-WebSocket-Accept"], Ok((503, None))),
    ("no upgrade after all", &["HTTP/1.1 200 OK"], Ok((200, None))),
    ("no upgrade", &["-Upgrade"], Err(())),
    ("other upgrade", &["Upgrade: h2c"], Err(())),
    ("no connection", &["-Connection"], Err(())),
    ("other connection", &["Connection: keep-alive"], Err(())),
    ("no accept", &["-Sec-WebSocket-Accept"], Err(())),
    ("accept of another key", &["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="], Err(())),
    ("empty accept", &["Sec-WebSocket-Accept: "], Err(())),
    ("two accepts", &["+Sec-WebSocket-Accept: {accept}"], Err(())),
    ("extension", &["Sec-WebSocket-Extensions: permessage-deflate"], Err(())),
    ("subprotocol that was not offered", &["Sec-WebSocket-Protocol: c"], Err(())),
    ("subprotocol in another case", &["Sec-WebSocket-Protocol: A"], Err(())),
    ("two subprotocols", &["Sec-WebSocket-Protocol: a", "+Sec-WebSocket-Protocol: b"], Err(())),
    ("list of subprotocols", &["Sec-WebSocket-Protocol: a, b"], Err(())),
    ("HTTP/1.0", &["HTTP/1.0 101 Switching Protocols"], Err(())),
    ("not HTTP", &["SSH-2.0-OpenSSH"], Err(())),
];

/// The sound head with its changes.
fn head(sound: &[&str], changes: &[&str]) -> String {
    let mut lines: Vec<String> = sound.iter().map(|&line| line.to_owned()).collect();
    let name_of = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    for change in changes {
        if let Some(added) = change.strip_prefix('+') {
            lines.push(added.to_owned());
        } else if let Some(name) = change.strip_prefix('-') {
            lines.retain(|line| name_of(line) != name.to_ascii_lowercase());
        } else if change.contains("HTTP/") || !change.contains(':') {
            (*change).clone_into(&mut lines[0]);
        } else if let Some(line) = lines.iter_mut().find(|line| name_of(line) == name_of(change)) {
            (*change).clone_into(line);
        } else {
            lines.push((*change).to_owned());
        }
    }
    lines.join("\r\n") + "\r\n\r\n"
}

fn verdict(parsed: &Result<Parsed, HandshakeError>) -> String {
    match parsed {
        Ok(Parsed::Upgrade { .. }) => "upgrade".to_owned(),
        Ok(Parsed::Http) => "http".to_owned(),
        Ok(Parsed::Incomplete) => "incomplete".to_owned(),
        Err(error) => error.status.to_string(),
    }
}

fn upgrade(changes: &[&str]) -> UpgradeRequest {
    match parse_request(head(REQUEST, changes).as_bytes()) {
        Ok(Parsed::Upgrade { request, .. }) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn f1_every_request_comes_to_what_the_rfc_says() {
    for (name, changes, expected) in REQUESTS {
        let head = head(REQUEST, changes);
        let parsed = parse_request(head.as_bytes());
        assert_eq!(verdict(&parsed), *expected, "{name}: {parsed:?}\n{head}");
    }
}

#[test]
fn f3_a_request_one_byte_at_a_time_comes_to_the_same() {
    for (name, changes, expected) in REQUESTS {
        let head = head(REQUEST, changes) + "frames";
        let first_verdict = (0..=head.len()).find_map(|end| {
            let verdict = verdict(&parse_request(&head.as_bytes()[..end]));
            (verdict != "incomplete").then_some(verdict)
        });
        assert_eq!(first_verdict.as_deref(), Some(*expected), "{name}");
    }
}

#[test]
fn frames_sent_with_the_request_are_left_alone() {
    let head = head(REQUEST, &[]);
    match parse_request((head.clone() + "\r\n\r\n\u{81}frames").as_bytes()) {
        Ok(Parsed::Upgrade { consumed, .. }) => assert_eq!(consumed, head.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_gives_what_a_session_needs() {
    let request = upgrade(&[
        "GET /ws?token=a%20b&x HTTP/1.1",
        "Origin: https://chat.example",
        "Authorization: Bearer t",
        "Sec-WebSocket-Protocol: ringwire.v1.json, ,",
        "+Sec-WebSocket-Protocol: bearer.a-b_c.d",
        "+X-Forwarded-For: 192.0.2.1, 192.0.2.2",
        "+x-forwarded-for: 192.0.2.3",
        "+Forwarded: for=\"[2001:db8::1]\", for=é",
    ]);
    assert_eq!(request.path, "/ws");
    assert_eq!(request.query.as_deref(), Some("token=a%20b&x"));
    assert_eq!(request.host, "chat.example");
    assert_eq!(request.origin.as_deref(), Some("https://chat.example"));
    assert_eq!(request.authorization.as_deref(), Some("Bearer t"));
    assert_eq!(request.protocols, ["ringwire.v1.json", "bearer.a-b_c.d"]);
    assert_eq!(request.x_forwarded_for, ["192.0.2.1, 192.0.2.2", "192.0.2.3"]);
    assert_eq!(request.forwarded, ["for=\"[2001:db8::1]\", for=é"]);
}

#[test]
fn f4_a_head_that_is_too_large_is_refused_as_soon_as_that_is_certain() {
    let filled = |total_bytes: usize| {
        let empty = head(REQUEST, &["X: "]);
        let filling = "x".repeat(total_bytes - empty.len());
        head(REQUEST, &[&format!("X: {filling}")])
    };
    assert_eq!(verdict(&parse_request(filled(MAX_HEAD_BYTES).as_bytes())), "upgrade");
    let too_large = filled(MAX_HEAD_BYTES + 1);
    assert_eq!(verdict(&parse_request(too_large.as_bytes())), "431");
    let (certain, before) = (MAX_HEAD_BYTES, MAX_HEAD_BYTES - 1);
    assert_eq!(verdict(&parse_request(&too_large.as_bytes()[..certain])), "431");
    assert_eq!(verdict(&parse_request(&too_large.as_bytes()[..before])), "incomplete");

    let many_headers = vec!["+a: b"; 200];
    assert_eq!(verdict(&parse_request(head(REQUEST, &many_headers).as_bytes())), "431");
}

#[test]
fn f1_the_answer_is_that_of_the_rfc() {
    let request = upgrade(&["Sec-WebSocket-Protocol: chat, superchat"]);
    let response = accept_response(&request, Some("chat"), None);
    // Section 1.3 works this key out.
    let expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    assert_eq!(response, expected);
}

#[test]
fn a_refusal_is_http_that_closes() {
    let response = refuse_response(503, r#"{"error":{}}"#, &[("Retry-After", "1")]);
    let expected = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 12\r\nRetry-After: 1\r\n\r\n{\"error\":{}}";
    assert_eq!(response, expected);
    let other_version = refuse_response(426, "{}", &[]);
    let head = std::str::from_utf8(&other_version).unwrap();
    assert!(head.contains("\r\nSec-WebSocket-Version: 13\r\n"), "section 4.4: {head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
}

/// A client that offers `a` and `b`, and the key the server has to prove.
fn client() -> (ClientHandshake, String) {
    let (handshake, request) = ClientHandshake::new("chat.example", "/ws", &["a", "b"], &[]);
    let Ok(Parsed::Upgrade { request, consumed }) = parse_request(&request) else {
        panic!("{request:?}");
    };
    assert!(consumed > 0);
    let response = accept_response(&request, None, None);
    let response = std::str::from_utf8(&response).unwrap();
    let (_, key) = response.split_once("Sec-WebSocket-Accept: ").unwrap();
    (handshake, key.trim().to_owned())
}

fn judge(handshake: &ClientHandshake, bytes: &[u8]) -> Option<Result<(Response, usize), u16>> {
    handshake.parse_response(bytes).map_err(|error| error.status).transpose()
}

#[test]
fn f1_every_response_comes_to_what_the_rfc_says() {
    for (name, changes, expected) in RESPONSES {
        let (handshake, key) = client();
        let head = head(RESPONSE, changes).replace("{accept}", &key);
        let judged = judge(&handshake, head.as_bytes()).expect("the head is complete");
        let found = judged.as_ref().map_err(|_| ()).map(|(response, consumed)| {
            assert_eq!(*consumed, head.len());
            (response.status, response.subprotocol.as_deref())
        });
        assert_eq!(found, *expected, "{name}\n{head}");
        // One byte at a time, with frames behind it.
        let bytes = head + "\u{81}frames";
        let first = (0..=bytes.len()).find_map(|end| judge(&handshake, &bytes.as_bytes()[..end]));
        assert_eq!(first, Some(judged), "{name}");
    }
}

#[test]
fn f4_a_response_without_end_is_refused() {
    let (handshake, _) = client();
    let endless = "HTTP/1.1 101 Fine\r\nX: ".to_owned() + &"x".repeat(MAX_HEAD_BYTES);
    assert!(matches!(judge(&handshake, endless.as_bytes()), Some(Err(0))));
}

#[test]
fn both_sides_understand_each_other() {
    let headers = [("Authorization", "Bearer t"), ("Origin", "http://chat.example")];
    let (handshake, request) =
        ClientHandshake::new("chat.example", "/ws?x=1", &["a", "b"], &headers);
    let Ok(Parsed::Upgrade { request, .. }) = parse_request(&request) else {
        panic!("{request:?}");
    };
    assert_eq!((request.path.as_str(), request.query.as_deref()), ("/ws", Some("x=1")));
    assert_eq!(request.authorization.as_deref(), Some("Bearer t"));
    assert_eq!(request.protocols, ["a", "b"]);
    let response = accept_response(&request, Some("b"), None);
    let expected = Response { status: 101, subprotocol: Some("b".to_owned()), deflate: false };
    assert_eq!(judge(&handshake, &response), Some(Ok((expected, response.len()))));
}

#[test]
fn keys_are_fresh_and_no_argument_adds_a_line() {
    let (_, first) = ClientHandshake::new("h", "/", &[], &[]);
    let (_, second) = ClientHandshake::new("h", "/", &[], &[]);
    assert_ne!(first, second);
    let (_, request) = ClientHandshake::new("h\r\nX: 1", "/\r\nX: 1", &["a\r\nX: 1"], &[]);
    assert!(!request.windows(4).any(|bytes| bytes == b"\nX: "), "{request:?}");
}
