//! The sockets' commands given over HTTP: the same rules, the same log, seen by sockets in both encodings.

use std::thread;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event};
use serde_json::{Value, json};

use crate::support::chat::{refusal, text};
use crate::support::client::{Arrived, Client};
use crate::support::http::{Answer, ask_as, get, give_as};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, PATIENCE};

/// One user, without a socket.
struct Person<'s> {
    server: &'s ServerProcess,
    token: String,
}

impl<'s> Person<'s> {
    fn new(server: &'s ServerProcess, user: u64) -> Self {
        Self { server, token: server.token(user) }
    }

    fn ask(&self, method: &str, path: &str) -> Answer {
        ask_as(self.server.address(), &self.token, method, &format!("/api/v1{path}"))
    }

    fn give(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.give_with(method, path, &[], body)
    }

    fn give_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let path = format!("/api/v1{path}");
        give_as(self.server.address(), &self.token, method, &path, headers, body)
    }

    /// What a request that succeeds is answered.
    fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.give(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    fn list(&self, path: &str) -> Value {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// The code of a refusal.
    fn refused(&self, method: &str, path: &str, body: &Value) -> String {
        let answer = self.give(method, path, body);
        assert!(answer.status >= 400, "{method} {path}: {answer:?}");
        answer.json()["error"]["name"].as_str().expect("a name").to_owned()
    }
}

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// The numbers of a field that answers leave out where it is empty.
fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().into_iter().flatten().map(number).collect()
}

fn say(words: &str) -> Value {
    json!({"message": {"text": words}})
}

