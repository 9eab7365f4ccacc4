//! Operators: made at the console, kept out of nothing that is theirs, remembered in all they do.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, push::Event};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::http::{self, Answer};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, PATIENCE};

/// Makes an operator with the tool, which on SQLite has the database to itself; the password it printed.
pub(crate) fn create(server: &mut ServerProcess, name: &str, role: &str) -> String {
    server.terminate();
    assert!(server.wait().success());
    let output = server.tool(&["operator", "create", "--name", name, "--role", role]);
    server.restart();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told} {}", String::from_utf8_lossy(&output.stderr));
    let password = told.lines().find_map(|line| line.strip_prefix("Password: "));
    password.unwrap_or_else(|| panic!("no password: {told}")).to_owned()
}

/// Any request with a JSON body.
pub(crate) fn ask(
    address: SocketAddr,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Answer {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    http::exchange(address, request.as_bytes())
}

fn login(server: &ServerProcess, name: &str, password: &str) -> String {
    let body = json!({"name": name, "password": password});
    let answer = http::post(server.address(), "/api/v1/admin/login", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// A server with an operator who may do everything, and their token.
pub(crate) fn administered(database: Database) -> (ServerProcess, String) {
    let mut server = Setup::new().database(database).start();
    let password = create(&mut server, "root", "admin");
    let token = login(&server, "root", &password);
    (server, token)
}

/// The next notice of an operator, past whatever else is pushed.
pub(crate) fn next_notice(client: &mut Client) -> wire::Notice {
    loop {
        if let Event::Notice(notice) = client.next_push() {
            return notice;
        }
    }
}

#[test]
fn operators_speak_to_people_end_their_sessions_and_keep_them_out() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let closed = http::get(server.address(), "/api/v1/admin/stats");
        assert_eq!(closed.status, 404, "{closed:?}");
        assert_eq!(http::get(server.address(), "/admin/").status, 404);
        let password = create(&mut server, "root", "admin");
        let token = login(&server, "root", &password);
        let admin = |method: &str, path: &str, body: Value| {
            ask(server.address(), &token, method, &format!("/api/v1/admin/{path}"), &body)
        };

        // People of both encodings, on whichever shard.
        let mut people: Vec<Client> = (1..=4)
            .zip(ENCODINGS.into_iter().cycle())
            .map(|(user, encoding)| Client::session(&server, user, encoding))
            .collect();
        let answer = admin("POST", "broadcast", json!({"text": "maintenance at noon"}));
        assert_eq!(answer.status, 202, "{answer:?}");
        for person in &mut people {
            let notice = next_notice(person);
            assert_eq!(notice.text, "maintenance at noon");
            assert!(notice.sent_at > 0);
        }
        let some = json!({"text": "only for you", "user_ids": ["2"]});
        assert_eq!(admin("POST", "broadcast", some).status, 202);
        assert_eq!(next_notice(&mut people[1]).text, "only for you");
        people[0].assert_quiet();

        // Sessions are seen and ended one by one.
        let listed = admin("GET", "sessions", Value::Null).json();
        let sessions = listed["sessions"].as_array().expect("sessions");
        assert_eq!(sessions.len(), 4, "{listed}");
        assert_eq!(listed["next_page_token"], "");
        let third = sessions.iter().find(|session| session["user_id"] == "3").expect("a session");
        assert_eq!(third["live"], true);
        let of_third = admin("GET", "sessions?user_id=3", Value::Null).json();
        assert_eq!(of_third["sessions"][0]["session_id"], third["session_id"]);
        let path = format!("sessions/{}", third["session_id"].as_str().expect("an id"));
        assert_eq!(admin("DELETE", &path, Value::Null).status, 204);
        assert_eq!(people[2].close_code(), Some(4004));
        assert_eq!(admin("DELETE", &path, Value::Null).status, 404);

        // All of a user's, and they may come back.
        assert_eq!(admin("POST", "users/4/kick", Value::Null).status, 204);
        assert_eq!(people[3].close_code(), Some(4004));
        drop(Client::session(&server, 4, Encoding::Json));

        // Who is banned may not, neither by socket nor by HTTP.
        let account = json!({"username": "mallory", "password": "correct horse"});
        let register = "/api/v1/auth/register";
        let mallory = http::post(server.address(), register, &account).json();
        let id = mallory["user"]["user_id"].as_str().expect("an id").to_owned();
        let number: u64 = id.parse().expect("a number");
        let user_token = mallory["token"].as_str().expect("a token").to_owned();
        let mut session = Client::session(&server, number, Encoding::Json);
        let ban = json!({"reason": "spam", "seconds": 0});
        assert_eq!(admin("PUT", &format!("users/{id}/ban"), ban).status, 204);
        assert_eq!(session.close_code(), Some(4005));
        let refused = http::post(server.address(), "/api/v1/auth/login", &account);
        assert_eq!(refused.json()["error"]["name"], "BANNED", "{refused:?}");
        let refresh = json!({"refresh_token": mallory["refresh_token"]});
        assert_ne!(http::post(server.address(), "/api/v1/auth/refresh", &refresh).status, 200);
        let export = http::get_as(server.address(), &user_token, "/api/v1/account/export");
        assert_eq!(export.status, 403, "{export:?}");
        let plain = crate::support::client::Upgrade::encoding(Encoding::Json);
        let upgrade = plain.bearer(&server.token(number));
        let mut back = Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("101");
        let told = back.connect(wire::Connect::default()).expect_err("they are banned");
        assert_eq!(told.name, "BANNED");
        assert_eq!(back.close_code(), Some(4005));
        let found = admin("GET", "users?q=mallo", Value::Null).json();
        assert_eq!(found["users"][0]["ban"]["reason"], "spam", "{found}");
        assert_eq!(admin("DELETE", &format!("users/{id}/ban"), Value::Null).status, 204);
        assert_eq!(http::post(server.address(), "/api/v1/auth/login", &account).status, 200);

        // Everything is remembered, the newest first, with who did it and how it went.
        let audit = admin("GET", "audit", Value::Null).json();
        let rows = audit["rows"].as_array().expect("rows");
        let told: Vec<(&str, &str, &str)> = rows
            .iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap_or_default();
                (text("action"), text("operator"), text("outcome"))
            })
            .collect();
        let expected = [
            ("user.unban", "root", "done"),
            ("users.look", "root", "done"),
            ("user.ban", "root", "done"),
            ("user.kick", "root", "done"),
            ("session.end", "root", "refused"),
            ("session.end", "root", "done"),
            ("sessions.look", "root", "done"),
            ("sessions.look", "root", "done"),
            ("broadcast.send", "root", "done"),
            ("broadcast.send", "root", "done"),
            ("operator.login", "root", "done"),
            ("operator.create", "", "done"),
        ];
        assert_eq!(told, expected, "{audit}");
        assert_eq!((&rows[4]["code"], &rows[3]["code"]), (&json!("NOT_FOUND"), &Value::Null));
        assert_eq!(rows[5]["detail"], json!({"user_id": "3"}), "whose session it was");
        assert_eq!(rows[8]["detail"]["user_ids"], json!(["2"]));
    }
}

