//! What the log has made of a conversation: who belongs, what holds for them, and how an entry changes it.
//!
//! What a change means for one user is said once, in the functions at the end, for the committed state and for what is in
//! flight (`view.rs`) alike.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use ringwire_protocol::{Seq, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, ConversationState, Role};

use super::members::{Member, Members};

/// The committed state beside the log itself.
#[derive(Debug)]
pub(super) struct State {
    pub(super) kind: ConversationKind,
    /// As stored: see `settings.rs` for its `join_code`.
    pub(super) settings: wire::GroupSettings,
    pub(super) members: Members,
    /// Until when; those that are over go when the next one comes.
    pub(super) bans: BTreeMap<UserId, UnixMs>,
    pub(super) requests: BTreeSet<UserId>,
    /// Oldest pin first.
    pub(super) pins: Vec<Seq>,
    /// Until then only owner and admins may send; 0: everyone may.
    pub(super) muted_until: UnixMs,
    pub(super) dissolved: bool,
}

impl State {
    /// As loaded.
    pub(super) fn new(
        kind: ConversationKind,
        settings: wire::GroupSettings,
        members: Members,
        state: ConversationState,
    ) -> Self {
        Self {
            kind,
            settings,
            members,
            bans: state.bans.into_iter().collect(),
            requests: state.requests.into_iter().collect(),
            pins: state.pins,
            muted_until: state.muted_until,
            dissolved: state.dissolved,
        }
    }

    /// Follows an entry of `sender` made at `at`.
    pub(super) fn apply(&mut self, sender: Option<UserId>, change: &Change, at: UnixMs) {
        for user in concerned(change) {
            let after = member_after(user, self.members.get(user), change);
            self.members.set(user, after);
        }
        match change {
            Change::Ban { user_id, until } => {
                self.bans.retain(|user, until| *until > at && user != user_id);
                if *until != 0 {
                    self.bans.insert(*user_id, *until);
                }
            }
            Change::Pin { target_seq, removed } => {
                pin_after(&mut self.pins, *target_seq, *removed);
            }
            // What is gone need not be shown above the others any more.
            Change::Recall { target_seq } => pin_after(&mut self.pins, *target_seq, true),
            Change::Mute { user_id: None, until } => self.muted_until = *until,
            Change::Settings(settings) => {
                self.settings = wire::GroupSettings::decode(settings.clone()).unwrap_or_default();
            }
            Change::RequestJoin { .. } => self.requests.extend(sender),
            Change::RefuseJoin { user_id } => {
                self.requests.remove(user_id);
            }
            Change::Join(users) => {
                for user in users {
                    self.requests.remove(user);
                }
            }
            Change::Dissolve => {
                self.members.clear();
                self.bans.clear();
                self.requests.clear();
                self.pins.clear();
                self.dissolved = true;
            }
            _ => {}
        }
    }
}

/// Whether somebody may cease to be a member by it, so that they are told although they are none afterwards.
pub(super) const fn lets_go(change: &Change) -> bool {
    matches!(
        change,
        Change::Remove(_) | Change::Leave { .. } | Change::Ban { .. } | Change::Dissolve
    )
}

/// Whether what may be done next depends on it. A refusal waits until such changes in flight are decided.
pub(super) const fn decides(change: &Change) -> bool {
    !matches!(
        change,
        Change::None
            | Change::Mention { .. }
            | Change::Carry { .. }
            | Change::Edit { .. }
            | Change::React { .. }
    )
}

/// Whose membership it may change; with [`Change::Dissolve`] everyone's, who are not named here.
fn concerned(change: &Change) -> Vec<UserId> {
    match change {
        Change::Join(users) | Change::Remove(users) => users.clone(),
        Change::Leave { user_id, new_owner_id } => {
            [Some(*user_id), *new_owner_id].into_iter().flatten().collect()
        }
        Change::SetRole { user_id, former_owner_id, .. } => {
            [Some(*user_id), *former_owner_id].into_iter().flatten().collect()
        }
        Change::Mute { user_id: Some(user), .. } | Change::Ban { user_id: user, .. } => vec![*user],
        _ => Vec::new(),
    }
}

/// What one user is after a change.
pub(super) fn member_after(
    user: UserId,
    before: Option<Member>,
    change: &Change,
) -> Option<Member> {
    match change {
        Change::Join(users) if users.contains(&user) => {
            before.or(Some(Member { role: Role::Member, muted_until: 0 }))
        }
        Change::Remove(users) if users.contains(&user) => None,
        Change::Leave { user_id, .. } if *user_id == user => None,
        Change::Leave { new_owner_id: Some(heir), .. } if *heir == user => {
            before.map(|member| Member { role: Role::Owner, ..member })
        }
        Change::SetRole { user_id, role, .. } if *user_id == user => {
            before.map(|member| Member { role: *role, ..member })
        }
        Change::SetRole { former_owner_id: Some(former), .. } if *former == user => {
            before.map(|member| Member { role: Role::Admin, ..member })
        }
        Change::Mute { user_id: Some(muted), until } if *muted == user => {
            before.map(|member| Member { muted_until: *until, ..member })
        }
        Change::Ban { user_id, until } if *user_id == user && *until != 0 => None,
        Change::Dissolve => None,
        _ => before,
    }
}

/// Until when one user is banned after a change.
pub(super) const fn ban_after(user: UserId, before: UnixMs, change: &Change) -> UnixMs {
    match change {
        Change::Ban { user_id, until } if user_id.get() == user.get() => *until,
        Change::Dissolve => 0,
        _ => before,
    }
}

/// Whether one user waits for an answer after a change made by `sender`.
pub(super) fn request_after(
    user: UserId,
    before: bool,
    sender: Option<UserId>,
    change: &Change,
) -> bool {
    match change {
        Change::RequestJoin { .. } if sender == Some(user) => true,
        Change::Join(users) if users.contains(&user) => false,
        Change::RefuseJoin { user_id } if *user_id == user => false,
        Change::Dissolve => false,
        _ => before,
    }
}

fn pin_after(pins: &mut Vec<Seq>, target_seq: Seq, removed: bool) {
    let pinned = pins.contains(&target_seq);
    if removed {
        pins.retain(|pin| *pin != target_seq);
    } else if !pinned {
        pins.push(target_seq);
    }
}
