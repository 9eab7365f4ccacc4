//! Full-text search: what is found, by whom, and that every committed message is indexed sooner or later.

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Change};
use ringwire_storage::search::{SearchAfter, SearchQuery};
use ringwire_storage::{Store, StoreError};

use crate::support::{self, Backend, Bench, body, message, user};

on_both_also_partitioned!(
    words_phrases_and_beginnings_are_found,
    z2_only_members_find_and_only_while_they_are,
    results_come_newest_first_in_pages,
    whatever_somebody_types_is_a_query,
    nothing_is_missed_by_a_restart_or_on_another_node,
    long_logs_and_many_are_indexed_in_steps,
    a_damaged_log_does_not_keep_others_from_being_indexed,
    what_is_changed_or_trimmed_is_not_found_any_more,
    edits_are_found_and_recalls_are_not_at_once,
    with_search_off_the_index_is_emptied,
);

const NOTHING: [Seq; 0] = [];

/// Bodies that are no text, and the openings of conversations, are not searched.
fn text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    (!["", "opened", "created"].contains(&text)).then(|| text.to_owned())
}

async fn bench(backend: Backend) -> Bench {
    Bench::with(backend, |config| config.search_text = Some(text)).await
}

/// Indexes until there is nothing left to do. The hint of the writers comes late, a look at everything does not.
async fn index(store: &Store) {
    while store.index_step().await.unwrap() {}
}

fn says(id: ConversationId, seq: Seq, text: &str) -> Append {
    Append { body: body(text), ..message(id, seq) }
}

fn query(text: &str) -> SearchQuery {
    SearchQuery::parse(text).unwrap()
}

async fn find(store: &Store, who: u64, text: &str) -> Vec<Seq> {
    let (found, more) = store.search(user(who), &query(text), None, None, 100).await.unwrap();
    assert!(!more);
    found.iter().map(|entry| entry.seq).collect()
}

async fn words_phrases_and_beginnings_are_found(backend: Backend) {
    let bench = bench(backend).await;
    let id = bench.direct().await;
    let texts = [
        "The quick brown fox",
        "a brown dog, quick!",
        "FÜSSE und Füße",
        "我明天去东京",
        "state-of-the-art 3.14",
        "it's 'quoted' \\ : & | ! <-> \0 %s",
    ];
    bench.append((2..).zip(texts).map(|(seq, text)| says(id, seq, text)).collect());
    index(&bench.store).await;
    for (asked, expected) in [
        ("quick brown", vec![3, 2]),
        ("QUICK", vec![3, 2]),
        ("\"quick brown\"", vec![2]),
        ("\"brown dog\" quick", vec![3]),
        ("qui*", vec![3, 2]),
        ("qui", vec![]),
        ("quick cat", vec![]),
        ("füsse", vec![4]),
        ("füß*", vec![4]),
        ("东京", vec![5]),
        ("明东", vec![]),
        ("state of", vec![6]),
        ("state-of-the", vec![6]),
        ("of-state", vec![]),
        ("3.14", vec![6]),
        ("it's", vec![7]),
        ("quoted", vec![7]),
    ] {
        assert_eq!(find(&bench.store, 2, asked).await, expected, "{asked}");
    }
    let (found, _) = bench.store.search(user(1), &query("fox"), None, None, 1).await.unwrap();
    assert_eq!(found[0].body, body("The quick brown fox"));
    assert!(found[0].conversation_id == id && found[0].sender_id == Some(user(1)));
}

async fn z2_only_members_find_and_only_while_they_are(backend: Backend) {
    let bench = bench(backend).await;
    bench.users(3).await;
    let (group, _) = bench.store.create_group(support::group(1, &[2]), 1).await.unwrap();
    bench.append(vec![says(group, 2, "secret plan")]);
    index(&bench.store).await;
    assert_eq!(find(&bench.store, 2, "secret").await, [2]);
    assert_eq!(find(&bench.store, 3, "secret").await, NOTHING);
    let in_it = bench.store.search(user(3), &query("secret"), Some(group), None, 10).await.unwrap();
    assert_eq!(in_it, (vec![], false));

    let leaves = Change::Leave { user_id: user(2), new_owner_id: None };
    let joins = Change::Join(vec![user(3)]);
    bench.append(vec![Append { change: leaves, ..message(group, 3) }]);
    assert_eq!(find(&bench.store, 2, "secret").await, NOTHING, "they left");
    bench.append(vec![Append { change: joins, ..message(group, 4) }]);
    assert_eq!(find(&bench.store, 3, "secret").await, [2], "members read what was before them");
}

