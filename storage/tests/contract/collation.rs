//! A company's Postgres speaks its language; which keys are the same, and their order, does not depend on that.

use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::{Database, StoreConfig};
use ringwire_testkit::PrivatePostgres;

use crate::support::{Bench, message};

/// Sorts text by the rules of a language, which are those of ICU.
const BY_LANGUAGE: [&str; 3] = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"];

/// How many columns of indexes follow the language of the database.
const FOLLOWING: &str = "SELECT count(*) FROM pg_index i, unnest(i.indcollation) AS c (rules)
    WHERE c.rules = 'pg_catalog.\"default\"'::regcollation
        AND i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)";

#[tokio::test]
async fn keys_are_compared_byte_by_byte_in_any_language() {
    let server = PrivatePostgres::start_in(&std::env::temp_dir(), &[], &BY_LANGUAGE).unwrap();
    let bench = Bench::open(StoreConfig::new(Database::Postgres { url: server.url() }), None).await;
    let sorted =
        "SELECT n FROM (VALUES ('B', 2::bigint), ('a', 1)) AS words (word, n) ORDER BY word";
    assert_eq!(bench.numbers(sorted).await, [1, 2], "the database sorts as a dictionary does");

    assert_eq!(bench.numbers(FOLLOWING).await, [0]);
    bench.execute("CREATE TABLE probe (word text PRIMARY KEY)").await;
    assert_eq!(bench.numbers(FOLLOWING).await, [1], "the question finds what it asks for");

    // Ids that a language may hold for the same, or sort in another order, are different ids.
    let id = bench.direct().await;
    let ids = ["a", "B", "A", "b", "e\u{301}", "\u{e9}", "a-b", "ab"];
    let entry = |(client_msg_id, seq): (&str, u64)| Append {
        client_msg_id: client_msg_id.into(),
        ..message(id, seq)
    };
    let outcomes = bench.append(ids.into_iter().zip(2..).map(entry).collect());
    assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Committed), "{outcomes:?}");
    let again = Append { generation: 2, ..entry((ids[4], 10)) };
    let outcomes = bench.append(vec![again]);
    assert!(matches!(outcomes[..], [(10, Outcome::Duplicate { seq: 6, .. })]), "{outcomes:?}");
}
