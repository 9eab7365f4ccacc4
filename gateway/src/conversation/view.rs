//! The state as it will be when everything in flight has committed: what a command is judged by.
//!
//! Nothing is copied. While nothing in flight decides anything the view is the committed state; otherwise each question
//! goes through what is in flight, which is short then.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::VecDeque;

use prost::Message as _;
use ringwire_protocol::{Seq, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, Role};

use super::InFlight;
use super::members::Member;
use super::state::{State, ban_after, member_after, request_after};
use crate::permissions::Caller;

/// The committed state with what is in flight on top.
pub(super) struct View<'a> {
    state: &'a State,
    /// Empty unless something in it decides.
    in_flight: &'a VecDeque<InFlight>,
    any: bool,
}

impl<'a> View<'a> {
    /// `any`: something in flight decides.
    pub(super) fn new(state: &'a State, in_flight: &'a VecDeque<InFlight>, any: bool) -> Self {
        Self { state, in_flight, any }
    }

    fn changes(&self) -> impl DoubleEndedIterator<Item = (UserId, &'a Change)> + use<'a> {
        let most = if self.any { self.in_flight.len() } else { 0 };
        self.in_flight.iter().take(most).map(|entry| (entry.submission.from, &entry.change))
    }

    /// A member.
    pub(super) fn member(&self, user: UserId) -> Option<Member> {
        let before = self.state.members.get(user);
        self.changes().fold(before, |member, (_, change)| member_after(user, member, change))
    }

    /// Until when a user is banned; 0: is not.
    pub(super) fn banned_until(&self, user: UserId) -> UnixMs {
        let before = self.state.bans.get(&user).copied().unwrap_or(0);
        self.changes().fold(before, |until, (_, change)| ban_after(user, until, change))
    }

    /// Whether a user asked to join and waits.
    pub(super) fn has_asked(&self, user: UserId) -> bool {
        let before = self.state.requests.contains(&user);
        self.changes().fold(before, |asked, (sender, change)| {
            request_after(user, asked, Some(sender), change)
        })
    }

    /// The settings.
    pub(super) fn settings(&self) -> Cow<'a, wire::GroupSettings> {
        let newest = self.changes().rev().find_map(|(_, change)| match change {
            Change::Settings(settings) => wire::GroupSettings::decode(settings.clone()).ok(),
            _ => None,
        });
        newest.map_or(Cow::Borrowed(&self.state.settings), Cow::Owned)
    }

    /// Until when only owner and admins may send.
    pub(super) fn muted_until(&self) -> UnixMs {
        let newest = self.changes().rev().find_map(|(_, change)| match change {
            Change::Mute { user_id: None, until } => Some(*until),
            _ => None,
        });
        newest.unwrap_or(self.state.muted_until)
    }

    /// Whether nobody is a member any more, and nobody may become one.
    pub(super) fn is_dissolved(&self) -> bool {
        self.state.dissolved || self.changes().any(|(_, change)| *change == Change::Dissolve)
    }

    /// Whether an entry is taken back by something in flight.
    pub(super) fn is_recalled(&self, seq: Seq) -> bool {
        self.changes().any(|(_, change)| *change == Change::Recall { target_seq: seq })
    }

    /// Whether an entry is pinned.
    pub(super) fn is_pinned(&self, seq: Seq) -> bool {
        let newest = self.changes().rev().find_map(|(_, change)| match change {
            Change::Pin { target_seq, removed } if *target_seq == seq => Some(!removed),
            Change::Recall { target_seq } if *target_seq == seq => Some(false),
            _ => None,
        });
        newest.unwrap_or_else(|| self.state.pins.contains(&seq))
    }

    /// As many members as there may be, if what is in flight takes in and lets nobody go. Like the three below, it errs on the
    /// safe side: a refusal for it waits until all of that is decided.
    pub(super) fn most_members(&self) -> usize {
        let joining = self.changes().map(|(_, change)| match change {
            Change::Join(users) => users.len(),
            _ => 0,
        });
        self.state.members.count() + joining.sum::<usize>()
    }

    /// Likewise for pins.
    pub(super) fn most_pins(&self) -> usize {
        let pins = |change: &Change| matches!(change, Change::Pin { removed: false, .. });
        self.state.pins.len() + self.changes().filter(|(_, change)| pins(change)).count()
    }

    /// Likewise for bans that are not over.
    pub(super) fn most_bans(&self, now: UnixMs) -> usize {
        let bans = |change: &Change| matches!(change, Change::Ban { until, .. } if *until != 0);
        self.state.bans.values().filter(|until| **until > now).count()
            + self.changes().filter(|(_, change)| bans(change)).count()
    }

    /// Likewise for requests to join.
    pub(super) fn most_requests(&self) -> usize {
        let asks = |change: &Change| matches!(change, Change::RequestJoin { .. });
        self.state.requests.len() + self.changes().filter(|(_, change)| asks(change)).count()
    }

    /// Who somebody is here, and what restricts them; `blocked` counts in direct conversations.
    pub(super) fn caller(
        &self,
        user: UserId,
        blocked: bool,
        now: UnixMs,
    ) -> (Caller, Option<Caller>) {
        let Some(member) = self.member(user) else {
            let banned = self.banned_until(user) > now;
            return (if banned { Caller::Banned } else { Caller::Outsider }, None);
        };
        if self.state.kind == ConversationKind::Direct {
            return (Caller::Direct, blocked.then_some(Caller::Blocked));
        }
        let (caller, all_muted) = match member.role {
            Role::Owner => (Caller::Owner, 0),
            Role::Admin => (Caller::Admin, 0),
            Role::Member => (Caller::Member, self.muted_until()),
        };
        let muted = member.muted_until.max(all_muted) > now;
        (caller, muted.then_some(Caller::Muted))
    }

    /// Who inherits a group whose owner leaves: the admin, or else the member, with the lowest id.
    pub(super) fn heir(&self, leaving: UserId) -> Option<UserId> {
        let joining = self.changes().flat_map(|(_, change)| match change {
            Change::Join(users) => users.as_slice(),
            _ => &[],
        });
        self.state
            .members
            .users()
            .chain(joining.copied())
            .filter(|user| *user != leaving)
            .filter_map(|user| self.member(user).map(|member| (user, member.role)))
            .min_by_key(|(user, role)| (Reverse(*role), *user))
            .map(|(user, _)| user)
    }
}
