//! Compare-and-append: what the owner of a conversation asks of a writer, and what the writer answers.
//!
//! The owner names the position it believes to be next. The primary key `(conversation_id, seq)` decides: either the
//! entry is committed at exactly that position, or the owner learns that its view is stale.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ringwire_protocol::{ConversationId, MsgNo, Seq, UnixMs, UserId};

use crate::model::{EntryRow, Role};

/// How long a writer believes a head. Trimming spares what is younger than ten minutes, so within this it cannot have
/// removed what was written behind the head.
pub const HEAD_TRUST: Duration = Duration::from_mins(1);

/// An entry that wants to become the next of its conversation.
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// The position: head + 1 as the owner knows it, entries in flight included.
    pub seq: Seq,
    /// Messages up to and with this entry.
    pub msg_no: MsgNo,
    /// Who makes it; `None`: the server.
    pub sender_id: Option<UserId>,
    /// By the owner's clock.
    pub created_at: UnixMs,
    /// Unique per (conversation, sender); made by the server where the client gave none. This is what makes a
    /// resubmission after an unknown outcome safe.
    pub client_msg_id: Box<str>,
    /// The encoded body.
    pub body: Bytes,
    /// Keyed hash of the command.
    pub command_hash: i64,
    /// What else changes in the same transaction.
    pub change: Change,
    /// When the last thing was asked for that confirmed the owner's head, a load or an append. The writer believes it
    /// for [`HEAD_TRUST`] and as long as its connection lasts; it appends to an older head only if the entry at `seq − 1`
    /// exists, because what was written behind that may be gone again.
    pub head_confirmed_at: Instant,
    /// Append only if the entry at `seq − 1` exists, however young the head is.
    pub check_base: bool,

    /// Which completion queue gets the answer (the shard).
    pub origin: u16,
    /// Returned with the answer.
    pub token: u64,
    /// From a counter of the origin, raised whenever the owner re-bases a conversation: entries of a generation
    /// that met a conflict are returned unwritten.
    pub generation: u64,
}

/// A change of the conversation's state that commits together with its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the log changes.
    None,
    /// A message addresses these users, or everyone who is a member when it is read.
    Mention {
        /// Each once; whoever is no member is passed over when it is counted.
        users: Vec<UserId>,
        /// Everyone.
        all: bool,
    },
    /// A message carries files, and may address users as [`Change::Mention`] does.
    Carry {
        /// Each once; what is not the sender's, or used already, is passed over.
        files: Vec<Box<str>>,
        /// As in [`Change::Mention`].
        users: Vec<UserId>,
        /// As in [`Change::Mention`].
        all: bool,
    },
    /// A message gets another body, unless it was recalled.
    Edit {
        /// Which message.
        target_seq: Seq,
        /// The encoded `EntryBody` it has from now on.
        body: Bytes,
        /// Files it carries besides those it does already.
        files: Vec<Box<str>>,
    },
    /// A message, and every edit of it, loses its body.
    Recall {
        /// Which message; it is not pinned any more.
        target_seq: Seq,
    },
    /// The sender of the entry reacts to a message, or takes that back.
    React {
        /// Which message.
        target_seq: Seq,
        /// With what.
        reaction: Box<str>,
        /// Takes it back.
        removed: bool,
    },
    /// An entry is pinned, or no more.
    Pin {
        /// Which entry.
        target_seq: Seq,
        /// No more.
        removed: bool,
    },
    /// These users become members; what they asked for, or were refused, is settled by it.
    Join(Vec<UserId>),
    /// These users are no longer members.
    Remove(Vec<UserId>),
    /// A member has another role. With `Owner` the owner until then becomes an admin.
    SetRole {
        /// Who.
        user_id: UserId,
        /// From now on.
        role: Role,
        /// Who owned the group until now, if `role` is `Owner`.
        former_owner_id: Option<UserId>,
    },
    /// A member, or everyone but owner and admins, may not send.
    Mute {
        /// `None`: everyone.
        user_id: Option<UserId>,
        /// Unix milliseconds; 0: may send again.
        until: UnixMs,
    },
    /// A user is no longer a member, and may not become one.
    Ban {
        /// Who.
        user_id: UserId,
        /// Unix milliseconds; 0: may become one again.
        until: UnixMs,
    },
    /// The conversation has these settings.
    Settings(Bytes),
    /// The sender of the entry wants to become a member.
    RequestJoin {
        /// What they say to it.
        text: Box<str>,
    },
    /// That wish is refused.
    RefuseJoin {
        /// Whose.
        user_id: UserId,
    },
    /// Nobody is a member any more; the conversation is gone but for its log.
    Dissolve,
    /// This user is no longer a member; if the owner leaves, another takes over.
    Leave {
        /// Who goes.
        user_id: UserId,
        /// Who owns the group from now on.
        new_owner_id: Option<UserId>,
    },
}

impl Change {
    /// Whether the entry is a message like any other, which may go behind messages that its owner has not seen: what it
    /// changes depends on nothing but its own position.
    pub(crate) const fn is_of_a_message(&self) -> bool {
        matches!(self, Self::None | Self::Mention { .. } | Self::Carry { .. })
    }

    /// Whether it is made under the lock of the conversation's row.
    pub(crate) const fn needs_row(&self) -> bool {
        !self.is_of_a_message()
    }
}

/// The answer to one [`Append`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// The position asked for.
    pub seq: Seq,
    /// From the request.
    pub token: u64,
    /// From the request.
    pub generation: u64,
    /// What happened.
    pub outcome: Outcome,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable at the position asked for, written now or by an attempt whose answer was lost.
    Committed,
    /// It is durable, a message behind messages that the owner has not seen. The entries of this generation that were
    /// submitted with it are answered likewise; every later one comes back as `Conflict`. Submit those under a new
    /// generation; the tail need not be loaded for that.
    Moved {
        /// The position it has.
        seq: Seq,
        /// Messages up to and with it.
        msg_no: MsgNo,
        /// Not less than that of the entry before.
        created_at: UnixMs,
        /// The entries between the one before it, as the owner knows that, and this one; oldest first.
        tail: Vec<EntryRow>,
    },
    /// The owner's view of the log is stale, or an earlier entry of the conversation did not commit: nothing was
    /// written. Load the tail, validate again, submit under a new generation.
    Conflict,
    /// This sender used this `client_msg_id` before; nothing was written. The owner's view may be stale too: load the
    /// tail and submit under a new generation, as after a `Conflict`. Later entries of the conversation in flight come
    /// back as `Conflict`.
    Duplicate {
        /// Where the first one is.
        seq: Seq,
        /// Its message count.
        msg_no: MsgNo,
        /// Its time.
        created_at: UnixMs,
        /// Hash of the command that made it.
        command_hash: i64,
    },
    /// The database refuses this very entry, and will again. Later entries come back as `Conflict`; submit them under a
    /// new generation.
    Rejected {
        /// For the server's log.
        reason: String,
    },
}

/// Every place of the writer's queue is taken; nothing was accepted. The request comes back.
#[derive(Debug)]
pub struct QueueFull(pub Append);