#[test]
fn a_whole_conversation_over_http_is_seen_by_sockets_in_both_encodings() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let [mut ben, mut cleo] =
            [2, 3].map(|user| Client::session(&server, user, ENCODINGS[user as usize - 2]));
        let (ann, dan) = (Person::new(&server, 1), Person::new(&server, 4));
        // Nobody has ever connected as these two; a token makes them, as it does on a socket.
        dan.list("/conversations");

        let made = json!({"kind": "GROUP", "settings": {"title": "Walk"}, "user_ids": [2, "3"]});
        let opened = ann.give("POST", "/conversations", &made);
        assert_eq!(opened.status, 201, "{opened:?}");
        let group = number(&opened.json()["head"]["conversation"]["conversation_id"]);
        let at = |rest: &str| format!("/conversations/{group}{rest}");

        let sent = ann.done("POST", &at("/messages"), &say("at noon"));
        assert_eq!((number(&sent["seq"]), number(&sent["msg_no"])), (2, 1));
        ann.done("PATCH", &at("/messages/2"), &say("at one"));
        ann.done("PUT", &at("/messages/2/reactions/%F0%9F%91%8D"), &json!({}));
        ann.done("PUT", &at("/messages/2/pin"), &json!({}));
        ann.done("POST", &at("/messages"), &say("oops"));
        ann.done("DELETE", &at("/messages/6"), &Value::Null);
        ann.done("POST", &at("/members"), &json!({"user_ids": [4]}));
        ann.done("PUT", &at("/members/4/role"), &json!({"role": "ADMIN"}));
        ann.done("PATCH", &at(""), &json!({"settings": {"title": "Long walk"}}));
        dan.done("POST", &at("/messages"), &say("I come too"));
        for client in [&mut ben, &mut cleo] {
            let seen: Vec<wire::Entry> = (1..=11).map(|_| client.next_entry()).collect();
            let seqs: Vec<u64> = seen.iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, (1..=11).collect::<Vec<_>>());
            let said: Vec<&str> = seen.iter().filter_map(text).collect();
            assert_eq!(said, ["at noon", "oops", "I come too"]);
        }

        let first = ann.list(&at("/messages/2"));
        assert_eq!(first["body"]["message"]["text"], "at one");
        assert_eq!(first["reactions"], json!([{"reaction": "👍", "count": 1, "own": true}]));
        assert_eq!(ann.list(&at(""))["conversation"]["settings"]["title"], "Long walk");
        assert_eq!(numbers(&ann.list(&at(""))["conversation"]["pinned_seqs"]), [2]);
        assert_eq!(ann.list(&at("/members"))["members"].as_array().map(Vec::len), Some(4));
        let page = ann.list(&at("/messages?after_seq=0&limit=2"));
        assert_eq!(
            (page["entries"].as_array().map(Vec::len), &page["newer"]),
            (Some(2), &json!(true))
        );
        assert_eq!(ann.list(&at("/sync?seq=10"))["entries"][0]["seq"], "11");

        // Cursors, as a socket's.
        let reader = Person::new(&server, 2);
        assert_eq!(reader.give("POST", &at("/read"), &json!({"seq": "5"})).status, 204);
        // Its shard saves it a little later.
        let asked = Instant::now();
        while numbers(&ann.list(&at("/messages/2/read-by"))["user_ids"]) != [2] {
            assert!(asked.elapsed() < PATIENCE, "nobody has read it");
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(ann.give("POST", &at("/delivered"), &json!({"seq": 6})).status, 204);

        ann.done("DELETE", &at("/messages/2/reactions/%F0%9F%91%8D"), &Value::Null);
        ann.done("DELETE", &at("/messages/2/pin"), &Value::Null);
        assert_eq!(dan.give("POST", &at("/messages/2/hide"), &json!({})).status, 204);
        assert_eq!(dan.list(&at("/messages/2"))["hidden"], true);
        ann.done("PUT", &at("/members/3/mute"), &json!({"until": "4102444800000"}));
        assert_eq!(refusal(cleo.call(crate::support::chat::say(group, "m", "hm"))), "MUTED");
        ann.done("DELETE", &at("/members/3/mute"), &Value::Null);
        cleo.say(group, "m", "hm");
        ann.done("PUT", &at("/bans/3"), &json!({"until": "4102444800000"}));
        assert_eq!(ann.list(&at("/bans"))["members"][0]["user"]["user_id"], "3");
        ann.done("DELETE", &at("/bans/3"), &Value::Null);
        ann.done("POST", &at("/transfer"), &json!({"user_id": 4}));
        ann.done("POST", &at("/leave"), &json!({}));
        assert_eq!(dan.give("DELETE", &at("/members/2"), &Value::Null).status, 200);
        dan.done("DELETE", &at(""), &Value::Null);
        assert_eq!(dan.refused("POST", &at("/messages"), &say("echo")), "NOT_MEMBER");
        assert!(dan.list("/conversations").get("heads").is_none());
    }
}

