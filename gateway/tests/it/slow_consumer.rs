//! A client that does not read: it is told what it missed, or cut off, and nobody else notices.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, push::Event};

use crate::support::chat::say;
use crate::support::client::{Arrived, Client, Upgrade, dial_with};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, PATIENCE, full};

/// A session whose socket takes little before it is full.
fn narrow_session(server: &ServerProcess, user: u64, encoding: Encoding) -> Client {
    let stream = dial_with(server.address(), |socket| socket.set_recv_buffer_size(4096));
    let upgrade = Upgrade::encoding(encoding).bearer(&server.token(user));
    let stream = stream.expect("a connection");
    let mut client = Client::upgrade_on(stream, &upgrade, encoding, b"").expect("a WebSocket");
    client.connect(wire::Connect::default()).expect("a session");
    client
}

/// Batches of large messages: together more than any socket holds, each less than an outbox does.
const BATCHES: usize = 100;
const BATCH: usize = 20;

/// Says a batch of large things; answers the last position.
fn say_much(sender: &mut Client, group: u64, batch: usize) -> u64 {
    let text = "x".repeat(8000);
    let ids: Vec<u64> = (0..BATCH)
        .map(|number| sender.queue(say(group, &format!("{batch}.{number}"), &text)))
        .collect();
    sender.flush().expect("writing");
    ids.into_iter().map(|id| sender.ack(id).seq).last().expect("one at least")
}

#[test]
fn s1_a_slow_reader_is_told_that_it_lags_and_can_sync_while_others_get_everything() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut slow = narrow_session(&server, 2, encoding);
        let mut swift = Client::session(&server, 3, encoding);
        let mut sender = Client::session(&server, 1, Encoding::Protobuf);
        let group = sender.create_group(&[2, 3]);
        assert_eq!(swift.next_entry().seq, 1);
        let mut head = 1;
        // More than the sockets and the outbox hold. It reads a little now and then: enough not to be given up, never
        // enough to keep up. The other one keeps up.
        for batch in 0..BATCHES {
            head = say_much(&mut sender, group, batch);
            for seq in head + 1 - BATCH as u64..=head {
                assert_eq!(swift.next_entry().seq, seq);
            }
            let mut some = vec![0; 4096];
            let count = slow.socket().read(&mut some).expect("some of it");
            slow.feed(&mut some[..count]);
        }

        // Up to the gap everything came in order; then it is told, and it asks.
        let mut cursor = 0;
        loop {
            match slow.next_push() {
                Event::Entry(entry) => {
                    assert_eq!(entry.seq, cursor + 1, "a gap that was not announced");
                    cursor = entry.seq;
                }
                Event::Lag(lag) => {
                    assert_eq!(lag.conversation_id, group);
                    assert!(lag.head_seq > cursor && lag.head_seq <= head, "{lag:?} at {cursor}");
                    break;
                }
                other => panic!("neither entry nor lag: {other:?}"),
            }
        }
        while cursor < head {
            for entry in slow.sync(group, cursor, 0).entries {
                assert_eq!(entry.seq, cursor + 1);
                cursor = entry.seq;
            }
        }
        // From here on it is served as anybody.
        assert_eq!(sender.say(group, "afterwards", "x").seq, head + 1);
        assert_eq!(slow.next_entry().seq, head + 1);
    }
}

#[test]
fn s2_a_client_that_never_reads_is_cut_off_and_harms_nobody() {
    let server = Setup::new().without_rates().start();
    let mut stalled = narrow_session(&server, 2, Encoding::Protobuf);
    let mut other_device = Client::session(&server, 2, Encoding::Json);
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&[2]);
    assert_eq!(other_device.next_entry().seq, 1);
    let mut head = 1;
    for batch in 0..BATCHES {
        head = say_much(&mut sender, group, batch);
        for seq in head + 1 - BATCH as u64..=head {
            assert_eq!(other_device.next_entry().seq, seq);
        }
    }
    // Ten seconds without progress, and the server gives it up. Nothing is read until then.
    let deadline = Instant::now() + PATIENCE;
    while !server_has_let_go(&mut stalled) {
        assert!(Instant::now() < deadline, "the server keeps it");
        sender.assert_quiet();
        thread::sleep(Duration::from_millis(200));
    }
    other_device.assert_quiet();
    // It comes back and asks for what it missed.
    let mut back = Client::session(&server, 2, Encoding::Protobuf);
    assert_eq!(back.log(group).len() as u64, head);
}

