//! A conversation as the model sees it: what every entry of a log may be, and makes of it, said plainly and once more.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use ringwire_protocol::{Seq, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, EntryRow, LogHead, Role};
use wire::entry_body::Kind;
use wire::group_settings::JoinPolicy;

use super::Violation;
use super::model::require;
use super::world::{SKEW_MS, WINDOW_MS};
use crate::conversation::{Intent, settings};
use crate::limits;

/// What one member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) role: Role,
    pub(super) muted_until: UnixMs,
}

/// A message that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) by: UserId,
    pub(super) at: UnixMs,
    pub(super) gone: bool,
}

/// Everything the log has made of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) kind: ConversationKind,
    pub(super) settings: wire::GroupSettings,
    pub(super) members: BTreeMap<UserId, Standing>,
    pub(super) bans: BTreeMap<UserId, UnixMs>,
    pub(super) requests: BTreeSet<UserId>,
    pub(super) pins: Vec<Seq>,
    pub(super) muted_until: UnixMs,
    pub(super) over: bool,
    pub(super) messages: BTreeMap<Seq, Said>,
    pub(super) reactions: BTreeSet<(Seq, UserId, String)>,
}

impl Group {
    pub(super) fn role(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).map(|standing| standing.role)
    }

    /// Whether a user is kept from sending at a time.
    pub(super) fn is_muted(&self, user: UserId, at: UnixMs) -> bool {
        self.members.get(&user).is_some_and(|standing| {
            let everyone = if standing.role == Role::Member { self.muted_until } else { 0 };
            standing.muted_until.max(everyone) > at
        })
    }

    pub(super) fn policy(&self) -> JoinPolicy {
        match self.kind {
            ConversationKind::Room => JoinPolicy::Open,
            _ => self.settings.join_policy(),
        }
    }

    pub(super) fn may_invite(&self, user: UserId) -> bool {
        match self.role(user) {
            Some(Role::Member) => self.settings.members_may_invite == Some(true),
            role => role.is_some(),
        }
    }

    fn manages(&self, user: UserId) -> bool {
        self.role(user) > Some(Role::Member)
    }

    /// Whether one may lay hands on another.
    fn is_above(&self, user: UserId, other: UserId) -> bool {
        self.manages(user) && self.role(user) > self.role(other)
    }

    fn is_banned(&self, user: UserId, at: UnixMs) -> bool {
        self.bans.get(&user).is_some_and(|until| *until > at)
    }

    pub(super) fn most(&self) -> usize {
        self.settings.max_members.unwrap_or(100) as usize
    }

    fn said(&self, seq: Seq) -> Result<Said, Violation> {
        let said = self.messages.get(&seq).filter(|said| !said.gone);
        said.copied().ok_or_else(|| format!("{seq} is no message that is there"))
    }

    /// What `row` makes of it, if that may be the next entry of its log.
    pub(super) fn follow(&self, head: LogHead, row: &EntryRow) -> Result<Self, Violation> {
        require(row.seq == head.seq + 1, || format!("{} follows {}", row.seq, head.seq))?;
        require(row.created_at >= head.created_at, || format!("{} goes back in time", row.seq))?;
        require(!self.over, || "something follows the end".to_owned())?;
        let sender = row.sender_id.ok_or("an entry without sender")?;
        let body = wire::EntryBody::decode(row.body.clone()).map_err(|error| error.to_string())?;
        let kind = body.kind.ok_or("an entry without body")?;
        let msg_no = head.msg_no + u64::from(matches!(kind, Kind::Message(_)));
        require(row.msg_no == msg_no, || format!("{} has msg_no {}", row.seq, row.msg_no))?;
        let joins = matches!(&kind, Kind::Joined(joined) if joined.user_ids == [sender.get()])
            || matches!(kind, Kind::JoinRequested(_));
        let member = self.members.contains_key(&sender);
        require(member != joins, || format!("{sender} does {kind:?}, member: {member}"))?;
        let mut after = self.clone();
        after.take(self, sender, kind, row)?;
        Ok(after)
    }

    fn take(
        &mut self,
        before: &Self,
        sender: UserId,
        kind: Kind,
        row: &EntryRow,
    ) -> Result<(), Violation> {
        let at = row.created_at;
        let silent = before.is_muted(sender, at);
        let named = |id: u64| UserId::new(id).ok_or_else(|| format!("names {id}"));
        let users = |ids: &[u64]| ids.iter().map(|id| named(*id)).collect::<Result<Vec<_>, _>>();
        let managing = || require(before.manages(sender), || format!("{sender} may not manage"));
        let above = |user| {
            let right = before.members.contains_key(&user) && before.is_above(sender, user);
            require(right, || format!("{sender} is not above {user}"))
        };
        match kind {
            Kind::Message(message) => {
                let announces = before.settings.announcement_only == Some(true);
                require(!silent, || format!("{sender} sends, muted"))?;
                require(!announces || before.manages(sender), || format!("{sender} announces"))?;
                let all = message.mention_all;
                require(!all || before.manages(sender), || format!("{sender} calls all"))?;
                self.messages.insert(row.seq, Said { by: sender, at, gone: false });
            }
            Kind::Edited(edited) => {
                let said = before.said(edited.target_seq)?;
                require(!silent && said.by == sender, || format!("{sender} edits, may not"))?;
                let announces = before.settings.announcement_only == Some(true);
                require(!announces || before.manages(sender), || format!("{sender} edits"))?;
                in_time(&said, at)?;
            }
            Kind::Recalled(recalled) => {
                let said = before.said(recalled.target_seq)?;
                if !before.manages(sender) {
                    require(said.by == sender, || format!("{sender} recalls, may not"))?;
                    in_time(&said, at)?;
                }
                self.recall(recalled.target_seq);
            }
            Kind::Reacted(reacted) => {
                before.said(reacted.target_seq)?;
                require(!silent, || format!("{sender} reacts, muted"))?;
                self.react(reacted.target_seq, sender, &reacted.reaction, reacted.removed);
            }
            Kind::Pinned(pinned) => {
                managing()?;
                let seq = pinned.target_seq;
                if pinned.removed {
                    require(before.pins.contains(&seq), || format!("{seq} is not pinned"))?;
                    self.pins.retain(|pin| *pin != seq);
                } else {
                    before.said(seq)?;
                    require(!before.pins.contains(&seq), || format!("{seq} is pinned twice"))?;
                    self.pins.push(seq);
                    require(self.pins.len() <= limits::MAX_PINS, || "many pins".to_owned())?;
                }
            }
            Kind::Joined(joined) => {
                let users = users(&joined.user_ids)?;
                let by_oneself = users == [sender] && before.role(sender).is_none();
                let right = if by_oneself {
                    matches!(before.policy(), JoinPolicy::Open | JoinPolicy::ByLink)
                } else {
                    before.may_invite(sender)
                };
                require(right, || format!("{sender} takes in {users:?}"))?;
                for user in users {
                    let fresh = Standing { role: Role::Member, muted_until: 0 };
                    let new = self.members.insert(user, fresh).is_none();
                    require(new, || format!("{user} joins twice"))?;
                    require(!before.is_banned(user, at), || format!("{user} joins, banned"))?;
                    self.requests.remove(&user);
                }
                require(self.members.len() <= self.most(), || "too many members".to_owned())?;
            }
            Kind::Left(left) => self.leave(sender, UserId::new(left.new_owner_id))?,
            Kind::Removed(removed) => {
                for user in users(&removed.user_ids)? {
                    above(user)?;
                    self.members.remove(&user);
                }
            }
            Kind::RoleChanged(changed) => {
                let user = named(changed.user_id)?;
                above(user)?;
                require(before.role(sender) == Some(Role::Owner), || format!("{sender} rules"))?;
                let role = match changed.role() {
                    wire::Role::Member => Role::Member,
                    wire::Role::Admin => Role::Admin,
                    wire::Role::Owner => Role::Owner,
                };
                self.give(user, role);
                if role == Role::Owner {
                    self.give(sender, Role::Admin);
                }
            }
            Kind::Muted(muted) => match UserId::new(muted.user_id) {
                None => {
                    managing()?;
                    self.muted_until = muted.until;
                }
                Some(user) => {
                    above(user)?;
                    if let Some(standing) = self.members.get_mut(&user) {
                        standing.muted_until = muted.until;
                    }
                }
            },
            Kind::Banned(banned) => {
                let user = named(banned.user_id)?;
                managing()?;
                if before.members.contains_key(&user) {
                    above(user)?;
                }
                if banned.until == 0 {
                    let was = self.bans.remove(&user).is_some();
                    require(was, || format!("{user} was not banned"))?;
                } else {
                    self.bans.insert(user, banned.until);
                    self.members.remove(&user);
                }
            }
            Kind::GroupChanged(changed) => {
                managing()?;
                let told = changed.settings.unwrap_or_default();
                require(told.join_code.is_none(), || "the log tells a code".to_owned())?;
                self.settings = settings::merge(&before.settings, told, row.seq);
                require(self.settings != before.settings, || "changes nothing".to_owned())?;
                require(self.members.len() <= self.most(), || "has more members".to_owned())?;
            }
            Kind::JoinRequested(requested) => {
                require(requested.text.is_empty(), || "the log tells a wish".to_owned())?;
                let right =
                    before.policy() == JoinPolicy::ByApproval && !before.is_banned(sender, at);
                require(right, || format!("{sender} asks in vain"))?;
                require(self.requests.insert(sender), || format!("{sender} asks twice"))?;
            }
            Kind::JoinRefused(refused) => {
                managing()?;
                let asked = self.requests.remove(&named(refused.user_id)?);
                require(asked, || "refuses who did not ask".to_owned())?;
            }
            Kind::Dissolved(_) => {
                require(before.role(sender) == Some(Role::Owner), || format!("{sender} ends"))?;
                self.members.clear();
                self.bans.clear();
                self.requests.clear();
                self.pins.clear();
                self.over = true;
            }
            Kind::Created(_) => return Err("nobody asked for a beginning".to_owned()),
        }
        Ok(())
    }

    fn recall(&mut self, seq: Seq) {
        if let Some(said) = self.messages.get_mut(&seq) {
            said.gone = true;
        }
        self.pins.retain(|pin| *pin != seq);
        self.reactions.retain(|(target, ..)| *target != seq);
    }

    fn react(&mut self, seq: Seq, by: UserId, reaction: &str, removed: bool) {
        let reaction = (seq, by, reaction.to_owned());
        if removed {
            self.reactions.remove(&reaction);
        } else {
            self.reactions.insert(reaction);
        }
    }

    /// Whether what a command asks for is so.
    pub(super) fn is_so(&self, by: UserId, intent: &Intent) -> bool {
        match intent {
            Intent::React { target_seq, reaction, removed } => {
                self.reactions.contains(&(*target_seq, by, reaction.to_string())) != *removed
            }
            Intent::Pin { target_seq, removed } => self.pins.contains(target_seq) != *removed,
            Intent::Update(asked) => {
                let same = asked.join_policy == self.settings.join_policy;
                let join_policy = asked.join_policy.filter(|_| !same);
                let asked = wire::GroupSettings { join_policy, ..(**asked).clone() };
                asked.join_code.is_none()
                    && settings::merge(&self.settings, asked, 0) == self.settings
            }
            Intent::SetRole { user, role } => self.role(*user) == Some(*role),
            Intent::Mute { user: None, until } => self.muted_until == *until,
            Intent::Mute { user: Some(user), until } => {
                self.members.get(user).is_some_and(|standing| standing.muted_until == *until)
            }
            Intent::Ban { user, until } => self.bans.get(user) == Some(until),
            _ => false,
        }
    }

    fn leave(&mut self, sender: UserId, told: Option<UserId>) -> Result<(), Violation> {
        let standing = self.members.remove(&sender).ok_or("leaves, no member")?;
        let rank = |(user, standing): &(&UserId, &Standing)| (Reverse(standing.role), **user);
        let next = self.members.iter().min_by_key(rank).map(|(user, _)| *user);
        let heir = next.filter(|_| standing.role == Role::Owner);
        require(told == heir, || format!("{sender} leaves to {told:?}, not {heir:?}"))?;
        if let Some(heir) = heir {
            self.give(heir, Role::Owner);
        }
        Ok(())
    }

    fn give(&mut self, user: UserId, role: Role) {
        if let Some(standing) = self.members.get_mut(&user) {
            standing.role = role;
        }
    }

    /// What the database makes of it by the change that came with the entry, as `Change` documents it.
    pub(super) fn store(&mut self, sender: UserId, change: &Change) {
        match change {
            Change::None | Change::Mention { .. } | Change::Carry { .. } | Change::Edit { .. } => {}
            Change::React { target_seq, reaction, removed } => {
                self.react(*target_seq, sender, reaction, *removed);
            }
            Change::Recall { target_seq } => self.recall(*target_seq),
            Change::Pin { target_seq, removed } => {
                let pinned = self.pins.contains(target_seq);
                if *removed {
                    self.pins.retain(|pin| pin != target_seq);
                } else if !pinned {
                    self.pins.push(*target_seq);
                }
            }
            Change::Join(users) => {
                for user in users {
                    let fresh = Standing { role: Role::Member, muted_until: 0 };
                    self.members.entry(*user).or_insert(fresh);
                    self.requests.remove(user);
                }
            }
            Change::Remove(users) => self.members.retain(|user, _| !users.contains(user)),
            Change::SetRole { user_id, role, former_owner_id } => {
                self.give(*user_id, *role);
                if let Some(former) = former_owner_id {
                    self.give(*former, Role::Admin);
                }
            }
            Change::Mute { user_id: None, until } => self.muted_until = *until,
            Change::Mute { user_id: Some(user), until } => {
                if let Some(standing) = self.members.get_mut(user) {
                    standing.muted_until = *until;
                }
            }
            Change::Ban { user_id, until: 0 } => {
                self.bans.remove(user_id);
            }
            Change::Ban { user_id, until } => {
                self.members.remove(user_id);
                self.bans.insert(*user_id, *until);
            }
            Change::Settings(settings) => {
                self.settings = wire::GroupSettings::decode(settings.clone()).unwrap_or_default();
            }
            Change::RequestJoin { .. } => {
                self.requests.insert(sender);
            }
            Change::RefuseJoin { user_id } => {
                self.requests.remove(user_id);
            }
            Change::Dissolve => {
                self.members.clear();
                self.bans.clear();
                self.requests.clear();
                self.pins.clear();
                self.over = true;
            }
            Change::Leave { user_id, new_owner_id } => {
                self.members.remove(user_id);
                if let Some(heir) = new_owner_id {
                    self.give(*heir, Role::Owner);
                }
            }
        }
    }
}

/// The clocks of the nodes differ.
fn in_time(said: &Said, at: UnixMs) -> Result<(), Violation> {
    let late = at - said.at > WINDOW_MS.cast_signed() + SKEW_MS;
    require(!late, || "the window has closed".to_owned())
}
