//! Blocks.

use ringwire_protocol::{ConversationId, UnixMs, UserId};
use rusqlite::OptionalExtension as _;

use super::SqliteStore;
use super::hold::require_user;
use super::rows::{self, json_list};
use crate::blocks::BlockRow;
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn add_block(
        &self,
        user: UserId,
        blocked: UserId,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            require_user(tx, user.as_i64())?;
            require_user(tx, blocked.as_i64())?;
            let added = tx
                .prepare_cached(
                    "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (user_id, blocked_id) DO NOTHING",
                )?
                .execute((user.as_i64(), blocked.as_i64(), now_ms))?;
            Ok(added > 0)
        })
        .await
    }

    pub(crate) async fn remove_block(
        &self,
        user: UserId,
        blocked: UserId,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let removed = tx
                .prepare_cached("DELETE FROM blocks WHERE user_id = ?1 AND blocked_id = ?2")?
                .execute((user.as_i64(), blocked.as_i64()))?;
            Ok(removed > 0)
        })
        .await
    }

    pub(crate) async fn blocks_page(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<BlockRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT blocked_id, created_at FROM blocks WHERE user_id = ?1 AND blocked_id > ?2
                     ORDER BY blocked_id LIMIT ?3",
                )?
                .query_map((user.as_i64(), after, limit), |row| {
                    Ok(BlockRow { blocked_id: rows::user_id(row, 0)?, created_at: row.get(1)? })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn direct_between(
        &self,
        low: UserId,
        high: UserId,
    ) -> Result<Option<ConversationId>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT id FROM conversations WHERE low_user_id = ?1 AND high_user_id = ?2",
                )?
                .query_row((low.as_i64(), high.as_i64()), |row| rows::conversation_id(row, 0))
                .optional()?)
        })
        .await
    }

    pub(crate) async fn blocked_either_way(
        &self,
        user: UserId,
        others: Vec<i64>,
    ) -> Result<Vec<UserId>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT blocked_id FROM blocks
                     WHERE user_id = ?1 AND blocked_id IN (SELECT value FROM json_each(?2))
                     UNION SELECT user_id FROM blocks
                     WHERE user_id IN (SELECT value FROM json_each(?2)) AND blocked_id = ?1
                     ORDER BY 1",
                )?
                .query_map((user.as_i64(), json_list(others.into_iter())), |row| {
                    rows::user_id(row, 0)
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}
