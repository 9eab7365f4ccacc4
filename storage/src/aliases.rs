//! Aliases: names of conversations, unique without regard to case, as user names are.

use ringwire_protocol::{ConversationId, UnixMs};

use crate::error::StoreError;
use crate::store::{Store, either};

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasClaim {
    /// The name is the conversation's, perhaps since before; it is written as in this claim.
    Claimed,
    /// Another conversation has it; nothing was written.
    TakenBy(ConversationId),
    /// There is no such conversation, or not any more; nothing was written.
    NoSuchConversation,
}

/// A name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    /// As it was claimed last.
    pub name: String,
    /// Whose it is.
    pub conversation_id: ConversationId,
    /// When it was claimed first.
    pub created_at: UnixMs,
}

impl Store {
    /// Gives a conversation a name, if no other has it.
    pub async fn claim_alias(
        &self,
        name: &str,
        id: ConversationId,
        now_ms: UnixMs,
    ) -> Result<AliasClaim, StoreError> {
        let name = name.to_owned();
        either!(self, store => store.claim_alias(name, id, now_ms).await)
    }

    /// Whose name this is.
    pub async fn resolve_alias(&self, name: &str) -> Result<Option<AliasRow>, StoreError> {
        either!(self, store => store.resolve_alias(name).await)
    }

    /// Takes a name from a conversation; whether it had it.
    pub async fn release_alias(&self, name: &str, id: ConversationId) -> Result<bool, StoreError> {
        either!(self, store => store.release_alias(name, id).await)
    }

    /// The first names of a conversation, in the order they are compared in.
    pub async fn aliases(
        &self,
        id: ConversationId,
        limit: u32,
    ) -> Result<Vec<AliasRow>, StoreError> {
        either!(self, store => store.aliases(id, limit).await)
    }
}