#[test]
fn a_refusal_over_http_is_the_one_of_sockets() {
    let server = ServerProcess::start(&[]);
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    let mut ben = Client::session(&server, 2, Encoding::Json);
    let mut eve = Client::session(&server, 5, Encoding::Json);
    let group = ann.create_group(&[2]);
    ann.say(group, "a", "mine");
    let at = |rest: &str| format!("/conversations/{group}{rest}");
    let (member, stranger) = (Person::new(&server, 2), Person::new(&server, 5));
    let recall = |id: &str| {
        Op::Recall(wire::Recall { conversation_id: group, target_seq: 2, client_msg_id: id.into() })
    };
    let edit = Op::Edit(wire::Edit {
        conversation_id: group,
        target_seq: 2,
        message: Some(wire::Message { text: "yours".into(), ..Default::default() }),
        client_msg_id: "e".into(),
    });
    let remove = Op::Remove(wire::Remove {
        conversation_id: group,
        user_ids: vec![1],
        client_msg_id: "r".into(),
    });
    let dissolve =
        Op::Dissolve(wire::Dissolve { conversation_id: group, client_msg_id: "d".into() });
    let history = Op::History(wire::History { conversation_id: group, ..Default::default() });
    let ban = Op::Ban(wire::Ban {
        conversation_id: group,
        user_id: 1,
        until: 5,
        client_msg_id: "b".into(),
    });
    let requests: [(&str, String, Value, Op); 6] = [
        ("DELETE", at("/messages/2"), Value::Null, recall("c")),
        ("PATCH", at("/messages/2"), say("yours"), edit),
        ("DELETE", at("/members/1"), Value::Null, remove),
        ("DELETE", at(""), Value::Null, dissolve),
        ("GET", at("/messages"), Value::Null, history),
        ("PUT", at("/bans/1"), json!({"until": 5}), ban),
    ];
    for (method, path, body, op) in &requests {
        if *method != "GET" {
            assert_eq!(member.refused(method, path, body), refusal(ben.call(op.clone())), "{path}");
        }
        assert_eq!(stranger.refused(method, path, body), refusal(eve.call(op.clone())), "{path}");
    }
    assert_eq!(stranger.refused("GET", &at(""), &Value::Null), "NOT_MEMBER");
    assert_eq!(member.refused("POST", &at("/messages"), &json!({"message": {}})), "EMPTY_MESSAGE");
    assert_eq!(member.refused("GET", &at("/messages/99"), &Value::Null), "ENTRY_NOT_FOUND");
    assert_eq!(
        member.refused("PATCH", "/presence/visibility", &json!({"status": "AWAY"})),
        "INVALID_ARGUMENT"
    );
    assert_eq!(member.refused("GET", "/conversations?limit=x", &Value::Null), "INVALID_ARGUMENT");
    let nobody = get(server.address(), &format!("/api/v1{}", at("/messages")));
    assert_eq!(
        (nobody.status, nobody.json()["error"]["name"].as_str()),
        (401, Some("UNAUTHENTICATED"))
    );
}

#[test]
fn a_repeated_request_does_nothing_twice() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut ben = Client::session(&server, 2, Encoding::Json);
        let ann = Person::new(&server, 1);
        let key = [("Idempotency-Key", "walk-1")];
        let made = json!({"user_ids": [2]});
        let first = ann.give_with("POST", "/conversations", &key, &made);
        let again = ann.give_with("POST", "/conversations", &key, &made);
        assert_eq!((first.status, again.status), (201, 200), "{again:?}");
        let group = number(&first.json()["head"]["conversation"]["conversation_id"]);
        assert_eq!(number(&again.json()["head"]["conversation"]["conversation_id"]), group);

        let key = [("Idempotency-Key", "walk-2")];
        let path = format!("/conversations/{group}/messages");
        let sent = ann.give_with("POST", &path, &key, &say("once")).json();
        assert_eq!(ann.give_with("POST", &path, &key, &say("once")).json(), sent);
        let other = ann.give_with("POST", &path, &key, &say("twice"));
        assert_eq!((other.status, other.json()["error"]["name"].as_str()), (409, Some("CONFLICT")));
        let in_body = json!({"message": {"text": "once"}, "client_msg_id": "walk-2"});
        assert_eq!(ann.done("POST", &path, &in_body), sent, "the same name of it");
        let log = ben.log(group);
        assert_eq!(log.iter().filter_map(text).collect::<Vec<_>>(), ["once"]);
    }
}