#[test]
fn operators_see_conversations_and_people_but_not_what_they_say() {
    for database in Database::both() {
        let (server, token) = administered(database);
        let mut ann = Client::session(&server, 1, Encoding::Json);
        let _bob = Client::session(&server, 2, Encoding::Json);
        let group = ann.create_group(&[2]);
        ann.say(group, "m", "canary of a message");
        let mut told = String::new();
        for path in [
            format!("conversations/{group}"),
            "users/1".to_owned(),
            "users?q=1".to_owned(),
            "sessions".to_owned(),
            "stats".to_owned(),
            "audit".to_owned(),
            "operators".to_owned(),
        ] {
            let path = format!("/api/v1/admin/{path}");
            let answer = ask(server.address(), &token, "GET", &path, &Value::Null);
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            told += &answer.body;
        }
        assert!(!told.contains("canary") && !told.contains("argon2"), "{told}");
        let path = format!("/api/v1/admin/conversations/{group}");
        let seen = ask(server.address(), &token, "GET", &path, &Value::Null).json();
        assert_eq!((&seen["kind"], &seen["member_count"]), (&json!("group"), &json!(2)), "{seen}");
        let seen = ask(server.address(), &token, "GET", "/api/v1/admin/users/1", &Value::Null);
        assert_eq!(seen.json()["conversations"][0]["role"], "owner", "{seen:?}");
    }
}

