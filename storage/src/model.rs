//! Rows as the gateway sees them. Bodies are opaque bytes (an encoded `EntryBody`): the store keeps them, it does
//! not read them.

use bytes::Bytes;
use ringwire_protocol::{ConversationId, MsgNo, Seq, UnixMs, UserId};

/// What a conversation is for; the numbers are those of the wire and of the `kind` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum ConversationKind {
    /// Two users, unique for the pair.
    Direct = 0,
    /// Invited members.
    Group = 1,
    /// Anyone may join and read.
    Room = 2,
}

impl ConversationKind {
    /// The kind with this number.
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            0 => Some(Self::Direct),
            1 => Some(Self::Group),
            2 => Some(Self::Room),
            _ => None,
        }
    }
}

/// What a member may do; the numbers are those of the wire and of the `role` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum Role {
    /// Reads and writes.
    Member = 0,
    /// Also manages members and settings.
    Admin = 1,
    /// Also manages admins; there is exactly one in a group.
    Owner = 2,
}

impl Role {
    /// The role with this number.
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            0 => Some(Self::Member),
            1 => Some(Self::Admin),
            2 => Some(Self::Owner),
            _ => None,
        }
    }
}

/// A registered or provisioned user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Identity.
    pub user_id: UserId,
    /// Unique without regard to case. Provisioned users have `user-<id>` or what their token said.
    pub username: String,
    /// What others see; empty: the user name.
    pub display_name: String,
    /// Where the picture is; empty: none.
    pub avatar_url: String,
    /// `#rrggbb`; empty: whatever the client chooses.
    pub color: String,
    /// Registration time.
    pub created_at: UnixMs,
}

/// The newest position of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// Position of the newest entry.
    pub seq: Seq,
    /// Messages up to it.
    pub msg_no: MsgNo,
    /// When it was made.
    pub created_at: UnixMs,
}

/// One committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Position in it.
    pub seq: Seq,
    /// Messages up to and with this entry.
    pub msg_no: MsgNo,
    /// Who made it; `None`: the server.
    pub sender_id: Option<UserId>,
    /// By the owner's clock, never less than the entry before.
    pub created_at: UnixMs,
    /// Unique per (conversation, sender).
    pub client_msg_id: String,
    /// The encoded body; empty when it was erased, or is `damaged`.
    pub body: Bytes,
    /// The stored body does not open: it was changed or moved, or its key is not there. The log of the server says more.
    pub damaged: bool,
    /// Keyed hash of the command that made it, to tell a retry from a reuse of the id.
    pub command_hash: i64,
    /// What later entries, or the reader, did to it; `None`: nothing.
    pub marks: Option<Box<EntryMarks>>,
}

/// What happened to an entry after it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryMarks {
    /// When its body was last replaced; 0: never.
    pub edited_at: UnixMs,
    /// When its body was taken back; 0: never.
    pub recalled_at: UnixMs,
    /// The most frequent first, at most [`REACTIONS_TOLD`].
    pub reactions: Vec<ReactionCount>,
    /// The reader has hidden it; its body is left out.
    pub hidden: bool,
}

impl EntryMarks {
    /// As an entry's own row tells them; `None`: nothing happened to it.
    pub(crate) fn of_row(
        edited_at: Option<UnixMs>,
        recalled_at: Option<UnixMs>,
    ) -> Option<Box<Self>> {
        (edited_at.is_some() || recalled_at.is_some()).then(|| {
            Box::new(Self {
                edited_at: edited_at.unwrap_or(0),
                recalled_at: recalled_at.unwrap_or(0),
                ..Self::default()
            })
        })
    }
}

/// Reactions told with an entry.
pub const REACTIONS_TOLD: usize = 32;

/// How many users reacted alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionCount {
    /// With what.
    pub reaction: String,
    /// How many.
    pub count: u32,
    /// The reader is among them.
    pub own: bool,
}

/// One member of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Who.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
    /// When they joined.
    pub joined_at: UnixMs,
    /// Until when they may not send; 0: not muted.
    pub muted_until: UnixMs,
}

