//! Who belongs to a conversation, and the same people grouped by home shard for fan-out.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_protocol::{UnixMs, UserId};
use ringwire_storage::model::{MemberRow, Role};

use crate::placement::home_shard;

/// What the rules need to know of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// Until when they may not send; 0: not muted.
    pub muted_until: UnixMs,
}

/// The members by home shard: index = shard. Shared with every fan-out message until the membership changes.
pub type Recipients = Arc<[Arc<[UserId]>]>;

/// The members of one conversation.
#[derive(Debug)]
pub struct Members {
    by_user: BTreeMap<UserId, Member>,
    shards: usize,
    recipients: Option<Recipients>,
}

impl Members {
    /// The members as loaded.
    pub fn new(rows: &[MemberRow], shards: usize) -> Self {
        let by_user = rows
            .iter()
            .map(|row| (row.user_id, Member { role: row.role, muted_until: row.muted_until }))
            .collect();
        Self { by_user, shards, recipients: None }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_user.len()
    }

    /// One of them.
    pub fn get(&self, user: UserId) -> Option<Member> {
        self.by_user.get(&user).copied()
    }

    /// Takes a user in.
    pub fn insert(&mut self, user: UserId, role: Role) {
        self.by_user.entry(user).or_insert(Member { role, muted_until: 0 });
        self.recipients = None;
    }

    /// Lets a user go.
    pub fn remove(&mut self, user: UserId) {
        self.by_user.remove(&user);
        self.recipients = None;
    }

    /// Changes what a member may do.
    pub fn set_role(&mut self, user: UserId, role: Role) {
        if let Some(member) = self.by_user.get_mut(&user) {
            member.role = role;
        }
    }

    /// Everyone, by user id.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        self.by_user.keys().copied()
    }

    /// Everyone, by home shard.
    pub fn recipients(&mut self) -> Recipients {
        let (by_user, shards) = (&self.by_user, self.shards);
        let recipients = self.recipients.get_or_insert_with(|| {
            let mut by_shard = vec![Vec::new(); shards];
            for user in by_user.keys() {
                by_shard[usize::from(home_shard(*user, shards))].push(*user);
            }
            by_shard.into_iter().map(Arc::from).collect()
        });
        Arc::clone(recipients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    #[test]
    fn recipients_follow_the_membership() {
        let mut members = Members::new(&[], 3);
        for id in 1..=9 {
            members.insert(user(id), Role::Member);
        }
        let before = members.recipients();
        assert!(Arc::ptr_eq(&before, &members.recipients()), "shared while nothing changes");
        assert_eq!(before.iter().map(|users| users.len()).sum::<usize>(), 9);
        members.remove(user(4));
        let after = members.recipients();
        assert!(after.iter().all(|users| !users.contains(&user(4))));
    }
}
