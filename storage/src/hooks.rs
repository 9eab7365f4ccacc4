//! Events under way to webhooks: each until its hook took it, in the order of the log.
//!
//! ```text
//!   hook_outbox ─ due, the oldest of its conversation ─► take ─┬─► finish ─► the next of that conversation
//!        ▲                                                     ├─► retry, later
//!        └──────────── the taker is silent ────────────────────┘     … older than may be: gone
//! ```
//!
//! Invariants: of one conversation a hook hears an event only when the one before is done or gone; two takers never have
//! one event at a time, by the database's clock; no hook waits for another.

use ringwire_protocol::{ConversationId, Seq, UnixMs};

use crate::error::StoreError;
use crate::model::EntryRow;
use crate::outbox::EventKind;
use crate::store::{Store, either};

/// An event for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookEvent {
    /// What happened.
    pub kind: EventKind,
    /// Where; `None`: to the user whose id is `seq`.
    pub conversation_id: Option<ConversationId>,
    /// The entry that says so.
    pub seq: Seq,
    /// When it was written to the outbox.
    pub created_at: UnixMs,
    /// Which try this is, from 1.
    pub tries: u32,
}

impl HookEvent {
    /// The column.
    pub(crate) fn conversation(&self) -> i64 {
        self.conversation_id.map_or(0, ConversationId::as_i64)
    }
}

/// How much the outboxes hold; counted up to [`DEPTH_COUNTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Entries whose deliveries are to be made.
    pub pushes: u64,
    /// Deliveries to devices.
    pub deliveries: u64,
    /// Events for webhooks.
    pub events: u64,
}

/// See [`OutboxDepth`].
pub const DEPTH_COUNTED: u32 = 10_000;

impl Store {
    /// Takes due events of a hook, at most `limit`, each the oldest of its conversation, for `lease_ms`; after that they
    /// are due again.
    pub async fn take_events(
        &self,
        hook: &str,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<HookEvent>, StoreError> {
        let hook = hook.to_owned();
        either!(self, store => store.take_events(hook, limit, lease_ms).await)
    }

    /// Removes an event that is done, whoever has it now.
    pub async fn finish_event(&self, hook: &str, event: HookEvent) -> Result<(), StoreError> {
        let hook = hook.to_owned();
        either!(self, store => store.finish_event(hook, event).await)
    }

    /// Makes an event due again after `delay_ms`. `false`: somebody else took it meanwhile, or it is gone.
    pub async fn retry_event(
        &self,
        hook: &str,
        event: HookEvent,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        let hook = hook.to_owned();
        either!(self, store => store.retry_event(hook, event, delay_ms).await)
    }

    /// Removes events older than `age_ms`, at most `limit`: of hooks that took none for so long, or that nobody knows any
    /// more. How many there were.
    pub async fn expire_events(&self, age_ms: i64, limit: u32) -> Result<u64, StoreError> {
        either!(self, store => store.expire_events(age_ms, limit).await)
    }

    /// The entry of an event, also of a conversation that is dissolved. `None`: it is gone.
    pub async fn event_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        either!(self, store => store.event_entry(id, seq).await)
    }

    /// How much waits.
    pub async fn outbox_depth(&self) -> Result<OutboxDepth, StoreError> {
        either!(self, store => store.outbox_depth().await)
    }
}
