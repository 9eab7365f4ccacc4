//! The program itself, as people and scripts call it: exit codes, several processes, workers, Ctrl-C, files.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use ringwire_loadtest::report::Report;
use ringwire_loadtest::secret::SECRET_VARIABLE;
use ringwire_loadtest::series::Counts;
use ringwire_loadtest::threshold::Verdict;

use crate::SCENARIO;
use crate::fake::{self, Fake, Fault};

/// A folder with a scenario and the key of the fake server.
struct Desk {
    folder: tempfile::TempDir,
    server: Fake,
}

impl Desk {
    fn new(fault: Fault) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.toml"), SCENARIO).unwrap();
        std::fs::write(folder.path().join("jwt.secret"), fake::SECRET).unwrap();
        Self { folder, server: Fake::start(fault) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with a command for this scenario and server.
    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = program();
        program.arg(command).arg(self.path("test.toml")).args(["--url", &self.server.url()]);
        program.arg("--jwt-secret-file").arg(self.path("jwt.secret"));
        program.arg("--report-json").arg(self.path("out.json")).args(arguments);
        program
    }

    fn report(&self) -> Report {
        Report::from_json(&std::fs::read(self.path("out.json")).unwrap()).unwrap()
    }
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ringwire-loadtest"));
    program.env_remove(SECRET_VARIABLE).stdin(Stdio::null());
    program
}

/// Runs to the end; what it wrote is shown where the test fails.
fn end(mut command: Command, code: i32) -> Output {
    let output = command.output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{out}\n{err}");
    output
}

/// Every interval together is the whole run: nothing was lost on its way between threads, processes and reports.
fn assert_adds_up(report: &Report) {
    let mut sum = Counts::default();
    let (mut acks, mut deliveries) = (0, 0);
    for interval in &report.intervals {
        sum.offered += interval.counts.offered;
        sum.acked += interval.counts.acked;
        sum.delivered += interval.counts.delivered;
        acks += interval.ack.count();
        deliveries += interval.deliver.count();
    }
    assert_eq!(
        (sum.offered, sum.acked, sum.delivered),
        (report.offered, report.acked, report.delivered)
    );
    assert_eq!((acks, deliveries), (report.ack_ms.count, report.deliver_ms.count));
    assert_eq!(report.histograms.ack.count(), acks);
}

#[test]
fn several_processes_make_the_run_that_one_makes() {
    for processes in ["1", "2"] {
        let desk = Desk::new(Fault::None);
        let arguments = ["--processes", processes, "--set", "users=8", "--set", "threads=2"];
        end(desk.command("run", &arguments), 0);
        let report = desk.report();
        assert_eq!(report.processes.to_string(), processes);
        assert_eq!(report.configuration.threads, 2);
        assert_eq!((report.offered, report.acked, report.delivered), (400, 400, 400), "{report}");
        assert_eq!((report.ack_ms.count, report.deliver_ms.count), (400, 400));
        assert!(report.log_verified);
        // All were there before the first send, and stayed.
        let before = report.intervals.iter().rfind(|interval| interval.at_s <= 0.0).unwrap();
        assert_eq!((before.live, report.intervals.last().unwrap().live), (8, 8));
        assert_adds_up(&report);
    }
}

/// The members of one room sit in both processes: they find each other, one of them opens the room, all hear
/// everything, and what both remember is judged together.
#[test]
fn one_room_is_shared_by_several_processes() {
    for (fault, code) in [(Fault::None, 0), (Fault::SkipPush { at: 20 }, 99)] {
        let desk = Desk::new(fault);
        let room = [
            "users=120",
            "conversation.kind=room",
            "verify=counters",
            "rate_per_s=40",
            "connect_limit_s=120",
        ];
        let mut arguments = vec!["--processes", "2"];
        for setting in room {
            arguments.extend(["--set", setting]);
        }
        end(desk.command("run", &arguments), code);
        let report = desk.report();
        assert_eq!((report.offered, report.acked), (40, 40), "{report}");
        assert!(report.log_verified && report.lost == 0, "{report}");
        if fault == Fault::None {
            assert_eq!(
                (report.delivered, report.deliver_ms.count),
                (40 * 119, 40 * 119),
                "{report}"
            );
            assert_adds_up(&report);
        } else {
            assert!(report.unpushed > 0, "{report}");
        }
    }
}

