//! Programs that hear of events.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use serde_json::json;

use crate::support::client::Client;
use crate::support::http::{get, post};
use crate::support::mock::{Mock, Received, TAKEN};
use crate::support::server::Setup;
use crate::support::store::Database;

const SECRET: &str = "a secret of the tests";

fn webhook(name: &str, mock: &Mock, events: &str) -> String {
    format!(
        "[[events.webhooks]]\nname = \"{name}\"\nurl = \"{}\"\nsecrets = [\"an older secret ..\", \"{SECRET}\"]\n\
         events = [{events}]",
        mock.url("/hear")
    )
}

fn kind(received: &Received) -> String {
    received.json()["type"].as_str().expect("a type").to_owned()
}

#[test]
fn events_are_told_in_order_and_one_that_is_down_holds_up_no_other() {
    for database in Database::both() {
        let (up, down) = (Mock::start(|_| TAKEN), Mock::start(|_| Some((500, "", String::new()))));
        let setup = Setup::new().database(database);
        let setup = setup.config(&webhook("down", &down, "\"*\""));
        let server = setup.config(&webhook("up", &up, "\"*\"")).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let _ben = Client::session(&server, 2, Encoding::Protobuf);
        let id = anna.create_group(&[2]);
        let target_seq = anna.say(id, "a", "helo").seq;
        for number in 0..5 {
            anna.say(id, &format!("n{number}"), "more");
        }
        let message = Some(wire::Message { text: "hello".to_owned(), ..Default::default() });
        let edit = wire::Edit { conversation_id: id, target_seq, message, ..Default::default() };
        anna.call(Op::Edit(edit)).expect("an edit");
        let recall = wire::Recall { conversation_id: id, target_seq: 3, ..Default::default() };
        anna.call(Op::Recall(recall)).expect("a recall");
        anna.leave(id);

        let written = id.to_string();
        let here = |received: &Received| received.json()["conversation_id"] == *written;
        let heard = up.await_where(10, here);
        for received in &heard {
            received.assert_signed(SECRET);
        }
        let kinds: Vec<String> = heard.iter().map(kind).collect();
        let message = "message.created";
        let rest = ["message.edited", "message.recalled", "member.left"];
        let expected = [&["conversation.created"][..], &[message; 6], &rest].concat();
        assert_eq!(kinds, expected);
        let seqs: Vec<String> = (1..=10).map(|seq: u32| seq.to_string()).collect();
        let told: Vec<String> =
            heard.iter().map(|one| one.json()["seq"].as_str().unwrap().to_owned()).collect();
        assert_eq!(told, seqs);
        assert_eq!(heard[0].header("x-ringwire-event"), "conversation.created");
        assert_eq!(heard[0].header("x-ringwire-id"), format!("entry.{id}.1"));
        let edited = heard[7].json();
        assert_eq!(edited["entry"]["body"]["edited"]["message"]["text"], "hello");
        let users = up.await_where(2, |received| kind(received) == "user.registered");
        let mut ids: Vec<String> = users
            .iter()
            .map(|one| one.json()["user"]["user_id"].as_str().unwrap().into())
            .collect();
        ids.sort();
        assert_eq!(ids, ["1", "2"]);
        // The other one hears nothing behind what it does not take.
        let refused = down.await_where(2, here);
        assert!(refused.iter().all(|received| kind(received) == "conversation.created"));
        let metrics = get(server.address(), "/metrics").body;
        assert!(metrics.contains("webhook_events_total{webhook=\"up\",result=\"taken\"}"));
    }
}

#[test]
fn an_event_that_is_told_late_carries_its_entry_as_it_is_by_then() {
    let is_edited = |received: &Received| received.json()["entry"]["edited_at"].is_string();
    let late =
        Mock::start(
            move |received| {
                if is_edited(received) { TAKEN } else { Some((500, "", String::new())) }
            },
        );
    let server = Setup::new().config(&webhook("late", &late, "\"message.created\"")).start();
    let mut anna = Client::session(&server, 1, Encoding::Json);
    let _ben = Client::session(&server, 2, Encoding::Protobuf);
    let id = anna.create_group(&[2]);
    let target_seq = anna.say(id, "a", "helo").seq;
    let text = |received: &Received| received.json()["entry"]["body"]["message"]["text"].clone();
    let first = late.await_requests(1).remove(0);
    assert_eq!(text(&first), "helo");
    let message = Some(wire::Message { text: "hello".to_owned(), ..Default::default() });
    let edit = wire::Edit { conversation_id: id, target_seq, message, ..Default::default() };
    anna.call(Op::Edit(edit)).expect("an edit");
    let then = late.await_where(1, is_edited).remove(0);
    assert_eq!(text(&then), "hello");
    assert_eq!(
        (&then.json()["id"], &then.json()["type"]),
        (&first.json()["id"], &first.json()["type"])
    );
}

#[test]
fn a_webhook_hears_what_it_asked_for_alone() {
    let mock = Mock::start(|_| TAKEN);
    let events = "\"user.registered\", \"member.joined\"";
    let server = Setup::new().config(&webhook("some", &mock, events)).start();
    let ann = json!({ "username": "ann", "password": "correct horse" });
    assert_eq!(post(server.address(), "/api/v1/auth/register", &ann).status, 201);
    let mut owner = Client::session(&server, 1, Encoding::Protobuf);
    let _other = Client::session(&server, 2, Encoding::Protobuf);
    let id = owner.create_group(&[]);
    owner.say(id, "a", "nobody hears of this");
    let invite = wire::Invite { conversation_id: id, user_ids: vec![2], ..Default::default() };
    owner.call(Op::Invite(invite)).expect("invited");
    mock.await_where(1, |received| kind(received) == "member.joined");
    let heard = mock.await_where(2, |received| kind(received) == "user.registered");
    assert!(heard.iter().any(|received| received.json()["user"]["username"] == "ann"));
    assert!(mock.await_requests(1).iter().all(|received| events.contains(&kind(received))));
}

#[test]
fn a_kill_between_commit_and_delivery_loses_no_event() {
    // Nothing is taken before the kill.
    let silent = Mock::start(|_| None);
    let mut server = Setup::new().config(&webhook("h", &silent, "\"message.created\"")).start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let id = anna.create_group(&[]);
    for number in 0..3 {
        anna.say(id, &format!("m{number}"), "committed");
    }
    silent.await_requests(1);
    server.kill();
    assert_eq!(server.change_sqlite("UPDATE hook_outbox SET next_try_at = 0"), 3);
    server.restart();
    let heard = silent.await_where(2, |received| received.json()["seq"] == "2");
    let ids: Vec<&str> = heard.iter().map(|received| received.header("x-ringwire-id")).collect();
    assert_eq!(ids[0], ids[1], "the same event, under the same id");
}
