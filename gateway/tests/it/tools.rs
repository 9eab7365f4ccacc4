//! The operator's tools, run as an operator runs them: beside a server, after a crash, on nothing at all.

use std::process::Output;

use serde_json::Value;

use crate::support::ENCODINGS;
use crate::support::client::Client;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

/// Exit code, standard output, standard error.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn assert_sound(server: &ServerProcess) {
    let (code, out, err) = told(&server.tool(&["db", "check", "--bodies"]));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("is sound: 0 findings"), "{out}");
}

#[test]
fn a_database_is_sound_under_load_and_after_kills() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).without_rates().start();
        let crowd = Crowd::start(&server, 4, 200);
        for acks in [200, 400] {
            crowd.await_acks(acks);
            assert_sound(&server);
            server.kill();
            assert_sound(&server);
            server.restart();
        }
        crowd.finish(&server);
        assert_sound(&server);
    }
}

/// Runs a statement on the server's database, which is down.
fn execute(server: &ServerProcess, sql: &str) {
    rusqlite::Connection::open(server.data_dir().join("ringwire.db"))
        .and_then(|connection| connection.execute_batch(sql))
        .expect(sql);
}

#[test]
fn damage_is_told_line_by_line_and_as_json() {
    let mut server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, ENCODINGS[0]);
    let group = client.create_group(&[]);
    for number in 0..5 {
        client.say(group, &format!("m{number}"), "canary-body");
    }
    server.kill();
    let sql = format!("DELETE FROM entries WHERE conversation_id = {group} AND seq = 3");
    execute(&server, &sql);
    let (code, out, _) = told(&server.tool(&["db", "check", "--bodies"]));
    assert_eq!(code, Some(1), "{out}");
    let line = format!("log_gap conversation={group}: entry 4 after entry 2\n");
    assert!(out.starts_with(&line), "{out}");
    assert!(out.ends_with("is NOT sound: 1 finding, 0 hints\n"), "{out}");
    assert!(!out.contains("canary-body"), "{out}");

    let (code, out, _) = told(&server.tool(&["db", "check", "--json"]));
    assert_eq!(code, Some(1), "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["conversation_id"]),
        (&"log_gap".into(), &group.into())
    );
    assert_eq!((&lines[1]["findings"], &lines[1]["kinds"]["log_gap"]), (&1.into(), &1.into()));
}

#[test]
fn what_cannot_be_looked_at_is_exit_code_2() {
    let mut postgres = ringwire_testkit::PrivatePostgres::start().expect("a private Postgres");
    let url = postgres.url().replace("ringwire@", "ringwire:canary-password@");
    postgres.stop().expect("stopping Postgres");
    let server = ServerProcess::start(&[]);
    for arguments in [["--database", &url], ["--data-dir", "nowhere"]] {
        for tool in [&["db", "check"][..], &["migrate", "--check"]] {
            let arguments: Vec<&str> = tool.iter().chain(&arguments).copied().collect();
            // A folder that does not exist yet is one that lacks every migration.
            let expected =
                if arguments.ends_with(&["nowhere"]) && tool[0] == "migrate" { 1 } else { 2 };
            let (code, out, err) = told(&server.tool(&arguments));
            assert_eq!(code, Some(expected), "{arguments:?}: {out}{err}");
            assert!(
                !err.contains("canary-password") && !out.contains("canary-password"),
                "{out}{err}"
            );
        }
    }
    assert!(!server.data_dir().with_file_name("nowhere").exists(), "looking makes nothing");
}

#[test]
fn migrate_says_what_it_did() {
    for database in Database::both() {
        let postgres = database != Database::Sqlite;
        let mut server = Setup::new().database(Database::Sqlite).start();
        let url = match &database {
            Database::Postgres(url) => url.clone(),
            Database::Sqlite => "sqlite".to_owned(),
        };
        let run = |server: &ServerProcess, arguments: &[&str]| {
            let place = ["--database", url.as_str(), "--data-dir", "fresh"];
            told(&server.tool(&[arguments, &place].concat()))
        };
        server.kill();
        let (code, out, _) = run(&server, &["migrate", "--check"]);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.contains("pending V001__log_and_directory\n"), "{out}");
        let (code, out, err) = run(&server, &["migrate"]);
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.contains("applied V001__log_and_directory\n"), "{out}");
        assert!(out.contains("schema 0 is now "), "{out}");
        for arguments in [&["migrate"][..], &["migrate", "--check"]] {
            let (code, out, _) = run(&server, arguments);
            assert_eq!(code, Some(0), "{out}");
            assert!(out.contains("is up to date"), "{out}");
        }
        assert_eq!(run(&server, &["db", "check"]).0, Some(0));
        assert_eq!(server.data_dir().with_file_name("fresh").exists(), !postgres);
    }
}

