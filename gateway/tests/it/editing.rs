//! What happens to messages after they were said: edits, recalls, reactions, pins, hiding, mentions; both encodings.

use ringwire_protocol::wire::{self, command::Op, entry_body::Kind, push::Event, reply::Outcome};

use crate::support::ENCODINGS;
use crate::support::chat::{self, refusal, text};
use crate::support::client::Client;
use crate::support::server::Setup;
use crate::support::store::Database;

fn edit(conversation_id: u64, target_seq: u64, id: &str, text: &str) -> Op {
    let message = Some(wire::Message { text: text.to_owned(), ..Default::default() });
    let client_msg_id = id.to_owned();
    Op::Edit(wire::Edit { conversation_id, target_seq, message, client_msg_id })
}

fn recall(conversation_id: u64, target_seq: u64) -> Op {
    Op::Recall(wire::Recall { conversation_id, target_seq, ..Default::default() })
}

fn react(conversation_id: u64, target_seq: u64, reaction: &str, remove: bool) -> Op {
    let reaction = reaction.to_owned();
    Op::React(wire::React { conversation_id, target_seq, reaction, remove, ..Default::default() })
}

fn pin(conversation_id: u64, target_seq: u64, remove: bool) -> Op {
    Op::Pin(wire::Pin { conversation_id, target_seq, remove, ..Default::default() })
}

/// It was so already, and no entry was made.
fn unchanged(answer: &Result<Outcome, wire::Error>) {
    assert!(matches!(answer, Ok(Outcome::Done(_))), "{answer:?}");
}

fn seq(answer: Result<Outcome, wire::Error>) -> u64 {
    match answer {
        Ok(Outcome::SendAck(ack)) => ack.seq,
        other => panic!("not an ack: {other:?}"),
    }
}

#[test]
fn an_edit_shows_in_every_page_and_keeps_who_said_it_and_when() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut author = Client::session(&server, 1, encoding);
            let mut reader = Client::session(&server, 2, encoding);
            let group = author.create_group(&[2]);
            let said = author.say(group, "m1", "frist");
            assert_eq!(seq(author.call(edit(group, said.seq, "e1", "first"))), 3);
            // A retry is one edit.
            assert_eq!(seq(author.call(edit(group, said.seq, "e1", "first"))), 3);
            assert_eq!(refusal(author.call(edit(group, said.seq, "e1", "other"))), "CONFLICT");
            let told: Vec<wire::Entry> = (0..3).map(|_| reader.next_entry()).collect();
            assert_eq!(text(&told[1]), Some("frist"), "pushes tell it as it was");
            match chat::notice(&told[2]) {
                Kind::Edited(edited) => {
                    assert_eq!(edited.target_seq, said.seq);
                    let message = edited.message.as_ref().expect("a message");
                    assert_eq!(message.text, "first");
                }
                other => panic!("not an edit: {other:?}"),
            }
            // `sync` may be told from memory, `history` is not.
            for page in [reader.sync(group, 1, 0).entries, reader.history(group, 0, 0).entries] {
                let entry = page.iter().find(|entry| entry.seq == said.seq).expect("the message");
                assert_eq!(text(entry), Some("first"));
                assert_eq!((entry.sender_id, entry.created_at), (1, said.created_at));
                assert!(entry.edited_at >= said.created_at);
            }
            assert_eq!(reader.head(group).unread, 1, "an edit is no message");
            seq(reader.call(react(group, said.seq, "👍", false)));
            let head = reader.head(group);
            assert_eq!((head.unread, head.read_seq), (1, 0), "who reacts may not have read it");
        }
    }
}

#[test]
fn a_recall_leaves_nothing_of_a_message_and_its_edits() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut author = Client::session(&server, 1, encoding);
            let mut reader = Client::session(&server, 2, encoding);
            let group = author.create_group(&[2]);
            author.say(group, "m1", "secret");
            author.call(edit(group, 2, "e1", "still secret")).expect("an edit");
            reader.call(react(group, 2, "👀", false)).expect("a reaction");
            assert_eq!(seq(author.call(recall(group, 2))), 5);
            for page in [reader.sync(group, 0, 0).entries, reader.history(group, 0, 0).entries] {
                assert!(!format!("{page:?}").contains("secret"), "{page:?}");
                let entry = page.iter().find(|entry| entry.seq == 2).expect("its place stays");
                assert!(entry.recalled_at != 0 && entry.reactions.is_empty());
            }
            for op in [
                edit(group, 2, "e2", "again"),
                react(group, 2, "x", false),
                recall(group, 2),
                pin(group, 2, false),
            ] {
                assert_eq!(refusal(author.call(op)), "ENTRY_NOT_FOUND");
            }
        }
    }
}

#[test]
fn windows_close_for_members_and_an_old_message_is_looked_up() {
    let server =
        Setup::new().without_rates().config("edit_window_s = 1\nrecall_window_s = 1").start();
    for encoding in ENCODINGS {
        let mut owner = Client::session(&server, 1, encoding);
        let mut member = Client::session(&server, 2, encoding);
        let group = owner.create_group(&[2]);
        member.say(group, "m", "early");
        // More than the conversation's memory holds.
        for number in 0..110 {
            owner.say(group, &format!("m{number}"), "x");
        }
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(refusal(member.call(edit(group, 2, "late", "x"))), "WINDOW_PASSED");
        assert_eq!(refusal(member.call(recall(group, 2))), "WINDOW_PASSED");
        assert_eq!(seq(owner.call(recall(group, 2))), 113, "owner and admins at any time");
        assert_eq!(refusal(owner.call(recall(group, 2))), "ENTRY_NOT_FOUND");
    }
}

