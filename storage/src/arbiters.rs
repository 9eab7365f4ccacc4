//! The two unique keys of the log that decide what is stored: without one of them an acknowledged message may be stored
//! twice, or two in one place. Looked for in the catalogue at every start of a server.

use crate::error::StoreError;

/// Columns of a key, as both catalogues are asked for them, and how to make it again on Postgres.
const ARBITERS: [(&str, &str); 2] = [
    (
        "conversation_id,seq",
        "ALTER TABLE entries DROP CONSTRAINT IF EXISTS entries_pkey; \
         ALTER TABLE entries ADD CONSTRAINT entries_pkey PRIMARY KEY (conversation_id, seq);",
    ),
    (
        "conversation_id,sender_id,client_msg_id",
        "ALTER TABLE entries DROP CONSTRAINT IF EXISTS entries_once; DROP INDEX IF EXISTS entries_once; \
         ALTER TABLE entries ADD CONSTRAINT entries_once UNIQUE (conversation_id, sender_id, client_msg_id);",
    ),
];

/// Makes the second key again on SQLite; the first is part of the table.
const MEND_SQLITE: &str =
    "CREATE UNIQUE INDEX entries_once ON entries (conversation_id, sender_id, client_msg_id);";

/// The columns of each unique index of entries that covers every row, in the order of the index.
pub(crate) const UNIQUE_SQLITE: &str = "
    SELECT group_concat(c.name, ',' ORDER BY c.seqno)
    FROM pragma_index_list('entries') i JOIN pragma_index_info(i.name) c
    WHERE i.\"unique\" AND NOT i.partial GROUP BY i.name";

/// The same; an index that is being built, failed to be, or decides only at the commit is none.
pub(crate) const UNIQUE_POSTGRES: &str = "
    SELECT string_agg(a.attname::text, ',' ORDER BY k.place)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = to_regclass('entries') AND i.indisunique AND i.indimmediate
        AND i.indisvalid AND i.indisready AND i.indislive AND i.indpred IS NULL AND i.indexprs IS NULL
        AND k.place <= i.indnkeyatts
    GROUP BY i.indexrelid";

/// An error unless both are among the unique indexes found.
pub(crate) fn require(found: &[String], sqlite: bool) -> Result<(), StoreError> {
    for (place, (columns, mend)) in ARBITERS.iter().enumerate() {
        if !found.iter().any(|index| index == columns) {
            let mend = match (sqlite, place) {
                (true, 0) => "restore a backup".to_owned(),
                (true, _) => format!("run in it: {MEND_SQLITE}"),
                (false, _) => format!("run in it: {mend}"),
            };
            return Err(StoreError::ArbiterMissing { columns: columns.replace(',', ", "), mend });
        }
    }
    Ok(())
}
