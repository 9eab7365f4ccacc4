//! Making conversations, and cursors.

use std::sync::Arc;

use ringwire_storage::StoreError;
use ringwire_storage::model::{ConversationKind, CursorRow, NewGroup, Role};
use tokio::task::JoinSet;

use crate::support::{self, Backend, Bench, body, message, user};

on_both!(
    a_direct_conversation_is_one_for_the_pair,
    a_race_for_a_direct_conversation_makes_one,
    a_user_may_write_to_themselves,
    a_conversation_with_nobody_is_refused,
    a_repeated_group_is_found_again,
    cursors_only_rise,
);

async fn a_direct_conversation_is_one_for_the_pair(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let store = &bench.store;
    let (id, created) = store.open_direct(user(2), user(1), 1_000, body("hello")).await.unwrap();
    assert!(created);
    assert_eq!(store.open_direct(user(1), user(2), 2_000, body("x")).await.unwrap(), (id, false));
    let (other, created) = store.open_direct(user(1), user(3), 1_000, body("")).await.unwrap();
    assert!(created && other != id);

    let loaded = store.load_conversation(id, 10).await.unwrap().unwrap();
    assert_eq!(loaded.kind, ConversationKind::Direct);
    assert_eq!((loaded.head.seq, loaded.head.msg_no), (1, 0));
    assert_eq!(loaded.recent[0].body, body("hello"));
    assert_eq!(loaded.recent[0].sender_id, Some(user(2)));
    let members: Vec<_> = loaded.members.iter().map(|m| (m.user_id, m.role)).collect();
    assert_eq!(members, [(user(1), Role::Member), (user(2), Role::Member)]);
}

async fn a_race_for_a_direct_conversation_makes_one(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    let mut racers = JoinSet::new();
    for number in 0..20 {
        let store = bench.store.clone();
        let pair = if number % 2 == 0 { (user(1), user(2)) } else { (user(2), user(1)) };
        racers.spawn(async move { store.open_direct(pair.0, pair.1, 1, body("")).await.unwrap() });
    }
    let results = racers.join_all().await;
    assert!(results.iter().all(|(id, _)| *id == results[0].0));
    assert_eq!(results.iter().filter(|(_, created)| *created).count(), 1);
}

async fn a_user_may_write_to_themselves(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let (id, _) = bench.store.open_direct(user(1), user(1), 1, body("")).await.unwrap();
    assert_eq!(bench.store.load_conversation(id, 1).await.unwrap().unwrap().members.len(), 1);
    let (heads, _) = bench.store.heads(user(1), None, &[], 10).await.unwrap();
    assert_eq!((heads[0].member_count, heads[0].users.len()), (1, 1));
}

async fn a_conversation_with_nobody_is_refused(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let direct = bench.store.open_direct(user(1), user(7), 1, body("")).await;
    assert!(matches!(direct, Err(StoreError::NoSuchUser)), "{direct:?}");
    let group = bench.store.create_group(support::group(1, &[7]), 1).await;
    assert!(matches!(group, Err(StoreError::NoSuchUser)), "{group:?}");
    assert!(bench.store.heads(user(1), None, &[], 10).await.unwrap().0.is_empty());
}

async fn a_repeated_group_is_found_again(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(4).await;
    let store = Arc::new(bench.store.clone());
    // The creator and a doubled name among the members do no harm.
    let group = support::group(1, &[4, 2, 2, 1]);
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let (store, group) = (Arc::clone(&store), group.clone());
        racers.spawn(async move { store.create_group(group, 1_000).await.unwrap() });
    }
    let results = racers.join_all().await;
    let id = results[0].0;
    assert!(results.iter().all(|result| result.0 == id));
    assert_eq!(results.iter().filter(|(_, created)| *created).count(), 1);

    let loaded = store.load_conversation(id, 10).await.unwrap().unwrap();
    let members: Vec<_> = loaded.members.iter().map(|m| (m.user_id, m.role)).collect();
    let expected = [(user(1), Role::Owner), (user(2), Role::Member), (user(4), Role::Member)];
    assert_eq!(members, expected);
    assert_eq!((loaded.kind, loaded.settings), (ConversationKind::Group, body("settings")));
    assert_eq!((loaded.recent[0].command_hash, loaded.recent[0].msg_no), (42, 0));

    let by_another = NewGroup { creator: user(2), ..support::group(2, &[]) };
    assert!(store.create_group(by_another, 1).await.unwrap().1, "ids are the creator's own");
    let second = NewGroup { client_msg_id: "second".into(), ..support::group(1, &[]) };
    assert!(store.create_group(second, 1).await.unwrap().1);
}

async fn cursors_only_rise(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    bench.append((2..=6).map(|seq| message(id, seq)).collect());
    let row = |number, read_seq, delivered_seq| CursorRow {
        conversation_id: id,
        user_id: user(number),
        read_seq,
        delivered_seq,
    };
    // Two moves of one member in one call, one of a stranger, and one beyond the head.
    let moves = [row(2, 3, 0), row(2, 4, 5), row(3, 2, 2), row(1, 999, 1_000)];
    bench.store.save_cursors(&moves).await.unwrap();
    bench.store.save_cursors(&[row(2, 2, 6)]).await.unwrap();
    bench.store.save_cursors(&[]).await.unwrap();

    let (heads, _) = bench.store.heads(user(2), None, &[], 10).await.unwrap();
    let line = &heads[0];
    assert_eq!((line.read_seq, line.read_msg_no, line.delivered_seq), (4, 3, 6));
    assert_eq!(line.unread(), 2);
    let (heads, _) = bench.store.heads(user(1), None, &[], 10).await.unwrap();
    let line = &heads[0];
    assert_eq!((line.read_seq, line.delivered_seq), (6, 6), "a cursor ends at the head");
    assert_eq!(line.unread(), 0);
}
