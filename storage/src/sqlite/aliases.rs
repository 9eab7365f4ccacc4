//! Aliases.

use ringwire_protocol::{ConversationId, UnixMs};
use rusqlite::{OptionalExtension as _, Row};

use super::SqliteStore;
use super::rows;
use crate::aliases::{AliasClaim, AliasRow};
use crate::error::StoreError;
use crate::store::name_key;

impl SqliteStore {
    pub(crate) async fn claim_alias(
        &self,
        name: String,
        id: ConversationId,
        now_ms: UnixMs,
    ) -> Result<AliasClaim, StoreError> {
        let key = name_key(&name);
        self.write(move |tx| {
            let claimed = tx
                .prepare_cached(
                    "INSERT INTO aliases (name_key, name, conversation_id, created_at)
                     SELECT ?1, ?2, id, ?4 FROM conversations WHERE id = ?3 AND deleted_at = 0
                     ON CONFLICT (name_key) DO UPDATE SET name = excluded.name
                     WHERE conversation_id = excluded.conversation_id",
                )?
                .execute((&key, name, id.as_i64(), now_ms))?;
            if claimed > 0 {
                return Ok(AliasClaim::Claimed);
            }
            let owner = tx
                .prepare_cached("SELECT conversation_id FROM aliases WHERE name_key = ?1")?
                .query_row([&key], |row| rows::conversation_id(row, 0))
                .optional()?;
            Ok(owner.map_or(AliasClaim::NoSuchConversation, AliasClaim::TakenBy))
        })
        .await
    }

    pub(crate) async fn resolve_alias(&self, name: &str) -> Result<Option<AliasRow>, StoreError> {
        let key = name_key(name);
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT name, conversation_id, created_at FROM aliases WHERE name_key = ?1",
                )?
                .query_row([key], alias)
                .optional()?)
        })
        .await
    }

    pub(crate) async fn release_alias(
        &self,
        name: &str,
        id: ConversationId,
    ) -> Result<bool, StoreError> {
        let key = name_key(name);
        self.write(move |tx| {
            let released = tx
                .prepare_cached("DELETE FROM aliases WHERE name_key = ?1 AND conversation_id = ?2")?
                .execute((key, id.as_i64()))?;
            Ok(released > 0)
        })
        .await
    }

    pub(crate) async fn aliases(
        &self,
        id: ConversationId,
        limit: u32,
    ) -> Result<Vec<AliasRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT name, conversation_id, created_at FROM aliases WHERE conversation_id = ?1
                     ORDER BY name_key LIMIT ?2",
                )?
                .query_map((id.as_i64(), limit), alias)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn alias(row: &Row<'_>) -> rusqlite::Result<AliasRow> {
    Ok(AliasRow {
        name: row.get(0)?,
        conversation_id: rows::conversation_id(row, 1)?,
        created_at: row.get(2)?,
    })
}
