//! Contacts.

use ringwire_storage::StoreError;
use ringwire_storage::contacts::ContactPut;
use tokio::task::JoinSet;

use crate::support::{Backend, Bench, user};

on_both!(
    a_contact_is_one_however_often_and_has_the_last_nickname,
    contacts_come_in_pages_and_are_bounded,
    contacts_of_a_deleted_user_go_in_both_directions,
);

async fn a_contact_is_one_however_often_and_has_the_last_nickname(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(3).await;
    let store = &bench.store;
    let put = async |one, other, name| store.put_contact(user(one), user(other), name, 9, 7).await;
    assert_eq!(put(1, 2, "Bobby").await.unwrap(), ContactPut::Added);
    assert_eq!(put(1, 2, "Bob").await.unwrap(), ContactPut::Updated);
    assert_eq!(put(1, 1, "me").await.unwrap(), ContactPut::Oneself);
    for (one, other) in [(1, 99), (99, 1)] {
        let put = put(one, other, "").await;
        assert!(matches!(put, Err(StoreError::NoSuchUser)), "{put:?}");
    }
    let (rows, more) = store.contacts_page(user(1), None, 10).await.unwrap();
    assert_eq!((rows.len(), more), (1, false));
    assert_eq!((&*rows[0].nickname, rows[0].created_at), ("Bob", 7));
    assert_eq!(rows[0].profile.user.username, "name2");
    assert!(store.contacts_page(user(2), None, 10).await.unwrap().0.is_empty(), "of one side");
    assert!(store.remove_contact(user(1), user(2)).await.unwrap());
    assert!(!store.remove_contact(user(1), user(2)).await.unwrap());
}

async fn contacts_come_in_pages_and_are_bounded(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(12).await;
    // All at once, and each also adds back.
    let mut racers = JoinSet::new();
    for number in 2..=12 {
        let store = bench.store.clone();
        racers.spawn(async move {
            store.put_contact(user(number), user(1), "", 5, 1).await.unwrap();
            store.put_contact(user(1), user(number), "", 8, 1).await.unwrap()
        });
    }
    let outcomes = racers.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ContactPut::Added).count(), 8);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ContactPut::TooMany).count(), 3);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (rows, more) = bench.store.contacts_page(user(1), after, 3).await.unwrap();
        found.extend(rows.iter().map(|row| row.profile.user.user_id));
        after = found.last().copied();
        if !more {
            break;
        }
        assert_eq!(rows.len(), 3);
    }
    assert!(found.len() == 8 && found.is_sorted(), "{found:?}");
    // Of those who are there the name may change also when no more can come.
    let again = bench.store.put_contact(user(1), found[0], "n", 8, 1).await.unwrap();
    assert_eq!(again, ContactPut::Updated);
}

async fn contacts_of_a_deleted_user_go_in_both_directions(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(4).await;
    for (one, other) in [(1, 2), (3, 1), (3, 4)] {
        bench.store.put_contact(user(one), user(other), "", 5, 1).await.unwrap();
    }
    bench.store.delete_user(user(1), None).await.unwrap();
    assert_eq!(bench.numbers("SELECT contact_id FROM contacts").await, [4]);
    let put = bench.store.put_contact(user(3), user(1), "", 5, 1).await;
    assert!(matches!(put, Err(StoreError::NoSuchUser)), "{put:?}");
}
