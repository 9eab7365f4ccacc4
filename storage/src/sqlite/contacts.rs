//! Contacts.

use ringwire_protocol::{UnixMs, UserId};

use super::SqliteStore;
use super::hold::require_user;
use super::rows::{self, PROFILE, PROFILE_WIDTH};
use crate::contacts::{ContactPut, ContactRow};
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn put_contact(
        &self,
        user: UserId,
        contact: UserId,
        nickname: String,
        max_contacts: i64,
        now_ms: UnixMs,
    ) -> Result<ContactPut, StoreError> {
        self.write(move |tx| {
            let (user, contact) = (user.as_i64(), contact.as_i64());
            require_user(tx, user)?;
            require_user(tx, contact)?;
            let renamed = tx
                .prepare_cached(
                    "UPDATE contacts SET nickname = ?3 WHERE user_id = ?1 AND contact_id = ?2",
                )?
                .execute((user, contact, &nickname))?;
            if renamed > 0 {
                return Ok(ContactPut::Updated);
            }
            let is_full = tx
                .prepare_cached("SELECT 1 FROM contacts WHERE user_id = ?1 LIMIT 1 OFFSET ?2 - 1")?
                .exists((user, max_contacts))?;
            if is_full {
                return Ok(ContactPut::TooMany);
            }
            tx.prepare_cached(
                "INSERT INTO contacts (user_id, contact_id, nickname, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((user, contact, &nickname, now_ms))?;
            Ok(ContactPut::Added)
        })
        .await
    }

    pub(crate) async fn remove_contact(
        &self,
        user: UserId,
        contact: UserId,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let removed = tx
                .prepare_cached("DELETE FROM contacts WHERE user_id = ?1 AND contact_id = ?2")?
                .execute((user.as_i64(), contact.as_i64()))?;
            Ok(removed > 0)
        })
        .await
    }

    pub(crate) async fn contacts_page(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ContactRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {PROFILE}, c.nickname, c.created_at
                     FROM contacts c CROSS JOIN users u ON u.id = c.contact_id
                     WHERE c.user_id = ?1 AND c.contact_id > ?2 ORDER BY c.contact_id LIMIT ?3"
                ))?
                .query_map((user.as_i64(), after, limit), |row| {
                    Ok(ContactRow {
                        profile: rows::profile(row, 0)?,
                        nickname: row.get(PROFILE_WIDTH)?,
                        created_at: row.get(PROFILE_WIDTH + 1)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}
