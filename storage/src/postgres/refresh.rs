//! Refresh tokens. The lock of the user orders everything that changes tokens of that user.

use deadpool_postgres::Transaction;
use ringwire_protocol::{UnixMs, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::devices::see;
use super::hold::{hold_users, lock_user};
use super::passwords::expire_resets;
use super::retention::CLOCK;
use super::rows;
use crate::devices::SeenDevice;
use crate::error::StoreError;
use crate::refresh::{
    EXPIRED_PAGE, FamilyId, Login, NewRefreshToken, NextToken, Rotation, Token, TokenHash,
};

/// The advisory lock of the node that removes expired tokens ("refr" in ASCII).
const LOCK: i64 = 0x7265_6672;

impl PostgresStore {
    pub(crate) async fn create_refresh_token(
        &self,
        token: NewRefreshToken,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        let Login { user_id, device_id, .. } = &token.login;
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        if device_id.is_empty() {
            hold_users(&tx, &[user_id.as_i64()]).await?;
        } else {
            lock_user(&tx, *user_id).await?;
            let device = SeenDevice::named(device_id.clone());
            see(&tx, *user_id, &device, max_devices, now_ms).await?;
        }
        insert(&tx, &token.token_hash, &token.login, token.expires_at, now_ms).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn rotate_refresh_token(
        &self,
        used: TokenHash,
        next: NextToken,
        now_ms: UnixMs,
    ) -> Result<Rotation, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let Some(found) = find(&tx, &used).await? else { return Ok(Rotation::Unknown) };
        match lock_user(&tx, found.login.user_id).await {
            Err(StoreError::NoSuchUser) => return Ok(Rotation::Unknown),
            locked => locked?,
        }
        // Only now nobody else changes it.
        let Some(token) = find(&tx, &used).await? else { return Ok(Rotation::Unknown) };
        let known = find(&tx, &next.token_hash).await?;
        let rotation = token.judge(known.as_ref(), now_ms);
        match &rotation {
            Rotation::Rotated(login) => {
                let statement = tx
                    .prepare_cached("UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1")
                    .await?;
                tx.execute(&statement, &[&used.as_slice(), &now_ms.max(1)]).await?;
                insert(&tx, &next.token_hash, login, next.expires_at, now_ms).await?;
            }
            Rotation::Reused(login) => {
                end_family(&tx, &login.family_id, now_ms).await?;
            }
            _ => return Ok(rotation),
        }
        tx.commit().await?;
        Ok(rotation)
    }

    pub(crate) async fn revoke_refresh_family(
        &self,
        family: FamilyId,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let statement = tx
            .prepare_cached("SELECT user_id FROM refresh_tokens WHERE family_id = $1 LIMIT 1")
            .await?;
        let Some(row) = tx.query_opt(&statement, &[&family.as_slice()]).await? else {
            return Ok(0);
        };
        match lock_user(&tx, rows::user_id(&row, 0)?).await {
            // Its tokens are gone.
            Err(StoreError::NoSuchUser) => return Ok(0),
            locked => locked?,
        }
        let revoked = end_family(&tx, &family, now_ms).await?;
        tx.commit().await?;
        Ok(revoked)
    }

    pub(crate) async fn revoke_refresh_tokens(
        &self,
        user: UserId,
        device_id: Option<String>,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        match lock_user(&tx, user).await {
            // A deleted user has none.
            Err(StoreError::NoSuchUser) => return Ok(0),
            locked => locked?,
        }
        let revoked = if let Some(device_id) = device_id {
            end_device(&tx, user, &device_id, now_ms).await?
        } else {
            let statement = tx
                .prepare_cached(
                    "UPDATE refresh_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at = 0",
                )
                .await?;
            tx.execute(&statement, &[&user.as_i64(), &now_ms.max(1)]).await?
        };
        tx.commit().await?;
        Ok(revoked)
    }

    pub(crate) async fn login_state(&self, family: FamilyId) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT FROM refresh_tokens WHERE family_id = $1 AND revoked_at = 0 LIMIT 1",
            )
            .await?;
        Ok(client.query_opt(&statement, &[&family.as_slice()]).await?.is_some())
    }

    pub(crate) async fn revoked_families(
        &self,
        since_ms: UnixMs,
        limit: u32,
    ) -> Result<Vec<(UserId, FamilyId, UnixMs)>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT user_id, family_id, revoked_at FROM refresh_tokens
                 WHERE revoked_at >= $1 AND revoked_at > 0
                 GROUP BY revoked_at, family_id, user_id
                 ORDER BY revoked_at, family_id LIMIT $2",
            )
            .await?;
        let found = client.query(&statement, &[&since_ms, &i64::from(limit)]).await?;
        found
            .iter()
            .map(|row| Ok((rows::user_id(row, 0)?, rows::family_id(row, 1)?, row.try_get(2)?)))
            .collect()
    }

    pub(crate) async fn expire_tokens(&self) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let alone = tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK]).await?;
        if !alone.try_get::<_, bool>(0)? {
            return Ok(false);
        }
        let statement = tx
            .prepare_cached(&format!(
                "DELETE FROM refresh_tokens WHERE token_hash IN (
                     SELECT token_hash FROM refresh_tokens WHERE expires_at <= (SELECT {CLOCK})
                     ORDER BY expires_at LIMIT $1)"
            ))
            .await?;
        let removed = tx.execute(&statement, &[&EXPIRED_PAGE]).await?;
        let resets = expire_resets(&tx).await?;
        tx.commit().await?;
        Ok(removed.max(resets) == EXPIRED_PAGE.unsigned_abs())
    }
}

