//! From a TCP connection to a session: tokens, subprotocols, `connect`, and who is not let in.

use ringwire_gateway::placement::home_shard;
use ringwire_protocol::UserId;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, reply::Outcome};
use serde_json::json;

use crate::support::chat::{refusal, say};
use crate::support::client::{Arrived, Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, token};

fn connect_with(token: &str) -> wire::Connect {
    wire::Connect { token: token.to_owned(), ..Default::default() }
}

/// Users of every shard of a server with two.
fn users_of_both_shards() -> [u64; 2] {
    [0, 1].map(|shard| {
        (1..1000)
            .find(|&id| UserId::new(id).is_some_and(|id| home_shard(id, 2) == shard))
            .expect("one")
    })
}

#[test]
fn a_token_may_come_in_header_subprotocol_query_or_command() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        for user in users_of_both_shards() {
            let token = server.token(user);
            let mut subprotocol = Upgrade::encoding(encoding);
            subprotocol.protocols.push(format!("bearer.{token}"));
            let query = Upgrade { query: format!("?token={token}"), ..Upgrade::encoding(encoding) };
            let in_request = [Upgrade::encoding(encoding).bearer(&token), subprotocol, query];
            let ways = in_request
                .into_iter()
                .map(|upgrade| (upgrade, wire::Connect::default()))
                .chain([(Upgrade::encoding(encoding), connect_with(&token))]);
            for (upgrade, connect) in ways {
                let mut client =
                    Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
                let connected = client.connect(connect).expect("a session");
                assert_eq!(connected.user.expect("a user").user_id, user);
                assert!(!connected.session_id.is_empty() && connected.server_time > 0);
                assert!(connected.heartbeat_ms > 0 && !connected.resumed);
                let limits = connected.limits.expect("limits");
                assert!(limits.max_frame_bytes > limits.max_text_bytes, "{limits:?}");
                client.assert_quiet();
                client.close();
            }
        }
    }
}

#[test]
fn without_subprotocol_the_first_message_decides_the_encoding() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        for user in users_of_both_shards() {
            let token = server.token(user);
            let in_header = (Upgrade::default().bearer(&token), wire::Connect::default());
            for (upgrade, connect) in [in_header, (Upgrade::default(), connect_with(&token))] {
                let mut client =
                    Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
                client.connect(connect).expect("a session");
                client.assert_quiet();
            }
        }
    }
}

/// Tokens of every kind that must not let anybody in, with the code of the refusal.
fn bad_tokens(server: &ServerProcess) -> Vec<(String, &'static str)> {
    let claims = |name: &str, value: serde_json::Value| {
        let mut claims = token::claims(1, 3600);
        claims[name] = value;
        token::sign(&server.secret_file(), &claims)
    };
    let good = server.token(1);
    let (signed, _) = good.rsplit_once('.').expect("three parts");
    vec![
        ("nonsense".to_owned(), "UNAUTHENTICATED"),
        (format!("{signed}.AAAA"), "UNAUTHENTICATED"),
        (token::sign_with(&[7; 32], &token::claims(1, 3600)), "UNAUTHENTICATED"),
        (claims("aud", json!("somebody else")), "UNAUTHENTICATED"),
        (claims("iss", json!("somebody else")), "UNAUTHENTICATED"),
        (claims("nbf", json!(token::now_s() + 600)), "UNAUTHENTICATED"),
        (claims("uid", json!(0)), "UNAUTHENTICATED"),
        (claims("uid", json!(1_u64 << 53)), "UNAUTHENTICATED"),
        (claims("exp", serde_json::Value::Null), "UNAUTHENTICATED"),
        (claims("exp", json!(token::now_s() - 1)), "TOKEN_EXPIRED"),
    ]
}

#[test]
fn a1_a_bad_token_is_answered_401_or_closes_with_4000_or_4001() {
    let server = ServerProcess::start(&[]);
    for (bad, code) in bad_tokens(&server) {
        for encoding in ENCODINGS {
            let upgrade = Upgrade::encoding(encoding).bearer(&bad);
            let refused = Client::upgrade(server.address(), &upgrade, encoding);
            assert_eq!(refused.err(), Some(401), "{bad}");

            let upgrade = Upgrade::encoding(encoding);
            let mut client =
                Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
            let error = client.connect(connect_with(&bad)).expect_err("no session");
            assert_eq!(error.name, code, "{bad}");
            let close = if code == "TOKEN_EXPIRED" { 4001 } else { 4000 };
            assert_eq!(client.close_code(), Some(close), "{bad}");
        }
    }
}

#[test]
fn a1_nobody_gets_in_without_a_token() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        for op in [Op::Connect(wire::Connect::default()), Op::Ping(wire::Ping {})] {
            let mut client =
                Client::upgrade(server.address(), &Upgrade::encoding(encoding), encoding)
                    .expect("a WebSocket");
            let error = client.call(op).expect_err("no session");
            assert!(["UNAUTHENTICATED", "NOT_CONNECTED"].contains(&&*error.name), "{error:?}");
            assert_eq!(client.close_code(), Some(4000));
        }
    }
}

