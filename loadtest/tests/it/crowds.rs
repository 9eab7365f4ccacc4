//! Groups and rooms, verified arrival by arrival and by hashes: whatever is wrong has to show in both ways.

use ringwire_loadtest::report::Report;
use ringwire_loadtest::threshold::Verdict;
use ringwire_loadtest::verify::Level;

use crate::fake::Fault;
use crate::run;

const GROUPS: &str = "conversation={kind='groups', members=4}";
const ROOM: &str = "conversation.kind=room";

/// Eight users in two groups or one room, on two threads.
fn run_both_ways(fault: Fault, check: impl Fn(&Report)) {
    for (conversation, verify) in [(GROUPS, "verify=ledger"), (ROOM, "verify=counters")] {
        let overrides = [conversation, verify, "users=8", "threads=2", "rate_per_s=200"];
        check(&run(fault, &overrides));
    }
}

#[test]
fn sound_groups_and_rooms_pass_and_everybody_gets_everything() {
    run_both_ways(Fault::None, |report| {
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        assert!(report.log_verified && report.offered > 0, "{report}");
        let others = if report.verified == Level::Ledger { 3 } else { 7 };
        assert_eq!(report.delivered, report.offered * others, "{report}");
    });
}

/// A room this large is split: its members sit on several threads, and what those saw is put together at the end.
#[test]
fn a_room_that_threads_share_is_judged_as_one() {
    for (fault, verdict) in [(Fault::None, Verdict::Pass), (Fault::Forget { at: 5 }, Verdict::Fail)]
    {
        let overrides = [ROOM, "users=110", "threads=3", "rate_per_s=30", "connect_limit_s=120"];
        let report = run(fault, &overrides);
        assert_eq!((report.verified, report.verdict), (Level::Counters, verdict), "{report}");
        assert!(report.log_verified && report.offered > 0, "{report}");
        if fault == Fault::None {
            assert_eq!(report.delivered, report.offered * 109, "{report}");
        }
    }
}

#[test]
fn an_acknowledged_message_that_was_forgotten_is_lost() {
    run_both_ways(Fault::Forget { at: 50 }, |report| {
        assert_eq!((report.verdict, report.lost), (Verdict::Fail, 1), "{report}");
    });
}

#[test]
fn a_message_that_is_not_pushed_is_caught() {
    run_both_ways(Fault::SkipPush { at: 50 }, |report| {
        assert_eq!(report.verdict, Verdict::Fail, "{report}");
        // Each of the receivers had to ask.
        assert!(report.unpushed >= 3, "{report}");
        assert_eq!(report.lost, 0, "{report}");
    });
}

#[test]
fn a_message_pushed_twice_is_caught() {
    run_both_ways(Fault::PushTwice { at: 50 }, |report| {
        assert_eq!(report.verdict, Verdict::Fail, "{report}");
        assert!(report.duplicated >= 1, "{report}");
    });
}

#[test]
fn a_message_stored_twice_is_caught() {
    run_both_ways(Fault::StoreTwice { at: 50 }, |report| {
        assert_eq!((report.verdict, report.duplicated), (Verdict::Fail, 1), "{report}");
    });
}

#[test]
fn pushes_in_the_wrong_order_are_caught() {
    run_both_ways(Fault::SwapPush { at: 50 }, |report| {
        assert_eq!(report.verdict, Verdict::Fail, "{report}");
        assert!(report.reordered >= 1, "{report}");
    });
}

#[test]
fn an_altered_text_is_caught() {
    run_both_ways(Fault::Alter { at: 50 }, |report| {
        assert_eq!(report.verdict, Verdict::Fail, "{report}");
        assert!(report.unexpected >= 1, "{report}");
    });
}

#[test]
fn without_verification_nothing_is_judged_and_the_report_says_so() {
    let report = run(Fault::Forget { at: 50 }, &["verify=off"]);
    assert_eq!((report.verdict, report.verified), (Verdict::Pass, Level::Off), "{report}");
    let text = report.to_string();
    assert!(text.contains("not verified") && !text.contains(" lost"), "{report}");
    assert!(!report.log_verified);
    // What got no answer still shows.
    let report = run(Fault::Ignore { at: 50 }, &["verify=off", "drain_s=0.2"]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
}
