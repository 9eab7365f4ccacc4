//! Rows of Postgres that somebody else holds: an operator's open transaction, another node, a tool.

use std::cell::Cell;

use ringwire_protocol::ConversationId;
use ringwire_storage::Database;
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::retention::{KeepRule, RetentionRules};
use tokio_postgres::Client;

use crate::support::sql::connect;
use crate::support::{self, Backend, Bench, body, message, user};

/// A store with one writer, and a group of the users 1 and 2, of which there are more.
async fn with_group() -> (Bench, ConversationId) {
    let bench = Bench::with(Backend::Postgres, |config| {
        config.writers = 1;
        config.batch.max_rows = 4_096;
    })
    .await;
    bench.users(9).await;
    let (group, _) = bench.store.create_group(support::group(1, &[2]), 1).await.unwrap();
    (bench, group)
}

/// An open transaction that holds the row of a conversation.
async fn hold(bench: &Bench, conversation_id: ConversationId) -> Client {
    let Database::Postgres { url } = &bench.config.database else { unreachable!() };
    let operator = connect(url).await;
    let id = conversation_id.get();
    let lock = format!("BEGIN; SELECT id FROM conversations WHERE id = {id} FOR NO KEY UPDATE");
    operator.batch_execute(&lock).await.unwrap();
    operator
}

/// Joins the group, by the entry at this position.
fn join(group: ConversationId, seq: u64, number: u64) -> Append {
    Append { change: Change::Join(vec![user(number)]), ..message(group, seq) }
}

/// Submits a batch that the writer takes up as one, once it is let go.
fn in_one_batch(bench: &Bench, held_by: Append, entries: impl IntoIterator<Item = Append>) {
    bench.answers.block(true);
    bench.append(vec![held_by]);
    for entry in entries {
        bench.store.submit(entry).unwrap();
    }
    bench.answers.block(false);
}

#[tokio::test]
async fn a_row_held_elsewhere_holds_up_nobody_else() {
    let (bench, held) = with_group().await;
    let mut others = Vec::new();
    for number in 2..=9 {
        others.push(bench.store.open_direct(user(1), user(number), 1, body("")).await.unwrap().0);
    }
    let made = support::group(1, &[2]);
    let (free, _) = bench
        .store
        .create_group(ringwire_storage::model::NewGroup { client_msg_id: "free".into(), ..made }, 1)
        .await
        .unwrap();
    let operator = hold(&bench, held).await;

    let first = message(others[0], 2);
    let messages = others.iter().skip(1).map(|&id| message(id, 2));
    let behind = message(held, 3);
    let batch = messages.chain([join(free, 2, 3), join(held, 2, 3), behind]).collect::<Vec<_>>();
    let count = batch.len();
    in_one_batch(&bench, first, batch);
    for answer in bench.answers.take(count) {
        let expected =
            if answer.conversation_id == held { Outcome::Conflict } else { Outcome::Committed };
        assert_eq!(answer.outcome, expected, "{answer:?}");
    }
    // What needs no row is not held up in that conversation either.
    let says = Append { generation: 2, ..message(held, 2) };
    assert_eq!(bench.append(vec![says]), [(2, Outcome::Committed)]);

    operator.batch_execute("ROLLBACK").await.unwrap();
    let again = Append { generation: 2, ..join(held, 3, 3) };
    assert_eq!(bench.append(vec![again]), [(3, Outcome::Committed)]);
    let members = bench.store.load_conversation(held, 1).await.unwrap().unwrap().members;
    assert_eq!(members.len(), 3);
}

#[tokio::test]
async fn the_activity_of_others_is_saved_beside_a_row_held_elsewhere() {
    let (bench, held) = with_group().await;
    let (other, _) = bench.store.open_direct(user(1), user(2), 1, body("")).await.unwrap();
    let operator = hold(&bench, held).await;
    bench.append(vec![message(held, 2)]);
    bench.append(vec![message(other, 2)]);
    bench.store.shut_down(std::time::Duration::from_secs(10)).await;
    let saved = format!("SELECT last_activity_at FROM conversations WHERE id = {other}");
    assert_eq!(bench.numbers(&saved).await, [1_002]);
    drop(operator);
}

