//! The log in partitions: made so, brought there and back, also under the hands of who writes and reads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringwire_storage::append::Outcome;
use ringwire_storage::operate::migrate::{self, Converted};
use ringwire_storage::{Database, StoreError};
use tokio_postgres::{Client, NoTls};

use crate::check::{kinds, lived_in};
use crate::support::{self, Backend, Bench, message, user};

async fn connect(database: &Database) -> Client {
    let Database::Postgres { url } = database else { panic!("not a server") };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Columns, constraints, indexes and rights of entries, as text.
async fn shape(client: &Client) -> Vec<String> {
    let shape = "SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
            attcollation::regcollation,
            (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
        FROM pg_attribute WHERE attrelid = 'entries'::regclass AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE conrelid = 'entries'::regclass
        UNION ALL
        SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
        WHERE indrelid = 'entries'::regclass
        UNION ALL
        SELECT concat_ws(' ', grantee::regrole, privilege_type) FROM pg_class, aclexplode(relacl)
        WHERE oid = 'entries'::regclass AND grantee <> relowner
        UNION ALL
        SELECT DISTINCT concat('options ', array_to_string(reloptions, ',')) FROM pg_class
        WHERE oid IN (SELECT relid FROM pg_partition_tree('entries') WHERE isleaf)
            OR (oid = 'entries'::regclass AND relkind = 'r')
        ORDER BY 1";
    client.query(shape, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn rows(client: &Client) -> String {
    let rows = "SELECT count(*) || md5(string_agg(e::text, '|' ORDER BY conversation_id, seq)) FROM entries e";
    client.query_one(rows, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_new_database_is_made_with_its_partitions() {
    let plain = Bench::new(Backend::Postgres).await;
    let parted = Bench::new(Backend::PostgresPartitioned).await;
    assert_eq!(migrate::partitions(&plain.config.database).await.unwrap(), 0);
    assert_eq!(migrate::partitions(&parted.config.database).await.unwrap(), 5);
    let one = shape(&connect(&plain.config.database).await).await;
    let other = shape(&connect(&parted.config.database).await).await;
    assert!(one.iter().any(|line| line.starts_with("entries_once UNIQUE")), "{one:?}");
    assert_eq!(one, other);
    // An existing database is kept as it is.
    let mut config = parted.config.clone();
    config.partitions = 7;
    let again = Bench::open(config, None).await;
    assert_eq!(migrate::partitions(&again.config.database).await.unwrap(), 5);
}

#[tokio::test]
async fn a_database_is_converted_there_and_back() {
    let bench = lived_in(Backend::Postgres).await;
    let database = bench.config.database.clone();
    let client = connect(&database).await;
    let make = "CREATE ROLE reader; GRANT SELECT ON entries TO reader;
        ALTER TABLE entries SET (autovacuum_vacuum_scale_factor = 0.05);
        CREATE INDEX own ON entries (created_at) WHERE seq > 5;
        UPDATE entries SET key_id = 3, body_version = 2 WHERE seq = 4";
    client.batch_execute(make).await.unwrap();
    let (before_shape, before_rows) = (shape(&client).await, rows(&client).await);
    let mut before = 0;
    for after in [4, 256, 3, 0] {
        let done = migrate::partition(&database, after).await.unwrap();
        let count = client.query_one("SELECT count(*) FROM entries", &[]).await.unwrap();
        let count = count.get::<_, i64>(0) as u64;
        assert_eq!(done, Some(Converted { before, after, rows: count }));
        assert_eq!(migrate::partition(&database, after).await.unwrap(), None);
        assert_eq!(migrate::partitions(&database).await.unwrap(), after);
        assert_eq!(shape(&client).await, before_shape, "{after} partitions");
        assert_eq!(rows(&client).await, before_rows, "{after} partitions");
        // As a later migration does.
        let alter =
            "ALTER TABLE entries ADD COLUMN more text NOT NULL DEFAULT 'x' CHECK (more <> '')";
        client.batch_execute(alter).await.unwrap();
        client.batch_execute("ALTER TABLE entries DROP COLUMN more").await.unwrap();
        before = after;
    }
    client.batch_execute("DROP OWNED BY reader; DROP ROLE reader").await.unwrap();
}

/// Waits until the query finds at least so many.
async fn until(client: &Client, query: &str, count: i64) {
    for _ in 0..3_000 {
        if client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count}: {query}");
}

/// A conversion that has copied everything waits before it drops the old table while somebody holds lock 42.
const GATE: &str = "CREATE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql SET lock_timeout = '1min'
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); END $$;
    CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION wait()";
/// Who waits at the gate, and who of the server waits for the conversion.
const AT_GATE: &str =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted";
const WAITING: &str = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE locktype = 'relation' AND NOT granted AND application_name LIKE 'ringwire%'
    AND datname = current_database()";

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_and_reads_meanwhile_waits_and_misses_nothing() {
    let bench = Bench::new(Backend::Postgres).await;
    let database = bench.config.database.clone();
    let id = bench.direct().await;
    bench.append((2..=10).map(|seq| message(id, seq)).collect());
    let client = connect(&database).await;
    client.batch_execute(GATE).await.unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let (store, answers) = (bench.store.clone(), Arc::clone(&bench.answers));
    let writer = {
        let stop = Arc::clone(&stop);
        tokio::task::spawn_blocking(move || {
            let mut acked = Vec::new();
            for seq in 11.. {
                store.submit(message(id, seq)).unwrap();
                let answer = answers.take(1).remove(0);
                assert_eq!((answer.seq, answer.outcome), (seq, Outcome::Committed));
                acked.push(seq);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            acked
        })
    };
    for partitions in [4, 9, 0] {
        client.batch_execute("SELECT pg_advisory_lock(42)").await.unwrap();
        let conversion = tokio::spawn({
            let database = database.clone();
            async move { migrate::partition(&database, partitions).await }
        });
        until(&client, AT_GATE, 1).await;
        let readers: Vec<_> = (0..4)
            .map(|number| {
                let store = bench.store.clone();
                tokio::spawn(async move {
                    if number % 2 == 0 {
                        let loaded = store.load_conversation(id, 100_000).await.unwrap().unwrap();
                        (loaded.recent.len() as u64, loaded.head.seq)
                    } else {
                        let page = store.sync_page(user(1), id, 0, 100_000).await.unwrap().unwrap();
                        (page.entries.len() as u64, page.head.seq)
                    }
                })
            })
            .collect();
        let check = tokio::task::spawn_blocking({
            let (database, runtime) = (database.clone(), tokio::runtime::Handle::current());
            move || runtime.block_on(kinds(&database))
        });
        // Four readers, the check and the writer; one with a snapshot by now would find an empty table.
        until(&client, WAITING, 6).await;
        client.batch_execute("SELECT pg_advisory_unlock(42)").await.unwrap();
        assert!(conversion.await.unwrap().unwrap().is_some());
        for reader in readers {
            let (entries, head) = reader.await.unwrap();
            assert!(head >= 10 && entries == head, "{entries} of {head} entries");
        }
        assert_eq!(check.await.unwrap(), BTreeSet::new());
    }
    stop.store(true, Ordering::Relaxed);
    let acked = writer.await.unwrap();
    let log = bench.store.load_tail(id, 10, 1_000_000).await.unwrap().unwrap();
    let stored: Vec<_> = log.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(stored, acked, "each once, none lost");
    assert_eq!(kinds(&database).await, BTreeSet::new());
}

#[tokio::test]
async fn a_conversion_that_is_refused_changes_nothing() {
    let bench = lived_in(Backend::PostgresPartitioned).await;
    let database = bench.config.database.clone();
    let client = connect(&database).await;
    let before = rows(&client).await;
    let make =
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER strange AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION f()";
    client.batch_execute(make).await.unwrap();
    let refused = migrate::partition(&database, 2).await;
    let Err(StoreError::Fatal(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("trigger strange"), "{reason}");
    client.batch_execute("DROP TRIGGER strange ON entries").await.unwrap();
    // Somebody reads for longer than a conversion waits.
    client.batch_execute("BEGIN; SELECT FROM entries LIMIT 1").await.unwrap();
    let refused = migrate::partition(&database, 2).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(migrate::partitions(&database).await.unwrap(), 5);
    assert_eq!(rows(&client).await, before);

    let folder = tempfile::tempdir().unwrap();
    let refused = migrate::partition(&support::sqlite(folder.path()), 2).await;
    assert!(matches!(refused, Err(StoreError::NoPartitions)), "{refused:?}");
}
