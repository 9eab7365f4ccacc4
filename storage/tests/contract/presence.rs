//! Who may see whether somebody is there.

use ringwire_protocol::UserId;
use ringwire_storage::StoreError;
use ringwire_storage::model::{ConversationKind, NewGroup};
use ringwire_storage::presence::{SeenBy, Visibility};

use crate::support::{self, Backend, Bench, user};

on_both!(
    contacts_share_a_conversation_that_is_no_room,
    z2_blocks_hide_each_from_the_other,
    the_time_of_last_being_there_only_rises,
);

async fn seen(bench: &Bench, watcher: u64, of: u64) -> SeenBy {
    let found = bench.store.visible_presence(user(watcher), &[user(of), user(of)]).await.unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

fn may(seen: SeenBy) -> (bool, bool) {
    (seen.status, seen.last_seen)
}

async fn contacts_share_a_conversation_that_is_no_room(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    bench.store.create_group(support::group(1, &[2]), 1).await.unwrap();
    let room = NewGroup {
        kind: ConversationKind::Room,
        client_msg_id: "room".into(),
        ..support::group(1, &[3])
    };
    bench.store.create_group(room, 1).await.unwrap();
    assert_eq!(may(seen(&bench, 2, 1).await), (true, true));
    assert_eq!(may(seen(&bench, 3, 1).await), (false, false));
    let everyone = Some(Visibility::Everyone);
    bench.store.set_visibility(user(1), everyone, Some(Visibility::Nobody)).await.unwrap();
    bench.store.set_visibility(user(1), None, None).await.unwrap();
    assert_eq!(may(seen(&bench, 2, 1).await), (true, false));
    assert_eq!(may(seen(&bench, 3, 1).await), (true, false));
    assert_eq!(may(seen(&bench, 1, 1).await), (true, true), "oneself");
    let nobody: &[UserId] = &[user(9)];
    assert_eq!(bench.store.visible_presence(user(1), nobody).await.unwrap(), []);
    let unknown = bench.store.set_visibility(user(9), everyone, None).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchUser)));
}

async fn z2_blocks_hide_each_from_the_other(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.direct().await;
    for number in [1, 2] {
        let everyone = Some(Visibility::Everyone);
        bench.store.set_visibility(user(number), everyone, everyone).await.unwrap();
    }
    bench.store.save_last_seen(&[(user(2), 500)]).await.unwrap();
    assert_eq!(seen(&bench, 1, 2).await.last_seen_at, 500);
    bench.store.add_block(user(1), user(2), 5).await.unwrap();
    for (watcher, of) in [(1, 2), (2, 1)] {
        let seen = seen(&bench, watcher, of).await;
        assert_eq!((may(seen), seen.last_seen_at), ((false, false), 0));
    }
}

async fn the_time_of_last_being_there_only_rises(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.direct().await;
    for times in [&[(user(1), 500), (user(1), 400)][..], &[(user(1), 300), (user(9), 300)]] {
        bench.store.save_last_seen(times).await.unwrap();
    }
    assert_eq!(seen(&bench, 2, 1).await.last_seen_at, 500);
}
