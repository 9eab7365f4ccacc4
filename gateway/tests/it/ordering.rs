//! One order for everybody: gap-free positions and each sender's order kept.

use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_testkit::{Chaos, ChaosProxy};

use crate::support::chat::{self, say, say_after};
use crate::support::client::Client;
use crate::support::participant::Crowd;
use crate::support::server::Setup;
use crate::support::store::Database;
use crate::support::{ENCODINGS, full};

#[test]
fn o2_a_thousand_sends_in_one_go_keep_their_order() {
    let server = Setup::new().without_rates().start();
    for encoding in ENCODINGS {
        let mut receivers = ENCODINGS.map(|encoding| Client::session(&server, 2, encoding));
        let mut sender = Client::session(&server, 1, encoding);
        let group = sender.create_group(&[2]);
        let mut after = String::new();
        let ids: Vec<u64> = (0..1000)
            .map(|number| {
                let id = format!("m{number}");
                sender.queue(say_after(
                    group,
                    &id,
                    &number.to_string(),
                    &std::mem::replace(&mut after, id.clone()),
                ))
            })
            .collect();
        sender.flush().expect("writing");
        for (number, id) in ids.into_iter().enumerate() {
            let ack = sender.ack(id);
            assert_eq!((ack.seq, ack.msg_no), (number as u64 + 2, number as u64 + 1));
        }
        for receiver in &mut receivers {
            assert_eq!(receiver.next_entry().seq, 1);
            for number in 0..1000_u64 {
                let entry = receiver.next_entry();
                assert_eq!(entry.seq, number + 2);
                assert_eq!(chat::text(&entry), Some(&*number.to_string()));
            }
            receiver.assert_quiet();
        }
    }
}

/// The sends of one connection that fill many conversations, on all shards, at once.
#[test]
fn o1_one_connection_fills_many_conversations_without_mixing_them() {
    for database in Database::both() {
        let server = Setup::new().database(database).without_rates().start();
        let mut sender = Client::session(&server, 1, Encoding::Protobuf);
        let groups: Vec<u64> = (0..20).map(|_| sender.create_group(&[])).collect();
        let ids: Vec<(usize, u64)> = (0..1000)
            .map(|number| {
                let group = number % groups.len();
                let text = format!("{}", number / groups.len());
                (number, sender.queue(say(groups[group], &format!("m{number}"), &text)))
            })
            .collect();
        sender.flush().expect("writing");
        for (number, id) in ids {
            let ack = sender.ack(id);
            let expected = (groups[number % groups.len()], (number / groups.len()) as u64 + 2);
            assert_eq!((ack.conversation_id, ack.seq), expected);
        }
        for group in groups {
            let texts: Vec<_> = sender
                .log(group)
                .iter()
                .filter_map(|entry| chat::text(entry).map(str::to_owned))
                .collect();
            assert_eq!(texts, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn o1_twenty_senders_are_seen_in_one_order_by_every_device() {
    const SENDERS: u64 = 20;
    const EACH: usize = 500;
    let server = Setup::new().without_rates().start();
    let mut watcher = Client::session(&server, 100, Encoding::Protobuf);
    for user in 1..=SENDERS {
        drop(Client::session(&server, user, Encoding::Json));
    }
    let group = watcher.create_group(&(1..=SENDERS).collect::<Vec<_>>());
    let devices: Vec<Client> =
        (0..4).map(|number| Client::session(&server, 100, ENCODINGS[number % 2])).collect();

    let watching: Vec<_> = devices
        .into_iter()
        .map(|mut device| {
            thread::spawn(move || {
                let entries = (0..SENDERS as usize * EACH).map(|number| {
                    let entry = device.next_entry();
                    assert_eq!(entry.seq, number as u64 + 2);
                    (entry.sender_id, entry.client_msg_id)
                });
                entries.collect::<Vec<_>>()
            })
        })
        .collect();
    let sending: Vec<_> = (1..=SENDERS)
        .map(|user| {
            let mut sender = Client::session(&server, user, ENCODINGS[user as usize % 2]);
            thread::spawn(move || {
                for batch in 0..EACH / 50 {
                    let ids: Vec<u64> = (0..50)
                        .map(|place| {
                            sender.queue(say(group, &format!("{}", batch * 50 + place), "x"))
                        })
                        .collect();
                    sender.flush().expect("writing");
                    let seqs: Vec<u64> = ids.into_iter().map(|id| sender.ack(id).seq).collect();
                    assert!(seqs.is_sorted(), "{seqs:?}");
                }
            })
        })
        .collect();
    for sender in sending {
        sender.join().expect("a sender");
    }
    let views: Vec<_> =
        watching.into_iter().map(|device| device.join().expect("a device")).collect();
    for view in &views[1..] {
        assert!(*view == views[0], "two devices saw different orders");
    }
    for user in 1..=SENDERS {
        let own = views[0].iter().filter(|(sender, _)| *sender == user);
        let own: Vec<&str> = own.map(|(_, id)| &**id).collect();
        assert_eq!(own, (0..EACH).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

/// Everybody sends and receives at once, on both encodings; nobody is killed. The ledger has to be able to be clean.
#[test]
fn o1_a_busy_group_keeps_its_promises() {
    for (driver, database) in [("auto", Database::postgres()), ("epoll", Database::Sqlite)] {
        let server = Setup::new()
            .arguments(&["--driver", driver])
            .database(database)
            .without_rates()
            .start();
        let crowd = Crowd::start(&server, 6, 150);
        crowd.finish(&server);
    }
}

/// Fifty senders and ten devices of one user, whose connections are cut at random: gap-free and the same order
/// everywhere, each sender's order kept, each message once. Some go on with their session, the others by their cursors.
#[test]
fn o1_o2_o3_fifty_senders_ten_devices_and_faults() {
    const SENDERS: u32 = 50;
    const DEVICES: u32 = 10;
    let sends_each = if full() { 2_000 } else { 40 };
    let server = Setup::new().without_rates().start();
    let proxy = ChaosProxy::start_seeded(server.address().port(), 7).expect("a proxy");
    let crowd = Crowd::start_through(&server, proxy.port(), SENDERS, sends_each, DEVICES);
    proxy.rage(Some(Chaos {
        cut: 5,
        delay: 20,
        lose_answer: 0,
        half_open: 0,
        half_open_for: Duration::from_secs(1),
    }));
    // In steps, each of which has its own patience.
    for step in 1..=19 {
        crowd.await_acks(u64::from(SENDERS * sends_each) * step / 20);
        // Chance may have it that nobody is cut: once everybody is.
        if step == 10 {
            proxy.cut_all();
        }
    }
    proxy.rage(None);
    // Every other one goes on with its session. Under load the server may have had to give that up; now it has not.
    crowd.await_last_ack();
    proxy.cut_all();
    crowd.await_resumes(1);
    let conversation = crowd.conversation();
    let report = crowd.finish(&server);
    println!("{} cuts, {} resumes of {} reconnects", proxy.cuts(), report.resumed, report.connects);
    assert!(proxy.cuts() >= SENDERS as usize, "everybody was cut");
    // A retry is answered with what it was; another message under the same id is refused.
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let log = sender.log(conversation);
    let first = log.iter().find(|entry| entry.sender_id == 1 && chat::text(entry).is_some());
    let first = first.expect("a message of the first sender");
    let text = chat::text(first).expect("a text").to_owned();
    let ack = sender.say(conversation, &first.client_msg_id, &text);
    assert_eq!(ack.seq, first.seq);
    let other = sender.call(say(conversation, &first.client_msg_id, "something else"));
    assert_eq!(chat::refusal(other), "CONFLICT");
}
