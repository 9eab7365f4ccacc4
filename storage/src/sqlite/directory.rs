//! Users, their credentials and their identities elsewhere.

use std::sync::Arc;

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::hooks::note_events;
use super::rows::{self, USER, USER_WIDTH, json_list};
use crate::account::retired_subject;
use crate::error::StoreError;
use crate::model::{NewUser, Registration, UserRow};
use crate::store::{name_key, provisioned_names};

impl SqliteStore {
    pub(crate) async fn register(
        &self,
        new: NewUser,
        now_ms: UnixMs,
    ) -> Result<Registration, StoreError> {
        let outbox = Arc::clone(&self.outbox);
        self.write(move |tx| {
            if user_by_key(tx, &name_key(&new.username))?.is_some() {
                return Ok(Registration::UsernameTaken);
            }
            if let Some(email) = &new.email {
                let taken = tx
                    .prepare_cached("SELECT 1 FROM users WHERE email_key = ?1")?
                    .exists([name_key(email)])?;
                if taken {
                    return Ok(Registration::EmailTaken);
                }
            }
            let user = UserRow {
                user_id: new_user_id(tx)?,
                username: new.username,
                display_name: new.display_name,
                avatar_url: String::new(),
                color: String::new(),
                created_at: now_ms,
            };
            insert_user(tx, &user, new.email.as_deref())?;
            tx.prepare_cached(
                "INSERT INTO credentials (user_id, password_hash, changed_at) VALUES (?1, ?2, ?3)",
            )?
            .execute((user.user_id.as_i64(), &new.password_hash, now_ms))?;
            note_events(tx, &outbox.registered(user.user_id))?;
            Ok(Registration::Registered(user))
        })
        .await
    }

    pub(crate) async fn credentials(
        &self,
        login: &str,
    ) -> Result<Option<(UserRow, String)>, StoreError> {
        let key = name_key(login);
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {USER}, c.password_hash FROM users u JOIN credentials c ON c.user_id = u.id
                     WHERE u.username_key = ?1 OR u.email_key = ?1
                     ORDER BY u.username_key = ?1 DESC LIMIT 1"
                ))?
                .query_row([key], |row| Ok((rows::user(row, 0)?, row.get(USER_WIDTH)?)))
                .optional()?)
        })
        .await
    }

    pub(crate) async fn ensure_user(
        &self,
        id: UserId,
        hint: &str,
        now_ms: UnixMs,
    ) -> Result<(UserRow, bool), StoreError> {
        if let Some(user) = self.user(id).await? {
            return Ok((user, false));
        }
        let (hint, outbox) = (hint.to_owned(), Arc::clone(&self.outbox));
        self.write(move |tx| {
            if let Some(user) = live_user(tx, id)? {
                return Ok((user, false));
            }
            if !users_by_id(tx, std::iter::once(id.as_i64()))?.is_empty() {
                // It is deleted.
                return Err(StoreError::NoSuchUser);
            }
            let user = provision(tx, id, &hint, now_ms)?;
            note_events(tx, &outbox.registered(id))?;
            Ok((user, true))
        })
        .await
    }

    pub(crate) async fn resolve_identity(
        &self,
        issuer: &str,
        subject: &str,
        provision_hint: Option<String>,
        now_ms: UnixMs,
    ) -> Result<Option<UserRow>, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let who = (issuer.clone(), subject.clone());
        let known = self.read(move |tx| user_by_identity(tx, &who.0, &who.1)).await?;
        let hint = match (known, provision_hint) {
            (None, Some(hint)) => hint,
            (known, _) => return Ok(known),
        };
        let (key, outbox) = (self.command_key().await?, Arc::clone(&self.outbox));
        self.write(move |tx| {
            if let Some(user) = user_by_identity(tx, &issuer, &subject)? {
                return Ok(Some(user));
            }
            let retired = retired_subject(&key, &issuer, &subject);
            if is_identity(tx, &issuer, &retired)? {
                return Ok(None);
            }
            let id = new_user_id(tx)?;
            let user = provision(tx, id, &hint, now_ms)?;
            tx.prepare_cached(
                "INSERT INTO identities (issuer, subject, user_id) VALUES (?1, ?2, ?3)",
            )?
            .execute((&issuer, &subject, user.user_id.as_i64()))?;
            note_events(tx, &outbox.registered(id))?;
            Ok(Some(user))
        })
        .await
    }

    pub(crate) async fn user(&self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        self.read(move |tx| live_user(tx, id)).await
    }

    pub(crate) async fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        let key = name_key(username);
        self.read(move |tx| user_by_key(tx, &key)).await
    }

    pub(crate) async fn users(&self, ids: &[UserId]) -> Result<Vec<UserRow>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        self.read(move |tx| users_by_id(tx, ids.into_iter())).await
    }
}

