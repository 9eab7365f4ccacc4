//! R3: between what `connected` tells and what is pushed from then on, nothing is lost and nothing comes twice.

use std::thread;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;
use wire::push::Event;

use crate::support::ENCODINGS;
use crate::support::chat::say;
use crate::support::client::Client;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

const SENDERS: u64 = 3;
/// Messages of each.
const MESSAGES: u64 = 500;
/// Messages written at once.
const BATCH: u64 = 20;
/// Users who only come and go.
const LISTENERS: u64 = 8;
/// Live pushes after which a listener connects anew.
const LIVE: u64 = 7;

/// Sends everything, so much at a time.
fn send_all(mut client: Client, group: u64) {
    for batch in 0..MESSAGES / BATCH {
        let ids: Vec<u64> = (0..BATCH)
            .map(|place| client.queue(say(group, &format!("{}", batch * BATCH + place), "x")))
            .collect();
        client.flush().expect("writing");
        for id in ids {
            client.ack(id);
        }
    }
}

/// One session from a cursor on, until it has had some live pushes or everything; how far it got.
fn listen(server: &ServerProcess, user: u64, encoding: Encoding, group: u64, from: u64) -> u64 {
    let head = SENDERS * MESSAGES + 1;
    let at = wire::SyncCursor { conversation_id: group, seq: from };
    let connect = wire::Connect { cursors: vec![at], ..Default::default() };
    let (mut client, connected) = Client::session_with(server, user, encoding, connect);
    let state = connected.sync[0];
    assert!(from <= state.pushed_seq && state.pushed_seq <= state.head_seq, "{state:?}");
    for seq in from + 1..=state.pushed_seq {
        assert_eq!(client.next_entry().seq, seq, "what was missed comes in order");
    }
    // What is not pushed at once is asked for. Pushes that come meanwhile are kept: the first live one is right behind
    // the snapshot, whatever the pages tell.
    let mut paged = state.pushed_seq;
    while paged < state.head_seq {
        for entry in client.sync(group, paged, 0).entries {
            assert_eq!(entry.seq, paged + 1, "pages have no gap");
            paged += 1;
        }
    }
    let mut live = state.head_seq;
    while live.max(paged) < head && live < state.head_seq + LIVE {
        match client.next_push() {
            Event::Entry(entry) => {
                live += 1;
                assert_eq!(entry.seq, live, "live pushes have no gap");
            }
            // More than a session holds back came while its snapshot was read, and that is told.
            Event::Lag(_) => break,
            Event::Cursor(_) => {}
            other => panic!("neither an entry nor a lag: {other:?}"),
        }
    }
    live.max(paged)
}

#[test]
fn r3_nothing_falls_between_connect_and_live_traffic() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let users: Vec<u64> = (1..=SENDERS + LISTENERS).collect();
        for user in &users {
            drop(Client::session(&server, *user, Encoding::Json));
        }
        let mut first = Client::session(&server, 1, ENCODINGS[0]);
        let group = first.create_group(&users[1..]);
        let mut senders = vec![first];
        senders.extend(
            (2..=SENDERS).map(|user| Client::session(&server, user, ENCODINGS[user as usize % 2])),
        );
        let connects: usize = thread::scope(|scope| {
            for sender in senders {
                scope.spawn(move || send_all(sender, group));
            }
            let listeners: Vec<_> = (SENDERS + 1..=SENDERS + LISTENERS)
                .map(|user| {
                    let server = &server;
                    scope.spawn(move || {
                        let (mut cursor, mut round) = (1, user as usize);
                        while cursor < SENDERS * MESSAGES + 1 {
                            cursor = listen(server, user, ENCODINGS[round % 2], group, cursor);
                            round += 1;
                        }
                        assert_eq!(cursor, SENDERS * MESSAGES + 1);
                        round - user as usize
                    })
                })
                .collect();
            listeners.into_iter().map(|listener| listener.join().expect("a listener")).sum()
        });
        assert!(
            connects > 2 * LISTENERS as usize,
            "they have to connect more than once: {connects}"
        );
    }
}
