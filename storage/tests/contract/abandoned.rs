//! Searches whose caller goes away.

use std::pin::pin;
use std::time::Duration;

use ringwire_storage::search::SearchQuery;
use ringwire_storage::{Database, Store};

use crate::support::{Backend, Bench, user};

const WAITING: &str =
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'search_entries'::regclass";

async fn search(store: Store) {
    let query = SearchQuery::parse("word").unwrap();
    // Ends in any way.
    let _ = store.search(user(1), &query, None, None, 10).await;
}

/// Waits until so many searches stand before the locked index.
async fn until_waiting(bench: &Bench, count: i64) {
    while bench.numbers(WAITING).await != [count] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A table that somebody locks holds both searches up. The one that began first would be the first to meet its time
/// limit, so if the other one is gone before, it was ended because its caller went.
#[tokio::test]
async fn an_abandoned_search_ends_on_the_server() {
    let bench = Bench::with(Backend::Postgres, |config| config.search_text = Some(|_| None)).await;
    let Database::Postgres { url } = &bench.config.database else { unreachable!() };
    let (mut client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE search_entries").await.unwrap();

    let first = tokio::spawn(search(bench.store.clone()));
    until_waiting(&bench, 1).await;
    {
        let mut second = pin!(search(bench.store.clone()));
        tokio::select! {
            () = &mut second => panic!("the index is locked"),
            () = until_waiting(&bench, 2) => {}
        }
    }
    until_waiting(&bench, 1).await;
    assert!(!first.is_finished(), "the second search ended by itself");

    // Its place is free again, and its connection is nobody else's.
    let third = tokio::spawn(search(bench.store.clone()));
    until_waiting(&bench, 2).await;
    assert!(!first.is_finished());
    lock.commit().await.unwrap();
    first.await.unwrap();
    third.await.unwrap();
}
