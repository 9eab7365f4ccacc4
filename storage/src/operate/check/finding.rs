//! What may be wrong with a database, by name.

use std::fmt;

/// Declares the kinds: variant, name, meaning.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// One way for a database to be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl FindingKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in reports; never changes its meaning.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

kinds! {
    /// The file is damaged below the level of tables (SQLite's own check).
    FileDamaged = "file_damaged",
    /// Rows refer to rows that do not exist (SQLite's own check).
    ForeignKeyBroken = "foreign_key_broken",
    /// A table or some of its rows cannot be read.
    Unreadable = "unreadable",
    /// A table, column, index, constraint or sequence of this release is missing.
    SchemaMissing = "schema_missing",
    /// A part of the schema is not as this release makes it, or an index is invalid.
    SchemaDiffers = "schema_differs",
    /// Somebody put a trigger or rule on a table of ringwire's: what is written may not be what is stored.
    TriggerForeign = "trigger_foreign",
    /// The row that counts new ids is missing: nothing that needs one can be made.
    IdsMissing = "ids_missing",
    /// There is not exactly one key of the command hashes: retries cannot be told from new commands.
    CommandKeyWrong = "command_key_wrong",
    /// A number is outside of what it can mean.
    OutOfRange = "out_of_range",
    /// Entries are missing in a log.
    LogGap = "log_gap",
    /// A conversation that was not deleted has no entries at all.
    LogEmpty = "log_empty",
    /// An entry counts fewer messages than the one before.
    MsgNoFalls = "msg_no_falls",
    /// An entry counts more messages than there are entries.
    MsgNoJumps = "msg_no_jumps",
    /// An entry is older than the one before.
    CreatedAtFalls = "created_at_falls",
    /// Entries lie below the floor, where everything is said to be gone.
    EntriesBelowFloor = "entries_below_floor",
    /// A dissolved conversation still has members, requests, bans or pins.
    DissolvedWithMembers = "dissolved_with_members",
    /// A list knows of later activity than the newest entry: entries at the end are missing.
    ActivityBeyondHead = "activity_beyond_head",
    /// A list lags behind the newest entry by more than ten minutes; a crash may do that, the next message mends it.
    ActivityBehindHead = "activity_behind_head",
    /// One sender used one id twice in a conversation: the unique index is damaged.
    DuplicateEntry = "duplicate_entry",
    /// Entries of a conversation or sender that does not exist.
    EntryOrphaned = "entry_orphaned",
    /// A membership without its conversation or user.
    MemberOrphaned = "member_orphaned",
    /// A cursor without its conversation or user.
    CursorOrphaned = "cursor_orphaned",
    /// A password of no user.
    CredentialOrphaned = "credential_orphaned",
    /// A token's subject that means no user.
    IdentityOrphaned = "identity_orphaned",
    /// A name of no room.
    AliasOrphaned = "alias_orphaned",
    /// A device of no user.
    DeviceOrphaned = "device_orphaned",
    /// A refresh token, or one for a forgotten password, of no user.
    TokenOrphaned = "token_orphaned",
    /// A block by or of no user.
    BlockOrphaned = "block_orphaned",
    /// A contact of or with no user.
    ContactOrphaned = "contact_orphaned",
    /// A file without its owner, conversation or entry.
    AttachmentOrphaned = "attachment_orphaned",
    /// A waiting push of no conversation.
    PushOrphaned = "push_orphaned",
    /// A retention mark of no conversation.
    MarkOrphaned = "mark_orphaned",
    /// Words to be found in no conversation.
    SearchOrphaned = "search_orphaned",
    /// An erasure that goes on for no user.
    DeletionOrphaned = "deletion_orphaned",
    /// An edit of no conversation or entry.
    EditOrphaned = "edit_orphaned",
    /// A reaction of nobody, or to nothing.
    ReactionOrphaned = "reaction_orphaned",
    /// A pin of no entry.
    PinOrphaned = "pin_orphaned",
    /// A ban of nobody, or from nothing.
    BanOrphaned = "ban_orphaned",
    /// A wish of nobody, or to join nothing.
    RequestOrphaned = "request_orphaned",
    /// A mention in no entry.
    MentionOrphaned = "mention_orphaned",
    /// An entry is hidden from nobody, or is gone.
    HiddenOrphaned = "hidden_orphaned",
    /// The stored number of like reactions is not the number of these reactions.
    ReactionCountWrong = "reaction_count_wrong",
    /// A conversation whose pair or creator does not exist.
    ConversationOrphaned = "conversation_orphaned",
    /// Somebody has read or received what is not there.
    CursorBeyondHead = "cursor_beyond_head",
    /// Somebody has read more messages than there were: unread counts are too low.
    ReadCountBeyond = "read_count_beyond",
    /// A log is said to be indexed beyond its end: what comes next is not found.
    SearchBeyondHead = "search_beyond_head",
    /// The stored number of members is not the number of members.
    MemberCountWrong = "member_count_wrong",
    /// A group or room has members, but not exactly one owner.
    OwnerCountWrong = "owner_count_wrong",
    /// The members of a direct conversation are not its pair.
    DirectMembersWrong = "direct_members_wrong",
    /// An id exists that will be given away again.
    IdToBeReused = "id_to_be_reused",
    /// A key that sealed bodies is not among the keys of the configuration: no server starts, none of them opens.
    KeyMissing = "key_missing",
    /// Another key is configured under the id of one that sealed bodies: no server starts.
    KeyChanged = "key_changed",
    /// A body does not open with its key: it was changed, moved, or not sealed at all where all must be.
    BodySealedWrong = "body_sealed_wrong",
    /// A body is not an encoded entry.
    BodyUnreadable = "body_unreadable",
}

impl FindingKind {
    /// The kind with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it may come of a crash that lost nothing, and so does not make a database unsound.
    pub const fn is_hint(self) -> bool {
        matches!(self, Self::ActivityBehindHead)
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How.
    pub kind: FindingKind,
    /// In which conversation, where it is one.
    pub conversation_id: Option<i64>,
    /// With which user, where it is one.
    pub user_id: Option<i64>,
    /// Numbers that help to find it; never a body, a name or a secret.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(id) = self.conversation_id {
            write!(f, " conversation={id}")?;
        }
        if let Some(id) = self.user_id {
            write!(f, " user={id}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}
