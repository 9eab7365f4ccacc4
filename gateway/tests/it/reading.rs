//! What a member reads and has read: unread counts, cursors, the list, history and sync pages, what `connect` brings.

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event};

use crate::support::ENCODINGS;
use crate::support::chat::{id_of, refusal, say};
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

fn fill(client: &mut Client, conversation: u64, count: usize) {
    let ids: Vec<u64> = (0..count)
        .map(|n| client.queue(say(conversation, &format!("f{n}"), &n.to_string())))
        .collect();
    client.flush().expect("writing");
    for id in ids {
        client.ack(id);
    }
}

/// The next cursor that is pushed; entries may come between.
fn next_cursor(client: &mut Client) -> wire::Cursor {
    loop {
        match client.next_push() {
            Event::Cursor(cursor) => return cursor,
            Event::Entry(_) => {}
            other => panic!("not a cursor: {other:?}"),
        }
    }
}

#[test]
fn unread_counts_follow_the_messages_and_the_cursor_and_survive_a_restart() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Json);
        let mut ben = Client::session(&server, 2, Encoding::Protobuf);
        let direct = id_of(&anna.open_direct(2));
        fill(&mut anna, direct, 5);
        let head = ben.head(direct);
        assert_eq!((head.head_seq, head.msg_no, head.unread, head.read_seq), (6, 5, 5, 0));
        assert_eq!(head.last_entry.expect("the newest entry").seq, 6);
        // Who sends has read what was there.
        let own = anna.head(direct);
        assert_eq!((own.unread, own.read_seq), (0, 6));

        ben.read_up_to(direct, 4);
        assert_eq!((ben.head(direct).unread, ben.head(direct).read_seq), (2, 4));
        // Cursors only rise.
        ben.read_up_to(direct, 2);
        assert_eq!(ben.head(direct).read_seq, 4);
        let again = Client::session(&server, 2, Encoding::Json).head(direct);
        assert_eq!((again.unread, again.read_seq), (2, 4));

        // An orderly stop writes them; they are written behind every two seconds otherwise.
        server.terminate();
        assert!(server.wait().success());
        server.restart();
        let (mut ben, connected) =
            Client::session_with(&server, 2, Encoding::Json, wire::Connect::default());
        let head = &connected.heads.expect("heads").heads[0];
        assert_eq!((head.unread, head.read_seq, head.delivered_seq), (2, 4, 4));
        ben.read_up_to(direct, 6);
        assert_eq!(ben.head(direct).unread, 0);
        assert_eq!(ben.say(direct, "answer", "x").seq, 7);
        let head = Client::session(&server, 1, Encoding::Protobuf).head(direct);
        assert_eq!((head.unread, head.read_seq), (1, 6));
    }
}

#[test]
fn a_read_cursor_is_pushed_to_the_others_and_to_the_users_own_devices() {
    let server = ServerProcess::start(&[]);
    for encoding in ENCODINGS {
        let mut anna = Client::session(&server, 1, encoding);
        let mut ben = Client::session(&server, 2, encoding);
        let mut second = Client::session(&server, 2, encoding);
        let group = anna.create_group(&[2]);
        fill(&mut anna, group, 3);
        ben.read_up_to(group, 3);
        let expected =
            wire::Cursor { conversation_id: group, user_id: 2, read_seq: 3, delivered_seq: 3 };
        assert_eq!(next_cursor(&mut anna), expected);
        assert_eq!(next_cursor(&mut second), expected);
        // What does not rise is not told.
        ben.read_up_to(group, 3);
        ben.read_up_to(group, 1);
        anna.assert_quiet();
        ben.read_up_to(group, 4);
        assert_eq!(next_cursor(&mut anna).read_seq, 4);
    }
}

