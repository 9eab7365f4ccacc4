//! Who may do what: one table, operation × caller, as data. The rules of conversations take their decisions from it,
//! `docs/permissions.md` is written from it, and a test tries every cell against a running server.
//!
//! ```text
//!   wire::command::Op ─► Operation ─► row ─┬─ who the caller is (owner, admin, member, outsider, banned, direct)
//!                                          └─ what restricts them (muted, blocked), which only ever takes away
//! ```
//!
//! Invariants: every command has a row (the match in [`Operation::of`] has no default), every row has every column (or
//! the table does not compile), and of what becomes an entry, and of typing, nothing but this table says that a role may
//! do it.
//!
//! The rest is decided where the data is, and the table only tells of it; that test keeps the two together. What is read
//! from the database (`sync`, `history`, `members`, `read_by`) and `hide` are for members, and the lists of who is banned
//! or asked to join for owner and admins, as the statements of the store say. A cursor (`read`, `delivered`) is for who
//! is a member by what is committed: what is in flight, by which the rules judge, may not become so.

use ringwire_protocol::ErrorCode;
use ringwire_protocol::ErrorCode::{
    AlreadyMember, Banned as IsBanned, Blocked as IsBlocked, Forbidden, Muted as IsMuted, NotMember,
};
use ringwire_protocol::wire::command::Op;

use Verdict::{
    AsJoinPolicy, AsRole, IfMembersMayInvite, Lower, No, Own, OwnUnlessAnnouncements,
    UnlessAnnouncements, Yes,
};

/// Who somebody is to a conversation, or what restricts them there: the columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Owns the group or room.
    Owner,
    /// Helps the owner.
    Admin,
    /// Belongs to a group or room.
    Member,
    /// Belongs to it, in any role, and may not send for a while; as [`Caller::Member`]s are while everyone is muted.
    Muted,
    /// Does not belong to the conversation.
    Outsider,
    /// Does not belong to it, and may not for a while.
    Banned,
    /// One of the two of a direct conversation.
    Direct,
    /// Likewise, while one of them blocks the other.
    Blocked,
}

impl Caller {
    /// Every column, in order.
    pub const ALL: [Self; 8] = [
        Self::Owner,
        Self::Admin,
        Self::Member,
        Self::Muted,
        Self::Outsider,
        Self::Banned,
        Self::Direct,
        Self::Blocked,
    ];

    /// The column's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Muted => "muted",
            Self::Outsider => "outsider",
            Self::Banned => "banned",
            Self::Direct => "direct",
            Self::Blocked => "blocked",
        }
    }

    /// What the column is about, for the generated reference.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "Owns the group or room; there is exactly one.",
            Self::Admin => "Manages members and settings for the owner.",
            Self::Member => "Belongs to the group or room.",
            Self::Muted => {
                "Belongs to it in any role and is muted; members also while everyone is."
            }
            Self::Outsider => "Does not belong to the conversation.",
            Self::Banned => "Does not belong to it, and may not become a member for a while.",
            Self::Direct => "One of the two of a direct conversation.",
            Self::Blocked => "Likewise, while one of the two blocks the other.",
        }
    }
}

/// What the table says: a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Yes,
    /// Only with what they said themselves, and within its window.
    Own,
    /// Only with those whose role is lower than theirs.
    Lower,
    /// Unless only owner and admins may send (`announcement_only`).
    UnlessAnnouncements,
    /// As [`Verdict::Own`], unless only owner and admins may send.
    OwnUnlessAnnouncements,
    /// If the group's settings let members invite (`members_may_invite`).
    IfMembersMayInvite,
    /// As the join policy says: at once, with the code, by asking, or not at all (`CONVERSATION_NOT_FOUND`).
    AsJoinPolicy,
    /// What their role says: the restriction does not matter here.
    AsRole,
    /// No, and this is the answer.
    No(ErrorCode),
}

impl Verdict {
    /// The cell in words, for the generated reference.
    pub const fn words(self) -> &'static str {
        match self {
            Yes => "yes",
            Own => "own",
            Lower => "lower roles",
            UnlessAnnouncements => "unless announcements only",
            OwnUnlessAnnouncements => "own, unless announcements only",
            IfMembersMayInvite => "if members may invite",
            AsJoinPolicy => "as the join policy says",
            AsRole => "as their role",
            No(code) => code.name(),
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which operation.
    pub operation: Operation,
    /// What it is called: its command, or what a command may carry.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// It is about the caller alone, so that whoever is connected may.
    pub of_caller_alone: bool,
    cells: [Verdict; Caller::ALL.len()],
}

impl Row {
    /// What the table says about a caller.
    pub const fn cell(&self, caller: Caller) -> Verdict {
        self.cells[caller as usize]
    }
}

macro_rules! operations {
    (@alone [caller]) => { true };
    (@alone [$($cell:expr),+ $(,)?]) => { false };
    (@cells [caller]) => { [Yes; Caller::ALL.len()] };
    (@cells [$($cell:expr),+ $(,)?]) => { [$($cell),+] };
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $cells:tt;)+) => {
        /// Everything a caller can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Operation {
            /// The whole table, in the order of the schema.
            pub const TABLE: &'static [Row] = &[$(Row {
                operation: Self::$variant,
                name: $name,
                meaning: concat!($($doc),+).trim_ascii(),
                of_caller_alone: operations!(@alone $cells),
                cells: operations!(@cells $cells),
            }),+];
        }
    };
}

