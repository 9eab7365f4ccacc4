//! D1, D9: between the gateway and its Postgres the network fails, at random and at the worst moment.
//!
//! ```text
//!   crowd ─► gateway ─► chaos proxy ─► Postgres ◄─ observer: is what was acknowledged there, now?
//! ```

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_testkit::{Chaos, ChaosProxy, Fault};

use crate::support::chat::{self, say};
use crate::support::client::Client;
use crate::support::full;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::watch::count_early_acks;

/// A server whose way to Postgres leads through a proxy, and the address without it.
fn behind_proxy(driver: &str, seed: u64) -> (ChaosProxy, String, ServerProcess) {
    let (url, port) = Database::postgres_port();
    let proxy = ChaosProxy::start_seeded(port, seed).expect("a proxy");
    let through = url.replace(&port.to_string(), &proxy.port().to_string());
    let setup = Setup::new().arguments(&["--driver", driver]).without_rates();
    (proxy, url, setup.database(Database::Postgres(through)).start())
}

fn acks_through_chaos(driver: &str, seed: u64) {
    println!("seed {seed}");
    let (participants, sends_each) = if full() { (12, 600) } else { (6, 300) };
    let (proxy, url, server) = behind_proxy(driver, seed);
    let (early, watch) = count_early_acks(server.observer(Some(&url)));
    let crowd = Crowd::start_watched(&server, participants, sends_each, watch);
    proxy.rage(Some(Chaos {
        cut: 10,
        delay: 50,
        lose_answer: 10,
        half_open: if full() { 1 } else { 5 },
        half_open_for: Duration::from_secs(if full() { 30 } else { 1 }),
    }));
    // In steps, each of which has its own patience: a long run of this is slow.
    for step in 1..=18 {
        crowd.await_acks(u64::from(participants * sends_each) * step / 20);
    }
    proxy.rage(None);
    crowd.finish(&server);
    println!(
        "{} cuts, {} lost answers, {} half open",
        proxy.cuts(),
        proxy.lost_answers(),
        proxy.half_open()
    );
    assert!(proxy.cuts() > 0 && proxy.lost_answers() > 0, "it was a quiet day");
    assert_eq!(early.load(SeqCst), 0, "acks that came before their entry");
}

#[test]
fn d1_no_ack_is_early_while_the_way_to_postgres_fails_at_random() {
    for seed in 0..if full() { 5 } else { 1 } {
        acks_through_chaos("auto", seed);
    }
}

#[test]
fn d1_no_ack_is_early_on_epoll() {
    acks_through_chaos("epoll", 1_000);
}

#[test]
fn d9_a_lost_commit_answer_never_duplicates_through_the_gateway() {
    let (proxy, _, server) = behind_proxy("auto", 0);
    let mut receiver = Client::session(&server, 2, Encoding::Json);
    let mut sender = Client::session(&server, 1, Encoding::Protobuf);
    let group = sender.create_group(&[2]);
    assert_eq!(receiver.next_entry().seq, 1);
    for (number, fault) in (2..22).zip([Fault::LoseAnswer, Fault::CutInside].into_iter().cycle()) {
        let id = format!("message{number}x");
        proxy.plan(&id, fault);
        assert_eq!(sender.say(group, &id, "once").seq, number);
        let entry = receiver.next_entry();
        assert_eq!((entry.seq, entry.client_msg_id), (number, id));
    }
    assert_eq!(proxy.lost_answers(), 10, "every other answer was lost once");
    assert!(proxy.cuts() >= 20, "every connection was cut");
    receiver.assert_quiet();
    assert_eq!(sender.log(group).len(), 21);
}

/// One batch, large enough for whatever way to the database large batches take.
#[test]
fn d9_a_large_batch_that_is_cut_is_written_once() {
    const SESSIONS: usize = 20;
    const EACH: usize = 250;
    let (proxy, url, server) = behind_proxy("auto", 0);
    let mut clients: Vec<Client> =
        (0..SESSIONS).map(|_| Client::session(&server, 1, Encoding::Protobuf)).collect();
    let groups: Vec<u64> = (0..4).map(|_| clients[0].create_group(&[])).collect();
    for (round, fault) in [Fault::CutInside, Fault::LoseAnswer].into_iter().enumerate() {
        let observer = server.observer(Some(&url));
        // While nobody may write, a batch gathers.
        observer.stop_writers().expect("a lock");
        let cuts = proxy.cuts();
        proxy.plan(&format!("r{round}c{}p{}x", SESSIONS / 2, EACH / 2), fault);
        let mut commands = Vec::new();
        for (number, client) in clients.iter_mut().enumerate() {
            let group = groups[number % groups.len()];
            let ids = (0..EACH).map(|place| format!("r{round}c{number}p{place}x"));
            let ids: Vec<u64> = ids.map(|id| client.queue(say(group, &id, "once"))).collect();
            client.assert_answers_ping();
            commands.push(ids);
        }
        observer.let_write().expect("the lock goes");
        for (client, ids) in clients.iter_mut().zip(commands) {
            for id in ids {
                client.ack(id);
            }
        }
        assert!(proxy.cuts() > cuts, "the marker did not pass");
    }
    assert_eq!(proxy.lost_answers(), 1);
    let mut reader = Client::session(&server, 1, Encoding::Protobuf);
    for (place, group) in groups.iter().enumerate() {
        let log = reader.log(*group);
        assert_eq!(log.len(), 1 + 2 * EACH * SESSIONS / groups.len());
        for sender in (place..SESSIONS).step_by(groups.len()) {
            for round in 0..2 {
                let prefix = format!("r{round}c{sender}p");
                let own = log.iter().filter_map(|entry| entry.client_msg_id.strip_prefix(&prefix));
                let expected: Vec<String> = (0..EACH).map(|place| format!("{place}x")).collect();
                assert_eq!(own.collect::<Vec<_>>(), expected, "in order, once each");
            }
        }
        assert!(log.iter().skip(1).all(|entry| chat::text(entry) == Some("once")));
    }
}