#[test]
fn the_list_comes_in_pages_newest_first() {
    const CONVERSATIONS: u64 = 60;
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let groups: Vec<u64> = (0..CONVERSATIONS).map(|_| anna.create_group(&[])).collect();
        let (_, connected) =
            Client::session_with(&server, 1, Encoding::Json, wire::Connect::default());
        let first = connected.heads.expect("heads");
        assert_eq!(first.heads.len(), 50);
        for start in [first, anna.heads("", 7)] {
            let limit = if start.heads.len() == 50 { 0 } else { 7 };
            let mut ids = Vec::new();
            let mut page = start;
            loop {
                ids.extend(page.heads.iter().map(|head| {
                    head.conversation.as_ref().expect("a conversation").conversation_id
                }));
                if page.next_page_token.is_empty() {
                    break;
                }
                page = anna.heads(&page.next_page_token, limit);
            }
            ids.sort_unstable();
            let mut expected = groups.clone();
            expected.sort_unstable();
            assert_eq!(ids, expected, "every conversation once");
        }
        let activity: Vec<i64> =
            anna.heads("", 0).heads.iter().map(|head| head.last_activity_at).collect();
        assert!(activity.is_sorted_by(|a, b| a >= b), "{activity:?}");
    }
}

#[test]
fn history_and_sync_meet_in_every_window() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let group = anna.create_group(&[]);
        fill(&mut anna, group, 499);
        for encoding in ENCODINGS {
            let mut reader = Client::session(&server, 1, encoding);
            let log = reader.log(group);
            assert_eq!(log.len(), 500);
            for limit in [1, 7, 100, 200, 0, 5000] {
                let most = if limit == 0 { 200 } else { limit.min(200) as usize };
                let (mut before, mut pages) = (0, Vec::new());
                loop {
                    let page = reader.history(group, before, limit);
                    assert_eq!((page.conversation_id, page.head_seq), (group, 500));
                    assert!(page.entries.len() <= most);
                    before = page.entries.first().expect("an entry").seq;
                    assert_eq!(page.more, before > 1);
                    pages.push(page.entries);
                    if before == 1 || (limit == 1 && pages.len() == 20) {
                        break;
                    }
                }
                pages.reverse();
                let entries = pages.concat();
                assert_eq!(entries[..], log[log.len() - entries.len()..]);
            }
            let page = reader.sync(group, 490, 5);
            assert_eq!(page.entries[..], log[490..495]);
            assert!(page.more);
            let page = reader.sync(group, 495, 5);
            assert_eq!((page.entries.len(), page.more, page.head_seq), (5, false, 500));
            let page = reader.sync(group, 500, 0);
            assert_eq!((page.entries.len(), page.more, page.head_seq), (0, false, 500));
            let page = reader.history(group, 1, 0);
            assert_eq!((page.entries.len(), page.more, page.newer), (0, false, true));
        }
    }
}

#[test]
fn history_goes_forwards_and_jumps() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let group = anna.create_group(&[]);
        fill(&mut anna, group, 49);
        for encoding in ENCODINGS {
            let mut reader = Client::session(&server, 1, encoding);
            let mut window = |before_seq, after_seq, around_seq, limit| {
                let ask = wire::History {
                    conversation_id: group,
                    before_seq,
                    limit,
                    after_seq,
                    around_seq,
                };
                let page = reader.window(ask);
                assert_eq!((page.head_seq, page.trimmed_floor), (50, 0));
                let seqs: Vec<u64> = page.entries.iter().map(|entry| entry.seq).collect();
                (seqs, page.more, page.newer)
            };
            assert_eq!(window(0, None, 0, 2), (vec![49, 50], true, false));
            assert_eq!(window(0, Some(0), 0, 3), (vec![1, 2, 3], false, true));
            assert_eq!(window(0, Some(3), 0, 3), (vec![4, 5, 6], true, true));
            assert_eq!(window(0, Some(47), 0, 3), (vec![48, 49, 50], true, false));
            assert_eq!(window(0, Some(50), 0, 3), (vec![], true, false));
            assert_eq!(window(0, None, 25, 5), (vec![23, 24, 25, 26, 27], true, true));
            assert_eq!(window(0, None, 1, 5), (vec![1, 2, 3], false, true));
            assert_eq!(window(0, None, 50, 5), (vec![48, 49, 50], true, false));
            assert_eq!(window(0, None, 25, 0), ((1..=50).collect(), false, false));

            for (before_seq, after_seq, around_seq) in
                [(5, Some(0), 0), (5, None, 5), (0, Some(5), 5), (5, Some(5), 5)]
            {
                let ask = wire::History {
                    conversation_id: group,
                    before_seq,
                    limit: 1,
                    after_seq,
                    around_seq,
                };
                assert_eq!(refusal(reader.call(Op::History(ask))), "INVALID_ARGUMENT");
            }
        }
    }
}

