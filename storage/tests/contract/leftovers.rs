//! What stays in the files of SQLite after it is gone from the database.

use std::fs;
use std::time::Duration;

use ringwire_storage::Database;
use ringwire_storage::append::Append;
use ringwire_storage::encryption::ActiveKey;

use crate::support::{Backend, Bench, body, keys, message};

/// Written once into each body; not a beginning that FTS5 would share with the word before.
const WORD: &str = "zzyzxq";

fn text(body: &[u8]) -> Option<String> {
    String::from_utf8(body.to_vec()).ok()
}

/// How often the word stands in the closed file.
async fn found(bench: Bench) -> usize {
    let Bench { store, config, _folder, .. } = bench;
    store.shut_down(Duration::from_mins(1)).await;
    drop(store);
    let Database::Sqlite { dir } = config.database else { unreachable!() };
    let path = dir.join("ringwire.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let number = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let kept = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], number).unwrap();
    assert_eq!(kept, 0, "everything is in the file");
    let file = fs::read(path).unwrap();
    file.windows(WORD.len()).filter(|at| *at == WORD.as_bytes()).count()
}

/// Bodies of different lengths, some on pages of their own.
async fn filled() -> Bench {
    let bench = Bench::new(Backend::Sqlite).await;
    let id = bench.direct().await;
    let says = |seq: u64| {
        let padding =
            ".".repeat((seq * 37 % 400 + if seq.is_multiple_of(50) { 9_000 } else { 0 }) as usize);
        Append { body: body(&format!("{padding} {WORD}")), ..message(id, seq) }
    };
    bench.append((2..=700).map(says).collect());
    bench
}

#[tokio::test]
async fn e1_sealed_bodies_leave_nothing_plain_in_the_file() {
    assert_eq!(found(filled().await).await, 699, "plain bodies are found this way");
    let mut bench = filled().await;
    bench.config.keys = keys(&[1], ActiveKey::Highest);
    let bench = bench.reopened().await;
    while bench.store.reseal_step().await.unwrap().more {}
    assert_eq!(found(bench).await, 0);
}

impl Bench {
    /// Empties all bodies and overwrites them, as erasing them does.
    fn erase_all(&self) {
        let Database::Sqlite { dir } = &self.config.database else { unreachable!() };
        let connection = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
        connection.busy_timeout(Duration::from_mins(1)).unwrap();
        connection.pragma_update(None, "secure_delete", true).unwrap();
        connection.execute("UPDATE entries SET body = x''", []).unwrap();
    }
}

/// Few of many rows, so that FTS5 does not merge by itself.
#[tokio::test]
async fn erased_words_leave_nothing_in_the_index() {
    let bench = Bench::with(Backend::Sqlite, |config| config.search_text = Some(text)).await;
    let id = bench.direct().await;
    let says = |seq: u64| {
        let text = if seq == 350 { WORD.to_owned() } else { format!("word{seq}") };
        Append { body: body(&text), ..message(id, seq) }
    };
    bench.append((2..=700).map(says).collect());
    while bench.store.index_step().await.unwrap() {}
    bench.erase_all();
    bench.store.reindex(id, &[350]).await.unwrap();
    let bench = bench.reopened().await;
    while bench.store.index_step().await.unwrap() {}
    assert_eq!(found(bench).await, 0);
}

#[tokio::test]
async fn a_log_that_a_long_read_made_long_is_cut() {
    const MOST: u64 = 64 * 1024 * 1024;
    let bench = Bench::new(Backend::Sqlite).await;
    let id = bench.direct().await;
    let Database::Sqlite { dir } = &bench.config.database else { unreachable!() };
    let length = || fs::metadata(dir.join("ringwire.db-wal")).unwrap().len();
    let large = bytes::Bytes::from(vec![b'x'; 1024 * 1024]);
    {
        let reading = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
        reading.execute_batch("BEGIN").unwrap();
        reading.query_row("SELECT count(*) FROM entries", [], |_| Ok(())).unwrap();
        for seq in 2..=72 {
            bench.append(vec![Append { body: large.clone(), ..message(id, seq) }]);
        }
        assert!(length() > MOST, "{} bytes", length());
    }
    // One commit copies it, the next one begins it anew.
    for seq in 73..=75 {
        bench.append(vec![message(id, seq)]);
    }
    assert!(length() <= MOST, "{} bytes", length());
}
