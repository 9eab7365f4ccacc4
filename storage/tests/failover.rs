//! Postgres's primary fails, turns read-only, or keeps a statement waiting: entries wait, none is lost, none is doubled,
//! and nobody has to restart anything.

#[expect(dead_code, reason = "shared with the contract suite, which needs more of it")]
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::append::Outcome;
use ringwire_storage::encryption::{ActiveKey, BodyKeys, KeyUse, new_key_line};
use ringwire_storage::{Database, Store, StoreConfig};
use ringwire_testkit::PrivatePostgres;

use support::{Answers, body, message, user};

/// A store on one or more servers, with the direct conversation of users 1 and 2, whose head is 1.
async fn store_on(url: String) -> (Store, Arc<Answers>, ConversationId) {
    let answers = Arc::new(Answers::default());
    let mut config = StoreConfig::new(Database::Postgres { url });
    config.pool_size = 1;
    let store = Store::open(config, answers.sink()).await.unwrap();
    for number in 1..=2 {
        store.ensure_user(user(number), "", 1).await.unwrap();
    }
    let (id, _) = store.open_direct(user(1), user(2), 1, body("")).await.unwrap();
    (store, answers, id)
}

fn submit(store: &Store, id: ConversationId, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        store.submit(message(id, seq)).unwrap();
    }
}

/// Waits for the answers to so many entries; all of them are acks.
fn all_committed(answers: &Answers, count: usize) {
    let outcomes = answers.take(count);
    assert_eq!(outcomes.len(), count);
    for answer in outcomes {
        assert_eq!(answer.outcome, Outcome::Committed, "seq {}", answer.seq);
    }
}

