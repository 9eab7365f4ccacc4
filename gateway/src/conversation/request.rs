//! What a home shard, or the service, asks of the owner shard of a conversation.

use ringwire_protocol::{ConversationId, UserId};

use super::Submission;
use super::answer::ReplyTo;
use crate::session::cursors::Cursor;

/// A command for one conversation.
#[derive(Debug)]
pub enum Request {
    /// Make this the next entry.
    Submit {
        /// Whose log.
        conversation_id: ConversationId,
        /// The command.
        submission: Box<Submission>,
    },
    /// A member has seen, or has got, everything up to here.
    Raise {
        /// Whose log.
        conversation_id: ConversationId,
        /// Who.
        user: UserId,
        /// Up to where.
        to: Cursor,
        /// Where the answer goes.
        reply_to: ReplyTo,
    },
    /// A member types, or has stopped.
    Typing {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        user: UserId,
        /// They have.
        stopped: bool,
        /// Where the answer goes.
        reply_to: ReplyTo,
    },
    /// It was just made: tell the members of its first entry.
    Announce {
        /// Whose log.
        conversation_id: ConversationId,
    },
}

impl Request {
    /// Which conversation it is for.
    pub fn conversation_id(&self) -> ConversationId {
        match self {
            Self::Submit { conversation_id, .. }
            | Self::Raise { conversation_id, .. }
            | Self::Typing { conversation_id, .. }
            | Self::Announce { conversation_id } => *conversation_id,
        }
    }

    /// Where its answer goes; an announcement has none.
    pub fn reply_to(&self) -> Option<ReplyTo> {
        match self {
            Self::Submit { submission, .. } => Some(submission.reply_to),
            Self::Raise { reply_to, .. } | Self::Typing { reply_to, .. } => Some(*reply_to),
            Self::Announce { .. } => None,
        }
    }
}
