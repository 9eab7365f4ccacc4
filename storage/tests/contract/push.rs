//! The push outbox: takers, tries and leases.

use std::collections::BTreeSet;

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::StoreError;
use ringwire_storage::push::{PushRow, TakenPushes};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench};

on_both!(
    an_entry_is_due_after_its_delay_and_until_it_is_done,
    takers_at_once_never_get_the_same_entry,
    a_silent_taker_loses_its_entries_and_its_say,
    an_entry_is_given_up_after_so_many_tries,
);

const MINUTE: i64 = 60_000;

fn conversation(number: u64) -> ConversationId {
    ConversationId::new(number).unwrap()
}

async fn add(bench: &Bench, seqs: std::ops::RangeInclusive<Seq>) {
    let entries: Vec<_> = seqs.map(|seq| (conversation(7), seq)).collect();
    bench.store.add_pushes(&entries, 0).await.unwrap();
}

async fn take(bench: &Bench) -> TakenPushes {
    bench.store.take_pushes(100, MINUTE, 3).await.unwrap()
}

/// The only one that is due.
async fn take_one(bench: &Bench) -> PushRow {
    let taken = take(bench).await;
    assert_eq!((taken.pushes.len(), taken.given_up.len()), (1, 0), "{taken:?}");
    taken.pushes[0]
}

/// As if so much time had passed.
async fn later(bench: &Bench, ms: i64) {
    bench.execute(&format!("UPDATE push_outbox SET next_try_at = next_try_at - {ms}")).await;
}

async fn an_entry_is_due_after_its_delay_and_until_it_is_done(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let entries = [(conversation(7), 3), (conversation(7), 2)];
    store.add_pushes(&entries, MINUTE).await.unwrap();
    assert_eq!(take(&bench).await, TakenPushes::default());
    later(&bench, MINUTE).await;
    let taken = take(&bench).await;
    let found: BTreeSet<_> =
        taken.pushes.iter().map(|push| (push.conversation_id, push.seq)).collect();
    assert_eq!(found, BTreeSet::from(entries));
    assert!(taken.pushes.iter().all(|push| push.tries == 1));
    // Adding again neither makes them due nor forgets the try.
    store.add_pushes(&entries, 0).await.unwrap();
    assert_eq!(take(&bench).await, TakenPushes::default());
    store.finish_pushes(&taken.pushes[..1]).await.unwrap();
    store.finish_pushes(&[]).await.unwrap();
    assert!(store.retry_push(taken.pushes[1], MINUTE).await.unwrap());
    assert!(!store.retry_push(taken.pushes[0], MINUTE).await.unwrap(), "it is done");
    assert_eq!(take(&bench).await, TakenPushes::default());
    later(&bench, MINUTE).await;
    let again = take_one(&bench).await;
    assert_eq!(again, PushRow { tries: 2, ..taken.pushes[1] });
    store.finish_pushes(&[again]).await.unwrap();
    assert_eq!(bench.numbers("SELECT seq FROM push_outbox").await, [0_i64; 0]);
}

async fn takers_at_once_never_get_the_same_entry(backend: Backend) {
    let bench = Bench::new(backend).await;
    add(&bench, 1..=500).await;
    let other = match bench.another().await {
        Ok((store, _)) => store,
        Err(StoreError::DataFolderLocked(_)) => bench.store.clone(),
        Err(error) => panic!("{error}"),
    };
    let mut takers = JoinSet::new();
    for number in 0..10 {
        let store = if number % 2 == 0 { bench.store.clone() } else { other.clone() };
        takers.spawn(async move {
            let mut mine = Vec::new();
            // An empty answer may mean that the others hold all that is due: it is not the end before they are done.
            for _ in 0..12 {
                mine.extend(store.take_pushes(7, MINUTE, 3).await.unwrap().pushes);
            }
            mine
        });
    }
    let mut taken: Vec<_> = takers.join_all().await.into_iter().flatten().collect();
    taken.extend(bench.store.take_pushes(500, MINUTE, 3).await.unwrap().pushes);
    assert_eq!(taken.len(), 500);
    assert!(taken.iter().all(|push| push.tries == 1));
    let distinct: BTreeSet<_> = taken.iter().map(|push| push.seq).collect();
    assert_eq!(distinct.len(), 500);
}

async fn a_silent_taker_loses_its_entries_and_its_say(backend: Backend) {
    let bench = Bench::new(backend).await;
    add(&bench, 1..=1).await;
    let slow = take_one(&bench).await;
    later(&bench, MINUTE).await;
    let fast = take_one(&bench).await;
    assert_eq!((slow.tries, fast.tries), (1, 2));
    // The slow one does not take it away from the fast one by giving it back.
    assert!(!bench.store.retry_push(slow, 0).await.unwrap());
    assert_eq!(take(&bench).await, TakenPushes::default());
    // If it was pushed after all, it is done.
    bench.store.finish_pushes(&[slow]).await.unwrap();
    assert!(!bench.store.retry_push(fast, 0).await.unwrap());
}

async fn an_entry_is_given_up_after_so_many_tries(backend: Backend) {
    let bench = Bench::new(backend).await;
    add(&bench, 1..=1).await;
    for tries in 1..=3 {
        let push = take_one(&bench).await;
        assert_eq!(push.tries, tries);
        // Told to try again, or its taker crashed.
        if tries == 1 {
            assert!(bench.store.retry_push(push, 0).await.unwrap());
        } else {
            later(&bench, MINUTE).await;
        }
    }
    let last = take(&bench).await;
    assert_eq!((last.pushes.len(), last.given_up.len()), (0, 1));
    assert_eq!(last.given_up[0].seq, 1);
    later(&bench, 10 * MINUTE).await;
    assert_eq!(take(&bench).await, TakenPushes::default());
}
