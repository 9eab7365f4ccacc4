//! E1: encrypted bodies survive key rotation and detect tampering.

use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::encryption::{ActiveKey, BodyKeys, KeyUse, Resealed};
use ringwire_storage::model::EntryRow;
use ringwire_storage::{Database, StoreError};

use crate::support::sql::connect;
use crate::support::{Backend, Bench, body, group, keys, message, user};

on_both!(
    e1_stored_bodies_hide_what_was_said,
    e1_a_tampered_body_is_noticed_and_harms_no_other,
    e1_plain_bodies_put_in_by_others_are_noticed,
    e1_entries_at_another_position_than_first_tried_open,
    e1_every_body_comes_under_the_active_key,
    e1_a_pass_goes_on_where_it_was,
    e1_a_pass_undoes_no_change,
    e1_a_body_that_does_not_open_keeps_its_key_needed,
    e1_a_database_wants_all_its_keys,
);

/// As recalls and retention do it.
const ERASE: &str = "body = substr(body, 1, 0), key_id = 0, body_version = body_version + 1";

impl Bench {
    /// The same database with other keys.
    async fn reopen(self, keys: Arc<BodyKeys>) -> Result<Self, (Self, StoreError)> {
        let Self { store, mut config, _folder: folder, answers } = self;
        store.shut_down(Duration::from_secs(10)).await;
        drop(store);
        let before = std::mem::replace(&mut config.keys, keys);
        let again = |config, answers, store| Self { store, answers, config, _folder: folder };
        match ringwire_storage::Store::open(config.clone(), answers.sink()).await {
            Ok(store) => Ok(again(config, answers, store)),
            Err(error) => {
                config.keys = before;
                let store = ringwire_storage::Store::open(config.clone(), answers.sink()).await;
                Err((again(config, answers, store.unwrap()), error))
            }
        }
    }

    async fn with_keys(self, ids: &[u8], active: ActiveKey) -> Self {
        self.reopen(keys(ids, active)).await.map_err(|(_, error)| error).unwrap()
    }

    async fn log(&self, id: ConversationId) -> Vec<EntryRow> {
        self.store.sync_page(user(1), id, 0, 10_000).await.unwrap().unwrap().entries
    }

    /// Every entry has its body.
    async fn check_log(&self, id: ConversationId) {
        for entry in self.log(id).await {
            let expected = if entry.seq == 1 { "opened" } else { &*format!("text {}", entry.seq) };
            assert_eq!((entry.damaged, &entry.body), (false, &body(expected)), "{entry:?}");
        }
    }

    /// Takes steps until there is nothing to do.
    async fn reseal(&self) -> Resealed {
        let mut sum = Resealed::default();
        loop {
            let step = self.store.reseal_step().await.unwrap();
            sum.changed += step.changed;
            sum.damaged += step.damaged;
            if !step.more {
                return sum;
            }
        }
    }

    /// (key, bodies), as the store counts them.
    async fn uses(&self) -> Vec<(u32, u64)> {
        let uses = self.store.key_uses().await.unwrap();
        uses.into_iter().map(|KeyUse { key_id, entries }| (key_id, entries)).collect()
    }

    /// The keys that the database wants at its next opening.
    async fn wanted_keys(&self) -> Vec<i64> {
        self.numbers("SELECT CAST(key_id AS bigint) FROM body_keys WHERE key_id > 0 ORDER BY 1")
            .await
    }

    /// How many rows hold these bytes in their body.
    async fn bodies_with(&self, bytes: &[u8]) -> i64 {
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
        let stored = match self.config.database {
            Database::Sqlite { .. } => "hex(body)",
            Database::Postgres { .. } => "upper(encode(body, 'hex'))",
        };
        let sql = format!("SELECT count(*) FROM entries WHERE {stored} LIKE '%{hex}%'");
        self.numbers(&sql).await[0]
    }
}

