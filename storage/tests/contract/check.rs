//! `check` finds nothing in a sound database and each kind of damage in one that has it.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ringwire_storage::encryption::{ActiveKey, BodyKeys};
use ringwire_storage::operate::check::{self, Finding, FindingKind, Observer};
use ringwire_storage::{Database, StoreError};
use tokio_postgres::NoTls;

use crate::support::{self, Backend, Bench, message, user};

on_both!(
    a_sound_database_has_no_findings,
    each_kind_of_damage_is_found,
    each_part_of_the_schema_is_missed,
    what_a_newer_release_adds_is_no_finding,
    a_log_without_its_arbiters_is_not_served,
    keys_are_looked_at_without_bodies,
    an_empty_database_is_not_checked,
    a_check_does_not_wait_for_the_server,
);

also_partitioned!(
    a_sound_database_has_no_findings,
    each_part_of_the_schema_is_missed,
    what_a_newer_release_adds_is_no_finding,
    a_log_without_its_arbiters_is_not_served,
);

/// A key, for bodies that say they are sealed.
const KEYS: &str = "1 = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Remembers what was found.
#[derive(Default)]
struct Found(Vec<Finding>);

impl Observer for Found {
    fn looks_at(&mut self, _: &str) {}

    fn finds(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

/// The kinds found, with every body looked at: those of this suite are texts.
pub(crate) async fn kinds(database: &Database) -> BTreeSet<FindingKind> {
    let mut found = Found::default();
    let keys = BodyKeys::parse(KEYS, ActiveKey::Plain).unwrap();
    let readable = |body: &[u8]| std::str::from_utf8(body).is_ok();
    check::check(database, &keys, Some(&readable), &mut found).await.unwrap();
    found.0.iter().map(|finding| finding.kind).collect()
}

/// What is found in the database of a bench, with its keys and without looking at bodies; not what lags behind.
pub(crate) async fn kinds_with(bench: &Bench) -> Vec<FindingKind> {
    let mut found = Found::default();
    let keys = &bench.config.keys;
    check::check(&bench.config.database, keys, None, &mut found).await.unwrap();
    found.0.iter().map(|finding| finding.kind).filter(|kind| !kind.is_hint()).collect()
}

/// Does the damage, with all guards of the database off.
async fn inflict(harm: &Damage, database: &Database) {
    match database {
        Database::Sqlite { dir } => {
            let sql = &harm.sqlite;
            let path = dir.join("ringwire.db");
            let connection = rusqlite::Connection::open(&path).unwrap();
            let unguarded = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
            connection.execute_batch(unguarded).unwrap();
            connection.execute_batch(sql).unwrap();
            if let Some(index) = harm.wiped {
                wipe(&connection, &path, index);
            }
        }
        Database::Postgres { url } => {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let unguarded = "SET session_replication_role = replica";
            client.batch_execute(unguarded).await.unwrap();
            client.batch_execute(&harm.postgres).await.unwrap();
        }
    }
}

/// Overwrites the first page of an index.
fn wipe(connection: &rusqlite::Connection, path: &Path, index: &str) {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    let root = number(&format!("SELECT rootpage FROM sqlite_schema WHERE name = '{index}'"));
    let page = number("PRAGMA page_size");
    assert_eq!(number("PRAGMA wal_checkpoint(TRUNCATE)"), 0, "everything is in the file");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&vec![7; page as usize], u64::from(root - 1) * u64::from(page)).unwrap();
}

/// Users 1 to 3, the direct conversation 1 of users 1 and 2 with ten entries, the group of user 1 and 3, a file.
pub(crate) async fn lived_in(backend: Backend) -> Bench {
    let bench = Bench::new(backend).await;
    let direct = bench.direct().await;
    bench.users(3).await;
    let group = bench.store.create_group(support::group(1, &[3]), 1_000).await.unwrap().0;
    bench.append((2..=10).map(|seq| message(direct, seq)).collect());
    bench.append((2..=5).map(|seq| message(group, seq)).collect());
    let cursor = ringwire_storage::model::CursorRow {
        conversation_id: direct,
        user_id: user(2),
        read_seq: 10,
        delivered_seq: 10,
    };
    bench.store.save_cursors(&[cursor]).await.unwrap();
    assert_eq!((direct.as_i64(), group.as_i64()), (1, 2), "the damage below counts on that");
    bench
}

/// Statements that do one kind of damage, and what else they cannot help doing.
struct Damage {
    sqlite: String,
    postgres: String,
    /// An index of SQLite's file whose first page is overwritten.
    wiped: Option<&'static str>,
    also: &'static [FindingKind],
}

fn both(sql: &str) -> Damage {
    Damage { sqlite: sql.into(), postgres: sql.into(), wiped: None, also: &[] }
}

/// On SQLite broken references show in its own check too.
fn unreferenced(sql: &str) -> Damage {
    Damage { also: &[FindingKind::ForeignKeyBroken], ..both(sql) }
}

fn and(damage: Damage, also: &'static [FindingKind]) -> Damage {
    Damage { also, ..damage }
}

/// A kind without an arm does not compile. `None`: the database has no such thing to damage.
fn damage_of(kind: FindingKind, backend: Backend) -> Option<Damage> {
    use FindingKind as K;
    Some(match kind {
        K::FileDamaged | K::ForeignKeyBroken | K::IdsMissing if backend != Backend::Sqlite => {
            return None;
        }
        K::FileDamaged => Damage { wiped: Some("audit_by_time"), ..both("") },
        K::ForeignKeyBroken => and(
            both("UPDATE members SET user_id = 77 WHERE conversation_id = 2 AND user_id = 3"),
            &[K::MemberOrphaned],
        ),
        K::Unreadable => and(both("DROP TABLE push_outbox"), &[K::SchemaMissing]),
        K::SchemaMissing => both("DROP INDEX members_by_user"),
        K::SchemaDiffers => both(
            "DROP INDEX attachments_unused;
             CREATE INDEX attachments_unused ON attachments (created_at) WHERE seq = 1",
        ),
        K::TriggerForeign => Damage {
            sqlite: "CREATE TRIGGER thief BEFORE INSERT ON entries
                     BEGIN SELECT raise(IGNORE); END"
                .into(),
            postgres: "CREATE RULE thief AS ON INSERT TO users DO INSTEAD NOTHING".into(),
            ..both("")
        },
        K::IdsMissing => both("DELETE FROM ids WHERE name = 'user'"),
        K::CommandKeyWrong => both("DELETE FROM command_key"),
        K::OutOfRange => both(
            "UPDATE cursors SET delivered_seq = -1 WHERE conversation_id = 1 AND user_id = 2",
        ),
        K::LogGap => both("DELETE FROM entries WHERE conversation_id = 1 AND seq = 5"),
        K::LogEmpty => both(
            "DELETE FROM entries WHERE conversation_id = 2;
             UPDATE cursors SET read_seq = 0, delivered_seq = 0 WHERE conversation_id = 2",
        ),
        // User 2 has read the ninth message of what is now one.
        K::MsgNoFalls => and(
            both("UPDATE entries SET msg_no = 1 WHERE conversation_id = 1 AND seq = 10"),
            &[K::ReadCountBeyond],
        ),
        K::MsgNoJumps => {
            both("UPDATE entries SET msg_no = 12 WHERE conversation_id = 1 AND seq = 10")
        }
        K::CreatedAtFalls => {
            both("UPDATE entries SET created_at = 9000 WHERE conversation_id = 1 AND seq = 9")
        }
        K::EntriesBelowFloor => both("UPDATE conversations SET floor_seq = 4 WHERE id = 1"),
        K::DissolvedWithMembers => both("UPDATE conversations SET deleted_at = 5 WHERE id = 2"),
        K::EditOrphaned => both("INSERT INTO edits (conversation_id, seq, target_seq) VALUES (1, 99, 2)"),
        K::ReactionOrphaned => and(
            both("INSERT INTO reactions (conversation_id, seq, user_id, reaction) VALUES (1, 99, 1, '+')"),
            &[K::ReactionCountWrong],
        ),
        K::ReactionCountWrong => both(
            "INSERT INTO reaction_counts (conversation_id, seq, reaction, count) VALUES (1, 5, '+', 3)",
        ),
        K::PinOrphaned => both("INSERT INTO pins (conversation_id, seq, pinned_by_seq) VALUES (1, 99, 9)"),
        K::BanOrphaned => {
            unreferenced("INSERT INTO bans (conversation_id, user_id, until) VALUES (1, 77, 5)")
        }
        K::RequestOrphaned => unreferenced(
            "INSERT INTO join_requests (conversation_id, user_id, text, requested_at)
             VALUES (1, 77, '', 5)",
        ),
        K::MentionOrphaned => {
            both("INSERT INTO mentions (user_id, conversation_id, seq) VALUES (2, 1, 99)")
        }
        K::HiddenOrphaned => {
            both("INSERT INTO hidden (user_id, conversation_id, seq, view_no) VALUES (1, 1, 99, 1)")
        }
        K::ActivityBeyondHead => {
            both("UPDATE conversations SET last_activity_at = 99000 WHERE id = 1")
        }
        K::ActivityBehindHead => both(
            "UPDATE entries SET created_at = 9000000 WHERE conversation_id = 1 AND seq = 10",
        ),
        K::DuplicateEntry => {
            let doubled = "UPDATE entries SET client_msg_id = 'm3'
                WHERE conversation_id = 1 AND seq = 4";
            Damage {
                sqlite: format!("DROP INDEX entries_once; {doubled}"),
                postgres: format!("ALTER TABLE entries DROP CONSTRAINT entries_once; {doubled}"),
                ..and(both(""), &[K::SchemaMissing])
            }
        }
        K::EntryOrphaned => both(
            "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
                 command_hash, body)
             SELECT 99, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body
             FROM entries WHERE conversation_id = 1",
        ),
        K::MemberOrphaned => unreferenced("INSERT INTO members (conversation_id, user_id, role, joined_at) VALUES (99, 1, 0, 1)"),
        K::CursorOrphaned => both(
            "INSERT INTO cursors (conversation_id, user_id) VALUES (1, 99), (99, 1)",
        ),
        K::CredentialOrphaned => unreferenced("INSERT INTO credentials VALUES (99, 'x', 1)"),
        K::IdentityOrphaned => unreferenced("INSERT INTO identities VALUES ('i', 's', 99)"),
        K::AliasOrphaned => unreferenced("INSERT INTO aliases VALUES ('a', 'A', 99, 1)"),
        K::DeviceOrphaned => unreferenced(
            "INSERT INTO devices (user_id, device_id, created_at, last_seen_at)
             VALUES (99, 'd', 1, 1)",
        ),
        K::TokenOrphaned => {
            let insert = |hash: &str, family: &str| {
                format!(
                    "INSERT INTO refresh_tokens
                         (token_hash, family_id, user_id, created_at, expires_at)
                     VALUES ({hash}, {family}, 99, 1, 2)"
                )
            };
            Damage {
                sqlite: insert("zeroblob(32)", "zeroblob(16)"),
                postgres: insert(
                    "decode(repeat('00', 32), 'hex')",
                    "decode(repeat('00', 16), 'hex')",
                ),
                ..unreferenced("")
            }
        }
        K::BlockOrphaned => unreferenced("INSERT INTO blocks VALUES (1, 99, 1)"),
        K::ContactOrphaned => unreferenced("INSERT INTO contacts VALUES (1, 99, '', 1)"),
        K::AttachmentOrphaned => {
            let insert = |hash: &str| {
                format!(
                    "INSERT INTO attachments (file_id, owner_id, conversation_id, seq, name,
                         mime_type, size_bytes, sha256, created_at)
                     VALUES ('f', 1, 1, 77, 'n', 'm', 1, {hash}, 1)"
                )
            };
            Damage {
                sqlite: insert("zeroblob(32)"),
                postgres: insert("decode(repeat('00', 32), 'hex')"),
                ..both("")
            }
        }
        K::PushOrphaned => both("INSERT INTO push_outbox VALUES (99, 1, 1, 0, 1)"),
        K::SearchOrphaned => both("INSERT INTO search_positions VALUES (99, 1)"),
        K::DeletionOrphaned => {
            unreferenced("INSERT INTO deletions (user_id, deleted_at) VALUES (99, 1)")
        }
        K::MarkOrphaned => both("INSERT INTO retention_marks VALUES (99, 1, 1)"),
        K::ConversationOrphaned => {
            unreferenced("UPDATE conversations SET creator_id = 99 WHERE id = 2")
        }
        K::CursorBeyondHead => both(
            "UPDATE cursors SET delivered_seq = 11 WHERE conversation_id = 1 AND user_id = 2",
        ),
        K::ReadCountBeyond => both(
            "UPDATE cursors SET read_msg_no = 10 WHERE conversation_id = 1 AND user_id = 2",
        ),
        K::SearchBeyondHead => both("INSERT INTO search_positions VALUES (1, 11)"),
        K::MemberCountWrong => both("UPDATE conversations SET member_count = 3 WHERE id = 1"),
        K::OwnerCountWrong => both("UPDATE members SET role = 0 WHERE conversation_id = 2"),
        K::DirectMembersWrong => {
            both("UPDATE members SET user_id = 3 WHERE conversation_id = 1 AND user_id = 2")
        }
        K::IdToBeReused => Damage {
            sqlite: "UPDATE ids SET next = 2 WHERE name = 'conversation'".into(),
            postgres: "ALTER SEQUENCE conversation_ids RESTART 2".into(),
            ..both("")
        },
        // The same body under a key that nobody has, and under one that did not seal it.
        K::KeyMissing => both("UPDATE entries SET key_id = 9 WHERE conversation_id = 1"),
        K::KeyChanged => Damage {
            sqlite: "INSERT INTO body_keys (key_id, proof, uses) VALUES (1, x'00', 1)".into(),
            postgres: "INSERT INTO body_keys (key_id, proof, uses) VALUES (1, '\\x00', 1)".into(),
            ..both("")
        },
        K::BodySealedWrong => {
            both("UPDATE entries SET key_id = 1 WHERE conversation_id = 1 AND seq = 4")
        }
        K::BodyUnreadable => Damage {
            sqlite: "UPDATE entries SET body = x'FF' WHERE conversation_id = 1 AND seq = 4".into(),
            postgres: "UPDATE entries SET body = '\\xFF'
                WHERE conversation_id = 1 AND seq = 4"
                .into(),
            ..both("")
        },
    })
}

