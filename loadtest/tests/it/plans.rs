//! What users do beside sending, how sends are spread, and what becomes of connections.

use ringwire_loadtest::threshold::Verdict;

use crate::fake::Fault;
use crate::run;

#[test]
fn a_closed_loop_waits_for_answers_and_thinks() {
    let report = run(Fault::None, &["arrival=closed", "think_s=0.05", "users=4"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert!(report.offered > 4, "{report}");
    // Everybody waits 100 ms for each answer: four users cannot have more than ten of them each in a second, give or
    // take the one that was due at the start.
    let slow = run(Fault::Slow { millis: 25 }, &["arrival=closed", "think_s=0.0001", "users=4"]);
    assert_eq!(slow.verdict, Verdict::Pass, "{slow}");
    assert!(slow.offered <= 48, "{slow}");
    // Nobody waits until the pacer would have looked by itself: each could send twenty times then.
    let quick = run(Fault::None, &["arrival=closed", "think_s=0.0001", "users=4"]);
    assert!(quick.offered > 120, "{quick}");
}

#[test]
fn who_does_not_think_sends_again_with_the_answer() {
    let settings = ["arrival=closed", "think_s=0", "users=4", "at_once=2"];
    let quick = run(Fault::None, &settings);
    assert_eq!(quick.verdict, Verdict::Pass, "{quick}");
    assert_eq!(quick.acked, quick.offered, "{quick}");
    assert!(quick.offered > 240, "{quick}");
    // Forty answers a second, and two of each user at the start: nothing becomes due without an answer.
    let slow = run(Fault::Slow { millis: 25 }, &settings);
    assert_eq!((slow.verdict, slow.acked), (Verdict::Pass, slow.offered), "{slow}");
    assert!(slow.offered <= 56, "{slow}");
}

#[test]
fn shapes_have_the_sends_they_promise() {
    let ramp = run(Fault::None, &["rate_per_s=100", "shape={kind='ramp', to_per_s=300}"]);
    assert_eq!((ramp.verdict, ramp.acked), (Verdict::Pass, ramp.offered), "{ramp}");
    assert!((199..=200).contains(&ramp.offered), "{ramp}");
    let steps =
        run(Fault::None, &["rate_per_s=100", "shape={kind='steps', to_per_s=300, steps=2}"]);
    assert_eq!(steps.offered, 200, "{steps}");
}

#[test]
fn typing_receipts_and_history_go_with_the_sends() {
    let overrides = ["activity={typing=1, history=0.5, receipts_every_s=0.05}", "rate_per_s=100"];
    let report = run(Fault::None, &overrides);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert!(report.history_ms.count > 0 && report.history_ms.count < report.offered, "{report}");
}

#[test]
fn lengths_vary_and_are_told_from_altered_ones() {
    let report = run(Fault::None, &["text_bytes_max=2000"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    let altered = run(Fault::Alter { at: 50 }, &["text_bytes_max=2000"]);
    assert!(altered.unexpected >= 1, "{altered}");
}

#[test]
fn users_who_are_cut_off_come_back_and_catch_up() {
    for (share, spread_s) in [(1.0, 0.0), (0.5, 0.0), (1.0, 0.3)] {
        let plan = format!(
            "connections={{plan='reconnect', at_s=0.5, share={share:?}, spread_s={spread_s:?}}}"
        );
        let report = run(Fault::None, &[&plan, "users=8", "drain_s=30"]);
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        assert!(report.cuts > 0, "{report}");
        assert_eq!(report.recover_ms.count, report.cuts, "{report}");
        assert_eq!(report.reconnects, report.cuts, "{report}");
        assert_eq!(report.errors.len(), 0, "what is cut on purpose is no error: {report}");
    }
}

/// Whoever reads nothing until the sending is over cannot have caught up before: that says nothing of the server.
#[test]
fn slow_readers_are_cut_and_come_back_but_their_recovery_is_not_measured() {
    let plan = "connections={plan='reconnect', at_s=0.5, share=1.0}";
    let slow = ["slow_readers.share=0.25", "slow_readers.bytes_per_s=0"];
    let report = run(Fault::None, &[plan, slow[0], slow[1], "users=8", "drain_s=30"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert_eq!((report.cuts, report.recover_ms.count), (8, 6), "{report}");
}

#[test]
fn churn_loses_nothing() {
    let plan = "connections={plan='churn', rate_per_s=40, away_s=0.05}";
    let report = run(Fault::None, &[plan, "users=8", "drain_s=30"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert!(report.cuts > 0, "{report}");
    assert_eq!((report.acked, report.recover_ms.count), (report.offered, report.cuts), "{report}");
}

#[test]
fn a_storm_of_idle_users_measures_connections_alone() {
    let overrides =
        ["conversation.kind=none", "connections.plan=storm", "users=30", "rate_per_s=0"];
    let report = run(Fault::None, &overrides);
    assert_eq!((report.verdict, report.offered), (Verdict::Pass, 0), "{report}");
    assert_eq!(report.connect_ms.count, 30, "{report}");
}

#[test]
fn slow_readers_read_on_in_the_end_and_are_left_out_of_the_latencies() {
    let overrides = ["users=8", "slow_readers={share=0.25, bytes_per_s=100}", "drain_s=30"];
    let report = run(Fault::None, &overrides);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert_eq!(report.delivered, report.offered, "{report}");
    assert!(report.deliver_ms.count < report.delivered, "{report}");
}