/// A direct conversation with messages up to this position.
async fn filled(backend: Backend, head: u64, ids: &[u8]) -> (Bench, ConversationId) {
    let given = keys(ids, ActiveKey::Highest);
    let bench = Bench::with(backend, |config| config.keys = given).await;
    let id = bench.direct().await;
    let entries: Vec<_> = (2..=head).map(|seq| message(id, seq)).collect();
    assert!(bench.append(entries).iter().all(|(_, outcome)| *outcome == Outcome::Committed));
    (bench, id)
}

async fn e1_stored_bodies_hide_what_was_said(backend: Backend) {
    const CANARY: &str = "canary of a message";
    let plain = Bench::new(backend).await;
    let id = plain.direct().await;
    plain.append(vec![Append { body: body(CANARY), ..message(id, 2) }]);
    assert_eq!(plain.bodies_with(CANARY.as_bytes()).await, 1, "plain bodies are found this way");
    assert!(!plain.store.is_encrypted());

    let (bench, id) = filled(backend, 1, &[1]).await;
    assert!(bench.store.is_encrypted());
    bench.append(vec![Append { body: body(CANARY), ..message(id, 2) }]);
    let made = bench.store.create_group(
        ringwire_storage::model::NewGroup { body: body(CANARY), ..group(1, &[2]) },
        1_000,
    );
    let (group, _) = made.await.unwrap();
    assert_eq!(bench.bodies_with(CANARY.as_bytes()).await, 0);
    assert_eq!(bench.uses().await, [(1, 3)]);
    assert_eq!(bench.log(id).await[1].body, body(CANARY));
    assert_eq!(bench.log(group).await[0].body, body(CANARY));
    let (lines, _) = bench.store.heads(user(1), None, &[], 10).await.unwrap();
    assert!(lines.iter().all(|line| line.last_entry.as_ref().unwrap().body == body(CANARY)));
}

/// What somebody does to the database, and which entries cannot be read from then on.
struct Tampering {
    what: &'static str,
    statements: Vec<String>,
    damaged_here: &'static [u64],
    damaged_there: &'static [u64],
}

/// Of entries 3 and 4 of the first conversation, and 3 of the second.
fn tamperings(backend: Backend) -> Vec<Tampering> {
    const FIRST: &str = "conversation_id = (SELECT min(id) FROM conversations)";
    const SECOND: &str = "conversation_id = (SELECT max(id) FROM conversations)";
    let third = format!("seq = 3 AND {FIRST}");
    let change = |what, change: &str| Tampering {
        what,
        statements: vec![format!("UPDATE entries SET {change} WHERE {third}")],
        damaged_here: &[3],
        damaged_there: &[],
    };
    let swap = |other: &str| {
        vec![
            format!("CREATE TABLE kept AS SELECT body FROM entries WHERE {third}"),
            format!(
                "UPDATE entries SET body = (SELECT body FROM entries WHERE {other}) WHERE {third}"
            ),
            format!("UPDATE entries SET body = (SELECT body FROM kept) WHERE {other}"),
        ]
    };
    let flip = match backend {
        Backend::Postgres | Backend::PostgresPartitioned => {
            "body = set_byte(body, 14, 255 - get_byte(body, 14))"
        }
        // Five bytes become zero, which they were not all before.
        Backend::Sqlite => {
            "body = CAST(substr(body, 1, 12) || x'0000000000' || substr(body, 18) AS BLOB)"
        }
    };
    vec![
        change("changed bytes", flip),
        change("truncated", "body = substr(body, 1, 20)"),
        change("cut to less than a nonce", "body = substr(body, 1, 3)"),
        change("another sender", "sender_id = 2"),
        change("the body of another version", "body_version = 1"),
        change("another key", "key_id = 1"),
        change("an unknown key", "key_id = 9"),
        Tampering {
            what: "swapped positions",
            statements: swap(&format!("seq = 4 AND {FIRST}")),
            damaged_here: &[3, 4],
            damaged_there: &[],
        },
        Tampering {
            what: "swapped conversations",
            statements: swap(&format!("seq = 3 AND {SECOND}")),
            damaged_here: &[3],
            damaged_there: &[3],
        },
    ]
}

