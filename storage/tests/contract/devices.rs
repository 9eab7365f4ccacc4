//! Devices.

use ringwire_storage::StoreError;
use ringwire_storage::devices::{DeviceRow, PushAddress, PushKind, SeenDevice};
use ringwire_storage::refresh::{Login, NewRefreshToken, NextToken, Rotation};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    a_device_is_what_its_client_said_last_and_its_time_only_rises,
    the_device_seen_longest_ago_goes,
    pushes_are_set_and_cleared,
    what_a_user_calls_a_device_outlives_what_its_client_says,
    a_removed_device_takes_its_logins_along,
    a_login_shows_its_device_and_says_nothing_else_of_it,
    a_deleted_user_has_no_devices_and_gets_none,
);

fn device(id: &str) -> SeenDevice {
    SeenDevice { device_id: id.into(), device_class: "phone".into(), name: format!("{id}'s name") }
}

async fn see(bench: &Bench, by: u64, id: &str, now_ms: i64) {
    bench.store.see_device(user(by), device(id), None, 3, now_ms).await.unwrap();
}

async fn ids(bench: &Bench, by: u64) -> Vec<String> {
    let rows = bench.store.devices(user(by)).await.unwrap();
    rows.into_iter().map(|row| row.seen.device_id).collect()
}

async fn a_device_is_what_its_client_said_last_and_its_time_only_rises(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    see(&bench, 1, "a", 100).await;
    see(&bench, 2, "a", 100).await;
    let renamed = SeenDevice { name: "new".into(), ..device("a") };
    bench.store.see_device(user(1), renamed.clone(), None, 3, 50).await.unwrap();
    let row = |seen, created_at, last_seen_at| DeviceRow {
        seen,
        push: None,
        label: String::new(),
        created_at,
        last_seen_at,
    };
    assert_eq!(bench.store.devices(user(1)).await.unwrap(), [row(renamed, 100, 100)]);
    see(&bench, 1, "a", 200).await;
    assert_eq!(bench.store.devices(user(1)).await.unwrap(), [row(device("a"), 100, 200)]);
    assert_eq!(bench.store.devices(user(2)).await.unwrap(), [row(device("a"), 100, 100)]);
    assert!(bench.store.devices(user(9)).await.unwrap().is_empty());
}

async fn the_device_seen_longest_ago_goes(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    for (id, at) in [("a", 1), ("b", 2), ("c", 3), ("a", 4), ("d", 5)] {
        see(&bench, 1, id, at).await;
    }
    assert_eq!(ids(&bench, 1).await, ["d", "a", "c"]);
    // The one that is there now stays, whatever its clock says.
    see(&bench, 1, "old", 0).await;
    assert_eq!(ids(&bench, 1).await, ["d", "a", "old"]);
    bench.store.see_device(user(1), device("one"), None, 1, 9).await.unwrap();
    assert_eq!(ids(&bench, 1).await, ["one"]);
    let mut racers = JoinSet::new();
    for number in 0..20 {
        let store = bench.store.clone();
        let device = device(&format!("d{number}"));
        racers.spawn(async move { store.see_device(user(2), device, None, 3, 7).await.unwrap() });
    }
    racers.join_all().await;
    assert_eq!(ids(&bench, 2).await.len(), 3);
}

async fn what_a_user_calls_a_device_outlives_what_its_client_says(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    see(&bench, 1, "a", 100).await;
    see(&bench, 2, "a", 100).await;
    assert!(bench.store.label_device(user(1), "a", "my phone").await.unwrap());
    assert!(!bench.store.label_device(user(1), "b", "none").await.unwrap());
    see(&bench, 1, "a", 200).await;
    let row = &bench.store.devices(user(1)).await.unwrap()[0];
    assert_eq!((&*row.label, &*row.seen.name, row.last_seen_at), ("my phone", "a's name", 200));
    assert_eq!(bench.store.devices(user(2)).await.unwrap()[0].label, "", "of one user");
}

