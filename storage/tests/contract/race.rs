//! Two nodes on one database, hot on the same conversations: Postgres only, SQLite has one process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ringwire_protocol::ConversationId;
use ringwire_storage::Store;
use ringwire_storage::append::{Append, Outcome};

use crate::support::{Answers, Backend, Bench, message, user};

const MESSAGES: usize = 150;
const CONVERSATIONS: u64 = 4;

/// An owner as simple as can be: one entry in flight in each conversation, re-based on every conflict.
async fn send_all(
    store: Store,
    answers: Arc<Answers>,
    ids: Vec<ConversationId>,
    name: &str,
) -> u64 {
    struct Line {
        head: u64,
        sent: usize,
        generation: u64,
    }
    let mut lines: HashMap<_, _> =
        ids.iter().map(|&id| (id, Line { head: 1, sent: 0, generation: 1 })).collect();
    let entry = |id, line: &Line| Append {
        // Every second message goes by the same id on both nodes: whoever comes first makes it.
        client_msg_id: if line.sent.is_multiple_of(2) {
            format!("both-{}", line.sent).into()
        } else {
            format!("{name}-{}", line.sent).into()
        },
        generation: line.generation,
        ..message(id, line.head + 1)
    };
    for (&id, line) in &lines {
        store.submit(entry(id, line)).unwrap();
    }
    let mut open = ids.len();
    let mut conflicts = 0;
    while open > 0 {
        let batch = tokio::task::spawn_blocking({
            let answers = Arc::clone(&answers);
            move || answers.take(1)
        });
        for answer in batch.await.unwrap() {
            let id = answer.conversation_id;
            let line = lines.get_mut(&id).unwrap();
            match answer.outcome {
                Outcome::Committed => {
                    line.head = answer.seq;
                    line.sent += 1;
                }
                Outcome::Duplicate { .. } => {
                    line.sent += 1;
                    line.generation += 1;
                    line.head = store.load_tail(id, line.head, 0).await.unwrap().unwrap().head.seq;
                }
                Outcome::Conflict => {
                    conflicts += 1;
                    line.generation += 1;
                    line.head = store.load_tail(id, line.head, 0).await.unwrap().unwrap().head.seq;
                }
                Outcome::Rejected { reason } => panic!("{reason}"),
            }
            if line.sent < MESSAGES {
                store.submit(entry(id, line)).unwrap();
            } else {
                open -= 1;
            }
        }
    }
    conflicts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o1_o3_two_nodes_on_the_same_conversations_leave_no_gap_and_no_double() {
    let bench = Bench::new(Backend::Postgres).await;
    bench.users(CONVERSATIONS + 1).await;
    let mut ids = Vec::new();
    for number in 2..=CONVERSATIONS + 1 {
        let body = bytes::Bytes::new();
        ids.push(bench.store.open_direct(user(1), user(number), 1, body).await.unwrap().0);
    }
    let (second, second_answers) = bench.another().await.unwrap();
    let first =
        tokio::spawn(send_all(bench.store.clone(), bench.answers.clone(), ids.clone(), "a"));
    let second = tokio::spawn(send_all(second, second_answers, ids.clone(), "b"));
    let conflicts = first.await.unwrap() + second.await.unwrap();
    assert!(conflicts > 0, "the nodes never met; nothing was tested");

    for id in ids {
        let log = bench.store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
        let seqs: Vec<_> = log.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=log.len() as u64).collect::<Vec<_>>(), "gap-free");
        let unique: HashSet<_> = log.iter().map(|entry| &entry.client_msg_id).collect();
        assert_eq!(unique.len(), log.len(), "each id once");
        // Half of the messages were the same on both nodes.
        assert_eq!(log.len(), 1 + MESSAGES + MESSAGES / 2, "nothing lost");
        for node in ["a", "b"] {
            let numbers: Vec<usize> = log
                .iter()
                .filter_map(|entry| entry.client_msg_id.strip_prefix(&format!("{node}-")))
                .map(|number| number.parse().unwrap())
                .collect();
            assert!(numbers.is_sorted(), "one sender's order");
        }
    }
}