#[test]
fn what_is_refused_is_named() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let ann = Person::new(&server, 1);
        let opened = ann.done("POST", "/conversations", &json!({}));
        let group = number(&opened["head"]["conversation"]["conversation_id"]);
        let group = format!("/conversations/{group}");
        drop(Client::session(&server, 2, Encoding::Json));
        let (login, password) = ("/auth/login", "/account/password");
        let twice = json!({"username": "ann", "email": "a@b", "password": "correct horse"});
        for (method, path, body, name, field) in [
            ("GET", &*format!("{group}/messages/1/read-by"), &Value::Null, "", ""),
            ("GET", &*format!("{group}/messages/99/read-by"), &Value::Null, "ENTRY_NOT_FOUND", ""),
            ("DELETE", &*format!("{group}/bans/2"), &Value::Null, "NOT_FOUND", ""),
            ("GET", "/users?q=a&page=2", &Value::Null, "INVALID_ARGUMENT", "page:"),
            ("GET", "/contacts?per_page=2", &Value::Null, "INVALID_ARGUMENT", "per_page:"),
            ("GET", "/search?q=a&page=1", &Value::Null, "INVALID_ARGUMENT", "page:"),
            (
                "GET",
                "/contacts?limit=%ff",
                &Value::Null,
                "INVALID_ARGUMENT",
                "limit: a number from 1 to 200",
            ),
            (
                "GET",
                "/conversations?limit=x",
                &Value::Null,
                "INVALID_ARGUMENT",
                "limit: a number from 1 to 200",
            ),
            ("GET", "/contacts?newer=1", &Value::Null, "", ""),
            (
                "PATCH",
                "/account",
                &json!({"display_name": " "}),
                "INVALID_ARGUMENT",
                "display_name:",
            ),
            ("PATCH", "/account", &json!({"newer": 1}), "", ""),
            ("POST", login, &twice, "INVALID_ARGUMENT", "username and email:"),
            (
                "POST",
                password,
                &json!({"new_password": "short"}),
                "INVALID_ARGUMENT",
                "new_password:",
            ),
        ] {
            let answer = match body {
                Value::Null => ann.ask(method, path),
                body => ann.give(method, path, body),
            };
            if name.is_empty() {
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
                continue;
            }
            let error = answer.json()["error"].clone();
            assert_eq!(error["name"], name, "{path}: {error}");
            assert!(error["message"].as_str().is_some_and(|it| it.starts_with(field)), "{error}");
        }
    }
}

#[test]
fn lists_are_read_by_page_number_as_by_token() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let ann = Person::new(&server, 1);
        let mut groups: Vec<u64> = (0..5)
            .map(|_| {
                let opened = ann.done("POST", "/conversations", &json!({}));
                number(&opened["head"]["conversation"]["conversation_id"])
            })
            .collect();
        groups.reverse();
        let ids = |page: &Value| -> Vec<u64> {
            let heads = page["heads"].as_array().into_iter().flatten();
            heads.map(|head| number(&head["conversation"]["conversation_id"])).collect()
        };
        let pages: Vec<Vec<u64>> = (1..=4)
            .map(|page| ids(&ann.list(&format!("/conversations?page={page}&per_page=2"))))
            .collect();
        assert_eq!(pages, [&groups[..2], &groups[2..4], &groups[4..], &[]]);
        let mut token = String::new();
        let mut by_token = Vec::new();
        loop {
            let page = ann.list(&format!("/conversations?limit=2&page_token={token}"));
            by_token.push(ids(&page));
            match page["next_page_token"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        assert_eq!(by_token, pages[..3]);

        let path = format!("/conversations/{}/messages", groups[0]);
        for word in ["one", "two", "three", "four"] {
            ann.done("POST", &path, &say(word));
        }
        let seqs = |page: u32| -> Vec<u64> {
            let page = ann.list(&format!("{path}?page={page}&per_page=2"));
            page["entries"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|entry| number(&entry["seq"]))
                .collect()
        };
        assert_eq!([seqs(1), seqs(2), seqs(3), seqs(4)], [vec![4, 5], vec![2, 3], vec![1], vec![]]);
        let lists = [
            "/conversations".to_owned(),
            path.clone(),
            format!("/conversations/{}/members", groups[0]),
            format!("/conversations/{}/bans", groups[0]),
            format!("/conversations/{}/requests", groups[0]),
            format!("{path}/1/read-by"),
            format!("/conversations/{}/sync", groups[0]),
            "/blocks".to_owned(),
            "/contacts".to_owned(),
        ];
        let queried = ["/users?q=a", "/search?q=a"].map(|list| format!("{list}&"));
        for list in lists.map(|list| list + "?").into_iter().chain(queried) {
            ann.list(&format!("{list}limit=200"));
            for wrong in ["0", "201", "100000", "-1", "x", ""] {
                let path = format!("{list}limit={wrong}");
                assert_eq!(ann.refused("GET", &path, &Value::Null), "INVALID_ARGUMENT", "{path}");
            }
        }
        for wrong in
            ["page=0", "page=x", "per_page=201", "page=1&limit=5", "page=2&per_page=2&page_token=x"]
        {
            let path = format!("/conversations?{wrong}");
            assert_eq!(ann.refused("GET", &path, &Value::Null), "INVALID_ARGUMENT", "{wrong}");
        }
        assert_eq!(
            ann.refused("GET", "/conversations?page=100&per_page=200", &Value::Null),
            "INVALID_ARGUMENT"
        );
    }
}

