//! What a batch's entries change besides the log, as net effects in sorted order.
//!
//! ```text
//!   entries in log order ─► one pass ─► net effects ─► members, conversation, bans, wishes, pins,
//!                                                      mentions, edits, reactions, files, recalls: in this order
//! ```
//!
//! Applying net effects in one order gives the same state as applying the changes one by one, and two transactions never
//! lock rows in opposite orders: whatever belongs to one conversation is changed under the lock of its row, and
//! conversations are taken in the order of their ids.
//!
//! What can only be decided by the rows themselves (is that user a member, was that message recalled?) is decided by the
//! statement that applies the effect; here it is made sure that no earlier change of the batch can alter the answer.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ringwire_protocol::{ConversationId, MsgNo, Seq, UnixMs, UserId};

use crate::append::{Append, Change};
use crate::model::Role;
use crate::outbox::{Notified, Outbox};

/// A member of a conversation.
type Membership = (ConversationId, UserId);
/// An entry of a log.
type Place = (ConversationId, Seq);

/// The net effect of the changes of one set of entries. Every list is sorted by its key, and applied in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NetChanges {
    /// Conversations that are dissolved, and when.
    pub(crate) dissolved: Vec<(ConversationId, UnixMs)>,
    /// Memberships to delete.
    pub(crate) removed: Vec<Membership>,
    /// Changes of memberships that were there before the batch.
    pub(crate) early: Vec<MemberUpdate>,
    /// Memberships to make; one that exists already stays as it is, and a user who is deleted gets none.
    pub(crate) added: Vec<Added>,
    /// Changes of memberships, new ones among them.
    pub(crate) updated: Vec<MemberUpdate>,
    /// Changes of conversations.
    pub(crate) conversations: Vec<ConversationUpdate>,
    /// Bans from now on; 0: none any more.
    pub(crate) bans: Vec<(ConversationId, UserId, UnixMs)>,
    /// Wishes to join that are settled.
    pub(crate) settled: Vec<Membership>,
    /// Wishes to join: what they say, and when.
    pub(crate) asked: Vec<(ConversationId, UserId, Box<str>, UnixMs)>,
    /// Pins to take away.
    pub(crate) unpinned: Vec<Place>,
    /// Entries to pin, unless they are, each with the entry that pins it.
    pub(crate) pinned: Vec<(ConversationId, Seq, Seq)>,
    /// Users whom entries mention; `None`: everyone.
    pub(crate) mentions: Vec<(ConversationId, Seq, Option<UserId>)>,
    /// Entries that are no messages and hold what their sender said: which entry an edit edits, or 0 for what belongs
    /// to none, and which entry it is.
    pub(crate) edits: Vec<(ConversationId, Seq, Seq)>,
    /// Bodies to replace.
    pub(crate) edited: Vec<Edited>,
    /// Reactions that are taken back.
    pub(crate) unreacted: Vec<Reaction>,
    /// Reactions to add, unless they are there.
    pub(crate) reacted: Vec<Reaction>,
    /// Files that messages carry from now on, if they are this user's and nothing carries them yet.
    pub(crate) carried: Vec<Carried>,
    /// Messages that are taken back, and when; with their edits.
    pub(crate) recalled: Vec<(ConversationId, Seq, UnixMs)>,
    /// Who is to be told of the entries.
    pub(crate) notified: Notified,
}

/// A membership to make. The new member's read cursor starts at the entry that brought them in, so that years of
/// history do not count as unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) conversation_id: ConversationId,
    pub(crate) user_id: UserId,
    pub(crate) joined_at: UnixMs,
    pub(crate) seq: Seq,
    pub(crate) msg_no: MsgNo,
}

/// What changes of a membership that is there; `None`: stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemberUpdate {
    pub(crate) conversation_id: ConversationId,
    pub(crate) user_id: UserId,
    pub(crate) role: Option<Role>,
    pub(crate) muted_until: Option<UnixMs>,
}

/// What changes of a conversation; `None`: stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConversationUpdate {
    pub(crate) conversation_id: ConversationId,
    pub(crate) settings: Option<Bytes>,
    pub(crate) muted_until: Option<UnixMs>,
}

/// A body that replaces another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edited {
    pub(crate) conversation_id: ConversationId,
    pub(crate) seq: Seq,
    pub(crate) at: UnixMs,
    pub(crate) body: Bytes,
}

/// A file that a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) conversation_id: ConversationId,
    pub(crate) seq: Seq,
    pub(crate) owner_id: UserId,
    pub(crate) file_id: Box<str>,
}

/// Somebody's reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reaction {
    pub(crate) conversation_id: ConversationId,
    pub(crate) seq: Seq,
    pub(crate) user_id: UserId,
    pub(crate) with: Box<str>,
}