#[test]
fn reactions_are_counted_once_a_user_and_are_told_as_the_readers_own() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut author = Client::session(&server, 1, encoding);
            let mut reader = Client::session(&server, 2, encoding);
            let group = author.create_group(&[2]);
            author.say(group, "m1", "hello");
            for client in [&mut author, &mut reader] {
                client.call(react(group, 2, "👍", false)).expect("a reaction");
            }
            unchanged(&reader.call(react(group, 2, "👍", false)));
            reader.call(react(group, 2, "🎉", false)).expect("another one");
            let counts = |client: &mut Client| -> Vec<(String, u32, bool)> {
                let page = client.history(group, 3, 1);
                let counts = page.entries[0].reactions.iter();
                counts.map(|count| (count.reaction.clone(), count.count, count.own)).collect()
            };
            assert_eq!(
                counts(&mut reader),
                [("👍".to_owned(), 2, true), ("🎉".to_owned(), 1, true)]
            );
            reader.call(react(group, 2, "👍", true)).expect("taken back");
            assert_eq!(
                counts(&mut author),
                [("🎉".to_owned(), 1, false), ("👍".to_owned(), 1, true)]
            );
        }
    }
}

#[test]
fn pins_mentions_and_readers_show_where_they_belong() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut owner = Client::session(&server, 1, encoding);
            let mut member = Client::session(&server, 2, encoding);
            let group = owner.create_group(&[2]);
            let mentioning = wire::Message {
                text: "@two".to_owned(),
                mentions: vec![2, 99],
                ..Default::default()
            };
            let send = wire::Send {
                conversation_id: group,
                message: Some(mentioning),
                ..Default::default()
            };
            owner.call(Op::Send(send)).expect("an ack");
            let head = member.head(group);
            assert_eq!((head.unread, head.mentions_unread), (1, 1));
            seq(owner.call(pin(group, 2, false)));
            unchanged(&owner.call(pin(group, 2, false)));
            let pinned = |client: &mut Client| {
                client.head(group).conversation.expect("a conversation").pinned_seqs
            };
            assert_eq!(pinned(&mut member), [2]);
            seq(owner.call(pin(group, 2, true)));
            unchanged(&owner.call(pin(group, 2, true)));
            assert!(pinned(&mut member).is_empty());
            // What is taken back is not shown above the others any more.
            let other = owner.say(group, "m9", "soon gone").seq;
            seq(owner.call(pin(group, other, false)));
            assert_eq!(pinned(&mut member), [other]);
            seq(owner.call(recall(group, other)));
            assert!(pinned(&mut member).is_empty());
            unchanged(&owner.call(pin(group, other, true)));

            let readers = |client: &mut Client, seq: u64| {
                let ask = wire::ReadBy { conversation_id: group, seq, ..Default::default() };
                match client.call(Op::ReadBy(ask)) {
                    Ok(Outcome::ReadByPage(page)) => (page.count, page.user_ids),
                    other => panic!("no page: {other:?}"),
                }
            };
            // Whoever asks after the answer hears of it.
            member.read_up_to(group, 2);
            assert_eq!(readers(&mut owner, 2), (1, vec![2]), "the sender is left out");
            assert_eq!(readers(&mut member, 2), (1, vec![2]));
            assert_eq!(member.head(group).mentions_unread, 0);
            // A send says that one has read what is before it.
            let said = owner.say(group, "question", "have you seen it?").seq;
            assert_eq!(readers(&mut owner, said), (0, vec![]));
            let seen = member.say(group, "seen", "I have").seq;
            assert_eq!(readers(&mut owner, said), (1, vec![2]));
            owner.read_up_to(group, seen);
            let own = Op::Members(wire::Members { conversation_id: group, ..Default::default() });
            let Ok(Outcome::MembersPage(page)) = owner.call(own) else { panic!("no members") };
            assert_eq!(page.members[0].read_seq, seen, "the own cursor in the list of members");
        }
    }
}

#[test]
fn what_is_hidden_is_hidden_on_all_devices_of_that_user_alone() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        for encoding in ENCODINGS {
            let mut other = Client::session(&server, 1, encoding);
            let mut hider = Client::session(&server, 2, encoding);
            let mut device = Client::session(&server, 2, encoding);
            let group = other.create_group(&[2]);
            other.say(group, "m1", "embarrassing");
            assert_eq!([device.next_entry().seq, device.next_entry().seq], [1, 2]);
            let hide = Op::Hide(wire::Hide { conversation_id: group, seqs: vec![2] });
            assert!(matches!(hider.call(hide), Ok(Outcome::Done(_))));
            match device.next_push() {
                Event::ViewChanged(change) => {
                    assert_eq!((change.conversation_id, change.hidden_seqs), (group, vec![2]));
                    assert!(change.view_no > 0);
                }
                other => panic!("not a change of the view: {other:?}"),
            }
            for page in [device.sync(group, 1, 0).entries, device.history(group, 0, 0).entries] {
                let entry = page.iter().find(|entry| entry.seq == 2).expect("its place stays");
                assert!(entry.hidden && text(entry).is_none(), "{entry:?}");
            }
            assert_eq!(text(&other.sync(group, 1, 0).entries[0]), Some("embarrassing"));
        }
    }
}
