//! Contacts. The lock of the user makes their number exact.

use ringwire_protocol::{UnixMs, UserId};

use super::PostgresStore;
use super::hold::{hold_users, lock_user};
use super::rows::{self, PROFILE, PROFILE_WIDTH};
use crate::contacts::{ContactPut, ContactRow};
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn put_contact(
        &self,
        user: UserId,
        contact: UserId,
        nickname: String,
        max_contacts: i64,
        now_ms: UnixMs,
    ) -> Result<ContactPut, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        // Both at once and in order, or two who add each other could wait for each other.
        hold_users(&tx, &[user.as_i64(), contact.as_i64()]).await?;
        lock_user(&tx, user).await?;
        let (user, contact) = (user.as_i64(), contact.as_i64());
        let statement = tx
            .prepare_cached(
                "UPDATE contacts SET nickname = $3 WHERE user_id = $1 AND contact_id = $2",
            )
            .await?;
        if tx.execute(&statement, &[&user, &contact, &nickname]).await? > 0 {
            tx.commit().await?;
            return Ok(ContactPut::Updated);
        }
        let statement = tx
            .prepare_cached("SELECT FROM contacts WHERE user_id = $1 LIMIT 1 OFFSET $2::int8 - 1")
            .await?;
        if tx.query_opt(&statement, &[&user, &max_contacts]).await?.is_some() {
            return Ok(ContactPut::TooMany);
        }
        let statement = tx
            .prepare_cached(
                "INSERT INTO contacts (user_id, contact_id, nickname, created_at)
                 VALUES ($1, $2, $3, $4)",
            )
            .await?;
        tx.execute(&statement, &[&user, &contact, &nickname, &now_ms]).await?;
        tx.commit().await?;
        Ok(ContactPut::Added)
    }

    pub(crate) async fn remove_contact(
        &self,
        user: UserId,
        contact: UserId,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("DELETE FROM contacts WHERE user_id = $1 AND contact_id = $2")
            .await?;
        Ok(client.execute(&statement, &[&user.as_i64(), &contact.as_i64()]).await? > 0)
    }

    pub(crate) async fn contacts_page(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ContactRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {PROFILE}, c.nickname, c.created_at
                 FROM contacts c JOIN users u ON u.id = c.contact_id
                 WHERE c.user_id = $1 AND c.contact_id > $2 ORDER BY c.contact_id LIMIT $3"
            ))
            .await?;
        let rows = client.query(&statement, &[&user.as_i64(), &after, &limit]).await?;
        rows.iter()
            .map(|row| {
                Ok(ContactRow {
                    profile: rows::profile(row, 0)?,
                    nickname: row.try_get(PROFILE_WIDTH)?,
                    created_at: row.try_get(PROFILE_WIDTH + 1)?,
                })
            })
            .collect()
    }
}