/// Whether a store waits for a row.
async fn waits(bench: &Bench) -> bool {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND application_name = 'ringwire' AND datname = current_database()";
    bench.numbers(waiting).await != [0]
}

/// Whoever holds the row of a conversation may write its log: those who want the row have written nothing yet.
#[tokio::test]
async fn rows_are_locked_before_entries_are_written_in_batches_of_any_size() {
    for fillers in [0, 1_500] {
        let (bench, group) = with_group().await;
        let (busy, _) = bench.store.open_direct(user(1), user(2), 1, body("")).await.unwrap();
        let operator = hold(&bench, group).await;
        let entries = (3..3 + fillers).map(|seq| message(busy, seq)).chain([join(group, 2, 3)]);
        in_one_batch(&bench, message(busy, 2), entries);
        while !waits(&bench).await {
            tokio::task::yield_now().await;
        }
        // This waits for nobody; if it had to, that would be a deadlock.
        let theirs = format!(
            "SET LOCAL lock_timeout = '500ms';
             INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
                 command_hash, body)
             VALUES ({group}, 2, 1, 2, 1, 'theirs', 1, ''); COMMIT"
        );
        operator.batch_execute(&theirs).await.unwrap();
        for answer in bench.answers.take(fillers as usize + 1) {
            let expected = if answer.conversation_id == group {
                Outcome::Conflict
            } else {
                Outcome::Committed
            };
            assert_eq!(answer.outcome, expected, "{answer:?}");
        }
    }
}

/// Does this while somebody holds the row of the conversation, who changes whatever it consists of once it waits.
async fn behind_a_writer<T>(bench: &Bench, id: ConversationId, work: impl Future<Output = T>) -> T {
    let operator = hold(bench, id).await;
    let done = Cell::new(false);
    let work = async {
        let result = work.await;
        done.set(true);
        result
    };
    let writing = async {
        while !waits(bench).await {
            assert!(!done.get(), "it never took the row of the conversation");
            tokio::task::yield_now().await;
        }
        // This waits for nobody; if it had to, that would be a deadlock.
        let theirs = format!(
            "SET LOCAL lock_timeout = '500ms';
             UPDATE entries SET edited_at = 7 WHERE conversation_id = {id};
             UPDATE reaction_counts SET count = count WHERE conversation_id = {id};
             UPDATE attachments SET seq = seq WHERE conversation_id = {id}; COMMIT"
        );
        operator.batch_execute(&theirs).await.unwrap();
    };
    tokio::join!(work, writing).0
}

#[tokio::test]
async fn what_is_erased_or_trimmed_is_locked_as_writers_do() {
    let bench = Bench::new(Backend::Postgres).await;
    let id = bench.direct().await;
    let store = &bench.store;
    let react = Change::React { target_seq: 2, reaction: "+".into(), removed: false };
    let by_two = |seq| Append { sender_id: Some(user(2)), ..message(id, seq) };
    bench.append(vec![message(id, 2), by_two(3), Append { change: react, ..by_two(4) }]);
    store.delete_user(user(2), None).await.unwrap();
    bench.execute("UPDATE deletions SET deleted_at = deleted_at - 120001").await;
    let bodies = behind_a_writer(&bench, id, async {
        loop {
            let step = store.erase_step().await.unwrap();
            if step.erased > 0 {
                return step.erased;
            }
            assert!(step.more);
        }
    });
    assert_eq!(bodies.await, 2);
    let reactions = "SELECT count(*) FROM reactions";
    assert_eq!(bench.numbers(reactions).await, [1], "a step of its own");
    behind_a_writer(&bench, id, async { while store.erase_step().await.unwrap().more {} }).await;
    assert_eq!(bench.numbers(reactions).await, [0]);

    let rule = KeepRule { days: 0, count: 1 };
    let rules = RetentionRules { direct: rule, group: rule, room: rule };
    assert_eq!(store.retention_step(&rules, None).await.unwrap().removed, 0, "only marked");
    bench.execute("UPDATE retention_marks SET marked_at = marked_at - 600001").await;
    let trimmed = behind_a_writer(&bench, id, store.retention_step(&rules, None)).await.unwrap();
    assert_eq!(trimmed.removed, 3);
}