// Columns: owner, admin, member, muted, outsider, banned, direct, blocked.
operations! {
    /// Begin a session.
    Connect = "connect": [caller];
    /// Swap the token of the live session.
    Refresh = "refresh": [caller];
    /// Ask whether the server is there.
    Ping = "ping": [caller];
    /// Say how one shows to others.
    SetStatus = "set_status": [caller];
    /// Not hear from a user any more, or again.
    Block = "block": [caller];
    /// End another session of one's own.
    EndSession = "end_session": [caller];

    /// Say something.
    Send = "send": [Yes, Yes, UnlessAnnouncements, No(IsMuted), No(NotMember), No(NotMember), Yes, No(IsBlocked)];
    /// Address everyone in a message (`mention_all`).
    MentionAll = "send mention_all": [
        Yes, Yes, No(Forbidden), No(IsMuted), No(NotMember), No(NotMember), Yes, No(IsBlocked),
    ];
    /// Give a message another content.
    Edit = "edit": [Own, Own, OwnUnlessAnnouncements, No(IsMuted), No(NotMember), No(NotMember), Own, No(IsBlocked)];
    /// Take a message back.
    Recall = "recall": [Yes, Yes, Own, AsRole, No(NotMember), No(NotMember), Own, AsRole];
    /// React to a message, or take that back.
    React = "react": [Yes, Yes, Yes, No(IsMuted), No(NotMember), No(NotMember), Yes, No(IsBlocked)];
    /// Pin a message, or unpin it.
    Pin = "pin": [Yes, Yes, No(Forbidden), AsRole, No(NotMember), No(NotMember), Yes, No(IsBlocked)];
    /// Remove entries from one's own view.
    Hide = "hide": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];

    /// Say how far one has read.
    Read = "read": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// Say how far a device has everything.
    Delivered = "delivered": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// Show that one is writing.
    Typing = "typing": [Yes, Yes, UnlessAnnouncements, No(IsMuted), No(NotMember), No(NotMember), Yes, No(IsBlocked)];
    /// Change whose presence this session watches.
    WatchPresence = "watch_presence": [caller];

    /// Read what one missed.
    Sync = "sync": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// Read a stretch of the log.
    History = "history": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// List one's own conversations.
    Heads = "heads": [caller];
    /// List the members.
    Members = "members": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// List who is banned, or who asked to join.
    MembersKept = "members list": [
        Yes, Yes, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole,
    ];
    /// List who has read an entry.
    ReadBy = "read_by": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), Yes, AsRole];
    /// List whom one blocks.
    Blocks = "blocks": [caller];
    /// List one's own sessions.
    Sessions = "sessions": [caller];

    /// Open the direct conversation with a user; not while one of the two blocks the other.
    OpenDirect = "open_direct": [caller];
    /// Make a group or room, and own it.
    CreateGroup = "create_group": [caller];
    /// Change the settings.
    UpdateGroup = "update_group": [
        Yes, Yes, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole,
    ];
    /// Become a member.
    Join = "join": [
        No(AlreadyMember), No(AlreadyMember), No(AlreadyMember), AsRole, AsJoinPolicy, No(IsBanned), No(AlreadyMember), AsRole,
    ];
    /// Not be a member any more.
    Leave = "leave": [Yes, Yes, Yes, AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole];
    /// Take users in; also what shows the join code.
    Invite = "invite": [Yes, Yes, IfMembersMayInvite, AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole];
    /// Put members out.
    Remove = "remove": [Lower, Lower, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole];
    /// Give a member another role; with OWNER the group itself.
    SetRole = "set_role": [
        Lower, No(Forbidden), No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole,
    ];
    /// Keep a member, or everyone but owner and admins, from sending for a while.
    Mute = "mute": [Lower, Lower, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole];
    /// Put a user out and keep them out for a while.
    Ban = "ban": [Lower, Lower, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole];
    /// Take in who asked to join, or refuse them.
    ResolveJoin = "resolve_join": [
        Yes, Yes, No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole,
    ];
    /// End the group for everyone.
    Dissolve = "dissolve": [
        Yes, No(Forbidden), No(Forbidden), AsRole, No(NotMember), No(NotMember), No(Forbidden), AsRole,
    ];
}

