//! `entries` as one table, or in hash partitions by conversation, and the way from one to the other.
//!
//! ```text
//!   lock entries ─► a table LIKE it ─► copy, count ─► drop the old one, rename ─► keys, indexes, rights ─► commit
//! ```
//!
//! Invariants: it is one transaction, and whoever works with entries waits meanwhile; prepared statements find the new
//! table by its name. The shape of the table is read from the catalogue, never repeated here. A transaction with a
//! snapshot from before the commit would find the new table empty, so every such transaction locks entries before it
//! takes its snapshot ([`LOCK_FIRST`]) and cannot be overtaken.

use tokio_postgres::{Client, GenericClient, Transaction};

use super::schema;
use crate::error::StoreError;

/// The first statement of a transaction that reads several times from one snapshot. Takes no snapshot itself.
pub(crate) const LOCK_FIRST: &str = "LOCK TABLE ONLY entries IN ACCESS SHARE MODE";

/// What triggers, publications or policies somebody hung on the table; they would be lost.
const STRANGERS: &str = "SELECT concat_ws(', ',
        (SELECT string_agg('trigger ' || tgname, ', ') FROM pg_trigger
         WHERE tgrelid = 'entries'::regclass AND NOT tgisinternal),
        (SELECT string_agg('publication ' || pubname, ', ') FROM pg_publication_rel r
         JOIN pg_publication p ON p.oid = r.prpubid WHERE prrelid = 'entries'::regclass),
        (SELECT string_agg('policy ' || polname, ', ') FROM pg_policy
         WHERE polrelid = 'entries'::regclass))";

/// Works in the schema and as the owner of the table, so that the new one has the same; tells its storage parameters.
const PLACE: &str = "SELECT set_config('search_path', quote_ident(n.nspname), true),
        set_config('role', pg_get_userbyid(c.relowner), true),
        (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = coalesce(
            (SELECT min(inhrelid::int8)::oid FROM pg_inherits WHERE inhparent = c.oid), c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'entries'::regclass";

/// Statements that make keys, indexes and rights of the present table on the next one.
const REST: &str = "SELECT sql FROM (
        SELECT 1 AS step, contype::text AS part,
            format('ALTER TABLE entries ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS sql
        FROM pg_constraint WHERE conrelid = 'entries'::regclass AND contype IN ('p', 'u', 'x')
        UNION ALL
        SELECT 2, '', replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
        WHERE indrelid = 'entries'::regclass AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        UNION ALL
        SELECT 3, '', format('GRANT %s ON entries TO %s%s', privilege_type,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class, aclexplode(relacl)
        WHERE oid = 'entries'::regclass AND grantee <> relowner
    ) AS rest ORDER BY step, part, sql";

/// What a conversion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Partitions before; 0: one table.
    pub before: u32,
    /// Partitions now; 0: one table.
    pub after: u32,
    /// Entries that were copied.
    pub rows: u64,
}

/// How many partitions there are; 0: one table.
pub(crate) async fn count(client: &impl GenericClient) -> Result<u32, StoreError> {
    let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('entries')";
    let count: i64 = client.query_one(count, &[]).await?.try_get(0)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Says so when the database has another number than the configuration.
pub(super) async fn compare(client: &Client, configured: u32) -> Result<(), StoreError> {
    let found = count(client).await?;
    if found != configured {
        tracing::warn!(
            found,
            configured,
            "the database has another number of partitions than storage.partitions and keeps it; \
             `ringwire migrate --partitions {configured}` converts it"
        );
    }
    Ok(())
}

/// Brings `entries` to so many partitions; `None`: it has them.
pub(crate) async fn convert(
    client: &mut Client,
    partitions: u32,
) -> Result<Option<Converted>, StoreError> {
    let tx = schema::begin(client).await?;
    if count(&tx).await? == partitions {
        return Ok(None);
    }
    let converted = rebuild(&tx, partitions).await?;
    tx.commit().await?;
    // Autovacuum does this for partitions, but not for what they are parts of.
    client.batch_execute("ANALYZE entries").await?;
    Ok(Some(converted))
}

/// Makes the table anew, with its rows.
pub(super) async fn rebuild(
    tx: &Transaction<'_>,
    partitions: u32,
) -> Result<Converted, StoreError> {
    tx.batch_execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE").await?;
    let before = count(tx).await?;
    let strangers: String = tx.query_one(STRANGERS, &[]).await?.try_get(0)?;
    if !strangers.is_empty() {
        return Err(StoreError::Fatal(format!(
            "entries would lose what was put on it besides ringwire's own ({strangers}); drop that, convert, and \
             make it again"
        )));
    }
    let options: Option<String> = tx.query_one(PLACE, &[]).await?.try_get(2)?;
    let with = options.map_or_else(String::new, |options| format!(" WITH ({options})"));
    let rest = tx.query(REST, &[]).await?;
    let like = "CREATE TABLE entries_anew (LIKE entries INCLUDING ALL EXCLUDING INDEXES)";
    if partitions == 0 {
        tx.batch_execute(&format!("{like}{with}")).await?;
    } else {
        tx.batch_execute(&format!("{like} PARTITION BY HASH (conversation_id)")).await?;
    }
    for number in 0..partitions {
        // The count in the name keeps it apart from the partitions of before.
        tx.batch_execute(&format!(
            "CREATE TABLE entries_{number}_of_{partitions} PARTITION OF entries_anew
             FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number}){with}"
        ))
        .await?;
    }
    let rows = tx.execute("INSERT INTO entries_anew SELECT * FROM entries", &[]).await?;
    let counts = "SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM entries_anew)";
    let counts = tx.query_one(counts, &[]).await?;
    let (old, new): (i64, i64) = (counts.try_get(0)?, counts.try_get(1)?);
    if old != new {
        return Err(StoreError::Damaged(format!("{old} entries became {new} when copied")));
    }
    tx.batch_execute("DROP TABLE entries; ALTER TABLE entries_anew RENAME TO entries").await?;
    for row in rest {
        tx.batch_execute(row.try_get(0)?).await?;
    }
    tx.batch_execute("RESET ROLE").await?;
    Ok(Converted { before, after: partitions, rows })
}