async fn a_sound_database_has_no_findings(backend: Backend) {
    let bench = lived_in(backend).await;
    assert_eq!(kinds(&bench.config.database).await, BTreeSet::new());
}

async fn each_kind_of_damage_is_found(backend: Backend) {
    for &kind in FindingKind::ALL {
        let Some(harm) = damage_of(kind, backend) else { continue };
        let bench = lived_in(backend).await;
        // What is written behind is written, so that nothing changes under the damage.
        bench.store.shut_down(std::time::Duration::from_secs(10)).await;
        let database = &bench.config.database;
        inflict(&harm, database).await;
        let mut expected = BTreeSet::from([kind]);
        expected.extend(harm.also);
        if backend != Backend::Sqlite {
            expected.remove(&FindingKind::ForeignKeyBroken);
        }
        assert_eq!(kinds(database).await, expected, "after the damage for {}", kind.name());
    }
}

/// Each of what an operator with SQL may do to the schema, on either database: the words in the finding, the harm.
const HARMS_SQLITE: &[(FindingKind, &str, &str)] = &[
    (FindingKind::SchemaMissing, "index entries_once of entries", "DROP INDEX entries_once"),
    (
        FindingKind::SchemaMissing,
        "column avatar_url of users",
        "ALTER TABLE users DROP COLUMN avatar_url",
    ),
    (FindingKind::SchemaMissing, "table blocks", "DROP TABLE blocks"),
    (
        FindingKind::SchemaDiffers,
        "table body_keys",
        "DROP TABLE body_keys;
         CREATE TABLE body_keys (key_id INTEGER, proof BLOB NOT NULL, uses INTEGER NOT NULL)",
    ),
];
const HARMS_POSTGRES: &[(FindingKind, &str, &str)] = &[
    (
        FindingKind::SchemaMissing,
        "index entries_pkey of entries",
        "ALTER TABLE entries DROP CONSTRAINT entries_pkey",
    ),
    (
        FindingKind::SchemaMissing,
        "index entries_once of entries",
        "ALTER TABLE entries DROP CONSTRAINT entries_once",
    ),
    (
        FindingKind::SchemaDiffers,
        "index entries_once of entries is invalid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entries_once'::regclass",
    ),
    (
        FindingKind::SchemaMissing,
        "column avatar_url of users",
        "ALTER TABLE users DROP COLUMN avatar_url",
    ),
    (FindingKind::SchemaDiffers, "table members", "ALTER TABLE members SET UNLOGGED"),
    (
        FindingKind::SchemaMissing,
        "constraint members_role_check of members",
        "ALTER TABLE members DROP CONSTRAINT members_role_check",
    ),
    (FindingKind::SchemaDiffers, "sequence user_ids", "ALTER SEQUENCE user_ids INCREMENT 1"),
    (FindingKind::SchemaMissing, "sequence user_ids", "DROP SEQUENCE user_ids"),
    (
        FindingKind::TriggerForeign,
        "trigger thief of entries",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER thief BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION nothing()",
    ),
];