#[test]
fn sessions_blocks_and_presence_are_told_and_changed_over_http() {
    let server = ServerProcess::start(&[]);
    let mut ben = Client::session(&server, 2, Encoding::Json);
    let mut ann = Client::session(&server, 1, Encoding::Protobuf);
    ann.create_group(&[2]);
    let person = Person::new(&server, 1);
    let sessions = person.list("/sessions");
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1), "{sessions}");
    let id = sessions["sessions"][0]["session_id"].as_str().expect("an id").to_owned();

    let shown = |ids: &str| person.list(&format!("/presence?user_ids={ids}"))["users"].clone();
    assert_eq!(shown("2,3"), json!([{"user_id": "2", "status": "ONLINE"}, {"user_id": "3"}]));
    assert_eq!(person.give("PUT", "/blocks/2", &json!({})).status, 204);
    assert_eq!(person.list("/blocks")["users"][0]["user_id"], "2");
    assert_eq!(shown("2"), json!([{"user_id": "2"}]), "who blocks sees nothing either");
    assert_eq!(
        refusal(ben.call(Op::OpenDirect(wire::OpenDirect { user_id: 1, ..Default::default() }))),
        "BLOCKED"
    );
    assert_eq!(person.ask("DELETE", "/blocks/2").status, 204);
    assert_eq!(person.refused("GET", "/presence", &Value::Null), "INVALID_ARGUMENT");

    let hide = json!({"status_visibility": "NOBODY"});
    assert_eq!(person.give("PATCH", "/presence/visibility", &hide).status, 204);
    let seen = Person::new(&server, 2).list("/presence?user_ids=1");
    assert_eq!(seen["users"], json!([{"user_id": "1"}]));

    assert_eq!(person.ask("DELETE", &format!("/sessions/{id}")).status, 204);
    assert_eq!(ann.close_code(), Some(4004));
    assert_eq!(person.refused("DELETE", &format!("/sessions/{id}"), &Value::Null), "NOT_FOUND");
}

#[test]
fn what_is_said_over_http_reaches_the_users_own_sockets_and_so_do_cursors() {
    let server = ServerProcess::start(&[]);
    let [mut phone, mut desk] =
        [Encoding::Json, Encoding::Protobuf].map(|encoding| Client::session(&server, 1, encoding));
    let mut ben = Client::session(&server, 2, Encoding::Json);
    let group = phone.create_group(&[2]);
    desk.next_entry();
    let person = Person::new(&server, 1);
    let path = format!("/conversations/{group}");
    person.done("POST", &format!("{path}/messages"), &say("from a script"));
    for client in [&mut phone, &mut desk] {
        assert_eq!(text(&client.next_entry()), Some("from a script"));
    }
    assert_eq!(person.give("POST", &format!("{path}/typing"), &json!({})).status, 204);
    ben.say(group, "b", "hello");
    assert_eq!(person.give("POST", &format!("{path}/read"), &json!({"seq": 3})).status, 204);
    for client in [&mut phone, &mut desk] {
        loop {
            match client.next() {
                Arrived::Push(Event::Cursor(cursor))
                    if cursor.user_id == 1 && cursor.read_seq == 3 =>
                {
                    break;
                }
                Arrived::Closed(code) => panic!("closed: {code:?}"),
                _ => {}
            }
        }
    }
}
