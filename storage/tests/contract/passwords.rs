//! Passwords: what a new one ends, and tokens for forgotten ones.

use ringwire_protocol::UserId;
use ringwire_storage::model::{NewUser, Registration};
use ringwire_storage::passwords::PasswordReset;
use ringwire_storage::refresh::{Login, NewRefreshToken};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    p1_a_new_password_ends_the_other_logins_and_voids_tokens,
    p1_a_token_is_good_once_and_until_it_expires,
    p1_a_user_has_a_few_tokens_at_a_time,
    p1_a_deleted_user_gets_no_password,
);

async fn register(bench: &Bench) -> UserId {
    let new = NewUser {
        username: "Ada".into(),
        email: Some("ada@example.org".into()),
        display_name: String::new(),
        password_hash: "old".into(),
    };
    match bench.store.register(new, 5).await.unwrap() {
        Registration::Registered(row) => row.user_id,
        other => panic!("{other:?}"),
    }
}

async fn log_in(bench: &Bench, user_id: UserId, number: u8) -> [u8; 16] {
    let family_id = [number; 16];
    let login = Login { user_id, family_id, device_id: String::new() };
    let token = NewRefreshToken { token_hash: [number; 32], login, expires_at: i64::MAX };
    bench.store.create_refresh_token(token, 10, 1).await.unwrap();
    family_id
}

async fn p1_a_new_password_ends_the_other_logins_and_voids_tokens(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let ada = register(&bench).await;
    let bob = store.ensure_user(user(50), "bob", 1).await.unwrap().0.user_id;
    let mut families = Vec::new();
    for number in 1..=4 {
        families.push(log_in(&bench, ada, number).await);
    }
    let other = log_in(&bench, bob, 9).await;
    assert!(store.create_password_reset(ada, [7; 32], 100, 10).await.unwrap());
    assert_eq!(store.password_hash(ada).await.unwrap().as_deref(), Some("old"));
    let mut ended = store.set_password(ada, "new", Some(families[0]), 20).await.unwrap().unwrap();
    ended.sort_unstable();
    assert_eq!(ended, families[1..]);
    assert_eq!(store.password_hash(ada).await.unwrap().as_deref(), Some("new"));
    assert_eq!(store.credentials("ada").await.unwrap().unwrap().1, "new");
    for (family, good) in [(families[0], true), (families[1], false), (other, true)] {
        assert_eq!(store.login_state(family).await.unwrap(), good);
    }
    assert_eq!(store.password_reset([7; 32], 20).await.unwrap(), None, "void with a new password");
    assert_eq!(store.set_password(ada, "3", None, 30).await.unwrap(), Some(vec![families[0]]));
    // Who had no password has one now.
    assert_eq!(store.password_hash(bob).await.unwrap(), None);
    assert!(store.set_password(bob, "first", None, 30).await.unwrap().is_some());
    assert_eq!(store.password_hash(bob).await.unwrap().as_deref(), Some("first"));
}

async fn p1_a_token_is_good_once_and_until_it_expires(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let ada = register(&bench).await;
    let login = log_in(&bench, ada, 1).await;
    for name in ["ADA", "Ada@Example.org"] {
        assert_eq!(store.user_by_login(name).await.unwrap(), Some(ada));
    }
    assert_eq!(store.user_by_login("eve").await.unwrap(), None);
    for token in [[1; 32], [2; 32]] {
        assert!(store.create_password_reset(ada, token, 100, 10).await.unwrap());
    }
    assert_eq!(store.password_reset([1; 32], 99).await.unwrap(), Some(ada));
    assert_eq!(store.password_reset([1; 32], 100).await.unwrap(), None);
    let late = store.use_password_reset([1; 32], "late", 100).await.unwrap();
    assert_eq!(late, PasswordReset::Invalid);
    let unknown = store.use_password_reset([3; 32], "none", 50).await.unwrap();
    assert_eq!(unknown, PasswordReset::Invalid);
    assert!(store.login_state(login).await.unwrap());

    let mut racers = JoinSet::new();
    for number in 0..10 {
        let store = store.clone();
        let hash = format!("hash{number}");
        racers.spawn(async move {
            let used = store.use_password_reset([1; 32], &hash, 50).await.unwrap();
            (used != PasswordReset::Invalid).then_some(hash)
        });
    }
    let won: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1, "good once");
    assert_eq!(store.password_hash(ada).await.unwrap().as_ref(), won.first());
    assert!(!store.login_state(login).await.unwrap(), "every login ended");
    let second = store.use_password_reset([2; 32], "second", 50).await.unwrap();
    assert_eq!(second, PasswordReset::Invalid, "the other tokens went with it");

    // Long expired, by the database's clock.
    store.expire_tokens().await.unwrap();
    assert_eq!(bench.numbers("SELECT count(*) FROM password_resets").await, [0]);
}

async fn p1_a_user_has_a_few_tokens_at_a_time(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let ada = register(&bench).await;
    for number in 1..=9 {
        assert!(store.create_password_reset(ada, [number; 32], 100, number.into()).await.unwrap());
    }
    let mut good = Vec::new();
    for number in 1..=9 {
        good.extend(store.password_reset([number; 32], 20).await.unwrap().map(|_| number));
    }
    assert_eq!(good, [7, 8, 9], "the newest");
}

async fn p1_a_deleted_user_gets_no_password(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let ada = register(&bench).await;
    assert!(store.create_password_reset(ada, [1; 32], i64::MAX, 10).await.unwrap());
    store.delete_user(ada, None).await.unwrap();
    assert_eq!(bench.numbers("SELECT count(*) FROM password_resets").await, [0]);
    assert!(!store.create_password_reset(ada, [2; 32], i64::MAX, 10).await.unwrap());
    assert_eq!(store.set_password(ada, "new", None, 20).await.unwrap(), None);
    let used = store.use_password_reset([1; 32], "new", 20).await.unwrap();
    assert_eq!(used, PasswordReset::Invalid);
    assert_eq!(store.user_by_login("ada").await.unwrap(), None);
    assert_eq!(bench.numbers("SELECT count(*) FROM credentials").await, [0]);
}
