//! The program that is asked before a message is accepted.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op};
use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::support::ENCODINGS;
use crate::support::chat::{refusal, say, say_after, text};
use crate::support::client::Client;
use crate::support::mock::{Answer, Mock, Received};
use crate::support::server::{ServerProcess, Setup};

const SECRET: &str = "a secret of the tests";

fn server(mock: &Mock, more: &str) -> ServerProcess {
    server_of(&mock.url("/ask"), more)
}

fn server_of(url: &str, more: &str) -> ServerProcess {
    // Long enough for any machine, where the hook answers at all.
    let lines = format!("[hook]\nurl = \"{url}\"\nsecrets = [\"{SECRET}\"]\ntimeout_ms = 10000\n");
    let own = more.contains("timeout_ms");
    let lines = if own { lines.replace("timeout_ms = 10000\n", "") } else { lines };
    Setup::new().config(&format!("{lines}{more}")).start()
}

fn asked(received: &Received) -> String {
    received.json()["message"]["text"].as_str().unwrap_or_default().to_owned()
}

fn answer(json: &serde_json::Value) -> Answer {
    (200, "", json.to_string())
}

/// Refuses "bad", rewrites "damn", allows the rest.
fn verdict(received: &Received) -> Answer {
    match asked(received) {
        text if text.contains("bad") => {
            answer(&json!({ "action": "deny", "message": "mind your language" }))
        }
        text if text.contains("damn") => {
            answer(&json!({ "action": "rewrite", "text": text.replace("damn", "d***") }))
        }
        _ => answer(&json!({ "action": "allow" })),
    }
}

#[test]
fn messages_are_allowed_denied_and_rewritten_and_a_retry_finds_the_first_try() {
    let mock = Mock::start(|received| Some(verdict(received)));
    let server = server(&mock, "");
    for encoding in ENCODINGS {
        let mut anna = Client::session(&server, 1, encoding);
        let id = anna.create_group(&[]);
        let fine = anna.say(id, "a", "fine");
        let denied = anna.call(say(id, "b", "bad")).expect_err("denied");
        assert_eq!(
            (denied.name.as_str(), denied.message.as_str()),
            ("FORBIDDEN", "mind your language")
        );
        let rewritten = anna.say(id, "c", "damn it");
        assert_eq!(rewritten.seq, fine.seq + 1);
        // The same command again is the same message, whatever it was turned into; another one under its id is not.
        assert_eq!(anna.say(id, "c", "damn it").seq, rewritten.seq);
        assert_eq!(refusal(anna.call(say(id, "c", "d*** it"))), "CONFLICT");
        let message = Some(wire::Message { text: "bad".to_owned(), ..Default::default() });
        let target_seq = fine.seq;
        let edit = wire::Edit { conversation_id: id, target_seq, message, ..Default::default() };
        assert_eq!(refusal(anna.call(Op::Edit(edit))), "FORBIDDEN");
        let log = anna.log(id);
        let said: Vec<&str> = log.iter().filter_map(text).collect();
        assert_eq!(said, ["fine", "d*** it"]);
    }
    let first = mock.await_requests(1).remove(0);
    first.assert_signed(SECRET);
    let question = first.json();
    assert_eq!(
        (&question["type"], &question["operation"]),
        (&json!("before_send"), &json!("send"))
    );
    assert_eq!((&question["sender_id"], &question["client_msg_id"]), (&json!("1"), &json!("a")));
}

