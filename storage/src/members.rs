//! Lists of the people of one conversation: members, those who may not become one, those who asked to; and who has read
//! an entry.
//!
//! Invariants: the caller's membership is read in the same snapshot as the list; lists are pages by user id.

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};

use crate::error::StoreError;
use crate::model::{MemberProfile, Role};
use crate::store::{Store, either};

/// Which people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberList {
    /// The members; for every member.
    #[default]
    Members,
    /// Those who may not become one; for owner and admins.
    Banned,
    /// Those who asked to become one; for owner and admins.
    Requests,
}

impl MemberList {
    /// Whether a member with this role may read it.
    pub(crate) fn is_for(self, role: Role) -> bool {
        self == Self::Members || role >= Role::Admin
    }
}

/// A page of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembersPage {
    /// No such conversation, or the caller is no member.
    NotMember,
    /// The list is not for a member of the caller's role.
    NotAllowed,
    /// The page.
    Page {
        /// By user id. Whoever is no member has a role of `Member` and neither a time of joining nor cursors.
        members: Vec<MemberProfile>,
        /// There are more.
        more: bool,
    },
}

impl MembersPage {
    /// Of one profile more than was asked for.
    pub(crate) fn of(mut members: Vec<MemberProfile>, limit: u32) -> Self {
        let more = members.len() > limit as usize;
        members.truncate(limit as usize);
        Self::Page { members, more }
    }
}

/// Who has read an entry; its sender is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBy {
    /// Whether there is such an entry.
    pub exists: bool,
    /// Members who have read it.
    pub read_count: u32,
    /// Members who have it on a device.
    pub delivered_count: u32,
    /// Those who have read it, by id.
    pub users: Vec<UserId>,
    /// There are more of them.
    pub more: bool,
}

impl Store {
    /// People of a conversation by user id, for a member. A ban that is over at `now_ms` is none.
    pub async fn members_page(
        &self,
        user: UserId,
        id: ConversationId,
        list: MemberList,
        after: Option<UserId>,
        limit: u32,
        now_ms: UnixMs,
    ) -> Result<MembersPage, StoreError> {
        let after = after.map_or(0, UserId::as_i64);
        either!(self, store => store.members_page(user, id, list, after, limit, now_ms).await)
    }

    /// Who has read up to an entry, for a member. `None`: no such conversation, or not a member.
    pub async fn read_by(
        &self,
        user: UserId,
        id: ConversationId,
        seq: Seq,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Option<ReadBy>, StoreError> {
        let after = after.map_or(0, UserId::as_i64);
        let read = either!(self, store => store.read_by(user, id, seq, after, limit).await?);
        Ok(read.map(|mut read| {
            read.more = read.users.len() > limit as usize;
            read.users.truncate(limit as usize);
            read
        }))
    }
}
