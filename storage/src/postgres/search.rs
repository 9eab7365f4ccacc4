//! The search index: `tsvector` and GIN.

use std::sync::Arc;

use deadpool_postgres::{Object, Transaction};
use ringwire_protocol::ConversationId;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::marks::mark;
use super::rows::{self, ENTRY};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::EntryRow;
use crate::search::{self, ERASED, Indexed, PAGE, STEP_ENTRIES, SearchQuery, SearchText, Slice};

/// The advisory lock of the node that indexes ("indx" in ASCII).
const LOCK: i64 = 0x696E_6478;

impl PostgresStore {
    pub(crate) async fn search(
        &self,
        query: &SearchQuery,
        slice: Slice,
        place: OwnedSemaphorePermit,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let query = query.tsquery();
        let keys = Arc::clone(&self.keys);
        self.while_wanted(|client| async move {
            let _place = place;
            let found = search(&client, &keys, &query, slice).await;
            (client, found)
        })
        .await
    }

    /// Which of the next conversations have entries behind their position, and where to look on.
    pub(crate) async fn behind_index(
        &self,
        from: i64,
    ) -> Result<(Vec<ConversationId>, Option<i64>), StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT c.id, h.seq > coalesce(p.seq, 0)
                 FROM (SELECT id FROM conversations WHERE id > $1 ORDER BY id LIMIT $2) c
                 LEFT JOIN search_positions p ON p.conversation_id = c.id
                 LEFT JOIN LATERAL (SELECT seq FROM entries
                     WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) h ON true
                 ORDER BY c.id",
            )
            .await?;
        let page = client.query(&statement, &[&from, &PAGE]).await?;
        let mut behind = Vec::new();
        for row in &page {
            if row.try_get::<_, Option<bool>>(1)?.unwrap_or(false) {
                behind.push(rows::conversation_id(row, 0)?);
            }
        }
        if let Some(last) = page.last() {
            // What an indexing added that was under way while its entries were trimmed.
            let trimmed = client
                .prepare_cached(
                    "DELETE FROM search_entries s USING conversations c
                     WHERE c.id > $1 AND c.id <= $2 AND s.conversation_id = c.id
                         AND s.seq < c.floor_seq",
                )
                .await?;
            client.execute(&trimmed, &[&from, &last.try_get::<_, i64>(0)?]).await?;
        }
        let full = page.len() as i64 == PAGE;
        let next = page.last().filter(|_| full).map(|row| row.try_get(0)).transpose()?;
        Ok((behind, next))
    }

    /// Indexes some entries of each of these conversations.
    pub(crate) async fn index(
        &self,
        ids: Vec<ConversationId>,
        text: SearchText,
    ) -> Result<Indexed, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        // What a crash of the database takes back is indexed again, positions and all; so nobody waits for its disk here,
        // and what the writers commit meanwhile does not wait behind this.
        let alone =
            "SELECT pg_try_advisory_xact_lock($1), set_config('synchronous_commit', 'off', true)";
        let alone = tx.query_one(alone, &[&LOCK]).await?;
        if !alone.try_get::<_, bool>(0)? {
            return Ok(Indexed::Elsewhere);
        }
        let next = tx
            .prepare_cached(&format!(
                "SELECT {ENTRY} FROM UNNEST($1::int8[]) AS u (id)
                 LEFT JOIN search_positions p ON p.conversation_id = u.id
                 JOIN LATERAL (SELECT * FROM entries x
                     WHERE x.conversation_id = u.id AND x.seq > coalesce(p.seq, 0)
                     ORDER BY x.seq LIMIT $2) e ON true
                 ORDER BY e.conversation_id, e.seq"
            ))
            .await?;
        let numbers: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        let entries = tx
            .query(&next, &[&numbers, &(STEP_ENTRIES as i64)])
            .await?
            .iter()
            .map(|row| rows::entry(row, 0, &self.keys))
            .collect::<Result<Vec<_>, _>>()?;
        // A row that is there already was made by a reindexing: it knows better.
        Rows::of(entries.iter(), text).insert(&tx, "DO NOTHING").await?;
        let mut left = Vec::new();
        let mut positions = (Vec::new(), Vec::new());
        for log in entries.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
            let Some(last) = log.last() else { continue };
            positions.0.push(last.conversation_id.as_i64());
            positions.1.push(rows::position(last.seq));
            if log.len() == STEP_ENTRIES {
                left.push(last.conversation_id);
            }
        }
        let save = tx
            .prepare_cached(
                "INSERT INTO search_positions AS p (conversation_id, seq)
                 SELECT * FROM UNNEST($1::int8[], $2::int8[])
                 ON CONFLICT (conversation_id) DO UPDATE SET seq = GREATEST(p.seq, EXCLUDED.seq)",
            )
            .await?;
        tx.execute(&save, &[&positions.0, &positions.1]).await?;
        tx.commit().await?;
        Ok(Indexed::Left(left))
    }

    pub(crate) async fn reindex(
        &self,
        id: ConversationId,
        seqs: Vec<i64>,
        text: SearchText,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let current = tx
            .prepare_cached(&format!(
                "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = $1 AND e.seq = ANY ($2)
                 ORDER BY e.seq"
            ))
            .await?;
        let entries = tx
            .query(&current, &[&id.as_i64(), &seqs])
            .await?
            .iter()
            .map(|row| rows::entry(row, 0, &self.keys))
            .collect::<Result<Vec<_>, _>>()?;
        tx.execute(
            "DELETE FROM search_entries s WHERE s.conversation_id = $1 AND s.seq = ANY ($2)
                 AND NOT EXISTS (SELECT FROM entries e
                     WHERE e.conversation_id = s.conversation_id AND e.seq = s.seq)",
            &[&id.as_i64(), &seqs],
        )
        .await?;
        // Rows without words stay for entries that have none now, so that an indexing under way adds nothing.
        let rows = Rows::all(entries.iter(), text);
        rows.insert(&tx, "DO UPDATE SET words = EXCLUDED.words").await?;
        Ok(tx.commit().await?)
    }

    /// Removes a piece of the index; whether there is more of it.
    pub(crate) async fn erase_index(&self) -> Result<bool, StoreError> {
        let client = self.client().await?;
        // The positions first: with them gone, indexing would begin anew.
        for statement in [
            "DELETE FROM search_positions WHERE conversation_id IN (
                 SELECT conversation_id FROM search_positions ORDER BY conversation_id LIMIT $1)",
            "DELETE FROM search_entries WHERE (conversation_id, seq) IN (
                 SELECT conversation_id, seq FROM search_entries
                 ORDER BY conversation_id, seq LIMIT $1)",
        ] {
            if client.execute(statement, &[&ERASED]).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

async fn search(
    client: &Object,
    keys: &BodyKeys,
    query: &str,
    slice: Slice,
) -> Result<Vec<EntryRow>, StoreError> {
    // The words come first whatever the planner thinks of them: the fence keeps it from reading a whole
    // conversation, or the index in the order of time, for a word that is rarer than it believes.
    let statement = client
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM (
                 SELECT w.conversation_id, w.seq, w.created_at FROM (
                     SELECT s.conversation_id, s.seq, s.created_at FROM search_entries s
                     WHERE s.words @@ $2::text::tsquery OFFSET 0
                 ) w JOIN members m ON m.conversation_id = w.conversation_id AND m.user_id = $1
                 WHERE ($3::int8 IS NULL OR w.conversation_id = $3)
                     AND (w.created_at, w.conversation_id, w.seq) < ($4, $5, $6)
                     AND (SELECT h.seq FROM hidden h WHERE h.user_id = $1
                          AND h.conversation_id = w.conversation_id AND h.seq = w.seq) IS NULL
                 ORDER BY w.created_at DESC, w.conversation_id DESC, w.seq DESC LIMIT $7
             ) p JOIN entries e ON e.conversation_id = p.conversation_id AND e.seq = p.seq
             ORDER BY p.created_at DESC, p.conversation_id DESC, p.seq DESC LIMIT $7"
        ))
        .await?;
    let only = slice.only.map(ConversationId::as_i64);
    let before = slice.before();
    let user = slice.user.as_i64();
    let mut found = client
        .query(&statement, &[&user, &query, &only, &before.0, &before.1, &before.2, &slice.limit])
        .await?
        .iter()
        .map(|row| rows::entry(row, 0, keys))
        .collect::<Result<Vec<_>, _>>()?;
    mark(client, Some(slice.user), &mut found).await?;
    Ok(found)
}

