//! Retention: what goes, what stays, and what an owner with an old head is told.

use ringwire_protocol::{ConversationId, Seq, UnixMs};
use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::model::HistoryWindow;
use ringwire_storage::retention::{KeepRule, RetentionRules, RetentionStep};

use crate::support::{self, Backend, Bench, message, user};

on_both_also_partitioned!(
    by_default_everything_stays,
    nothing_goes_before_it_is_settled_whatever_its_own_time_says,
    age_and_count_remove_prefixes_and_never_the_newest,
    an_old_head_stays_wrong_after_a_trim,
    what_belongs_to_an_entry_goes_with_it,
    large_backlogs_go_in_steps,
    a_retry_is_known_for_as_long_as_its_entry,
);

/// The same rule for every kind.
fn rules(days: u32, count: u32) -> RetentionRules {
    let rule = KeepRule { days, count };
    RetentionRules { direct: rule, group: rule, room: rule }
}

/// Steps until every conversation was looked at; the entries removed.
async fn pass(bench: &Bench, rules: &RetentionRules) -> u64 {
    let mut removed = 0;
    let mut from = None;
    loop {
        let step = bench.store.retention_step(rules, from).await.unwrap();
        removed += step.removed;
        from = step.next;
        if from.is_none() {
            return removed;
        }
    }
}

/// As if the marks had been set 10 minutes ago.
async fn settle(bench: &Bench) {
    bench.execute("UPDATE retention_marks SET marked_at = marked_at - 600001").await;
}

async fn trim(bench: &Bench, rules: &RetentionRules) -> u64 {
    assert_eq!(pass(bench, rules).await, 0, "the first look only marks");
    settle(bench).await;
    pass(bench, rules).await
}

/// A conversation with entries 1 to `last`.
async fn conversation(bench: &Bench, last: Seq) -> ConversationId {
    let id = bench.direct().await;
    bench.append((2..=last).map(|seq| message(id, seq)).collect());
    id
}

async fn left(bench: &Bench, id: ConversationId) -> (Vec<Seq>, Seq) {
    let page = bench.store.load_tail(id, 0, 10_000).await.unwrap().unwrap();
    (page.entries.iter().map(|entry| entry.seq).collect(), page.floor_seq)
}

fn now_ms() -> UnixMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_millis() as UnixMs
}

async fn by_default_everything_stays(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 5).await;
    assert_eq!(trim(&bench, &RetentionRules::default()).await, 0);
    assert_eq!(left(&bench, id).await, (vec![1, 2, 3, 4, 5], 1));
}

async fn nothing_goes_before_it_is_settled_whatever_its_own_time_says(backend: Backend) {
    let bench = Bench::new(backend).await;
    // Their own times are in 1970.
    let id = conversation(&bench, 5).await;
    let rules = rules(1, 1);
    for _ in 0..3 {
        assert_eq!(pass(&bench, &rules).await, 0);
    }
    settle(&bench).await;
    // Committed after the mark: not settled, however old they claim to be.
    bench.append((6..=9).map(|seq| message(id, seq)).collect());
    assert_eq!(pass(&bench, &rules).await, 5);
    assert_eq!(left(&bench, id).await, (vec![6, 7, 8, 9], 6));
    assert_eq!(pass(&bench, &rules).await, 0, "these need a mark of their own");
    assert_eq!(left(&bench, id).await.1, 6);
}

async fn age_and_count_remove_prefixes_and_never_the_newest(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 6).await;
    let young = (7..=8).map(|seq| Append { created_at: now_ms(), ..message(id, seq) });
    bench.append(young.collect());
    let (group, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    bench.append((2..=9).map(|seq| message(group, seq)).collect());

    let by_count = RetentionRules { group: KeepRule { days: 0, count: 3 }, ..Default::default() };
    assert_eq!(trim(&bench, &by_count).await, 6);
    assert_eq!(left(&bench, group).await, (vec![7, 8, 9], 7));
    assert_eq!(left(&bench, id).await.1, 1, "another kind, another rule");

    assert_eq!(trim(&bench, &rules(30, 0)).await, 6 + 2);
    assert_eq!(left(&bench, id).await, (vec![7, 8], 7), "the old half");
    assert_eq!(left(&bench, group).await, (vec![9], 9), "all are old, the newest stays");
    assert_eq!(trim(&bench, &rules(30, 1)).await, 1);
    assert_eq!(trim(&bench, &rules(30, 1)).await, 0);
    let loaded = bench.store.load_conversation(id, 10).await.unwrap().unwrap();
    assert_eq!((loaded.head.seq, loaded.head.msg_no, loaded.floor_seq), (8, 7, 8));
    let history =
        bench.store.history_page(user(2), id, HistoryWindow::Newest, 10).await.unwrap().unwrap();
    assert_eq!((history.entries.len(), history.floor_seq), (1, 8));
    let snapshot = bench.store.session_snapshot(user(2), &[(id, 2)], 10, 10).await.unwrap();
    let page = snapshot.syncs[0].as_ref().unwrap();
    assert_eq!((page.entries[0].seq, page.floor_seq), (8, 8));
    assert_eq!(bench.append(vec![message(id, 9)]), [(9, Outcome::Committed)]);
}