impl NetChanges {
    /// Of entries in log order within each conversation.
    pub(crate) fn of(entries: &[Append], outbox: &Outbox) -> Self {
        let notified = outbox.of(entries);
        if entries.iter().all(|entry| entry.change == Change::None) {
            return Self { notified, ..Self::default() };
        }
        let mut pass = Pass::default();
        for entry in entries {
            pass.follow(entry);
        }
        Self { notified, ..pass.net() }
    }

    /// Whether the log alone changes.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether rows of conversations have to be locked before the entries are written: not for mentions, files and
    /// outboxes alone.
    pub(crate) fn needs_rows(&self) -> bool {
        let Self {
            dissolved,
            removed,
            early,
            added,
            updated,
            conversations,
            bans,
            settled,
            asked,
            unpinned,
            pinned,
            mentions: _,
            edits,
            edited,
            unreacted,
            reacted,
            carried: _,
            recalled,
            notified: _,
        } = self;
        let none = dissolved.is_empty()
            && removed.is_empty()
            && early.is_empty()
            && added.is_empty()
            && updated.is_empty()
            && conversations.is_empty()
            && bans.is_empty()
            && settled.is_empty()
            && asked.is_empty()
            && unpinned.is_empty()
            && pinned.is_empty()
            && edits.is_empty()
            && edited.is_empty()
            && unreacted.is_empty()
            && reacted.is_empty()
            && recalled.is_empty();
        !none
    }
}

/// What is pending of a membership.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    role: Option<Role>,
    muted_until: Option<UnixMs>,
}

/// The changes seen so far.
#[derive(Debug, Default)]
struct Pass {
    dissolved: BTreeMap<ConversationId, UnixMs>,
    removed: BTreeSet<Membership>,
    early: BTreeMap<Membership, Pending>,
    added: BTreeMap<Membership, Added>,
    updated: BTreeMap<Membership, Pending>,
    conversations: BTreeMap<ConversationId, (Option<Bytes>, Option<UnixMs>)>,
    bans: BTreeMap<Membership, UnixMs>,
    /// `None`: settled.
    wishes: BTreeMap<Membership, Option<(Box<str>, UnixMs)>>,
    unpinned: BTreeSet<Place>,
    pinned: BTreeMap<Place, Seq>,
    mentions: BTreeSet<(ConversationId, Seq, Option<UserId>)>,
    edits: BTreeSet<(ConversationId, Seq, Seq)>,
    edited: BTreeMap<Place, (UnixMs, Bytes)>,
    /// Whether it is there from now on.
    reactions: BTreeMap<(ConversationId, Seq, UserId, Box<str>), bool>,
    /// By file: the first entry of its owner that asks gets it.
    carried: BTreeMap<(Box<str>, UserId), Place>,
    recalled: BTreeMap<Place, UnixMs>,
}

impl Pass {
    fn follow(&mut self, entry: &Append) {
        let id = entry.conversation_id;
        match &entry.change {
            Change::None => {}
            Change::Join(users) => users.iter().for_each(|&user| self.join(entry, user)),
            Change::Remove(users) => users.iter().for_each(|&user| self.remove(id, user)),
            Change::Leave { user_id, new_owner_id } => {
                self.remove(id, *user_id);
                if let Some(owner) = new_owner_id {
                    self.update(id, *owner).role = Some(Role::Owner);
                }
            }
            Change::SetRole { user_id, role, former_owner_id } => {
                if let Some(former) = former_owner_id {
                    self.update(id, *former).role = Some(Role::Admin);
                }
                self.update(id, *user_id).role = Some(*role);
            }
            Change::Mute { user_id: Some(user), until } => {
                self.update(id, *user).muted_until = Some(*until);
            }
            Change::Mute { user_id: None, until } => {
                self.conversations.entry(id).or_default().1 = Some(*until);
            }
            Change::Settings(settings) => {
                self.conversations.entry(id).or_default().0 = Some(settings.clone());
            }
            Change::Ban { user_id, until } => {
                if *until != 0 {
                    self.remove(id, *user_id);
                }
                self.bans.insert((id, *user_id), *until);
            }
            Change::RequestJoin { text } => {
                self.edits.insert((id, 0, entry.seq));
                if let Some(user) = entry.sender_id {
                    self.wishes.insert((id, user), Some((text.clone(), entry.created_at)));
                }
            }
            Change::RefuseJoin { user_id } => {
                self.wishes.insert((id, *user_id), None);
            }
            Change::Pin { target_seq, removed: false } => {
                self.pinned.entry((id, *target_seq)).or_insert(entry.seq);
            }
            Change::Pin { target_seq, removed: true } => {
                self.unpin((id, *target_seq));
            }
            Change::Mention { users, all } => self.mention(entry, users, *all),
            Change::Carry { files, users, all } => {
                self.mention(entry, users, *all);
                self.carry(entry, entry.seq, files);
            }
            Change::Edit { target_seq, body, files } => {
                self.edit(entry, *target_seq, body);
                self.carry(entry, *target_seq, files);
            }
            Change::React { target_seq, reaction, removed } => {
                self.edits.insert((id, 0, entry.seq));
                // What was taken back has no reactions any more, and gets none.
                if let Some(user) = entry.sender_id
                    && !self.recalled.contains_key(&(id, *target_seq))
                {
                    self.reactions.insert((id, *target_seq, user, reaction.clone()), !removed);
                }
            }
            Change::Recall { target_seq } => self.recall(entry, *target_seq),
            Change::Dissolve => self.dissolve(entry),
        }
    }

