//! Whole runs against a small server inside the test: a sound one passes, and each broken promise is caught.
//!
//! Nothing here is decided by how long something took, except that what a server withheld for a while must show.

mod crowds;
mod fake;
mod foreign;
mod plans;
mod program;
mod tls;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use fake::{Fake, Fault};
use ringwire_loadtest::fleet;
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::Scenario;
use ringwire_loadtest::target::Target;
use ringwire_loadtest::threshold::Verdict;
use ringwire_loadtest::token::Tokens;

const SCENARIO: &str = "
    name = 'test'
    users = 4
    rate_per_s = 400
    duration_s = 1
    drain_s = 2
    # The machine that runs tests may be busy with anything.
    thresholds.send_slip_p99_ms = 60000
    connect_limit_s = 120
";

fn scenario(overrides: &[&str]) -> Scenario {
    let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    Scenario::parse(SCENARIO, &overrides).unwrap()
}

fn run(fault: Fault, overrides: &[&str]) -> Report {
    let server = Fake::start(fault);
    let scenario = scenario(overrides);
    let target = Target::parse(&server.url()).unwrap();
    let tokens = Tokens::from_secret(fake::SECRET);
    let stop = Arc::new(AtomicBool::new(false));
    let result = fleet::run(scenario.clone(), target, tokens, stop, false).unwrap();
    let report = Report::new(&scenario, &server.url(), result);
    eprintln!("{fault:?}\n{report}");
    report
}

#[test]
fn a_sound_server_passes_in_both_encodings_and_on_several_threads() {
    for overrides in
        [&["encoding=protobuf"][..], &["encoding=json", "threads=2", "users=8", "arrival=poisson"]]
    {
        let report = run(Fault::None, overrides);
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        assert!(report.offered > 0);
        assert_eq!(report.sent, report.offered);
        assert_eq!(report.acked, report.sent);
        assert_eq!(report.delivered, report.sent);
        assert_eq!(report.ack_ms.count, report.sent);
        assert_eq!(report.deliver_ms.count, report.sent);
        assert!(report.log_verified);
    }
}

#[test]
fn a_constant_schedule_is_sent_exactly() {
    let report = run(Fault::None, &["warmup_s=0.5"]);
    assert_eq!((report.offered, report.sent, report.ack_ms.count), (400, 400, 200));
}

#[test]
fn an_acknowledged_message_that_was_forgotten_is_lost() {
    let report = run(Fault::Forget { at: 50 }, &[]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.lost, 1, "{report}");
    assert_eq!(report.phantom_acks, 1, "{report}");
}

#[test]
fn a_message_that_is_not_pushed_is_caught_even_though_it_can_be_pulled() {
    let report = run(Fault::SkipPush { at: 50 }, &[]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.unpushed >= 1, "{report}");
    assert_eq!(report.lost, 0, "{report}");
}

#[test]
fn a_message_pushed_twice_is_caught() {
    let report = run(Fault::PushTwice { at: 50 }, &[]);
    assert_eq!((report.verdict, report.duplicated), (Verdict::Fail, 1), "{report}");
}

#[test]
fn a_message_stored_twice_is_caught() {
    let report = run(Fault::StoreTwice { at: 50 }, &[]);
    assert_eq!((report.verdict, report.duplicated), (Verdict::Fail, 1), "{report}");
}

#[test]
fn pushes_in_the_wrong_order_are_caught() {
    let report = run(Fault::SwapPush { at: 50 }, &[]);
    assert_eq!((report.verdict, report.reordered), (Verdict::Fail, 1), "{report}");
}

#[test]
fn an_altered_text_is_caught() {
    let report = run(Fault::Alter { at: 50 }, &[]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.unexpected >= 1, "{report}");
}

#[test]
fn a_send_without_an_answer_is_caught() {
    let report = run(Fault::Ignore { at: 50 }, &["drain_s=0.2"]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.unanswered >= 1, "{report}");
}

/// What is still under way when the drain ends is unanswered, not lost: the ledger must not blame a slow server for
/// what it has not promised.
#[test]
fn a_server_that_cannot_keep_up_leaves_sends_unanswered_and_loses_nothing() {
    let report = run(Fault::Slow { millis: 10 }, &["drain_s=0.1"]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.unanswered > 0, "{report}");
    assert_eq!(report.acked + report.unanswered, report.offered, "{report}");
    assert_eq!(report.findings, Vec::<String>::new());
}

/// The server stands still for half a second under its one lock. Everything that was due meanwhile waited, and has to
/// show it: with one send at a time per user, a generator that measured from the write would see four slow sends.
#[test]
fn a_stall_shows_in_the_latencies_of_all_sends_that_were_due_meanwhile() {
    let overrides = ["depth=1", "duration_s=2"];
    let report = run(Fault::Stall { at: 100, millis: 500 }, &overrides);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    // 800 sends in 2 s; the 200 of the stalled half second waited 250 ms in the mean.
    assert!(report.ack_ms.p90 > 200.0, "{report}");
    assert!(report.ack_ms.p99 > 400.0, "{report}");
    assert!(report.ack_ms.p999 > 480.0, "{report}");
    assert!(report.ack_ms.max >= 499.0, "{report}");
    assert!(report.late_sends >= 150, "{report}");
}

