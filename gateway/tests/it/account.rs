//! The end of an account, and taking everything along.

use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, entry_body::Kind};
use serde_json::{Value, json};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, notice, text};
use crate::support::client::{Client, Upgrade};
use crate::support::http::{ask_as, post};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::token;

const ACCOUNT: &str = "/api/v1/account";
const EXPORT: &str = "/api/v1/account/export";
/// The close code of sessions whose account was deleted.
const ACCOUNT_DELETED: u16 = 4008;

fn delete(server: &ServerProcess, user: u64) -> u16 {
    ask_as(server.address(), &server.token(user), "DELETE", ACCOUNT).status
}

/// The close code a session of this user ends with at once.
fn refused(server: &ServerProcess, user: u64) -> Option<u16> {
    let upgrade = Upgrade::encoding(Encoding::Protobuf).bearer(&server.token(user));
    let mut client = Client::upgrade(server.address(), &upgrade, Encoding::Protobuf).expect("101");
    client.start(Op::Connect(wire::Connect::default()));
    client.close_code()
}

#[test]
fn a3_a_deleted_account_ends_sessions_memberships_and_messages() {
    let server = ServerProcess::start(&[]);
    let [mut ann, mut bob] =
        [1, 2].map(|user| Client::session(&server, user, ENCODINGS[user as usize - 1]));
    let group = ann.create_group(&[2]);
    ann.say(group, "a", "from ann");
    bob.say(group, "b", "from bob");
    let direct = id_of(&bob.open_direct(1));
    ann.say(direct, "a", "to bob");

    assert_eq!(delete(&server, 1), 204);
    assert_eq!(ann.close_code(), Some(ACCOUNT_DELETED));
    let left = loop {
        let entry = bob.next_entry();
        if let Kind::Left(left) = notice(&entry) {
            assert_eq!((entry.conversation_id, entry.sender_id), (group, 1));
            break *left;
        }
    };
    assert_eq!(left.new_owner_id, 2, "the group has an owner");
    assert_eq!(refused(&server, 1), Some(4000), "its tokens let nobody in");
    assert_eq!(delete(&server, 1), 401);

    // Two minutes later, as far as the database knows; another deletion wakes the job.
    server.change_sqlite("UPDATE deletions SET deleted_at = 0");
    let _carl = Client::session(&server, 3, Encoding::Json);
    assert_eq!(delete(&server, 3), 204);
    while bob.log(direct).iter().any(|entry| text(entry) == Some("to bob"))
        || bob.log(group).iter().any(|entry| text(entry) == Some("from ann"))
    {
        thread::sleep(Duration::from_millis(20));
    }
    let log = bob.log(group);
    assert_eq!(log.iter().filter_map(text).collect::<Vec<_>>(), ["from bob"]);
    assert_eq!(log.iter().map(|entry| entry.sender_id).collect::<Vec<_>>(), [1, 1, 2, 1]);
    bob.say(direct, "c", "goodbye");
}

#[test]
fn a3_no_message_id_keeps_a_deleted_user_in_a_group() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let [mut ann, mut bob] =
            [1, 2].map(|user| Client::session(&server, user, ENCODINGS[user as usize - 1]));
        let room = bob.create(wire::CreateGroup {
            kind: wire::ConversationKind::Room.into(),
            ..Default::default()
        });
        let talked = ann.create_group(&[2]);
        ann.say(talked, "account-deleted", "mine");
        ann.join(room);
        let leave = wire::Leave { conversation_id: room, client_msg_id: "account-deleted".into() };
        ann.call(Op::Leave(leave)).expect("an ack");
        ann.join(room);
        assert_eq!(delete(&server, 1), 204);
        let mut waiting = vec![(talked, 1), (room, 2)];
        while !waiting.is_empty() {
            let entry = bob.next_entry();
            for (conversation, left) in &mut waiting {
                let of_ann = entry.conversation_id == *conversation && entry.sender_id == 1;
                let is_notice = text(&entry).is_none();
                *left -= u32::from(of_ann && is_notice && matches!(notice(&entry), Kind::Left(_)));
            }
            waiting.retain(|(_, left)| *left > 0);
        }
    }
}

