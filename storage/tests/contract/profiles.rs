//! Profiles and finding each other.

use ringwire_protocol::UserId;
use ringwire_storage::model::{NewUser, Registration};
use ringwire_storage::profiles::{AccountChange, AccountUpdate, UsersAfter};
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    an_account_changes_as_a_whole_and_only_what_was_given,
    names_and_addresses_stay_unique,
    profiles_are_of_those_who_are_there,
    users_are_found_by_the_beginning_of_a_name_in_pages,
    an_address_is_found_as_a_whole_only,
    who_blocks_is_not_found,
);

async fn register(bench: &Bench, name: &str, display: &str) -> UserId {
    let new = NewUser {
        username: name.into(),
        email: Some(format!("{name}@Example.org")),
        display_name: display.into(),
        password_hash: "phc".into(),
    };
    match bench.store.register(new, 5).await.unwrap() {
        Registration::Registered(row) => row.user_id,
        other => panic!("{other:?}"),
    }
}

async fn an_account_changes_as_a_whole_and_only_what_was_given(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let ada = register(&bench, "ada", "Ada").await;
    let before = store.account(ada).await.unwrap().unwrap();
    assert!(before.has_password && before.email.as_deref() == Some("ada@Example.org"));
    let color = AccountChange {
        color: Some("#00ff00".into()),
        status_text: Some("away".into()),
        ..AccountChange::default()
    };
    let AccountUpdate::Updated(after) = store.update_account(ada, color).await.unwrap() else {
        panic!("not updated");
    };
    let mut expected = before.clone();
    expected.profile.user.color = "#00ff00".into();
    expected.profile.status_text = "away".into();
    assert_eq!(after, expected);
    assert_eq!(store.account(ada).await.unwrap(), Some(expected));
    assert_eq!(store.user(ada).await.unwrap().unwrap().color, "#00ff00", "wherever users are read");

    let all = AccountChange {
        username: Some("Lovelace".into()),
        email: Some(String::new()),
        display_name: Some("Countess".into()),
        avatar_url: Some("https://example.org/a.png".into()),
        ..AccountChange::default()
    };
    assert!(matches!(store.update_account(ada, all).await.unwrap(), AccountUpdate::Updated(_)));
    let now = store.account(ada).await.unwrap().unwrap();
    let row = &now.profile.user;
    assert_eq!((&*row.username, &*row.display_name, now.email), ("Lovelace", "Countess", None));
    assert_eq!(row.avatar_url, "https://example.org/a.png");
    assert!(store.credentials("lovelace").await.unwrap().is_some(), "that is how they log in now");
    assert!(store.credentials("ada").await.unwrap().is_none());
    let made = store.ensure_user(user(500), "", 1).await.unwrap().0;
    assert!(!store.account(made.user_id).await.unwrap().unwrap().has_password);

    store.delete_user(ada, None).await.unwrap();
    assert_eq!(store.account(ada).await.unwrap(), None);
    let late = store.update_account(ada, AccountChange::default()).await.unwrap();
    assert_eq!(late, AccountUpdate::Unknown);
    let left = "SELECT count(*) FROM users WHERE color <> '' OR status_text <> ''";
    assert_eq!(bench.numbers(left).await, [0], "nothing of a profile is left");
}

async fn names_and_addresses_stay_unique(backend: Backend) {
    let bench = Bench::new(backend).await;
    let store = &bench.store;
    let (ada, bob) = (register(&bench, "ada", "").await, register(&bench, "bob", "").await);
    let name = |name: &str| AccountChange {
        username: Some(name.into()),
        display_name: Some("changed".into()),
        ..AccountChange::default()
    };
    let email = |email: &str| AccountChange {
        email: Some(email.into()),
        display_name: Some("changed".into()),
        ..AccountChange::default()
    };
    let taken = store.update_account(ada, name("BOB")).await.unwrap();
    assert_eq!(taken, AccountUpdate::UsernameTaken);
    let taken = store.update_account(ada, email("BOB@example.ORG")).await.unwrap();
    assert_eq!(taken, AccountUpdate::EmailTaken);
    let unchanged = store.account(ada).await.unwrap().unwrap();
    assert_eq!(unchanged.profile.user.display_name, "", "all or nothing");
    // One's own, written differently.
    let own = store.update_account(ada, name("ADA")).await.unwrap();
    assert!(matches!(own, AccountUpdate::Updated(_)), "{own:?}");

    // Of many who want one name at once, one gets it.
    let mut racers = JoinSet::new();
    for number in 0..10 {
        let (store, id) = (store.clone(), if number % 2 == 0 { ada } else { bob });
        racers.spawn(async move { (id, store.update_account(id, name("eve")).await.unwrap()) });
    }
    let outcomes = racers.join_all().await;
    let got = |outcome: &AccountUpdate| matches!(outcome, AccountUpdate::Updated(_));
    let winner = outcomes.iter().find(|(_, outcome)| got(outcome)).expect("one wins").0;
    for (id, outcome) in &outcomes {
        assert_eq!(got(outcome), *id == winner, "{outcome:?}");
    }
}

