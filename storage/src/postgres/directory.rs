//! Users, their credentials and their identities elsewhere.

use deadpool_postgres::{GenericClient, Object};
use ringwire_protocol::{UnixMs, UserId};

use super::rows::{self, USER, USER_WIDTH};
use super::sqlstate::violated;
use super::{PostgresStore, command_key};
use crate::account::retired_subject;
use crate::error::StoreError;
use crate::model::{NewUser, Registration, UserRow};
use crate::store::{name_key, provisioned_names};

impl PostgresStore {
    pub(crate) async fn register(
        &self,
        new: NewUser,
        now_ms: UnixMs,
    ) -> Result<Registration, StoreError> {
        let mut client = self.client().await?;
        loop {
            let user = UserRow {
                user_id: self.new_user_id(&client).await?,
                username: new.username.clone(),
                display_name: new.display_name.clone(),
                avatar_url: String::new(),
                color: String::new(),
                created_at: now_ms,
            };
            let tx = client.transaction().await?;
            let inserted = tx
                .execute(
                    "INSERT INTO users
                         (id, username, username_key, email, email_key, display_name, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    &[
                        &user.user_id.as_i64(),
                        &user.username,
                        &name_key(&user.username),
                        &new.email,
                        &new.email.as_deref().map(name_key),
                        &user.display_name,
                        &now_ms,
                    ],
                )
                .await;
            match inserted {
                Ok(_) => {
                    tx.execute(
                        "INSERT INTO credentials (user_id, password_hash, changed_at)
                         VALUES ($1, $2, $3)",
                        &[&user.user_id.as_i64(), &new.password_hash, &now_ms],
                    )
                    .await?;
                    self.note_registered(&tx, user.user_id).await?;
                    tx.commit().await?;
                    return Ok(Registration::Registered(user));
                }
                Err(error) => match violated(&error) {
                    Some("users_username_key") => return Ok(Registration::UsernameTaken),
                    Some("users_email_key") => return Ok(Registration::EmailTaken),
                    Some("users_pkey") => {
                        tx.rollback().await?;
                        self.skip_taken_users(&client).await?;
                    }
                    _ => return Err(error.into()),
                },
            }
        }
    }

    pub(crate) async fn credentials(
        &self,
        login: &str,
    ) -> Result<Option<(UserRow, String)>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {USER}, c.password_hash FROM users u JOIN credentials c ON c.user_id = u.id
                 WHERE u.username_key = $1 OR u.email_key = $1
                 ORDER BY u.username_key = $1 DESC LIMIT 1"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&name_key(login)]).await?;
        row.map(|row| Ok((rows::user(&row, 0)?, row.try_get(USER_WIDTH)?))).transpose()
    }

    pub(crate) async fn ensure_user(
        &self,
        id: UserId,
        hint: &str,
        now_ms: UnixMs,
    ) -> Result<(UserRow, bool), StoreError> {
        let mut client = self.client().await?;
        if let Some(user) = live_user(&client, id).await? {
            return Ok((user, false));
        }
        let tx = client.transaction().await?;
        match provision(&tx, id, hint, now_ms).await? {
            Provisioned::Made(user) => {
                self.note_registered(&tx, id).await?;
                tx.commit().await?;
                Ok((user, true))
            }
            // By somebody who was faster, or by a user that is deleted.
            Provisioned::IdTaken => {
                tx.rollback().await?;
                let user = live_user(&client, id).await?.ok_or(StoreError::NoSuchUser)?;
                Ok((user, false))
            }
        }
    }

    pub(crate) async fn resolve_identity(
        &self,
        issuer: &str,
        subject: &str,
        provision_hint: Option<String>,
        now_ms: UnixMs,
    ) -> Result<Option<UserRow>, StoreError> {
        let mut client = self.client().await?;
        loop {
            let known = user_by_identity(&client, issuer, subject).await?;
            let hint = match (&provision_hint, known) {
                (Some(hint), None) => hint,
                (_, known) => return Ok(known),
            };
            let retired = retired_subject(&command_key(&client).await?, issuer, subject);
            if is_identity(&client, issuer, &retired).await? {
                return Ok(None);
            }
            let id = self.new_user_id(&client).await?;
            let tx = client.transaction().await?;
            let Provisioned::Made(user) = provision(&tx, id, hint, now_ms).await? else {
                tx.rollback().await?;
                self.skip_taken_users(&client).await?;
                continue;
            };
            let linked = tx
                .execute(
                    "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, $2, $3)
                     ON CONFLICT (issuer, subject) DO NOTHING",
                    &[&issuer, &subject, &id.as_i64()],
                )
                .await?;
            if linked > 0 {
                self.note_registered(&tx, id).await?;
                tx.commit().await?;
                return Ok(Some(user));
            }
            // Somebody was faster; the next turn reads what they made.
            tx.rollback().await?;
        }
    }