/// Whether the server has ended the connection, told without reading from it.
fn server_has_let_go(client: &mut Client) -> bool {
    use std::os::fd::AsRawFd as _;
    let mut poll =
        libc::pollfd { fd: client.socket().as_raw_fd(), events: libc::POLLRDHUP, revents: 0 };
    // SAFETY: `poll` is one valid pollfd, and the call does not wait.
    let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
    ready == 1 && poll.revents & (libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR) != 0
}

/// Many entries of one commit are more than an outbox holds, but no more than a socket takes.
#[test]
fn a_burst_that_the_socket_takes_is_no_lag() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut receiver = Client::session(&server, 2, encoding);
        let mut sender = Client::session(&server, 1, Encoding::Protobuf);
        let group = sender.create_group(&[2]);
        let text = "x".repeat(8000);
        let ids: Vec<u64> =
            (0..50).map(|number| sender.queue(say(group, &format!("{number}"), &text))).collect();
        sender.flush().expect("writing");
        for id in ids {
            sender.ack(id);
        }
        for seq in 1..=51 {
            assert_eq!(receiver.next_entry().seq, seq);
        }
    }
}

#[test]
fn a_session_that_is_still_connecting_misses_nothing_however_much_comes() {
    let server = Setup::new().without_rates().start();
    drop(Client::session(&server, 2, Encoding::Json));
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&[2]);
    for round in 0..10_usize {
        let start = 1 + 300 * round as u64;
        let encoding = ENCODINGS[round % 2];
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(2));
        let mut client =
            Client::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
        let cursor = wire::SyncCursor { conversation_id: group, seq: start };
        let connect = wire::Connect { cursors: vec![cursor], ..Default::default() };
        // Both leave at once: some is in the snapshot, some is held back, some comes after.
        let sends: Vec<u64> = (0..300)
            .map(|number| sender.queue(say(group, &format!("{round}.{number}"), "x")))
            .collect();
        client.queue(wire::command::Op::Connect(connect));
        sender.flush().expect("writing");
        client.flush().expect("writing");
        for id in sends {
            sender.ack(id);
        }
        let mut cursor = start;
        let mut pushed = 0;
        while cursor < start + 300 {
            match client.next() {
                Arrived::Push(Event::Entry(entry)) => {
                    assert!(entry.seq > pushed, "{} came twice", entry.seq);
                    pushed = entry.seq;
                    if entry.seq > cursor + 1 {
                        // Allowed only behind what the answer to `connect` or a lag has announced.
                        cursor = catch_up(&mut client, group, cursor, entry.seq - 1);
                    }
                    cursor = cursor.max(entry.seq);
                }
                Arrived::Push(Event::Lag(lag)) => {
                    cursor = catch_up(&mut client, group, cursor, lag.head_seq);
                }
                Arrived::Reply(reply) => {
                    let Some(wire::reply::Outcome::Connected(connected)) = reply.outcome else {
                        panic!("not connected: {reply:?}");
                    };
                    let state = connected.sync[0];
                    if state.pushed_seq < state.head_seq {
                        while cursor < state.pushed_seq {
                            cursor += 1;
                            pushed = cursor;
                            assert_eq!(client.next_entry().seq, cursor);
                        }
                        cursor = catch_up(&mut client, group, cursor, state.head_seq);
                    }
                }
                other => panic!("unexpected: {other:?}"),
            }
        }
    }
}

/// Everybody but one reads, in a room of a thousand.
#[test]
fn s1_one_of_a_thousand_never_reads_and_the_others_get_everything() {
    const MEMBERS: u64 = 1000;
    let messages = if full() { 300 } else { 60 };
    let server = Setup::new().without_rates().start();
    let mut readers: Vec<Client> = (2..MEMBERS)
        .map(|user| Client::session(&server, user, ENCODINGS[user as usize % 2]))
        .collect();
    let mut stalled = narrow_session(&server, MEMBERS, Encoding::Protobuf);
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let room = sender.create_group(&(2..=MEMBERS).collect::<Vec<_>>());
    let text = "x".repeat(8_000);
    for reader in &mut readers {
        assert_eq!(reader.next_entry().seq, 1);
    }
    for number in 0..messages {
        let seq = sender.say(room, &format!("m{number}"), &text).seq;
        assert_eq!(seq, number + 2);
        for reader in &mut readers {
            // Anything else, a lag above all, would end the test here.
            match reader.next() {
                Arrived::Push(Event::Entry(entry)) => assert_eq!(entry.seq, seq),
                other => panic!("not the entry: {other:?}"),
            }
        }
    }
    // It got what its socket took, in order; then it was told, or cut off. It misses nothing in the end.
    let mut cursor = 0;
    loop {
        match stalled.next() {
            Arrived::Push(Event::Entry(entry)) => {
                assert_eq!(entry.seq, cursor + 1);
                cursor = entry.seq;
                if cursor == messages + 1 {
                    break;
                }
            }
            Arrived::Push(Event::Lag(lag)) => {
                assert!(lag.head_seq > cursor);
                assert_eq!(catch_up(&mut stalled, room, cursor, messages + 1), messages + 1);
                break;
            }
            Arrived::Closed(_) => {
                let mut back = Client::session(&server, MEMBERS, Encoding::Json);
                assert_eq!(back.log(room).len() as u64, messages + 1);
                break;
            }
            other => panic!("neither entry nor lag: {other:?}"),
        }
    }
}

