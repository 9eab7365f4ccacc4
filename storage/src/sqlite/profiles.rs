//! Profiles.

use ringwire_protocol::UserId;
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::SqliteStore;
use super::rows::{self, PROFILE, PROFILE_WIDTH, json_list};
use crate::error::StoreError;
use crate::profiles::{
    AccountChange, AccountRow, AccountUpdate, PictureChange, Prefix, ProfileRow,
};
use crate::store::name_key;

impl SqliteStore {
    pub(crate) async fn account(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        self.read(move |tx| account(tx, user)).await
    }

    pub(crate) async fn update_account(
        &self,
        user: UserId,
        change: AccountChange,
    ) -> Result<AccountUpdate, StoreError> {
        self.write(move |tx| {
            let Some(before) = account(tx, user)? else { return Ok(AccountUpdate::Unknown) };
            let old_url = before.profile.user.avatar_url.clone();
            let account = change.apply(before);
            let ProfileRow { user: row, status_text } = &account.profile;
            let (name, email) = (name_key(&row.username), account.email.as_deref().map(name_key));
            let is_taken = tx
                .prepare_cached("SELECT 1 FROM users WHERE username_key = ?1 AND id <> ?2")?
                .exists((&name, user.as_i64()))?;
            if is_taken {
                return Ok(AccountUpdate::UsernameTaken);
            }
            let is_taken = tx
                .prepare_cached("SELECT 1 FROM users WHERE email_key = ?1 AND id <> ?2")?
                .exists((&email, user.as_i64()))?;
            if is_taken {
                return Ok(AccountUpdate::EmailTaken);
            }
            if !exchange_picture(tx, user, &PictureChange::between(&old_url, &row.avatar_url))? {
                return Ok(AccountUpdate::NoSuchFile);
            }
            tx.prepare_cached(
                "UPDATE users SET username = ?2, username_key = ?3, email = ?4, email_key = ?5,
                     display_name = ?6, avatar_url = ?7, color = ?8, status_text = ?9
                 WHERE id = ?1",
            )?
            .execute((
                user.as_i64(),
                &row.username,
                name,
                &account.email,
                email,
                &row.display_name,
                &row.avatar_url,
                &row.color,
                status_text,
            ))?;
            Ok(AccountUpdate::Updated(account))
        })
        .await
    }

    pub(crate) async fn profiles(
        &self,
        viewer: UserId,
        ids: Vec<i64>,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {PROFILE} FROM users u
                     WHERE u.id IN (SELECT value FROM json_each(?2)) AND u.deleted_at = 0 ORDER BY u.id"
                ))?
                .query_map((viewer.as_i64(), json_list(ids.into_iter())), |row| {
                    rows::profile(row, 0)
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn profile_by_email(
        &self,
        viewer: UserId,
        key: String,
    ) -> Result<Option<ProfileRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {PROFILE} FROM users u WHERE u.email_key = ?2 AND NOT EXISTS (
                         SELECT 1 FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = ?1)"
                ))?
                .query_row((viewer.as_i64(), key), |row| rows::profile(row, 0))
                .optional()?)
        })
        .await
    }

    pub(crate) async fn users_by_name(
        &self,
        viewer: UserId,
        names: Prefix,
        after: String,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {PROFILE} FROM users u
                     WHERE u.username_key >= ?2 AND u.username_key < ?3 AND u.username_key > ?4
                         AND u.deleted_at = 0 AND NOT EXISTS (
                             SELECT 1 FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = ?1)
                     ORDER BY u.username_key LIMIT ?5"
                ))?
                .query_map((viewer.as_i64(), names.from, names.to, after, limit), |row| {
                    rows::profile(row, 0)
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Without those that are found by name.
    pub(crate) async fn users_by_display_name(
        &self,
        viewer: UserId,
        display: Prefix,
        names: Prefix,
        (after, after_id): (String, i64),
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {PROFILE} FROM users u
                     WHERE u.display_name <> '' AND lower(u.display_name) >= max(?2, ?6)
                         AND lower(u.display_name) < ?3
                         AND (lower(u.display_name) > ?6 OR u.id > ?7)
                         AND NOT (u.username_key >= ?4 AND u.username_key < ?5)
                         AND u.deleted_at = 0 AND NOT EXISTS (
                             SELECT 1 FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = ?1)
                     ORDER BY lower(u.display_name), u.id LIMIT ?8"
                ))?
                .query_map(
                    (
                        viewer.as_i64(),
                        display.from,
                        display.to,
                        names.from,
                        names.to,
                        after,
                        after_id,
                        limit,
                    ),
                    |row| rows::profile(row, 0),
                )?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// `false`: there is no such file of theirs, or it is in use, and nothing was changed.
fn exchange_picture(
    tx: &Transaction<'_>,
    owner: UserId,
    change: &PictureChange,
) -> rusqlite::Result<bool> {
    if let Some(file_id) = &change.comes {
        let came = tx
            .prepare_cached(
                "UPDATE attachments SET seq = 1 WHERE file_id = ?1 AND owner_id = ?2 AND seq = 0",
            )?
            .execute((file_id, owner.as_i64()))?;
        if came == 0 {
            return Ok(false);
        }
    }
    if let Some(file_id) = &change.goes {
        tx.prepare_cached(
            "UPDATE attachments SET seq = 0
             WHERE file_id = ?1 AND owner_id = ?2 AND conversation_id IS NULL AND seq > 0",
        )?
        .execute((file_id, owner.as_i64()))?;
    }
    Ok(true)
}

fn account(tx: &Transaction<'_>, user: UserId) -> Result<Option<AccountRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {PROFILE}, u.email, EXISTS (SELECT 1 FROM credentials c WHERE c.user_id = u.id)
             FROM users u WHERE u.id = ?1 AND u.deleted_at = 0"
        ))?
        .query_row([user.as_i64()], read_account)
        .optional()?)
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        profile: rows::profile(row, 0)?,
        email: row.get(PROFILE_WIDTH)?,
        has_password: row.get(PROFILE_WIDTH + 1)?,
    })
}