async fn an_old_head_stays_wrong_after_a_trim(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 9).await;
    assert_eq!(trim(&bench, &rules(1, 0)).await, 8);
    // An owner that slept since entry 4, or since entry 8: the positions they ask for are free now.
    for (generation, seq) in [(1, 5), (2, 9), (3, 3)] {
        let old = Append {
            check_base: true,
            generation,
            client_msg_id: format!("late{seq}").into(),
            ..message(id, seq)
        };
        assert_eq!(bench.append(vec![old]), [(seq, Outcome::Conflict)]);
    }
    let next = Append { check_base: true, generation: 4, ..message(id, 10) };
    assert_eq!(bench.append(vec![next]), [(10, Outcome::Committed)]);
    assert_eq!(left(&bench, id).await, (vec![9, 10], 9));
}

async fn what_belongs_to_an_entry_goes_with_it(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 5).await;
    for seq in [2, 5] {
        for row in [
            format!("edits (conversation_id, seq, target_seq) VALUES ({id}, {seq}, 1)"),
            format!(
                "reactions (conversation_id, seq, user_id, reaction) VALUES ({id}, {seq}, 1, '+')"
            ),
            format!(
                "reaction_counts (conversation_id, seq, reaction, count) VALUES ({id}, {seq}, '+', 1)"
            ),
            format!("pins (conversation_id, seq, pinned_by_seq) VALUES ({id}, {seq}, 5)"),
            format!("mentions (user_id, conversation_id, seq) VALUES (0, {id}, {seq})"),
            format!("hidden (user_id, conversation_id, seq, view_no) VALUES (2, {id}, {seq}, 1)"),
        ] {
            bench.execute(&format!("INSERT INTO {row}")).await;
        }
        bench
            .execute(&format!(
                "INSERT INTO push_outbox (conversation_id, seq, created_at, next_try_at)
                 VALUES ({id}, {seq}, 1, 1)"
            ))
            .await;
        bench
            .execute(&format!(
                "INSERT INTO attachments (file_id, owner_id, conversation_id, seq, name, mime_type,
                     size_bytes, sha256, created_at)
                 SELECT 'f{seq}', 1, {id}, {seq}, 'n', 'm', 1, {hash}, 1",
                hash = match backend {
                    Backend::Sqlite => "zeroblob(32)",
                    Backend::Postgres | Backend::PostgresPartitioned =>
                        "decode(repeat('00', 32), 'hex')",
                }
            ))
            .await;
    }
    assert_eq!(trim(&bench, &rules(0, 2)).await, 3);
    for table in
        ["push_outbox", "edits", "reactions", "reaction_counts", "pins", "mentions", "hidden"]
    {
        assert_eq!(bench.numbers(&format!("SELECT seq FROM {table}")).await, [5], "{table}");
    }
    assert_eq!(crate::check::kinds_with(&bench).await, []);
    let unbound = "SELECT CAST(count(*) AS bigint) FROM attachments
        WHERE file_id = 'f2' AND seq = 0 AND conversation_id IS NULL";
    assert_eq!(bench.numbers(unbound).await, [1], "the file waits for those who remove its bytes");
    assert_eq!(bench.numbers("SELECT seq FROM attachments WHERE file_id = 'f5'").await, [5]);
}

async fn large_backlogs_go_in_steps(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 5_600).await;
    let rules = rules(0, 100);
    assert_eq!(pass(&bench, &rules).await, 0);
    settle(&bench).await;
    let mut from = None;
    let mut sizes = Vec::new();
    loop {
        let step = bench.store.retention_step(&rules, from).await.unwrap();
        sizes.push(step.removed);
        // What is left is without gaps at any time.
        let (seqs, floor) = left(&bench, id).await;
        assert_eq!((seqs.first(), seqs.last()), (Some(&floor), Some(&5_600)));
        assert_eq!(seqs.len() as u64, 5_600 - floor + 1);
        from = step.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [2_000, 2_000, 1_500]);
    let again = bench.store.retention_step(&rules, None).await.unwrap();
    assert_eq!(again, RetentionStep { next: None, removed: 0 });
}

async fn a_retry_is_known_for_as_long_as_its_entry(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = conversation(&bench, 5).await;
    let retry = |of: Seq, seq: Seq, generation| Append {
        client_msg_id: format!("m{of}").into(),
        command_hash: of as i64,
        generation,
        ..message(id, seq)
    };
    assert_eq!(trim(&bench, &rules(0, 2)).await, 3);
    let outcomes = bench.append(vec![retry(4, 6, 2)]);
    assert!(matches!(outcomes[0].1, Outcome::Duplicate { seq: 4, .. }), "{outcomes:?}");
    // The window is over: the same id is a new message.
    assert_eq!(bench.append(vec![retry(2, 6, 3)]), [(6, Outcome::Committed)]);
}
