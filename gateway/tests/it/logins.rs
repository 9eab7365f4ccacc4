//! Logins: refresh tokens that are good once, logouts that end sessions at once, keys that change while everybody stays.

use std::thread;
use std::time::Duration;

use ringwire_protocol::wire::{self, command::Op};
use serde_json::{Value, json};

use crate::support::ENCODINGS;
use crate::support::chat::refusal;
use crate::support::client::{Client, Upgrade};
use crate::support::http::{Answer, get_as, post};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::token;

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";
const PASSWORD: &str = "correct horse battery staple";
/// The close code of sessions whose login ended.
const LOGGED_OUT: Option<u16> = Some(4006);

fn field(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

fn register(server: &ServerProcess, name: &str) -> Value {
    let answer = post(server.address(), REGISTER, &json!({"username": name, "password": PASSWORD}));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn login(server: &ServerProcess, name: &str, device_id: &str) -> Value {
    let body = json!({"username": name, "password": PASSWORD, "device_id": device_id});
    let answer = post(server.address(), LOGIN, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn refresh(server: &ServerProcess, refresh_token: &str) -> Answer {
    post(server.address(), REFRESH, &json!({"refresh_token": refresh_token}))
}

fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, 401, "{answer:?}");
    field(&answer.json()["error"], "name")
}

fn logout(server: &ServerProcess, token: &str, everywhere: bool) -> u16 {
    let body = json!({ "everywhere": everywhere }).to_string();
    let request = format!(
        "POST {LOGOUT} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.address(),
        body.len()
    );
    crate::support::http::exchange(server.address(), request.as_bytes()).status
}

/// A session with the token of a login, the `n`th of several.
fn session(server: &ServerProcess, answer: &Value, n: usize) -> Client {
    let encoding = ENCODINGS[n % 2];
    let upgrade = Upgrade::encoding(encoding).bearer(&field(answer, "token"));
    let mut client = Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
    client.connect(wire::Connect::default()).expect("a session");
    client
}

/// How a session with this token is refused.
fn kept_out(server: &ServerProcess, answer: &Value) -> (String, Option<u16>) {
    let upgrade = Upgrade::encoding(ENCODINGS[0]).bearer(&field(answer, "token"));
    let mut client =
        Client::upgrade(server.address(), &upgrade, ENCODINGS[0]).expect("a WebSocket");
    let name = client.connect(wire::Connect::default()).expect_err("no session").name;
    (name, client.close_code())
}

#[test]
fn a3_a_refresh_token_gives_the_next_of_both_and_a_lost_answer_can_be_had_again() {
    let server = ServerProcess::start(&[]);
    let first = register(&server, "ann");
    let answer = refresh(&server, &field(&first, "refresh_token"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let second = answer.json();
    assert_eq!(second["user"], first["user"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert!(field(&second, "refresh_expires_at") > field(&second, "expires_at"));
    let again = refresh(&server, &field(&first, "refresh_token")).json();
    assert_eq!(again["refresh_token"], second["refresh_token"], "the answer was lost, say");
    session(&server, &second, 0).assert_quiet();
    assert_eq!(refresh(&server, &field(&second, "refresh_token")).status, 200);
    for nonsense in ["", "x", &"a".repeat(43), &"a".repeat(5000)] {
        assert_eq!(refused(&refresh(&server, nonsense)), "UNAUTHENTICATED");
    }
}

#[test]
fn a3_of_fifty_parallel_refreshes_one_wins() {
    for database in [Database::Sqlite, Database::postgres()] {
        let server = Setup::new().database(database).start();
        let used = field(&register(&server, "ann"), "refresh_token");
        let answers: Vec<Answer> = thread::scope(|scope| {
            let asking: Vec<_> = (0..50).map(|_| scope.spawn(|| refresh(&server, &used))).collect();
            asking.into_iter().map(|asks| asks.join().expect("an answer")).collect()
        });
        let mut next: Vec<String> = answers
            .iter()
            .map(|answer| {
                assert_eq!(answer.status, 200, "{answer:?}");
                field(&answer.json(), "refresh_token")
            })
            .collect();
        next.dedup();
        assert_eq!(next.len(), 1, "one rotation, which everybody is told");
        assert_eq!(refresh(&server, &next[0]).status, 200);
    }
}

#[test]
fn a3_a_refresh_token_used_twice_ends_its_login_and_no_other() {
    let server = ServerProcess::start(&[]);
    let stolen = register(&server, "ann");
    let other = login(&server, "ann", "tablet");
    let mut sessions = [session(&server, &stolen, 0), session(&server, &stolen, 1)];
    let mut untouched = session(&server, &other, 0);
    let second = refresh(&server, &field(&stolen, "refresh_token")).json();
    let third = refresh(&server, &field(&second, "refresh_token")).json();
    // Used, and what followed from it is used too.
    assert_eq!(refused(&refresh(&server, &field(&stolen, "refresh_token"))), "UNAUTHENTICATED");
    for session in &mut sessions {
        assert_eq!(session.close_code(), LOGGED_OUT);
    }
    assert_eq!(refused(&refresh(&server, &field(&third, "refresh_token"))), "UNAUTHENTICATED");
    assert_eq!(kept_out(&server, &third), ("UNAUTHENTICATED".to_owned(), Some(4000)));
    assert_eq!(
        get_as(server.address(), &field(&third, "token"), "/api/v1/account/export").status,
        401
    );
    untouched.assert_quiet();
    assert_eq!(refresh(&server, &field(&other, "refresh_token")).status, 200);
}

/// Also a token that is no good any more may name a device; it must not end what is there.
#[test]
fn a3_a_logged_out_token_throws_nobody_out() {
    for policy in ["multi", "single"] {
        let server = Setup::new().config(&format!("[session]\npolicy = \"{policy}\"")).start();
        let ended = register(&server, "ann");
        let good = login(&server, "ann", "phone");
        assert_eq!(logout(&server, &field(&ended, "token"), false), 204);
        let on_phone = || wire::Connect { device_id: "phone".to_owned(), ..Default::default() };
        for encoding in ENCODINGS {
            let open = |answer: &Value| {
                let upgrade = Upgrade::encoding(encoding).bearer(&field(answer, "token"));
                Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket")
            };
            let mut stays = open(&good);
            stays.connect(on_phone()).expect("a session");
            let mut thrown = open(&ended);
            let error = thrown.connect(on_phone()).expect_err("no session");
            assert_eq!((&*error.name, thrown.close_code()), ("UNAUTHENTICATED", Some(4000)));
            assert_eq!(stays.sessions().len(), 1);
            stays.assert_quiet();
            let mut next = open(&good);
            next.connect(on_phone()).expect("a session");
            assert_eq!(stays.close_code(), Some(4003), "a good one does");
            next.close();
        }
    }
}

#[test]
fn a3_a_logout_ends_the_sessions_of_its_login_or_of_all() {
    let server = ServerProcess::start(&[]);
    let logins: Vec<Value> = std::iter::once(register(&server, "ann"))
        .chain((0..3).map(|n| login(&server, "ann", &format!("d{n}"))))
        .collect();
    let mut sessions: Vec<Client> =
        logins.iter().enumerate().map(|(n, login)| session(&server, login, n)).collect();
    let stranger = register(&server, "bob");
    let mut bob = session(&server, &stranger, 0);

    assert_eq!(logout(&server, &field(&logins[0], "token"), false), 204);
    assert_eq!(sessions[0].close_code(), LOGGED_OUT);
    assert_eq!(kept_out(&server, &logins[0]), ("UNAUTHENTICATED".to_owned(), Some(4000)));
    assert_eq!(logout(&server, &field(&logins[0], "token"), false), 401, "it has ended");
    sessions[1].assert_quiet();

    assert_eq!(logout(&server, &field(&logins[1], "token"), true), 204);
    for session in &mut sessions[1..] {
        assert_eq!(session.close_code(), LOGGED_OUT);
    }
    for login in &logins {
        let token = field(login, "refresh_token");
        assert_eq!(refused(&refresh(&server, &token)), "UNAUTHENTICATED");
    }
    bob.assert_quiet();
    // A token of no login has nothing to end.
    assert_eq!(logout(&server, &server.token(1), false), 400);
}

#[test]
fn a3_a_logout_ends_sessions_on_other_nodes() {
    let database = Database::postgres();
    let first = Setup::new().database(database.clone()).start();
    let second = Setup::new()
        .database(database)
        .config(&format!(
            "[auth]\njwt_secret_file = {:?}",
            first.secret_file().display().to_string()
        ))
        .start();
    let ann = register(&first, "ann");
    let mut here = session(&first, &ann, 0);
    let mut there = session(&second, &ann, 1);
    assert_eq!(logout(&first, &field(&ann, "token"), false), 204);
    assert_eq!(here.close_code(), LOGGED_OUT);
    assert_eq!(there.close_code(), LOGGED_OUT);
}

#[test]
fn a3_a_live_session_takes_the_next_token_of_its_own_login_alone() {
    let server = ServerProcess::start(&[]);
    let first = register(&server, "ann");
    let other = login(&server, "ann", "tablet");
    let mut client = session(&server, &first, 0);
    let second = refresh(&server, &field(&first, "refresh_token")).json();
    let swap = |answer: &Value| Op::Refresh(wire::Refresh { token: field(answer, "token") });
    assert!(client.call(swap(&second)).is_ok());
    assert_eq!(refusal(client.call(swap(&other))), "FORBIDDEN");
    assert_eq!(logout(&server, &field(&second, "token"), false), 204);
    assert_eq!(client.close_code(), LOGGED_OUT);
}

#[test]
fn a3_the_own_key_is_rotated_without_logging_anyone_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = folder.path().join("old.secret");
    let lines = format!("[auth]\nprevious_secret_files = [{:?}]", old.display().to_string());
    std::fs::write(&old, "a key that no server ever had, long enough").expect("a key");
    set_private(&old);
    let mut server = Setup::new().config(&lines).start();
    let ann = register(&server, "ann");
    server.terminate();
    assert!(server.wait().success());
    std::fs::rename(server.secret_file(), &old).expect("the key moves");
    server.restart();
    session(&server, &ann, 0).assert_quiet();
    let again = refresh(&server, &field(&ann, "refresh_token"));
    assert_eq!(again.status, 200, "refresh tokens do not depend on the key");
    let fresh = again.json();
    let old_key = std::fs::read(&old).expect("the old key");
    let other = token::sign_with(old_key.trim_ascii(), &token::claims(4711, 600));
    assert_ne!(field(&fresh, "token"), field(&ann, "token"));

    // The old key is taken out, in place: no restart, and who has a new token stays.
    let mut stays = session(&server, &fresh, 1);
    std::fs::write(&old, "a key that no server ever had, long enough").expect("a key");
    server.reload();
    let upgrade = Upgrade::encoding(ENCODINGS[0]).bearer(&other);
    while Client::upgrade(server.address(), &upgrade, ENCODINGS[0]).is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
    stays.assert_quiet();
    session(&server, &fresh, 0).assert_quiet();
}

fn set_private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("a private key");
}
