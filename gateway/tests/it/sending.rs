//! `send`: durable acks, delivery to every session but the sending one, retries, and what comes after a refusal.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;

use crate::support::ENCODINGS;
use crate::support::chat::{self, refusal, say, say_after};
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

#[test]
fn d1_an_ack_names_an_entry_that_is_in_the_log_after_a_kill() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Json);
        drop(Client::session(&server, 2, Encoding::Json));
        let direct = chat::id_of(&anna.open_direct(2));
        let acks: Vec<_> =
            (1..=20).map(|number| anna.say(direct, &format!("m{number}"), "kept")).collect();
        server.kill();
        server.restart();
        let log = Client::session(&server, 2, Encoding::Protobuf).log(direct);
        for ack in acks {
            let entry = &log[ack.seq as usize - 1];
            assert_eq!(
                (entry.seq, entry.msg_no, entry.created_at, &*entry.client_msg_id),
                (ack.seq, ack.msg_no, ack.created_at, &*ack.client_msg_id)
            );
        }
    }
}

#[test]
fn every_session_gets_the_message_and_the_sending_one_just_the_ack() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut sender = Client::session(&server, 1, encoding);
        let mut others: Vec<Client> = [(1, Encoding::Protobuf), (1, Encoding::Json)]
            .into_iter()
            .chain([2, 3].into_iter().flat_map(|user| ENCODINGS.map(|encoding| (user, encoding))))
            .map(|(user, encoding)| Client::session(&server, user, encoding))
            .collect();
        let group = sender.create_group(&[2, 3]);
        let ack = sender.say(group, "hello", "Hello, world · 你好");
        assert_eq!((ack.seq, ack.msg_no, &*ack.client_msg_id), (2, 1, "hello"));
        for other in &mut others {
            assert_eq!(other.next_entry().seq, 1);
            let entry = other.next_entry();
            assert_eq!((entry.conversation_id, entry.seq, entry.sender_id), (group, 2, 1));
            assert_eq!(chat::text(&entry), Some("Hello, world · 你好"));
            assert_eq!((entry.created_at, &*entry.client_msg_id), (ack.created_at, "hello"));
            other.assert_quiet();
        }
        sender.assert_quiet();
    }
}

#[test]
fn every_kind_of_content_arrives_as_it_was_sent() {
    let server = ServerProcess::start(&[]);
    let content = wire::Message {
        kind: wire::message::Kind::Image.into(),
        text: "caption\n\t\u{1f980}".to_owned(),
        attachments: vec![wire::Attachment {
            file_id: "f".to_owned(),
            size_bytes: (1 << 53) - 1,
            width: 640,
            ..Default::default()
        }],
        mentions: vec![2, (1 << 53) - 1],
        mention_all: true,
        reply_to: 1,
        location: Some(wire::Location { latitude: -0.5, longitude: 179.75, label: "x".to_owned() }),
        metadata: [("key".to_owned(), "value".to_owned())].into(),
        custom_type: "poll".to_owned(),
        ..Default::default()
    };
    for encoding in ENCODINGS {
        let mut sender = Client::session(&server, 1, encoding);
        let mut receivers = ENCODINGS.map(|encoding| Client::session(&server, 2, encoding));
        let group = sender.create_group(&[2]);
        let send = wire::Send {
            conversation_id: group,
            client_msg_id: "all".to_owned(),
            message: Some(content.clone()),
            after: String::new(),
        };
        let id = sender.start(wire::command::Op::Send(send));
        let ack = sender.ack(id);
        let expected = wire::entry_body::Kind::Message(content.clone());
        for receiver in &mut receivers {
            assert_eq!(receiver.next_entry().seq, 1);
            assert_eq!(chat::notice(&receiver.next_entry()), &expected);
            let page = receiver.history(group, 0, 1);
            assert_eq!(page.entries[0].seq, ack.seq);
            assert_eq!(chat::notice(&page.entries[0]), &expected);
        }
    }
}

#[test]
fn o3_a_repeated_send_is_answered_alike_and_delivered_once() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let mut receiver = Client::session(&server, 2, Encoding::Json);
        let mut sender = Client::session(&server, 1, Encoding::Protobuf);
        let group = sender.create_group(&[2]);
        let first = sender.say(group, "once", "text");
        assert_eq!(sender.say(group, "once", "text"), first);
        let conflict = sender.call(say(group, "once", "other text"));
        assert_eq!(refusal(conflict), "CONFLICT");
        // The id is the sender's own: another may use it too.
        let mut other = Client::session(&server, 2, Encoding::Json);
        assert_eq!(other.say(group, "once", "text").seq, first.seq + 1);

        assert_eq!(receiver.next_entry().seq, 1);
        assert_eq!(receiver.next_entry().seq, first.seq);
        assert_eq!(receiver.next_entry().seq, first.seq + 1);
        receiver.assert_quiet();

        // What the server remembers it still knows after it has forgotten everything.
        server.kill();
        server.restart();
        let mut sender = Client::session(&server, 1, Encoding::Json);
        let mut receiver = Client::session(&server, 2, Encoding::Protobuf);
        assert_eq!(sender.say(group, "once", "text"), first);
        assert_eq!(refusal(sender.call(say(group, "once", "other text"))), "CONFLICT");
        receiver.assert_quiet();
        assert_eq!(sender.log(group).len(), 3);
    }
}

