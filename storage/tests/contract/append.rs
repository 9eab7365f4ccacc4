//! Compare-and-append, seen from the owner of a conversation.

use ringwire_storage::append::{Append, Change, Completion, Outcome};
use ringwire_storage::model::Role;

use crate::support::{self, Backend, Bench, body, message, user};

on_both_also_sealed!(
    committed_entries_are_read_back_as_they_were,
    a_taken_position_is_a_conflict_for_this_conversation_only,
    a_rebased_conversation_goes_on_under_a_new_generation,
    o3_a_repeated_id_answers_with_the_original,
    a_missing_base_is_a_conflict,
    d7_a_full_queue_refuses_exactly_the_excess,
    d8_one_poison_row_fails_alone_in_a_batch_of_500,
    joining_and_leaving_commit_with_their_entries,
    joining_as_nobody_is_rejected,
    large_batches_keep_every_promise_of_small_ones,
    answers_go_to_the_origin_that_asked,
    a_store_that_shuts_down_writes_what_it_accepted,
);

async fn committed_entries_are_read_back_as_they_were(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let from_server = Append { sender_id: None, body: vec![0, 255, 10].into(), ..message(id, 3) };
    let outcomes = bench.append(vec![message(id, 2), from_server]);
    assert_eq!(outcomes, [(2, Outcome::Committed), (3, Outcome::Committed)]);

    let tail = bench.store.load_tail(id, 1, 100).await.unwrap().unwrap();
    assert_eq!((tail.head.seq, tail.head.msg_no, tail.head.created_at), (3, 2, 1_003));
    assert_eq!(tail.floor_seq, 1);
    let [second, third] = tail.entries.as_slice() else { panic!("two entries: {tail:?}") };
    assert_eq!((second.seq, second.msg_no, second.created_at), (2, 1, 1_002));
    assert_eq!((second.sender_id, second.client_msg_id.as_str()), (Some(user(1)), "m2"));
    assert_eq!((second.command_hash, &second.body), (2, &body("text 2")));
    assert_eq!((third.sender_id, third.body.as_ref()), (None, [0, 255, 10].as_slice()));
}

async fn a_taken_position_is_a_conflict_for_this_conversation_only(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    let (other, _) = bench.store.open_direct(user(1), user(3), 1, body("")).await.unwrap();
    bench.append(vec![message(id, 2)]);

    let stale = Append { client_msg_id: "new".into(), ..message(id, 2) };
    let behind = message(id, 3);
    for entry in [stale, behind, message(other, 2), message(other, 3)] {
        bench.store.submit(entry).unwrap();
    }
    for answer in bench.answers.take(4) {
        let expected =
            if answer.conversation_id == id { Outcome::Conflict } else { Outcome::Committed };
        assert_eq!(answer.outcome, expected, "{answer:?}");
    }
    let tail = bench.store.load_tail(id, 0, 10).await.unwrap().unwrap();
    assert_eq!(tail.head.seq, 2, "nothing was written behind the conflict");
}

async fn a_rebased_conversation_goes_on_under_a_new_generation(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    let stale = Append { client_msg_id: "new".into(), ..message(id, 2) };
    assert_eq!(bench.append(vec![stale.clone()]), [(2, Outcome::Conflict)]);
    assert_eq!(bench.append(vec![message(id, 3)]), [(3, Outcome::Conflict)]);
    let rebased = Append { seq: 3, msg_no: 2, generation: 2, ..stale };
    assert_eq!(bench.append(vec![rebased]), [(3, Outcome::Committed)]);
}

async fn o3_a_repeated_id_answers_with_the_original(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2)]);
    let original = Outcome::Duplicate { seq: 2, msg_no: 1, created_at: 1_002, command_hash: 2 };

    let repeated = Append { client_msg_id: "m2".into(), ..message(id, 3) };
    assert_eq!(bench.append(vec![repeated.clone()]), [(3, original.clone())]);
    // A stale owner repeats it at the very position, with its own clock: still the original's data.
    let same_place = Append { created_at: 9_999, generation: 2, ..message(id, 2) };
    assert_eq!(bench.append(vec![same_place]), [(2, original.clone())]);
    // Another command under the same id: told apart by the hash, which the original's is.
    let other_command = Append { command_hash: 77, generation: 3, ..message(id, 2) };
    assert_eq!(bench.append(vec![other_command]), [(2, original)]);
    // Another sender may use the same id.
    let other_sender = Append { sender_id: Some(user(2)), generation: 4, ..repeated };
    assert_eq!(bench.append(vec![other_sender]), [(3, Outcome::Committed)]);
}

async fn a_missing_base_is_a_conflict(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let floating = Append { check_base: true, ..message(id, 5) };
    assert_eq!(bench.append(vec![floating]), [(5, Outcome::Conflict)]);
    let based = Append { check_base: true, generation: 2, ..message(id, 2) };
    assert_eq!(bench.append(vec![based]), [(2, Outcome::Committed)]);
}

