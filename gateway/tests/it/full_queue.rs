//! D7: a full queue refuses exactly what it cannot hold, and the shards live.

use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use ringwire_testkit::{Frozen, Observer};

use crate::support::flood::{Flood, SESSION_WINDOW, Tally};
use crate::support::server::Setup;
use crate::support::store::Database;

/// Entries that wait for one writer at most, as the server has it.
const CAPACITY: usize = 16_384;
/// Entries in the batch that the writer has taken already, at most.
const BATCH: usize = 4_096;
/// Beyond what the server can hold.
const EXCESS: usize = 10_000;
/// Sessions that fill the queue; two more try when it is full.
const FILLING: usize = (CAPACITY + BATCH).div_ceil(SESSION_WINDOW) + 1;

/// The writer has taken a batch and cannot write it. Its session at the database stands still from now on: the wait for a
/// lock would end after two seconds, and the writer would give the entry back and take others.
fn freeze_blocked_writer(observer: &Observer) -> Frozen {
    let waiting = "SELECT COALESCE(max(pid), 0) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'ringwire' AND wait_event_type = 'Lock'
            AND query LIKE '%entries%'";
    loop {
        match observer.number(waiting).expect("an answer") {
            0 => thread::sleep(Duration::from_millis(5)),
            pid => return Frozen::new(pid).expect("the session's process"),
        }
    }
}

/// `in_hand`: how many entries the writer may have in hand beside the queue.
fn refuses_the_excess(driver: &str, database: Database, in_hand: RangeInclusive<usize>) {
    let url = database.url().map(str::to_owned);
    let one_writer = "[storage]\nwriters = 1";
    let setup = Setup::new().arguments(&["--driver", driver]).without_rates().config(one_writer);
    let server = setup.database(database).start();
    let mut flood = Flood::start(&server, FILLING + 2);
    let observer = server.observer(url.as_deref());
    observer.stop_writers().expect("a lock");

    flood.fill(0..1, 1, "taken");
    let frozen = url.is_some().then(|| freeze_blocked_writer(&observer));
    let sent = 1 + CAPACITY + in_hand.end() - in_hand.start();
    flood.fill(1..FILLING, sent - 1, "waiting");
    let mut pings = 0;
    let mut refused = Tally::default();
    for round in 0..EXCESS / 250 {
        let tally = flood.send(FILLING + round % 2, 250, "too much");
        refused.busy += tally.busy;
        refused.acked += tally.acked;
        // Sessions of both shards, with nothing and with everything waiting.
        pings += flood.ping(FILLING - 2..FILLING + 2);
    }
    assert_eq!(refused, Tally { acked: 0, busy: EXCESS });
    assert_eq!(pings, 4 * EXCESS / 250);

    observer.let_write().expect("the lock goes");
    drop(frozen);
    let answers = flood.answers();
    assert_eq!(answers.acked + answers.busy, sent);
    let held = answers.acked - CAPACITY;
    assert!(in_hand.contains(&held), "{held} entries beside the queue's {CAPACITY}");
    assert_eq!(flood.logged(), answers.acked, "what was accepted is there, and nothing else");
    // Service is back.
    assert_eq!(flood.send(0, 1, "after"), Tally { acked: 1, busy: 0 });
}

#[test]
fn d7_exactly_the_excess_is_refused_on_postgres() {
    refuses_the_excess("auto", Database::postgres(), 1..=1);
}

#[test]
fn d7_exactly_the_excess_is_refused_on_sqlite() {
    // Nobody outside can see when the writer has taken its batch, so it may be any size, or not taken yet.
    refuses_the_excess("auto", Database::Sqlite, 0..=BATCH);
}

#[test]
fn d7_exactly_the_excess_is_refused_on_epoll() {
    refuses_the_excess("epoll", Database::postgres(), 1..=1);
}