#[test]
fn o3_a_repeat_older_than_memory_is_found_in_the_database() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let mut sender = Client::session(&server, 1, Encoding::Protobuf);
        let group = sender.create_group(&[]);
        let acks: Vec<_> =
            (0..300).map(|n| sender.queue(say(group, &format!("{n}"), "x"))).collect();
        sender.flush().expect("writing");
        let acks: Vec<_> = acks.into_iter().map(|id| sender.ack(id)).collect();
        assert_eq!(sender.say(group, "0", "x"), acks[0]);
        assert_eq!(refusal(sender.call(say(group, "1", "y"))), "CONFLICT");
        // Sends behind an old repeat keep their order and leave no gap.
        let ids = [say(group, "new 1", "x"), say(group, "2", "x"), say(group, "new 2", "x")]
            .map(|op| sender.queue(op));
        sender.flush().expect("writing");
        assert_eq!(ids.map(|id| sender.ack(id).seq), [302, acks[2].seq, 303]);
        assert_eq!(sender.log(group).len(), 303);
    }
}

#[test]
fn o3_a_repeat_while_the_first_is_in_flight_joins_it() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut receiver = Client::session(&server, 2, encoding);
        let mut sender = Client::session(&server, 1, encoding);
        let group = sender.create_group(&[2]);
        let ids: Vec<u64> = (0..5).map(|_| sender.queue(say(group, "same", "text"))).collect();
        let conflict = sender.queue(say(group, "same", "other"));
        sender.flush().expect("writing");
        let acks: Vec<_> = ids.into_iter().map(|id| sender.ack(id)).collect();
        assert!(acks.iter().all(|ack| *ack == acks[0]), "{acks:?}");
        assert_eq!(refusal(sender.answer(conflict)), "CONFLICT");
        assert_eq!((receiver.next_entry().seq, receiver.next_entry().seq), (1, 2));
        receiver.assert_quiet();
        sender.assert_quiet();
    }
}

#[test]
fn a_send_without_an_id_is_given_one() {
    let server = ServerProcess::start(&[]);
    let mut sender = Client::session(&server, 1, Encoding::Json);
    let group = sender.create_group(&[]);
    let acks = ["", ""].map(|id| sender.say(group, id, "same text"));
    assert_eq!((acks[0].seq, acks[1].seq), (2, 3));
    assert!(!acks[0].client_msg_id.is_empty() && acks[0].client_msg_id != acks[1].client_msg_id);
}

#[test]
fn o2_what_comes_after_a_refused_send_is_refused_until_that_is_repeated() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut sender = Client::session(&server, 1, encoding);
        let group = sender.create_group(&[]);
        let long = "x".repeat(8193);
        for (case, bad, code) in [("empty", " ", "EMPTY_MESSAGE"), ("long", &*long, "TOO_LARGE")] {
            let id = |number: u32| format!("{case}{number}");
            let ids = [
                say_after(group, &id(1), bad, ""),
                say_after(group, &id(2), "b", &id(1)),
                say_after(group, &id(3), "c", &id(2)),
                // Without `after` it does not care.
                say_after(group, &id(4), "d", ""),
            ]
            .map(|op| sender.queue(op));
            sender.flush().expect("writing");
            assert_eq!(refusal(sender.answer(ids[0])), code);
            for id in &ids[1..3] {
                let error = sender.answer(*id).expect_err("it comes after a refused send");
                assert_eq!((&*error.name, error.temporary), ("OUT_OF_ORDER", true), "{error:?}");
            }
            let free = sender.ack(ids[3]);
            let again = [
                say_after(group, &id(1), "a", ""),
                say_after(group, &id(2), "b", &id(1)),
                say_after(group, &id(3), "c", &id(2)),
            ]
            .map(|op| sender.queue(op));
            sender.flush().expect("writing");
            let seqs = again.map(|id| sender.ack(id).seq);
            assert_eq!(seqs, [free.seq + 1, free.seq + 2, free.seq + 3]);
        }
    }
}
