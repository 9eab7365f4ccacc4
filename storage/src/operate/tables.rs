//! Every table there is, and what becomes of it when a database moves.
//!
//! Invariant: each table of either database is in one of the two lists; a test compares them with the catalogues.

/// A table that is copied.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its key, in whose order both sides are compared. Columns marked `text` are compared byte by byte.
    pub(super) key: &'static [Key],
}

#[derive(Clone, Copy)]
pub(super) enum Key {
    Number(&'static str),
    Text(&'static str),
}

use Key::{Number, Text};

/// What is copied, each after those it refers to.
pub(super) const TABLES: &[Table] = &[
    Table { name: "command_key", key: &[Number("key")] },
    Table { name: "users", key: &[Number("id")] },
    Table { name: "credentials", key: &[Number("user_id")] },
    Table { name: "identities", key: &[Text("issuer"), Text("subject")] },
    Table { name: "conversations", key: &[Number("id")] },
    Table { name: "members", key: &[Number("conversation_id"), Number("user_id")] },
    Table { name: "cursors", key: &[Number("conversation_id"), Number("user_id")] },
    Table { name: "aliases", key: &[Text("name_key")] },
    Table { name: "devices", key: &[Number("user_id"), Text("device_id")] },
    Table { name: "refresh_tokens", key: &[Number("token_hash")] },
    Table { name: "blocks", key: &[Number("user_id"), Number("blocked_id")] },
    Table { name: "contacts", key: &[Number("user_id"), Number("contact_id")] },
    Table { name: "password_resets", key: &[Number("token_hash")] },
    Table { name: "attachments", key: &[Text("file_id")] },
    Table { name: "push_outbox", key: &[Number("conversation_id"), Number("seq")] },
    Table {
        name: "push_deliveries",
        key: &[Number("user_id"), Text("device_id"), Number("conversation_id")],
    },
    Table { name: "hook_outbox", key: &[Text("hook"), Number("conversation_id"), Number("seq")] },
    Table { name: "audit", key: &[Number("id")] },
    Table { name: "operators", key: &[Number("id")] },
    Table { name: "operator_tokens", key: &[Number("token_hash")] },
    Table { name: "account_bans", key: &[Number("account_id")] },
    Table { name: "orders", key: &[Number("id")] },
    Table { name: "retention_marks", key: &[Number("conversation_id")] },
    Table { name: "deletions", key: &[Number("user_id")] },
    Table { name: "body_keys", key: &[Number("key_id")] },
    Table { name: "edits", key: &[Number("conversation_id"), Number("seq")] },
    Table {
        name: "reactions",
        key: &[Number("conversation_id"), Number("seq"), Number("user_id"), Text("reaction")],
    },
    Table {
        name: "reaction_counts",
        key: &[Number("conversation_id"), Number("seq"), Text("reaction")],
    },
    Table { name: "pins", key: &[Number("conversation_id"), Number("seq")] },
    Table { name: "bans", key: &[Number("conversation_id"), Number("user_id")] },
    Table { name: "join_requests", key: &[Number("conversation_id"), Number("user_id")] },
    Table { name: "mentions", key: &[Number("user_id"), Number("conversation_id"), Number("seq")] },
    Table { name: "hidden", key: &[Number("user_id"), Number("conversation_id"), Number("seq")] },
    Table { name: "entries", key: &[Number("conversation_id"), Number("seq")] },
];

#[cfg(test)]
const INDEX: &str = "without positions, the server indexes everything anew";

/// What is not copied, and why.
#[cfg(test)]
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("schema_migrations", "migrating the target writes it"),
    ("ids", "the numbers go to the sequences of Postgres"),
    ("sqlite_sequence", "SQLite's own"),
    ("body_pass", "without it, the server looks at every body anew"),
    ("search_entries", INDEX),
    ("search_positions", INDEX),
    ("search_words", INDEX),
    ("search_words_config", INDEX),
    ("search_words_data", INDEX),
    ("search_words_docsize", INDEX),
    ("search_words_idx", INDEX),
];

impl Table {
    /// Reads these columns, in whatever order is fastest.
    pub(super) fn select(&self, columns: &[String]) -> String {
        format!("SELECT {} FROM {}", columns.join(", "), self.name)
    }

    /// Reads these columns in the order of the key.
    pub(super) fn select_in_order(&self, columns: &[String], sqlite: bool) -> String {
        let order: Vec<String> = self
            .key
            .iter()
            .map(|key| match key {
                Text(column) if !sqlite => format!("{column} COLLATE \"C\""),
                Number(column) | Text(column) => (*column).to_owned(),
            })
            .collect();
        format!("{} ORDER BY {}", self.select(columns), order.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_sqlite_is_copied_or_left_out_on_purpose() {
        let database = rusqlite::Connection::open_in_memory().expect("memory");
        database.execute_batch(crate::migrate::BOOKKEEPING).expect("a table");
        for migration in crate::migrate::SQLITE {
            database.execute_batch(migration.sql).expect(migration.name);
        }
        let mut names = database
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .expect("a query");
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).expect("names").map(Result::unwrap).collect();
        for name in &names {
            let known = TABLES.iter().any(|table| table.name == name)
                || LEFT_OUT.iter().any(|(left_out, _)| left_out == name);
            assert!(known, "{name} is neither in TABLES nor in LEFT_OUT: would a copy lose it?");
        }
        assert_eq!(names.len(), TABLES.len() + LEFT_OUT.len(), "{names:?}");
    }
}