async fn results_come_newest_first_in_pages(backend: Backend) {
    let bench = bench(backend).await;
    bench.users(3).await;
    let mut ids = Vec::new();
    for other in [2, 3] {
        ids.push(bench.store.open_direct(user(1), user(other), 1, body("")).await.unwrap().0);
    }
    // Both logs say something at the same times.
    for &id in &ids {
        bench.append((2..=11).map(|seq| says(id, seq, "word")).collect());
    }
    index(&bench.store).await;
    let mut expected: Vec<_> =
        ids.iter().flat_map(|&id| (2..=11).map(move |seq| (seq, id))).collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    for (only, expected) in [
        (None, expected.clone()),
        (Some(ids[0]), expected.iter().copied().filter(|(_, id)| *id == ids[0]).collect()),
    ] {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let (page, more) =
                bench.store.search(user(1), &query("word"), only, after, 3).await.unwrap();
            listed.extend(page.iter().map(|entry| (entry.seq, entry.conversation_id)));
            after = page.last().map(|last| SearchAfter {
                created_at: last.created_at,
                conversation_id: last.conversation_id,
                seq: last.seq,
            });
            if !more {
                break;
            }
        }
        assert_eq!(listed, expected);
    }
}

async fn whatever_somebody_types_is_a_query(backend: Backend) {
    let bench = bench(backend).await;
    let id = bench.direct().await;
    bench.append(vec![says(id, 2, "a b c NEAR AND OR NOT")]);
    index(&bench.store).await;
    let pieces = [
        "a",
        "\"",
        "*",
        "'",
        "\\",
        "(",
        ")",
        ":",
        "&",
        "|",
        "!",
        "<->",
        "^",
        "-",
        "\0",
        "{",
        "+",
        "NEAR",
        "AND",
        "OR",
        "NOT",
        "words:",
        ";--",
        "$1",
        "?1",
        "%",
        "ё",
        "\u{301}",
        "\u{1F600}",
        "\u{fffd}",
        " ",
    ];
    // Every three of them in a row, in a fixed disorder.
    for start in 0..pieces.len() {
        for step in 1..pieces.len() {
            let typed: String =
                (0..5).map(|place| pieces[(start + place * step) % pieces.len()]).collect();
            if let Some(query) = SearchQuery::parse(&typed) {
                let found = bench.store.search(user(1), &query, None, None, 1).await;
                assert!(found.is_ok(), "{typed:?}: {found:?}");
            }
        }
    }
    assert_eq!(find(&bench.store, 1, "near AND or").await, [2], "operators are words");
}

async fn nothing_is_missed_by_a_restart_or_on_another_node(backend: Backend) {
    let mut bench = bench(backend).await;
    let id = bench.direct().await;
    bench.append(vec![says(id, 2, "before")]);
    index(&bench.store).await;
    // Committed and never indexed by this store: what it knows of it is lost.
    bench.append(vec![says(id, 3, "forgotten")]);
    if backend == Backend::Sqlite {
        bench = bench.reopened().await;
        index(&bench.store).await;
        assert_eq!(find(&bench.store, 1, "forgotten").await, [3]);
        return;
    }
    let (other, _) = bench.another().await.unwrap();
    index(&other).await;
    assert_eq!(find(&other, 1, "forgotten").await, [3]);
    assert_eq!(find(&bench.store, 1, "forgotten").await, [3], "the index is shared");
    // Both index at once, what both saw and what one of them committed.
    bench.append((4..=500).map(|seq| says(id, seq, &format!("n{seq}"))).collect());
    let (first, second) = (bench.another().await.unwrap().0, bench.another().await.unwrap().0);
    tokio::join!(index(&first), index(&second));
    index(&first).await;
    index(&second).await;
    assert_eq!(find(&other, 1, "n500").await, [500]);
    let rows = bench.numbers("SELECT count(*) FROM search_entries").await;
    assert_eq!(rows, [499]);
}

