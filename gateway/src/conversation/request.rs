//! What a home shard, or the service, asks of the owner shard of a conversation.

use ringwire_protocol::{ConversationId, Seq, UserId};

use super::Submission;
use super::answer::ReplyTo;
use crate::permissions::Operation;
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
    /// A block between its two users was made or ended.
    BlockChanged {
        /// Their direct conversation.
        conversation_id: ConversationId,
        /// Whether one blocks the other since.
        blocked: bool,
    },
    /// A member sees entries up to this one differently from now on.
    SeenOtherwise {
        /// Whose log.
        conversation_id: ConversationId,
        /// The newest of them.
        through: Seq,
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
            | Self::BlockChanged { conversation_id, .. }
            | Self::SeenOtherwise { conversation_id, .. }
            | Self::Announce { conversation_id } => *conversation_id,
        }
    }

    /// What the caller has to be allowed.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Submit { submission, .. } => submission.intent.operation(),
            _ => Operation::Read,
        }
    }

    /// It changes what is kept in memory, and nothing where the conversation is not there.
    pub const fn is_for_memory(&self) -> bool {
        matches!(self, Self::BlockChanged { .. } | Self::SeenOtherwise { .. })
    }

    /// Covers what an older one of its kind, about the same conversation, has not told yet.
    pub fn take_in(&mut self, older: &Self) {
        if let (Self::SeenOtherwise { through, .. }, Self::SeenOtherwise { through: before, .. }) =
            (self, older)
        {
            *through = (*through).max(*before);
        }
    }

    /// Where its answer goes; news have none.
    pub fn reply_to(&self) -> Option<ReplyTo> {
        match self {
            Self::Submit { submission, .. } => Some(submission.reply_to),
            Self::Raise { reply_to, .. } | Self::Typing { reply_to, .. } => Some(*reply_to),
            Self::BlockChanged { .. } | Self::SeenOtherwise { .. } | Self::Announce { .. } => None,
        }
    }
}