impl Operation {
    /// What a command asks for. What it carries may need more: see [`Operation::MentionAll`] and
    /// [`Operation::MembersKept`].
    pub const fn of(op: &Op) -> Self {
        match op {
            Op::Connect(_) => Self::Connect,
            Op::Refresh(_) => Self::Refresh,
            Op::Ping(_) => Self::Ping,
            Op::SetStatus(_) => Self::SetStatus,
            Op::Block(_) => Self::Block,
            Op::EndSession(_) => Self::EndSession,
            Op::Send(_) => Self::Send,
            Op::Edit(_) => Self::Edit,
            Op::Recall(_) => Self::Recall,
            Op::React(_) => Self::React,
            Op::Pin(_) => Self::Pin,
            Op::Hide(_) => Self::Hide,
            Op::Read(_) => Self::Read,
            Op::Delivered(_) => Self::Delivered,
            Op::Typing(_) => Self::Typing,
            Op::WatchPresence(_) => Self::WatchPresence,
            Op::Sync(_) => Self::Sync,
            Op::History(_) => Self::History,
            Op::Heads(_) => Self::Heads,
            Op::Members(_) => Self::Members,
            Op::ReadBy(_) => Self::ReadBy,
            Op::Blocks(_) => Self::Blocks,
            Op::Sessions(_) => Self::Sessions,
            Op::OpenDirect(_) => Self::OpenDirect,
            Op::CreateGroup(_) => Self::CreateGroup,
            Op::UpdateGroup(_) => Self::UpdateGroup,
            Op::Join(_) => Self::Join,
            Op::Leave(_) => Self::Leave,
            Op::Invite(_) => Self::Invite,
            Op::Remove(_) => Self::Remove,
            Op::SetRole(_) => Self::SetRole,
            Op::Mute(_) => Self::Mute,
            Op::Ban(_) => Self::Ban,
            Op::ResolveJoin(_) => Self::ResolveJoin,
            Op::Dissolve(_) => Self::Dissolve,
        }
    }

    /// Its line of the table.
    pub const fn row(self) -> &'static Row {
        &Self::TABLE[self as usize]
    }

    /// What somebody may do, given who they are and what restricts them there. Never [`Verdict::AsRole`].
    pub const fn verdict(self, caller: Caller, restriction: Option<Caller>) -> Verdict {
        if let Some(restriction) = restriction {
            let restricted = self.row().cell(restriction);
            if !matches!(restricted, AsRole) {
                return restricted;
            }
        }
        self.row().cell(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_operations_and_of_the_columns() {
        for (place, row) in Operation::TABLE.iter().enumerate() {
            assert_eq!(row.operation as usize, place, "{}", row.name);
            assert!(row.meaning.ends_with('.'), "{}", row.name);
        }
        for (place, caller) in Caller::ALL.iter().enumerate() {
            assert_eq!(*caller as usize, place);
        }
        let mut names: Vec<_> = Operation::TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Operation::TABLE.len());
    }

    #[test]
    fn only_restrictions_refer_to_the_role_and_they_only_take_away() {
        for row in Operation::TABLE {
            for caller in Caller::ALL {
                let restriction = matches!(caller, Caller::Muted | Caller::Blocked);
                let cell = row.cell(caller);
                let refers = matches!(cell, AsRole);
                if restriction && !row.of_caller_alone {
                    assert!(refers || matches!(cell, No(_)), "{} {}", row.name, caller.title());
                } else {
                    assert!(!refers, "{} {}", row.name, caller.title());
                }
            }
        }
    }

    #[test]
    fn an_admin_may_not_do_what_the_owner_may_not_and_strangers_may_only_join() {
        for row in Operation::TABLE.iter().filter(|row| !row.of_caller_alone) {
            let may = |caller| !matches!(row.cell(caller), No(_));
            assert!(may(Caller::Owner) || !may(Caller::Admin), "{}", row.name);
            assert!(may(Caller::Admin) || !may(Caller::Member), "{}", row.name);
            let joins = row.operation == Operation::Join;
            assert_eq!(may(Caller::Outsider), joins, "{}", row.name);
            assert!(!may(Caller::Banned), "{}", row.name);
        }
    }

    #[test]
    fn a_restriction_comes_before_the_role() {
        let muted = Some(Caller::Muted);
        assert_eq!(Operation::Send.verdict(Caller::Admin, muted), No(ErrorCode::Muted));
        assert_eq!(Operation::Remove.verdict(Caller::Admin, muted), Lower);
        assert_eq!(Operation::Send.verdict(Caller::Admin, None), Yes);
    }
}
