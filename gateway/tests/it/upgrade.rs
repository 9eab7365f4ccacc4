//! The bytes of the upgrade: how they may be cut, what is refused, and how HTTP shares the port.

use std::io::Write;

use bytes::BytesMut;
use ringwire_gateway::placement::home_shard;
use ringwire_protocol::UserId;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::Connection;
use ringwire_protocol::websocket::{Limits, Role};
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};
use serde_json::json;

use crate::support::client::{Arrived, Client, Upgrade, dial, kind_of};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, http};

/// `connect` and some pings as the bytes of masked frames.
fn first_frames(token: &str, encoding: Encoding, pings: u64) -> BytesMut {
    let mut machine = Connection::new(Role::Client, Limits { max_message_bytes: 1 << 20 });
    let connect = wire::Connect { token: token.to_owned(), ..Default::default() };
    let ops =
        std::iter::once(Op::Connect(connect)).chain((0..pings).map(|_| Op::Ping(wire::Ping {})));
    for (number, op) in ops.enumerate() {
        let command = wire::Command { id: 1000 + number as u64, received: 0, op: Some(op) };
        machine.send(kind_of(encoding), &encoding.encode_one(&command));
    }
    std::mem::take(machine.output())
}

fn assert_answered(client: &mut Client, pings: u64) {
    for number in 0..=pings {
        match client.next() {
            Arrived::Reply(reply) => {
                assert_eq!(reply.id, 1000 + number);
                match (number, reply.outcome) {
                    (0, Some(Outcome::Connected(_))) | (1.., Some(Outcome::Pong(_))) => {}
                    (_, outcome) => panic!("an odd answer: {outcome:?}"),
                }
            }
            other => panic!("not a reply: {other:?}"),
        }
    }
}

/// Both shards accept, and users live on both: many connections take every way between them.
#[test]
fn f3_frames_in_the_packet_of_the_handshake_move_with_the_connection() {
    let server = ServerProcess::start(&[]);
    let users: Vec<u64> = (1..=12).collect();
    let homes = users.iter().map(|&user| home_shard(UserId::new(user).expect("an id"), 2));
    assert_eq!(homes.collect::<std::collections::HashSet<_>>().len(), 2);
    for user in users {
        for encoding in ENCODINGS {
            let token = server.token(user);
            for upgrade in [Upgrade::encoding(encoding), Upgrade::encoding(encoding).bearer(&token)]
            {
                let stream = dial(server.address()).expect("a connection");
                let behind = first_frames(&token, encoding, 20);
                let mut client =
                    Client::upgrade_on(stream, &upgrade, encoding, &behind).expect("a WebSocket");
                assert_answered(&mut client, 20);
                client.assert_quiet();
            }
        }
    }
}

#[test]
fn f3_a_handshake_and_frames_may_come_byte_by_byte() {
    let server = ServerProcess::start(&[]);
    for (encoding, user) in ENCODINGS.into_iter().zip([1, 2]) {
        let mut stream = dial(server.address()).expect("a connection");
        let (handshake, mut bytes) = Upgrade::encoding(encoding).request(server.address());
        bytes.extend_from_slice(&first_frames(&server.token(user), encoding, 2));
        for byte in bytes {
            stream.write_all(&[byte]).expect("writing a byte");
        }
        let mut client = Client::after_request(stream, &handshake, encoding).expect("a WebSocket");
        assert_answered(&mut client, 2);
    }
}

#[test]
fn f4_a_malformed_upgrade_is_refused_with_its_status() {
    let server = ServerProcess::start(&[]);
    let address = server.address();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let upgrade = "Upgrade: websocket\r\n";
    let connection = "Connection: Upgrade\r\n";
    let host = "Host: h\r\n";
    let get =
        |path: &str, headers: &[&str]| format!("GET {path} HTTP/1.1\r\n{}\r\n", headers.concat());
    let long = format!("X-Long: {}\r\n", "x".repeat(9000));
    let many = "X-Many: 1\r\n".repeat(200);
    let cases = [
        ("no key", get("/ws", &[host, upgrade, connection, version]), 400),
        (
            "bad key",
            get("/ws", &[host, upgrade, connection, version, "Sec-WebSocket-Key: a\r\n"]),
            400,
        ),
        ("two keys", get("/ws", &[host, upgrade, connection, version, key, key]), 400),
        ("no host", get("/ws", &[upgrade, connection, version, key]), 400),
        ("no connection", get("/ws", &[host, upgrade, version, key]), 400),
        (
            "a body",
            get("/ws", &[host, upgrade, connection, version, key, "Content-Length: 3\r\n"]),
            400,
        ),
        ("no header", "GET /ws HTTP/1.1\r\nnonsense\r\n\r\n".to_owned(), 400),
        (
            "HTTP/1.0",
            format!("GET /ws HTTP/1.0\r\n{host}{upgrade}{connection}{version}{key}\r\n"),
            400,
        ),
        (
            "old version",
            get("/ws", &[host, upgrade, connection, "Sec-WebSocket-Version: 8\r\n", key]),
            426,
        ),
        ("no version", get("/ws", &[host, upgrade, connection, key]), 426),
        ("no upgrade at all", get("/ws", &[host, "Connection: close\r\n"]), 426),
        ("long head", get("/ws", &[host, upgrade, connection, version, key, &long]), 431),
        ("many headers", get("/ws", &[host, upgrade, connection, version, key, &many]), 431),
        ("other path", get("/chat", &[host, upgrade, connection, version, key]), 404),
        (
            "POST",
            format!(
                "POST /ws HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}"
            ),
            426,
        ),
    ];
    for (name, request, status) in cases {
        let answer = http::exchange(address, request.as_bytes());
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        let error = &answer.json()["error"];
        assert!(error["code"].is_u64() && error["name"].is_string(), "{name}: {answer:?}");
    }
    // The server is none the worse for it.
    Client::session(&server, 1, Encoding::Json).assert_quiet();
}