/// Many who never read, and far more for each of them than it may have waiting.
#[test]
fn s2_stalled_readers_cost_no_more_than_their_outboxes() {
    const STALLED: u64 = 100;
    const OUTBOX_KIB: u64 = 256;
    // What the server needs beside: its caches, buffers on their way, and what an allocator keeps.
    const SLACK_KIB: u64 = 64 * 1024;
    let batches = if full() { 400 } else { 60 };
    let server = Setup::new().without_rates().start();
    let stalled: Vec<Client> = (0..STALLED)
        .map(|number| narrow_session(&server, 2 + number, ENCODINGS[number as usize % 2]))
        .collect();
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&(2..2 + STALLED).collect::<Vec<_>>());
    let before = server.resident_kib();
    // Small enough to be copied into every outbox instead of shared.
    let text = "x".repeat(1_900);
    let mut most = before;
    let mut sent = 0;
    for batch in 0..batches {
        let ids: Vec<u64> = (0..50)
            .map(|number| sender.queue(say(group, &format!("{batch}.{number}"), &text)))
            .collect();
        sender.flush().expect("writing");
        sent += ids.len() as u64;
        for id in ids {
            sender.ack(id);
        }
        most = most.max(server.resident_kib());
    }
    let grown = most - before;
    let unbounded = sent * text.len() as u64 * STALLED / 1024;
    let bound = STALLED * OUTBOX_KIB + SLACK_KIB;
    println!("{grown} KiB more for {STALLED} stalled readers; everything would be {unbounded} KiB");
    assert!(unbounded > 5 * bound, "too little was sent to tell");
    assert!(grown <= bound, "{grown} KiB, bound {bound}");
    sender.assert_quiet();
    drop(stalled);
}

/// What is told of somebody is dropped long before what was said.
#[test]
fn s2_ephemeral_pushes_give_way_to_entries() {
    let server = Setup::new().without_rates().start();
    let mut slow = narrow_session(&server, 2, Encoding::Protobuf);
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&[2]);
    let watch = wire::WatchPresence { add: vec![1], remove: Vec::new() };
    let done = slow.call(wire::command::Op::WatchPresence(watch));
    assert!(done.is_ok(), "{done:?}");
    // Fills the sockets and the outbox to more than half, and not more than it holds.
    let text = "x".repeat(8000);
    let mut head = 1;
    for number in 0..BATCHES {
        head = sender.say(group, &format!("{number}"), &text).seq;
        let typing = wire::Typing { conversation_id: group, stopped: false };
        assert!(sender.call(wire::command::Op::Typing(typing)).is_ok());
    }
    let status = wire::SetStatus { status: 3, text: Some("last".into()), ..Default::default() };
    assert!(sender.call(wire::command::Op::SetStatus(status)).is_ok());
    // When it reads again, it gets everything that was said or is told that it lags, and sees how it is now.
    let (mut cursor, mut seen) = (0, false);
    while cursor < head || !seen {
        match slow.next_push() {
            Event::Entry(entry) => {
                assert_eq!(entry.seq, cursor + 1);
                cursor = entry.seq;
            }
            Event::Lag(lag) => cursor = catch_up(&mut slow, group, cursor, lag.head_seq),
            Event::Presence(push) => seen |= push.users.iter().any(|told| told.text == "last"),
            Event::Typing(_) | Event::Cursor(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
}

fn catch_up(client: &mut Client, group: u64, mut cursor: u64, to: u64) -> u64 {
    while cursor < to {
        for entry in client.sync(group, cursor, 0).entries {
            assert_eq!(entry.seq, cursor + 1);
            cursor = entry.seq;
        }
    }
    cursor
}
