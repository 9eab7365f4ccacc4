//! What shards ask of the service thread, and what it answers.

use ringwire_protocol::{CommandError, ConversationId, Seq, UnixMs, UserId, wire};
use ringwire_storage::model::{ConversationSnapshot, CursorRow, EntryRow, LogPage};
use ringwire_storage::presence::SeenBy;
use wire::reply::Outcome;

use crate::command::named::Named;
use crate::command::query::Query;
use crate::conversation::answer::ReplyTo;
use crate::hooks::before_send::Screening;
use crate::placement::ShardId;
use crate::presence::watches::Check;
use crate::session::opening::{OpenRequest, Opened};
use crate::session::registry::SessionKey;

/// One call of a shard. Its answer's place in the shard's mailbox is reserved.
pub struct Call {
    /// Who asks.
    pub shard: ShardId,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    /// Which user a token of another issuer means.
    Resolve {
        /// Returned with the answer.
        waiter: u64,
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: String,
        /// A proposal for the name of a new user; may be empty.
        name_hint: String,
    },
    /// Everything `connected` tells.
    OpenSession {
        /// Returned with the answer.
        session: SessionKey,
        /// Whose session, and where its client stands.
        request: Box<OpenRequest>,
        /// The user's cursors that are not written yet.
        dirty: Vec<CursorRow>,
    },
    /// A command that the database answers.
    Query {
        /// Whose command.
        user: UserId,
        /// Where the answer goes.
        reply_to: ReplyTo,
        /// The command.
        query: Query,
        /// The user's cursors that are not written yet, for commands that read them.
        dirty: Vec<CursorRow>,
    },
    /// Who the users are that a command names.
    Identify(Box<Named>),
    /// What the hook says to a message.
    Screen(Box<Screening>),
    /// An entry that a command is about.
    LoadTarget {
        /// Whose log.
        conversation_id: ConversationId,
        /// Which entry.
        seq: Seq,
        /// Returned with the answer.
        asked: u64,
    },
    /// Whether one of two users blocks the other.
    LoadBlocks {
        /// Their direct conversation.
        conversation_id: ConversationId,
        /// The two.
        users: [UserId; 2],
        /// Returned with the answer.
        asked: u64,
    },
    /// A conversation that an owner needs in memory.
    LoadConversation(ConversationId),
    /// The entries behind a position that an owner has not seen.
    LoadTail {
        /// Whose log.
        conversation_id: ConversationId,
        /// The last one known.
        after: Seq,
    },
    /// Cursors to be written.
    SaveCursors(Vec<CursorRow>),
    /// What a session may see of users.
    SeePresence {
        /// What is asked, and for whom.
        check: Check,
        /// The command that waits for it; `None`: it is asked again.
        reply_to: Option<ReplyTo>,
    },
    /// When users were last there, to be written.
    SaveLastSeen(Vec<(UserId, UnixMs)>),
}

/// What a command that the database carried out has to make known.
#[derive(Debug)]
pub enum News {
    /// It made this conversation.
    Made(ConversationId),
    /// It hid entries from the caller's own view.
    Hidden {
        /// The caller.
        user: UserId,
        /// What the caller's sessions are told.
        change: wire::ViewChanged,
    },
    /// It made or ended a block.
    BlockChanged {
        /// The caller.
        user: UserId,
        /// Whom the caller blocks, or no more.
        other: UserId,
        /// Their direct conversation, if they have one.
        direct: Option<ConversationId>,
        /// Whether one blocks the other since.
        blocked: bool,
    },
    /// It changed who may see the caller.
    SeenByOthers {
        /// The caller.
        user: UserId,
    },
}

/// What was answered.
pub enum Served {
    /// To [`Ask::Resolve`].
    Resolved {
        /// From the call.
        waiter: u64,
        /// The user.
        user: Result<UserId, CommandError>,
    },
    /// To [`Ask::OpenSession`].
    SessionOpened {
        /// From the call.
        session: SessionKey,
        /// What to tell.
        opened: Result<Box<Opened>, CommandError>,
    },
    /// To [`Ask::Query`].
    Answered {
        /// From the call.
        reply_to: ReplyTo,
        /// The reply.
        outcome: Result<Box<Outcome>, CommandError>,
        /// What others have to hear of it.
        news: Option<News>,
    },
    /// To [`Ask::Identify`].
    Identified {
        /// From the call.
        named: Box<Named>,
        /// Each once, by id.
        users: Result<Vec<UserId>, CommandError>,
    },
    /// To [`Ask::Screen`].
    Screened {
        /// From the call, perhaps with another text.
        screening: Box<Screening>,
        /// Whether it may go on.
        allowed: Result<(), CommandError>,
    },
    /// To [`Ask::LoadTarget`].
    Target {
        /// From the call.
        id: ConversationId,
        /// From the call.
        seq: Seq,
        /// From the call.
        asked: u64,
        /// `Ok(None)`: there is no such entry.
        row: Result<Option<EntryRow>, CommandError>,
    },
    /// To [`Ask::LoadBlocks`].
    Blocks {
        /// From the call.
        id: ConversationId,
        /// From the call.
        asked: u64,
        /// The answer.
        blocked: Result<bool, CommandError>,
    },
    /// To [`Ask::LoadConversation`].
    Conversation {
        /// From the call.
        id: ConversationId,
        /// `Ok(None)`: there is none.
        snapshot: Result<Option<Box<ConversationSnapshot>>, CommandError>,
    },
    /// To [`Ask::LoadTail`].
    Tail {
        /// From the call.
        id: ConversationId,
        /// `Ok(None)`: the conversation is gone.
        tail: Result<Option<LogPage>, CommandError>,
    },
    /// To [`Ask::SaveCursors`].
    CursorsSaved {
        /// From the call.
        batch: Vec<CursorRow>,
        /// Whether they are written.
        success: bool,
    },
    /// To [`Ask::SeePresence`].
    PresenceSeen {
        /// From the call.
        check: Check,
        /// From the call.
        reply_to: Option<ReplyTo>,
        /// What the session may see.
        seen: Result<Vec<SeenBy>, CommandError>,
    },
    /// To [`Ask::SaveLastSeen`].
    LastSeenSaved {
        /// From the call.
        batch: Vec<(UserId, UnixMs)>,
        /// Whether they are written.
        success: bool,
    },
}
