//! Aliases.

use ringwire_protocol::ConversationId;
use ringwire_storage::aliases::AliasClaim;
use tokio::task::JoinSet;

use crate::support::{self, Backend, Bench};

on_both!(
    a_name_is_one_conversations_without_regard_to_case,
    a_race_for_a_name_has_one_winner,
    names_are_listed_and_released_by_their_conversation_only,
    only_a_conversation_that_is_there_has_names,
);

async fn two(bench: &Bench) -> [ConversationId; 2] {
    let direct = bench.direct().await;
    let (group, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    [direct, group]
}

async fn a_name_is_one_conversations_without_regard_to_case(backend: Backend) {
    let bench = Bench::new(backend).await;
    let [one, two] = two(&bench).await;
    let store = &bench.store;
    assert_eq!(store.claim_alias("Ärger", one, 10).await.unwrap(), AliasClaim::Claimed);
    assert_eq!(store.claim_alias("äRGER", two, 20).await.unwrap(), AliasClaim::TakenBy(one));
    let found = store.resolve_alias("ÄRGER").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.conversation_id, found.created_at), ("Ärger", one, 10));
    // Its own conversation may write it otherwise.
    assert_eq!(store.claim_alias("ÄRGER", one, 30).await.unwrap(), AliasClaim::Claimed);
    let found = store.resolve_alias("ärger").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.created_at), ("ÄRGER", 10));
    assert_eq!(store.resolve_alias("arger").await.unwrap(), None);
}

async fn a_race_for_a_name_has_one_winner(backend: Backend) {
    let bench = Bench::new(backend).await;
    let rooms = two(&bench).await;
    let mut racers = JoinSet::new();
    for number in 0..20 {
        let store = bench.store.clone();
        let id = rooms[number % 2];
        racers.spawn(async move { (id, store.claim_alias("lobby", id, 1).await.unwrap()) });
    }
    let winner = {
        let claims = racers.join_all().await;
        let winner = bench.store.resolve_alias("lobby").await.unwrap().unwrap().conversation_id;
        for (id, claim) in claims {
            let expected =
                if id == winner { AliasClaim::Claimed } else { AliasClaim::TakenBy(winner) };
            assert_eq!(claim, expected);
        }
        winner
    };
    assert_eq!(bench.store.aliases(winner, 10).await.unwrap().len(), 1);
}

async fn names_are_listed_and_released_by_their_conversation_only(backend: Backend) {
    let bench = Bench::new(backend).await;
    let [one, two] = two(&bench).await;
    let store = &bench.store;
    for name in ["Zoo", "alpha", "Mid"] {
        store.claim_alias(name, one, 10).await.unwrap();
    }
    store.claim_alias("other", two, 10).await.unwrap();
    let names = async |limit| {
        let rows = store.aliases(one, limit).await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    assert_eq!(names(10).await, ["alpha", "Mid", "Zoo"]);
    assert_eq!(names(2).await, ["alpha", "Mid"]);
    assert!(!store.release_alias("mid", two).await.unwrap());
    assert!(store.release_alias("MID", one).await.unwrap());
    assert!(!store.release_alias("mid", one).await.unwrap());
    assert_eq!(names(10).await, ["alpha", "Zoo"]);
    assert_eq!(store.claim_alias("mid", two, 20).await.unwrap(), AliasClaim::Claimed);
}

async fn only_a_conversation_that_is_there_has_names(backend: Backend) {
    let bench = Bench::new(backend).await;
    let [one, two] = two(&bench).await;
    let store = &bench.store;
    let nowhere = ConversationId::new(999_999).unwrap();
    let none = AliasClaim::NoSuchConversation;
    assert_eq!(store.claim_alias("a", nowhere, 10).await.unwrap(), none);
    bench.execute(&format!("UPDATE conversations SET deleted_at = 5 WHERE id = {two}")).await;
    assert_eq!(store.claim_alias("a", two, 10).await.unwrap(), none);
    assert_eq!(store.resolve_alias("a").await.unwrap(), None);
    assert_eq!(store.claim_alias("a", one, 10).await.unwrap(), AliasClaim::Claimed);
}