#[test]
fn text_that_no_database_keeps_is_refused_and_not_tried() {
    for database in Database::both() {
        let (server, token) = administered(database);
        drop(Client::session(&server, 1, Encoding::Json));
        let cases = [
            ("GET", "users?q=a%00b", Value::Null),
            ("GET", "users?q=a&page_token=%00", Value::Null),
            ("PUT", "users/1/ban", json!({"reason": "sp\u{0}am"})),
            ("POST", "broadcast", json!({"text": "at \u{0} noon"})),
        ];
        for (method, path, body) in cases {
            let path = format!("/api/v1/admin/{path}");
            let answer = ask(server.address(), &token, method, &path, &body);
            let name = &answer.json()["error"]["name"];
            assert_eq!((answer.status, name), (400, &json!("INVALID_ARGUMENT")), "{method} {path}");
        }
    }
}

#[test]
fn orders_about_nobody_are_refused_and_say_whom_there_is_not() {
    for database in Database::both() {
        let (server, token) = administered(database);
        for user in [1, 2] {
            drop(Client::session(&server, user, Encoding::Json));
        }
        let left = http::ask_as(server.address(), &server.token(2), "DELETE", "/api/v1/account");
        assert_eq!(left.status, 204, "{left:?}");
        let notice = json!({"text": "at noon", "user_ids": ["1", "99"]});
        for (method, path, body, name, told) in [
            ("POST", "users/2/kick", Value::Null, "USER_NOT_FOUND", "deleted"),
            ("POST", "users/99/kick", Value::Null, "USER_NOT_FOUND", "no such user"),
            ("DELETE", "users/1/ban", Value::Null, "NOT_FOUND", "not banned"),
            ("POST", "broadcast", notice, "USER_NOT_FOUND", "user_ids: there is no user 99"),
        ] {
            let path = format!("/api/v1/admin/{path}");
            let error = ask(server.address(), &token, method, &path, &body).json()["error"].clone();
            assert_eq!(error["name"], name, "{path}: {error}");
            assert!(
                error["message"].as_str().is_some_and(|message| message.contains(told)),
                "{error}"
            );
        }
    }
}

#[test]
fn an_order_of_one_node_is_carried_out_by_the_other_within_a_minute() {
    let database = Database::postgres();
    let (here, token) = administered(database.clone());
    let elsewhere = Setup::new().database(database).data(&here.data()).start();
    let mut ann = Client::session(&elsewhere, 1, Encoding::Protobuf);
    let body = json!({"text": "hello from the other node"});
    assert_eq!(ask(here.address(), &token, "POST", "/api/v1/admin/broadcast", &body).status, 202);
    assert_eq!(next_notice(&mut ann).text, "hello from the other node");
    let ban = ask(here.address(), &token, "PUT", "/api/v1/admin/users/1/ban", &json!({}));
    assert_eq!(ban.status, 204, "{ban:?}");
    assert_eq!(ann.close_code(), Some(4005));
}

#[test]
fn figures_stream_the_log_talks_on_demand_and_a_drain_ends_the_server() {
    let mut server = Setup::new().start();
    let password = create(&mut server, "root", "admin");
    let [token, watching] = [(); 2].map(|()| login(&server, "root", &password));
    let mut ann = Client::session(&server, 1, Encoding::Json);
    let mut stream = http::dial(server.address());
    let request = format!(
        "GET /api/v1/admin/stats/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {watching}\r\n\r\n"
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("a request");
    let events = read_until(&mut stream, |text| text.matches("event: stats").count() >= 2);
    assert!(events.contains("text/event-stream") && events.contains("\"latency_ms\""), "{events}");
    let out = ask(server.address(), &watching, "POST", "/api/v1/admin/logout", &Value::Null);
    assert_eq!(out.status, 204, "{out:?}");
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut rest).expect("the stream ends with the login");

    let log = "/api/v1/admin/log";
    let told = ask(server.address(), &token, "GET", log, &Value::Null).json();
    assert_eq!(told["filter"], "info");
    assert!(!server.log().contains("DEBUG"), "it is quiet at first");
    let louder = json!({"filter": "ringwire_gateway=debug"});
    let answer = ask(server.address(), &token, "PUT", log, &louder);
    assert_eq!(answer.json()["filter"], "ringwire_gateway=debug", "{answer:?}");
    ann.send_payload(b"{no JSON");
    assert_eq!(ann.close_code(), Some(4002));
    let deadline = Instant::now() + PATIENCE;
    while !server.log().contains("DEBUG") {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let answer = ask(server.address(), &token, "POST", "/api/v1/admin/drain", &Value::Null);
    assert_eq!(answer.status, 202);
    assert!(server.wait().success());
}

#[test]
fn a_drain_answers_on_kept_connections_and_refuses_new_ones() {
    let (mut server, token) = administered(Database::Sqlite);
    let address = server.address();
    let mut kept = http::dial(address);
    // In one write: the second request is there before the first one is answered.
    let requests = format!(
        "POST /api/v1/admin/drain HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\n\r\nGET /health/ready HTTP/1.1\r\nHost: {address}\r\n\r\n"
    );
    std::io::Write::write_all(&mut kept, requests.as_bytes()).expect("two requests");
    let mut told = Vec::new();
    std::io::Read::read_to_end(&mut kept, &mut told).expect("two answers and the end");
    let told = String::from_utf8_lossy(&told);
    let (drained, ready) = told.split_at(told.rfind("HTTP/1.1").expect("an answer"));
    assert!(drained.starts_with("HTTP/1.1 202"), "{told}");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("connection: close\r\n"), "{told}");
    assert!(ready.contains("\"status\":\"draining\""), "{told}");
    assert!(server.wait().success());
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
}

