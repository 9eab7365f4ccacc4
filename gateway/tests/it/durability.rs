//! D2, G1: no acknowledged message is lost when the gateway is killed or stopped. A ledger keeps the books.

use crate::support::full;
use crate::support::participant::Crowd;
use crate::support::server::Setup;
use crate::support::store::Database;

/// Participants, and what each sends.
const PARTICIPANTS: u32 = 6;
const SENDS_EACH: u32 = 400;

fn total() -> u64 {
    u64::from(PARTICIPANTS * SENDS_EACH)
}

/// Three times, twenty in the long variant.
fn rounds() -> u64 {
    if full() { 20 } else { 3 }
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
