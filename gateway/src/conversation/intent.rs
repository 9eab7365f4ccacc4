//! What somebody wants a conversation's log to say next, checked as far as it can be without the conversation.

use bytes::Bytes;
use ringwire_protocol::{Seq, UnixMs, UserId, wire};
use ringwire_storage::model::Role;

use crate::permissions::Operation;

/// Whom a message addresses by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Each once, by id.
    pub users: Box<[UserId]>,
    /// Everyone.
    pub all: bool,
}

/// A command that becomes an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A message; its content was checked before it came here.
    Send {
        /// The encoded body.
        body: Bytes,
        /// `client_msg_id` of the sender's previous send, or empty.
        after: Box<str>,
        /// Whom it addresses.
        mentions: Mentions,
        /// Files it carries, each once.
        files: Box<[Box<str>]>,
    },
    /// Another content for a message.
    Edit {
        /// Which message.
        target_seq: Seq,
        /// The encoded body of the message from now on.
        body: Bytes,
        /// The encoded body of the entry that says so.
        edited: Bytes,
        /// It addresses everyone.
        mention_all: bool,
        /// Files it carries, each once.
        files: Box<[Box<str>]>,
    },
    /// A message is taken back.
    Recall {
        /// Which message.
        target_seq: Seq,
    },
    /// A reaction, or the end of one.
    React {
        /// To which message.
        target_seq: Seq,
        /// With what.
        reaction: Box<str>,
        /// Takes it back.
        removed: bool,
    },
    /// A pin, or the end of one.
    Pin {
        /// Which message.
        target_seq: Seq,
        /// Unpins it.
        removed: bool,
    },
    /// Other settings; only what is to change is present. Any `join_code` stands for a new one.
    Update(Box<wire::GroupSettings>),
    /// Becoming a member, or asking for it.
    Join {
        /// Of a group by link.
        code: Box<str>,
        /// For a group by approval.
        text: Box<str>,
    },
    /// Not being a member any more.
    Leave,
    /// Others become members; they exist.
    Invite {
        /// Each once.
        users: Vec<UserId>,
    },
    /// Others cease to be members.
    Remove {
        /// Each once.
        users: Vec<UserId>,
    },
    /// Another role for a member.
    SetRole {
        /// Who.
        user: UserId,
        /// From now on; `Owner` hands the group over.
        role: Role,
    },
    /// Keeps a member, or everyone, from sending.
    Mute {
        /// `None`: everyone but owner and admins.
        user: Option<UserId>,
        /// 0: lifts it.
        until: UnixMs,
    },
    /// Keeps a user out; they exist.
    Ban {
        /// Who.
        user: UserId,
        /// 0: lifts it.
        until: UnixMs,
    },
    /// Answers who asked to join.
    ResolveJoin {
        /// Who asked.
        user: UserId,
        /// Refuses them.
        refuse: bool,
    },
    /// The end of the group.
    Dissolve,
}

impl Intent {
    /// What the caller has to be allowed.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Send { .. } => Operation::Send,
            Self::Edit { .. } => Operation::Edit,
            Self::Recall { .. } => Operation::Recall,
            Self::React { .. } => Operation::React,
            Self::Pin { .. } => Operation::Pin,
            Self::Update(_) => Operation::UpdateGroup,
            Self::Join { .. } => Operation::Join,
            Self::Leave => Operation::Leave,
            Self::Invite { .. } => Operation::Invite,
            Self::Remove { .. } => Operation::Remove,
            Self::SetRole { .. } => Operation::SetRole,
            Self::Mute { .. } => Operation::Mute,
            Self::Ban { .. } => Operation::Ban,
            Self::ResolveJoin { .. } => Operation::ResolveJoin,
            Self::Dissolve => Operation::Dissolve,
        }
    }

    /// Whether its entry is a message.
    pub const fn is_message(&self) -> bool {
        matches!(self, Self::Send { .. })
    }

    /// The entry it is about.
    pub const fn target(&self) -> Option<Seq> {
        match self {
            Self::Edit { target_seq, .. }
            | Self::Recall { target_seq }
            | Self::React { target_seq, .. }
            | Self::Pin { target_seq, .. } => Some(*target_seq),
            _ => None,
        }
    }
}
