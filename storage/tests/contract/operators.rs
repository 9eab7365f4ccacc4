//! Operators, and what they do about people.

use ringwire_storage::StoreError;
use ringwire_storage::moderation::{AccountBan, OrderKind};
use ringwire_storage::operators::OperatorRole;

use crate::support::{Backend, Bench, user};

on_both!(
    operators_have_one_name_and_lose_their_logins_with_their_password,
    a_login_is_good_until_it_is_over,
    bans_last_as_long_as_they_say_and_go_with_the_account,
    orders_are_seen_by_whoever_looks_in_time,
    users_are_found_by_the_beginning_of_their_name,
);

async fn operators_have_one_name_and_lose_their_logins_with_their_password(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    assert!(!store.has_operators().await.unwrap());
    assert!(store.create_operator("Root", "one", OperatorRole::Admin, 5).await.unwrap());
    assert!(!store.create_operator("rOOT", "two", OperatorRole::Viewer, 6).await.unwrap());
    assert!(store.create_operator("ann", "three", OperatorRole::Viewer, 7).await.unwrap());
    let names: Vec<_> = store.operators().await.unwrap().into_iter().map(|o| o.name).collect();
    assert_eq!(names, ["ann", "Root"]);
    let (root, hash) = store.operator_credentials("root").await.unwrap().unwrap();
    assert_eq!((root.role, root.created_at, &*hash), (OperatorRole::Admin, 5, "one"));

    for (number, changes) in [(1, "reset"), (2, "disable")] {
        let token = [number; 32];
        store.begin_operator_login(root.id, token, 10, 1_000).await.unwrap();
        assert_eq!(store.operator_by_token(token, 10).await.unwrap().unwrap().name, "Root");
        match changes {
            "reset" => assert!(store.reset_operator("root", "four").await.unwrap()),
            _ => assert!(store.disable_operator("root", 20).await.unwrap()),
        }
        assert_eq!(store.operator_by_token(token, 10).await.unwrap(), None, "{changes}");
    }
    assert_eq!(store.operator_credentials("root").await.unwrap(), None);
    assert!(store.has_operators().await.unwrap(), "ann is one");
    assert!(store.disable_operator("ann", 20).await.unwrap());
    assert!(!store.has_operators().await.unwrap());
    assert!(store.reset_operator("ROOT", "five").await.unwrap());
    assert_eq!(store.operator_credentials("root").await.unwrap().unwrap().1, "five");
    assert!(!store.disable_operator("nobody", 20).await.unwrap());
    assert!(!store.reset_operator("nobody", "x").await.unwrap());
}

async fn a_login_is_good_until_it_is_over(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    assert!(store.create_operator("root", "hash", OperatorRole::Moderator, 5).await.unwrap());
    let id = store.operators().await.unwrap()[0].id;
    store.begin_operator_login(id, [1; 32], 10, 100).await.unwrap();
    store.begin_operator_login(id, [2; 32], 10, 200).await.unwrap();
    assert!(store.operator_by_token([1; 32], 99).await.unwrap().is_some());
    assert!(store.operator_by_token([1; 32], 100).await.unwrap().is_none());
    assert!(store.operator_by_token([3; 32], 10).await.unwrap().is_none());
    store.end_operator_login([2; 32]).await.unwrap();
    assert!(store.operator_by_token([2; 32], 10).await.unwrap().is_none());
    store.begin_operator_login(id, [4; 32], 150, 300).await.unwrap();
    let kept = bench.numbers("SELECT count(*) FROM operator_tokens").await;
    assert_eq!(kept, [1], "what is over is forgotten");
}

async fn bans_last_as_long_as_they_say_and_go_with_the_account(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    bench.users(2).await;
    let ban = |until, reason: &str| AccountBan {
        user_id: user(1),
        banned_at: 10,
        until,
        reason: reason.to_owned(),
        operator: 7,
    };
    assert_eq!(store.account_ban(user(1), 20).await.unwrap(), None);
    store.ban_account(ban(0, "spam")).await.unwrap();
    assert_eq!(store.account_ban(user(1), i64::MAX).await.unwrap(), Some(ban(0, "spam")));
    store.ban_account(ban(100, "less")).await.unwrap();
    assert_eq!(store.account_ban(user(1), 99).await.unwrap(), Some(ban(100, "less")));
    assert_eq!(store.account_ban(user(1), 100).await.unwrap(), None);
    assert!(store.unban_account(user(1)).await.unwrap());
    assert!(!store.unban_account(user(1)).await.unwrap());
    store.ban_account(ban(0, "spam")).await.unwrap();
    store.delete_user(user(1), None).await.unwrap();
    assert_eq!(store.account_ban(user(1), 20).await.unwrap(), None);
    let refused = store.ban_account(ban(0, "gone")).await;
    assert!(matches!(refused, Err(StoreError::NoSuchUser)), "{refused:?}");
}

async fn orders_are_seen_by_whoever_looks_in_time(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    assert!(store.orders(60_000).await.unwrap().is_empty());
    store.give_order(OrderKind::Notice, &[], "hello").await.unwrap();
    store.give_order(OrderKind::Ban, &[user(1), user(2)], "").await.unwrap();
    let orders = store.orders(3_600_000).await.unwrap();
    let told: Vec<_> = orders.iter().map(|o| (o.kind, o.users.clone(), &*o.text)).collect();
    let both = vec![user(1), user(2)];
    assert_eq!(told, [(OrderKind::Notice, vec![], "hello"), (OrderKind::Ban, both, "")]);
    bench.execute("UPDATE orders SET at = at - 7200000").await;
    assert!(store.orders(3_600_000).await.unwrap().is_empty());
    bench.execute("UPDATE orders SET at = at - 86400000").await;
    store.give_order(OrderKind::Kick, &[user(1)], "").await.unwrap();
    assert_eq!(bench.numbers("SELECT count(*) FROM orders").await, [1], "old ones are forgotten");
}

async fn users_are_found_by_the_beginning_of_their_name(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    for (id, name) in [(1, "anna"), (2, "Annika"), (3, "bob"), (4, "an")] {
        store.ensure_user(user(id), name, 5).await.unwrap();
    }
    let names = async |begins: &str, after: &str, limit| {
        let found = store.find_users(begins, after, limit).await.unwrap();
        found.into_iter().map(|found| found.user.username.to_lowercase()).collect::<Vec<_>>()
    };
    assert_eq!(names("AN", "", 10).await, ["an", "anna", "annika"]);
    assert_eq!(names("an", "", 2).await, ["an", "anna"]);
    assert_eq!(names("an", "Anna", 10).await, ["annika"]);
    assert_eq!(names("", "", 10).await.len(), 4);
    store.delete_user(user(1), None).await.unwrap();
    assert_eq!(names("an", "an", 10).await, ["annika"]);
    let gone = store.find_user(Some(user(1)), "").await.unwrap().unwrap();
    assert!(gone.deleted_at > 0);
    assert_eq!(store.find_user(None, "nobody@nowhere").await.unwrap(), None);
}