async fn e1_a_tampered_body_is_noticed_and_harms_no_other(backend: Backend) {
    for Tampering { what, statements, damaged_here, damaged_there } in tamperings(backend) {
        let (bench, first) = filled(backend, 6, &[1, 2]).await;
        bench.users(3).await;
        let (second, _) =
            bench.store.open_direct(user(1), user(3), 1_000, body("opened")).await.unwrap();
        bench.append((2..=4).map(|seq| message(second, seq)).collect());
        for statement in statements {
            bench.execute(&statement).await;
        }
        for (id, head, damaged) in [(first, 6, damaged_here), (second, 4, damaged_there)] {
            let log = bench.log(id).await;
            assert_eq!(log.len(), head, "{what}: the page is whole");
            for entry in &log[1..] {
                let bad = damaged.contains(&entry.seq);
                let text = if bad { String::new() } else { format!("text {}", entry.seq) };
                assert_eq!((entry.damaged, &entry.body), (bad, &body(&text)), "{what}: {entry:?}");
            }
            let loaded = bench.store.load_conversation(id, 100).await.unwrap().unwrap();
            assert_eq!(loaded.recent, log, "{what}");
        }
    }
}

async fn e1_plain_bodies_put_in_by_others_are_noticed(backend: Backend) {
    let (bench, id) = filled(backend, 3, &[1]).await;
    let forged = match backend {
        Backend::Sqlite => "x'666F72676564'",
        Backend::Postgres | Backend::PostgresPartitioned => "'\\x666F72676564'",
    };
    bench.execute(&format!("UPDATE entries SET body = {forged}, key_id = 0 WHERE seq = 2")).await;
    bench.execute(&format!("UPDATE entries SET {ERASE} WHERE seq = 3")).await;
    assert_eq!(bench.log(id).await[1].body, body("forged"), "plain bodies are accepted at first");
    let strict = Arc::into_inner(keys(&[1], ActiveKey::Highest)).unwrap().refuse_plain().unwrap();
    let bench = bench.reopen(Arc::new(strict)).await.map_err(|(_, error)| error).unwrap();
    let log = bench.log(id).await;
    assert_eq!((log[1].damaged, log[1].body.len()), (true, 0));
    assert_eq!((log[2].damaged, log[2].body.len()), (false, 0), "an erased one is no forgery");
    let step = bench.reseal().await;
    assert_eq!((step.changed, step.damaged), (0, 1), "it is reported, not sealed");
    assert_eq!(bench.uses().await, [(0, 1), (1, 1)]);
}

async fn e1_entries_at_another_position_than_first_tried_open(backend: Backend) {
    let (bench, id) = filled(backend, 4, &[1]).await;
    let stale = Append { client_msg_id: "late".into(), body: body("text 5"), ..message(id, 3) };
    assert_eq!(bench.append(vec![stale.clone()]), [(3, Outcome::Conflict)]);
    let rebased = Append { seq: 5, msg_no: 4, generation: 2, ..stale };
    assert_eq!(bench.append(vec![rebased]), [(5, Outcome::Committed)]);
    bench.check_log(id).await;
}

async fn e1_every_body_comes_under_the_active_key(backend: Backend) {
    let (bench, id) = filled(backend, 700, &[]).await;
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(0, 700)], vec![]));
    assert_eq!(bench.reseal().await, Resealed::default(), "nothing to do without keys");

    let bench = bench.with_keys(&[1], ActiveKey::Highest).await;
    bench.append(vec![message(id, 701)]);
    bench.check_log(id).await;
    assert_eq!(bench.reseal().await.changed, 700);
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(1, 701)], vec![1]));
    bench.check_log(id).await;

    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    assert_eq!(bench.wanted_keys().await, [1, 2]);
    bench.append(vec![message(id, 702)]);
    assert_eq!(bench.reseal().await.changed, 701);
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(2, 702)], vec![2]));
    assert_eq!(bench.reseal().await, Resealed::default(), "a finished pass costs nothing");

    // The old key may go; and encryption may be switched off again.
    let bench = bench.with_keys(&[2], ActiveKey::Highest).await;
    bench.check_log(id).await;
    let bench = bench.with_keys(&[2], ActiveKey::Plain).await;
    assert!(bench.store.is_encrypted(), "until the key is gone");
    bench.append(vec![message(id, 703)]);
    assert_eq!(bench.reseal().await.changed, 702);
    let bench = bench.with_keys(&[], ActiveKey::Highest).await;
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(0, 703)], vec![]));
    bench.check_log(id).await;
}