/// The log has exactly the messages up to this head.
async fn log_is_whole(store: &Store, id: ConversationId, head: u64) {
    let log = loop {
        match store.load_tail(id, 0, 10_000).await {
            Ok(page) => break page.unwrap().entries,
            // A pooled connection may learn only now that its server died.
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
    };
    assert_eq!(
        log.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        (1..=head).collect::<Vec<_>>()
    );
    for entry in &log[1..] {
        assert_eq!(entry.body, body(&format!("text {}", entry.seq)));
    }
}

fn both(first: &PrivatePostgres, second: &PrivatePostgres) -> String {
    format!("postgres://ringwire@127.0.0.1:{},127.0.0.1:{}/postgres", first.port(), second.port())
}

/// A session of an operator.
async fn operator(server: &PrivatePostgres) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Asks until the answer is yes.
async fn until(client: &tokio_postgres::Client, question: &str) {
    while !client.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sets the whole server read-only or writable and waits until every new session is.
async fn set_read_only(server: &PrivatePostgres, read_only: bool) {
    let value = if read_only { "on" } else { "off" };
    let client = operator(server).await;
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    client.batch_execute(&set).await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let is = format!("SELECT current_setting('default_transaction_read_only') = '{value}'");
    until(&client, &is).await;
    // The postmaster answers a new connection only when it has told all the others.
    until(&operator(server).await, &is).await;
}

#[tokio::test]
async fn c4_d3_a_failover_to_a_synchronous_standby_loses_no_ack() {
    // From its first commit on, the primary waits for the standby.
    let mut primary = PrivatePostgres::start_with(&["synchronous_standby_names=*"]).unwrap();
    let standby = primary.standby().unwrap();
    // The standby comes first in the address: it is passed over while it cannot write.
    let (store, answers, id) = store_on(both(&standby, &primary)).await;

    submit(&store, id, 2..=301);
    let acked = answers.take(100);
    assert!(acked.iter().all(|answer| answer.outcome == Outcome::Committed));
    primary.kill9().unwrap();
    submit(&store, id, 302..=401);
    standby.promote().unwrap();
    all_committed(&answers, 400 - acked.len());
    submit(&store, id, 402..=500);
    all_committed(&answers, 99);
    log_is_whole(&store, id, 500).await;
    store.ensure_user(user(3), "", 1).await.unwrap();
}

#[tokio::test]
async fn c4_connections_leave_a_primary_that_became_read_only() {
    let mut old = PrivatePostgres::start_with(&["synchronous_standby_names=*"]).unwrap();
    let new = old.standby().unwrap();
    let (store, answers, id) = store_on(both(&old, &new)).await;
    submit(&store, id, 2..=51);
    all_committed(&answers, 50);

    // The old primary stays up, connections and all, but takes no more writes.
    set_read_only(&old, true).await;
    submit(&store, id, 52..=101);
    let error = store.ensure_user(user(3), "", 1).await.expect_err("nobody can write");
    assert!(error.is_temporary() && error.to_string().contains("read-only"), "{error}");
    assert_eq!(answers.len(), 0, "nothing is acknowledged meanwhile");
    new.promote().unwrap();
    all_committed(&answers, 50);
    log_is_whole(&store, id, 101).await;
    store.ensure_user(user(3), "", 1).await.unwrap();
    let gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'ringwire'";
    until(&operator(&old).await, gone).await;
}

#[tokio::test]
async fn c4_with_a_read_only_server_entries_wait_and_reads_go_on() {
    let server = PrivatePostgres::start().unwrap();
    let (store, answers, id) = store_on(server.url()).await;
    submit(&store, id, 2..=11);
    all_committed(&answers, 10);

    set_read_only(&server, true).await;
    submit(&store, id, 12..=21);
    for _ in 0..3 {
        let error = store.ensure_user(user(3), "", 1).await.expect_err("it is read-only");
        assert!(error.is_temporary() && error.to_string().contains("25006"), "{error}");
        log_is_whole(&store, id, 11).await;
    }
    assert_eq!(answers.len(), 0, "nothing is acknowledged meanwhile");
    set_read_only(&server, false).await;
    all_committed(&answers, 10);
    log_is_whole(&store, id, 21).await;
    // A pooled session that was opened while the server took no writes is replaced after its next try.
    while let Err(error) = store.ensure_user(user(3), "", 1).await {
        assert!(error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn a_statement_out_of_time_is_repeated_until_the_lock_is_gone() {
    let server = PrivatePostgres::start().unwrap();
    let (store, answers, id) = store_on(server.url()).await;
    let mut holder = operator(&server).await;
    let operator = operator(&server).await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE entries IN EXCLUSIVE MODE").await.unwrap();
    submit(&store, id, 2..=11);
    // What a time limit does, and at once: SQLSTATE 57014.
    let mut cancelled = BTreeSet::new();
    while cancelled.len() < 3 {
        let waiting = operator
            .query(
                "SELECT pid FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND application_name = 'ringwire'",
                &[],
            )
            .await
            .unwrap();
        for row in waiting {
            let pid: i32 = row.get(0);
            operator.execute("SELECT pg_cancel_backend($1)", &[&pid]).await.unwrap();
            cancelled.insert(pid);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(answers.len(), 0, "an entry that waits is neither acknowledged nor rejected");
    lock.rollback().await.unwrap();
    all_committed(&answers, 10);
    log_is_whole(&store, id, 11).await;
}

#[tokio::test]
async fn a_rejected_entry_does_not_quote_its_body() {
    let server = PrivatePostgres::start().unwrap();
    let (store, answers, id) = store_on(server.url()).await;
    server.execute("ALTER TABLE entries ADD CONSTRAINT picky CHECK (seq <> 2)").unwrap();
    submit(&store, id, 2..=2);
    let answer = answers.take(1).remove(0);
    let Outcome::Rejected { reason } = answer.outcome else { panic!("{answer:?}") };
    assert!(reason.contains("picky") && reason.contains("23514"), "{reason}");
    // As Postgres shows a bytea, in hexadecimal.
    assert!(!reason.contains("74657874") && !reason.contains("text 2"), "{reason}");
}

/// A pass that brought every body under the new key must hear of whoever writes with the old one later: also of a node
/// whose sessions came to a standby before, and live on when it is promoted.
#[tokio::test]
async fn e1_what_a_promoted_standbys_sessions_write_is_resealed() {
    let mut primary = PrivatePostgres::start().unwrap();
    let standby = primary.standby().unwrap();
    let old = new_key_line(1).unwrap();
    let new = format!("{}\n{}", *old, *new_key_line(2).unwrap());
    let open = async |url: String, lines: &str| {
        let mut config = StoreConfig::new(Database::Postgres { url });
        config.pool_size = 1;
        config.keys = Arc::new(BodyKeys::parse(lines, ActiveKey::Highest).unwrap());
        Store::open(config, Arc::new(Answers::default()).sink()).await.unwrap()
    };
    let pass_until = async |store: &Store, bodies: u64| {
        while store.key_uses().await.unwrap() != [KeyUse { key_id: 2, entries: bodies }] {
            while store.reseal_step().await.unwrap().more {}
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    let any = format!("{}?target_session_attrs=any", both(&primary, &standby));
    let older = open(any, &old).await;
    for number in 1..=3 {
        older.ensure_user(user(number), "", 1).await.unwrap();
    }
    let (first, _) = older.open_direct(user(1), user(2), 1, body("one")).await.unwrap();
    let at_standby = operator(&standby).await;
    until(&at_standby, "SELECT to_regclass('entries') IS NOT NULL").await;
    until(&at_standby, "SELECT count(*) = 1 FROM entries").await;
    // While the primary is away the older node reads from the standby, and keeps that session.
    primary.kill9().unwrap();
    while older.load_tail(first, 0, 10).await.is_err() {}
    let connected = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'ringwire'";
    until(&at_standby, connected).await;
    primary.restart().unwrap();

    let newer = open(primary.url(), &new).await;
    pass_until(&newer, 1).await;
    newer.shut_down(Duration::from_secs(10)).await;
    drop(newer);
    until(&at_standby, "SELECT done AND target = 2 FROM body_pass").await;
    primary.kill9().unwrap();
    standby.promote().unwrap();
    until(&at_standby, "SELECT NOT pg_is_in_recovery()").await;

    let second = loop {
        match older.open_direct(user(1), user(3), 1, body("two")).await {
            Ok((second, _)) => break second,
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
    };
    older.shut_down(Duration::from_secs(10)).await;
    drop(older);
    let newer = open(standby.url(), &new).await;
    let gone = "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'ringwire'";
    newer.ping().await.unwrap();
    until(&at_standby, gone).await;
    while newer.reseal_step().await.unwrap().more {}
    assert_eq!(newer.key_uses().await.unwrap(), [KeyUse { key_id: 2, entries: 2 }]);
    let log = newer.load_tail(second, 0, 10).await.unwrap().unwrap().entries;
    assert_eq!(log[0].body, body("two"));
}
