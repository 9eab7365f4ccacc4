//! Databases that are away, newer, locked or not there.

use std::sync::Arc;
use std::time::Duration;

use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::{Database, Store, StoreConfig, StoreError};
use ringwire_testkit::{ChaosProxy, PrivatePostgres};

use crate::support::{self, Backend, Bench, body, message, open, user};

on_both!(a_newer_major_schema_is_refused, opening_again_finds_everything);

async fn a_newer_major_schema_is_refused(backend: Backend) {
    const NEWER: &str = "INSERT INTO schema_migrations (version, major, name) VALUES (900, 2, 'x')";
    let bench = Bench::new(backend).await;
    bench.store.shut_down(Duration::from_secs(10)).await;
    match &bench.config.database {
        Database::Sqlite { dir } => {
            let connection = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
            connection.execute(NEWER, []).unwrap();
        }
        Database::Postgres { url } => {
            let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
            let (client, connection) = connected.unwrap();
            tokio::spawn(connection);
            client.execute(NEWER, &[]).await.unwrap();
        }
    }
    let Bench { store, config, _folder, .. } = bench;
    drop(store);
    let refused = open(config.database).await;
    let refused = refused.expect_err("it must not open");
    assert!(matches!(refused, StoreError::SchemaTooNew { found: 2, .. }), "{refused}");
    assert!(!refused.is_temporary());
}

async fn opening_again_finds_everything(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    bench.store.shut_down(Duration::from_secs(10)).await;
    let Bench { store, config, _folder, .. } = bench;
    drop(store);
    let store = open(config.database).await.unwrap();
    assert_eq!(store.load_tail(id, 0, 10).await.unwrap().unwrap().entries.len(), 2);
    assert_eq!(store.open_direct(user(1), user(2), 1, body("")).await.unwrap(), (id, false));
}