#[test]
fn the_first_page_of_the_list_tells_all_that_is_unread() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let mut ben = Client::session(&server, 2, Encoding::Json);
        let groups: Vec<u64> = (0..3).map(|_| anna.create_group(&[2])).collect();
        for (count, group) in (1..).zip(&groups) {
            fill(&mut anna, *group, count);
        }
        for encoding in ENCODINGS {
            let connect = wire::Connect::default();
            let (mut other, connected) = Client::session_with(&server, 2, encoding, connect);
            assert_eq!(connected.heads.expect("heads").total_unread, Some(6));
            let first = other.heads("", 1);
            assert_eq!(first.total_unread, Some(6));
            assert_eq!(other.heads(&first.next_page_token, 1).total_unread, None);
        }
        // A cursor that is not written yet counts.
        ben.read_up_to(groups[2], 3);
        assert_eq!(ben.heads("", 0).total_unread, Some(4));
        assert_eq!(anna.heads("", 0).total_unread, Some(0));
    }
}

/// The cursor of the sender is moved by the answer, which nobody takes here.
#[test]
fn own_messages_are_read_also_when_the_sender_has_gone_before_the_answer() {
    for database in Database::both() {
        let server = Setup::new().database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let mut ben = Client::session(&server, 2, Encoding::Protobuf);
        let group = anna.create_group(&[2]);
        fill(&mut anna, group, 3);
        while ben.next_entry().seq < 4 {}
        // With the connection ending right behind the command, its answer finds no session.
        ben.queue(say(group, "last words", "bye"));
        ben.flush().expect("writing");
        ben.socket().shutdown(std::net::Shutdown::Write).expect("half a close");
        while anna.next_entry().seq < 5 {}
        let head = Client::session(&server, 2, Encoding::Json).head(group);
        assert_eq!((head.head_seq, head.unread, head.read_seq), (5, 0, 5));
    }
}

#[test]
fn connect_brings_what_each_cursor_missed() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        drop(Client::session(&server, 2, Encoding::Json));
        let short = anna.create_group(&[2]);
        let long = anna.create_group(&[2]);
        let foreign = anna.create_group(&[]);
        fill(&mut anna, short, 9);
        fill(&mut anna, long, 299);
        for encoding in ENCODINGS {
            let at = |conversation_id, seq| wire::SyncCursor { conversation_id, seq };
            let cursors = vec![at(short, 4), at(foreign, 0), at(long, 0), at(9_000_000, 7)];
            let connect = wire::Connect { cursors, ..Default::default() };
            let (mut ben, connected) = Client::session_with(&server, 2, encoding, connect);
            let states: Vec<_> = connected
                .sync
                .iter()
                .map(|state| {
                    (state.conversation_id, state.head_seq, state.pushed_seq, state.not_member)
                })
                .collect();
            assert_eq!(
                states,
                [
                    (short, 10, 10, false),
                    (foreign, 0, 0, true),
                    (long, 300, 100, false),
                    (9_000_000, 0, 0, true)
                ]
            );
            let seqs = |count: usize, ben: &mut Client| {
                (0..count)
                    .map(|_| ben.next_entry())
                    .map(|entry| (entry.conversation_id, entry.seq))
                    .collect::<Vec<_>>()
            };
            // Where something happened last comes first.
            assert_eq!(seqs(100, &mut ben), (1..=100).map(|seq| (long, seq)).collect::<Vec<_>>());
            assert_eq!(seqs(6, &mut ben), (5..=10).map(|seq| (short, seq)).collect::<Vec<_>>());
            assert_eq!(ben.sync(long, 100, 0).entries.len(), 200);
            ben.assert_quiet();

            // A cursor from elsewhere, beyond the end, is not believed.
            let connect = wire::Connect { cursors: vec![at(short, 99)], ..Default::default() };
            let (mut ben, connected) = Client::session_with(&server, 2, encoding, connect);
            assert_eq!((connected.sync[0].head_seq, connected.sync[0].pushed_seq), (10, 10));
            ben.assert_quiet();
        }
    }
}
