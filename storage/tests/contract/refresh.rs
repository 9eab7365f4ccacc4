//! Refresh tokens: one use each, families, and what ends them.

use ringwire_storage::StoreError;
use ringwire_storage::refresh::{
    FamilyId, Login, NewRefreshToken, NextToken, REPEAT_MS, Rotation, TokenHash,
};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    a_token_is_used_once_and_gives_the_next_one,
    a3_of_50_rotations_at_once_one_wins_and_the_family_ends,
    a3_50_retries_of_one_rotation_leave_the_family_alone,
    a3_no_next_token_slips_past_a_revocation,
    revoking_ends_what_it_names_and_nothing_else,
    expired_tokens_are_refused_and_removed_in_steps,
    a_deleted_user_has_no_tokens_and_gets_none,
    a3_whoever_looks_again_and_again_learns_which_logins_ended,
);

const FAMILY: FamilyId = [7; 16];

fn hash(number: u16) -> TokenHash {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_be_bytes());
    hash
}

fn login(by: u64, family_id: FamilyId, device: &str) -> Login {
    Login { user_id: user(by), family_id, device_id: device.into() }
}

fn next(number: u16) -> NextToken {
    NextToken { token_hash: hash(number), expires_at: 1_000_000 }
}

async fn create(bench: &Bench, number: u16, login: Login) {
    let token = NewRefreshToken { token_hash: hash(number), login, expires_at: 1_000_000 };
    bench.store.create_refresh_token(token, 10, 10).await.unwrap();
}

async fn rotate(bench: &Bench, used: u16, new: u16, now_ms: i64) -> Rotation {
    bench.store.rotate_refresh_token(hash(used), next(new), now_ms).await.unwrap()
}

async fn a_token_is_used_once_and_gives_the_next_one(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let ada = login(1, FAMILY, "phone");
    create(&bench, 1, ada.clone()).await;
    create(&bench, 1, ada.clone()).await;
    assert_eq!(rotate(&bench, 9, 2, 20).await, Rotation::Unknown);
    assert_eq!(rotate(&bench, 1, 2, 20).await, Rotation::Rotated(ada.clone()));
    assert_eq!(rotate(&bench, 2, 3, 30).await, Rotation::Rotated(ada.clone()));
    // Also its own retry is too late now: the next token was used.
    assert_eq!(rotate(&bench, 1, 2, 31).await, Rotation::Reused(ada));
    assert_eq!(rotate(&bench, 3, 4, 32).await, Rotation::Revoked, "the newest went with it");
    assert_eq!(rotate(&bench, 1, 2, 33).await, Rotation::Revoked, "said once");
}

/// Rotates token 1 fifty times at once, on two stores where the database allows it.
async fn fifty(bench: &Bench, new: impl Fn(u16) -> u16) -> Vec<Rotation> {
    let other = match bench.another().await {
        Ok((store, _)) => store,
        Err(StoreError::DataFolderLocked(_)) => bench.store.clone(),
        Err(error) => panic!("{error}"),
    };
    let mut racers = JoinSet::new();
    for number in 0..50 {
        let store = if number % 2 == 0 { bench.store.clone() } else { other.clone() };
        let next = next(new(number));
        racers.spawn(async move { store.rotate_refresh_token(hash(1), next, 20).await.unwrap() });
    }
    racers.join_all().await
}

async fn a3_of_50_rotations_at_once_one_wins_and_the_family_ends(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let ada = login(1, FAMILY, "phone");
    create(&bench, 1, ada.clone()).await;
    let rotations = fifty(&bench, |number| 100 + number).await;
    let count = |wanted: &Rotation| rotations.iter().filter(|found| *found == wanted).count();
    assert_eq!(count(&Rotation::Rotated(ada.clone())), 1);
    assert_eq!(count(&Rotation::Reused(ada)), 1, "it is said once");
    assert_eq!(count(&Rotation::Revoked), 48);
    let good = "SELECT CAST(count(*) AS bigint) FROM refresh_tokens WHERE revoked_at = 0";
    assert_eq!(bench.numbers(good).await, [0], "the winner's next token is gone too");
    assert_eq!(bench.numbers("SELECT CAST(count(*) AS bigint) FROM refresh_tokens").await, [2]);
}

async fn a3_50_retries_of_one_rotation_leave_the_family_alone(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let ada = login(1, FAMILY, "phone");
    create(&bench, 1, ada.clone()).await;
    let rotations = fifty(&bench, |_| 2).await;
    let count = |wanted: &Rotation| rotations.iter().filter(|found| *found == wanted).count();
    assert_eq!(count(&Rotation::Rotated(ada.clone())), 1);
    assert_eq!(count(&Rotation::Repeated(ada.clone())), 49);
    assert_eq!(rotate(&bench, 2, 3, 21).await, Rotation::Rotated(ada.clone()));
    // Not for ever: whoever comes with an old token later is a thief, or was robbed.
    create(&bench, 11, login(1, [8; 16], "")).await;
    rotate(&bench, 11, 12, 20).await;
    let late = rotate(&bench, 11, 12, 21 + REPEAT_MS).await;
    assert_eq!(late, Rotation::Reused(login(1, [8; 16], "")));
    assert_eq!(rotate(&bench, 3, 4, 22).await, Rotation::Rotated(ada), "another login");
}