#[tokio::test]
async fn a_data_folder_serves_one_process() {
    let bench = Bench::new(Backend::Sqlite).await;
    let second = bench.another().await.expect_err("the folder is taken");
    assert!(matches!(second, StoreError::DataFolderLocked(_)), "{second}");
    assert!(second.to_string().contains("--data-dir"), "it says how to mend it: {second}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = open(support::sqlite(&file.join("data"))).await.err().unwrap();
    assert!(matches!(refused, StoreError::DataFolderUnreadable { .. }), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ringwire.db"), "certainly not a database, but long enough")
        .unwrap();
    let refused = open(support::sqlite(folder.path())).await.err().unwrap();
    assert!(matches!(refused, StoreError::FileDamaged(_)), "{refused}");
    assert!(!refused.is_temporary(), "somebody has to restore a backup");
    let path = folder.path().join("ringwire.db").display().to_string();
    assert!(refused.to_string().contains(&path), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_another_try() {
    let url = "postgres://someone@127.0.0.1:1/none".to_owned();
    let refused = open(Database::Postgres { url }).await.err().unwrap();
    assert!(refused.is_temporary(), "{refused}");
}

#[tokio::test]
async fn d9_a_lost_commit_answer_never_duplicates() {
    let server = PrivatePostgres::start().unwrap();
    let proxy = ChaosProxy::start(server.port()).unwrap();
    let url = format!("postgres://ringwire@127.0.0.1:{}/postgres", proxy.port());
    let answers = Arc::new(support::Answers::default());
    let mut config = StoreConfig::new(Database::Postgres { url });
    config.writers = 1;
    let store = Store::open(config, answers.sink()).await.unwrap();
    for number in 1..=3 {
        store.ensure_user(user(number), "", 1).await.unwrap();
    }
    let (id, _) = store.create_group(support::group(1, &[2]), 1).await.unwrap();
    // The first append makes the writer's connection.
    store.submit(message(id, 2)).unwrap();
    assert_eq!(answers.take(1)[0].outcome, Outcome::Committed);

    for round in 0..5 {
        let seq = 3 + 2 * round;
        proxy.lose_next_answer();
        let join = Append { change: Change::Join(vec![user(3)]), ..message(id, seq) };
        store.submit(join).unwrap();
        assert_eq!(answers.take(1)[0].outcome, Outcome::Committed);
        proxy.lose_next_answer();
        store.submit(message(id, seq + 1)).unwrap();
        assert_eq!(answers.take(1)[0].outcome, Outcome::Committed);
    }
    assert_eq!(proxy.lost_answers(), 10, "every answer was lost once");
    let log = store.load_tail(id, 0, 100).await.unwrap().unwrap().entries;
    assert_eq!(log.len(), 12);
    assert_eq!(store.heads(user(1), None, &[], 1).await.unwrap().0[0].member_count, 3);
}

#[tokio::test]
async fn d3_killed_backends_lose_and_double_nothing() {
    let bench = Bench::with(Backend::Postgres, |config| config.writers = 1).await;
    let id = bench.direct().await;
    let Database::Postgres { url } = &bench.config.database else { unreachable!() };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for round in 0..20 {
        for seq in 2 + round * 50..2 + (round + 1) * 50 {
            bench.store.submit(message(id, seq)).unwrap();
        }
        client
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'ringwire' AND datname = current_database()",
                &[],
            )
            .await
            .unwrap();
    }
    let answers = bench.answers.take(1_000);
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed));
    let log = bench.store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
    assert_eq!(log.len(), 1_001);
}

#[tokio::test]
async fn a_head_known_before_a_connection_was_lost_needs_its_base() {
    let bench = Bench::with(Backend::Postgres, |config| config.writers = 1).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    let (stale, next) = (message(id, 4), message(id, 3));
    // The connection is lost while nothing is under way, and the server that answers next lacks the last entry.
    let Database::Postgres { url } = &bench.config.database else { unreachable!() };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'ringwire' AND datname = current_database()";
    client.execute(cut, &[]).await.unwrap();
    client.execute("DELETE FROM entries WHERE seq = 3", &[]).await.unwrap();
    assert_eq!(bench.append(vec![stale]), [(4, Outcome::Conflict)]);
    let rebased = Append { generation: 2, ..next };
    assert_eq!(bench.append(vec![rebased]), [(3, Outcome::Committed)]);
}

#[tokio::test]
async fn d3_d4_a_database_that_comes_back_finds_the_entries_waiting() {
    let mut server = PrivatePostgres::start().unwrap();
    let answers = Arc::new(support::Answers::default());
    let config = StoreConfig::new(Database::Postgres { url: server.url() });
    let store = Store::open(config, answers.sink()).await.unwrap();
    store.ensure_user(user(1), "", 1).await.unwrap();
    store.ensure_user(user(2), "", 1).await.unwrap();
    let (id, _) = store.open_direct(user(1), user(2), 1, body("")).await.unwrap();

    let mut head = 1;
    for kill in [false, true] {
        if kill { server.kill9() } else { server.stop() }.unwrap();
        for seq in head + 1..=head + 100 {
            store.submit(message(id, seq)).unwrap();
        }
        head += 100;
        let error = store.ping().await.expect_err("nobody is there");
        assert!(error.is_temporary(), "{error}");
        assert_eq!(answers.len(), 0, "nothing is acknowledged meanwhile");
        server.restart().unwrap();
        let outcomes = answers.take(100);
        assert!(outcomes.iter().all(|answer| answer.outcome == Outcome::Committed));
    }
    let log = store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
    assert_eq!(log.len(), 201);

    // Without the database, shutting down ends all the same and counts what was never acknowledged.
    server.stop().unwrap();
    for seq in head + 1..=head + 7 {
        store.submit(message(id, seq)).unwrap();
    }
    assert_eq!(store.shut_down(Duration::from_millis(500)).await, 7);
    assert_eq!(answers.len(), 0);
}

#[tokio::test]
async fn d4_a_frozen_database_that_goes_on_doubles_nothing() {
    let server = PrivatePostgres::start().unwrap();
    let answers = Arc::new(support::Answers::default());
    let config = StoreConfig::new(Database::Postgres { url: server.url() });
    let store = Store::open(config, answers.sink()).await.unwrap();
    store.ensure_user(user(1), "", 1).await.unwrap();
    store.ensure_user(user(2), "", 1).await.unwrap();
    let (id, _) = store.open_direct(user(1), user(2), 1, body("")).await.unwrap();

    server.pause().unwrap();
    for seq in 2..=101 {
        store.submit(message(id, seq)).unwrap();
    }
    if std::env::var_os("RINGWIRE_TEST_FULL").is_some() {
        // Longer than a writer waits for an answer: it gives the first attempt up while that may still come to pass.
        tokio::time::sleep(Duration::from_secs(40)).await;
    }
    assert_eq!(answers.len(), 0);
    server.resume().unwrap();
    let outcomes = answers.take(100);
    assert!(outcomes.iter().all(|answer| answer.outcome == Outcome::Committed));
    let log = store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
    assert_eq!(log.len(), 101);
}
