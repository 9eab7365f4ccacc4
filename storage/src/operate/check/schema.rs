//! Is the schema the one that this release makes?
//!
//! The catalogue is compared with what the migrations make: for SQLite they are run in memory, for Postgres it is written
//! down beside this file. A newer release may have added tables, columns and indexes, so more is fine; what is missing or
//! different is not, nor are triggers and rules, which this release never makes, on its tables.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingKind};
use crate::error::StoreError;
use crate::migrate;
use crate::operate::session::Session;
use crate::operate::value::{Row, Value};

/// What the migrations make on Postgres, one part a line.
const POSTGRES: &str = include_str!("schema.postgres");

/// Follows the definition of an index that the database does not use.
const INVALID: &str = " INVALID";

/// The parts of a schema: what it is, its table, its name, its definition.
const PARTS_SQLITE: &str = "
    SELECT type, tbl_name, name, coalesce(sql, '') FROM sqlite_schema
    UNION ALL
    SELECT 'column', t.name, c.name, c.type || CASE WHEN c.\"notnull\" THEN ' NOT NULL' ELSE '' END
        || coalesce(' DEFAULT ' || c.dflt_value, '')
    FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table'";

/// Of partitions only what may be hung on them: the rest follows the table they are parts of. Options of storage may be
/// chosen freely.
const PARTS_POSTGRES: &str = "
    WITH place AS (
        SELECT n.oid, quote_ident(n.nspname) || '.' AS prefix
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass('schema_migrations')
    ), ours AS (
        SELECT c.oid, c.relpersistence, c.relrowsecurity, c.relispartition,
            coalesce(whole.relname, c.relname)::text AS name
        FROM pg_class c
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        LEFT JOIN pg_class whole ON whole.oid = i.inhparent
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = (SELECT oid FROM place)
    )
    SELECT 'table', name, name, CASE relpersistence WHEN 'p' THEN 'LOGGED' ELSE 'NOT LOGGED' END
        || CASE WHEN relrowsecurity THEN ' ROW SECURITY' ELSE '' END
    FROM ours WHERE NOT relispartition
    UNION
    SELECT 'column', name, attname::text, concat_ws(' ', format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(adbin, adrelid),
        'IDENTITY ' || nullif(attidentity::text, ''), 'GENERATED ' || nullif(attgenerated::text, ''))
    FROM ours JOIN pg_attribute ON attrelid = oid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE NOT relispartition AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT 'constraint', name, conname::text, replace(pg_get_constraintdef(c.oid), prefix, '')
    FROM place, ours JOIN pg_constraint c ON conrelid = ours.oid
    WHERE NOT relispartition AND contype IN ('c', 'f')
    UNION
    SELECT 'index', name, relname::text, regexp_replace(
            replace(replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '), prefix, ''),
            ' WITH \\([^)]*\\)', '')
        || CASE WHEN indisvalid AND indisready AND indislive THEN '' ELSE ' INVALID' END
    FROM place, ours JOIN pg_index ON indrelid = ours.oid JOIN pg_class i ON i.oid = indexrelid
    WHERE NOT ours.relispartition OR NOT indisvalid
    UNION
    SELECT 'sequence', relname::text, relname::text, 'INCREMENT ' || seqincrement
        || CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END
    FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
    WHERE relnamespace = (SELECT oid FROM place)
    UNION
    SELECT 'trigger', name, tgname::text, ''
    FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION
    SELECT 'rule', name, rulename::text, '' FROM ours JOIN pg_rewrite ON ev_class = ours.oid
    ORDER BY 1, 2, 3";

/// What it is, its table, its name.
type Key = (String, String, String);
/// With their definitions.
type Parts = BTreeMap<Key, String>;

/// What is wrong with the schema.
pub(super) async fn compare(session: &Session) -> Result<Vec<Finding>, StoreError> {
    let (expected, query) = if session.is_sqlite() {
        (made_in_memory()?, PARTS_SQLITE)
    } else {
        (written_down(), PARTS_POSTGRES)
    };
    match session.rows(query).await {
        Ok(rows) => Ok(differences(&expected, &parts(&rows)?)),
        Err(StoreError::Fatal(reason)) => {
            Ok(vec![super::finding(FindingKind::Unreadable, None, reason)])
        }
        Err(error) => Err(error),
    }
}

fn parts(rows: &[Row]) -> Result<Parts, StoreError> {
    rows.iter()
        .map(|row| match row.as_slice() {
            [Value::Text(what), Value::Text(table), Value::Text(name), Value::Text(definition)] => {
                Ok(part(what, table, name, definition))
            }
            _ => Err(StoreError::Fatal("the catalogue answered in another shape".into())),
        })
        .collect()
}

fn part(what: &str, table: &str, name: &str, definition: &str) -> (Key, String) {
    // The text of what SQLite makes for itself depends on its version.
    let own = table.starts_with("search_words_") || name.starts_with("sqlite_");
    let definition = if own { "" } else { definition };
    ((what.to_owned(), table.to_owned(), name.to_owned()), definition.to_owned())
}

/// What the migrations make on SQLite.
fn made_in_memory() -> Result<Parts, StoreError> {
    let database = rusqlite::Connection::open_in_memory()?;
    database.execute_batch(migrate::BOOKKEEPING)?;
    for migration in migrate::SQLITE {
        database.execute_batch(migration.sql)?;
    }
    let mut statement = database.prepare(PARTS_SQLITE)?;
    let mut rows = statement.query([])?;
    let mut parts = Parts::new();
    while let Some(row) = rows.next()? {
        let text = |at| row.get::<_, String>(at);
        parts.extend([part(&text(0)?, &text(1)?, &text(2)?, &text(3)?)]);
    }
    Ok(parts)
}

/// What the migrations make on Postgres.
fn written_down() -> Parts {
    let line = |line: &str| {
        let mut words = line.splitn(4, " | ").map(str::trim);
        let mut next = || words.next().unwrap_or_default().to_owned();
        ((next(), next(), next()), next())
    };
    POSTGRES.lines().map(line).collect()
}

fn differences(expected: &Parts, found: &Parts) -> Vec<Finding> {
    let table = |name: &String| ("table".to_owned(), name.clone(), name.clone());
    let mut findings = Vec::new();
    let mut tell = |kind, key: &Key, reason: &str| {
        let (what, table, name) = key;
        let of = if table == name { String::new() } else { format!(" of {table}") };
        findings.push(super::finding(kind, None, format!("{what} {name}{of}{reason}")));
    };
    for (key, definition) in expected {
        match found.get(key) {
            // A table that is gone is one finding, not one for each of its parts.
            None if *key != table(&key.1)
                && expected.contains_key(&table(&key.1))
                && !found.contains_key(&table(&key.1)) => {}
            None => tell(FindingKind::SchemaMissing, key, ""),
            Some(found) if found.ends_with(INVALID) => {
                tell(FindingKind::SchemaDiffers, key, " is invalid");
            }
            Some(found) if !agrees(&key.0, definition, found) => {
                tell(FindingKind::SchemaDiffers, key, "");
            }
            Some(_) => {}
        }
    }
    for (key, definition) in found {
        if expected.contains_key(key) || !expected.contains_key(&table(&key.1)) {
            continue;
        }
        match key.0.as_str() {
            "trigger" | "rule" => tell(FindingKind::TriggerForeign, key, ""),
            "index" if definition.ends_with(INVALID) => {
                tell(FindingKind::SchemaDiffers, key, " is invalid");
            }
            _ => {}
        }
    }
    findings
}

/// Whether a definition is the expected one; a table may have got more columns, at the end.
fn agrees(what: &str, expected: &str, found: &str) -> bool {
    if what != "table" || expected == found {
        return expected == found;
    }
    match (expected.rsplit_once(')'), found.rsplit_once(')')) {
        (Some((columns, options)), Some((more, others))) => {
            options == others
                && more.strip_prefix(columns).is_some_and(|rest| rest.starts_with(','))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ringwire_testkit::PrivatePostgres;

    use super::*;
    use crate::operate::migrate::migrate;
    use crate::store::Database;

    #[tokio::test]
    async fn what_is_written_down_is_what_the_migrations_make_on_postgres() {
        let postgres = PrivatePostgres::start().expect("a private Postgres");
        for partitions in [0, 3] {
            let url = postgres.create_database(&format!("schema{partitions}")).expect("a database");
            let database = Database::Postgres { url };
            migrate(&database, partitions).await.expect("a schema");
            let session = Session::reader(&database).await.expect("a session");
            session.begin_snapshot().await.expect("a snapshot");
            let made = parts(&session.rows(PARTS_POSTGRES).await.expect("rows")).expect("parts");
            let line = |((what, table, name), definition): (&Key, &String)| {
                format!("{what} | {table} | {name} | {definition}").trim_end().to_owned()
            };
            let lines: Vec<String> = made.iter().map(line).collect();
            assert_eq!(lines, POSTGRES.lines().collect::<Vec<_>>(), "\n{}\n", lines.join("\n"));
        }
    }

    #[test]
    fn a_newer_release_may_add_but_not_change_or_remove() {
        let grown = |sql: &str| {
            let database = rusqlite::Connection::open_in_memory().expect("memory");
            database
                .execute_batch("CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> '')) STRICT")
                .unwrap();
            let text = |database: &rusqlite::Connection| -> String {
                database.query_row("SELECT sql FROM sqlite_schema", [], |row| row.get(0)).unwrap()
            };
            let before = text(&database);
            database.execute_batch(sql).expect(sql);
            agrees("table", &before, &text(&database))
        };
        assert!(grown("SELECT 1"));
        assert!(grown("ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 0 CHECK (c >= 0)"));
        for other in [
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t RENAME COLUMN a TO c",
            "DROP TABLE t; CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> ''))",
            "DROP TABLE t; CREATE TABLE t (a INTEGER, b TEXT) STRICT",
        ] {
            assert!(!grown(other), "{other}");
        }
    }
}
