//! Where entries are removed, or their bodies erased, with everything that belongs to them.

use rusqlite::Transaction;

use super::search::unindex;
use crate::error::StoreError;

/// What goes with the entries up to `?2` of conversation `?1`. Files lose their entry; whoever cleans up unused files
/// removes them, bytes first.
const BELONGINGS: [&str; 10] = [
    "DELETE FROM search_words WHERE rowid IN (
         SELECT id FROM search_entries WHERE conversation_id = ?1 AND seq <= ?2)",
    "DELETE FROM search_entries WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM push_outbox WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM edits WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM reactions WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM reaction_counts WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM pins WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM mentions WHERE conversation_id = ?1 AND seq <= ?2",
    "DELETE FROM hidden WHERE conversation_id = ?1 AND seq <= ?2",
    "UPDATE attachments SET conversation_id = NULL, seq = 0
     WHERE conversation_id = ?1 AND seq BETWEEN 1 AND ?2",
];

/// Removes a conversation's entries up to and with `end` and raises its floor; how many there were. The caller makes
/// sure that `end` is below the head and settled.
pub(super) fn remove_entries(
    tx: &Transaction<'_>,
    conversation: i64,
    end: i64,
) -> Result<u64, StoreError> {
    for statement in BELONGINGS {
        tx.prepare_cached(statement)?.execute((conversation, end))?;
    }
    let removed = tx
        .prepare_cached("DELETE FROM entries WHERE conversation_id = ?1 AND seq <= ?2")?
        .execute((conversation, end))?;
    tx.prepare_cached("UPDATE conversations SET floor_seq = max(floor_seq, ?2 + 1) WHERE id = ?1")?
        .execute((conversation, end))?;
    Ok(removed as u64)
}

/// Erases the bodies of these entries, which keep their place: row, words, and what waits to be pushed. How many had one.
pub(super) fn erase_bodies(
    tx: &Transaction<'_>,
    conversation: i64,
    seqs: impl Iterator<Item = i64>,
) -> Result<u64, StoreError> {
    let mut push =
        tx.prepare_cached("DELETE FROM push_outbox WHERE conversation_id = ?1 AND seq = ?2")?;
    let mut erase = tx.prepare_cached(
        "UPDATE entries SET body = x'', key_id = 0, body_version = body_version % 32767 + 1
         WHERE conversation_id = ?1 AND seq = ?2 AND length(body) > 0",
    )?;
    let mut erased = 0;
    for seq in seqs {
        push.execute((conversation, seq))?;
        unindex(tx, (conversation, seq))?;
        erased += erase.execute((conversation, seq))? as u64;
    }
    Ok(erased)
}
