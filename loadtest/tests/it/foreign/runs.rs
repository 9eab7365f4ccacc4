//! Whole runs against servers of other protocols: a sound one passes, and one that drops, doubles or delays is caught.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use ringwire_loadtest::fleet;
use ringwire_loadtest::report::Report;
use ringwire_loadtest::scenario::{Acks, Protocol, Scenario};
use ringwire_loadtest::target::Target;
use ringwire_loadtest::threshold::Verdict;
use ringwire_loadtest::token::Tokens;

use super::{Fault, Server};
use crate::fake;

const DIRECT: &str = include_str!("../../../scenarios/direct.toml");
const ROOM: &str = include_str!("../../../scenarios/room.toml");

/// What makes any scenario short, and blind to how busy the machine is.
const SHORT: [&str; 7] = [
    "users=6",
    "rate_per_s=120",
    "duration_s=1",
    "drain_s=60",
    "connect_limit_s=120",
    "thresholds.send_slip_p99_ms=60000",
    "warmup_s=0",
];

const STEADY: &str = "shape={kind='steady'}";

/// Protocols in which two can talk with each other.
const OF_PAIRS: [Protocol; 7] = [
    Protocol::TypedStrings,
    Protocol::Rooms,
    Protocol::Payload,
    Protocol::Numbered,
    Protocol::SocketIo,
    Protocol::CentrifugoJson,
    Protocol::CentrifugoProtobuf,
];

fn run_at(server: &Server, text: &str, overrides: &[&str]) -> Report {
    let protocol = format!("protocol={}", server.hub.protocol.name());
    let overrides = SHORT.iter().chain(overrides).map(|&argument| argument.to_owned());
    let overrides: Vec<_> = overrides.chain([protocol]).collect();
    let scenario = Scenario::parse(text, &overrides).unwrap();
    let target = Target::parse(&server.url()).unwrap();
    let tokens = Tokens::from_secret(fake::SECRET);
    let stop = Arc::new(AtomicBool::new(false));
    let result = fleet::run(scenario.clone(), target, tokens, stop, false).unwrap();
    let report = Report::new(&scenario, &server.url(), result);
    eprintln!("{report}");
    report
}

fn run(protocol: Protocol, fault: Fault, text: &str, overrides: &[&str]) -> Report {
    run_at(&Server::start(protocol, fault), text, overrides)
}

/// The scenario that a protocol can be tried with: two and two, or all in one room, or each for itself.
fn play(protocol: Protocol, fault: Fault, overrides: &[&str]) -> Report {
    let alone = ["conversation={kind='alone'}"];
    match protocol {
        Protocol::Echo => run(protocol, fault, DIRECT, &[&alone[..], overrides].concat()),
        Protocol::Broadcast => run(protocol, fault, ROOM, &[&[STEADY], overrides].concat()),
        _ => run(protocol, fault, DIRECT, overrides),
    }
}

/// Tries something with each protocol, all at once: what takes time is waiting.
fn each(protocols: impl IntoIterator<Item = Protocol>, check: impl Fn(Protocol) + Sync) {
    thread::scope(|scope| {
        for protocol in protocols {
            let check = &check;
            scope.spawn(move || check(protocol));
        }
    });
}

#[test]
fn a_sound_server_passes_whatever_it_speaks() {
    each(OF_PAIRS.into_iter().chain([Protocol::Echo, Protocol::Broadcast]), |protocol| {
        let report = play(protocol, Fault::None, &[]);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        assert_eq!(report.protocol, protocol);
        assert!(report.offered > 0);
        assert_eq!((report.sent, report.acked), (report.offered, report.offered), "{report}");
        let hearers = match protocol {
            Protocol::Echo => 0,
            Protocol::Broadcast => 5,
            _ => 1,
        };
        assert_eq!(report.delivered, report.offered * hearers, "{report}");
        assert_eq!(report.deliver_ms.count, report.delivered, "{report}");
        let acks = if report.acks == Acks::Written { 0 } else { report.offered };
        assert_eq!(report.ack_ms.count, acks, "{report}");
        assert!(!report.log_verified && report.errors.is_empty(), "{report}");
        assert!(report.to_string().contains(protocol.name()), "{report}");
    });
}

