//! Where entries are removed, or their bodies erased, with everything that belongs to them.
//!
//! Invariant: the row of the conversation is locked first, as whoever edits, recalls or reacts does, so that none of them
//! and these ever wait for each other in a ring.

use deadpool_postgres::Transaction;

use super::behind::LOCK;
use crate::error::StoreError;

/// What goes with the entries up to `$2` of conversation `$1`. Files lose their entry; whoever cleans up unused files
/// removes them, bytes first.
const BELONGINGS: [&str; 9] = [
    "DELETE FROM search_entries WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM push_outbox WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM edits WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM reactions WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM reaction_counts WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM pins WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM mentions WHERE conversation_id = $1 AND seq <= $2",
    "DELETE FROM hidden WHERE conversation_id = $1 AND seq <= $2",
    "UPDATE attachments SET conversation_id = NULL, seq = 0
     WHERE conversation_id = $1 AND seq BETWEEN 1 AND $2",
];

/// Locks the rows of these conversations, in the order of everybody who does.
pub(super) async fn lock(tx: &Transaction<'_>, conversations: &[i64]) -> Result<(), StoreError> {
    let lock = tx.prepare_cached(LOCK).await?;
    tx.query(&lock, &[&conversations]).await?;
    Ok(())
}

/// Removes a conversation's entries up to and with `end` and raises its floor; how many there were. The caller makes
/// sure that `end` is below the head and settled.
pub(super) async fn remove_entries(
    tx: &Transaction<'_>,
    conversation: i64,
    end: i64,
) -> Result<u64, StoreError> {
    lock(tx, &[conversation]).await?;
    let remove =
        tx.prepare_cached("DELETE FROM entries WHERE conversation_id = $1 AND seq <= $2").await?;
    let removed = tx.execute(&remove, &[&conversation, &end]).await?;
    // After the entries: a file that was bound to one of them until now is seen here.
    for statement in BELONGINGS {
        let statement = tx.prepare_cached(statement).await?;
        tx.execute(&statement, &[&conversation, &end]).await?;
    }
    let raise = tx
        .prepare_cached(
            "UPDATE conversations SET floor_seq = GREATEST(floor_seq, $2::int8 + 1) WHERE id = $1",
        )
        .await?;
    tx.execute(&raise, &[&conversation, &end]).await?;
    Ok(removed)
}

/// Erases the bodies of these entries, which keep their place: row, words, and what waits to be pushed. How many had one.
pub(super) async fn erase_bodies(
    tx: &Transaction<'_>,
    conversation: i64,
    seqs: &[i64],
) -> Result<u64, StoreError> {
    if seqs.is_empty() {
        return Ok(0);
    }
    lock(tx, &[conversation]).await?;
    // The rows of the log before those of the index, as the appending of edits and recalls does.
    let held = tx
        .prepare_cached(
            "SELECT FROM entries e WHERE e.conversation_id = $1 AND e.seq = ANY ($2)
             ORDER BY e.seq FOR NO KEY UPDATE OF e",
        )
        .await?;
    tx.query(&held, &[&conversation, &seqs]).await?;
    let pushes = tx
        .prepare_cached("DELETE FROM push_outbox WHERE conversation_id = $1 AND seq = ANY ($2)")
        .await?;
    tx.execute(&pushes, &[&conversation, &seqs]).await?;
    // Rows without words, so that an indexing under way, which has read the bodies, adds nothing.
    let words = tx
        .prepare_cached(
            "INSERT INTO search_entries (conversation_id, seq, created_at, words)
             SELECT conversation_id, seq, created_at, '' FROM entries
             WHERE conversation_id = $1 AND seq = ANY ($2) ORDER BY seq
             ON CONFLICT (conversation_id, seq) DO UPDATE SET words = ''",
        )
        .await?;
    tx.execute(&words, &[&conversation, &seqs]).await?;
    let erase = tx
        .prepare_cached(
            "UPDATE entries SET body = '', key_id = 0, body_version = body_version % 32767 + 1
             WHERE conversation_id = $1 AND seq = ANY ($2) AND octet_length(body) > 0",
        )
        .await?;
    Ok(tx.execute(&erase, &[&conversation, &seqs]).await?)
}
