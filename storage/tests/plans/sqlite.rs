//! SQLite is asked for the plan of every statement it ran; a trace on each connection tells which these are.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Mutex;

use ringwire_storage::{Database, StoreConfig};
use rusqlite::{Connection, ffi};

use crate::exercise;
use crate::fill::{self, Dialect};
use crate::source::{missing, patterns, squeeze};
use crate::support::Bench;

struct Sql;

impl Dialect for Sql {
    fn series(count: u64) -> String {
        format!(
            "(WITH RECURSIVE t (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < {count})
              SELECT i FROM t) AS t"
        )
    }

    fn bytes(text: &str) -> String {
        format!("CAST('{text}' AS BLOB)")
    }

    fn digest() -> String {
        "CAST(printf('%032d', i) AS BLOB)".to_owned()
    }
}

/// Words of the entries.
const REST: &str = "INSERT INTO search_entries (conversation_id, seq, created_at)
        SELECT conversation_id, seq, created_at FROM entries
        WHERE seq % 3 = 1 AND conversation_id < 19900;
    INSERT INTO search_words (rowid, words)
        SELECT id, 'common w' || (seq % 1000) || ' tail' FROM search_entries;
    UPDATE ids SET next = 2000000";

/// What may be gone through from end to end, as plans call it.
const SCANNED: [&str; 13] = [
    // Lists of keys that the store made.
    "SCAN j VIRTUAL TABLE",
    "SCAN json_each VIRTUAL TABLE",
    // The rows that hold a word, and one row.
    "SCAN w VIRTUAL TABLE INDEX 0:M",
    "SCAN search_words VIRTUAL TABLE INDEX 0:=",
    // Nothing, one row, a row for each key, and the deletions under way.
    "SCAN CONSTANT ROW",
    "SCAN command_key",
    "SCAN body_keys",
    "SCAN deletions",
    "SCAN d",
    "SCAN sqlite_schema",
    // Operators are few.
    "SCAN operators",
    "SCAN o",
    "SCAN o USING INDEX sqlite_autoindex_operators_1",
];

/// Statements that read the first rows of a table and stop there.
const FIRST_ROWS: [&str; 4] = [
    "SELECT id FROM search_entries ORDER BY id LIMIT ?1",
    "SELECT 1 FROM search_entries LIMIT 1",
    "SELECT NOT EXISTS (SELECT 1 FROM search_positions)",
    // And some that count the first rows.
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM push_outbox LIMIT",
];

/// Statements that are not run here.
const NOT_RUN: [&str; 7] = [
    // Needs keys, with which there is no search: a pass in the order of the primary key, and counts for operators.
    "reseal.rs ",
    // When the last piece of the index is gone: reads nothing.
    "search.rs INSERT INTO search_words (search_words)",
    // FTS5 merges its own tables.
    "search.rs INSERT INTO search_words (search_words, rank)",
    "search.rs SELECT total_changes()",
    // At start-up.
    "schema.rs ",
    // A part of others.
    "snapshots.rs SELECT max(n.seq) FROM",
    "snapshots.rs SELECT count(*) FROM ( SELECT",
];

static RAN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Called by SQLite for every statement that begins.
unsafe extern "C" fn note(_: c_uint, _: *mut c_void, _: *mut c_void, sql: *mut c_void) -> c_int {
    // SAFETY: for SQLITE_TRACE_STMT this is the text of the statement, which ends with a zero and lives for this call.
    let sql = unsafe { CStr::from_ptr(sql.cast::<c_char>()) };
    RAN.lock().unwrap().insert(sql.to_string_lossy().into_owned());
    0
}

/// Called by SQLite for every connection that is opened.
unsafe extern "C" fn trace(
    connection: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: the connection is open; the function has the signature that SQLite documents and takes no context.
    unsafe {
        ffi::sqlite3_trace_v2(
            connection,
            ffi::SQLITE_TRACE_STMT as c_uint,
            Some(note),
            std::ptr::null_mut(),
        )
    }
}

#[tokio::test]
async fn no_statement_of_sqlite_reads_a_growing_table_from_end_to_end() {
    // SAFETY: the function has the signature of an extension's entry point, which it is from here to the end.
    let done = unsafe { ffi::sqlite3_auto_extension(Some(trace)) };
    assert_eq!(done, ffi::SQLITE_OK);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ringwire.db");
    let mut config = StoreConfig::new(Database::Sqlite { dir: folder.path().to_owned() });
    config.search_text = Some(exercise::text);
    config.outbox = exercise::outbox();
    let mut bench = Bench::open(config, Some(folder)).await;
    let client = Connection::open(file).unwrap();
    client.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
    client.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF").unwrap();
    client.execute_batch("PRAGMA cache_size = -200000; BEGIN").unwrap();
    for statement in fill::statements::<Sql>().iter().map(String::as_str).chain([REST]) {
        let done = client.execute_batch(statement);
        done.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    client.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

    let patterns = patterns("sqlite");
    let (mut ran, mut wrong) = (BTreeSet::new(), Vec::new());
    for (round, state) in (0..exercise::ROUNDS).zip(["young", "analyzed"]) {
        if state == "analyzed" {
            client.execute_batch("ANALYZE").unwrap();
        }
        RAN.lock().unwrap().clear();
        bench = exercise::everything(bench, round).await;
        let all = std::mem::take(&mut *RAN.lock().unwrap());
        let own = all.into_iter().filter(|sql| patterns.iter().any(|pattern| pattern.matches(sql)));
        for sql in own {
            for line in scans(&client, &sql) {
                wrong.push(format!("{state}, {line}: {sql}"));
            }
            ran.insert(sql);
        }
    }
    let missing = missing(&patterns, &ran, &NOT_RUN);
    assert!(missing.is_empty(), "not exercised:\n{}", missing.join("\n"));
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The tables that a statement reads from end to end.
fn scans(client: &Connection, sql: &str) -> Vec<String> {
    if FIRST_ROWS.iter().any(|first| squeeze(sql).contains(first)) {
        return Vec::new();
    }
    let plan = plan(client, sql);
    // What a part of the statement has found is as long as that part makes it.
    let found: Vec<String> = plan
        .iter()
        .filter_map(|line| {
            line.strip_prefix("CO-ROUTINE ").or_else(|| line.strip_prefix("MATERIALIZE "))
        })
        .map(|name| format!("SCAN {name}"))
        .collect();
    let is_scan = |line: &&String| {
        line.starts_with("SCAN ")
            && !found.contains(line)
            && !SCANNED.iter().any(|known| {
                *line == known || (known.contains("VIRTUAL") && line.starts_with(known))
            })
    };
    plan.iter().filter(is_scan).cloned().collect()
}

/// The lines of a statement's plan.
fn plan(client: &Connection, sql: &str) -> Vec<String> {
    let mut statement = client.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get(3).unwrap());
    }
    lines
}