async fn long_logs_and_many_are_indexed_in_steps(backend: Backend) {
    let bench = bench(backend).await;
    bench.users(1).await;
    let mut ids = Vec::new();
    for number in 0..450 {
        let group = support::group(1, &[]);
        let group =
            ringwire_storage::model::NewGroup { client_msg_id: format!("g{number}"), ..group };
        ids.push(bench.store.create_group(group, 1).await.unwrap().0);
    }
    bench.append((2..=1_000).map(|seq| says(ids[7], seq, &format!("long n{seq}"))).collect());
    bench.append(ids.iter().skip(8).map(|id| says(*id, 2, "short")).collect());
    let mut steps = 0;
    while bench.store.index_step().await.unwrap() {
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps are not small ones");
    let (found, more) =
        bench.store.search(user(1), &query("short"), None, None, 1_000).await.unwrap();
    assert_eq!((found.len(), more), (442, false));
    assert_eq!(find(&bench.store, 1, "n2").await, [2]);
    assert_eq!(find(&bench.store, 1, "n1000").await, [1_000]);
    // What the writers hint at later is indexed already.
    index(&bench.store).await;
    assert_eq!(bench.numbers("SELECT count(*) FROM search_entries").await, [999 + 442]);
}

async fn a_damaged_log_does_not_keep_others_from_being_indexed(backend: Backend) {
    let bench = bench(backend).await;
    bench.users(3).await;
    let mut ids = Vec::new();
    for other in [2, 3] {
        let (id, _) = bench.store.open_direct(user(1), user(other), 1, body("")).await.unwrap();
        bench.append(vec![says(id, 2, "hello")]);
        ids.push(id);
    }
    // A sender that cannot be.
    bench
        .execute(&format!(
            "UPDATE entries SET sender_id = -5 WHERE conversation_id = {} AND seq = 2",
            ids[0]
        ))
        .await;
    let mut failures = 0;
    for _ in 0..20 {
        failures += u32::from(bench.store.index_step().await.is_err());
    }
    assert_eq!(failures, 2, "with others, and alone");
    let found = find(&bench.store, 3, "hello").await;
    assert_eq!(found, [2]);
}

async fn what_is_changed_or_trimmed_is_not_found_any_more(backend: Backend) {
    let bench = bench(backend).await;
    let id = bench.direct().await;
    bench.append((2..=6).map(|seq| says(id, seq, "wrong")).collect());
    index(&bench.store).await;
    let change = async |seq: u64, text: &str| {
        let value = match backend {
            Backend::Sqlite => format!("CAST('{text}' AS BLOB)"),
            Backend::Postgres | Backend::PostgresPartitioned => {
                format!("convert_to('{text}', 'UTF8')")
            }
        };
        bench.execute(&format!("UPDATE entries SET body = {value} WHERE seq = {seq}")).await;
        bench.store.reindex(id, &[seq]).await.unwrap();
    };
    change(3, "right").await;
    change(4, "").await;
    assert_eq!(find(&bench.store, 1, "wrong").await, [6, 5, 2]);
    assert_eq!(find(&bench.store, 1, "right").await, [3]);
    bench.execute("DELETE FROM entries WHERE seq = 5").await;
    bench.store.reindex(id, &[5, 99]).await.unwrap();
    assert_eq!(find(&bench.store, 1, "wrong").await, [6, 2]);

    // Changed before it is indexed.
    bench.append(vec![says(id, 7, "early")]);
    change(7, "late").await;
    let (again, _) = match backend {
        Backend::Postgres | Backend::PostgresPartitioned => bench.another().await.unwrap(),
        Backend::Sqlite => (bench.store.clone(), bench.answers.clone()),
    };
    index(&again).await;
    assert_eq!(find(&bench.store, 1, "early").await, NOTHING);
}

async fn edits_are_found_and_recalls_are_not_at_once(backend: Backend) {
    let bench = bench(backend).await;
    let id = bench.direct().await;
    bench.append((2..=4).map(|seq| says(id, seq, "wrong")).collect());
    index(&bench.store).await;
    let silent = |seq, change| Append { body: body(""), msg_no: 3, change, ..message(id, seq) };
    let edit = Change::Edit { target_seq: 2, body: body("right"), files: Vec::new() };
    bench.append(vec![silent(5, edit), silent(6, Change::Recall { target_seq: 3 })]);
    assert_eq!(find(&bench.store, 1, "wrong").await, [4]);
    assert_eq!(find(&bench.store, 1, "right").await, [2]);
    bench.store.hide(user(1), id, &[2]).await.unwrap();
    assert_eq!(find(&bench.store, 1, "right").await, NOTHING, "hidden from this one");
    assert_eq!(find(&bench.store, 2, "right").await, [2]);
    // Changed before they are indexed.
    bench.append(vec![Append { msg_no: 4, ..says(id, 7, "early") }]);
    let edit = Change::Edit { target_seq: 7, body: body("late"), files: Vec::new() };
    bench.append(vec![Append { msg_no: 4, ..silent(8, edit) }]);
    // A new start looks at everything; the hint of a writer may come late.
    let bench = bench.reopened().await;
    index(&bench.store).await;
    assert_eq!(find(&bench.store, 1, "early").await, NOTHING);
    assert_eq!(find(&bench.store, 1, "late").await, [7]);
}

async fn with_search_off_the_index_is_emptied(backend: Backend) {
    let mut bench = bench(backend).await;
    let id = bench.direct().await;
    bench.append((2..=1_500).map(|seq| says(id, seq, "word")).collect());
    index(&bench.store).await;
    assert_eq!(bench.numbers("SELECT count(*) FROM search_entries").await, [1_499]);
    bench.config.search_text = None;
    bench = bench.reopened().await;
    let off = bench.store.search(user(1), &query("word"), None, None, 1).await;
    assert!(matches!(off, Err(StoreError::SearchOff)), "{off:?}");
    index(&bench.store).await;
    assert_eq!(bench.numbers("SELECT count(*) FROM search_entries").await, [0]);
    // And on again.
    bench.config.search_text = Some(text);
    bench = bench.reopened().await;
    index(&bench.store).await;
    let (found, more) = bench.store.search(user(1), &query("word"), None, None, 2).await.unwrap();
    assert_eq!((found.len(), more), (2, true));
}
