//! The description of the HTTP API is true: schemathesis (`gateway/tests/openapi/`) reads it, makes requests out of it
//! that it allows and that it does not, and holds every answer against it.
//!
//! ```text
//!   world: accounts, conversations, files ─► schemathesis ─ as a user, an operator, nobody ─► server, on either database
//! ```
//!
//! Invariant: a server error, an answer that is described otherwise, and a request that should have been refused and was
//! not, are faults. The short variant makes the same requests each time.

use std::path::Path;
use std::process::{Command, Stdio};

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::admin;
use crate::support::chat::id_of;
use crate::support::client::Client;
use crate::support::endpoint::Endpoint;
use crate::support::files;
use crate::support::full;
use crate::support::http::{give_as, post};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

/// Who deletes their account, over and over.
const PASSING: u64 = 4;
/// Who is banned and kicked.
const PASSING_USER: u64 = 5;
/// Whoever waits to be let into a group.
const WAITING: u64 = 3;

/// What the program is told of a world in which most of what is asked for exists.
struct World {
    server: ServerProcess,
    known: Vec<(&'static str, String)>,
    token: String,
    operator: String,
    /// Where the server sends what it pushes and mails.
    _elsewhere: Endpoint,
    _sessions: Vec<Client>,
}

impl World {
    fn new(database: Database) -> Self {
        let elsewhere = Endpoint::start(200, "");
        let setup = Setup::new().database(database).without_rates().config(&format!(
            "address_attempts_per_min = 0\naccount_attempts_per_min = 0\n\
             [files]\nuser_uploads_per_s = 0\n\
             [push]\nwebhook_url = \"{}\"\nwebhook_secrets = [\"a secret of the tests\"]\n\
             web_push_subject = \"mailto:ops@example.org\"\ndelay_ms = 600000",
            elsewhere.url("/push"),
        ));
        let mut server = setup.start();
        let password = admin::create(&mut server, "root", "admin");
        let address = server.address();
        let login = json!({"name": "root", "password": password});
        let operator = post(address, "/api/v1/admin/login", &login).json()["token"].clone();
        let account = json!({"username": "ann", "password": "correct horse"});
        let ann = post(address, "/api/v1/auth/register", &account);
        assert_eq!(ann.status, 201, "{ann:?}");
        let ann: u64 = text(&ann.json()["user"]["user_id"]).parse().expect("an id");

        let connect = wire::Connect { device_id: "phone".to_owned(), ..Default::default() };
        let (mut session, _) = Client::session_with(&server, ann, Encoding::Json, connect);
        let sessions = [2, WAITING, PASSING, PASSING_USER]
            .map(|user| Client::session(&server, user, Encoding::Protobuf));
        let group = session.create_group(&[2, PASSING_USER]);
        let passing = session.create_group(&[2]);
        let direct = id_of(&session.open_direct(2));
        for conversation in [group, direct] {
            for words in ["words", "more words", "other words"] {
                session.say(conversation, words, words);
            }
        }
        let as_user = |user: u64, path: &str, body: Value| {
            let answer = give_as(address, &server.token(user), "POST", path, &[], &body);
            assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
            answer.json()
        };
        let settings =
            json!({"title": "by approval", "join_policy": "BY_APPROVAL", "max_members": 100});
        let body = json!({"kind": "GROUP", "settings": settings});
        let closed = as_user(ann, "/api/v1/conversations", body);
        let closed = text(&closed["head"]["conversation"]["conversation_id"]);
        as_user(
            WAITING,
            &format!("/api/v1/conversations/{closed}/join"),
            json!({"text": "please"}),
        );
        let picture = files::uploaded(&server, ann, "a.png", &files::png(8, 8));
        let words = files::uploaded(&server, ann, "a.txt", b"words in a file");
        let known = vec![
            ("RINGWIRE_GROUP", group.to_string()),
            ("RINGWIRE_CLOSED", closed),
            ("RINGWIRE_DIRECT", direct.to_string()),
            ("RINGWIRE_PASSING", passing.to_string()),
            ("RINGWIRE_USER", ann.to_string()),
            ("RINGWIRE_OTHER", "2".to_owned()),
            ("RINGWIRE_WAITING", WAITING.to_string()),
            ("RINGWIRE_PASSING_USER", PASSING_USER.to_string()),
            ("RINGWIRE_PASSING_TOKEN", server.token(PASSING)),
            ("RINGWIRE_PICTURE", files::id_of(&picture)),
            ("RINGWIRE_TEXT", files::id_of(&words)),
        ];
        let token = server.token(ann);
        let operator = text(&operator);
        let sessions = std::iter::once(session).chain(sessions).collect();
        Self { server, known, token, operator, _elsewhere: elsewhere, _sessions: sessions }
    }

    /// Has requests made with this token, or none, to the operations that `which` says, `examples` for each.
    fn examine(&self, token: Option<&str>, which: &[&str], examples: u32) {
        let python = std::env::var_os("RINGWIRE_PYTHON").expect(
            "RINGWIRE_PYTHON names no Python with gateway/tests/openapi/requirements.txt; cargo xtask test makes one",
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
        let mut command = Command::new(python);
        command
            .current_dir(self.server.data())
            .args(["-m", "schemathesis.cli", "--config-file"])
            .arg(folder.join("schemathesis.toml"))
            .args(["run", &format!("{}api/openapi.json", self.server.url()), "--no-color"])
            .args(["--max-examples", &examples.to_string()])
            .args(which)
            .envs(self.known.iter().map(|(name, value)| (name, value)))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null());
        if !full() {
            command.args(["--generation-deterministic", "--no-shrink"]);
        }
        if let Some(token) = token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.output().expect("schemathesis can be started");
        let told = String::from_utf8_lossy(&output.stdout);
        let more = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "as {which:?}:\n{told}\n{more}");
        // A run that asked nothing would find nothing.
        let made = told.lines().find_map(|line| line.trim().split_once(" generated"));
        let made: u32 = made.and_then(|(made, _)| made.parse().ok()).expect("how many requests");
        assert!(made >= 50, "{told}");
        println!("{which:?}: {made} requests");
        let log = self.server.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Examples for each operation; ten times as many in the long variant.
fn examples(few: u32) -> u32 {
    if full() { few * 10 } else { few }
}

#[test]
fn answers_are_as_described_on_sqlite() {
    let world = World::new(Database::Sqlite);
    let phases = "--phases=coverage,fuzzing";
    world.examine(Some(&world.token), &["--exclude-tag=administration", phases], examples(2));
    world.examine(Some(&world.operator), &["--include-tag=administration", phases], examples(2));
    world.examine(None, &["--phases=fuzzing"], examples(1));
}

#[test]
fn answers_are_as_described_on_postgres() {
    let world = World::new(Database::postgres());
    let phases = "--phases=fuzzing";
    world.examine(Some(&world.token), &["--exclude-tag=administration", phases], examples(3));
    world.examine(Some(&world.operator), &["--include-tag=administration", phases], examples(3));
}
