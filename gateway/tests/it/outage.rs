//! D3, D4: Postgres is killed, stopped or frozen under load. Nothing acknowledged is lost, nothing is doubled, and
//! meanwhile the gateway lives within its bounds.

use std::thread;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;
use ringwire_testkit::{Observer, PrivatePostgres};

use crate::support::client::{Client, Upgrade};
use crate::support::flood::{Flood, SESSION_WINDOW, Tally};
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, full, http};

/// Participants, and what each sends.
const PARTICIPANTS: u32 = 6;
const SENDS_EACH: u32 = 400;
const TOTAL: u64 = (PARTICIPANTS * SENDS_EACH) as u64;

/// Three times, twenty in the long variant.
fn rounds() -> u64 {
    if full() { 20 } else { 3 }
}

/// A server with a Postgres of its own, to be stopped at will.
fn with_own_postgres(driver: &str) -> (PrivatePostgres, ServerProcess) {
    let postgres = PrivatePostgres::start().expect("a private Postgres");
    let database = Database::Postgres(postgres.url());
    let setup = Setup::new().arguments(&["--driver", driver]).without_rates();
    let server = setup.config("[storage]\nwriters = 1").database(database).start();
    (postgres, server)
}

#[test]
fn d3_kill_postgres_loses_no_ack() {
    let (mut postgres, server) = with_own_postgres("auto");
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    for round in 1..=rounds() {
        crowd.await_acks(TOTAL * round / (rounds() + 2));
        postgres.kill9().expect("killing Postgres");
        postgres.restart().expect("starting Postgres");
    }
    crowd.finish(&server);
}

#[test]
fn d3_killed_backends_lose_no_ack() {
    const BACKENDS: &str = "FROM pg_stat_activity WHERE application_name = 'ringwire'";
    let (postgres, server) = with_own_postgres("auto");
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    for round in 1..=rounds() {
        crowd.await_acks(TOTAL * round / (rounds() + 2));
        if round % 2 == 1 {
            // After a kill -9 nobody gets in until the postmaster has recovered.
            let end = format!("SELECT pg_terminate_backend(pid) {BACKENDS}");
            while postgres.execute(&end).is_err() {
                thread::sleep(Duration::from_millis(20));
            }
            continue;
        }
        // With -9 the postmaster takes all others down as well and recovers.
        let backend = format!("SELECT max(pid) {BACKENDS}");
        let find = || Observer::postgres(&postgres.url())?.number(&backend);
        let pid = loop {
            match find() {
                Ok(pid) => break pid,
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        // SAFETY: kill takes plain numbers; the process is a child of the postmaster, which lives.
        assert_eq!(unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) }, 0);
    }
    crowd.finish(&server);
}

/// How a database can be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    /// Nobody listens.
    Stopped,
    /// Connections stay, nobody answers.
    Frozen,
}

fn waits_within_bounds(driver: &str, away: Away) {
    /// Entries that wait for the writer at most, as the server has it.
    const CAPACITY: usize = 16_384;
    /// Entries in the batch that it has taken already, at most.
    const BATCH: usize = 4_096;
    /// Generous: what waits is CAPACITY messages of a KiB.
    const GROWTH_MAX_KIB: u64 = 192 * 1024;
    let filling = (CAPACITY + BATCH).div_ceil(SESSION_WINDOW) + 1;
    let text = "x".repeat(1024);
    let (mut postgres, server) = with_own_postgres(driver);
    let mut flood = Flood::start(&server, filling + 2);
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    crowd.await_acks(TOTAL / 2);
    let before_kib = server.resident_kib();
    match away {
        Away::Stopped => postgres.stop().expect("stopping Postgres"),
        Away::Frozen => postgres.pause().expect("freezing Postgres"),
    }

    // More than can wait; what cannot is refused for now, and nothing is acknowledged.
    let sent = CAPACITY + BATCH;
    flood.fill(0..filling, sent, &text);
    let mut refused = 0;
    let mut pings = 0;
    for round in 0..40 {
        let tally = flood.send(filling + round % 2, 250, &text);
        assert_eq!(tally.acked, 0, "nobody can have written it");
        refused += tally.busy;
        pings += flood.ping(filling - 2..filling + 2);
    }
    assert_eq!((refused, pings), (10_000, 160));
    let grown_kib = server.resident_kib().saturating_sub(before_kib);
    assert!(grown_kib < GROWTH_MAX_KIB, "{grown_kib} KiB for what waits");
    // It lives, and says what is wrong.
    assert_eq!(http::get(server.address(), "/health/live").status, 200);
    let ready = http::get(server.address(), "/health/ready");
    let ready = (ready.status, ready.json()["status"].as_str().map(str::to_owned));
    assert_eq!(ready, (503, Some("database_unavailable".to_owned())));
    if full() {
        thread::sleep(Duration::from_mins(1));
        assert!(server.resident_kib().saturating_sub(before_kib) < GROWTH_MAX_KIB);
        flood.ping(filling - 2..filling + 2);
    }
    match away {
        Away::Stopped => postgres.restart().expect("starting Postgres"),
        Away::Frozen => postgres.resume().expect("thawing Postgres"),
    }

    // Service returns by itself: what was accepted is there once, and nothing else is.
    let answers = flood.answers();
    assert_eq!(answers.acked + answers.busy, sent);
    assert_eq!(flood.logged(), answers.acked);
    assert_eq!(flood.send(0, 1, "after"), Tally { acked: 1, busy: 0 });
    crowd.finish(&server);
    assert_eq!(http::get(server.address(), "/health/ready").status, 200);
}

#[test]
fn d4_a_stopped_postgres_is_waited_for_within_bounds() {
    waits_within_bounds("auto", Away::Stopped);
}

#[test]
fn d4_a_frozen_postgres_is_waited_for_within_bounds() {
    waits_within_bounds("auto", Away::Frozen);
}

#[test]
fn d4_a_stopped_postgres_is_waited_for_on_epoll() {
    waits_within_bounds("epoll", Away::Stopped);
}

#[test]
fn d4_a_call_that_nobody_answers_is_refused_for_now() {
    let (postgres, server) = with_own_postgres("auto");
    drop(Client::session(&server, 1, Encoding::Json));
    postgres.pause().expect("freezing Postgres");
    let upgrade = Upgrade::encoding(Encoding::Json).bearer(&server.token(1));
    let mut client =
        Client::upgrade(server.address(), &upgrade, Encoding::Json).expect("a WebSocket");
    let error = client.connect(wire::Connect::default()).expect_err("nobody can have answered");
    assert_eq!((&*error.name, error.temporary), ("UNAVAILABLE", true), "{error:?}");
    postgres.resume().expect("thawing Postgres");
    Client::session(&server, 1, Encoding::Json).assert_quiet();
}

#[test]
fn d4_a_database_that_is_away_at_start_is_waited_for() {
    let mut postgres = PrivatePostgres::start().expect("a private Postgres");
    let url = postgres.url();
    postgres.stop().expect("stopping Postgres");
    let mut server = Setup::new().database(Database::Postgres(url)).launch();
    while !server.log().contains("retry_in_ms") {
        thread::sleep(Duration::from_millis(20));
    }
    postgres.restart().expect("starting Postgres");
    server.await_ready();
    for encoding in ENCODINGS {
        Client::session(&server, 1, encoding).assert_quiet();
    }
}