#[test]
fn migrate_divides_the_log_and_puts_it_together() {
    for database in Database::both() {
        let mut server = Setup::new().database(Database::Sqlite).start();
        server.kill();
        let url = match &database {
            Database::Postgres(url) => url.clone(),
            Database::Sqlite => "sqlite".to_owned(),
        };
        let migrate = |arguments: &[&str]| {
            let place = ["--database", url.as_str()];
            told(&server.tool(&[&["migrate"], arguments, &place].concat()))
        };
        if database == Database::Sqlite {
            let (code, _, err) = migrate(&["--partitions", "4"]);
            assert_eq!(code, Some(2));
            assert!(err.contains("only Postgres has partitions"), "{err}");
            continue;
        }
        let (code, out, err) = migrate(&["--partitions", "4"]);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.ends_with("the log is 4 partitions already\n"), "{out}");
        let (code, out, _) = migrate(&["--partitions", "0", "--check"]);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.ends_with("pending: the log is 4 partitions, to be one table\n"), "{out}");
        let (code, out, _) = migrate(&["--partitions", "0"]);
        assert_eq!(code, Some(0), "{out}");
        let line = "the log was 4 partitions and is now one table: copied and counted 0 entries\n";
        assert!(out.contains(line), "{out}");
        assert_eq!(migrate(&["--partitions", "0", "--check"]).0, Some(0));
        assert_eq!(migrate(&["--partitions", "1"]).0, Some(2));
    }
}

#[test]
fn migrating_needs_the_data_folder_for_itself() {
    let server = ServerProcess::start(&[]);
    let (code, _, err) = told(&server.tool(&["migrate"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("is in use by another ringwire"), "{err}");
    assert_eq!(told(&server.tool(&["migrate", "--check"])).0, Some(0));
}

#[test]
fn a_damaged_file_at_start_is_told_with_what_to_do() {
    let mut server = ServerProcess::start(&[]);
    server.kill();
    let file = server.data_dir().join("ringwire.db");
    for suffix in ["", "-wal", "-shm"] {
        let path = file.with_file_name(format!("ringwire.db{suffix}"));
        std::fs::write(path, vec![7; 8192]).expect("damaging the database");
    }
    let (code, out, err) = told(&server.tool(&["--listen", "127.0.0.1:0"]));
    assert_eq!(code, Some(2), "{out}{err}");
    let line = err.lines().last().unwrap_or_default();
    for word in ["is damaged: data/ringwire.db: ", "restore a backup", "ringwire db check"] {
        assert!(line.contains(word), "{line}");
    }
    let (code, out, _) = told(&server.tool(&["db", "check"]));
    assert_eq!(code, Some(1));
    assert!(out.contains("file_damaged"), "{out}");
}

#[test]
fn a_lost_database_is_told_at_start_and_by_check() {
    const LOST: &str = "ringwire.db is missing or empty";
    let mut server = ServerProcess::start(&[]);
    server.kill();
    server.restart();
    assert!(
        !server.log().contains(LOST),
        "neither a first start nor a later one: {}",
        server.log()
    );
    server.kill();
    let file = server.data_dir().join("ringwire.db");
    let mut told_times = 0;
    for empty in [false, true] {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(file.with_file_name(format!("ringwire.db{suffix}")));
        }
        if empty {
            std::fs::write(&file, "").expect("an empty file");
        }
        let (code, out, err) = told(&server.tool(&["db", "check"]));
        assert_eq!(code, Some(2), "{out}{err}");
        assert!(err.contains("there is no ringwire database at "), "{err}");
        assert!(err.contains("data/ringwire.db: the file is missing, empty "), "{err}");
        assert!(!err.contains("migrate"), "{err}");
        server.restart();
        told_times += 1;
        let log = server.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(LOST)).collect();
        assert_eq!(lines.len(), told_times, "{log}");
        assert!(lines[0].contains("WARN") && lines[0].contains("restore a backup"), "{log}");
        server.kill();
    }
}