    fn join(&mut self, entry: &Append, user_id: UserId) {
        let Append { conversation_id, created_at: joined_at, seq, msg_no, .. } = *entry;
        let key = (conversation_id, user_id);
        self.wishes.insert(key, None);
        if !self.added.contains_key(&key) {
            // What was changed before meant a membership that was there, not this one.
            if let Some(pending) = self.updated.remove(&key) {
                self.early.insert(key, pending);
            }
            self.added.insert(key, Added { conversation_id, user_id, joined_at, seq, msg_no });
        }
    }

    fn remove(&mut self, id: ConversationId, user: UserId) {
        let key = (id, user);
        self.added.remove(&key);
        self.early.remove(&key);
        // Who inherits and then goes does not own it on coming back.
        self.updated.remove(&key);
        self.removed.insert(key);
    }

    fn update(&mut self, id: ConversationId, user: UserId) -> &mut Pending {
        self.updated.entry((id, user)).or_default()
    }

    /// Everyone is one row, and nobody is told twice of one message or of their own.
    fn mention(&mut self, entry: &Append, users: &[UserId], all: bool) {
        let place = |user| (entry.conversation_id, entry.seq, user);
        if all {
            self.mentions.insert(place(None));
        } else {
            let others = users.iter().filter(|user| Some(**user) != entry.sender_id);
            self.mentions.extend(others.map(|user| place(Some(*user))));
        }
    }

    fn carry(&mut self, entry: &Append, seq: Seq, files: &[Box<str>]) {
        let place = (entry.conversation_id, seq);
        let Some(owner) = entry.sender_id.filter(|_| !self.recalled.contains_key(&place)) else {
            return;
        };
        for file in files {
            self.carried.entry((file.clone(), owner)).or_insert(place);
        }
    }

    fn edit(&mut self, entry: &Append, target_seq: Seq, body: &Bytes) {
        let target = (entry.conversation_id, target_seq);
        if !self.recalled.contains_key(&target) {
            self.edits.insert((target.0, target.1, entry.seq));
            self.edited.insert(target, (entry.created_at, body.clone()));
        }
    }

    fn unpin(&mut self, target: Place) {
        self.pinned.remove(&target);
        self.unpinned.insert(target);
    }

    /// Its edits stay noted, and say nothing any more: they lose their bodies with it.
    fn recall(&mut self, entry: &Append, target_seq: Seq) {
        let target = (entry.conversation_id, target_seq);
        if let Some((_, body)) = self.edited.get_mut(&target) {
            *body = Bytes::new();
        }
        self.reactions.retain(|key, _| (key.0, key.1) != target);
        self.mentions.retain(|mention| (mention.0, mention.1) != target);
        // As if they had been bound and let go again.
        self.carried.retain(|_, place| *place != target);
        self.unpin(target);
        self.recalled.entry(target).or_insert(entry.created_at);
    }

    fn dissolve(&mut self, entry: &Append) {
        let id = entry.conversation_id;
        self.removed.retain(|key| key.0 != id);
        self.early.retain(|key, _| key.0 != id);
        self.added.retain(|key, _| key.0 != id);
        self.updated.retain(|key, _| key.0 != id);
        self.bans.retain(|key, _| key.0 != id);
        self.wishes.retain(|key, _| key.0 != id);
        self.unpinned.retain(|place| place.0 != id);
        self.pinned.retain(|place, _| place.0 != id);
        self.dissolved.entry(id).or_insert(entry.created_at);
    }