/// Rows of the index, as columns.
struct Rows {
    conversations: Vec<i64>,
    seqs: Vec<i64>,
    times: Vec<i64>,
    words: Vec<String>,
}

impl Rows {
    /// Those that have words.
    fn of<'a>(entries: impl Iterator<Item = &'a EntryRow>, text: SearchText) -> Self {
        let mut rows = Self::all(entries, text);
        let wordless: Vec<bool> = rows.words.iter().map(String::is_empty).collect();
        let keep = |column: &mut Vec<i64>| {
            let mut gone = wordless.iter();
            column.retain(|_| gone.next() == Some(&false));
        };
        keep(&mut rows.conversations);
        keep(&mut rows.seqs);
        keep(&mut rows.times);
        rows.words.retain(|words| !words.is_empty());
        rows
    }

    fn all<'a>(entries: impl Iterator<Item = &'a EntryRow>, text: SearchText) -> Self {
        let mut rows = Self { conversations: vec![], seqs: vec![], times: vec![], words: vec![] };
        for entry in entries {
            rows.conversations.push(entry.conversation_id.as_i64());
            rows.seqs.push(rows::position(entry.seq));
            rows.times.push(entry.created_at);
            let words = text(&entry.body).map(|text| search::tsvector(&text));
            rows.words.push(words.unwrap_or_default());
        }
        rows
    }

    async fn insert(&self, tx: &Transaction<'_>, conflict: &str) -> Result<(), StoreError> {
        let statement = tx
            .prepare_cached(&format!(
                "INSERT INTO search_entries (conversation_id, seq, created_at, words)
                 SELECT u.c, u.s, u.t, u.w::tsvector
                 FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::text[]) AS u (c, s, t, w)
                 ORDER BY u.c, u.s ON CONFLICT (conversation_id, seq) {conflict}"
            ))
            .await?;
        let columns: [&(dyn ToSql + Sync); 4] =
            [&self.conversations, &self.seqs, &self.times, &self.words];
        tx.execute(&statement, &columns).await?;
        Ok(())
    }
}
