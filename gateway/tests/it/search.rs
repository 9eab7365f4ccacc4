//! Search over HTTP: who finds what, in pages, and how wrong requests are answered.

use std::time::Instant;

use ringwire_protocol::codec::Encoding;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::http::{get, get_as};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

fn search(server: &ServerProcess, user: u64, query: &str) -> Value {
    let path = format!("/api/v1/search?{query}");
    let answer = get_as(server.address(), &server.token(user), &path);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The places of the entries on a page.
fn places(page: &Value) -> Vec<(u64, u64)> {
    let number =
        |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("a number");
    let entries = page["entries"].as_array().expect("entries");
    entries.iter().map(|entry| (number(&entry["conversation_id"]), number(&entry["seq"]))).collect()
}

/// Searches until so many are found: the index follows behind.
fn await_found(server: &ServerProcess, user: u64, query: &str, count: usize) -> Value {
    let began = Instant::now();
    loop {
        let page = search(server, user, query);
        if places(&page).len() >= count {
            return page;
        }
        assert!(began.elapsed() < PATIENCE, "never found: {page}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn z2_members_find_messages_and_nobody_else_does() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let mut ben = Client::session(&server, 2, Encoding::Json);
        let (first, second) = (anna.create_group(&[2]), anna.create_group(&[2]));
        anna.say(first, "a", "The minutes of the meeting");
        ben.say(second, "b", "meeting at noon");
        anna.say(second, "c", "see you");

        let page = await_found(&server, 2, "q=meeting", 2);
        assert_eq!(places(&page), [(second, 2), (first, 2)]);
        assert_eq!(page["next_page_token"], "");
        assert_eq!(page["entries"][0]["body"]["message"]["text"], "meeting at noon");
        let only = format!("q=MEET*&conversation_id={first}");
        assert_eq!(places(&search(&server, 2, &only)), [(first, 2)]);
        assert_eq!(places(&search(&server, 2, "q=%22the+minutes%22")), [(first, 2)]);
        assert_eq!(places(&search(&server, 2, "q=minutes+noon")), []);

        let one = search(&server, 1, "q=meeting&limit=1");
        assert_eq!(places(&one), [(second, 2)]);
        let token = one["next_page_token"].as_str().expect("a token");
        let rest = search(&server, 1, &format!("q=meeting&limit=1&page_token={token}"));
        assert_eq!((places(&rest), &rest["next_page_token"]), (vec![(first, 2)], &Value::from("")));

        assert_eq!(places(&search(&server, 3, "q=meeting")), [], "a stranger");
        assert_eq!(places(&search(&server, 3, &only)), []);
        ben.leave(first);
        assert_eq!(places(&search(&server, 2, "q=meeting")), [(second, 2)], "who left");
        assert_eq!(places(&search(&server, 2, &only)), []);
    }
}

#[test]
fn what_was_said_before_a_crash_is_found_after_it() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let group = anna.create_group(&[]);
        anna.say(group, "a", "last words");
        server.kill();
        server.restart();
        assert_eq!(places(&await_found(&server, 1, "q=words", 1)), [(group, 2)]);
    }
}

#[test]
fn wrong_searches_are_refused_like_anything_else() {
    let server = ServerProcess::start(&[]);
    let path = "/api/v1/search?q=word";
    let refused = |answer: crate::support::http::Answer| {
        let name = answer.json()["error"]["name"].as_str().expect("a name").to_owned();
        (answer.status, name)
    };
    let unauthenticated = (401, "UNAUTHENTICATED".to_owned());
    assert_eq!(refused(get(server.address(), path)), unauthenticated);
    assert_eq!(refused(get_as(server.address(), "nonsense", path)), unauthenticated);
    let token = server.token(1);
    let ask =
        |query: &str| refused(get_as(server.address(), &token, &format!("/api/v1/search{query}")));
    for wrong in [
        "",
        "?q=",
        "?q=%22%22+*",
        "?q=a&limit=0",
        "?q=a&limit=201",
        "?q=a&limit=x",
        "?q=a&conversation_id=0",
        "?q=a&conversation_id=-1",
        "?q=a&page_token=1.2",
        "?q=a&page_token=x.y.z",
        "?q=a&q=b",
    ] {
        assert_eq!(ask(wrong), (400, "INVALID_ARGUMENT".to_owned()), "{wrong}");
    }
    assert_eq!(ask(&format!("?q={}", "a".repeat(513))), (413, "TOO_LARGE".to_owned()));

    let server = Setup::new().config("[storage]\nsearch = false").start();
    let off = refused(get_as(server.address(), &server.token(1), path));
    assert_eq!(off, (501, "NOT_SUPPORTED".to_owned()));
}
