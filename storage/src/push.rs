//! The push outbox: entries whose absent recipients are still to be notified.
//!
//! ```text
//!   add (with the entry) ── due ─► take: mine for a while ─┬─► finish
//!                            ▲                             ├─► retry, later
//!                            └──── the taker is silent ────┘     … tried too often: gone
//! ```
//!
//! Invariants: two takers never have one entry at a time, by the database's clock; a try counts when it begins, so an
//! entry that ends its takers is given up too; an entry is pushed at least once or given up, and perhaps twice when a
//! taker was slow.

use ringwire_protocol::{ConversationId, Seq, UnixMs};

use crate::error::StoreError;
use crate::store::{Store, either};

/// An entry to be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushRow {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Position in it.
    pub seq: Seq,
    /// When it was added.
    pub created_at: UnixMs,
    /// Which try this is, from 1.
    pub tries: u32,
}

/// What a taker has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenPushes {
    /// To be notified of now.
    pub pushes: Vec<PushRow>,
    /// Tried too often, and removed.
    pub given_up: Vec<PushRow>,
}

impl TakenPushes {
    /// Sorts what was taken by how often.
    pub(crate) fn new(taken: Vec<PushRow>, max_tries: u32) -> Self {
        let (pushes, given_up) = taken.into_iter().partition(|push| push.tries <= max_tries);
        Self { pushes, given_up }
    }
}

impl Store {
    /// Adds entries, due after `delay_ms`; those that are there stay as they are.
    pub async fn add_pushes(
        &self,
        entries: &[(ConversationId, Seq)],
        delay_ms: i64,
    ) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        either!(self, store => store.add_pushes(entries, delay_ms).await)
    }

    /// Takes due entries, at most `limit`, for `lease_ms`; after that they are due again. Those that were tried
    /// `max_tries` times are removed.
    pub async fn take_pushes(
        &self,
        limit: u32,
        lease_ms: i64,
        max_tries: u32,
    ) -> Result<TakenPushes, StoreError> {
        either!(self, store => store.take_pushes(limit, lease_ms, max_tries).await)
    }

    /// Removes entries that are done, whoever has them now.
    pub async fn finish_pushes(&self, pushes: &[PushRow]) -> Result<(), StoreError> {
        let entries = pushes.iter().map(|push| (push.conversation_id, push.seq)).collect();
        either!(self, store => store.finish_pushes(entries).await)
    }

    /// Makes an entry due again after `delay_ms`. `false`: somebody else took it meanwhile, or it is gone.
    pub async fn retry_push(&self, push: PushRow, delay_ms: i64) -> Result<bool, StoreError> {
        either!(self, store => store.retry_push(push, delay_ms).await)
    }
}