/// The users of a list, by id; those that do not exist are missing.
pub(super) fn users_by_id(
    tx: &Transaction<'_>,
    ids: impl Iterator<Item = i64>,
) -> Result<Vec<UserRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {USER} FROM users u WHERE u.id IN (SELECT value FROM json_each(?1)) ORDER BY u.id"
        ))?
        .query_map([json_list(ids)], |row| rows::user(row, 0))?
        .collect::<Result<_, _>>()?)
}

/// The next number of a kind of id.
pub(super) fn next_id(tx: &Transaction<'_>, name: &str) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached("UPDATE ids SET next = next + 1 WHERE name = ?1 RETURNING next - 1")?
        .query_row([name], |row| rows::number(row, 0))?)
}

/// The next user id that no provisioned user has already.
fn new_user_id(tx: &Transaction<'_>) -> Result<UserId, StoreError> {
    // Ids chosen by tokens may lie where the counter goes: it jumps to the first free one at once.
    let id = tx
        .prepare_cached(
            "UPDATE ids SET next = 1 + CASE
                 WHEN NOT EXISTS (SELECT 1 FROM users u WHERE u.id = ids.next) THEN ids.next
                 ELSE (SELECT u.id + 1 FROM users u WHERE u.id >= ids.next
                           AND NOT EXISTS (SELECT 1 FROM users v WHERE v.id = u.id + 1)
                       ORDER BY u.id LIMIT 1)
             END
             WHERE name = 'user' RETURNING next - 1",
        )?
        .query_row([], |row| rows::number(row, 0))?;
    UserId::new(id).ok_or_else(|| StoreError::Fatal("no user ids are left".into()))
}

fn user_by_key(tx: &Transaction<'_>, key: &str) -> Result<Option<UserRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!("SELECT {USER} FROM users u WHERE u.username_key = ?1"))?
        .query_row([key], |row| rows::user(row, 0))
        .optional()?)
}

/// Unless it is deleted.
fn live_user(tx: &Transaction<'_>, id: UserId) -> Result<Option<UserRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {USER} FROM users u WHERE u.id = ?1 AND u.deleted_at = 0"
        ))?
        .query_row([id.as_i64()], |row| rows::user(row, 0))
        .optional()?)
}

fn is_identity(tx: &Transaction<'_>, issuer: &str, subject: &str) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM identities WHERE issuer = ?1 AND subject = ?2")?
        .exists((issuer, subject))?)
}

fn user_by_identity(
    tx: &Transaction<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {USER} FROM identities i JOIN users u ON u.id = i.user_id
             WHERE i.issuer = ?1 AND i.subject = ?2"
        ))?
        .query_row((issuer, subject), |row| rows::user(row, 0))
        .optional()?)
}

/// Makes a user for a token, under the first of its possible names that is free.
fn provision(
    tx: &Transaction<'_>,
    id: UserId,
    hint: &str,
    now_ms: UnixMs,
) -> Result<UserRow, StoreError> {
    for username in provisioned_names(id, hint) {
        if user_by_key(tx, &name_key(&username))?.is_none() {
            let user = UserRow {
                user_id: id,
                username,
                display_name: String::new(),
                avatar_url: String::new(),
                color: String::new(),
                created_at: now_ms,
            };
            insert_user(tx, &user, None)?;
            return Ok(user);
        }
    }
    Err(StoreError::Fatal(format!("every name for user {id} is taken")))
}

fn insert_user(
    tx: &Transaction<'_>,
    user: &UserRow,
    email: Option<&str>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO users (id, username, username_key, email, email_key, display_name, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        user.user_id.as_i64(),
        &user.username,
        name_key(&user.username),
        email,
        email.map(name_key),
        &user.display_name,
        user.created_at,
    ))?;
    Ok(())
}