#[test]
fn lost_connections_are_overcome_and_nothing_is_sent_twice() {
    for encoding in ["encoding=protobuf", "encoding=json"] {
        let report = run(Fault::Cut { every: 40 }, &[encoding]);
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        assert!(report.reconnects > 0, "{report}");
        assert_eq!(report.acked, report.offered);
    }
}

#[test]
fn lost_connections_are_final_without_retry() {
    let report = run(Fault::Cut { every: 40 }, &["retry=false", "drain_s=0.2"]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.reconnects, 0);
    assert!(report.unanswered > 0, "{report}");
    // A user that is gone has lost nothing; nobody knows what it would have received.
    assert_eq!(report.lost, 0, "{report}");
    assert!(!report.log_verified, "{report}");
}

#[test]
fn temporary_refusals_are_repeated_in_order() {
    let report = run(Fault::Busy { every: 20 }, &["rate_per_s=2000"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert!(report.errors["BUSY"] > 0);
    assert_eq!(report.acked, report.offered);
}

#[test]
fn refusals_are_final_without_retry() {
    let report = run(Fault::Busy { every: 20 }, &["retry=false"]);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.refused, report.errors["BUSY"]);
    assert_eq!(report.acked + report.refused, report.offered);
    assert_eq!(report.lost + report.unexpected, 0, "{report}");
}

#[test]
fn a_stopped_run_drains_and_reports() {
    let server = Fake::start(Fault::None);
    let scenario = scenario(&["duration_s=60"]);
    let target = Target::parse(&server.url()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopper = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            stop.store(true, Relaxed);
        })
    };
    let tokens = Tokens::from_secret(fake::SECRET);
    let result = fleet::run(scenario.clone(), target, tokens, stop, false).unwrap();
    stopper.join().unwrap();
    let report = Report::new(&scenario, &server.url(), result);
    assert_eq!(report.verdict, Verdict::InsufficientEvidence, "{report}");
    assert!(report.duration_s < 60.0);
    assert_eq!(report.acked, report.sent);
    assert_eq!(report.lost, 0);
}

#[test]
fn a_wrong_secret_or_a_missing_server_is_one_clear_error() {
    let server = Fake::start(Fault::None);
    let target = Target::parse(&server.url()).unwrap();
    let wrong = Tokens::from_secret(b"another-secret");
    let stop = Arc::new(AtomicBool::new(false));
    let error = fleet::run(scenario(&[]), target, wrong, Arc::clone(&stop), false).unwrap_err();
    assert!(error.to_string().contains("bad token"), "{error}");

    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = Target::parse(&format!("ws://{unused}/ws")).unwrap();
    let tokens = Tokens::from_secret(fake::SECRET);
    let error = fleet::run(scenario(&[]), target, tokens, stop, false).unwrap_err();
    assert!(error.to_string().contains("connection refused"), "{error}");
}

/// A worker carries out one run after another: one that never began must not keep its connections.
#[test]
fn a_run_that_cannot_begin_lets_go_of_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let (ended, ends) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let ended = ended.clone();
            thread::spawn(move || {
                // Hears them, and never answers.
                let (mut socket, _) = fake::shake_hands(stream.unwrap()).unwrap();
                while socket.read().is_ok() {}
                ended.send(()).unwrap();
            });
        }
    });
    let scenario = scenario(&["connect_limit_s=0.5"]);
    let target = Target::parse(&url).unwrap();
    let tokens = Tokens::from_secret(fake::SECRET);
    let stop = Arc::new(AtomicBool::new(false));
    assert!(fleet::run(scenario.clone(), target, tokens, stop, false).is_err());
    for _ in 0..scenario.users {
        assert_eq!(ends.recv_timeout(Duration::from_mins(1)), Ok(()));
    }
}

/// Field names are what scripts and the comparison of reports go by.
#[test]
fn the_json_report_has_the_promised_fields() {
    let json = serde_json::to_value(run(Fault::None, &[])).unwrap();
    for field in [
        "scenario",
        "url",
        "encoding",
        "users",
        "offered_per_s",
        "duration_s",
        "sent",
        "acked",
        "delivered",
        "lost",
        "duplicated",
        "reordered",
        "unexpected",
        "errors",
        "reconnects",
        "late_sends",
        "send_slip_ms",
        "ack_ms",
        "deliver_ms",
        "generator_cpu_s",
        "verdict",
        "reasons",
        "format",
        "processes",
        "machine",
        "configuration",
        "histograms",
        "intervals",
    ] {
        assert!(json.get(field).is_some(), "{field}");
    }
    for figure in ["p50", "p90", "p99", "p999", "max", "count"] {
        assert!(json["ack_ms"].get(figure).is_some(), "{figure}");
    }
    assert_eq!(json["verdict"], "pass");
}