#[test]
fn a3_a_deletion_ends_sessions_on_other_nodes() {
    let database = Database::postgres();
    let nodes = [(); 2].map(|()| Setup::new().database(database.clone()).start());
    let mut ann = Client::session(&nodes[1], 1, Encoding::Protobuf);
    // Each node has a key of its own here, and signs for itself.
    assert_eq!(delete(&nodes[0], 1), 204);
    assert_eq!(ann.close_code(), Some(ACCOUNT_DELETED));
    let token = nodes[1].token(1);
    assert_eq!(ask_as(nodes[1].address(), &token, "GET", EXPORT).status, 401);
    assert_eq!(refused(&nodes[1], 1), Some(4000));
}

#[test]
fn a3_only_a_password_ends_an_account_that_has_one_and_a_fresh_token_any_other() {
    let server = ServerProcess::start(&[]);
    let account = json!({"username": "ann", "password": "correct horse"});
    let registered = post(server.address(), "/api/v1/auth/register", &account).json();
    let id: u64 = registered["user"]["user_id"].as_str().unwrap().parse().unwrap();
    let mut claims = token::claims(id, 3600);
    claims["iat"] = json!(token::now_s() - 301);
    let stale = token::sign(&server.secret_file(), &claims);
    let ask = |token: &str, password: Option<&str>| {
        let body = password.map(|password| json!({"password": password}).to_string());
        let body = body.unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!(
            "DELETE {ACCOUNT} HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        crate::support::http::exchange(server.address(), request.as_bytes()).status
    };
    // A refresh gives a new token to whoever holds the refresh token, at any time.
    let refresh = json!({"refresh_token": registered["refresh_token"]});
    let refreshed = post(server.address(), "/api/v1/auth/refresh", &refresh).json();
    for token in [&registered["token"], &refreshed["token"]] {
        assert_eq!(ask(token.as_str().unwrap(), None), 403);
    }
    assert_eq!(ask("nonsense", None), 401);
    assert_eq!(ask(&stale, None), 403);
    assert_eq!(ask(&stale, Some("wrong horse")), 401);
    assert_eq!(ask(&stale, Some("correct horse")), 204);
    let login = post(server.address(), "/api/v1/auth/login", &account);
    assert_eq!(login.status, 401, "{login:?}");
    let again = post(server.address(), "/api/v1/auth/register", &account);
    assert_eq!(again.status, 201, "the name is free: {again:?}");

    let other = id + 100;
    drop(Client::session(&server, other, Encoding::Json));
    let mut claims = token::claims(other, 3600);
    claims["iat"] = json!(token::now_s() - 301);
    assert_eq!(ask(&token::sign(&server.secret_file(), &claims), None), 403, "a stale token");
    assert_eq!(delete(&server, other), 204);
}

#[test]
fn an_export_is_everything_of_one_user() {
    let server = ServerProcess::start(&[]);
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    let mut bob = Client::session(&server, 2, Encoding::Json);
    let direct = id_of(&ann.open_direct(2));
    for number in 0..250 {
        ann.say(direct, &format!("{number}"), &format!("from ann {number}"));
    }
    bob.say(direct, "b", "from bob");
    assert_eq!(ask_as(server.address(), "nonsense", "GET", EXPORT).status, 401);
    let answer = ask_as(server.address(), &server.token(1), "GET", EXPORT);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains("from bob"));
    let lines: Vec<Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.last(), Some(&json!({"type": "end"})));
    assert_eq!(lines[0]["type"], "profile");
    let texts: Vec<&str> =
        lines.iter().filter_map(|line| line["body"]["message"]["text"].as_str()).collect();
    assert_eq!(texts.len(), 250);
    for number in 0..250 {
        assert!(texts.contains(&format!("from ann {number}").as_str()), "{number}");
    }
    let member = lines.iter().find(|line| line["type"] == "membership").expect("a membership");
    assert_eq!(
        (&member["conversation_id"], &member["kind"]),
        (&json!(direct.to_string()), &json!("DIRECT"))
    );
}