/// A member with profile and cursors, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberProfile {
    /// The membership.
    pub member: MemberRow,
    /// The profile.
    pub user: UserRow,
    /// How far they have read.
    pub read_seq: Seq,
    /// How far a device of theirs has everything.
    pub delivered_seq: Seq,
    /// Until when they may not become a member; 0: not banned. In the list of those alone.
    pub banned_until: UnixMs,
    /// When they asked to become a member; 0: did not. In the list of those alone, like the next.
    pub requested_at: UnixMs,
    /// What they said to it.
    pub request_text: String,
}

impl MemberProfile {
    /// Somebody who is no member.
    pub(crate) fn of_stranger(user: UserRow) -> Self {
        let user_id = user.user_id;
        Self {
            member: MemberRow { user_id, role: Role::Member, joined_at: 0, muted_until: 0 },
            user,
            read_seq: 0,
            delivered_seq: 0,
            banned_until: 0,
            requested_at: 0,
            request_text: String::new(),
        }
    }
}

/// Everything the owner shard needs to take a conversation into memory, read in one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSnapshot {
    /// Identity.
    pub conversation_id: ConversationId,
    /// What it is for.
    pub kind: ConversationKind,
    /// Encoded `GroupSettings`.
    pub settings: Bytes,
    /// Newest position.
    pub head: LogHead,
    /// Entries below are gone (retention); 1 when none is.
    pub floor_seq: Seq,
    /// All members, by user id.
    pub members: Vec<MemberRow>,
    /// The newest entries, oldest first.
    pub recent: Vec<EntryRow>,
    /// What else later entries have made of it.
    pub state: ConversationState,
}

/// What entries have made of a conversation, beside its members and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationState {
    /// Until then only owner and admins may send; 0: everyone may.
    pub muted_until: UnixMs,
    /// Who may not become a member, and until when; by user id.
    pub bans: Vec<(UserId, UnixMs)>,
    /// Who asked to become a member, by user id.
    pub requests: Vec<UserId>,
    /// Pinned entries, oldest pin first.
    pub pins: Vec<Seq>,
    /// Direct: one of the two blocks the other.
    pub blocked: bool,
    /// Nobody is a member any more, and nothing follows; its log still tells a retry what became of the first try.
    pub dissolved: bool,
}

/// One line in a user's list of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// Identity.
    pub conversation_id: ConversationId,
    /// What it is for.
    pub kind: ConversationKind,
    /// Encoded `GroupSettings`.
    pub settings: Bytes,
    /// When it was made.
    pub created_at: UnixMs,
    /// How many members it has.
    pub member_count: u32,
    /// The user's own role.
    pub role: Role,
    /// Newest position.
    pub head: LogHead,
    /// About when something last happened; orders the list, nothing else.
    pub last_activity_at: UnixMs,
    /// The newest entry.
    pub last_entry: Option<EntryRow>,
    /// How far the user has seen the log: the read cursor, or a message of their own behind it (among the newest
    /// [`OWN_ENTRY_WINDOW`]), because cursors are written behind.
    pub read_seq: Seq,
    /// Message count at `read_seq`.
    pub read_msg_no: MsgNo,
    /// The user's delivered cursor.
    pub delivered_seq: Seq,
    /// Both users of a direct conversation; empty for groups.
    pub users: Vec<UserRow>,
    /// Unread messages of others that mention the user, or everyone, behind [`HeadRow::read_seq`] and not hidden; at most
    /// [`MENTIONS_COUNTED`] of either kind are counted.
    pub mentions_unread: u64,
    /// Pinned entries, oldest pin first.
    pub pins: Vec<Seq>,
    /// Until then only owner and admins may send; 0: everyone may.
    pub muted_until: UnixMs,
    /// Until then the user may not send; 0: may.
    pub own_muted_until: UnixMs,
}

impl EntryRow {
    /// Whether the database holds a body, which may not open.
    pub fn has_body(&self) -> bool {
        self.damaged || !self.body.is_empty()
    }

    /// The head of a log whose newest entry this is.
    pub const fn head(&self) -> LogHead {
        LogHead { seq: self.seq, msg_no: self.msg_no, created_at: self.created_at }
    }
}

/// How many of the newest entries are looked through for a message of the user's own behind their read cursor. Own
/// messages move that cursor, which is written behind: this covers the time until then, and a crash.
pub const OWN_ENTRY_WINDOW: u32 = 32;

/// So many mentions of one kind are counted in one line of a list: what it takes stays bounded in a room that somebody
/// has not read for years.
pub const MENTIONS_COUNTED: u32 = 1_000;

