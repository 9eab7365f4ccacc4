//! Pushes under way: from an entry of the outbox to the devices of those who have not got it, and each device until it
//! took the push or is given up.
//!
//! ```text
//!   push_outbox ─ expand ─► one row for each device and conversation, the newest message ─ due ─► take ─┬─► finish
//!                                    ▲                     ▲                                            ├─► retry, later
//!                                    └ a newer message     └──── the taker is silent ───────────────────┘
//! ```
//!
//! Invariants: two takers never have one delivery at a time, by the database's clock; a newer message takes the place of
//! an older one, so a device has at most one row a conversation; an entry leaves the outbox in the transaction that makes
//! its deliveries; a device that goes takes its deliveries with it.

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};

use crate::devices::PushAddress;
use crate::error::StoreError;
use crate::push::PushRow;
use crate::store::{Store, either};

/// A message for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushDelivery {
    /// Whose device.
    pub user_id: UserId,
    /// Which.
    pub device_id: String,
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Position in it.
    pub seq: Seq,
    /// When it was expanded.
    pub created_at: UnixMs,
    /// Which try this is, from 1.
    pub tries: u32,
    /// Where the device is pushed; `None`: nowhere any more.
    pub address: Option<PushAddress>,
}

impl Store {
    /// Makes deliveries of an entry, for members who have not got it and want to be told of it, and takes it out of the
    /// outbox; how many there are.
    pub async fn expand_push(&self, push: PushRow) -> Result<u64, StoreError> {
        either!(self, store => store.expand_push(push.conversation_id, push.seq).await)
    }

    /// Takes due deliveries, at most `limit`, for `lease_ms`; after that they are due again.
    pub async fn take_deliveries(
        &self,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<PushDelivery>, StoreError> {
        either!(self, store => store.take_deliveries(limit, lease_ms).await)
    }

    /// Removes a delivery that is done, whoever has it now. A newer message that came meanwhile is due at once.
    pub async fn finish_delivery(&self, delivery: &PushDelivery) -> Result<(), StoreError> {
        let delivery = delivery.clone();
        either!(self, store => store.finish_delivery(delivery).await)
    }

    /// Makes a delivery, or the newer message in its place, due again after `delay_ms`. `false`: somebody else took it
    /// meanwhile, or it is gone.
    pub async fn retry_delivery(
        &self,
        delivery: &PushDelivery,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        let delivery = delivery.clone();
        either!(self, store => store.retry_delivery(delivery, delay_ms).await)
    }

    /// The devices of a user whose every login has ended are pushed nowhere any more; how many there were. Devices that
    /// never logged in here, because another issuer's tokens let them in, are left alone.
    pub async fn silence_devices(&self, user: UserId) -> Result<u64, StoreError> {
        either!(self, store => store.silence_devices(user).await)
    }

    /// A push service does not know a device's address any more: the device is pushed nowhere, unless it has another
    /// address by now. Whether it was so.
    pub async fn forget_address(
        &self,
        user: UserId,
        device_id: &str,
        address: &PushAddress,
    ) -> Result<bool, StoreError> {
        let (device_id, address) = (device_id.to_owned(), address.clone());
        either!(self, store => store.forget_address(user, device_id, address).await)
    }
}
