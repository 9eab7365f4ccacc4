//! A2: whatever way a token or password takes, right or wrong, the log at its most talkative holds none.

use std::io::Write;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use serde_json::json;

use crate::support::client::{Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, http, token};

/// Sends a token in every way a client can.
fn in_every_way(server: &ServerProcess, token: &str) {
    for encoding in ENCODINGS {
        let plain = Upgrade::encoding(encoding);
        let mut subprotocol = plain.clone();
        subprotocol.protocols.push(format!("bearer.{token}"));
        let query = Upgrade { query: format!("?token={token}"), ..plain.clone() };
        for upgrade in
            [plain.clone().bearer(token), subprotocol, query, Upgrade::default().bearer(token)]
        {
            if let Ok(mut client) = Client::upgrade(server.address(), &upgrade, encoding) {
                client.connect(wire::Connect::default()).expect("a session");
                // Also as a second token, and where it does not belong.
                let refresh = wire::Refresh { token: token.to_owned() };
                client.call(Op::Refresh(refresh)).expect("a refreshed session");
            }
        }
        if let Ok(mut client) = Client::upgrade(server.address(), &plain, encoding) {
            let connect = wire::Connect { token: token.to_owned(), ..Default::default() };
            let _ = client.connect(connect);
        }
    }
    // Requests that are no sound upgrades, and those that HTTP answers.
    let requests = [
        format!("GET /ws?token={token} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
        format!(
            "GET /ws?token={token} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nAuthorization: Bearer {token}\r\n\r\n"
        ),
        format!(
            "GET /nowhere?token={token} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "POST /ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        ),
        format!("{token} HTTP/1.1\r\n\r\n"),
        format!("GET /health/live HTTP/1.1\r\nHost: h\r\nbroken header {token}\r\n\r\n"),
    ];
    for request in requests {
        let mut stream = http::dial(server.address());
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
}

#[test]
fn a2_no_secret_in_logs() {
    for database in Database::both() {
        let mut server = Setup::new().variable("RINGWIRE_LOG", "trace").database(database).start();
        let address = server.address();
        let good = server.token(1);
        let (head_and_claims, signature) = good.rsplit_once('.').expect("three parts");
        let (_, claims) = head_and_claims.split_once('.').expect("three parts");
        let bad = "canary-of-a-token-that-is-none";
        let expired = token::sign(&server.secret_file(), &token::claims(1, -1));
        let (_, expired_signature) = expired.rsplit_once('.').expect("three parts");
        for token in [&*good, bad, &*expired, &*format!("{head_and_claims}.{bad}")] {
            in_every_way(&server, token);
        }

        let password = "canary of a password";
        let wrong = "canary of a wrong password";
        let account = json!({"username": "anna", "password": password});
        let registered = http::post(address, "/api/v1/auth/register", &account);
        let minted = registered.json()["token"].as_str().expect("a token").to_owned();
        http::post(address, "/api/v1/auth/register", &account);
        http::post(address, "/api/v1/auth/login", &account);
        http::post(address, "/api/v1/auth/login", &json!({"username": "anna", "password": wrong}));
        http::post(
            address,
            "/api/v1/auth/login",
            &json!({"username": "nobody", "password": wrong}),
        );
        http::post(address, "/api/v1/auth/login", &json!({"username": 7, "password": wrong}));
        http::post(
            address,
            "/api/v1/auth/register",
            &json!({"username": "b", "password": [wrong]}),
        );

        // Passwords on other ways, and what somebody takes for a token.
        let own = |method: &str, path: &str, body: &serde_json::Value| {
            http::request_as(address, &minted, method, path, Some(body)).status
        };
        let renamed = json!({"username": "annie", "password": wrong});
        assert_eq!(own("PATCH", "/api/v1/account", &renamed), 401);
        let renamed = json!({"username": "annie", "password": password});
        assert_eq!(own("PATCH", "/api/v1/account", &renamed), 200);
        for (old, new, expected) in [(wrong, password, 401), (password, password, 204)] {
            let change = json!({"old_password": old, "new_password": new});
            assert_eq!(own("POST", "/api/v1/account/password", &change), expected);
        }
        let confirm = json!({"token": bad, "password": password});
        let confirmed = http::post(address, "/api/v1/auth/password-reset/confirm", &confirm);
        assert_eq!(confirmed.status, 401);
        assert_eq!(own("DELETE", "/api/v1/account", &json!({"password": wrong})), 401);

        // And messages: what people say is nobody's business either.
        let said = "canary of a message";
        for encoding in ENCODINGS {
            let mut client = Client::session(&server, 1, encoding);
            let group = client.create_group(&[]);
            client.say(group, "m", said);
            client.send_payload(format!("{{{said}").as_bytes());
            assert_eq!(client.close_code(), Some(4002));
        }
        drop(Client::session(&server, 1, Encoding::Json));

        let secret = std::fs::read_to_string(server.secret_file()).expect("the key");
        server.terminate();
        assert!(server.wait().success());
        let log = server.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is not talkative at all");
        let minted_signature = minted.rsplit('.').next().expect("three parts");
        let secrets = [
            &*good,
            signature,
            claims,
            bad,
            expired_signature,
            minted_signature,
            password,
            wrong,
            secret.trim(),
            said,
            "argon2",
        ];
        for secret in secrets {
            assert!(!log.contains(secret), "the log holds {secret:?}");
        }
    }
}

#[test]
fn a2_the_password_of_the_database_is_in_no_log_and_no_error() {
    let url = "postgres://ringwire:canary-of-a-password@127.0.0.1:1/nowhere";
    let server = Setup::new()
        .variable("RINGWIRE_LOG", "trace")
        .database(Database::Postgres(url.to_owned()))
        .launch();
    while !server.log().contains("retry_in_ms") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!server.log().contains("canary"), "{}", server.log());
}

/// Keys of bodies, from a file and from the environment: not in the log, nor in what any tool or page tells, also when
/// they are wrong.
#[test]
fn a2_keys_of_bodies_are_shown_nowhere() {
    const KEY: &str = "Q2FuYXJ5IG9mIGEga2V5LCB3aGljaCBpcyBzZWNyZXQ=";
    const OTHER: &str = "Q2FuYXJ5IG9mIG5vIGtleSwgb2YgMzIgYnl0ZXMgdG8=";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys");
    for from_file in [true, false] {
        for database in Database::both() {
            let write = |text: &str| {
                std::fs::write(&path, text).expect("a file of keys");
                let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                std::fs::set_permissions(&path, private).expect("a private file");
            };
            let right = format!("7 = {KEY}");
            write(&right);
            let setup = Setup::new().variable("RINGWIRE_LOG", "trace").database(database);
            let setup = if from_file {
                let file = path.display().to_string();
                setup.config(&format!("[storage.encryption]\nkeys_file = {file:?}"))
            } else {
                setup.variable("RINGWIRE_STORAGE_KEYS", &right)
            };
            let mut server = setup.start();
            let mut client = Client::session(&server, 1, Encoding::Json);
            let group = client.create_group(&[]);
            client.say(group, "m", "text");
            client.send_payload(b"{no JSON");
            assert_eq!(client.close_code(), Some(4002));
            let mut told = String::new();
            for path in ["/metrics", "/health/ready", "/health/live"] {
                let answer = http::get(server.address(), path);
                assert_eq!(answer.status, 200, "{answer:?}");
                told += &answer.body;
            }
            server.terminate();
            assert!(server.wait().success());
            let wrong = [
                format!("7 = {OTHER}"),
                format!("8 = {KEY}"),
                format!("7 = {KEY}{OTHER}"),
                format!("7 = {KEY}\n7 = {KEY}"),
                format!("7 {KEY}"),
                format!("{KEY} = 7"),
            ];
            let tools: [&[&str]; 5] = [
                &["check-config"],
                &["key", "status"],
                &["key", "status", "--json"],
                &["db", "check", "--bodies"],
                &["--listen", "127.0.0.1:0", "serve"],
            ];
            for lines in [&right].into_iter().chain(&wrong) {
                let serves = *lines == right;
                write(lines);
                for arguments in &tools[..if serves { 4 } else { 5 }] {
                    let mut tool = server.tool_command(arguments);
                    if !from_file {
                        tool.env("RINGWIRE_STORAGE_KEYS", lines);
                    }
                    let output = tool.output().expect("a tool");
                    let failed = arguments.last() == Some(&"serve");
                    assert!(!(failed && output.status.success()), "{lines:?} must not serve");
                    told += &String::from_utf8_lossy(&output.stdout);
                    told += &String::from_utf8_lossy(&output.stderr);
                }
            }
            assert!(told.contains("keys"), "check-config tells of keys: {told}");
            told += &server.log();
            assert!(told.contains("TRACE") || told.contains("DEBUG"), "not talkative: {told}");
            // In base64, as bytes, and as Rust shows bytes.
            for secret in [KEY, OTHER, "Canary of", "67, 97, 110, 97, 114, 121", "43616e617279"] {
                assert!(!told.to_lowercase().contains(&secret.to_lowercase()), "{secret:?} shows");
            }
        }
    }
}