#[test]
fn http_is_served_on_the_same_port() {
    let server = ServerProcess::start(&[]);
    let address = server.address();
    let page = http::get(address, "/");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-security-policy") && page.body.contains("<html"));
    let ready = http::get(address, "/health/ready");
    assert_eq!(ready.status, 200);
    assert_eq!((&ready.json()["status"], &ready.json()["shards"]), (&json!("ready"), &json!(2)));
    assert_eq!(http::get(address, "/health/live").status, 200);
    assert_eq!(http::get(address, "/nowhere").status, 404);

    // Byte by byte, across the hand-over to the thread that serves HTTP.
    let mut stream = http::dial(address);
    let request = format!("GET /health/live HTTP/1.1\r\nHost: {address}\r\n\r\n");
    for byte in request.as_bytes() {
        stream.write_all(&[*byte]).expect("writing a byte");
    }
    assert_eq!(http::read_answer(&mut stream).status, 200);
}

#[test]
fn accounts_are_registered_and_their_tokens_open_sessions() {
    let server = ServerProcess::start(&[]);
    let address = server.address();
    let anna =
        json!({"username": "anna", "email": "anna@example.org", "password": "correct horse"});
    let registered = http::post(address, "/api/v1/auth/register", &anna);
    assert_eq!(registered.status, 201, "{registered:?}");
    assert_eq!(http::post(address, "/api/v1/auth/register", &anna).status, 409);
    let wrong = json!({"username": "anna", "password": "wrong horse"});
    assert_eq!(http::post(address, "/api/v1/auth/login", &wrong).status, 401);
    let login = json!({"email": "anna@example.org", "password": "correct horse"});
    let login = http::post(address, "/api/v1/auth/login", &login);
    assert_eq!(login.status, 200);
    for answer in [registered, login] {
        let answer = answer.json();
        let token = answer["token"].as_str().expect("a token");
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(token);
        let mut client = Client::upgrade(address, &upgrade, Encoding::Json).expect("a WebSocket");
        let user =
            client.connect(wire::Connect::default()).expect("a session").user.expect("a user");
        assert_eq!(user.username, "anna");
        assert_eq!(json!(user.user_id.to_string()), answer["user"]["user_id"]);
    }
}

#[test]
fn a_kept_alive_connection_may_upgrade_after_other_requests() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        for user in 1..=6 {
            let mut stream = dial(server.address()).expect("a connection");
            let request =
                format!("GET /health/live HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
            for _ in 0..3 {
                stream.write_all(request.as_bytes()).expect("writing");
                assert_eq!(http::read_answer(&mut stream).status, 200);
            }
            let token = server.token(user);
            let behind = first_frames(&token, encoding, 5);
            let upgrade = Upgrade::encoding(encoding).bearer(&token);
            let mut client =
                Client::upgrade_on(stream, &upgrade, encoding, &behind).expect("a WebSocket");
            assert_answered(&mut client, 5);
        }
    }
}

#[test]
fn y1_the_driver_in_use_is_told() {
    let server = Setup::new().arguments(&["--driver", "epoll"]).start();
    assert_eq!(http::get(server.address(), "/health/ready").json()["driver"], "epoll");
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let mut ben = Client::session(&server, 2, Encoding::Json);
    let group = anna.create_group(&[2]);
    anna.say(group, "m", "over epoll");
    assert_eq!((ben.next_entry().seq, ben.next_entry().seq), (1, 2));
    drop(server);

    let server = ServerProcess::start(&[]);
    let driver = http::get(server.address(), "/health/ready").json()["driver"].clone();
    assert!(driver == "io_uring" || driver == "epoll", "{driver}");
    assert!(server.log().contains(driver.as_str().expect("a name")));
}
