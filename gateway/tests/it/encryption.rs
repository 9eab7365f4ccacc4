//! E1: sealed bodies survive a rotation that is killed again and again while people talk, what was said lies nowhere in
//! the clear, and damage is told where it is and harms nothing else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ringwire_testkit::Observer;

use crate::support::chat::text;
use crate::support::client::Client;
use crate::support::participant::Crowd;
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, PATIENCE};

/// The end of every text of the crowd; long enough that no sealed body holds it by chance.
const CANARY: &str = "xxxxxxxxxxxxxxxxxxxxxxxx";
const KEY_1: &str = "1 = S2V5IG9uZSBvZiB0aGUgdGVzdHMgb2YgUmluZ3dpcmU=";
const KEY_2: &str = "2 = S2V5IHR3byBvZiB0aGUgdGVzdHMgb2YgUmluZ3dpcmU=";
const WRONG_KEY_1: &str = "1 = QW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXQ=";

/// The file of keys that the servers' configuration names.
struct KeyFile(tempfile::TempDir);

impl KeyFile {
    fn new(lines: &[&str]) -> Self {
        let file = Self(tempfile::tempdir().expect("a folder"));
        file.write(lines);
        file
    }

    fn write(&self, lines: &[&str]) {
        let path = self.0.path().join("keys");
        fs::write(&path, lines.join("\n")).expect("a file of keys");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a private file");
    }

    fn setup(&self, database: Database) -> Setup {
        let path = self.0.path().join("keys");
        let lines = format!("[storage.encryption]\nkeys_file = {:?}", path.display().to_string());
        Setup::new().config(&lines).database(database).without_rates()
    }
}

/// Bodies under other keys than this one.
fn others(observer: &Observer, key: u32) -> i64 {
    let count = format!("SELECT count(*) FROM entries WHERE key_id <> {key} AND length(body) > 0");
    observer.number(&count).expect("a number")
}

