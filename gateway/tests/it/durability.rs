//! D2, D3, D4, G1: no acknowledged message is lost, whatever is killed or stopped. A ledger keeps the books.

use std::thread;
use std::time::Duration;

use ringwire_testkit::PrivatePostgres;

use crate::support::client::Client;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, http};

/// Participants, and what each sends.
const PARTICIPANTS: u32 = 6;
const SENDS_EACH: u32 = 400;

fn total() -> u64 {
    u64::from(PARTICIPANTS * SENDS_EACH)
}

/// Three times, ten in the long variant.
fn rounds() -> u64 {
    if std::env::var_os("RINGWIRE_TEST_FULL").is_some() { 10 } else { 3 }
}

/// Disturbs so many times, spread over the run by how much was acknowledged.
fn disturb(crowd: &Crowd, mut disturbance: impl FnMut()) {
    for round in 1..=rounds() {
        crowd.await_acks(total() * round / (rounds() + 2));
        disturbance();
    }
}

fn kill_gateway(driver: &str, database: Database) {
    let setup = Setup::new().arguments(&["--driver", driver]).database(database);
    let mut server = setup.without_rates().start();
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    disturb(&crowd, || {
        server.kill();
        server.restart();
    });
    let report = crowd.finish(&server);
    assert!(report.closes.len() as u64 >= rounds(), "nobody noticed the kills");
}

#[test]
fn d2_kill_gateway_loses_no_ack_on_sqlite() {
    kill_gateway("auto", Database::Sqlite);
}

#[test]
fn d2_kill_gateway_loses_no_ack_on_postgres() {
    kill_gateway("auto", Database::postgres());
}

#[test]
fn d2_kill_gateway_loses_no_ack_on_epoll() {
    kill_gateway("epoll", Database::Sqlite);
}

#[test]
fn g1_sigterm_under_load_loses_nothing() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).without_rates().start();
        let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
        disturb(&crowd, || {
            server.terminate();
            let status = server.wait();
            assert!(status.success(), "{status}");
            server.restart();
        });
        let report = crowd.finish(&server);
        let drained = report.closes.iter().filter(|code| **code == Some(4200)).count() as u64;
        assert!(drained >= rounds(), "{:?}", report.closes);
        assert!(report.go_aways as u64 >= rounds(), "{}", report.go_aways);
        // Everybody was told, nobody just cut off.
        assert!(report.closes.iter().all(|code| *code == Some(4200)), "{:?}", report.closes);
    }
}

/// A server with a Postgres of its own, to be stopped at will.
fn with_own_postgres() -> (PrivatePostgres, ServerProcess) {
    let postgres = PrivatePostgres::start().expect("a private Postgres");
    let database = Database::Postgres(postgres.url());
    let server = Setup::new().database(database).without_rates().start();
    (postgres, server)
}

#[test]
fn d3_kill_postgres_loses_no_ack() {
    let (mut postgres, server) = with_own_postgres();
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    disturb(&crowd, || {
        postgres.kill9().expect("killing Postgres");
        postgres.restart().expect("starting Postgres");
    });
    crowd.finish(&server);
}

#[test]
fn d4_postgres_stopped_and_back() {
    let (mut postgres, server) = with_own_postgres();
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    crowd.await_acks(total() / 4);
    postgres.stop().expect("stopping Postgres");
    thread::sleep(Duration::from_secs(3));
    // The gateway lives and says what is wrong.
    assert_eq!(http::get(server.address(), "/health/live").status, 200);
    let ready = http::get(server.address(), "/health/ready");
    assert_eq!(
        (ready.status, ready.json()["status"].as_str()),
        (503, Some("database_unavailable"))
    );
    postgres.restart().expect("starting Postgres");
    crowd.await_acks(total() / 2);
    // Frozen rather than gone: nobody answers, no connection breaks.
    postgres.pause().expect("freezing Postgres");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(http::get(server.address(), "/health/live").status, 200);
    postgres.resume().expect("thawing Postgres");
    crowd.finish(&server);
    assert_eq!(http::get(server.address(), "/health/ready").status, 200);
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
