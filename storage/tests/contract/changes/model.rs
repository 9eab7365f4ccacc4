//! What changes mean, one by one: a conversation in memory, as plainly as it can be said.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_protocol::{Seq, UserId};
use ringwire_storage::append::{Append, Change};
use ringwire_storage::model::Role;

#[derive(Clone, Debug)]
struct Member {
    role: Role,
    joined_at: i64,
    muted_until: i64,
}

#[derive(Clone, Debug)]
struct Entry {
    body: String,
    edited_at: i64,
    recalled_at: i64,
}

/// One conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    members: BTreeMap<u64, Member>,
    entries: BTreeMap<Seq, Entry>,
    settings: String,
    muted_until: i64,
    deleted_at: i64,
    bans: BTreeMap<u64, i64>,
    wishes: BTreeMap<u64, (String, i64)>,
    pins: BTreeMap<Seq, Seq>,
    /// 0: everyone.
    mentions: BTreeSet<(u64, Seq)>,
    /// Edits with their message, and what belongs to none: 0.
    edits: BTreeMap<Seq, Seq>,
    reactions: BTreeSet<(Seq, u64, String)>,
}

impl Model {
    /// A group as it was made, with its first entry.
    pub(super) fn new(owner: u64, members: &[u64]) -> Self {
        let mut model = Self { settings: "settings".into(), ..Self::default() };
        for &user in members.iter().chain([&owner]) {
            let role = if user == owner { Role::Owner } else { Role::Member };
            model.members.insert(user, Member { role, joined_at: 1_000, muted_until: 0 });
        }
        let created = Entry { body: "created".into(), edited_at: 0, recalled_at: 0 };
        model.entries.insert(1, created);
        model
    }

    pub(super) fn apply(&mut self, entry: &Append) {
        let body = String::from_utf8(entry.body.to_vec()).unwrap();
        self.entries.insert(entry.seq, Entry { body, edited_at: 0, recalled_at: 0 });
        let sender = entry.sender_id.map_or(0, UserId::get);
        let at = entry.created_at;
        match &entry.change {
            Change::None => {}
            Change::Mention { all: true, .. } | Change::Carry { all: true, .. } => {
                self.mentions.insert((0, entry.seq));
            }
            Change::Mention { users, .. } | Change::Carry { users, .. } => {
                let others = users.iter().map(|user| user.get()).filter(|user| *user != sender);
                self.mentions.extend(others.map(|user| (user, entry.seq)));
            }
            Change::Edit { target_seq, body, .. } => {
                let target = self.entries.get_mut(target_seq);
                if let Some(target) = target.filter(|t| t.recalled_at == 0 && !t.body.is_empty()) {
                    target.body = String::from_utf8(body.to_vec()).unwrap();
                    target.edited_at = at;
                    self.edits.insert(entry.seq, *target_seq);
                }
            }
            Change::Recall { target_seq } => {
                self.pins.remove(target_seq);
                self.recall(*target_seq, at);
            }
            Change::React { target_seq, reaction, removed } => {
                self.edits.insert(entry.seq, 0);
                let key = (*target_seq, sender, reaction.to_string());
                if *removed {
                    self.reactions.remove(&key);
                } else if self.entries.get(target_seq).is_some_and(|t| t.recalled_at == 0) {
                    self.reactions.insert(key);
                }
            }
            Change::Pin { target_seq, removed: true } => {
                self.pins.remove(target_seq);
            }
            Change::Pin { target_seq, .. } => {
                if self.entries.contains_key(target_seq) {
                    self.pins.entry(*target_seq).or_insert(entry.seq);
                }
            }
            Change::Join(users) => {
                for user in users.iter().map(|user| user.get()) {
                    self.wishes.remove(&user);
                    let new = Member { role: Role::Member, joined_at: at, muted_until: 0 };
                    self.members.entry(user).or_insert(new);
                }
            }
            Change::Remove(users) => {
                for user in users {
                    self.members.remove(&user.get());
                }
            }
            Change::Leave { user_id, new_owner_id } => {
                self.members.remove(&user_id.get());
                self.set_role(*new_owner_id, Role::Owner);
            }
            Change::SetRole { user_id, role, former_owner_id } => {
                self.set_role(*former_owner_id, Role::Admin);
                self.set_role(Some(*user_id), *role);
            }
            Change::Mute { user_id: None, until } => self.muted_until = *until,
            Change::Mute { user_id: Some(user), until } => {
                if let Some(member) = self.members.get_mut(&user.get()) {
                    member.muted_until = *until;
                }
            }
            Change::Ban { user_id, until: 0 } => {
                self.bans.remove(&user_id.get());
            }
            Change::Ban { user_id, until } => {
                self.members.remove(&user_id.get());
                self.bans.insert(user_id.get(), *until);
            }
            Change::Settings(settings) => {
                self.settings = String::from_utf8(settings.to_vec()).unwrap();
            }
            Change::RequestJoin { text } => {
                self.wishes.insert(sender, (text.to_string(), at));
                self.edits.insert(entry.seq, 0);
            }
            Change::RefuseJoin { user_id } => {
                self.wishes.remove(&user_id.get());
            }
            Change::Dissolve => {
                self.members.clear();
                self.bans.clear();
                self.wishes.clear();
                self.pins.clear();
                if self.deleted_at == 0 {
                    self.deleted_at = at;
                }
            }
        }
    }

    fn set_role(&mut self, user: Option<UserId>, role: Role) {
        if let Some(member) = user.and_then(|user| self.members.get_mut(&user.get())) {
            member.role = role;
        }
    }

    fn recall(&mut self, target_seq: Seq, at: i64) {
        let Some(target) = self.entries.get_mut(&target_seq).filter(|t| t.recalled_at == 0) else {
            return;
        };
        target.recalled_at = at;
        target.body.clear();
        for (edit, of) in &self.edits {
            if *of == target_seq {
                self.entries.get_mut(edit).unwrap().body.clear();
            }
        }
        self.reactions.retain(|(seq, ..)| *seq != target_seq);
        self.mentions.retain(|(_, seq)| *seq != target_seq);
    }

    /// Every row there should be, as `super::rows` reads them.
    pub(super) fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        rows.extend(self.members.iter().map(|(user, member)| {
            let Member { role, joined_at, muted_until } = member;
            format!("member {user} {} {joined_at} {muted_until}", *role as i16)
        }));
        rows.push(format!(
            "conversation {} {} {} {}",
            self.settings,
            self.members.len(),
            self.muted_until,
            self.deleted_at
        ));
        rows.extend(self.bans.iter().map(|(user, until)| format!("ban {user} {until}")));
        rows.extend(
            self.wishes.iter().map(|(user, (text, at))| format!("wish {user} {text} {at}")),
        );
        rows.extend(self.pins.iter().map(|(seq, by)| format!("pin {seq} {by}")));
        rows.extend(self.mentions.iter().map(|(user, seq)| format!("mention {user} {seq}")));
        rows.extend(self.edits.iter().map(|(seq, of)| format!("edit {seq} {of}")));
        let mut counts: BTreeMap<_, u32> = BTreeMap::new();
        for (seq, user, reaction) in &self.reactions {
            rows.push(format!("reaction {seq} {user} {reaction}"));
            *counts.entry((seq, reaction)).or_default() += 1;
        }
        rows.extend(counts.iter().map(|((seq, what), n)| format!("count {seq} {what} {n}")));
        rows.extend(self.entries.iter().map(|(seq, entry)| {
            let Entry { body, edited_at, recalled_at } = entry;
            format!("entry {seq} {edited_at} {recalled_at} {body}")
        }));
        rows.sort();
        rows
    }
}
