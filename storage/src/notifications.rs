//! What a member wants to be told of while away, and what a notification says.
//!
//! Invariants: settings belong to a membership and go with it; a notice is made when it is sent, of what is so by then:
//! nobody is told of what they have got meanwhile, of what was taken back or hidden, or of whom they block.

use bytes::Bytes;
use ringwire_protocol::{ConversationId, UnixMs, UserId};

use crate::deliveries::PushDelivery;
use crate::error::StoreError;
use crate::model::{ConversationKind, EntryRow, UserRow};
use crate::store::{Store, either};

/// Of which messages a member is told; the numbers are those of the `notify` column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i16)]
pub enum NotifyLevel {
    /// Of every one.
    #[default]
    All = 0,
    /// Of those that mention the member, or everyone.
    Mentions = 1,
    /// Of none.
    Nothing = 2,
}

impl NotifyLevel {
    /// The level with this number.
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            0 => Some(Self::All),
            1 => Some(Self::Mentions),
            2 => Some(Self::Nothing),
            _ => None,
        }
    }
}

/// What a member wants to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationSettings {
    /// Of which messages.
    pub level: NotifyLevel,
    /// Of none until then; 0: not muted.
    pub muted_until: UnixMs,
}

/// What a notification can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The message.
    pub entry: EntryRow,
    /// Who sent it.
    pub sender: Option<UserRow>,
    /// Where.
    pub kind: ConversationKind,
    /// Encoded `GroupSettings`.
    pub settings: Bytes,
    /// Messages the user has not read, in all conversations.
    pub unread: u64,
}

impl Store {
    /// What a member wants to be told of in a conversation. `None`: no member.
    pub async fn notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
    ) -> Result<Option<NotificationSettings>, StoreError> {
        either!(self, store => store.notification_settings(user, id).await)
    }

    /// Sets what a member wants to be told of. `false`: no member.
    pub async fn set_notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
        settings: NotificationSettings,
    ) -> Result<bool, StoreError> {
        either!(self, store => store.set_notification_settings(user, id, settings).await)
    }

    /// What a delivery says. `None`: nothing any more.
    pub async fn notice(&self, delivery: &PushDelivery) -> Result<Option<Notice>, StoreError> {
        let (user, id) = (delivery.user_id, delivery.conversation_id);
        either!(self, store => store.notice(user, id, delivery.seq).await)
    }
}