fn read_until(stream: &mut std::net::TcpStream, enough: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut buffer = [0; 8192];
    while !enough(&text) {
        let count = std::io::Read::read(stream, &mut buffer).expect("more");
        assert!(count > 0, "the stream ended: {text}");
        text += &String::from_utf8_lossy(&buffer[..count]);
    }
    text
}

#[test]
fn the_console_makes_lists_resets_and_disables_operators() {
    // Beside a running server, as Postgres allows.
    let (server, token) = administered(Database::postgres());
    let tool = |arguments: &[&str]| {
        let output = server.tool(arguments);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), told + &String::from_utf8_lossy(&output.stderr))
    };
    let (done, told) = tool(&["operator", "create", "--name", "ROOT"]);
    assert!(!done && told.contains("already"), "{told}");
    let (done, told) = tool(&["operator", "list"]);
    assert!(done && told.contains("root\tadmin\tenabled"), "{told}");
    let me =
        |token: &str| ask(server.address(), token, "GET", "/api/v1/admin/me", &Value::Null).status;
    assert_eq!(me(&token), 200);
    let (done, told) = tool(&["operator", "reset-password", "--name", "root"]);
    assert!(done, "{told}");
    assert_eq!(me(&token), 401, "another password ends the logins");
    let password = told.lines().find_map(|line| line.strip_prefix("Password: ")).expect("one");
    let again = login(&server, "root", password);
    assert_eq!(me(&again), 200);
    let (done, told) = tool(&["operator", "disable", "--name", "root"]);
    assert!(done, "{told}");
    assert_eq!(me(&again), 401);
    let (done, told) = tool(&["config", "doc"]);
    assert!(done && told.contains("[server]") && told.contains("otlp_endpoint"), "{told}");
}

#[test]
fn a2_no_secret_of_operators_in_logs() {
    let mut server = Setup::new().variable("RINGWIRE_LOG", "trace").start();
    let password = create(&mut server, "root", "admin");
    let wrong = "canary of a wrong password";
    for (name, password) in [("root", wrong), (wrong, wrong), ("nobody", wrong)] {
        let body = json!({"name": name, "password": password});
        let answer = http::post(server.address(), "/api/v1/admin/login", &body);
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let token = login(&server, "root", &password);
    for (method, path, body) in [
        ("GET", "/api/v1/admin/me", Value::Null),
        ("GET", "/api/v1/admin/audit", Value::Null),
        ("POST", "/api/v1/admin/broadcast", json!({"text": "canary of a notice"})),
        ("POST", "/api/v1/auth/logout", Value::Null),
        ("POST", "/api/v1/admin/logout", Value::Null),
    ] {
        ask(server.address(), &token, method, path, &body);
    }
    let mut ann = Client::session(&server, 1, Encoding::Json);
    ann.send_payload(b"{no JSON");
    assert_eq!(ann.close_code(), Some(4002));
    server.terminate();
    assert!(server.wait().success());
    let log = server.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is not talkative at all");
    assert!(log.contains("operator.login"), "what operators do is in the log: {log}");
    for secret in [&*password, wrong, &*token, "argon2", "canary of a notice"] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
}