async fn d7_a_full_queue_refuses_exactly_the_excess(backend: Backend) {
    const CAPACITY: usize = 1_000;
    const EXCESS: usize = 10_000;
    let bench = Bench::with(backend, |config| {
        config.queue_capacity = CAPACITY;
        config.writers = 1;
    })
    .await;
    let id = bench.direct().await;
    // The writer stands still in its delivery of this one.
    bench.answers.block(true);
    bench.append(vec![message(id, 2)]);
    let refused = (0..CAPACITY + EXCESS)
        .filter(|number| {
            let entry = message(id, 3 + *number as u64);
            let seq = entry.seq;
            match bench.store.submit(entry) {
                Ok(()) => false,
                Err(refused) => {
                    assert_eq!(refused.0.seq, seq, "the refused entry comes back");
                    true
                }
            }
        })
        .count();
    assert_eq!(refused, EXCESS);
    bench.answers.block(false);
    let answers = bench.answers.take(CAPACITY);
    assert_eq!(answers.len(), CAPACITY);
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed));
    assert!(answers.is_sorted_by_key(|answer| answer.seq), "in order");
}

async fn d8_one_poison_row_fails_alone_in_a_batch_of_500(backend: Backend) {
    let bench = Bench::with(backend, |config| config.writers = 1).await;
    bench.users(101).await;
    let mut conversations = Vec::new();
    for number in 2..=101 {
        let opened = bench.store.open_direct(user(1), user(number), 1, body("")).await.unwrap();
        conversations.push(opened.0);
    }
    // The first entry holds the writer until the 500 wait together.
    bench.answers.block(true);
    bench.append(vec![message(conversations[0], 2)]);
    let poisoned = conversations[50];
    for &id in &conversations {
        let first = if id == conversations[0] { 3 } else { 2 };
        for seq in first..first + 5 {
            let mut entry = message(id, seq);
            if id == poisoned && seq == 4 {
                // Longer than the schema allows.
                entry.client_msg_id = "x".repeat(65).into();
            }
            bench.store.submit(entry).unwrap();
        }
    }
    bench.answers.block(false);
    for answer in bench.answers.take(500) {
        match (answer.conversation_id == poisoned, answer.seq) {
            (true, 4) => assert!(matches!(answer.outcome, Outcome::Rejected { .. }), "{answer:?}"),
            (true, 5..) => assert_eq!(answer.outcome, Outcome::Conflict),
            _ => assert_eq!(answer.outcome, Outcome::Committed, "{answer:?}"),
        }
    }
    let tail = bench.store.load_tail(poisoned, 0, 10).await.unwrap().unwrap();
    assert_eq!(tail.head.seq, 3);
    let repaired = Append { generation: 2, ..message(poisoned, 4) };
    assert_eq!(bench.append(vec![repaired]), [(4, Outcome::Committed)]);
}

async fn joining_and_leaving_commit_with_their_entries(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(5).await;
    let group = support::group(1, &[2, 3]);
    let (id, _) = bench.store.create_group(group, 1_000).await.unwrap();
    let join = Append { change: Change::Join(vec![user(4), user(5), user(3)]), ..message(id, 2) };
    let leave = Append {
        change: Change::Leave { user_id: user(1), new_owner_id: Some(user(4)) },
        ..message(id, 3)
    };
    let gone =
        Append { change: Change::Leave { user_id: user(2), new_owner_id: None }, ..message(id, 4) };
    bench.append(vec![join, leave, gone]);

    let loaded = bench.store.load_conversation(id, 10).await.unwrap().unwrap();
    let members: Vec<_> = loaded.members.iter().map(|m| (m.user_id, m.role, m.joined_at)).collect();
    assert_eq!(
        members,
        [
            (user(3), Role::Member, 1_000),
            (user(4), Role::Owner, 1_002),
            (user(5), Role::Member, 1_002),
        ]
    );
    let (heads, _) = bench.store.heads(user(5), None, &[], 10).await.unwrap();
    assert_eq!(heads[0].member_count, 3);
    assert_eq!(heads[0].read_seq, 2, "what was said before they came is not unread");
    assert_eq!(heads[0].unread(), 2);
    assert!(bench.store.heads(user(1), None, &[], 10).await.unwrap().0.is_empty());

    // A refused entry changes nobody's membership.
    let stale = Append {
        change: Change::Join(vec![user(1)]),
        client_msg_id: "stale".into(),
        ..message(id, 4)
    };
    assert_eq!(bench.append(vec![stale]), [(4, Outcome::Conflict)]);
    let loaded = bench.store.load_conversation(id, 10).await.unwrap().unwrap();
    assert_eq!(loaded.members.len(), 3);
}

async fn joining_as_nobody_is_rejected(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let join = Append { change: Change::Join(vec![user(999)]), ..message(id, 2) };
    let outcomes = bench.append(vec![join]);
    assert!(matches!(outcomes[0].1, Outcome::Rejected { .. }), "{outcomes:?}");
    assert_eq!(bench.store.load_tail(id, 0, 10).await.unwrap().unwrap().head.seq, 1);
}