/// A fault in one of several processes is a fault of the run.
#[test]
fn what_one_process_finds_fails_the_run() {
    let desk = Desk::new(Fault::Forget { at: 50 });
    end(desk.command("run", &["--processes", "2", "--set", "users=8"]), 99);
    assert_eq!(desk.report().lost, 1);
}

#[test]
fn exit_codes_tell_pass_fail_no_evidence_and_error() {
    let desk = Desk::new(Fault::None);
    end(desk.command("run", &[]), 0);
    end(desk.command("run", &["--set", "thresholds.ack_p99_ms=0.000001"]), 99);
    // Nobody is a microsecond late, not even once in a hundred.
    end(desk.command("run", &["--set", "thresholds.send_slip_p99_ms=0.000001"]), 98);
    let output = end(desk.command("run", &["--set", "nothing=1"]), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing"));
    // In several processes an error is told once, in words.
    std::fs::write(desk.path("jwt.secret"), "another-secret-of-some-length").unwrap();
    let output = end(desk.command("run", &["--processes", "2"]), 1);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(errors.matches("bad token").count(), 1, "{errors}");
}

/// A worker that listens, and the secret it printed.
struct Worker {
    child: Child,
    address: String,
    secret: String,
}

impl Worker {
    fn start(desk: &Desk, secret: Option<&str>) -> Self {
        let mut command = program();
        command
            .args(["worker", "--listen", "127.0.0.1:0", "--jwt-secret-file"])
            .arg(desk.path("jwt.secret"));
        if let Some(secret) = secret {
            command.env(SECRET_VARIABLE, secret);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once(' ').unwrap().1.to_owned();
        // Whoever writes there must not be stopped by a pipe that is full.
        std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
        let mut printed = String::new();
        if secret.is_none() {
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut printed).unwrap();
        }
        let printed =
            printed.trim().strip_prefix(&format!("{SECRET_VARIABLE}=")).unwrap_or("").to_owned();
        Self { child, address, secret: secret.map_or(printed, str::to_owned) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn workers_obey_whoever_knows_their_secret_one_run_after_another() {
    let desk = Desk::new(Fault::None);
    let first = Worker::start(&desk, None);
    assert_eq!(first.secret.len(), 32);
    let second = Worker::start(&desk, Some(&first.secret));
    let workers = format!("{},{}", first.address, second.address);
    let run = |secret: &str, code| {
        let mut command = desk.command("run", &["--workers", &workers, "--set", "users=8"]);
        command.env(SECRET_VARIABLE, secret);
        String::from_utf8_lossy(&end(command, code).stderr).into_owned()
    };
    let error = run("a-secret-that-is-wrong", 1);
    assert!(error.contains("does not know the workers' secret"), "{error}");
    for _ in 0..2 {
        run(&first.secret, 0);
        let report = desk.report();
        assert_eq!((report.processes, report.offered, report.delivered), (2, 400, 400), "{report}");
        assert_adds_up(&report);
    }
}

#[test]
fn ctrl_c_ends_a_run_of_any_number_of_processes_with_a_report() {
    for processes in ["1", "2"] {
        let desk = Desk::new(Fault::None);
        let arguments = ["--set", "duration_s=600", "--set", "users=8", "--processes", processes];
        let mut command = desk.command("run", &arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The lines of progress tell when it is under way.
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let under_way =
            lines.map(Result::unwrap).find(|line| line.contains(" s  users 8 ")).unwrap();
        assert!(!under_way.contains('\x1b'), "{under_way}");
        // SAFETY: takes no pointers; the child has not been waited for, so the id is still its own.
        unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) };
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(98));
        assert!(String::from_utf8_lossy(&output.stdout).contains("insufficient_evidence"));
        let report = desk.report();
        assert_eq!(report.verdict, Verdict::InsufficientEvidence);
        assert!(report.duration_s < 600.0 && report.acked > 0, "{report}");
        assert_eq!(report.acked, report.offered, "what was sent is still answered: {report}");
        assert_adds_up(&report);
    }
}

/// What one process counted is lost with it: no figures are better than wrong ones.
#[test]
fn a_process_that_dies_ends_the_run_with_one_clear_error() {
    let rest = one_of_two_gets(libc::SIGKILL);
    assert_eq!(rest.matches("ended unexpectedly").count(), 1, "{rest}");
}

/// One that stands still says nothing, and ends nothing either.
#[test]
fn a_process_that_stands_still_ends_the_run_as_well() {
    let rest = one_of_two_gets(libc::SIGSTOP);
    assert_eq!(rest.matches("has said nothing for 30 s").count(), 1, "{rest}");
}

/// A run of eight users that is sending, and what it writes to standard error from there on.
fn under_way(mut command: Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(" s  users 8 ") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended");
    }
    (child, errors)
}

/// What a run of two processes writes to standard error after one of them got a signal. It fails, and reports nothing.
fn one_of_two_gets(signal: libc::c_int) -> String {
    let desk = Desk::new(Fault::None);
    let arguments = ["--set", "duration_s=600", "--set", "users=8", "--processes", "2"];
    let (mut child, mut errors) = under_way(desk.command("run", &arguments));
    let id = child.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let victim: i32 = children.split_whitespace().next().unwrap().parse().unwrap();
    // SAFETY: takes no pointers; the child's child is waited for by its parent only, at its end.
    unsafe { libc::kill(victim, signal) };
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
    assert!(!desk.path("out.json").exists());
    rest
}

/// Where answers make sends due, nothing is due while nobody reads them: the generator's own standing still must show all
/// the same.
#[test]
fn a_closed_loop_that_stood_still_itself_proves_nothing() {
    let desk = Desk::new(Fault::None);
    let own = "thresholds.send_slip_p99_ms=100";
    let arguments = ["duration_s=4", "warmup_s=0", "users=8", "arrival=closed", "think_s=0", own];
    let arguments: Vec<_> = arguments.iter().flat_map(|setting| ["--set", setting]).collect();
    let (mut child, mut errors) = under_way(desk.command("run", &arguments));
    let signal = |signal: libc::c_int| {
        // SAFETY: takes no pointers; the child is waited for only below.
        unsafe { libc::kill(child.id().cast_signed(), signal) };
    };
    signal(libc::SIGSTOP);
    std::thread::sleep(std::time::Duration::from_secs(1));
    signal(libc::SIGCONT);
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    let code = child.wait().unwrap().code();
    let report = desk.report();
    assert_eq!(code, Some(98), "{report}");
    assert!(report.send_slip_ms.p99 > 500.0, "{report}");
}

/// The same where nothing is sent: who connects or catches up meanwhile waited for the generator.
#[test]
fn a_generator_that_stood_still_while_nothing_was_sent_proves_nothing() {
    let desk = Desk::new(Fault::None);
    let arguments = ["duration_s=4", "warmup_s=0", "users=8", "conversation.kind=none"];
    let arguments: Vec<_> = arguments.iter().flat_map(|setting| ["--set", setting]).collect();
    let (mut child, _errors) = under_way(desk.command("run", &arguments));
    let signal = |signal: libc::c_int| {
        // SAFETY: takes no pointers; the child is waited for only below.
        unsafe { libc::kill(child.id().cast_signed(), signal) };
    };
    signal(libc::SIGSTOP);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    signal(libc::SIGCONT);
    let code = child.wait().unwrap().code();
    let report = desk.report();
    assert_eq!(code, Some(98), "{report}");
    assert!(report.standstill_ms > 1000.0, "{report}");
    assert!(report.reasons[0].contains("stood still"), "{report}");
}

/// As behind `2>&1 | head -1`: the exit code and the files still count.
#[test]
fn who_reads_the_output_may_go() {
    let gone = || std::io::pipe().unwrap().1;
    let desk = Desk::new(Fault::None);
    let code = |command: &mut Command| {
        command.stdout(gone()).stderr(gone()).spawn().unwrap().wait().unwrap().code()
    };
    assert_eq!(code(&mut desk.command("run", &[])), Some(0));
    assert_eq!(desk.report().verdict, Verdict::Pass);
    let unmet = ["--set", "thresholds.ack_p99_ms=0.0001"];
    assert_eq!(code(&mut desk.command("run", &unmet)), Some(99));
    assert_eq!(code(program().args(["run", "no.toml"])), Some(1));
}

#[test]
fn a_process_of_the_server_counts_once() {
    let desk = Desk::new(Fault::None);
    let own = std::process::id().to_string();
    let output = end(desk.command("run", &["--server-pid", &own, "--server-pid", &own]), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("twice"));
}

/// A child whose parent is gone must not go on sending.
#[test]
fn processes_end_with_the_run_that_started_them() {
    let desk = Desk::new(Fault::None);
    let mut command = program();
    command.args(["worker", "--stdio", "--jwt-secret-file"]).arg(desk.path("jwt.secret"));
    let output = end(command, 0);
    assert!(output.stdout.len() > 4, "it says hello");
}

#[test]
fn a_report_has_all_its_forms_and_tells_of_the_server() {
    let desk = Desk::new(Fault::None);
    let folder = desk.path("reports");
    let own = std::process::id().to_string();
    let text = folder.to_str().unwrap().to_owned();
    let arguments = ["--report-dir", &text, "--server-pid", &own, "--label", "what=a test"];
    end(desk.command("run", &arguments), 0);
    for (name, part) in [
        ("report.json", "\"verdict\": \"pass\""),
        ("report.html", "</svg>"),
        ("report.csv", "ack_p99_ms"),
        ("report.hlog", "Tag=deliver,"),
        ("report.ack.hgrm", "1/(1-Percentile)"),
        ("report.deliver.hgrm", "Total count"),
    ] {
        let content = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(content.contains(part), "{name}: {content}");
    }
    let report = desk.report();
    let server = report.server.unwrap();
    assert!(server.cpu_s > 0.0 && server.resident_bytes_after > 0, "{server:?}");
    assert_eq!(report.labels["what"], "a test");
}

#[test]
fn reports_are_compared() {
    let desk = Desk::new(Fault::None);
    let run = |name: &str, fault: Fault| {
        let desk = Desk::new(fault);
        end(desk.command("run", &["--set", "rate_per_s=100"]), 0);
        std::fs::copy(desk.path("out.json"), name).unwrap();
    };
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let (quick, slow) = (path("quick.json"), path("slow.json"));
    run(&quick, Fault::None);
    // Every message takes 20 ms of one lock, at 100 a second: the queue grows all the time.
    run(&slow, Fault::Slow { millis: 20 });
    let compare = |one: &str, two: &str| {
        let mut command = program();
        command.args(["compare", one, two, "--report-html"]).arg(desk.path("compare.html"));
        command.arg("--report-json").arg(desk.path("compare.json"));
        String::from_utf8(end(command, 0).stdout).unwrap()
    };
    let text = compare(&quick, &slow);
    let line = text.lines().find(|line| line.contains("ack p50")).expect(&text);
    // However far apart: a second of each is too little.
    assert!(line.contains('+') && line.ends_with("unsure"), "{text}");
    let text = compare(&quick, &quick);
    let outcomes: Vec<_> = text.lines().filter(|line| line.contains('→')).collect();
    let is_none = |line: &&str| line.contains("+0.0 %  [+0.0 %, +0.0 %]  unsure");
    assert!(!outcomes.is_empty() && outcomes.iter().all(is_none), "{text}");
    let (again, once_more) = (path("again.json"), path("once-more.json"));
    for copy in [&again, &once_more] {
        std::fs::copy(&quick, copy).unwrap();
    }
    let text = compare(&format!("{quick},{again},{once_more}"), &quick);
    assert!(text.contains("(3 runs)"), "{text}");
    let mut command = program();
    command.args(["compare", &format!("{quick},{quick}"), &slow]);
    let error = String::from_utf8(end(command, 1).stderr).unwrap();
    assert!(error.contains("names a report twice"), "{error}");
    assert!(std::fs::read_to_string(desk.path("compare.html")).unwrap().contains("</svg>"));
    assert!(Path::new(&path("compare.json")).exists());
    let mut command = program();
    command.args(["compare", &quick]).arg(desk.path("test.toml"));
    let error = String::from_utf8(end(command, 1).stderr).unwrap();
    assert!(error.contains("test.toml cannot be compared"), "{error}");
}

/// A run is not for nothing because one of its files cannot be written after all.
#[test]
fn the_report_is_said_before_files_fail() {
    let desk = Desk::new(Fault::None);
    let folder = desk.path("reports");
    std::fs::create_dir_all(folder.join("report.html")).unwrap();
    let output = end(desk.command("run", &["--report-dir", folder.to_str().unwrap()]), 1);
    assert!(String::from_utf8(output.stdout).unwrap().contains("deliver"), "the text");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("report.html"), "{error}");
}