async fn profiles_are_of_those_who_are_there(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(4).await;
    let store = &bench.store;
    let status = AccountChange { status_text: Some("hi".into()), ..AccountChange::default() };
    for number in 1..=3 {
        store.update_account(user(number), status.clone()).await.unwrap();
    }
    store.add_block(user(2), user(1), 1).await.unwrap();
    store.delete_user(user(4), None).await.unwrap();
    let ids: Vec<_> = [3, 2, 4, 99, 2].map(user).into();
    let seen = store.profiles(user(1), &ids).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|p| (p.user.user_id.get(), &*p.status_text)).collect();
    assert_eq!(seen, [(2, ""), (3, "hi")], "who blocks tells nothing of themselves");
    assert!(store.profiles(user(1), &[]).await.unwrap().is_empty());
}

/// All pages of a search.
async fn found(bench: &Bench, viewer: UserId, text: &str, limit: u32) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = bench.store.search_users(viewer, text, after, limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        names.extend(page.into_iter().map(|profile| profile.user.username));
        after = next;
        if after.is_none() {
            return names;
        }
        assert!(names.len().is_multiple_of(limit as usize), "only the last page is short");
    }
}

async fn users_are_found_by_the_beginning_of_a_name_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    for (name, display) in [
        ("Anna", "Zoe"),
        ("anton", "Anton"),
        ("bert", "ANNA Smith"),
        ("carl", "anna"),
        ("dora", "Anna"),
        ("emil", "Hanna"),
        ("fred", "Änne"),
        ("gone", "anna"),
        ("an-x", ""),
    ] {
        register(&bench, name, display).await;
    }
    let gone = bench.store.user_by_name("gone").await.unwrap().unwrap().user_id;
    bench.store.delete_user(gone, None).await.unwrap();
    let viewer = user(1);
    let all = ["an-x", "Anna", "anton", "carl", "dora", "bert"];
    for limit in [1, 2, 3, 4, 5, 6, 50] {
        assert_eq!(found(&bench, viewer, "an", limit).await, all, "{limit}");
        assert_eq!(found(&bench, viewer, "AN", limit).await, all, "{limit}");
    }
    assert_eq!(found(&bench, viewer, "anna s", 5).await, ["bert"]);
    assert_eq!(found(&bench, viewer, "Än", 5).await, ["fred"]);
    for nobody in ["x", "%", "_nna", "an\\", "\u{10FFFF}", "#"] {
        assert!(found(&bench, viewer, nobody, 5).await.is_empty(), "{nobody}");
    }
    let behind = Some(UsersAfter::Name("ANTON".into()));
    let (page, _) = bench.store.search_users(viewer, "an", behind, 1).await.unwrap();
    assert_eq!(page[0].user.username, "carl");
}

async fn an_address_is_found_as_a_whole_only(backend: Backend) {
    let bench = Bench::new(backend).await;
    let ada = register(&bench, "ada", "").await;
    let viewer = register(&bench, "bob", "").await;
    assert_eq!(found(&bench, viewer, "ADA@example.org", 5).await, ["ada"]);
    for part in ["ada@", "ada@example", "@example.org"] {
        assert!(found(&bench, viewer, part, 5).await.is_empty(), "{part}");
    }
    bench.store.add_block(ada, viewer, 1).await.unwrap();
    assert!(found(&bench, viewer, "ada@example.org", 5).await.is_empty());
}

async fn who_blocks_is_not_found(backend: Backend) {
    let bench = Bench::new(backend).await;
    let (ada, bob) = (register(&bench, "ada", "x1").await, register(&bench, "bob", "x2").await);
    let carl = register(&bench, "carl", "x3").await;
    bench.store.add_block(ada, carl, 1).await.unwrap();
    assert_eq!(found(&bench, carl, "x", 5).await, ["bob", "carl"]);
    assert!(found(&bench, carl, "ada", 5).await.is_empty());
    assert_eq!(found(&bench, ada, "carl", 5).await, ["carl"], "who is blocked is");
    assert_eq!(found(&bench, bob, "ada", 5).await, ["ada"]);
}
