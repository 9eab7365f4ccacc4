//! Who belongs to a conversation, and the same people grouped by home shard for fan-out.

use std::sync::Arc;

use ringwire_protocol::{UnixMs, UserId};
use ringwire_storage::model::{MemberRow, Role};

use super::roll::Roll;
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
    by_user: Roll,
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
        self.by_user.get(user)
    }

    /// What a user is from now on; `None`: no member.
    pub fn set(&mut self, user: UserId, member: Option<Member>) {
        let before = match member {
            Some(member) => self.by_user.insert(user, member),
            None => self.by_user.remove(user),
        };
        if before.is_some() != member.is_some() {
            self.recipients = None;
        }
    }

    /// Lets everyone go.
    pub fn clear(&mut self) {
        self.by_user = Roll::default();
        self.recipients = None;
    }

    /// Everyone, by user id.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        self.by_user.users()
    }

    /// Everyone, by home shard.
    pub fn recipients(&mut self) -> Recipients {
        let (by_user, shards) = (&self.by_user, self.shards);
        let recipients = self.recipients.get_or_insert_with(|| {
            let mut by_shard = vec![Vec::new(); shards];
            for user in by_user.users() {
                by_shard[usize::from(home_shard(user, shards))].push(user);
            }
            by_shard.into_iter().map(Arc::from).collect()
        });
        Arc::clone(recipients)
    }

    /// Everyone and one more, by home shard.
    pub fn recipients_and(&mut self, user: UserId) -> Recipients {
        let recipients = self.recipients();
        if self.by_user.get(user).is_some() {
            return recipients;
        }
        let home = usize::from(home_shard(user, self.shards));
        let add = |(shard, users): (usize, &Arc<[UserId]>)| {
            if shard == home {
                users.iter().copied().chain([user]).collect()
            } else {
                Arc::clone(users)
            }
        };
        recipients.iter().enumerate().map(add).collect()
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
            members.set(user(id), Some(Member { role: Role::Member, muted_until: 0 }));
        }
        let before = members.recipients();
        assert!(Arc::ptr_eq(&before, &members.recipients()), "shared while nothing changes");
        assert_eq!(before.iter().map(|users| users.len()).sum::<usize>(), 9);
        members.set(user(5), Some(Member { role: Role::Admin, muted_until: 1 }));
        assert!(Arc::ptr_eq(&before, &members.recipients()), "a role is no membership");
        members.set(user(4), None);
        let after = members.recipients();
        assert!(after.iter().all(|users| !users.contains(&user(4))));
        let with = members.recipients_and(user(4));
        assert_eq!(with.iter().map(|users| users.len()).sum::<usize>(), 9);
        assert!(with[usize::from(home_shard(user(4), 3))].contains(&user(4)));
        assert!(Arc::ptr_eq(&after, &members.recipients_and(user(5))));
        members.clear();
        assert!(members.recipients().iter().all(|users| users.is_empty()));
    }
}
