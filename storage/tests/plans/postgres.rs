//! Postgres tells the plans itself: `auto_explain` logs every statement with the plan it ran.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringwire_storage::{Database, StoreConfig};
use ringwire_testkit::PrivatePostgres;
use serde_json::Value;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::exercise;
use crate::fill::{self, Dialect};
use crate::source::{Pattern, missing, patterns};
use crate::support::Bench;

struct Sql;

impl Dialect for Sql {
    fn series(count: u64) -> String {
        format!("generate_series(1, {count}) AS t (i)")
    }

    fn bytes(text: &str) -> String {
        format!("'{text}'::bytea")
    }

    fn digest() -> String {
        "sha256(i::text::bytea)".to_owned()
    }
}

/// Words of the entries, and the sequences behind the ids.
const REST: &str = "INSERT INTO search_entries (conversation_id, seq, created_at, words)
        SELECT conversation_id, seq, created_at,
            ('''common'':1 ''w' || seq % 1000 || ''':2 ''tail'':3')::tsvector
        FROM entries WHERE seq % 3 = 1 AND conversation_id < 19900;
    SELECT setval('conversation_ids', 2000000), setval('user_ids', 2000000)";

/// Small whatever happens: one row, or one for each key, operator, migration or deletion under way.
const SMALL: [&str; 6] =
    ["command_key", "operator", "body_", "schema_migrations", "deletions", "pg_"];

/// Statements that are not run here.
const NOT_RUN: [&str; 7] = [
    // Needs keys, with which there is no search: a pass in the order of the primary key, and counts for operators.
    "reseal.rs ",
    // A part of others.
    "snapshots.rs SELECT n.seq, n.msg_no FROM",
    "snapshots.rs SELECT count(*) FROM ( SELECT",
    // At start-up.
    "schema.rs ",
    // Converting reads everything once, with nobody beside; counting is at start-up.
    "partitions.rs ",
    // After a collision of ids: a range of the primary key.
    "ids.rs SELECT id FROM users WHERE id >=",
    // After a race: the primary key.
    "directory.rs SELECT FROM identities WHERE",
];

/// Most rows that a sort may hold unless it keeps only the first few.
const SORTED: f64 = 20_000.0;

#[tokio::test]
async fn no_statement_of_postgres_reads_a_growing_table_from_end_to_end() {
    let server = PrivatePostgres::start_with(&[
        "session_preload_libraries=auto_explain",
        "auto_explain.log_min_duration=0",
        "auto_explain.log_format=json",
        "auto_explain.log_nested_statements=on",
        "autovacuum=off",
        "fsync=off",
        "max_wal_size=8GB",
    ])
    .unwrap();
    let url = server.create_database("plans").unwrap();
    let mut config = StoreConfig::new(Database::Postgres { url: url.clone() });
    config.search_text = Some(exercise::text);
    config.outbox = exercise::outbox();
    config.writers = 1;
    let mut bench = Bench::open(config, None).await;
    let client = connect(&url).await;
    client.batch_execute("SET auto_explain.log_min_duration = -1").await.unwrap();
    // Foreign keys hold by the way the rows are made.
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    for statement in fill::statements::<Sql>().iter().map(String::as_str).chain([REST]) {
        let done = client.batch_execute(statement).await;
        done.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
    }

    let patterns = patterns("postgres");
    let log = Log { server: &server, read: AtomicUsize::new(0) };
    let (mut ran, mut wrong) = (BTreeSet::new(), Vec::new());
    for (round, state) in (0..exercise::ROUNDS).zip(["young", "analyzed"]) {
        log.take();
        if state == "analyzed" {
            client.batch_execute("ANALYZE").await.unwrap();
        }
        // Somebody holds the row of a conversation that wants to change: the writer looks whose row it is.
        client
            .batch_execute("BEGIN; SELECT FROM conversations WHERE id = 9500 FOR UPDATE")
            .await
            .unwrap();
        exercise::held_up(&bench, round);
        client.batch_execute("ROLLBACK").await.unwrap();
        bench = exercise::everything(bench, round).await;
        let mut here = BTreeSet::new();
        for plan in log.take() {
            let sql = plan["Query Text"].as_str().unwrap().to_owned();
            let report = &mut |what| wrong.push(format!("{state}, {what}: {sql}"));
            // Of the statements of this store: tests have their own.
            if patterns.iter().any(|pattern| pattern.matches(&sql)) {
                check(&plan["Plan"], false, state == "analyzed", report);
                here.insert(sql);
            }
        }
        for sql in &here {
            if let Some(plan) = generic_plan(&client, &patterns, sql).await {
                let report = &mut |what| wrong.push(format!("{state}, any values, {what}: {sql}"));
                check(&plan, false, state == "analyzed", report);
            }
        }
        ran.extend(here);
    }
    let missing = missing(&patterns, &ran, &NOT_RUN);
    assert!(missing.is_empty(), "not exercised:\n{}", missing.join("\n"));
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// What the server logged, from where it was last read.
struct Log<'a> {
    server: &'a PrivatePostgres,
    read: AtomicUsize,
}

impl Log<'_> {
    /// The plans.
    fn take(&self) -> Vec<Value> {
        let log = self.server.log().unwrap();
        let new = &log[self.read.swap(log.len(), Ordering::Relaxed)..];
        let mut plans = Vec::new();
        let mut lines = new.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.ends_with(" plan:") {
                continue;
            }
            let mut json = String::new();
            while let Some(line) = lines.peek().and_then(|line| line.strip_prefix('\t')) {
                json.push_str(line);
                json.push('\n');
                lines.next();
            }
            let plan = serde_json::from_str(&json);
            plans.push(plan.unwrap_or_else(|error| panic!("{error}: {json}")));
        }
        plans
    }
}

/// Walks a plan. `limited`: only the first rows of it are wanted. `sorts`: estimates can be believed.
fn check(plan: &Value, limited: bool, sorts: bool, wrong: &mut dyn FnMut(String)) {
    let node = plan["Node Type"].as_str().unwrap_or_default();
    if node == "Seq Scan" {
        let table = plan["Relation Name"].as_str().unwrap_or_default();
        if !SMALL.iter().any(|small| table.starts_with(small)) {
            wrong(format!("sequential scan of {table}"));
        }
    }
    let rows = plan["Plan Rows"].as_f64().unwrap_or_default();
    if node.contains("Sort") && !limited && sorts && rows > SORTED {
        wrong(format!("sort of {rows} rows"));
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        check(below, node == "Limit", sorts, wrong);
    }
}

/// As the sessions of the pool, but with plans for any values.
const GENERIC: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off;";

/// The plan for any values. Writers always have that one, under settings of their own: theirs is in the log.
async fn generic_plan(client: &Client, patterns: &[Pattern], sql: &str) -> Option<Value> {
    if patterns.iter().any(|pattern| {
        ["append.rs", "changes.rs"].contains(&&*pattern.file) && pattern.matches(sql)
    }) {
        return None;
    }
    let uses = |number: &usize| sql.contains(&format!("${number}"));
    let nulls = vec!["NULL"; (1..=20).rev().find(uses).unwrap_or(0)].join(", ");
    let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let prepare = format!("{GENERIC} PREPARE asked AS {sql}");
    let prepared = client.batch_execute(&prepare).await;
    prepared.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked{values}");
    let rows = client.simple_query(&explain).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    client.batch_execute("DEALLOCATE asked").await.unwrap();
    let text = rows.iter().find_map(|row| match row {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })?;
    let plans: Value = serde_json::from_str(text).unwrap();
    Some(plans[0]["Plan"].clone())
}
