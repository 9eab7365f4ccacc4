//! A migration of a large Postgres database ends, and keeps nobody out meanwhile for longer than it has to.

use ringwire_storage::Database;
use tokio_postgres::NoTls;

use crate::support;

/// Notes, when the index is made, the limit of a statement and whether somebody else could read the log then.
const WATCH: &str = "CREATE TABLE seen (statement_timeout text, locked boolean);
    CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.seen SELECT current_setting('statement_timeout'), EXISTS (
            SELECT FROM pg_locks WHERE pid = pg_backend_pid()
                AND relation = 'public.entries'::regclass AND mode = 'AccessExclusiveLock')
        FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.identities_by_user';
    END $$;
    CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE INDEX')
        EXECUTE FUNCTION watch()";

#[tokio::test]
async fn identities_are_indexed_without_a_limit_and_before_the_log_is_locked() {
    let url = support::fresh_database();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute(include_str!("../../migrations/postgres/V001__log_and_directory.sql"))
        .await
        .unwrap();
    let first = "CREATE TABLE schema_migrations (
            version bigint PRIMARY KEY, major bigint NOT NULL, name text NOT NULL);
        INSERT INTO schema_migrations VALUES (1, 1, 'V001__log_and_directory')";
    client.batch_execute(first).await.unwrap();
    client.batch_execute(WATCH).await.unwrap();
    let store = support::open(Database::Postgres { url }).await.unwrap();
    let seen = client.query("SELECT statement_timeout, locked FROM seen", &[]).await.unwrap();
    let seen: Vec<(&str, bool)> = seen.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(seen, [("0", false)]);
    drop(store);
}