async fn pushes_are_set_and_cleared(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    see(&bench, 1, "a", 100).await;
    for kind in [PushKind::Webhook, PushKind::WebPush, PushKind::Fcm] {
        let address = PushAddress { kind, token: "canary".into() };
        assert!(bench.store.set_device_push(user(1), "a", Some(address.clone())).await.unwrap());
        // Being seen again changes nothing about it.
        see(&bench, 1, "a", 101).await;
        let rows = bench.store.devices(user(1)).await.unwrap();
        assert_eq!(rows[0].push, Some(address));
        assert!(!format!("{rows:?}").contains("canary"), "tokens are not printed");
    }
    assert!(bench.store.set_device_push(user(1), "a", None).await.unwrap());
    assert_eq!(bench.store.devices(user(1)).await.unwrap()[0].push, None);
    assert!(!bench.store.set_device_push(user(1), "b", None).await.unwrap());
    bench.execute("UPDATE devices SET push_kind = 'pigeon'").await;
    let unknown = bench.store.devices(user(1)).await;
    assert!(matches!(unknown, Err(StoreError::Damaged(_))), "{unknown:?}");
}

async fn a_removed_device_takes_its_logins_along(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    for (number, id) in [(1, "a"), (2, "b")] {
        see(&bench, 1, id, 100).await;
        let login = Login { user_id: user(1), family_id: [number; 16], device_id: id.to_owned() };
        let token = NewRefreshToken { token_hash: [number; 32], login, expires_at: 1_000 };
        bench.store.create_refresh_token(token, 10, 10).await.unwrap();
    }
    // Two of no device and one of another, all of which are used on this one last, and one that somebody knows of.
    for (number, device_id) in [(3, ""), (4, ""), (5, "b"), (6, "b")] {
        let device_id = device_id.to_owned();
        let login = Login { user_id: user(1), family_id: [number; 16], device_id };
        let token = NewRefreshToken { token_hash: [number; 32], login, expires_at: 1_000 };
        bench.store.create_refresh_token(token, 10, 10).await.unwrap();
    }
    for (number, id) in [(3, "b"), (3, "a"), (4, "a"), (5, "a")] {
        bench.store.see_device(user(1), device(id), Some([number; 16]), 3, 100).await.unwrap();
    }
    let known = vec![[6; 16], [5; 16]];
    let mut ended = bench.store.remove_device(user(1), "a", known, 20).await.unwrap().unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [[1; 16], [3; 16], [4; 16], [5; 16], [6; 16]]);
    assert_eq!(bench.store.remove_device(user(1), "a", Vec::new(), 20).await.unwrap(), None);
    assert_eq!(bench.store.remove_device(user(9), "b", Vec::new(), 20).await.unwrap(), None);
    assert_eq!(ids(&bench, 1).await, ["b"]);
    for number in 1..=6 {
        let next = NextToken { token_hash: [number + 10; 32], expires_at: 1_000 };
        let rotation = bench.store.rotate_refresh_token([number; 32], next, 20).await.unwrap();
        assert_eq!(matches!(rotation, Rotation::Rotated(_)), number == 2, "{number} {rotation:?}");
    }
}

async fn a_login_shows_its_device_and_says_nothing_else_of_it(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    see(&bench, 1, "old", 1).await;
    for (number, id) in [(1, "a"), (2, "b"), (3, "b"), (4, "")] {
        let login = Login { user_id: user(1), family_id: [number; 16], device_id: id.to_owned() };
        let token = NewRefreshToken { token_hash: [number; 32], login, expires_at: 1_000 };
        bench.store.create_refresh_token(token, 2, 10 * i64::from(number)).await.unwrap();
    }
    let rows = bench.store.devices(user(1)).await.unwrap();
    let seen: Vec<_> =
        rows.iter().map(|row| (&*row.seen.device_id, row.created_at, row.last_seen_at)).collect();
    assert_eq!(seen, [("b", 20, 30), ("a", 10, 10)], "and no more than two");
    assert_eq!((&*rows[0].seen.device_class, &*rows[0].seen.name), ("", ""));
    see(&bench, 1, "a", 40).await;
    let login = Login { user_id: user(1), family_id: [5; 16], device_id: "a".to_owned() };
    let token = NewRefreshToken { token_hash: [5; 32], login, expires_at: 1_000 };
    bench.store.create_refresh_token(token, 2, 50).await.unwrap();
    let row = &bench.store.devices(user(1)).await.unwrap()[0];
    assert_eq!((&row.seen, row.last_seen_at), (&device("a"), 50), "what its client said stays");
}

async fn a_deleted_user_has_no_devices_and_gets_none(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    see(&bench, 1, "a", 100).await;
    bench.store.delete_user(user(1), None).await.unwrap();
    assert!(ids(&bench, 1).await.is_empty());
    for by in [1, 99] {
        let seen = bench.store.see_device(user(by), device("b"), None, 3, 100).await;
        assert!(matches!(seen, Err(StoreError::NoSuchUser)), "{seen:?}");
    }
    assert!(ids(&bench, 1).await.is_empty());
}
