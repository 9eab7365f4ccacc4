//! A client that does not read: it is told what it missed, or cut off, and nobody else notices.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, push::Event};

use crate::support::chat::say;
use crate::support::client::{Arrived, Client, Upgrade, dial_with};
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, PATIENCE};

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

fn catch_up(client: &mut Client, group: u64, mut cursor: u64, to: u64) -> u64 {
    while cursor < to {
        for entry in client.sync(group, cursor, 0).entries {
            assert_eq!(entry.seq, cursor + 1);
            cursor = entry.seq;
        }
    }
    cursor
}
