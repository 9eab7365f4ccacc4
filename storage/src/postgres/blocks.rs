//! Blocks.

use ringwire_protocol::{ConversationId, UnixMs, UserId};

use super::PostgresStore;
use super::conversations::find_direct;
use super::hold::hold_users;
use super::rows;
use crate::blocks::BlockRow;
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn add_block(
        &self,
        user: UserId,
        blocked: UserId,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        hold_users(&tx, &[user.as_i64(), blocked.as_i64()]).await?;
        let statement = tx
            .prepare_cached(
                "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id, blocked_id) DO NOTHING",
            )
            .await?;
        let added = tx.execute(&statement, &[&user.as_i64(), &blocked.as_i64(), &now_ms]).await?;
        tx.commit().await?;
        Ok(added > 0)
    }

    pub(crate) async fn remove_block(
        &self,
        user: UserId,
        blocked: UserId,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("DELETE FROM blocks WHERE user_id = $1 AND blocked_id = $2")
            .await?;
        Ok(client.execute(&statement, &[&user.as_i64(), &blocked.as_i64()]).await? > 0)
    }

    pub(crate) async fn blocks_page(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<BlockRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT blocked_id, created_at FROM blocks WHERE user_id = $1 AND blocked_id > $2
                 ORDER BY blocked_id LIMIT $3",
            )
            .await?;
        let rows = client.query(&statement, &[&user.as_i64(), &after, &limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(BlockRow { blocked_id: rows::user_id(row, 0)?, created_at: row.try_get(1)? })
            })
            .collect()
    }

    pub(crate) async fn direct_between(
        &self,
        low: UserId,
        high: UserId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let client = self.client().await?;
        find_direct(&client, low, high).await
    }

    pub(crate) async fn blocked_either_way(
        &self,
        user: UserId,
        others: Vec<i64>,
    ) -> Result<Vec<UserId>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT blocked_id FROM blocks WHERE user_id = $1 AND blocked_id = ANY ($2)
                 UNION SELECT user_id FROM blocks WHERE user_id = ANY ($2) AND blocked_id = $1
                 ORDER BY 1",
            )
            .await?;
        let rows = client.query(&statement, &[&user.as_i64(), &others]).await?;
        rows.iter().map(|row| rows::user_id(row, 0)).collect()
    }
}