    fn net(self) -> NetChanges {
        let (mut settled, mut asked) = (Vec::new(), Vec::new());
        for ((id, user), wish) in self.wishes {
            match wish {
                None => settled.push((id, user)),
                Some((text, at)) => asked.push((id, user, text, at)),
            }
        }
        let (mut unreacted, mut reacted) = (Vec::new(), Vec::new());
        for ((conversation_id, seq, user_id, with), there) in self.reactions {
            let list = if there { &mut reacted } else { &mut unreacted };
            list.push(Reaction { conversation_id, seq, user_id, with });
        }
        let conversations = self.conversations.into_iter();
        let edited = self.edited.into_iter();
        NetChanges {
            dissolved: self.dissolved.into_iter().collect(),
            removed: self.removed.into_iter().collect(),
            early: updates(self.early),
            added: self.added.into_values().collect(),
            updated: updates(self.updated),
            conversations: conversations
                .map(|(conversation_id, (settings, muted_until))| ConversationUpdate {
                    conversation_id,
                    settings,
                    muted_until,
                })
                .collect(),
            bans: self.bans.into_iter().map(|((id, user), until)| (id, user, until)).collect(),
            settled,
            asked,
            unpinned: self.unpinned.into_iter().collect(),
            pinned: self.pinned.into_iter().map(|((id, seq), by)| (id, seq, by)).collect(),
            mentions: self.mentions.into_iter().collect(),
            edits: self.edits.into_iter().collect(),
            edited: edited
                .map(|((conversation_id, seq), (at, body))| Edited {
                    conversation_id,
                    seq,
                    at,
                    body,
                })
                .collect(),
            unreacted,
            reacted,
            carried: self
                .carried
                .into_iter()
                .map(|((file_id, owner_id), (conversation_id, seq))| Carried {
                    conversation_id,
                    seq,
                    owner_id,
                    file_id,
                })
                .collect(),
            recalled: self.recalled.into_iter().map(|((id, seq), at)| (id, seq, at)).collect(),
            notified: Notified::default(),
        }
    }
}

fn updates(pending: BTreeMap<Membership, Pending>) -> Vec<MemberUpdate> {
    pending
        .into_iter()
        .map(|((conversation_id, user_id), Pending { role, muted_until })| MemberUpdate {
            conversation_id,
            user_id,
            role,
            muted_until,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, user};

    fn changes(entries: &[Append]) -> NetChanges {
        NetChanges::of(entries, &Outbox::default())
    }

    fn owners(updated: &[MemberUpdate]) -> Vec<UserId> {
        let owners = updated.iter().filter(|update| update.role == Some(Role::Owner));
        owners.map(|update| update.user_id).collect()
    }

    #[test]
    fn messages_change_nothing_else() {
        assert!(changes(&[entry(1, 1), entry(1, 2)]).is_empty());
    }

    #[test]
    fn join_leave_join_ends_as_a_fresh_membership() {
        let mut joins = entry(1, 5);
        joins.change = Change::Join(vec![user(7)]);
        let mut leaves = entry(1, 6);
        leaves.change = Change::Leave { user_id: user(7), new_owner_id: None };
        let mut again = entry(1, 7);
        again.change = Change::Join(vec![user(7)]);
        let net = changes(&[joins, leaves, again]);
        assert_eq!(net.removed.len(), 1);
        assert_eq!(net.added.len(), 1);
        assert_eq!(net.added[0].seq, 7);
    }

    #[test]
    fn an_heir_who_leaves_and_comes_back_is_no_owner() {
        let leaves = |seq, from, heir: Option<u64>| {
            let new_owner_id = heir.map(user);
            Append { change: Change::Leave { user_id: user(from), new_owner_id }, ..entry(1, seq) }
        };
        let comes_back = Append { change: Change::Join(vec![user(7)]), ..entry(1, 7) };
        let last = [leaves(5, 1, Some(7)), leaves(6, 7, None), comes_back.clone()];
        let net = changes(&last);
        assert_eq!(net.updated, []);
        assert_eq!(net.added.iter().map(|a| a.user_id).collect::<Vec<_>>(), [user(7)]);
        let handed_on = [leaves(5, 1, Some(7)), leaves(6, 7, Some(3)), comes_back];
        let updated = changes(&handed_on).updated;
        assert_eq!(owners(&updated), [user(3)]);
    }

    #[test]
    fn join_then_leave_ends_outside() {
        let mut joins = entry(1, 5);
        joins.change = Change::Join(vec![user(7), user(3)]);
        let mut leaves = entry(1, 6);
        leaves.change = Change::Leave { user_id: user(7), new_owner_id: Some(user(3)) };
        let net = changes(&[joins, leaves]);
        assert_eq!(net.added.iter().map(|a| a.user_id).collect::<Vec<_>>(), [user(3)]);
        assert_eq!(net.removed.iter().map(|r| r.1).collect::<Vec<_>>(), [user(7)]);
        assert_eq!(owners(&net.updated), [user(3)]);
    }
}
