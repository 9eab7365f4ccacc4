//! Who may see whether a user is there, and when they last were. Whether they are is known to the nodes, not here.
//!
//! Invariants: of users who block each other neither sees anything of the other; of oneself one sees everything; the
//! time of last being there only rises.

use std::collections::BTreeMap;

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::store::{Store, either};

/// Who may see something; the numbers are those of the wire and of the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i16)]
pub enum Visibility {
    /// Whoever shares a conversation that is no room.
    #[default]
    Contacts = 0,
    /// Everyone.
    Everyone = 1,
    /// Nobody else.
    Nobody = 2,
}

impl Visibility {
    /// The visibility with this number.
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            0 => Some(Self::Contacts),
            1 => Some(Self::Everyone),
            2 => Some(Self::Nobody),
            _ => None,
        }
    }
}

/// What one user may see of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// The other.
    pub user_id: UserId,
    /// Whether they are there.
    pub status: bool,
    /// When they last were.
    pub last_seen: bool,
    /// That time; 0: never, or not to be seen.
    pub last_seen_at: UnixMs,
}

impl Store {
    /// Changes who may see a user; `None`: stays. [`StoreError::NoSuchUser`] also if that one is deleted.
    pub async fn set_visibility(
        &self,
        user: UserId,
        status: Option<Visibility>,
        last_seen: Option<Visibility>,
    ) -> Result<(), StoreError> {
        let numbers = (status.map(|v| v as i16), last_seen.map(|v| v as i16));
        either!(self, store => store.set_visibility(user, numbers.0, numbers.1).await)
    }

    /// What `watcher` may see of these users, by id, each once; those that do not exist or are deleted are left out.
    pub async fn visible_presence(
        &self,
        watcher: UserId,
        users: &[UserId],
    ) -> Result<Vec<SeenBy>, StoreError> {
        let users = users.iter().map(|user| user.as_i64()).collect();
        let mut seen = either!(self, store => store.visible_presence(watcher, users).await?);
        seen.sort_unstable_by_key(|seen| seen.user_id);
        seen.dedup_by_key(|seen| seen.user_id);
        for seen in &mut seen {
            if !seen.last_seen {
                seen.last_seen_at = 0;
            }
        }
        Ok(seen)
    }

    /// Raises the times at which users were last there.
    pub async fn save_last_seen(&self, seen: &[(UserId, UnixMs)]) -> Result<(), StoreError> {
        let mut latest: BTreeMap<UserId, UnixMs> = BTreeMap::new();
        for &(user, at) in seen {
            let time = latest.entry(user).or_insert(at);
            *time = at.max(*time);
        }
        let latest: Vec<(i64, UnixMs)> =
            latest.into_iter().map(|(user, at)| (user.as_i64(), at)).collect();
        either!(self, store => store.save_last_seen(latest).await)
    }
}