async fn a3_no_next_token_slips_past_a_revocation(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    for round in 0..20_u16 {
        let family = [round as u8; 16];
        create(&bench, 1_000 * round + 1, login(1, family, "phone")).await;
        let mut racers = JoinSet::new();
        let store = bench.store.clone();
        racers.spawn(async move {
            for step in 1..10 {
                let (used, new) = (hash(1_000 * round + step), next(1_000 * round + step + 1));
                store.rotate_refresh_token(used, new, 20).await.unwrap();
            }
        });
        let store = bench.store.clone();
        racers.spawn(async move {
            match round % 3 {
                0 => store.revoke_refresh_family(family, 20).await.unwrap(),
                1 => store.revoke_refresh_tokens(user(1), None, 20).await.unwrap(),
                _ => store.revoke_refresh_tokens(user(1), Some("phone"), 20).await.unwrap(),
            };
        });
        racers.join_all().await;
        let good = "SELECT CAST(count(*) AS bigint) FROM refresh_tokens WHERE revoked_at = 0";
        assert_eq!(bench.numbers(good).await, [0], "round {round}");
    }
}

async fn revoking_ends_what_it_names_and_nothing_else(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    create(&bench, 1, login(1, [1; 16], "phone")).await;
    create(&bench, 2, login(1, [2; 16], "phone")).await;
    create(&bench, 3, login(1, [3; 16], "desk")).await;
    create(&bench, 4, login(1, [4; 16], "desk")).await;
    create(&bench, 5, login(2, [5; 16], "phone")).await;
    let good = "SELECT CAST(count(*) AS bigint) FROM refresh_tokens WHERE revoked_at = 0";
    let store = &bench.store;
    assert_eq!(store.revoke_refresh_family([4; 16], 20).await.unwrap(), 1);
    assert_eq!(store.revoke_refresh_family([4; 16], 20).await.unwrap(), 0);
    assert_eq!(store.revoke_refresh_family([9; 16], 20).await.unwrap(), 0);
    assert_eq!(bench.numbers(good).await, [4]);
    assert_eq!(store.revoke_refresh_tokens(user(1), Some("phone"), 20).await.unwrap(), 2);
    assert_eq!(rotate(&bench, 1, 11, 20).await, Rotation::Revoked);
    let desk = login(1, [3; 16], "desk");
    assert_eq!(rotate(&bench, 3, 13, 20).await, Rotation::Rotated(desk));
    assert_eq!(store.revoke_refresh_tokens(user(1), None, 20).await.unwrap(), 2);
    assert_eq!(store.revoke_refresh_tokens(user(9), None, 20).await.unwrap(), 0);
    assert_eq!(rotate(&bench, 13, 14, 20).await, Rotation::Revoked);
    assert_eq!(rotate(&bench, 5, 15, 20).await, Rotation::Rotated(login(2, [5; 16], "phone")));
}

async fn expired_tokens_are_refused_and_removed_in_steps(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    create(&bench, 1, login(1, FAMILY, "")).await;
    assert_eq!(rotate(&bench, 1, 2, 1_000_000).await, Rotation::Expired);
    assert_eq!(rotate(&bench, 1, 2, 999_999).await, Rotation::Rotated(login(1, FAMILY, "")));
    for number in 100..700 {
        create(&bench, number, login(1, FAMILY, "")).await;
    }
    // Far in the future by any clock.
    let lasting =
        NewRefreshToken { token_hash: hash(3), login: login(1, FAMILY, ""), expires_at: i64::MAX };
    bench.store.create_refresh_token(lasting, 10, 10).await.unwrap();
    assert!(bench.store.expire_tokens().await.unwrap());
    let left = "SELECT CAST(count(*) AS bigint) FROM refresh_tokens";
    assert_eq!(bench.numbers(left).await, [103]);
    assert!(!bench.store.expire_tokens().await.unwrap());
    assert_eq!(bench.numbers(left).await, [1]);
    assert_eq!(rotate(&bench, 1, 2, 20).await, Rotation::Unknown);
}

async fn a_deleted_user_has_no_tokens_and_gets_none(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    create(&bench, 1, login(1, FAMILY, "")).await;
    bench.store.delete_user(user(1), None).await.unwrap();
    assert_eq!(rotate(&bench, 1, 2, 20).await, Rotation::Unknown);
    for by in [1, 99] {
        let login = login(by, FAMILY, "");
        let token = NewRefreshToken { token_hash: hash(9), login, expires_at: 1_000_000 };
        let made = bench.store.create_refresh_token(token, 10, 10).await;
        assert!(matches!(made, Err(StoreError::NoSuchUser)), "{made:?}");
    }
    assert_eq!(bench.numbers("SELECT CAST(count(*) AS bigint) FROM refresh_tokens").await, [0]);
}

async fn a3_whoever_looks_again_and_again_learns_which_logins_ended(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(2).await;
    let store = &bench.store;
    for (number, by, family) in [(1, 1, [1; 16]), (2, 1, [2; 16]), (3, 2, [3; 16])] {
        create(&bench, number, login(by, family, "")).await;
    }
    rotate(&bench, 1, 4, 20).await;
    assert!(store.login_state([1; 16]).await.unwrap());
    assert!(!store.login_state([9; 16]).await.unwrap(), "there is no such login");
    store.revoke_refresh_family([1; 16], 30).await.unwrap();
    store.revoke_refresh_family([3; 16], 40).await.unwrap();
    assert!(!store.login_state([1; 16]).await.unwrap());
    assert!(store.login_state([2; 16]).await.unwrap());
    let first = (user(1), [1; 16], 30);
    let second = (user(2), [3; 16], 40);
    assert_eq!(store.revoked_families(0, 10).await.unwrap(), [first, second], "two tokens, once");
    assert_eq!(store.revoked_families(31, 10).await.unwrap(), [second]);
    assert_eq!(store.revoked_families(0, 1).await.unwrap(), [first]);
}