fn await_that(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + 2 * PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says enough that a pass has many steps.
fn fill(server: &ServerProcess, count: u32) -> u64 {
    let mut client = Client::session(server, 1, ENCODINGS[0]);
    let group = client.create_group(&[]);
    for chunk in 0..count.div_ceil(100) {
        let ids: Vec<u64> = (0..100)
            .map(|n| {
                let id = format!("f{}", chunk * 100 + n);
                client.queue(crate::support::chat::say(group, &id, &format!("{id} {CANARY}")))
            })
            .collect();
        client.flush().expect("a connection");
        for id in ids {
            client.answer(id).expect("an ack");
        }
    }
    group
}

fn assert_filled(server: &ServerProcess, group: u64, count: u32) {
    for encoding in ENCODINGS {
        let log = Client::session(server, 1, encoding).log(group);
        let texts: Vec<&str> = log.iter().filter_map(text).collect();
        let expected: Vec<String> = (0..count).map(|n| format!("f{n} {CANARY}")).collect();
        assert_eq!(texts, expected);
    }
}

fn assert_sound(server: &ServerProcess) {
    let output = server.tool(&["db", "check", "--bodies"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Exit code and text of `ringwire key status`.
fn key_status(server: &ServerProcess) -> (Option<i32>, String) {
    let output = server.tool(&["key", "status"]);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Every file below a folder that holds the canary.
fn files_with_canary(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with_canary(&path));
        } else if holds(&fs::read(&path).expect("a file"), CANARY) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Every table of a Postgres database, its rows as text and as bytes, that holds the canary.
fn tables_with_canary(url: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        use futures_util::TryStreamExt as _;
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a connection");
        tokio::spawn(connection);
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
        let mut found = Vec::new();
        let tables = client.query(tables, &[]).await.expect("the tables");
        assert!(tables.len() > 10, "{}", tables.len());
        for table in tables {
            let table: String = table.get(0);
            // Binary: bodies come as they are, not as hexadecimal digits.
            let copy = format!("COPY {table} TO STDOUT (FORMAT binary)");
            let rows = client.copy_out(&copy).await.expect("a copy");
            let rows: Vec<bytes::Bytes> = rows.try_collect().await.expect("rows");
            if holds(&rows.concat(), CANARY) {
                found.push(table);
            }
        }
        found
    })
}

/// Where the canary can be found once the server has stopped, free pages aside.
fn places_with_canary(server: &ServerProcess, database: &Database) -> Vec<String> {
    if database.url().is_none() {
        let sqlite = server.observer(None);
        sqlite.execute("VACUUM").expect("a vacuum");
        sqlite.text("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    }
    stored_canaries(server, database)
}

/// Where it can be found now: files of the data folder, or tables.
fn stored_canaries(server: &ServerProcess, database: &Database) -> Vec<String> {
    database.url().map_or_else(|| files_with_canary(&server.data()), tables_with_canary)
}

/// Moves everything from one set of keys to the next while a crowd talks and the server is killed in the middle.
fn rotate(database: &Database, before: &[&str], after: &[&str], old: u32) {
    const FILLED: u32 = 6_000;
    const SENDS_EACH: u32 = 300;
    let keys = KeyFile::new(before);
    let mut server = keys.setup(database.clone()).start();
    let group = fill(&server, FILLED);
    let observer = server.observer(database.url());
    assert_eq!(others(&observer, old), 0, "everything is under the old key");
    let before_rotation = observer.number("SELECT count(*) FROM entries").expect("a number");
    if old == 0 {
        assert!(!stored_canaries(&server, database).is_empty(), "the search finds what is plain");
    }

    let crowd = Crowd::start_padded(&server, 4, SENDS_EACH, CANARY.len());
    crowd.await_acks(100);
    keys.write(after);
    server.kill();
    server.restart();
    let mut kills_in_the_middle = 0;
    for share in [5, 4, 3, 2] {
        let limit = before_rotation * share / 6;
        await_that("the pass", || others(&observer, 2) <= limit);
        server.kill();
        let left = others(&observer, 2);
        kills_in_the_middle += u32::from(0 < left && left < before_rotation);
        if left > 0 {
            let (code, out) = key_status(&server);
            assert_eq!(code, Some(1), "{out}");
            assert!(out.contains("bodies are under key 2; keep every key until"), "{out}");
        }
        server.restart();
    }
    assert!(kills_in_the_middle >= 2, "the pass was killed midway {kills_in_the_middle} times");
    crowd.finish(&server);
    await_that("the end of the pass", || {
        let done = "SELECT count(*) FROM body_pass WHERE done AND target = 2";
        observer.number(done).expect("a number") == 1
    });
    assert_eq!(others(&observer, 2), 0, "every body is under the new key");
    assert_filled(&server, group, FILLED);
    assert_sound(&server);

    // The old key may go, as an operator is told beside the running server.
    let (code, out) = key_status(&server);
    assert_eq!(code, Some(0), "{out}");
    let told =
        if old == 0 { "no other key is given" } else { "not needed any more, on any node: 1" };
    assert!(out.trim_end().ends_with(&format!("bodies are under key 2; {told}")), "{out}");
    keys.write(&[KEY_2]);
    server.terminate();
    assert!(server.wait().success());
    drop(observer);
    assert_eq!(places_with_canary(&server, database), Vec::<String>::new());
    server.restart();
    assert_filled(&server, group, FILLED);
}

#[test]
fn e1_a_rotation_killed_midway_loses_nothing_on_sqlite() {
    rotate(&Database::Sqlite, &[KEY_1], &[KEY_1, KEY_2], 1);
}

#[test]
fn e1_a_rotation_killed_midway_loses_nothing_on_postgres() {
    rotate(&Database::postgres(), &[KEY_1], &[KEY_1, KEY_2], 1);
}

#[test]
fn e1_sealing_what_was_plain_killed_midway_leaves_nothing_in_the_clear_on_sqlite() {
    rotate(&Database::Sqlite, &[], &[KEY_2], 0);
}

#[test]
fn e1_sealing_what_was_plain_killed_midway_leaves_nothing_in_the_clear_on_postgres() {
    rotate(&Database::postgres(), &[], &[KEY_2], 0);
}

#[test]
fn e1_a_wrong_or_missing_key_refuses_to_start_and_says_how_to_mend_it() {
    for database in Database::both() {
        let keys = KeyFile::new(&[KEY_1]);
        let mut server = keys.setup(database).start();
        let group = fill(&server, 100);
        server.terminate();
        assert!(server.wait().success());
        let cases = [
            (&[][..], "key 1, which is not among the keys given; add it to storage.encryption"),
            (&[KEY_2], "key 1, which is not among the keys given; add it to storage.encryption"),
            (&[WRONG_KEY_1], "give the old key back its id and the new one another"),
        ];
        for (lines, expected) in cases {
            keys.write(lines);
            let (code, out) = key_status(&server);
            let word = if lines == [WRONG_KEY_1] { "ANOTHER KEY IS GIVEN" } else { "NOT GIVEN" };
            assert_eq!(code, Some(1), "{out}");
            assert!(out.contains("key 1: 101 bodies") && out.contains(word), "{out}");
            let refused = server.tool(&["--listen", "127.0.0.1:0", "serve"]);
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(2), "{told}");
            assert!(told.contains(expected), "{told}");
        }
        keys.write(&[KEY_1]);
        server.restart();
        assert_filled(&server, group, 100);
        await_that("the first pass", || key_status(&server).0 == Some(0));
        let output = server.tool(&["key", "status", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&status["active"], &status["done"]), (&1.into(), &true.into()), "{status}");
        assert_eq!(status["keys"][1]["bodies"], 101, "{status}");
        assert_eq!(status["keys"][1]["may_go"], false, "{status}");
    }
}

#[test]
fn e1_a_flipped_byte_is_told_and_the_rest_is_shown() {
    for database in Database::both() {
        let keys = KeyFile::new(&[KEY_1]);
        let mut server = keys.setup(database.clone()).start();
        let group = fill(&server, 100);
        assert_sound(&server);
        server.kill();
        let observer = server.observer(database.url());
        let flip = if database.url().is_some() {
            "set_byte(body, 20, 255 - get_byte(body, 20))"
        } else {
            "CAST(substr(body, 1, 20) || CASE hex(substr(body, 21, 1)) WHEN 'FF' THEN x'00' \
             ELSE x'FF' END || substr(body, 22) AS BLOB)"
        };
        let sql =
            format!("UPDATE entries SET body = {flip} WHERE conversation_id = {group} AND seq = 7");
        observer.execute(&sql).expect("a flipped byte");
        server.restart();
        for encoding in ENCODINGS {
            let log = Client::session(&server, 1, encoding).log(group);
            assert_eq!(log.len(), 101);
            for entry in &log[1..] {
                let expected = (entry.seq != 7).then(|| format!("f{} {CANARY}", entry.seq - 2));
                assert_eq!(text(entry), expected.as_deref(), "entry {}", entry.seq);
            }
        }
        let log = server.log();
        let told = log.lines().find(|line| line.contains("does not open")).expect("an error");
        assert!(told.contains("ERROR") && told.contains("seq=7"), "{told}");
        assert!(!log.contains(CANARY), "the log holds no body");

        let check = |tool: &mut std::process::Command| {
            let output = tool.output().expect("a check");
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code() != Some(2), "it could not look: {error}");
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let with_file = check(&mut server.tool_command(&["db", "check", "--bodies"]));
        // The same keys from the environment, with a configuration that names no file.
        fs::write(server.data_dir().with_file_name("bare.toml"), "").expect("a file");
        let mut bare = std::process::Command::new(env!("CARGO_BIN_EXE_ringwire"));
        bare.current_dir(server.data_dir().with_file_name(""))
            .args(["db", "check", "--bodies", "--config", "bare.toml", "--data-dir", "data"])
            .args(database.url().map(|url| format!("--database={url}")))
            .env("RINGWIRE_STORAGE_KEYS", KEY_1);
        let with_environment = check(&mut bare);
        for (code, out) in [with_file, with_environment] {
            assert_eq!(code, Some(1), "{out}");
            let finding = format!("body_sealed_wrong conversation={group}: entry 7: ");
            assert!(out.starts_with(&finding), "{out}");
            assert!(out.ends_with("1 finding, 0 hints\n"), "only that one: {out}");
        }
        let mut keyless = server.tool_command(&["db", "check", "--bodies"]);
        keys.write(&[]);
        let (code, out) = check(&mut keyless);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.contains("key_missing"), "{out}");
    }
}