    pub(crate) async fn user(&self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        live_user(&self.client().await?, id).await
    }

    pub(crate) async fn user_by_name(&self, username: &str) -> Result<Option<UserRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!("SELECT {USER} FROM users u WHERE u.username_key = $1"))
            .await?;
        let row = client.query_opt(&statement, &[&name_key(username)]).await?;
        row.map(|row| rows::user(&row, 0)).transpose()
    }

    pub(crate) async fn users(&self, ids: &[UserId]) -> Result<Vec<UserRow>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        users_by_id(&self.client().await?, &ids).await
    }

    async fn new_user_id(&self, client: &Object) -> Result<UserId, StoreError> {
        let id = self.user_ids.lock().await.take(client).await?;
        UserId::new(id as u64).ok_or_else(|| StoreError::Fatal("no user ids are left".into()))
    }

    async fn skip_taken_users(&self, client: &Object) -> Result<(), StoreError> {
        self.user_ids.lock().await.skip_taken_users(client).await
    }
}

/// The users of a list, by id; those that do not exist are missing.
pub(super) async fn users_by_id(
    client: &impl GenericClient,
    ids: &[i64],
) -> Result<Vec<UserRow>, StoreError> {
    let statement = client
        .prepare_cached(&format!("SELECT {USER} FROM users u WHERE u.id = ANY ($1) ORDER BY u.id"))
        .await?;
    client.query(&statement, &[&ids]).await?.iter().map(|row| rows::user(row, 0)).collect()
}

/// Unless it is deleted.
async fn live_user(client: &Object, id: UserId) -> Result<Option<UserRow>, StoreError> {
    let statement = client
        .prepare_cached(&format!("SELECT {USER} FROM users u WHERE u.id = $1 AND u.deleted_at = 0"))
        .await?;
    let row = client.query_opt(&statement, &[&id.as_i64()]).await?;
    row.map(|row| rows::user(&row, 0)).transpose()
}

async fn is_identity(client: &Object, issuer: &str, subject: &str) -> Result<bool, StoreError> {
    let statement =
        client.prepare_cached("SELECT FROM identities WHERE issuer = $1 AND subject = $2").await?;
    Ok(client.query_opt(&statement, &[&issuer, &subject]).await?.is_some())
}

async fn user_by_identity(
    client: &Object,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserRow>, StoreError> {
    let statement = client
        .prepare_cached(&format!(
            "SELECT {USER} FROM identities i JOIN users u ON u.id = i.user_id
             WHERE i.issuer = $1 AND i.subject = $2"
        ))
        .await?;
    let row = client.query_opt(&statement, &[&issuer, &subject]).await?;
    row.map(|row| rows::user(&row, 0)).transpose()
}

enum Provisioned {
    Made(UserRow),
    IdTaken,
}

/// Makes a user for a token, under the first of its possible names that is free.
async fn provision(
    client: &impl GenericClient,
    id: UserId,
    hint: &str,
    now_ms: UnixMs,
) -> Result<Provisioned, StoreError> {
    for username in provisioned_names(id, hint) {
        let made = client
            .execute(
                "INSERT INTO users (id, username, username_key, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                &[&id.as_i64(), &username, &name_key(&username), &now_ms],
            )
            .await?;
        if made > 0 {
            return Ok(Provisioned::Made(UserRow {
                user_id: id,
                username,
                display_name: String::new(),
                avatar_url: String::new(),
                color: String::new(),
                created_at: now_ms,
            }));
        }
        // A new statement tells whose fault it was: the id's, or else the name's.
        if !users_by_id(client, &[id.as_i64()]).await?.is_empty() {
            return Ok(Provisioned::IdTaken);
        }
    }
    Err(StoreError::Fatal(format!("every name for user {id} is taken")))
}
