//! Aliases.

use ringwire_protocol::{ConversationId, UnixMs};
use tokio_postgres::Row;

use super::PostgresStore;
use super::rows;
use crate::aliases::{AliasClaim, AliasRow};
use crate::error::StoreError;
use crate::store::name_key;

impl PostgresStore {
    pub(crate) async fn claim_alias(
        &self,
        name: String,
        id: ConversationId,
        now_ms: UnixMs,
    ) -> Result<AliasClaim, StoreError> {
        let key = name_key(&name);
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let statement = tx
            .prepare_cached(
                "INSERT INTO aliases AS a (name_key, name, conversation_id, created_at)
                 SELECT $1, $2, id, $4 FROM conversations WHERE id = $3 AND deleted_at = 0
                 ON CONFLICT (name_key) DO UPDATE SET name = EXCLUDED.name
                 WHERE a.conversation_id = EXCLUDED.conversation_id",
            )
            .await?;
        if tx.execute(&statement, &[&key, &name, &id.as_i64(), &now_ms]).await? > 0 {
            tx.commit().await?;
            return Ok(AliasClaim::Claimed);
        }
        // A row that was in the way is locked until the end of this transaction: it is still there.
        let statement =
            tx.prepare_cached("SELECT conversation_id FROM aliases WHERE name_key = $1").await?;
        let row = tx.query_opt(&statement, &[&key]).await?;
        Ok(match row {
            Some(row) => AliasClaim::TakenBy(rows::conversation_id(&row, 0)?),
            None => AliasClaim::NoSuchConversation,
        })
    }

    pub(crate) async fn resolve_alias(&self, name: &str) -> Result<Option<AliasRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT name, conversation_id, created_at FROM aliases WHERE name_key = $1",
            )
            .await?;
        let row = client.query_opt(&statement, &[&name_key(name)]).await?;
        row.as_ref().map(alias).transpose()
    }

    pub(crate) async fn release_alias(
        &self,
        name: &str,
        id: ConversationId,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("DELETE FROM aliases WHERE name_key = $1 AND conversation_id = $2")
            .await?;
        Ok(client.execute(&statement, &[&name_key(name), &id.as_i64()]).await? > 0)
    }

    pub(crate) async fn aliases(
        &self,
        id: ConversationId,
        limit: u32,
    ) -> Result<Vec<AliasRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT name, conversation_id, created_at FROM aliases WHERE conversation_id = $1
                 ORDER BY name_key LIMIT $2",
            )
            .await?;
        let rows = client.query(&statement, &[&id.as_i64(), &i64::from(limit)]).await?;
        rows.iter().map(alias).collect()
    }
}

fn alias(row: &Row) -> Result<AliasRow, StoreError> {
    Ok(AliasRow {
        name: row.try_get(0)?,
        conversation_id: rows::conversation_id(row, 1)?,
        created_at: row.try_get(2)?,
    })
}
