//! The search index: FTS5 without a copy of the text, and a table that says which entry a row of it is.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, UnixMs};
use rusqlite::{OptionalExtension as _, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use super::SqliteStore;
use super::marks::mark;
use super::rows::{self, ENTRY, json_list};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::EntryRow;
use crate::search::{self, ERASED, Indexed, PAGE, STEP_ENTRIES, SearchQuery, SearchText, Slice};

/// From here on, rows of FTS5's own table say which rows were removed (`FTS5_TOMBSTONE_ROWID` in its source).
const REMOVED: i64 = 1 << 53;
/// Pages of the index written by one step of merging.
const MERGED_PAGES: i64 = 128;

impl SqliteStore {
    pub(crate) async fn search(
        &self,
        query: &SearchQuery,
        slice: Slice,
        place: OwnedSemaphorePermit,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let query = query.fts5();
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let _place = place;
            // CROSS JOIN: the words come first, whatever the planner thinks.
            let mut statement = tx.prepare_cached(&format!(
                "SELECT {ENTRY} FROM (
                     SELECT s.conversation_id, s.seq, s.created_at FROM search_words w
                     CROSS JOIN search_entries s ON s.id = w.rowid
                     CROSS JOIN members m
                         ON m.conversation_id = s.conversation_id AND m.user_id = ?1
                     WHERE w.search_words MATCH ?2 AND (?3 IS NULL OR s.conversation_id = ?3)
                         AND (s.created_at, s.conversation_id, s.seq) < (?4, ?5, ?6)
                         AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.user_id = ?1
                             AND h.conversation_id = s.conversation_id AND h.seq = s.seq)
                     ORDER BY s.created_at DESC, s.conversation_id DESC, s.seq DESC LIMIT ?7
                 ) p CROSS JOIN entries e ON e.conversation_id = p.conversation_id AND e.seq = p.seq
                 ORDER BY p.created_at DESC, p.conversation_id DESC, p.seq DESC"
            ))?;
            let only = slice.only.map(ConversationId::as_i64);
            let before = slice.before();
            let user = slice.user.as_i64();
            let mut found = statement
                .query_map((user, query, only, before.0, before.1, before.2, slice.limit), |row| {
                    rows::entry(row, 0, &keys)
                })?
                .collect::<Result<Vec<_>, _>>()?;
            mark(tx, Some(slice.user), &mut found)?;
            Ok(found)
        })
        .await
    }

    /// Which of the next conversations have entries behind their position, and where to look on.
    pub(crate) async fn behind_index(
        &self,
        from: i64,
    ) -> Result<(Vec<ConversationId>, Option<i64>), StoreError> {
        self.read(move |tx| {
            let page = tx
                .prepare_cached(
                    "SELECT c.id, coalesce((SELECT max(seq) FROM entries
                             WHERE conversation_id = c.id), 0) > coalesce(p.seq, 0)
                     FROM (SELECT id FROM conversations WHERE id > ?1 ORDER BY id LIMIT ?2) c
                     LEFT JOIN search_positions p ON p.conversation_id = c.id
                     ORDER BY c.id",
                )?
                .query_map((from, PAGE), |row| {
                    Ok((rows::conversation_id(row, 0)?, row.get::<_, bool>(1)?))
                })?
                .collect::<Result<Vec<_>, _>>()?;
            let full = page.len() as i64 == PAGE;
            let next = page.last().filter(|_| full).map(|(id, _)| id.as_i64());
            let behind = page.into_iter().filter_map(|(id, behind)| behind.then_some(id));
            Ok((behind.collect(), next))
        })
        .await
    }

    /// Indexes some entries of each of these conversations; a transaction each, so that commits come between.
    pub(crate) async fn index(
        &self,
        ids: Vec<ConversationId>,
        text: SearchText,
    ) -> Result<Indexed, StoreError> {
        let mut left = Vec::new();
        for id in ids {
            let keys = Arc::clone(&self.keys);
            if self.write(move |tx| index_log(tx, &keys, id, text)).await? {
                left.push(id);
            }
        }
        Ok(Indexed::Left(left))
    }

    pub(crate) async fn reindex(
        &self,
        id: ConversationId,
        seqs: Vec<i64>,
        text: SearchText,
    ) -> Result<(), StoreError> {
        let keys = Arc::clone(&self.keys);
        self.write(move |tx| {
            let list = json_list(seqs.into_iter());
            for statement in [
                "DELETE FROM search_words WHERE rowid IN (
                     SELECT s.id FROM json_each(?2) j CROSS JOIN search_entries s
                         ON s.conversation_id = ?1 AND s.seq = j.value)",
                "DELETE FROM search_entries WHERE id IN (
                     SELECT s.id FROM json_each(?2) j CROSS JOIN search_entries s
                         ON s.conversation_id = ?1 AND s.seq = j.value)",
            ] {
                tx.prepare_cached(statement)?.execute((id.as_i64(), &list))?;
            }
            let indexed = position(tx, id)?;
            let entries = tx
                .prepare_cached(&format!(
                    "SELECT {ENTRY} FROM json_each(?2) j CROSS JOIN entries e
                         ON e.conversation_id = ?1 AND e.seq = j.value"
                ))?
                .query_map((id.as_i64(), &list), |row| rows::entry(row, 0, &keys))?
                .collect::<Result<Vec<_>, _>>()?;
            // Those behind the position are still to come.
            for entry in entries.iter().filter(|entry| rows::position(entry.seq) <= indexed) {
                insert(tx, entry, text)?;
            }
            Ok(())
        })
        .await
    }

    /// Merges a piece of the index with its removed rows, so that these leave it; whether there may be more.
    pub(crate) async fn merge_index(&self, begun: bool) -> Result<bool, StoreError> {
        let removed = "SELECT EXISTS (SELECT 1 FROM search_words_data WHERE id >= ?1)";
        if !self
            .read(move |tx| {
                Ok(tx.prepare_cached(removed)?.query_row([REMOVED], |row| row.get::<_, bool>(0))?)
            })
            .await?
        {
            return Ok(false);
        }
        self.write(move |tx| {
            let changes = || -> rusqlite::Result<i64> {
                tx.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get(0))
            };
            let before = changes()?;
            // A negative number begins to merge everything, positive ones go on with it.
            let pages = if begun { MERGED_PAGES } else { -MERGED_PAGES };
            tx.prepare_cached(
                "INSERT INTO search_words (search_words, rank) VALUES ('merge', ?1)",
            )?
            .execute([pages])?;
            // With nothing left to merge only the statement itself counts.
            Ok(changes()? - before >= 2)
        })
        .await
    }

    /// Removes a piece of the index; whether there is more of it.
    pub(crate) async fn erase_index(&self) -> Result<bool, StoreError> {
        // A look first: writing costs the writer a transaction.
        let empty = "SELECT NOT EXISTS (SELECT 1 FROM search_positions)
                         AND NOT EXISTS (SELECT 1 FROM search_entries)";
        if self
            .read(move |tx| Ok(tx.prepare_cached(empty)?.query_row([], |row| row.get(0))?))
            .await?
        {
            return Ok(false);
        }
        self.write(move |tx| {
            // With the positions gone, indexing would begin anew.
            tx.execute("DELETE FROM search_positions", [])?;
            for statement in [
                "DELETE FROM search_words WHERE rowid IN (
                     SELECT id FROM search_entries ORDER BY id LIMIT ?1)",
                "DELETE FROM search_entries WHERE id IN (
                     SELECT id FROM search_entries ORDER BY id LIMIT ?1)",
            ] {
                tx.prepare_cached(statement)?.execute([ERASED])?;
            }
            let more = tx.prepare_cached("SELECT 1 FROM search_entries LIMIT 1")?.exists([])?;
            if !more {
                // FTS5 only marks rows as deleted; this empties it.
                tx.execute("INSERT INTO search_words (search_words) VALUES ('delete-all')", [])?;
            }
            Ok(more)
        })
        .await
    }
}