#[test]
fn commands_before_connect_are_refused_and_connecting_is_still_possible() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(1));
        let mut client =
            Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
        assert_eq!(refusal(client.call(Op::Ping(wire::Ping {}))), "NOT_CONNECTED");
        assert_eq!(refusal(client.call(say(1, "m", "hello"))), "NOT_CONNECTED");
        client.connect(wire::Connect::default()).expect("a session");
        let again = client.call(Op::Connect(wire::Connect::default()));
        assert_eq!(refusal(again), "ALREADY_CONNECTED");
        client.assert_quiet();
    }
}

#[test]
fn a_connect_that_asks_too_much_is_refused_and_may_be_repeated() {
    let server = ServerProcess::start(&[]);
    let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
    let mut client =
        Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("a WebSocket");
    let cursor = wire::SyncCursor { conversation_id: 1, seq: 0 };
    let many = wire::Connect { cursors: vec![cursor; 501], ..Default::default() };
    assert_eq!(client.connect(many).expect_err("too many").name, "TOO_LARGE");
    let long = wire::Connect { device_id: "x".repeat(65), ..Default::default() };
    assert_eq!(client.connect(long).expect_err("too long").name, "INVALID_ARGUMENT");
    let stranger = wire::Connect { cursors: vec![cursor; 500], ..Default::default() };
    let connected = client.connect(stranger).expect("a session");
    assert!(connected.sync.iter().all(|state| state.not_member));
}

#[test]
fn commands_behind_connect_in_one_packet_are_answered_in_order() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        for user in users_of_both_shards() {
            let upgrade = Upgrade::encoding(encoding);
            let mut client =
                Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
            let first = client.queue(Op::Connect(connect_with(&server.token(user))));
            let pings: Vec<u64> = (0..100).map(|_| client.queue(Op::Ping(wire::Ping {}))).collect();
            client.flush().expect("writing");
            for id in std::iter::once(first).chain(pings) {
                match client.next() {
                    Arrived::Reply(reply) => assert_eq!(reply.id, id),
                    other => panic!("not a reply: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn x2_pages_of_other_origins_are_refused_unless_listed() {
    let lines = "[server]\nallowed_origins = [\"https://chat.example\"]";
    let server = Setup::new().config(lines).start();
    let status = |origin: &str| {
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
        let upgrade = upgrade.header("Origin", origin);
        Client::upgrade(server.address(), &upgrade, Encoding::Json).err()
    };
    assert_eq!(status("https://evil.example"), Some(403));
    assert_eq!(status("null"), Some(403));
    assert_eq!(status("https://chat.example.evil.example"), Some(403));
    assert_eq!(status("https://chat.example"), None);
    assert_eq!(status(&format!("http://{}", server.address())), None);
}

#[test]
fn a_token_of_a_trusted_issuer_is_one_user_however_often_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let key_file = folder.path().join("issuer.key");
    let key = [b'k'; 32];
    std::fs::write(&key_file, key).expect("a key");
    set_private(&key_file);
    let lines = format!(
        "[[auth.trusted_keys]]\nissuer = \"elsewhere\"\nalgorithm = \"HS256\"\nkey_file = {:?}",
        key_file.display().to_string()
    );
    let mut server = Setup::new().config(&lines).start();
    let claims = |subject: &str| {
        json!({
            "iss": "elsewhere", "aud": "ringwire", "sub": subject, "exp": token::now_s() + 600,
            "preferred_username": "anna", "uid": 999,
        })
    };
    let session = |server: &ServerProcess, subject: &str| {
        let token = token::sign_with(&key, &claims(subject));
        let upgrade = Upgrade::encoding(Encoding::Json).bearer(&token);
        let mut client =
            Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("a WebSocket");
        client.connect(wire::Connect::default()).expect("a session").user.expect("a user")
    };
    let anna = session(&server, "anna@elsewhere");
    let other = session(&server, "other@elsewhere");
    assert_ne!(anna.user_id, 999, "only the server's own tokens name users by id");
    assert_ne!(anna.user_id, other.user_id);
    assert_ne!(anna.username, other.username, "a name is taken once");
    server.kill();
    server.restart();
    assert_eq!(session(&server, "anna@elsewhere"), anna);
}

fn set_private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("a private key");
}

#[test]
fn unknown_users_stay_out_where_provisioning_is_off() {
    let server = Setup::new().config("[auth]\nprovision_unknown_users = false").start();
    let upgrade = Upgrade::encoding(Encoding::Protobuf).bearer(&server.token(4711));
    let mut client =
        Client::upgrade(server.address(), &upgrade, Encoding::Protobuf).expect("a WebSocket");
    let error = client.connect(wire::Connect::default()).expect_err("no session");
    assert_eq!(error.name, "USER_NOT_FOUND");
    assert_eq!(client.close_code(), Some(4000));
}

/// Nothing that belongs to the session is needed for this: it also shows that an idle session is answered.
#[test]
fn a_session_lives_on_while_others_come_and_go() {
    let server = ServerProcess::start(&[]);
    let mut stays = Client::session(&server, 1, Encoding::Json);
    for round in 0..50 {
        let mut client = Client::session(&server, 1 + round % 3, ENCODINGS[round as usize % 2]);
        assert!(matches!(client.call(Op::Ping(wire::Ping {})), Ok(Outcome::Pong(_))));
        if round % 2 == 0 {
            client.close();
        }
    }
    stays.assert_quiet();
}