/// What is still under way when the drain ends is missing as well, so that on a busy machine there may be more.
#[test]
fn a_message_that_nobody_gets_is_lost() {
    each(OF_PAIRS.into_iter().chain([Protocol::Broadcast]), |protocol| {
        let report = play(protocol, Fault::Drop { at: 20 }, &["drain_s=1"]);
        let hearers = if protocol == Protocol::Broadcast { 5 } else { 1 };
        assert_eq!(report.verdict, Verdict::Fail, "{protocol:?}: {report}");
        assert!(report.lost >= hearers, "{protocol:?}: {report}");
    });
    let report = play(Protocol::Echo, Fault::Drop { at: 20 }, &["drain_s=1"]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    assert!(report.unanswered >= 1, "{report}");
}

#[test]
fn a_message_that_comes_twice_is_duplicated() {
    each(OF_PAIRS.into_iter().chain([Protocol::Echo]), |protocol| {
        let report = play(protocol, Fault::Twice { at: 20 }, &[]);
        let found = (report.verdict, report.duplicated, report.lost);
        assert_eq!(found, (Verdict::Fail, 1, 0), "{protocol:?}: {report}");
    });
}

#[test]
fn a_message_that_comes_behind_a_later_one_of_its_sender_is_reordered() {
    // A sender's own copies are messages like everybody else's.
    let echo = play(Protocol::Echo, Fault::Late { at: 21 }, &["users=1", "rate_per_s=60"]);
    let found = (echo.verdict, echo.reordered, echo.lost);
    assert_eq!(found, (Verdict::Fail, 1, 0), "{echo}");
    each([Protocol::Payload, Protocol::CentrifugoJson], |protocol| {
        // One pair, of whom one sends at a time.
        let report = play(protocol, Fault::Late { at: 21 }, &["users=2", "rate_per_s=60"]);
        let found = (report.verdict, report.reordered, report.lost);
        assert_eq!(found, (Verdict::Fail, 1, 0), "{protocol:?}: {report}");
    });
}

#[test]
fn a_refusal_is_told_as_one() {
    each(
        [Protocol::Numbered, Protocol::CentrifugoJson, Protocol::CentrifugoProtobuf],
        |protocol| {
            let report = play(protocol, Fault::Refuse { at: 20 }, &["thresholds.refused=1"]);
            assert_eq!(
                (report.verdict, report.refused),
                (Verdict::Pass, 1),
                "{protocol:?}: {report}"
            );
            assert_eq!((report.acked, report.errors.len()), (report.offered - 1, 1), "{report}");
        },
    );
}

#[test]
fn one_room_is_shared_on_several_threads() {
    each([Protocol::TypedStrings, Protocol::Numbered, Protocol::CentrifugoProtobuf], |protocol| {
        let overrides = [STEADY, "users=104", "threads=2", "rate_per_s=20"];
        let report = run(protocol, Fault::None, ROOM, &overrides);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        assert_eq!(report.delivered, report.offered * 103, "{report}");
        let report =
            run(protocol, Fault::Drop { at: 3 }, ROOM, &[&overrides[..], &["drain_s=1"]].concat());
        assert_eq!(report.verdict, Verdict::Fail, "{protocol:?}: {report}");
        assert!(report.lost >= 103, "{protocol:?}: {report}");
    });
}

#[test]
fn what_is_not_acknowledged_is_measured_by_what_arrives() {
    each([Protocol::Broadcast, Protocol::SocketIo, Protocol::Payload], |protocol| {
        let overrides = ["foreign.acks=written", STEADY];
        let report = run(protocol, Fault::None, ROOM, &overrides);
        assert_eq!((report.verdict, report.acks), (Verdict::Pass, Acks::Written), "{report}");
        assert_eq!((report.acked, report.ack_ms.count), (report.offered, 0), "{report}");
        assert!(report.to_string().contains("once it is written"), "{report}");
    });
}

#[test]
fn signals_receipts_and_looks_at_the_history_go_where_there_are_any() {
    each([Protocol::TypedStrings, Protocol::Payload, Protocol::Numbered], |protocol| {
        let server = Server::start(protocol, Fault::None);
        let report = run_at(&server, DIRECT, &["activity.typing=1"]);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        // On a busy machine a signal may be left out, and the report says so.
        let left_out: u64 = report.errors.values().sum();
        let signals = server.hub.signals.load(Relaxed) + left_out;
        assert_eq!(signals, report.offered, "{protocol:?}: {report}");
    });
    let server = Server::start(Protocol::Numbered, Fault::None);
    let report = run_at(&server, DIRECT, &["activity.receipts_every_s=0.1"]);
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
    assert!(server.hub.signals.load(Relaxed) > 0);
    each([Protocol::CentrifugoJson, Protocol::CentrifugoProtobuf], |protocol| {
        let report = play(protocol, Fault::None, &["activity.history=1"]);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        assert!(report.history_ms.count > 0, "{report}");
    });
}

#[test]
fn who_comes_back_to_a_channel_that_remembers_has_everything() {
    each([Protocol::CentrifugoJson, Protocol::CentrifugoProtobuf], |protocol| {
        // Sends under way when a connection ends are not repeated: nobody promises to take them once.
        let overrides =
            ["connections={plan='reconnect', at_s=0.5}", "depth=1", "thresholds.unanswered=10"];
        let report = play(protocol, Fault::None, &overrides);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        assert!(report.cuts > 0, "{report}");
        assert_eq!(report.recover_ms.count, report.cuts, "{report}");
        assert_eq!((report.lost, report.duplicated), (0, 0), "{report}");
    });
}

/// Connections alone: whoever only listens is asked whether it is there, and answers.
#[test]
fn who_only_listens_is_measured_by_its_connections() {
    each([Protocol::Notify, Protocol::SocketIo, Protocol::CentrifugoJson], |protocol| {
        let server = Server::start(protocol, Fault::None);
        let idle = ["conversation={kind='none'}", "rate_per_s=0", "connections.plan=storm"];
        let report = run_at(&server, DIRECT, &idle);
        assert_eq!((report.verdict, report.connect_ms.count), (Verdict::Pass, 6), "{report}");
        // The last answers may still be on their way.
        let all_came = (0..12_000).any(|_| {
            thread::sleep(Duration::from_millis(5));
            server.hub.pongs.load(Relaxed) == 6
        });
        assert!(all_came, "{protocol:?}");
    });
}

#[test]
fn a_closed_loop_waits_for_the_answers_there_are() {
    each([Protocol::Rooms, Protocol::SocketIo, Protocol::CentrifugoProtobuf], |protocol| {
        let report = play(protocol, Fault::None, &["arrival=closed", "think_s=0.05"]);
        assert_eq!(report.verdict, Verdict::Pass, "{protocol:?}: {report}");
        assert!(report.offered > 6, "{report}");
    });
}

/// The members of one room sit in two processes, each of which hears of what the other's have sent; and tokens come
/// from a file, a line for each user.
#[test]
fn processes_share_a_room_and_a_list_of_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("room.toml"), ROOM).unwrap();
    let signer = Tokens::from_secret(fake::SECRET);
    let tokens = (0..110).map(|user| signer.sign(500 + user).unwrap() + "\n");
    std::fs::write(path("tokens"), tokens.collect::<String>()).unwrap();
    for (protocol, fault, code) in
        [(Protocol::Payload, Fault::None, 0), (Protocol::CentrifugoJson, Fault::Drop { at: 3 }, 99)]
    {
        let server = Server::start(protocol, fault);
        let mut program = Command::new(env!("CARGO_BIN_EXE_ringwire-loadtest"));
        program.arg("run").arg(path("room.toml")).args(["--url", &server.url(), "--quiet"]);
        program.args(["--processes", "2"]).arg("--tokens-file").arg(path("tokens"));
        program.arg("--report-json").arg(path("out.json"));
        let protocol = format!("protocol={}", protocol.name());
        let settings = [STEADY, &protocol, "users=110", "rate_per_s=20", "first_user_id=500"];
        let drain = if code == 0 { "drain_s=60" } else { "drain_s=1" };
        for setting in SHORT[2..].iter().chain(&settings).chain([&drain]) {
            program.args(["--set", setting]);
        }
        let output = program.output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
        let report = Report::from_json(&std::fs::read(path("out.json")).unwrap()).unwrap();
        if code == 0 {
            assert_eq!((report.acked, report.lost), (report.offered, 0), "{report}");
            assert_eq!(report.delivered, report.offered * 109, "{report}");
        } else {
            assert!(report.lost >= 109, "{report}");
        }
    }
}

#[test]
fn a_server_of_another_protocol_is_one_clear_error() {
    let server = Server::start(Protocol::TypedStrings, Fault::None);
    let overrides = ["users=2", "protocol=socket-io", "connect_limit_s=120"];
    let overrides = overrides.map(str::to_owned);
    let scenario = Scenario::parse(DIRECT, &overrides).unwrap();
    let target = Target::parse(&format!("{}/ws?token={{token}}", server.url())).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let tokens = Tokens::from_secret(fake::SECRET);
    let error = fleet::run(scenario, target, tokens, stop, false).unwrap_err();
    assert!(error.to_string().contains("no frame of this protocol"), "{error}");
}
