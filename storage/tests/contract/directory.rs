//! Users.

use ringwire_storage::model::{NewUser, Registration, UserRow};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    names_and_addresses_are_unique_without_regard_to_case,
    a_login_is_a_name_or_an_address,
    a_race_for_a_name_has_one_winner,
    a_user_of_a_token_is_made_once,
    registered_ids_pass_over_those_that_tokens_chose,
    an_identity_is_one_user,
    users_are_found_by_id_and_name,
);

fn new_user(username: &str, email: Option<&str>) -> NewUser {
    NewUser {
        username: username.into(),
        email: email.map(Into::into),
        display_name: "Somebody".into(),
        password_hash: format!("hash of {username}"),
    }
}

async fn register(bench: &Bench, username: &str, email: Option<&str>) -> Registration {
    bench.store.register(new_user(username, email), 5).await.unwrap()
}

fn registered(registration: Registration) -> UserRow {
    match registration {
        Registration::Registered(user) => user,
        other => panic!("not registered: {other:?}"),
    }
}

async fn names_and_addresses_are_unique_without_regard_to_case(backend: Backend) {
    let bench = Bench::new(backend).await;
    let first = registered(register(&bench, "Ärmel", Some("a@b.example")).await);
    assert_eq!((first.username.as_str(), first.created_at), ("Ärmel", 5));
    assert_eq!(register(&bench, "äRMEL", None).await, Registration::UsernameTaken);
    assert_eq!(register(&bench, "other", Some("A@B.example")).await, Registration::EmailTaken);
    let second = registered(register(&bench, "other", None).await);
    assert!(second.user_id > first.user_id);
}

async fn a_login_is_a_name_or_an_address(backend: Backend) {
    let bench = Bench::new(backend).await;
    let anna = registered(register(&bench, "Anna", Some("anna@b.example")).await);
    // Somebody whose name is another one's address does not get in the way of the name.
    let sly = registered(register(&bench, "sly@b.example", Some("anna2@b.example")).await);
    let expected = Some((anna, "hash of Anna".to_owned()));
    assert_eq!(bench.store.credentials("aNNa").await.unwrap(), expected);
    assert_eq!(bench.store.credentials("ANNA@b.example").await.unwrap(), expected);
    let found = bench.store.credentials("sly@b.example").await.unwrap().unwrap();
    assert_eq!(found.0, sly);
    assert_eq!(bench.store.credentials("nobody").await.unwrap(), None);
    bench.store.ensure_user(user(500), "token", 1).await.unwrap();
    assert_eq!(bench.store.credentials("token").await.unwrap(), None, "no password");
}

async fn a_race_for_a_name_has_one_winner(backend: Backend) {
    let bench = Bench::new(backend).await;
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let store = bench.store.clone();
        racers.spawn(async move { store.register(new_user("wanted", None), 1).await.unwrap() });
    }
    let results = racers.join_all().await;
    let won = results.iter().filter(|r| matches!(r, Registration::Registered(_))).count();
    let lost = results.iter().filter(|r| **r == Registration::UsernameTaken).count();
    assert_eq!((won, lost), (1, 9));
}

async fn a_user_of_a_token_is_made_once(backend: Backend) {
    let bench = Bench::new(backend).await;
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let store = bench.store.clone();
        racers.spawn(async move { store.ensure_user(user(77), "seven", 9).await.unwrap() });
    }
    let results = racers.join_all().await;
    assert_eq!(results.iter().filter(|(_, created)| *created).count(), 1);
    assert!(results.iter().all(|(row, _)| row.user_id == user(77) && row.username == "seven"));

    let taken = bench.store.ensure_user(user(78), "SEVEN", 9).await.unwrap().0;
    assert_eq!(taken.username, "user-78");
    let unnamed = bench.store.ensure_user(user(79), "", 9).await.unwrap().0;
    assert_eq!(unnamed.username, "user-79");
}

async fn registered_ids_pass_over_those_that_tokens_chose(backend: Backend) {
    let bench = Bench::new(backend).await;
    for number in [1, 2, 3, 5] {
        bench.store.ensure_user(user(number), "", 1).await.unwrap();
    }
    let mut ids = Vec::new();
    for number in 0..3 {
        let row = registered(register(&bench, &format!("name{number}"), None).await);
        ids.push(row.user_id.get());
    }
    assert_eq!(ids, [4, 6, 7]);
}

async fn an_identity_is_one_user(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    assert_eq!(store.resolve_identity("iss", "sub", None, 1).await.unwrap(), None);
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let store = bench.store.clone();
        racers.spawn(async move {
            store.resolve_identity("iss", "sub", Some("ada"), 1).await.unwrap().unwrap()
        });
    }
    let results = racers.join_all().await;
    assert!(results.iter().all(|row| *row == results[0]));
    assert_eq!(results[0].username, "ada");
    let other = store.resolve_identity("other", "sub", Some("ada"), 1).await.unwrap().unwrap();
    assert_eq!(other.username, format!("user-{}", other.user_id));
    assert_ne!(other.user_id, results[0].user_id);
    let again = store.resolve_identity("iss", "sub", None, 1).await.unwrap();
    assert_eq!(again.as_ref(), Some(&results[0]));
}

async fn users_are_found_by_id_and_name(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let store = &bench.store;
    assert_eq!(store.user(user(2)).await.unwrap().unwrap().username, "name2");
    assert_eq!(store.user(user(9)).await.unwrap(), None);
    assert_eq!(store.user_by_name("NAME3").await.unwrap().unwrap().user_id, user(3));
    assert_eq!(store.user_by_name("name9").await.unwrap(), None);
    let found = store.users(&[user(3), user(9), user(1), user(3)]).await.unwrap();
    assert_eq!(found.iter().map(|row| row.user_id).collect::<Vec<_>>(), [user(1), user(3)]);
    assert!(store.users(&[]).await.unwrap().is_empty());
    store.ping().await.unwrap();
}