/// The position up to which a log is indexed.
fn position(tx: &Transaction<'_>, id: ConversationId) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached("SELECT seq FROM search_positions WHERE conversation_id = ?1")?
        .query_row([id.as_i64()], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Indexes the next entries of one log; whether there may be more.
fn index_log(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    id: ConversationId,
    text: SearchText,
) -> Result<bool, StoreError> {
    let indexed = position(tx, id)?;
    let entries = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = ?1 AND e.seq > ?2
             ORDER BY e.seq LIMIT ?3"
        ))?
        .query_map((id.as_i64(), indexed, STEP_ENTRIES as i64), |row| rows::entry(row, 0, keys))?
        .collect::<Result<Vec<_>, _>>()?;
    for entry in &entries {
        insert(tx, entry, text)?;
    }
    if let Some(last) = entries.last() {
        tx.prepare_cached(
            "INSERT INTO search_positions (conversation_id, seq) VALUES (?1, ?2)
             ON CONFLICT (conversation_id) DO UPDATE SET seq = excluded.seq",
        )?
        .execute((id.as_i64(), rows::position(last.seq)))?;
    }
    Ok(entries.len() == STEP_ENTRIES)
}

/// Indexes one entry, if it has words.
fn insert(tx: &Transaction<'_>, entry: &EntryRow, text: SearchText) -> Result<(), StoreError> {
    let key = (entry.conversation_id.as_i64(), rows::position(entry.seq));
    Ok(insert_words(tx, key, entry.created_at, text(&entry.body))?)
}

fn insert_words(
    tx: &Transaction<'_>,
    key: (i64, i64),
    created_at: UnixMs,
    text: Option<String>,
) -> rusqlite::Result<()> {
    let words = text.map(|text| search::words(&text)).unwrap_or_default();
    if words.is_empty() {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT INTO search_entries (conversation_id, seq, created_at) VALUES (?1, ?2, ?3)",
    )?
    .execute((key.0, key.1, created_at))?;
    tx.prepare_cached("INSERT INTO search_words (rowid, words) VALUES (?1, ?2)")?
        .execute((tx.last_insert_rowid(), words.join(" ")))?;
    Ok(())
}

/// Indexes what an entry that is not indexed says from now on; one behind the position of its log is still to come.
pub(super) fn index_text(
    tx: &Transaction<'_>,
    key: (i64, i64),
    created_at: UnixMs,
    text: Option<String>,
) -> rusqlite::Result<()> {
    let indexed = tx
        .prepare_cached("SELECT 1 FROM search_positions WHERE conversation_id = ?1 AND seq >= ?2")?
        .exists(key)?;
    if indexed { insert_words(tx, key, created_at, text) } else { Ok(()) }
}

/// Takes an entry out of the index.
pub(super) fn unindex(tx: &Transaction<'_>, key: (i64, i64)) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM search_words WHERE rowid =
             (SELECT id FROM search_entries WHERE conversation_id = ?1 AND seq = ?2)",
        "DELETE FROM search_entries WHERE conversation_id = ?1 AND seq = ?2",
    ] {
        tx.prepare_cached(statement)?.execute(key)?;
    }
    Ok(())
}