#[test]
fn ctrl_c_does_not_wait_for_users_who_are_slow_to_come() {
    let desk = Desk::new(Fault::None);
    let mut command = desk.command("run", &["--set", "connect_rate_per_s=0.001"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.map(Result::unwrap).find(|line| line.contains("users 0 ")).unwrap();
    // SAFETY: takes no pointers; the child has not been waited for, so the id is still its own.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) };
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(98), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What this server can do hardly depends on the machine: a message takes at least 5 ms of its one lock, so that more
/// than 200 a second are more than it can bear, and the threshold is generous.
#[test]
fn the_capacity_is_found_confirmed_and_told_by_the_exit_code() {
    let desk = Desk::new(Fault::Slow { millis: 5 });
    let thresholds = ["--set", "thresholds.ack_p99_ms=400", "--precision", "99", "--pause", "0"];
    let output = end(desk.command("capacity", &[&thresholds[..], &["--from", "600"]].concat()), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    let steps: Vec<&str> = text.lines().collect();
    assert!(steps[0].starts_with("try           600/s") && steps[0].contains("  fail: "), "{text}");
    let [.., confirmation, answer] = steps[..] else { panic!("{text}") };
    assert!(confirmation.starts_with("confirm") && confirmation.ends_with("pass"), "{text}");
    assert!(answer.starts_with("capacity ") && answer.contains("/s (the thresholds"), "{text}");
    assert_eq!(desk.report().verdict, Verdict::Pass);
    assert_eq!(format!("capacity {}", desk.report().labels["capacity"]), answer);

    let output = end(desk.command("capacity", &[]), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("threshold for latencies"));
    let impossible = ["--from", "2", "--set", "thresholds.ack_p99_ms=0.001", "--pause", "0"];
    end(desk.command("capacity", &impossible), 99);
}

#[test]
fn what_cannot_come_to_anything_is_told_before_it_begins() {
    let desk = Desk::new(Fault::None);
    let told = |command: Command, part: &str| {
        let output = end(command, 1);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains(part), "{errors}");
    };
    let same = desk.path("out.json").to_str().unwrap().to_owned();
    let mut command = desk.command("run", &["--report-csv"]);
    command.arg(&same);
    told(command, "two reports would be written");
    let searched = ["--set", "thresholds.ack_p99_ms=400"];
    let more = |arguments: &[&'static str]| [&searched[..], arguments].concat();
    told(desk.command("capacity", &more(&["--from", "1e12"])), "at most 31536000");
    let nobody = ["--set", "conversation={kind=\"none\"}"];
    told(desk.command("capacity", &more(&nobody)), "somebody sends");
    told(desk.command("run", &["--label", "a=1", "--label", "a=2"]), "names a twice");
    told(desk.command("run", &["--workers", ","]), "an empty address");
    told(desk.command("run", &["--hgrm", "/"]), "names no file");
    end(desk.command("run", &["--label", "=1"]), 2);
    let mut worker = program();
    worker.args(["worker", "--listen", "127.0.0.1:0", "--jwt-secret-file"]);
    worker.arg(desk.path("nothing"));
    told(worker, "nothing");
}

#[test]
fn a_server_that_ends_meanwhile_has_no_cost_and_the_report_says_so() {
    let desk = Desk::new(Fault::None);
    let mut watched = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = watched.id().to_string();
    let arguments = ["--set", "duration_s=600", "--set", "users=8", "--server-pid", &pid];
    let (run, _errors) = under_way(desk.command("run", &arguments));
    watched.kill().unwrap();
    watched.wait().unwrap();
    // SAFETY: takes no pointers; the child has not been waited for, so the id is still its own.
    unsafe { libc::kill(run.id().cast_signed(), libc::SIGINT) };
    let text = String::from_utf8(run.wait_with_output().unwrap().stdout).unwrap();
    assert!(text.contains(&format!("not measured: there is no process {pid}")), "{text}");
    assert!(desk.report().server.is_none());
}
