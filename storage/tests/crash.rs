//! D2: a process killed with -9 in the middle of its batches has lost nothing that it acknowledged.
//!
//! ```text
//!   this test ── starts ──► itself as `RINGWIRE_CRASH_CHILD` ── prints "conversation seq" for each ack
//!        │                                  ▲
//!        └── reads acks, kills with -9 ─────┘      then opens the database and looks for every ack
//! ```

#[expect(dead_code, reason = "shared with the contract suite, which needs more of it")]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use ringwire_protocol::ConversationId;
use ringwire_storage::append::Outcome;
use ringwire_storage::{Database, Store, StoreConfig};

use support::{body, message, user};

/// Tells the child which database to write to.
const CHILD: &str = "RINGWIRE_CRASH_CHILD";
const CONVERSATIONS: u64 = 20;
/// Entries in flight in each conversation.
const DEPTH: u64 = 50;

fn database(text: &str) -> Database {
    match text.strip_prefix("sqlite:") {
        Some(dir) => support::sqlite(std::path::Path::new(dir)),
        None => Database::Postgres { url: text.to_owned() },
    }
}

/// Not a test by itself: the process that is killed. Without its variable it has nothing to do.
#[test]
fn crash_child() {
    let Ok(text) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = Arc::new(support::Answers::default());
    let config = StoreConfig::new(database(&text));
    let store = runtime.block_on(Store::open(config, answers.sink())).unwrap();
    let mut heads = BTreeMap::new();
    for number in 2..=CONVERSATIONS + 1 {
        let head = runtime.block_on(async {
            store.ensure_user(user(1), "", 1).await.unwrap();
            store.ensure_user(user(number), "", 1).await.unwrap();
            let (id, _) = store.open_direct(user(1), user(number), 1, body("")).await.unwrap();
            (id, store.load_tail(id, 0, 0).await.unwrap().unwrap().head.seq)
        });
        heads.insert(head.0, head.1);
    }
    for (&id, head) in &mut heads {
        for _ in 0..DEPTH {
            *head += 1;
            store.submit(message(id, *head)).unwrap();
        }
    }
    loop {
        let mut acks = Vec::new();
        for answer in answers.take(1) {
            assert_eq!(answer.outcome, Outcome::Committed);
            writeln!(acks, "ack {} {}", answer.conversation_id, answer.seq).unwrap();
            let head = heads.get_mut(&answer.conversation_id).unwrap();
            *head += 1;
            store.submit(message(answer.conversation_id, *head)).unwrap();
        }
        std::io::stdout().write_all(&acks).unwrap();
    }
}

/// Runs the child until it has acknowledged so many entries, kills it, and gives the highest ack per conversation.
fn run_and_kill(text: &str, acks_wanted: usize) -> BTreeMap<u64, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash_child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, text)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acks = BTreeMap::new();
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The last line may be torn; the harness prints lines of its own before the first.
        let Some((_, ack)) = line.split_once("ack ") else { continue };
        let mut numbers = ack.split(' ').map(str::parse::<u64>);
        let (Some(Ok(id)), Some(Ok(seq))) = (numbers.next(), numbers.next()) else { continue };
        acks.insert(id, seq);
        count += 1;
        if count == acks_wanted {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it ended because it was killed");
    assert!(count >= acks_wanted, "only {count} acks");
    acks
}

async fn kill_and_check(text: &str) {
    let kills = if std::env::var_os("RINGWIRE_TEST_FULL").is_some() { 20 } else { 3 };
    for kill in 1..=kills {
        let acks = run_and_kill(text, 1_000 + 777 * kill);
        let store =
            Store::open(StoreConfig::new(database(text)), Arc::new(|_, _| {})).await.unwrap();
        for (id, acked) in acks {
            let id = ConversationId::new(id).unwrap();
            let log = store.load_tail(id, 0, 1_000_000).await.unwrap().unwrap();
            assert!(log.head.seq >= acked, "kill {kill}: acked {acked}, found {}", log.head.seq);
            for (entry, seq) in log.entries.iter().zip(1..) {
                assert_eq!(entry.seq, seq, "no gap");
                if seq > 1 {
                    assert_eq!(entry.body, body(&format!("text {seq}")));
                }
            }
            assert_eq!(log.entries.len() as u64, log.head.seq);
        }
        store.shut_down(std::time::Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn d2_kill_9_loses_no_acked_entry_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    kill_and_check(&format!("sqlite:{}", folder.path().display())).await;
}

#[tokio::test]
async fn d2_kill_9_loses_no_acked_entry_on_postgres() {
    kill_and_check(&support::fresh_database()).await;
}