impl HeadRow {
    /// Messages the user has not read: those behind [`HeadRow::read_seq`].
    pub fn unread(&self) -> u64 {
        self.head.msg_no.saturating_sub(self.read_msg_no)
    }
}

/// Where the next page of a user's list begins: before this (activity, conversation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadsAfter {
    /// `last_activity_at` of the last line of the page before.
    pub last_activity_at: UnixMs,
    /// Its conversation.
    pub conversation_id: ConversationId,
}

/// Which stretch of a log to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryWindow {
    /// The end of the log.
    Newest,
    /// The newest entries below a position.
    Before(Seq),
    /// The oldest entries above a position.
    After(Seq),
    /// The entry at a position, half of the page before it and half after it.
    Around(Seq),
}

/// At most so many of the entries next to a position, on one side of it.
type Side = (Seq, u32);

impl HistoryWindow {
    /// What lies before one position, and what lies after another, makes a page.
    pub(crate) fn parts(self, limit: u32) -> (Option<Side>, Option<Side>) {
        match self {
            Self::Newest => (Some((Seq::MAX, limit)), None),
            Self::Before(seq) => (Some((seq, limit)), None),
            Self::After(seq) => (None, Some((seq, limit))),
            Self::Around(seq) => {
                let before = limit.saturating_sub(1) / 2;
                (Some((seq, before)), Some((seq.saturating_sub(1), limit - before)))
            }
        }
    }
}

/// A stretch of a log, read in one snapshot with the caller's membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Oldest first.
    pub entries: Vec<EntryRow>,
    /// Newest position of the log in that snapshot.
    pub head: LogHead,
    /// Entries below are gone; 1 when none is.
    pub floor_seq: Seq,
}

/// What `connect` tells a client, read in one snapshot.
#[derive(Clone, Debug)]
pub struct SessionSnapshot {
    /// The newest lines of the list.
    pub heads: Vec<HeadRow>,
    /// Whether there are more lines.
    pub more_heads: bool,
    /// The sum of [`HeadRow::unread`] over all lines, also those that did not fit.
    pub total_unread: u64,
    /// One for each cursor asked, in that order; `None`: not a member.
    pub syncs: Vec<Option<LogPage>>,
}

/// A cursor to be written behind. Cursors only rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorRow {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Whose cursor.
    pub user_id: UserId,
    /// Everything up to here was seen; 0: no change.
    pub read_seq: Seq,
    /// A device has everything up to here; 0: no change.
    pub delivered_seq: Seq,
}

/// A user to be registered.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Unique without regard to case.
    pub username: String,
    /// Unique without regard to case.
    pub email: Option<String>,
    /// What others see.
    pub display_name: String,
    /// A PHC string (argon2id).
    pub password_hash: String,
}

/// A group or room to be made; its first entry goes with it.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// `Group` or `Room`.
    pub kind: ConversationKind,
    /// Becomes its owner.
    pub creator: UserId,
    /// The other members, without the creator.
    pub members: Vec<UserId>,
    /// Encoded `GroupSettings`.
    pub settings: Bytes,
    /// Makes a retry find the group of the first try.
    pub client_msg_id: String,
    /// The encoded `Created` body of entry 1.
    pub body: Bytes,
    /// Hash of the command.
    pub command_hash: i64,
}

/// What became of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// The user exists now.
    Registered(UserRow),
    /// Somebody has that user name (without regard to case); nothing was written.
    UsernameTaken,
    /// Somebody has that address (without regard to case); nothing was written.
    EmailTaken,
}

impl NewGroup {
    /// The members besides the creator, sorted, each once.
    pub(crate) fn others(&self) -> Vec<UserId> {
        let mut others: Vec<_> =
            self.members.iter().copied().filter(|&user| user != self.creator).collect();
        others.sort_unstable();
        others.dedup();
        others
    }
}

/// Gives each line of a direct conversation its two users.
pub(crate) fn attach_users(
    lines: Vec<(HeadRow, [Option<i64>; 2])>,
    users: &[UserRow],
) -> Vec<HeadRow> {
    let find = |id: i64| users.iter().find(|user| user.user_id.as_i64() == id).cloned();
    lines
        .into_iter()
        .map(|(mut line, pair)| {
            line.users = pair.into_iter().flatten().filter_map(find).collect();
            line.users.dedup();
            line
        })
        .collect()
}
