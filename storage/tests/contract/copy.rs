//! `copy` moves everything, so that life goes on in the target as if it had always been there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::operate::copy::{self, CopyError};
use ringwire_storage::operate::migrate::migrate;
use ringwire_storage::{Database, Store, StoreConfig, StoreError};
use ringwire_testkit::PrivatePostgres;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::check::{kinds, lived_in};
use crate::support::{self, Answers, Backend, Bench, message};

on_both!(
    everything_arrives_on_the_other_database,
    everything_arrives_on_the_same_kind,
    a_target_in_use_is_refused_and_left_alone,
    a_source_in_use_is_refused,
);

/// The rows of each table that was copied.
#[derive(Default)]
struct Tables(BTreeMap<&'static str, u64>);

impl copy::Observer for Tables {
    fn copying(&mut self, _: &'static str, _: u64) {}

    fn copied(&mut self, table: &'static str, rows: u64) {
        self.0.insert(table, rows);
    }

    fn comparing(&mut self, _: &'static str, _: u64) {}
}

/// A row in each table that a store of this release does not fill by itself.
const MORE: &[&str] = &[
    "INSERT INTO identities VALUES ('issuer', 'sübject', 2), ('issuer', 'Subject', 1)",
    "INSERT INTO credentials VALUES (1, 'hash', 1)",
    "INSERT INTO aliases VALUES ('lobby', 'Lobby', 2, 1), ('Z', 'Z', 2, 1), ('ä', 'ä', 2, 1)",
    "INSERT INTO devices (user_id, device_id, created_at, last_seen_at) VALUES (1, 'd', 1, 1)",
    "INSERT INTO blocks VALUES (1, 2, 1)",
    "INSERT INTO contacts VALUES (1, 2, 'Böb', 1)",
    "INSERT INTO push_outbox VALUES (1, 10, 1, 0, 1)",
    "INSERT INTO push_deliveries VALUES (1, 'd', 1, 10, 1, 0, 1)",
    "INSERT INTO hook_outbox VALUES ('ä', 1, 10, 1, 1, 0, 1), ('Z', 0, 1, 13, 1, 0, 1)",
    "INSERT INTO audit (at, actor_id, action, target) VALUES (1, 0, 'a', 't'), (2, 0, 'a', 't')",
    "INSERT INTO operators (name, name_key, password_hash, role, created_at)
     VALUES ('Root', 'root', 'hash', 2, 1), ('ä', 'ä', 'hash', 0, 1)",
    "INSERT INTO account_bans (account_id, banned_at, operator_id) VALUES (3, 1, 1)",
    "INSERT INTO orders (at, kind, accounts, text) VALUES (1, 0, '[1,2]', 'ö')",
    "INSERT INTO retention_marks VALUES (1, 1, 1)",
    "INSERT INTO deletions (user_id, deleted_at) VALUES (3, 1)",
    "INSERT INTO edits (conversation_id, seq, target_seq) VALUES (1, 5, 4)",
    "INSERT INTO reactions (conversation_id, seq, user_id, reaction)
     VALUES (1, 5, 1, 'ä'), (1, 5, 2, 'Z')",
    "INSERT INTO reaction_counts (conversation_id, seq, reaction, count)
     VALUES (1, 5, 'ä', 1), (1, 5, 'Z', 1)",
    "INSERT INTO pins (conversation_id, seq, pinned_by_seq) VALUES (1, 4, 6)",
    "INSERT INTO bans (conversation_id, user_id, until) VALUES (2, 2, 99)",
    "INSERT INTO join_requests (conversation_id, user_id, text, requested_at) VALUES (2, 2, 'ö', 1)",
    "INSERT INTO mentions (user_id, conversation_id, seq) VALUES (2, 1, 5), (0, 1, 6)",
    "INSERT INTO hidden (user_id, conversation_id, seq, view_no) VALUES (1, 1, 4, 1)",
];
const TOKEN: &str = "INSERT INTO refresh_tokens
    (token_hash, family_id, user_id, created_at, expires_at) VALUES ({32}, {16}, 1, 1, 2)";
const LOGIN: &str = "INSERT INTO operator_tokens (token_hash, operator_id, expires_at)
    VALUES ({32}, (SELECT min(id) FROM operators), 2)";
const RESET: &str = "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES ({32}, 1, 1, 2)";
const FILE: &str = "INSERT INTO attachments
    (file_id, owner_id, name, mime_type, size_bytes, sha256, created_at)
    VALUES ('f', 1, 'n', 'm', 1, {32}, 1)";

/// A database with something in every table, and nobody serving from it.
async fn full(backend: Backend) -> Bench {
    let bench = lived_in(backend).await;
    let bytes = |count: usize| match backend {
        Backend::Sqlite => format!("x'{}'", "ab".repeat(count)),
        Backend::Postgres | Backend::PostgresPartitioned => format!("'\\x{}'", "ab".repeat(count)),
    };
    for sql in MORE.iter().chain(&[TOKEN, RESET, FILE, LOGIN]) {
        bench.execute(&sql.replace("{32}", &bytes(32)).replace("{16}", &bytes(16))).await;
    }
    bench
}

/// Ends the server of a bench; its folder stays as long as the second value.
async fn stopped(bench: Bench) -> (Database, Option<TempDir>) {
    let Bench { store, config, _folder: folder, .. } = bench;
    store.shut_down(Duration::from_secs(10)).await;
    (config.database, folder)
}

fn empty(backend: Backend) -> (Database, Option<TempDir>) {
    match backend {
        Backend::Sqlite => {
            let folder = tempfile::tempdir().unwrap();
            (support::sqlite(folder.path()), Some(folder))
        }
        Backend::Postgres | Backend::PostgresPartitioned => {
            (Database::Postgres { url: support::fresh_database() }, None)
        }
    }
}

/// Copies a full database and goes on living in the copy.
async fn moves(from: Backend, to: Backend) {
    let bench = full(from).await;
    let id = ConversationId::new(1).unwrap();
    let store = bench.store.clone();
    let key = store.command_key().await.unwrap();
    let log = store.load_tail(id, 0, 100).await.unwrap();
    drop(store);
    let (source, _source_folder) = stopped(bench).await;
    let (target, _target_folder) = empty(to);
    if to.partitions() > 0 {
        migrate(&target, to.partitions()).await.unwrap();
    }
    let mut tables = Tables::default();
    let rows = copy::copy(&source, &target, &mut tables).await.unwrap();
    assert_eq!(rows, tables.0.values().sum::<u64>());
    for (table, rows) in &tables.0 {
        assert!(*rows > 0, "nothing in {table} to be copied: this test does not test it");
    }
    assert_eq!(kinds(&source).await, BTreeSet::new());
    assert_eq!(kinds(&target).await, BTreeSet::new());
    let again = copy::copy(&source, &target, &mut Tables::default()).await;
    assert!(matches!(again, Err(CopyError::NotEmpty(_))), "{again:?}");

    let answers = Arc::new(Answers::default());
    let store = Store::open(StoreConfig::new(target.clone()), answers.sink()).await.unwrap();
    let bench = Bench { store, answers, config: StoreConfig::new(target.clone()), _folder: None };
    assert_eq!(bench.store.command_key().await.unwrap(), key);
    assert_eq!(bench.store.load_tail(id, 0, 100).await.unwrap(), log);
    let mut retry = message(id, 11);
    retry.client_msg_id = "m7".into();
    let outcomes = bench.append(vec![retry]);
    assert!(matches!(outcomes[0].1, Outcome::Duplicate { seq: 7, .. }), "{outcomes:?}");
    let mut next = message(id, 11);
    next.generation = 2;
    assert_eq!(bench.append(vec![next]), [(11, Outcome::Committed)]);
    let (group, made) = bench.store.create_group(support::group(2, &[1]), 5_000).await.unwrap();
    assert!(made && group.as_i64() > 2, "{group:?}");
    bench.execute("INSERT INTO audit (at, actor_id, action, target) VALUES (3, 0, 'a', 't')").await;
    assert_eq!(bench.numbers("SELECT max(id) FROM audit").await, [3]);
    let user = bench.store.resolve_identity("issuer", "new", Some("new"), 1).await.unwrap();
    assert!(user.as_ref().is_some_and(|user| user.user_id.as_i64() > 3), "{user:?}");
    bench.store.shut_down(Duration::from_secs(10)).await;
    assert_eq!(kinds(&target).await, BTreeSet::new());
}

async fn everything_arrives_on_the_other_database(from: Backend) {
    let to = match from {
        Backend::Sqlite => Backend::Postgres,
        Backend::Postgres | Backend::PostgresPartitioned => Backend::Sqlite,
    };
    moves(from, to).await;
}

#[tokio::test]
async fn everything_arrives_in_partitions_and_out_of_them() {
    moves(Backend::Sqlite, Backend::PostgresPartitioned).await;
    moves(Backend::PostgresPartitioned, Backend::Postgres).await;
}

async fn everything_arrives_on_the_same_kind(backend: Backend) {
    moves(backend, backend).await;
}

async fn a_target_in_use_is_refused_and_left_alone(backend: Backend) {
    let (source, _folder) = stopped(full(Backend::Sqlite).await).await;
    let serving = Bench::new(backend).await;
    serving.users(1).await;
    let target = serving.config.database.clone();
    let refused = copy::copy(&source, &target, &mut Tables::default()).await;
    match backend {
        Backend::Sqlite => assert!(
            matches!(refused, Err(CopyError::Store(StoreError::DataFolderLocked(_)))),
            "{refused:?}"
        ),
        Backend::Postgres | Backend::PostgresPartitioned => {
            assert!(matches!(refused, Err(CopyError::InUse("target"))), "{refused:?}");
        }
    }
    assert_eq!(serving.numbers("SELECT count(*) FROM users").await, [1]);
    let same = copy::copy(&source, &source, &mut Tables::default()).await;
    assert!(matches!(same, Err(CopyError::Same)), "{same:?}");
}

async fn a_source_in_use_is_refused(backend: Backend) {
    let bench = lived_in(backend).await;
    let (target, _folder) = empty(Backend::Sqlite);
    let refused = copy::copy(&bench.config.database, &target, &mut Tables::default()).await;
    match backend {
        Backend::Sqlite => assert!(
            matches!(refused, Err(CopyError::Store(StoreError::DataFolderLocked(_)))),
            "{refused:?}"
        ),
        Backend::Postgres | Backend::PostgresPartitioned => {
            assert!(matches!(refused, Err(CopyError::InUse("source"))), "{refused:?}");
        }
    }
    assert_eq!(bench.append(vec![message(ConversationId::new(1).unwrap(), 11)]).len(), 1);
}

#[tokio::test]
async fn a_server_is_known_whatever_name_its_address_gives_it() {
    let url = support::fresh_database();
    let named = format!("{url}{}application_name=chat", if url.contains('?') { '&' } else { '?' });
    let config = StoreConfig::new(Database::Postgres { url: named });
    let serving = Bench::open(config, None).await;
    serving.users(1).await;
    let (target, _folder) = empty(Backend::Sqlite);
    let source = Database::Postgres { url };
    let refused = copy::copy(&source, &target, &mut Tables::default()).await;
    assert!(matches!(refused, Err(CopyError::InUse("source"))), "{refused:?}");
}

#[tokio::test]
async fn every_table_and_sequence_of_postgres_is_known_to_copy() {
    let (source, _folder) = stopped(full(Backend::Sqlite).await).await;
    let url = support::fresh_database();
    let target = Database::Postgres { url: url.clone() };
    let mut tables = Tables::default();
    copy::copy(&source, &target, &mut tables).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let names = async |kinds: &str| -> BTreeSet<String> {
        let sql = format!(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
             AND relkind IN ({kinds}) AND NOT relispartition"
        );
        client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let mut known: BTreeSet<String> = tables.0.keys().map(|name| (*name).to_owned()).collect();
    // Written by migrating, and what the server makes anew.
    let made = ["schema_migrations", "body_pass", "search_entries", "search_positions"];
    known.extend(made.map(str::to_owned));
    assert_eq!(names("'r', 'p'").await, known);
    let sequences =
        ["audit_id_seq", "conversation_ids", "operators_id_seq", "orders_id_seq", "user_ids"]
            .map(str::to_owned);
    assert_eq!(names("'S'").await, BTreeSet::from(sequences));
}

#[tokio::test]
async fn a_difference_undoes_the_copy() {
    let (source, _folder) = stopped(full(Backend::Sqlite).await).await;
    let url = support::fresh_database();
    let target = Database::Postgres { url: url.clone() };
    migrate(&target, 0).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let meddle = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.msg_no := 0; RETURN NEW; END $$;
        CREATE TRIGGER meddle BEFORE INSERT ON entries FOR EACH ROW
            WHEN (NEW.seq = 7) EXECUTE FUNCTION meddle()";
    client.batch_execute(meddle).await.unwrap();
    let differs = copy::copy(&source, &target, &mut Tables::default()).await;
    assert!(matches!(differs, Err(CopyError::Differs { table: "entries", row: 7 })), "{differs:?}");
    let left = client.query_one("SELECT count(*) FROM users", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0, "the target is as empty as before");
    client.batch_execute("DROP TRIGGER meddle ON entries").await.unwrap();
    copy::copy(&source, &target, &mut Tables::default()).await.unwrap();
}

/// The order in which a deletion walks is the same on both databases, whatever the language of Postgres.
#[tokio::test]
async fn a_deletion_under_way_goes_on_behind_its_position() {
    let bench = Bench::new(Backend::Sqlite).await;
    let id = bench.direct().await;
    // Upper case comes first byte by byte, and last in a dictionary.
    let named = |seq| {
        let letter = if seq <= 501 { 'Z' } else { 'a' };
        Append { client_msg_id: format!("{letter}{seq}").into(), ..message(id, seq) }
    };
    bench.append((2..=511).map(named).collect());
    bench.store.delete_user(support::user(1), None).await.unwrap();
    bench.execute("UPDATE deletions SET deleted_at = deleted_at - 120001").await;
    while bench.store.erase_step().await.unwrap().erased == 0 {}
    let at_a_z = "SELECT count(*) FROM deletions WHERE client_msg_id LIKE 'Z%'";
    assert_eq!(bench.numbers(at_a_z).await, [1], "it stopped before the others");
    let (source, _folder) = stopped(bench).await;

    let by_language = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"];
    let server = PrivatePostgres::start_in(&std::env::temp_dir(), &[], &by_language).unwrap();
    let target = Database::Postgres { url: server.url() };
    copy::copy(&source, &target, &mut Tables::default()).await.unwrap();
    let bench = Bench::open(StoreConfig::new(target), None).await;
    while bench.store.erase_step().await.unwrap().more {}
    let left = "SELECT count(*) FROM entries WHERE sender_id = 1 AND seq > 1 AND length(body) > 0";
    assert_eq!(bench.numbers(left).await, [0]);
}
