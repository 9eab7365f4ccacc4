//! What belongs to single users and conversations, as `exercise` does the rest.

use ringwire_storage::devices::{PushAddress, PushKind, SeenDevice};
use ringwire_storage::refresh::{Login, NewRefreshToken, NextToken, Rotation};

use crate::support::{Bench, user};

/// Calls every method of refresh tokens, devices and blocks.
pub(crate) async fn everything(bench: &Bench, round: u64) {
    refresh(bench, round).await;
    devices(bench).await;
    blocks(bench).await;
}

async fn refresh(bench: &Bench, round: u64) {
    let store = &bench.store;
    let number = 100 + 50 * round as u8;
    let login = Login { user_id: user(70), family_id: [number; 16], device_id: "d70".to_owned() };
    let token =
        NewRefreshToken { token_hash: [number; 32], login: login.clone(), expires_at: i64::MAX };
    store.create_refresh_token(token, 10).await.unwrap();
    let next = NextToken { token_hash: [number + 1; 32], expires_at: i64::MAX };
    let other = NextToken { token_hash: [number + 2; 32], expires_at: i64::MAX };
    for (next, expected) in
        [(next, Rotation::Rotated(login.clone())), (other, Rotation::Reused(login))]
    {
        let rotation = store.rotate_refresh_token([number; 32], next, 20).await.unwrap();
        assert_eq!(rotation, expected);
    }
    store.revoke_refresh_family([number; 16], 20).await.unwrap();
    store.revoke_refresh_tokens(user(71), Some("d71"), 20).await.unwrap();
    assert!(store.revoke_refresh_tokens(user(72 + round), None, 20).await.unwrap() > 0);
    assert!(store.expire_refresh_tokens().await.unwrap());
}

async fn devices(bench: &Bench) {
    let store = &bench.store;
    let seen =
        SeenDevice { device_id: "new".into(), device_class: "phone".into(), name: String::new() };
    store.see_device(user(80), seen, 2, 5).await.unwrap();
    assert_eq!(store.devices(user(80)).await.unwrap().len(), 2);
    let push = PushAddress { kind: PushKind::Fcm, token: "t".into() };
    assert!(store.set_device_push(user(80), "new", Some(push)).await.unwrap());
    assert!(store.remove_device(user(80), "new", 5).await.unwrap());
}

async fn blocks(bench: &Bench) {
    let store = &bench.store;
    store.add_block(user(90), user(91), 5).await.unwrap();
    assert!(store.is_blocked_either_way(user(91), user(90)).await.unwrap());
    let others: Vec<_> = (1..=200).map(user).collect();
    assert!(!store.blocked_either_way(user(90), &others).await.unwrap().is_empty());
    assert!(!store.blocks_page(user(90), None, 50).await.unwrap().0.is_empty());
    assert!(store.remove_block(user(90), user(91)).await.unwrap());
}
