//! D6: the power goes, and with it everything that the embedded database wrote and never synced. What was acknowledged
//! is still there. D1 on the embedded database: its disk fails at random.

use std::sync::atomic::Ordering::SeqCst;

use ringwire_testkit::{Damage, PowerSwitch, Remains};
use tempfile::TempDir;

use crate::support::full;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::watch::count_early_acks;

const PARTICIPANTS: u32 = 6;
const SENDS_EACH: u32 = 400;
/// Where much has to be written.
const LONG_SENDS_EACH: u32 = 800;
const TOTAL: u64 = (PARTICIPANTS * SENDS_EACH) as u64;

/// A server on the embedded database whose power can be cut.
fn with_switch(driver: &str, seed: u64) -> (TempDir, PowerSwitch, ServerProcess) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let switch = PowerSwitch::new(&folder.path().join("switch"), &data, seed).expect("a switch");
    let mut setup = Setup::new().arguments(&["--driver", driver]).without_rates().data(&data);
    for (name, value) in switch.environment() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start();
    (folder, switch, server)
}

fn sound(server: &ServerProcess) {
    let findings = server.observer(None).text("PRAGMA integrity_check").expect("an answer");
    assert_eq!(findings, "ok");
}

fn cuts_lose_no_ack(driver: &str) {
    let rounds = if full() { 20 } else { 4 };
    let (_folder, switch, mut server) = with_switch(driver, 0);
    // Long enough for a checkpoint now and then.
    let crowd = Crowd::start_padded(&server, PARTICIPANTS, LONG_SENDS_EACH, 8_000);
    let acks = u64::from(PARTICIPANTS * LONG_SENDS_EACH);
    let mut total = Damage::default();
    for round in 1..=rounds {
        crowd.await_acks(acks * round / (rounds + 1));
        server.kill();
        // Everything gone, or some of it: seeds are the numbers of the rounds.
        let remains = if round % 2 == 1 { Remains::Nothing } else { Remains::Some(round) };
        let damage = switch.cut(remains).expect("a power cut");
        println!("round {round}: {damage:?}");
        total.undone += damage.undone;
        total.in_place += damage.in_place;
        server.restart();
        sound(&server);
    }
    assert!(total.undone > 0, "the power went at moments when everything was synced");
    assert!(total.in_place > 100, "no checkpoint was among what the power cut hit");
    crowd.finish(&server);
    sound(&server);
}

#[test]
fn d6_a_power_cut_loses_no_ack() {
    cuts_lose_no_ack("auto");
}

#[test]
fn d6_a_power_cut_loses_no_ack_on_epoll() {
    cuts_lose_no_ack("epoll");
}

/// The counterproof: on a disk that lies, acknowledged messages are lost, and the checker says so.
#[test]
fn d6_a_disk_that_lies_is_found_out() {
    let (_folder, switch, mut server) = with_switch("auto", 0);
    let crowd = Crowd::start(&server, PARTICIPANTS, SENDS_EACH);
    crowd.await_acks(TOTAL / 2);
    switch.ignore_syncs().expect("a switch");
    crowd.await_last_ack();
    server.kill();
    let damage = switch.cut(Remains::Nothing).expect("a power cut");
    assert!(damage.undone > 100, "{damage:?}");
    server.restart();
    sound(&server);
    let (findings, _) = crowd.judge(&server);
    assert!(findings.lost > 0 && findings.phantom_acks > 0, "{findings:?}");
}

#[test]
fn d1_no_ack_is_early_while_the_disk_fails_at_random() {
    for seed in 0..if full() { 20 } else { 2 } {
        println!("seed {seed}");
        let (_folder, switch, server) = with_switch("auto", seed);
        let (early, watch) = count_early_acks(server.observer(None));
        let crowd = Crowd::start_watched(&server, PARTICIPANTS, SENDS_EACH, watch);
        switch.fail_at_random(true).expect("a switch");
        crowd.await_acks(TOTAL * 9 / 10);
        switch.fail_at_random(false).expect("a switch");
        crowd.finish(&server);
        assert_eq!(early.load(SeqCst), 0, "acks that came before their entry");
        assert!(server.log().contains("cannot write"), "it was a quiet day");
        sound(&server);
    }
}