async fn e1_a_pass_goes_on_where_it_was(backend: Backend) {
    let (bench, id) = filled(backend, 700, &[1]).await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    let first = bench.store.reseal_step().await.unwrap();
    assert!(first.more && first.changed > 0, "{first:?}");
    // Sealed again behind the position, where a pass that began anew would find it.
    bench.execute(&format!("UPDATE entries SET {ERASE} WHERE seq = 2")).await;
    bench.execute("UPDATE entries SET key_id = 1 WHERE seq = 3").await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    let rest = bench.reseal().await;
    assert_eq!((first.changed + rest.changed, rest.damaged), (700, 0));
    assert_eq!(bench.uses().await, [(1, 1), (2, 698)]);
    assert_eq!(bench.log(id).await.len(), 700);

    // Somebody wrote with the old key meanwhile: that pass proves nothing.
    bench.execute("UPDATE body_keys SET uses = uses + 1").await;
    bench.execute("UPDATE entries SET key_id = 2 WHERE seq = 3").await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Id(1)).await;
    bench.append(vec![message(id, 701)]);
    let bench = bench.with_keys(&[1, 2], ActiveKey::Id(2)).await;
    assert_eq!(bench.reseal().await.changed, 1);
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(2, 700)], vec![2]));
}

async fn e1_a_pass_undoes_no_change(backend: Backend) {
    let (bench, id) = filled(backend, 700, &[1]).await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    let erase = async {
        for seq in (2..=700).rev().step_by(7) {
            bench.execute(&format!("UPDATE entries SET {ERASE} WHERE seq = {seq}")).await;
            tokio::task::yield_now().await;
        }
    };
    let (sum, ()) = futures_util::future::join(bench.reseal(), erase).await;
    assert!(sum.damaged == 0 && sum.changed >= 600, "{sum:?}");
    for entry in &bench.log(id).await[1..] {
        let erased = (700 - entry.seq).is_multiple_of(7);
        let text = if erased { String::new() } else { format!("text {}", entry.seq) };
        assert_eq!((entry.damaged, &entry.body), (false, &body(&text)));
    }
    assert_eq!(bench.uses().await, [(2, 600)]);
}

async fn e1_a_body_that_does_not_open_keeps_its_key_needed(backend: Backend) {
    let (bench, id) = filled(backend, 10, &[1]).await;
    bench.execute("UPDATE entries SET body = substr(body, 1, 20) WHERE seq = 5").await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    let sum = bench.reseal().await;
    assert_eq!((sum.changed, sum.damaged), (9, 1));
    assert_eq!((bench.uses().await, bench.wanted_keys().await), (vec![(1, 1), (2, 9)], vec![1, 2]));
    assert_eq!(bench.reseal().await, Resealed::default(), "it is not tried again and again");
    assert!(bench.log(id).await[4].damaged);
}