async fn each_part_of_the_schema_is_missed(backend: Backend) {
    let harms = if backend == Backend::Sqlite { HARMS_SQLITE } else { HARMS_POSTGRES };
    for (kind, words, sql) in harms {
        let bench = lived_in(backend).await;
        bench.store.shut_down(std::time::Duration::from_secs(10)).await;
        let database = &bench.config.database;
        inflict(&both(sql), database).await;
        let mut found = Found::default();
        check::check(database, &BodyKeys::none(), None, &mut found).await.unwrap();
        let told = |finding: &Finding| finding.kind == *kind && finding.detail == *words;
        assert!(found.0.iter().any(told), "{sql}: {:?}", found.0);
    }
}

async fn what_a_newer_release_adds_is_no_finding(backend: Backend) {
    let bench = lived_in(backend).await;
    let more = both(
        "ALTER TABLE users ADD COLUMN mood text NOT NULL DEFAULT '';
         CREATE INDEX users_by_mood ON users (mood);
         CREATE TABLE moods (name text PRIMARY KEY)",
    );
    inflict(&more, &bench.config.database).await;
    assert_eq!(kinds(&bench.config.database).await, BTreeSet::new());
}

async fn a_log_without_its_arbiters_is_not_served(backend: Backend) {
    let (harms, mend): (&[&str], _) = match backend {
        Backend::Sqlite => (&["DROP INDEX entries_once"], "CREATE UNIQUE INDEX entries_once"),
        Backend::Postgres | Backend::PostgresPartitioned => (
            &[
                "ALTER TABLE entries DROP CONSTRAINT entries_pkey",
                "ALTER TABLE entries DROP CONSTRAINT entries_once",
                "UPDATE pg_index SET indisvalid = false
                 WHERE indexrelid = 'entries_once'::regclass",
            ],
            "ADD CONSTRAINT entries_",
        ),
    };
    for sql in harms {
        let Bench { store, config, _folder, .. } = lived_in(backend).await;
        store.shut_down(std::time::Duration::from_secs(10)).await;
        drop(store);
        inflict(&both(sql), &config.database).await;
        let error = support::open(config.database.clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::ArbiterMissing { .. }), "{sql}: {error}");
        let text = error.to_string();
        assert!(text.contains(mend), "{text}");
        // What the sentence says mends it.
        let (_, sql) = text.split_once("run in it: ").unwrap();
        inflict(&both(sql), &config.database).await;
        support::open(config.database.clone()).await.unwrap();
        assert_eq!(kinds(&config.database).await, BTreeSet::new());
    }
}