/// Sets beyond the size where another way of writing takes over.
async fn large_batches_keep_every_promise_of_small_ones(backend: Backend) {
    const ENTRIES: u64 = 1_500;
    let bench = Bench::with(backend, |config| {
        config.writers = 1;
        config.batch.max_rows = 4_096;
    })
    .await;
    bench.users(7).await;
    let (busy, _) = bench.store.open_direct(user(1), user(2), 1, body("")).await.unwrap();
    let mut others = Vec::new();
    for number in 3..=6 {
        others.push(bench.store.open_direct(user(1), user(number), 1, body("")).await.unwrap().0);
    }
    let [taken, floating, based, poisoned] = others[..] else { panic!("four: {others:?}") };
    let group = support::group(1, &[2]);
    let (group, _) = bench.store.create_group(group, 1_000).await.unwrap();
    bench.append(vec![message(taken, 2)]);

    let last = ENTRIES + 2;
    let filler = |generation| move |seq| Append { generation, ..message(busy, seq) };
    // One batch: the first entry holds the writer until all wait together.
    let in_one_batch = async |entries: Vec<Append>| {
        let held = Append { generation: 9, ..message(busy, entries[0].seq - 1) };
        bench.answers.block(true);
        bench.append(vec![held]);
        let count = entries.len();
        for entry in entries {
            bench.store.submit(entry).unwrap();
        }
        bench.answers.block(false);
        bench.answers.take(count)
    };
    let committed = |answers: Vec<Completion>| {
        assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed), "{answers:?}");
    };

    // With a change of membership and a base that is there.
    let mut entries: Vec<_> = (3..=last).map(filler(9)).collect();
    entries.push(Append { change: Change::Join(vec![user(7)]), ..message(group, 2) });
    entries.push(Append { check_base: true, ..message(based, 2) });
    committed(in_one_batch(entries).await);
    let loaded = bench.store.load_conversation(group, 1).await.unwrap().unwrap();
    assert_eq!(loaded.members.len(), 3);

    // A taken position, a base that is missing, a row that is refused: each comes back alone, and the rest is written.
    let first = last + 2;
    let mut entries: Vec<_> = (first..first + ENTRIES).map(filler(9)).collect();
    entries.push(Append { client_msg_id: "new".into(), ..message(taken, 2) });
    entries.push(Append { check_base: true, ..message(floating, 5) });
    entries.push(Append { client_msg_id: "x".repeat(65).into(), ..message(poisoned, 2) });
    entries.push(Append { change: Change::Join(vec![user(6)]), ..message(group, 3) });
    for answer in in_one_batch(entries).await {
        let outcome = answer.outcome;
        match answer.conversation_id {
            id if id == taken || id == floating => assert_eq!(outcome, Outcome::Conflict),
            id if id == poisoned => assert!(matches!(outcome, Outcome::Rejected { .. })),
            _ => assert_eq!(outcome, Outcome::Committed),
        }
    }
    let head = async |id| bench.store.load_tail(id, 0, 1).await.unwrap().unwrap().head.seq;
    assert_eq!((head(taken).await, head(floating).await, head(poisoned).await), (2, 1, 1));
    assert_eq!(
        (head(busy).await, head(group).await, head(based).await),
        (first + ENTRIES - 1, 3, 2)
    );
    let loaded = bench.store.load_conversation(group, 1).await.unwrap().unwrap();
    assert_eq!(loaded.members.len(), 4);
    let page = bench.store.load_tail(busy, first - 1, 1).await.unwrap().unwrap();
    assert_eq!(page.entries[0].body, message(busy, first).body);
}

async fn answers_go_to_the_origin_that_asked(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    for number in 2..=3 {
        let (id, _) = bench.store.open_direct(user(1), user(number), 1, body("")).await.unwrap();
        let entry = Append { origin: number as u16, ..message(id, 2) };
        bench.store.submit(entry).unwrap();
    }
    while bench.answers.len() < 2 {
        tokio::task::yield_now().await;
    }
    let mut origins = bench.answers.origins();
    origins.sort_unstable();
    assert_eq!(origins, [2, 3]);
}

async fn a_store_that_shuts_down_writes_what_it_accepted(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    for seq in 2..=1_001 {
        bench.store.submit(message(id, seq)).unwrap();
    }
    let dropped = bench.store.shut_down(std::time::Duration::from_secs(30)).await;
    assert_eq!(dropped, 0);
    assert_eq!(bench.answers.take(1_000).len(), 1_000);
    assert!(bench.store.submit(message(id, 1_002)).is_err(), "no more is accepted");

    // The database is as it was left, the order of the list included.
    let Bench { store, answers, config, _folder } = bench;
    drop((store, answers));
    let again =
        ringwire_storage::Store::open(config, std::sync::Arc::new(|_, _| {})).await.unwrap();
    let (heads, _) = again.heads(user(1), None, &[], 10).await.unwrap();
    assert_eq!((heads[0].head.seq, heads[0].last_activity_at), (1_001, 2_001));
}