async fn e1_a_database_wants_all_its_keys(backend: Backend) {
    let (bench, id) = filled(backend, 3, &[1]).await;
    let bench = bench.with_keys(&[1, 2], ActiveKey::Highest).await;
    bench.append(vec![message(id, 4)]);
    let Err((bench, error)) = bench.reopen(keys(&[2], ActiveKey::Highest)).await else {
        panic!("key 1 is missing");
    };
    assert!(matches!(error, StoreError::KeyMissing(1)), "{error}");
    assert!(!error.is_temporary());
    let Err((bench, error)) = bench.reopen(keys(&[], ActiveKey::Highest)).await else {
        panic!("all keys are missing");
    };
    assert!(matches!(error, StoreError::KeyMissing(_)), "{error}");
    let text = ringwire_storage::encryption::new_key_line(1).unwrap();
    let other = Arc::new(BodyKeys::parse(&text, ActiveKey::Highest).unwrap());
    let Err((bench, error)) = bench.reopen(other).await else {
        panic!("another key under a known id");
    };
    assert!(matches!(error, StoreError::KeyChanged(1)), "{error}");
    bench.check_log(id).await;
}

/// Two nodes with different active keys on one database: neither undoes the other's work, and a pass counts only when
/// nobody writes with another key any more.
#[tokio::test]
async fn e1_a_pass_rests_while_a_node_writes_with_another_key() {
    let (bench, id) = filled(Backend::Postgres, 10, &[1]).await;
    let mut config = bench.config.clone();
    config.keys = keys(&[1, 2], ActiveKey::Highest);
    let answers = Arc::new(crate::support::Answers::default());
    let newer = ringwire_storage::Store::open(config, answers.sink()).await.unwrap();
    newer.submit(message(id, 11)).unwrap();
    answers.take(1);
    // The older node is connected: its writer has written and keeps its session.
    assert_eq!(newer.reseal_step().await.unwrap(), Resealed::default());
    assert_eq!(bench.store.reseal_step().await.unwrap(), Resealed::default());
    assert_eq!(bench.uses().await, [(1, 10), (2, 1)]);

    // The older node goes; the newer one does the work.
    let Bench { store, .. } = bench;
    store.shut_down(Duration::from_secs(10)).await;
    drop(store);
    let mut changed = 0;
    // Its sessions end a moment after it.
    while changed == 0 {
        changed = newer.reseal_step().await.unwrap().changed;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(changed, 10);
    assert_eq!(newer.key_uses().await.unwrap(), [KeyUse { key_id: 2, entries: 11 }]);
    newer.shut_down(Duration::from_secs(10)).await;
}

/// Lets somebody begin to use key 1 in the very moment in which the end of a pass has read the keys for the first time.
const GREETING: &str = "ALTER TABLE body_keys RENAME TO body_keys_table;
    CREATE TABLE greeted (uses bigint);
    CREATE FUNCTION greet() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() LIKE 'SELECT%' AND current_query() NOT LIKE '%body_pass%'
            AND NOT EXISTS (SELECT FROM greeted)
        THEN
            UPDATE body_keys_table SET uses = uses + 1 WHERE key_id = 1;
            INSERT INTO greeted SELECT uses FROM body_keys_table WHERE key_id = 1;
        END IF;
        RETURN true;
    END $$;
    CREATE VIEW body_keys AS SELECT * FROM body_keys_table WHERE greet()";

#[tokio::test]
async fn e1_a_key_that_is_used_again_while_a_pass_ends_is_not_forgotten() {
    let (mut bench, _) = filled(Backend::Postgres, 6, &[1]).await;
    bench.config.keys = keys(&[1, 2], ActiveKey::Highest);
    let bench = bench.reopened().await;
    let Database::Postgres { url } = &bench.config.database else { unreachable!() };
    connect(url).await.batch_execute(GREETING).await.unwrap();
    let step = bench.store.reseal_step().await.unwrap();
    assert_eq!((step.changed, step.more), (6, false), "that was all");
    let known = "SELECT k.uses FROM body_keys_table k JOIN greeted g ON g.uses = k.uses";
    assert_eq!(bench.numbers(known).await.len(), 1, "somebody came, and the key is known");
    // The next pass finds out that nothing was written with it.
    while bench.store.reseal_step().await.unwrap().more {}
    assert_eq!(bench.numbers(known).await, [] as [i64; 0]);
}