async fn find(tx: &Transaction<'_>, hash: &TokenHash) -> Result<Option<Token>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT user_id, family_id, device_id, expires_at, used_at, revoked_at
             FROM refresh_tokens WHERE token_hash = $1",
        )
        .await?;
    let row = tx.query_opt(&statement, &[&hash.as_slice()]).await?;
    row.as_ref().map(token).transpose()
}

fn token(row: &Row) -> Result<Token, StoreError> {
    let login = Login {
        user_id: rows::user_id(row, 0)?,
        family_id: rows::family_id(row, 1)?,
        device_id: row.try_get(2)?,
    };
    Ok(Token {
        login,
        expires_at: row.try_get(3)?,
        used_at: row.try_get(4)?,
        revoked_at: row.try_get(5)?,
    })
}

/// Again is once: the answer to the first try may have been lost.
async fn insert(
    tx: &Transaction<'_>,
    hash: &TokenHash,
    login: &Login,
    expires_at: UnixMs,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached(
            "INSERT INTO refresh_tokens
                 (token_hash, family_id, user_id, device_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token_hash) DO NOTHING",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &hash.as_slice(),
            &login.family_id.as_slice(),
            &login.user_id.as_i64(),
            &login.device_id,
            &now_ms,
            &expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Ends one login; the caller has locked its user.
pub(super) async fn end_family(
    tx: &Transaction<'_>,
    family: &FamilyId,
    now_ms: UnixMs,
) -> Result<u64, StoreError> {
    let statement = tx
        .prepare_cached(
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE family_id = $1 AND revoked_at = 0",
        )
        .await?;
    Ok(tx.execute(&statement, &[&family.as_slice(), &now_ms.max(1)]).await?)
}

/// Ends the logins of one device; the caller has locked the user.
pub(super) async fn end_device(
    tx: &Transaction<'_>,
    user: UserId,
    device_id: &str,
    now_ms: UnixMs,
) -> Result<u64, StoreError> {
    let statement = tx
        .prepare_cached(
            "UPDATE refresh_tokens SET revoked_at = $3
             WHERE user_id = $1 AND device_id = $2 AND revoked_at = 0",
        )
        .await?;
    Ok(tx.execute(&statement, &[&user.as_i64(), &device_id, &now_ms.max(1)]).await?)
}
