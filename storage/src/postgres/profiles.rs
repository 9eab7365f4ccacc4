//! Profiles. The lock of the user makes changes of one account take turns.

use deadpool_postgres::GenericClient;
use ringwire_protocol::UserId;

use super::PostgresStore;
use super::hold::lock_user;
use super::rows::{self, PROFILE, PROFILE_WIDTH};
use super::sqlstate::violated;
use crate::error::StoreError;
use crate::profiles::{
    AccountChange, AccountRow, AccountUpdate, PictureChange, Prefix, ProfileRow,
};
use crate::store::name_key;

impl PostgresStore {
    pub(crate) async fn account(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        account(&self.client().await?, user).await
    }

    pub(crate) async fn update_account(
        &self,
        user: UserId,
        change: AccountChange,
    ) -> Result<AccountUpdate, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        match lock_user(&tx, user).await {
            Err(StoreError::NoSuchUser) => return Ok(AccountUpdate::Unknown),
            locked => locked?,
        }
        let Some(before) = account(&tx, user).await? else { return Ok(AccountUpdate::Unknown) };
        let old_url = before.profile.user.avatar_url.clone();
        let account = change.apply(before);
        let ProfileRow { user: row, status_text } = &account.profile;
        if !exchange_picture(&tx, user, &PictureChange::between(&old_url, &row.avatar_url)).await? {
            return Ok(AccountUpdate::NoSuchFile);
        }
        let statement = tx
            .prepare_cached(
                "UPDATE users SET username = $2, username_key = $3, email = $4, email_key = $5,
                     display_name = $6, avatar_url = $7, color = $8, status_text = $9
                 WHERE id = $1",
            )
            .await?;
        let updated = tx
            .execute(
                &statement,
                &[
                    &user.as_i64(),
                    &row.username,
                    &name_key(&row.username),
                    &account.email,
                    &account.email.as_deref().map(name_key),
                    &row.display_name,
                    &row.avatar_url,
                    &row.color,
                    status_text,
                ],
            )
            .await;
        match updated {
            Ok(_) => {
                tx.commit().await?;
                Ok(AccountUpdate::Updated(account))
            }
            Err(error) => match violated(&error) {
                Some("users_username_key") => Ok(AccountUpdate::UsernameTaken),
                Some("users_email_key") => Ok(AccountUpdate::EmailTaken),
                _ => Err(error.into()),
            },
        }
    }

    pub(crate) async fn profiles(
        &self,
        viewer: UserId,
        ids: Vec<i64>,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {PROFILE} FROM users u
                 WHERE u.id = ANY ($2) AND u.deleted_at = 0 ORDER BY u.id"
            ))
            .await?;
        let rows = client.query(&statement, &[&viewer.as_i64(), &ids]).await?;
        rows.iter().map(|row| rows::profile(row, 0)).collect()
    }

    pub(crate) async fn profile_by_email(
        &self,
        viewer: UserId,
        key: String,
    ) -> Result<Option<ProfileRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {PROFILE} FROM users u WHERE u.email_key = $2 AND NOT EXISTS (
                     SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&viewer.as_i64(), &key]).await?;
        row.map(|row| rows::profile(&row, 0)).transpose()
    }

    pub(crate) async fn users_by_name(
        &self,
        viewer: UserId,
        names: Prefix,
        after: String,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {PROFILE} FROM users u
                 WHERE u.username_key >= $2 AND u.username_key < $3 AND u.username_key > $4
                     AND u.deleted_at = 0 AND NOT EXISTS (
                         SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)
                 ORDER BY u.username_key LIMIT $5"
            ))
            .await?;
        let Prefix { from, to } = &names;
        let rows = client
            .query(&statement, &[&viewer.as_i64(), from, to, &after, &i64::from(limit)])
            .await?;
        rows.iter().map(|row| rows::profile(row, 0)).collect()
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
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {PROFILE} FROM users u
                 WHERE u.display_name <> ''
                     AND (lower(u.display_name COLLATE \"C\"), u.id) > ($2, $6)
                     AND lower(u.display_name COLLATE \"C\") >= $7
                     AND lower(u.display_name COLLATE \"C\") < $3
                     AND NOT (u.username_key >= $4 AND u.username_key < $5)
                     AND u.deleted_at = 0 AND NOT EXISTS (
                         SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)
                 ORDER BY lower(u.display_name COLLATE \"C\"), u.id LIMIT $8"
            ))
            .await?;
        let rows = client
            .query(
                &statement,
                &[
                    &viewer.as_i64(),
                    &after,
                    &display.to,
                    &names.from,
                    &names.to,
                    &after_id,
                    &display.from,
                    &i64::from(limit),
                ],
            )
            .await?;
        rows.iter().map(|row| rows::profile(row, 0)).collect()
    }
}

/// `false`: there is no such file of theirs, or it is in use; what was changed goes with the transaction.
async fn exchange_picture(
    client: &impl GenericClient,
    owner: UserId,
    change: &PictureChange,
) -> Result<bool, StoreError> {
    if let Some(file_id) = &change.comes {
        let statement = client
            .prepare_cached(
                "UPDATE attachments SET seq = 1 WHERE file_id = $1 AND owner_id = $2 AND seq = 0",
            )
            .await?;
        if client.execute(&statement, &[file_id, &owner.as_i64()]).await? == 0 {
            return Ok(false);
        }
    }
    if let Some(file_id) = &change.goes {
        let statement = client
            .prepare_cached(
                "UPDATE attachments SET seq = 0
                 WHERE file_id = $1 AND owner_id = $2 AND conversation_id IS NULL AND seq > 0",
            )
            .await?;
        client.execute(&statement, &[file_id, &owner.as_i64()]).await?;
    }
    Ok(true)
}

async fn account(
    client: &impl GenericClient,
    user: UserId,
) -> Result<Option<AccountRow>, StoreError> {
    let statement = client
        .prepare_cached(&format!(
            "SELECT {PROFILE}, u.email, EXISTS (SELECT FROM credentials c WHERE c.user_id = u.id)
             FROM users u WHERE u.id = $1 AND u.deleted_at = 0"
        ))
        .await?;
    let Some(row) = client.query_opt(&statement, &[&user.as_i64()]).await? else {
        return Ok(None);
    };
    Ok(Some(AccountRow {
        profile: rows::profile(&row, 0)?,
        email: row.try_get(PROFILE_WIDTH)?,
        has_password: row.try_get(PROFILE_WIDTH + 1)?,
    }))
}
