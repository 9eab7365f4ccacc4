//! Refresh tokens.

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::SqliteStore;
use super::devices::see;
use super::hold::require_user;
use super::passwords::expire_resets;
use super::retention::CLOCK;
use super::rows;
use crate::devices::SeenDevice;
use crate::error::StoreError;
use crate::refresh::{
    EXPIRED_PAGE, FamilyId, Login, NewRefreshToken, NextToken, Rotation, Token, TokenHash,
};

impl SqliteStore {
    pub(crate) async fn create_refresh_token(
        &self,
        token: NewRefreshToken,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let Login { user_id, device_id, .. } = &token.login;
            require_user(tx, user_id.as_i64())?;
            if !device_id.is_empty() {
                let device = SeenDevice::named(device_id.clone());
                see(tx, *user_id, &device, max_devices, now_ms)?;
            }
            insert(tx, &token.token_hash, &token.login, token.expires_at, now_ms)
        })
        .await
    }

    pub(crate) async fn rotate_refresh_token(
        &self,
        used: TokenHash,
        next: NextToken,
        now_ms: UnixMs,
    ) -> Result<Rotation, StoreError> {
        self.write(move |tx| {
            let Some(token) = find(tx, &used)? else { return Ok(Rotation::Unknown) };
            let known = find(tx, &next.token_hash)?;
            let rotation = token.judge(known.as_ref(), now_ms);
            match &rotation {
                Rotation::Rotated(login) => {
                    tx.prepare_cached(
                        "UPDATE refresh_tokens SET used_at = ?2 WHERE token_hash = ?1",
                    )?
                    .execute((used, now_ms.max(1)))?;
                    insert(tx, &next.token_hash, login, next.expires_at, now_ms)?;
                }
                Rotation::Reused(login) => {
                    end_family(tx, &login.family_id, now_ms)?;
                }
                _ => {}
            }
            Ok(rotation)
        })
        .await
    }

    pub(crate) async fn revoke_refresh_family(
        &self,
        family: FamilyId,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| end_family(tx, &family, now_ms)).await
    }

    pub(crate) async fn revoke_refresh_tokens(
        &self,
        user: UserId,
        device_id: Option<String>,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| match device_id {
            Some(device_id) => end_device(tx, user, &device_id, now_ms),
            None => Ok(tx
                .prepare_cached(
                    "UPDATE refresh_tokens SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at = 0",
                )?
                .execute((user.as_i64(), now_ms.max(1)))? as u64),
        })
        .await
    }

    pub(crate) async fn login_state(&self, family: FamilyId) -> Result<bool, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT 1 FROM refresh_tokens WHERE family_id = ?1 AND revoked_at = 0 LIMIT 1",
                )?
                .exists([family])?)
        })
        .await
    }

    pub(crate) async fn revoked_families(
        &self,
        since_ms: UnixMs,
        limit: u32,
    ) -> Result<Vec<(UserId, FamilyId, UnixMs)>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT user_id, family_id, revoked_at FROM refresh_tokens
                     WHERE revoked_at >= ?1 AND revoked_at > 0
                     GROUP BY revoked_at, family_id, user_id
                     ORDER BY revoked_at, family_id LIMIT ?2",
                )?
                .query_map((since_ms, limit), |row| {
                    Ok((rows::user_id(row, 0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn expire_tokens(&self) -> Result<bool, StoreError> {
        self.write(|tx| {
            let removed = tx
                .prepare_cached(&format!(
                    "DELETE FROM refresh_tokens WHERE token_hash IN (
                         SELECT token_hash FROM refresh_tokens WHERE expires_at <= {CLOCK}
                         ORDER BY expires_at LIMIT ?1)"
                ))?
                .execute([EXPIRED_PAGE])?;
            let resets = expire_resets(tx)?;
            Ok(removed.max(resets) as i64 == EXPIRED_PAGE)
        })
        .await
    }
}

fn find(tx: &Transaction<'_>, hash: &TokenHash) -> Result<Option<Token>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT user_id, family_id, device_id, expires_at, used_at, revoked_at
             FROM refresh_tokens WHERE token_hash = ?1",
        )?
        .query_row([hash], token)
        .optional()?)
}

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        login: Login {
            user_id: rows::user_id(row, 0)?,
            family_id: row.get(1)?,
            device_id: row.get(2)?,
        },
        expires_at: row.get(3)?,
        used_at: row.get(4)?,
        revoked_at: row.get(5)?,
    })
}

/// Again is once: the answer to the first try may have been lost.
fn insert(
    tx: &Transaction<'_>,
    hash: &TokenHash,
    login: &Login,
    expires_at: UnixMs,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO refresh_tokens
             (token_hash, family_id, user_id, device_id, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (token_hash) DO NOTHING",
    )?
    .execute((
        hash,
        login.family_id,
        login.user_id.as_i64(),
        &login.device_id,
        now_ms,
        expires_at,
    ))?;
    Ok(())
}

/// Ends one login.
pub(super) fn end_family(
    tx: &Transaction<'_>,
    family: &FamilyId,
    now_ms: UnixMs,
) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(
            "UPDATE refresh_tokens SET revoked_at = ?2 WHERE family_id = ?1 AND revoked_at = 0",
        )?
        .execute((family, now_ms.max(1)))? as u64)
}

/// Ends the logins of one device.
pub(super) fn end_device(
    tx: &Transaction<'_>,
    user: UserId,
    device_id: &str,
    now_ms: UnixMs,
) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(
            "UPDATE refresh_tokens SET revoked_at = ?3
             WHERE user_id = ?1 AND device_id = ?2 AND revoked_at = 0",
        )?
        .execute((user.as_i64(), device_id, now_ms.max(1)))? as u64)
}