async fn keys_are_looked_at_without_bodies(backend: Backend) {
    let bench = Bench::with(backend, |config| {
        config.keys = support::keys(&[1], ActiveKey::Highest);
    })
    .await;
    let other = BodyKeys::parse(KEYS, ActiveKey::Highest).unwrap();
    for (keys, kind) in
        [(&BodyKeys::none(), FindingKind::KeyMissing), (&other, FindingKind::KeyChanged)]
    {
        let mut found = Found::default();
        check::check(&bench.config.database, keys, None, &mut found).await.unwrap();
        let kinds: Vec<_> = found.0.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [kind]);
    }
}

async fn an_empty_database_is_not_checked(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let database = match backend {
        Backend::Sqlite => support::sqlite(folder.path()),
        Backend::Postgres | Backend::PostgresPartitioned => {
            Database::Postgres { url: support::fresh_database() }
        }
    };
    let keys = BodyKeys::none();
    let result = check::check(&database, &keys, None, &mut Found::default()).await;
    match backend {
        Backend::Sqlite => {
            assert!(matches!(result, Err(StoreError::NoDatabase(_))), "{result:?}");
            std::fs::write(folder.path().join("ringwire.db"), "").unwrap();
            let result = check::check(&database, &keys, None, &mut Found::default()).await;
            assert!(matches!(result, Err(StoreError::NoDatabase(_))), "{result:?}");
        }
        Backend::Postgres | Backend::PostgresPartitioned => {
            assert!(matches!(result, Err(StoreError::SchemaTooOld { found: 0 })), "{result:?}");
        }
    }
}

async fn a_check_does_not_wait_for_the_server(backend: Backend) {
    let bench = lived_in(backend).await;
    let id = ringwire_protocol::ConversationId::new(1).unwrap();
    let database = bench.config.database.clone();
    // Neither a transaction in flight nor what commits meanwhile is a finding.
    for round in 0..5 {
        for place in 0..200 {
            bench.store.submit(message(id, 11 + round * 200 + place)).unwrap();
        }
        assert_eq!(kinds(&database).await, BTreeSet::new());
        bench.answers.take(200);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ringwire.db"), vec![7; 8192]).unwrap();
    let found = kinds(&support::sqlite(folder.path())).await;
    assert_eq!(found, BTreeSet::from([FindingKind::FileDamaged]));
}
