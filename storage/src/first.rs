//! Entry 1 of a conversation: written with the conversation itself, in a transaction outside the writers' batches.

use bytes::Bytes;
use ringwire_protocol::{ConversationId, UnixMs, UserId};

use crate::encryption::{BodyKeys, Place, Stored};
use crate::error::StoreError;

/// What is not the same for every first entry.
#[derive(Debug)]
pub(crate) struct FirstEntry<'a> {
    pub(crate) conversation_id: ConversationId,
    pub(crate) creator: UserId,
    pub(crate) client_msg_id: &'a str,
    pub(crate) command_hash: i64,
    pub(crate) created_at: UnixMs,
    body: &'a Bytes,
}

impl<'a> FirstEntry<'a> {
    pub(crate) const fn new(
        conversation_id: ConversationId,
        creator: UserId,
        client_msg_id: &'a str,
        command_hash: i64,
        created_at: UnixMs,
        body: &'a Bytes,
    ) -> Self {
        Self { conversation_id, creator, client_msg_id, command_hash, created_at, body }
    }

    /// The body as it is to be stored.
    pub(crate) fn sealed(&self, keys: &BodyKeys) -> Result<Stored, StoreError> {
        let place = Place {
            conversation_id: self.conversation_id,
            seq: 1,
            sender_id: Some(self.creator),
            body_version: Place::FIRST_VERSION,
        };
        Ok(keys.seal(&place, self.body)?)
    }
}
