//! The load test's scenario files, each in a short form against a real server: every promise holds, whoever talks with
//! whom and whatever happens to connections. Nothing here judges how fast that was.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ringwire_loadtest::fleet;
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::Scenario;
use ringwire_loadtest::target::Target;
use ringwire_loadtest::threshold::Verdict;
use ringwire_loadtest::token::Tokens;
use ringwire_loadtest::verify::Level;

use crate::support::server::{ServerProcess, Setup};

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../loadtest/scenarios");

/// What makes any scenario short, and blind to how busy the machine is.
const SHORT: [&str; 8] = [
    "duration_s=1.5",
    "warmup_s=0",
    "connect_limit_s=120",
    "drain_s=120",
    "thresholds.send_slip_p99_ms=600000",
    "thresholds.connect_p99_ms=600000",
    "thresholds.recover_p99_ms=600000",
    "connect_rate_per_s=2000",
];

fn run(server: &ServerProcess, name: &str, overrides: &[&str]) -> Report {
    let overrides: Vec<_> =
        SHORT.iter().chain(overrides).map(|&argument| argument.to_owned()).collect();
    let path = Path::new(SCENARIOS).join(format!("{name}.toml"));
    let scenario = Scenario::load(&path, &overrides).expect("a scenario");
    let url = format!("ws://{}/ws", server.address());
    let tokens = Tokens::load(Some(&server.data_dir().join("jwt.secret"))).expect("the key");
    let target = Target::parse(&url).expect("a target");
    let stop = Arc::new(AtomicBool::new(false));
    let result = fleet::run(scenario.clone(), target, tokens, stop, false).expect("a run");
    let report = Report::new(&scenario, &url, result);
    eprintln!("{report}");
    // A busy machine may leave too little evidence of anything that has to do with time; a broken promise is a fail.
    assert_ne!(report.verdict, Verdict::Fail, "{name}: {report}");
    assert_eq!(report.findings, Vec::<String>::new(), "{name}");
    assert_eq!((report.acked, report.unanswered), (report.offered, 0), "{name}: {report}");
    report
}

fn server() -> ServerProcess {
    Setup::new().without_rates().start()
}

#[test]
fn connections_alone_are_held_and_come_in_a_storm() {
    let server = server();
    let idle = run(&server, "idle", &["users=30", "duration_s=0.5"]);
    assert_eq!((idle.offered, idle.connect_ms.count, idle.reconnects), (0, 30, 0), "{idle}");
    let storm = run(&server, "connection-storm", &["users=60", "encoding=json", "duration_s=0.2"]);
    assert_eq!((storm.connect_ms.count, storm.reconnects), (60, 0), "{storm}");
}

#[test]
fn pairs_talk_and_lose_nothing_when_they_are_cut_off() {
    let server = server();
    for encoding in ["encoding=protobuf", "encoding=json"] {
        let direct = run(&server, "direct", &["users=10", "rate_per_s=100", encoding]);
        assert_eq!((direct.verified, direct.log_verified), (Level::Ledger, true), "{direct}");
        assert_eq!(direct.delivered, direct.offered, "{direct}");
        let overrides = ["users=20", "rate_per_s=80", "connections.at_s=0.7", encoding];
        let storm = run(&server, "reconnect-storm", &overrides);
        assert!(storm.cuts > 0 && storm.recover_ms.count == storm.cuts, "{storm}");
        assert_eq!(storm.reconnects, storm.cuts, "{storm}");
    }
}

#[test]
fn groups_and_rooms_of_every_size_get_everything() {
    let server = server();
    for (name, overrides, level, fan_out) in [
        ("group-10", &["users=20", "rate_per_s=40", "encoding=json"][..], Level::Ledger, 9),
        (
            "group-1000",
            &["users=110", "conversation.members=110", "rate_per_s=10", "threads=2"],
            Level::Counters,
            109,
        ),
        (
            "group-10000",
            &["users=230", "conversation.members=230", "rate_per_s=4", "encoding=json"],
            Level::Counters,
            229,
        ),
        (
            "room",
            &["users=30", "rate_per_s=20", "verify=counters", "shape.at_s=0.5", "shape.for_s=0.5"],
            Level::Counters,
            29,
        ),
    ] {
        let report = run(&server, name, overrides);
        assert_eq!((report.verified, report.log_verified), (level, true), "{report}");
        assert!(report.offered > 0, "{report}");
        assert_eq!(report.delivered, report.offered * fan_out, "{report}");
    }
}

#[test]
fn people_type_read_and_look_back_while_they_talk() {
    let server = server();
    let overrides =
        ["users=16", "think_s=0.2", "activity.receipts_every_s=0.2", "activity.history=0.3"];
    let mixed = run(&server, "mixed", &overrides);
    assert!(mixed.offered > 16 && mixed.signals > 0 && mixed.history_ms.count > 0, "{mixed}");
    let overrides =
        ["users=20", "rate_per_s=40", "connections.rate_per_s=20", "connections.away_s=0.1"];
    let soak = run(&server, "soak", &overrides);
    assert!(soak.cuts > 0 && soak.recover_ms.count == soak.cuts, "{soak}");
}

#[test]
fn connections_come_and_go_and_some_read_slowly() {
    let server = server();
    let overrides =
        ["users=16", "rate_per_s=60", "connections.rate_per_s=30", "connections.away_s=0.1"];
    let churn = run(&server, "churn", &overrides);
    assert!(churn.cuts > 0 && churn.reconnects >= churn.cuts, "{churn}");
    // Enough to fill what kernel and server keep for one who does not read.
    let overrides = [
        "users=20",
        "conversation.members=20",
        "rate_per_s=100",
        "text_bytes=8000",
        "slow_readers.share=0.1",
        "verify=ledger",
    ];
    let slow = run(&server, "slow-readers", &overrides);
    assert_eq!(slow.delivered, slow.offered * 19, "{slow}");
    assert_eq!(slow.deliver_ms.count, slow.offered * 17, "the slow ones are left out: {slow}");
}
