//! Blocks.

use ringwire_storage::StoreError;
use ringwire_storage::blocks::Blocking;
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    a_block_is_one_however_often_and_never_of_oneself,
    blocks_come_in_pages,
    a_block_counts_in_both_directions,
    a_direct_conversation_is_found_from_both_sides_and_not_made,
    blocks_of_a_deleted_user_go_in_both_directions,
);

async fn a_block_is_one_however_often_and_never_of_oneself(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let store = &bench.store;
    assert_eq!(store.add_block(user(1), user(2), 10).await.unwrap(), Blocking::Added);
    assert_eq!(store.add_block(user(1), user(2), 20).await.unwrap(), Blocking::Already);
    assert_eq!(store.add_block(user(2), user(1), 20).await.unwrap(), Blocking::Added);
    assert_eq!(store.add_block(user(1), user(1), 20).await.unwrap(), Blocking::Oneself);
    for (one, other) in [(1, 99), (99, 1)] {
        let added = store.add_block(user(one), user(other), 10).await;
        assert!(matches!(added, Err(StoreError::NoSuchUser)), "{added:?}");
    }
    let (rows, more) = store.blocks_page(user(1), None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].blocked_id, rows[0].created_at, more), (1, user(2), 10, false));
    assert!(store.remove_block(user(1), user(2)).await.unwrap());
    assert!(!store.remove_block(user(1), user(2)).await.unwrap());
    assert!(store.is_blocked_either_way(user(1), user(2)).await.unwrap(), "the other's stays");

    // Two who block each other at once, and everybody the same one.
    let mut racers = JoinSet::new();
    for number in 0..20 {
        let store = bench.store.clone();
        let (one, other) = if number % 2 == 0 { (1, 3) } else { (3, 1) };
        racers.spawn(async move { store.add_block(user(one), user(other), 1).await.unwrap() });
    }
    let added = racers.join_all().await;
    assert_eq!(added.iter().filter(|blocking| **blocking == Blocking::Added).count(), 2);
}

async fn a_direct_conversation_is_found_from_both_sides_and_not_made(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let store = &bench.store;
    assert_eq!(store.direct_between(user(1), user(2)).await.unwrap(), None);
    assert_eq!(store.direct_between(user(1), user(2)).await.unwrap(), None, "looking makes none");
    let body = bytes::Bytes::from_static(b"first");
    let (id, _) = store.open_direct(user(2), user(1), 1, body).await.unwrap();
    for (one, other) in [(1, 2), (2, 1)] {
        assert_eq!(store.direct_between(user(one), user(other)).await.unwrap(), Some(id));
    }
    assert_eq!(store.direct_between(user(1), user(3)).await.unwrap(), None);
}

async fn blocks_come_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(8).await;
    for number in 2..=8 {
        bench.store.add_block(user(1), user(number), 10).await.unwrap();
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let (rows, more) = bench.store.blocks_page(user(1), after, 3).await.unwrap();
        found.extend(rows.iter().map(|row| row.blocked_id.get()));
        after = rows.last().map(|row| row.blocked_id);
        if !more {
            break;
        }
        assert_eq!(rows.len(), 3);
    }
    assert_eq!(found, [2, 3, 4, 5, 6, 7, 8]);
}

async fn a_block_counts_in_both_directions(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(6).await;
    let store = &bench.store;
    for (one, other) in [(1, 2), (3, 1), (1, 4), (4, 1), (5, 6)] {
        store.add_block(user(one), user(other), 10).await.unwrap();
    }
    for other in 1..=6 {
        let expected = (2..=4).contains(&other);
        let one = store.is_blocked_either_way(user(1), user(other)).await.unwrap();
        let two = store.is_blocked_either_way(user(other), user(1)).await.unwrap();
        assert_eq!((one, two), (expected, expected), "{other}");
    }
    let asked = [user(6), user(4), user(3), user(4)];
    assert_eq!(store.blocked_either_way(user(1), &asked).await.unwrap(), [user(3), user(4)]);
    assert!(store.blocked_either_way(user(1), &[]).await.unwrap().is_empty());
}

async fn blocks_of_a_deleted_user_go_in_both_directions(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(4).await;
    let store = &bench.store;
    for (one, other) in [(1, 2), (3, 1), (3, 4)] {
        store.add_block(user(one), user(other), 10).await.unwrap();
    }
    store.delete_user(user(1), None).await.unwrap();
    assert_eq!(bench.numbers("SELECT user_id FROM blocks").await, [3]);
    assert!(!store.is_blocked_either_way(user(1), user(3)).await.unwrap());
    let added = store.add_block(user(3), user(1), 10).await;
    assert!(matches!(added, Err(StoreError::NoSuchUser)), "{added:?}");
}
