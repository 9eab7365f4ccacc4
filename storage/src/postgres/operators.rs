//! Operators and their logins.

use deadpool_postgres::GenericClient;
use ringwire_protocol::UnixMs;
use tokio_postgres::Row;

use super::PostgresStore;
use crate::error::StoreError;
use crate::operators::{OperatorId, OperatorRole, OperatorRow};

/// What [`operator`] reads, of table `o`.
const OPERATOR: &str = "o.id, o.name, o.role, o.created_at, o.disabled_at";
/// How many columns that is.
const OPERATOR_WIDTH: usize = 5;

fn operator(row: &Row) -> Result<OperatorRow, StoreError> {
    Ok(OperatorRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        role: OperatorRole::from_number(row.try_get(2)?)?,
        created_at: row.try_get(3)?,
        disabled_at: row.try_get(4)?,
    })
}

impl PostgresStore {
    pub(crate) async fn create_operator(
        &self,
        name: String,
        key: String,
        password_hash: String,
        role: OperatorRole,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "INSERT INTO operators (name, name_key, password_hash, role, created_at)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name_key) DO NOTHING",
            )
            .await?;
        let made = client
            .execute(&statement, &[&name, &key, &password_hash, &role.number(), &now_ms])
            .await?;
        Ok(made > 0)
    }

    pub(crate) async fn operators(&self) -> Result<Vec<OperatorRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {OPERATOR} FROM operators o ORDER BY o.name_key LIMIT 1000"
            ))
            .await?;
        client.query(&statement, &[]).await?.iter().map(operator).collect()
    }

    pub(crate) async fn has_operators(&self) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement =
            client.prepare_cached("SELECT 1 FROM operators WHERE disabled_at = 0 LIMIT 1").await?;
        Ok(client.query_opt(&statement, &[]).await?.is_some())
    }

    pub(crate) async fn operator_credentials(
        &self,
        key: String,
    ) -> Result<Option<(OperatorRow, String)>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {OPERATOR}, o.password_hash FROM operators o
                 WHERE o.name_key = $1 AND o.disabled_at = 0"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&key]).await?;
        row.map(|row| Ok((operator(&row)?, row.try_get(OPERATOR_WIDTH)?))).transpose()
    }

    pub(crate) async fn disable_operator(
        &self,
        key: String,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        end_logins(&tx, &key).await?;
        let statement =
            tx.prepare_cached("UPDATE operators SET disabled_at = $2 WHERE name_key = $1").await?;
        let found = tx.execute(&statement, &[&key, &now_ms]).await?;
        tx.commit().await?;
        Ok(found > 0)
    }

    pub(crate) async fn reset_operator(
        &self,
        key: String,
        password_hash: String,
    ) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        end_logins(&tx, &key).await?;
        let statement = tx
            .prepare_cached(
                "UPDATE operators SET password_hash = $2, disabled_at = 0 WHERE name_key = $1",
            )
            .await?;
        let found = tx.execute(&statement, &[&key, &password_hash]).await?;
        tx.commit().await?;
        Ok(found > 0)
    }

    pub(crate) async fn begin_operator_login(
        &self,
        id: OperatorId,
        token_hash: [u8; 32],
        now_ms: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let statement =
            tx.prepare_cached("DELETE FROM operator_tokens WHERE expires_at <= $1").await?;
        tx.execute(&statement, &[&now_ms]).await?;
        let statement = tx
            .prepare_cached(
                "INSERT INTO operator_tokens (token_hash, operator_id, expires_at)
                 VALUES ($1, $2, $3)",
            )
            .await?;
        tx.execute(&statement, &[&token_hash.as_slice(), &id, &expires_at]).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn operator_by_token(
        &self,
        token_hash: [u8; 32],
        now_ms: UnixMs,
    ) -> Result<Option<OperatorRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {OPERATOR} FROM operator_tokens t JOIN operators o ON o.id = t.operator_id
                 WHERE t.token_hash = $1 AND t.expires_at > $2 AND o.disabled_at = 0"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&token_hash.as_slice(), &now_ms]).await?;
        row.as_ref().map(operator).transpose()
    }

    pub(crate) async fn end_operator_login(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        let client = self.client().await?;
        let statement =
            client.prepare_cached("DELETE FROM operator_tokens WHERE token_hash = $1").await?;
        client.execute(&statement, &[&token_hash.as_slice()]).await?;
        Ok(())
    }
}

async fn end_logins(client: &impl GenericClient, key: &str) -> Result<(), StoreError> {
    let statement = client
        .prepare_cached(
            "DELETE FROM operator_tokens WHERE operator_id IN
                 (SELECT o.id FROM operators o WHERE o.name_key = $1)",
        )
        .await?;
    client.execute(&statement, &[&key]).await?;
    Ok(())
}
