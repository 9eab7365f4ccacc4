//! Operators and their logins.

use ringwire_protocol::UnixMs;
use rusqlite::{OptionalExtension as _, Row};

use super::SqliteStore;
use crate::error::StoreError;
use crate::operators::{OperatorId, OperatorRole, OperatorRow};

/// What [`operator`] reads, of table `o`.
const OPERATOR: &str = "o.id, o.name, o.role, o.created_at, o.disabled_at";
/// How many columns that is.
const OPERATOR_WIDTH: usize = 5;

type Columns = (OperatorId, String, i16, UnixMs, UnixMs);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn operator((id, name, role, created_at, disabled_at): Columns) -> Result<OperatorRow, StoreError> {
    let role = OperatorRole::from_number(role)?;
    Ok(OperatorRow { id, name, role, created_at, disabled_at })
}

impl SqliteStore {
    pub(crate) async fn create_operator(
        &self,
        name: String,
        key: String,
        password_hash: String,
        role: OperatorRole,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let made = tx
                .prepare_cached(
                    "INSERT INTO operators (name, name_key, password_hash, role, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name_key) DO NOTHING",
                )?
                .execute((&name, &key, &password_hash, role.number(), now_ms))?;
            Ok(made > 0)
        })
        .await
    }

    pub(crate) async fn operators(&self) -> Result<Vec<OperatorRow>, StoreError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT {OPERATOR} FROM operators o ORDER BY o.name_key LIMIT 1000"
            ))?;
            let rows: Vec<Columns> = statement.query_map([], columns)?.collect::<Result<_, _>>()?;
            rows.into_iter().map(operator).collect()
        })
        .await
    }

    pub(crate) async fn has_operators(&self) -> Result<bool, StoreError> {
        self.read(|tx| {
            Ok(tx
                .prepare_cached("SELECT 1 FROM operators WHERE disabled_at = 0 LIMIT 1")?
                .exists([])?)
        })
        .await
    }

    pub(crate) async fn operator_credentials(
        &self,
        key: String,
    ) -> Result<Option<(OperatorRow, String)>, StoreError> {
        self.read(move |tx| {
            let found = tx
                .prepare_cached(&format!(
                    "SELECT {OPERATOR}, o.password_hash FROM operators o
                     WHERE o.name_key = ?1 AND o.disabled_at = 0"
                ))?
                .query_row([&key], |row| Ok((columns(row)?, row.get(OPERATOR_WIDTH)?)))
                .optional()?;
            found.map(|(columns, hash)| Ok((operator(columns)?, hash))).transpose()
        })
        .await
    }

    pub(crate) async fn disable_operator(
        &self,
        key: String,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            end_logins(tx, &key)?;
            let found = tx
                .prepare_cached("UPDATE operators SET disabled_at = ?2 WHERE name_key = ?1")?
                .execute((&key, now_ms))?;
            Ok(found > 0)
        })
        .await
    }

    pub(crate) async fn reset_operator(
        &self,
        key: String,
        password_hash: String,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            end_logins(tx, &key)?;
            let found = tx
                .prepare_cached(
                    "UPDATE operators SET password_hash = ?2, disabled_at = 0 WHERE name_key = ?1",
                )?
                .execute((&key, &password_hash))?;
            Ok(found > 0)
        })
        .await
    }

    pub(crate) async fn begin_operator_login(
        &self,
        id: OperatorId,
        token_hash: [u8; 32],
        now_ms: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("DELETE FROM operator_tokens WHERE expires_at <= ?1")?
                .execute([now_ms])?;
            tx.prepare_cached(
                "INSERT INTO operator_tokens (token_hash, operator_id, expires_at)
                 VALUES (?1, ?2, ?3)",
            )?
            .execute((token_hash, id, expires_at))?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn operator_by_token(
        &self,
        token_hash: [u8; 32],
        now_ms: UnixMs,
    ) -> Result<Option<OperatorRow>, StoreError> {
        self.read(move |tx| {
            let found = tx
                .prepare_cached(&format!(
                    "SELECT {OPERATOR} FROM operator_tokens t CROSS JOIN operators o
                     WHERE o.id = t.operator_id AND t.token_hash = ?1 AND t.expires_at > ?2 AND o.disabled_at = 0"
                ))?
                .query_row((token_hash, now_ms), columns)
                .optional()?;
            found.map(operator).transpose()
        })
        .await
    }

    pub(crate) async fn end_operator_login(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached("DELETE FROM operator_tokens WHERE token_hash = ?1")?
                .execute([token_hash])?;
            Ok(())
        })
        .await
    }
}

fn end_logins(tx: &rusqlite::Transaction<'_>, key: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM operator_tokens WHERE operator_id IN
             (SELECT o.id FROM operators o WHERE o.name_key = ?1)",
    )?
    .execute([key])?;
    Ok(())
}
