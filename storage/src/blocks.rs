//! Blocks: whom a user does not want to hear from.
//!
//! Invariants: nobody blocks themselves; a block is one row whoever asks for it how often; those of a deleted user are
//! gone in both directions, and none is made with one.

use ringwire_protocol::{ConversationId, UnixMs, UserId};

use crate::error::StoreError;
use crate::store::{Store, either};

/// What became of a wish to block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// Blocked from now on.
    Added,
    /// Was blocked already.
    Already,
    /// Nobody blocks themselves; nothing was written.
    Oneself,
}

/// A user who is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRow {
    /// Who.
    pub blocked_id: UserId,
    /// Since when.
    pub created_at: UnixMs,
}

impl Store {
    /// Blocks a user. [`StoreError::NoSuchUser`] if one of them does not exist or is deleted.
    pub async fn add_block(
        &self,
        user: UserId,
        blocked: UserId,
        now_ms: UnixMs,
    ) -> Result<Blocking, StoreError> {
        if user == blocked {
            return Ok(Blocking::Oneself);
        }
        let added = either!(self, store => store.add_block(user, blocked, now_ms).await?);
        Ok(if added { Blocking::Added } else { Blocking::Already })
    }

    /// Ends a block; whether there was one.
    pub async fn remove_block(&self, user: UserId, blocked: UserId) -> Result<bool, StoreError> {
        either!(self, store => store.remove_block(user, blocked).await)
    }

    /// Whom a user blocks, by id, and whether there are more.
    pub async fn blocks_page(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<(Vec<BlockRow>, bool), StoreError> {
        let after = after.map_or(0, UserId::as_i64);
        let asked = i64::from(limit) + 1;
        let mut rows = either!(self, store => store.blocks_page(user, after, asked).await?);
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok((rows, more))
    }

    /// Whether one of two users blocks the other.
    pub async fn is_blocked_either_way(
        &self,
        one: UserId,
        other: UserId,
    ) -> Result<bool, StoreError> {
        Ok(!self.blocked_either_way(one, &[other]).await?.is_empty())
    }

    /// The direct conversation of two users, if they have one: where a block between them matters.
    pub async fn direct_between(
        &self,
        one: UserId,
        other: UserId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let (low, high) = (one.min(other), one.max(other));
        either!(self, store => store.direct_between(low, high).await)
    }

    /// Those of a list whom the user blocks or who block the user, by id.
    pub async fn blocked_either_way(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<Vec<UserId>, StoreError> {
        let others = others.iter().map(|other| other.as_i64()).collect();
        either!(self, store => store.blocked_either_way(user, others).await)
    }
}