#[test]
fn one_senders_order_is_kept_while_the_hook_thinks() {
    // The first question is answered only when the test says so.
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waits = Arc::clone(&gate);
    let mock = Mock::start(move |received| {
        if asked(received).starts_with("first") {
            drop(waits.1.wait_while(waits.0.lock().unwrap(), |open| !*open).unwrap());
        }
        Some(verdict(received))
    });
    let open = |now: bool| {
        *gate.0.lock().unwrap() = now;
        gate.1.notify_all();
    };
    let server = server(&mock, "");
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let (id, other) = (anna.create_group(&[]), anna.create_group(&[]));
    let first = anna.start(say(id, "a", "first"));
    let rest: Vec<u64> =
        (0..5).map(|n| anna.start(say(id, &format!("r{n}"), &format!("rest {n}")))).collect();
    // Another conversation waits for nothing.
    anna.say(other, "x", "elsewhere");
    open(true);
    let mut seqs = vec![anna.ack(first).seq];
    seqs.extend(rest.into_iter().map(|command| anna.ack(command).seq));
    assert_eq!(seqs, (2..=7).collect::<Vec<u64>>());

    // What says that it comes after a refused one is refused with it, and what follows that too.
    open(false);
    let denied = anna.start(say(id, "b", "first bad"));
    let behind = anna.start(say_after(id, "c", "behind", "b"));
    let further = anna.start(say_after(id, "d", "further", "c"));
    let free = anna.start(say(id, "e", "free"));
    open(true);
    assert_eq!(refusal(anna.answer(denied)), "FORBIDDEN");
    assert_eq!(refusal(anna.answer(behind)), "OUT_OF_ORDER");
    assert_eq!(refusal(anna.answer(further)), "OUT_OF_ORDER");
    assert_eq!(anna.ack(free).seq, 8);
    let late = anna.call(say_after(id, "f", "late", "b"));
    assert_eq!(refusal(late), "OUT_OF_ORDER");
}

#[test]
fn a_hook_that_does_not_answer_decides_nothing() {
    let silent = Mock::start(|_| None);
    let broken = Mock::start(|received| match asked(received).as_str() {
        "status" => Some((500, "", String::new())),
        "moved" => Some((302, "Location: http://localhost:9/ask\r\n", String::new())),
        "no verdict" => Some((200, "", "yes".to_owned())),
        "other action" => Some(answer(&json!({ "action": "hold" }))),
        "long" => {
            let padding = "x".repeat(64 * 1024);
            Some(answer(&json!({ "action": "allow", "message": padding })))
        }
        _ => Some(answer(&json!({ "action": "rewrite", "text": "" }))),
    });
    for (policy, name) in [("allow", None), ("deny", Some("UNAVAILABLE"))] {
        let more = format!("on_failure = \"{policy}\"\n");
        let check = |server: &ServerProcess, texts: &[&str]| {
            let mut anna = Client::session(server, 1, Encoding::Protobuf);
            let id = anna.create_group(&[]);
            for text in texts {
                let answer = anna.call(say(id, "", text));
                assert_eq!(answer.err().map(|error| error.name), name.map(str::to_owned), "{text}");
            }
        };
        check(&server(&silent, &format!("{more}timeout_ms = 50\n")), &["hi"]);
        let cases = ["status", "moved", "no verdict", "other action", "long", "empty"];
        check(&server(&broken, &more), &cases);
        // A port that is taken and at which nobody listens: no other test can be given it meanwhile.
        let silence = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        silence.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        let nobody = silence.local_addr().expect("an address").as_socket().expect("IPv4");
        let nobody = format!("http://{nobody}/ask");
        check(&server_of(&nobody, &more), &["refused connection"]);
    }
}

#[test]
fn only_the_kinds_it_is_for_are_asked_about() {
    let mock = Mock::start(|_| Some(answer(&json!({ "action": "deny" }))));
    let server = server(&mock, "kinds = [\"CARD\", \"CUSTOM\"]\n");
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let id = anna.create_group(&[]);
    anna.say(id, "a", "plain");
    let message = wire::Message {
        kind: wire::message::Kind::Custom.into(),
        custom_type: "vote".to_owned(),
        ..Default::default()
    };
    let send = wire::Send { conversation_id: id, message: Some(message), ..Default::default() };
    assert_eq!(refusal(anna.call(Op::Send(send))), "FORBIDDEN");
    assert_eq!(mock.await_requests(1).len(), 1);
}
