//! An embedded installation moves to Postgres: people go on where they were, and a copy cut short leaves nothing.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use ringwire_protocol::wire;
use serde_json::json;

use crate::support::client::{Client, Upgrade};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::support::{ENCODINGS, http};

fn url_of(database: &Database) -> &str {
    match database {
        Database::Postgres(url) => url,
        Database::Sqlite => "sqlite",
    }
}

/// Stops a server as an operator does before a copy.
fn stop(server: &mut ServerProcess) {
    server.terminate();
    assert!(server.wait().success());
}

fn assert_tool(server: &ServerProcess, arguments: &[&str]) -> String {
    let output = server.tool(arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn people_go_on_where_they_were() {
    let credentials = json!({"username": "ann", "password": "correct horse battery"});
    let mut server = Setup::new().without_rates().start();
    let registered = http::post(server.address(), "/api/v1/auth/register", &credentials).json();
    let ann: u64 = registered["user"]["user_id"].as_str().unwrap().parse().unwrap();
    let token = registered["token"].as_str().unwrap().to_owned();
    let bob = ann + 1;
    let mut other = Client::session(&server, bob, ENCODINGS[0]);
    let mut client = with_token(&server, &token);
    let group = client.create_group(&[bob]);
    let acks: Vec<wire::SendAck> =
        (0..50).map(|n| client.say(group, &format!("m{n}"), &format!("text {n}"))).collect();
    let opened = other.open_direct(ann);
    let log = client.log(group);
    other.read_up_to(group, 31);
    drop((client, other));

    let target = Database::postgres();
    stop(&mut server);
    let told = assert_tool(&server, &["db", "copy", "--from", "sqlite", "--to", url_of(&target)]);
    assert!(told.contains("entries: 52 rows\n"), "{told}");
    assert!(told.contains("both sides are equal"), "{told}");
    server.move_to(target.clone());
    assert_tool(&server, &["db", "check", "--bodies"]);
    server.restart();

    let mut client = with_token(&server, &token);
    assert_eq!(client.log(group), log);
    assert_eq!(client.say(group, "m7", "text 7"), acks[7], "an old retry is the old message");
    let next = client.say(group, "next", "text");
    assert_eq!(next.seq, acks[49].seq + 1);
    let mut other = Client::session(&server, bob, ENCODINGS[0]);
    assert_eq!(other.head(group).read_seq, 31);
    assert_eq!(other.open_direct(ann).head, opened.head);
    let second = client.create_group(&[bob]);
    let id = crate::support::chat::id_of(&opened);
    assert!(second > group.max(id), "{second} was given away before");
    let login = http::post(server.address(), "/api/v1/auth/login", &credentials);
    assert_eq!(login.json()["user"]["user_id"], ann.to_string());
    let carol = json!({"username": "carol", "password": "correct horse battery"});
    let carol = http::post(server.address(), "/api/v1/auth/register", &carol).json();
    let carol: u64 = carol["user"]["user_id"].as_str().unwrap().parse().unwrap();
    assert!(carol != ann && carol != bob, "{carol} was given away before");
    drop((client, other));
    stop(&mut server);
    assert_tool(&server, &["db", "check", "--bodies"]);

    // And back, into a folder of its own.
    let place = ["--to", "sqlite", "--data-dir", "back"];
    assert_tool(&server, &[&["db", "copy", "--from", url_of(&target)][..], &place].concat());
    let check = ["db", "check", "--bodies", "--database", "sqlite", "--data-dir", "back"];
    assert_tool(&server, &check);
}

fn with_token(server: &ServerProcess, token: &str) -> Client {
    let upgrade = Upgrade::encoding(ENCODINGS[1]).bearer(token);
    let mut client =
        Client::upgrade(server.address(), &upgrade, ENCODINGS[1]).expect("a WebSocket");
    client.connect(wire::Connect::default()).expect("a session");
    client
}

#[test]
fn a_copy_killed_midway_leaves_an_empty_target() {
    let mut postgres = ringwire_testkit::PrivatePostgres::start().expect("a private Postgres");
    let url = postgres.url();
    let mut server = ServerProcess::start(&[]);
    let mut client = Client::session(&server, 1, ENCODINGS[0]);
    let group = client.create_group(&[]);
    for number in 0..20 {
        client.say(group, &format!("m{number}"), "text");
    }
    drop(client);
    stop(&mut server);
    let copy = ["db", "copy", "--from", "sqlite", "--to", &url];

    // Everything is in the target, not committed, when the copy meets a lock.
    assert_tool(&server, &["migrate", "--database", &url]);
    let hold = Holder::of(&url, "BEGIN; ALTER SEQUENCE user_ids RESTART 1");
    let mut child = server.tool_command(&copy).stdout(Stdio::piped()).spawn().expect("a copy");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let entries = lines.map_while(Result::ok).find(|line| line.starts_with("entries: "));
    assert_eq!(entries.as_deref(), Some("entries: 21 rows"));
    child.kill().expect("killing the copy");
    child.wait().expect("waiting for the copy");
    drop(hold);

    // The server forgets a transaction whose client is gone; after a restart certainly.
    postgres.kill9().expect("killing Postgres");
    postgres.restart().expect("starting Postgres");
    for table in ["users", "entries", "conversations"] {
        let none = format!(
            "DO $$ BEGIN IF EXISTS (SELECT FROM {table}) THEN RAISE EXCEPTION 'rows'; END IF; END $$"
        );
        postgres.execute(&none).expect(table);
    }
    let told = assert_tool(&server, &copy);
    assert!(told.contains("entries: 21 rows\n"), "{told}");
    let again = server.tool(&copy);
    assert_eq!(again.status.code(), Some(2));
    let err = String::from_utf8_lossy(&again.stderr);
    assert!(err.contains("the target holds rows in users already"), "{err}");
}

/// A session that keeps a transaction open until it is dropped.
struct Holder {
    _runtime: tokio::runtime::Runtime,
}

impl Holder {
    fn of(url: &str, sql: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a connection");
            tokio::spawn(connection);
            client.batch_execute(sql).await.expect(sql);
            // Kept by the runtime.
            tokio::spawn(async move {
                let _client = client;
                std::future::pending::<()>().await;
            });
        });
        Self { _runtime: runtime }
    }
}
