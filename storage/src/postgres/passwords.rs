//! Passwords. The lock of the user orders everything that changes passwords and logins of that user.

use deadpool_postgres::{GenericClient, Transaction};
use ringwire_protocol::{UnixMs, UserId};

use super::PostgresStore;
use super::hold::lock_user;
use super::retention::CLOCK;
use super::rows;
use crate::error::StoreError;
use crate::passwords::{ENDED_TOLD, KEPT_RESETS, PasswordReset};
use crate::refresh::{EXPIRED_PAGE, FamilyId, TokenHash};

impl PostgresStore {
    pub(crate) async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("SELECT password_hash FROM credentials WHERE user_id = $1")
            .await?;
        let row = client.query_opt(&statement, &[&user.as_i64()]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    pub(crate) async fn set_password(
        &self,
        user: UserId,
        hash: String,
        keep: Option<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        match lock_user(&tx, user).await {
            Err(StoreError::NoSuchUser) => return Ok(None),
            locked => locked?,
        }
        put(&tx, user, &hash, now_ms).await?;
        let ended = end_logins(&tx, user, keep, now_ms).await?;
        tx.commit().await?;
        Ok(Some(ended))
    }

    pub(crate) async fn create_password_reset(
        &self,
        user: UserId,
        token: TokenHash,
        expires_at: UnixMs,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        match lock_user(&tx, user).await {
            Err(StoreError::NoSuchUser) => return Ok(false),
            locked => locked?,
        }
        let statement = tx
            .prepare_cached(
                "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (token_hash) DO NOTHING",
            )
            .await?;
        tx.execute(&statement, &[&token.as_slice(), &user.as_i64(), &now_ms, &expires_at]).await?;
        let statement = tx
            .prepare_cached(
                "DELETE FROM password_resets WHERE token_hash IN (
                     SELECT token_hash FROM password_resets WHERE user_id = $1
                     ORDER BY created_at DESC, token_hash OFFSET $2)",
            )
            .await?;
        tx.execute(&statement, &[&user.as_i64(), &KEPT_RESETS]).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(crate) async fn password_reset(
        &self,
        token: TokenHash,
        now_ms: UnixMs,
    ) -> Result<Option<UserId>, StoreError> {
        find(&self.client().await?, &token, now_ms).await
    }

    pub(crate) async fn use_password_reset(
        &self,
        token: TokenHash,
        hash: String,
        now_ms: UnixMs,
    ) -> Result<PasswordReset, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let Some(user) = find(&tx, &token, now_ms).await? else {
            return Ok(PasswordReset::Invalid);
        };
        match lock_user(&tx, user).await {
            Err(StoreError::NoSuchUser) => return Ok(PasswordReset::Invalid),
            locked => locked?,
        }
        // Only now nobody else uses it.
        if find(&tx, &token, now_ms).await?.is_none() {
            return Ok(PasswordReset::Invalid);
        }
        put(&tx, user, &hash, now_ms).await?;
        end_logins(&tx, user, None, now_ms).await?;
        tx.commit().await?;
        Ok(PasswordReset::Done(user))
    }

    pub(crate) async fn user_by_login(&self, key: String) -> Result<Option<UserId>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT u.id FROM users u
                 WHERE (u.username_key = $1 OR u.email_key = $1) AND u.deleted_at = 0
                 ORDER BY u.username_key = $1 DESC LIMIT 1",
            )
            .await?;
        let row = client.query_opt(&statement, &[&key]).await?;
        row.map(|row| rows::user_id(&row, 0)).transpose()
    }
}

async fn find(
    client: &impl GenericClient,
    token: &TokenHash,
    now_ms: UnixMs,
) -> Result<Option<UserId>, StoreError> {
    let statement = client
        .prepare_cached(
            "SELECT user_id FROM password_resets
             WHERE token_hash = $1 AND used_at = 0 AND expires_at > $2",
        )
        .await?;
    let row = client.query_opt(&statement, &[&token.as_slice(), &now_ms]).await?;
    row.map(|row| rows::user_id(&row, 0)).transpose()
}

/// A new password, with which every token is void.
async fn put(
    tx: &Transaction<'_>,
    user: UserId,
    hash: &str,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached(
            "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET
                 password_hash = EXCLUDED.password_hash, changed_at = EXCLUDED.changed_at",
        )
        .await?;
    tx.execute(&statement, &[&user.as_i64(), &hash, &now_ms]).await?;
    let statement = tx
        .prepare_cached(
            "UPDATE password_resets SET used_at = $2 WHERE user_id = $1 AND used_at = 0",
        )
        .await?;
    tx.execute(&statement, &[&user.as_i64(), &now_ms.max(1)]).await?;
    Ok(())
}

/// Ends the logins of a user but one; some of those that ended.
async fn end_logins(
    tx: &Transaction<'_>,
    user: UserId,
    keep: Option<FamilyId>,
    now_ms: UnixMs,
) -> Result<Vec<FamilyId>, StoreError> {
    // No login has an empty name.
    let keep = keep.map_or_else(Vec::new, |family| family.to_vec());
    let statement = tx
        .prepare_cached(
            "SELECT DISTINCT family_id FROM refresh_tokens
             WHERE user_id = $1 AND revoked_at = 0 AND family_id <> $2 LIMIT $3",
        )
        .await?;
    let ended = tx.query(&statement, &[&user.as_i64(), &keep, &ENDED_TOLD]).await?;
    let ended = ended.iter().map(|row| rows::family_id(row, 0)).collect::<Result<_, _>>()?;
    let statement = tx
        .prepare_cached(
            "UPDATE refresh_tokens SET revoked_at = $3
             WHERE user_id = $1 AND revoked_at = 0 AND family_id <> $2",
        )
        .await?;
    tx.execute(&statement, &[&user.as_i64(), &keep, &now_ms.max(1)]).await?;
    Ok(ended)
}

/// Removes some that have expired; how many.
pub(super) async fn expire_resets(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let statement = tx
        .prepare_cached(&format!(
            "DELETE FROM password_resets WHERE token_hash IN (
                 SELECT token_hash FROM password_resets WHERE expires_at <= (SELECT {CLOCK})
                 ORDER BY expires_at LIMIT $1)"
        ))
        .await?;
    Ok(tx.execute(&statement, &[&EXPIRED_PAGE]).await?)
}
