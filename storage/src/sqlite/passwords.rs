//! Passwords.

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::hold::require_user;
use super::retention::CLOCK;
use super::rows;
use crate::error::StoreError;
use crate::passwords::{ENDED_TOLD, KEPT_RESETS, PasswordReset};
use crate::refresh::{EXPIRED_PAGE, FamilyId, TokenHash};

impl SqliteStore {
    pub(crate) async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached("SELECT password_hash FROM credentials WHERE user_id = ?1")?
                .query_row([user.as_i64()], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    pub(crate) async fn set_password(
        &self,
        user: UserId,
        hash: String,
        keep: Option<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        self.write(move |tx| match require_user(tx, user.as_i64()) {
            Err(StoreError::NoSuchUser) => Ok(None),
            there => {
                there?;
                put(tx, user, &hash, now_ms)?;
                Ok(Some(end_logins(tx, user, keep, now_ms)?))
            }
        })
        .await
    }

    pub(crate) async fn create_password_reset(
        &self,
        user: UserId,
        token: TokenHash,
        expires_at: UnixMs,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| match require_user(tx, user.as_i64()) {
            Err(StoreError::NoSuchUser) => Ok(false),
            there => {
                there?;
                tx.prepare_cached(
                    "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (token_hash) DO NOTHING",
                )?
                .execute((token, user.as_i64(), now_ms, expires_at))?;
                tx.prepare_cached(
                    "DELETE FROM password_resets WHERE token_hash IN (
                         SELECT token_hash FROM password_resets WHERE user_id = ?1
                         ORDER BY created_at DESC, token_hash LIMIT -1 OFFSET ?2)",
                )?
                .execute((user.as_i64(), KEPT_RESETS))?;
                Ok(true)
            }
        })
        .await
    }

    pub(crate) async fn password_reset(
        &self,
        token: TokenHash,
        now_ms: UnixMs,
    ) -> Result<Option<UserId>, StoreError> {
        self.read(move |tx| find(tx, &token, now_ms)).await
    }

    pub(crate) async fn use_password_reset(
        &self,
        token: TokenHash,
        hash: String,
        now_ms: UnixMs,
    ) -> Result<PasswordReset, StoreError> {
        self.write(move |tx| {
            let Some(user) = find(tx, &token, now_ms)? else { return Ok(PasswordReset::Invalid) };
            put(tx, user, &hash, now_ms)?;
            end_logins(tx, user, None, now_ms)?;
            Ok(PasswordReset::Done(user))
        })
        .await
    }

    pub(crate) async fn user_by_login(&self, key: String) -> Result<Option<UserId>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT u.id FROM users u
                     WHERE (u.username_key = ?1 OR u.email_key = ?1) AND u.deleted_at = 0
                     ORDER BY u.username_key = ?1 DESC LIMIT 1",
                )?
                .query_row([key], |row| rows::user_id(row, 0))
                .optional()?)
        })
        .await
    }
}

fn find(
    tx: &Transaction<'_>,
    token: &TokenHash,
    now_ms: UnixMs,
) -> Result<Option<UserId>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT user_id FROM password_resets
             WHERE token_hash = ?1 AND used_at = 0 AND expires_at > ?2",
        )?
        .query_row((token, now_ms), |row| rows::user_id(row, 0))
        .optional()?)
}

/// A new password, with which every token is void.
fn put(tx: &Transaction<'_>, user: UserId, hash: &str, now_ms: UnixMs) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET
             password_hash = excluded.password_hash, changed_at = excluded.changed_at",
    )?
    .execute((user.as_i64(), hash, now_ms))?;
    tx.prepare_cached(
        "UPDATE password_resets SET used_at = ?2 WHERE user_id = ?1 AND used_at = 0",
    )?
    .execute((user.as_i64(), now_ms.max(1)))?;
    Ok(())
}

/// Ends the logins of a user but one; some of those that ended.
fn end_logins(
    tx: &Transaction<'_>,
    user: UserId,
    keep: Option<FamilyId>,
    now_ms: UnixMs,
) -> Result<Vec<FamilyId>, StoreError> {
    // No login has an empty name.
    let keep = keep.map_or_else(Vec::new, |family| family.to_vec());
    let ended = tx
        .prepare_cached(
            "SELECT DISTINCT family_id FROM refresh_tokens
             WHERE user_id = ?1 AND revoked_at = 0 AND family_id <> ?2 LIMIT ?3",
        )?
        .query_map((user.as_i64(), &keep, ENDED_TOLD), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    tx.prepare_cached(
        "UPDATE refresh_tokens SET revoked_at = ?3
         WHERE user_id = ?1 AND revoked_at = 0 AND family_id <> ?2",
    )?
    .execute((user.as_i64(), &keep, now_ms.max(1)))?;
    Ok(ended)
}

/// Removes some that have expired; how many.
pub(super) fn expire_resets(tx: &Transaction<'_>) -> Result<usize, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "DELETE FROM password_resets WHERE token_hash IN (
                 SELECT token_hash FROM password_resets WHERE expires_at <= {CLOCK}
                 ORDER BY expires_at LIMIT ?1)"
        ))?
        .execute([EXPIRED_PAGE])?)
}
