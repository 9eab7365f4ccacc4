//! Contacts: whom a user wants at hand, and what they call them. Of one side: the other is not asked and not told.
//!
//! Invariants: nobody is their own contact; a user has at most as many contacts as the call allows; those of a deleted
//! user are gone in both directions, and none is made with one.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::profiles::ProfileRow;
use crate::store::{Store, either};

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Who it is, as the user sees them.
    pub profile: ProfileRow,
    /// What the user calls them; may be empty.
    pub nickname: String,
    /// Since when.
    pub created_at: UnixMs,
}

/// What became of a wish for a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactPut {
    /// New.
    Added,
    /// Was there already; it has the new nickname.
    Updated,
    /// Nobody is their own contact; nothing was written.
    Oneself,
    /// The user has as many as they may have; nothing was written.
    TooMany,
}

impl Store {
    /// Makes a contact, or calls it differently. [`StoreError::NoSuchUser`] if one of them does not exist or is deleted.
    pub async fn put_contact(
        &self,
        user: UserId,
        contact: UserId,
        nickname: &str,
        max_contacts: u32,
        now_ms: UnixMs,
    ) -> Result<ContactPut, StoreError> {
        if user == contact {
            return Ok(ContactPut::Oneself);
        }
        let nickname = nickname.to_owned();
        either!(self, store =>
            store.put_contact(user, contact, nickname, max_contacts.into(), now_ms).await)
    }

    /// Removes a contact; whether there was one.
    pub async fn remove_contact(&self, user: UserId, contact: UserId) -> Result<bool, StoreError> {
        either!(self, store => store.remove_contact(user, contact).await)
    }

    /// The contacts of a user, by id, and whether there are more.
    pub async fn contacts_page(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<(Vec<ContactRow>, bool), StoreError> {
        let after = after.map_or(0, UserId::as_i64);
        let asked = i64::from(limit) + 1;
        let mut rows = either!(self, store => store.contacts_page(user, after, asked).await?);
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok((rows, more))
    }
}
