//! Mail about presence between the shards, in both directions: what waits for room in a mailbox, newest only.

use std::collections::BTreeMap;

use ringwire_protocol::UserId;

use super::Shown;
use crate::placement::ShardId;

/// One letter from a shard to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who writes.
    pub from: ShardId,
    /// Users of the receiver: whether the writer follows them from now on.
    pub interest: Vec<(UserId, bool)>,
    /// Users of the writer that the receiver follows, and how they show.
    pub news: Vec<(UserId, Shown)>,
}

/// What waits to be sent, by shard. Of each user only the newest waits, so a full mailbox costs no memory.
#[derive(Debug)]
pub struct Post {
    from: ShardId,
    boxes: Vec<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    interest: BTreeMap<UserId, bool>,
    news: BTreeMap<UserId, Shown>,
}

impl Post {
    /// Nothing waits.
    pub fn new(from: ShardId, shards: usize) -> Self {
        Self { from, boxes: (0..shards).map(|_| Waiting::default()).collect() }
    }

    /// A user's home is to know whether this shard follows them.
    pub fn interest(&mut self, to: ShardId, user: UserId, follows: bool) {
        if let Some(waiting) = self.boxes.get_mut(usize::from(to)) {
            waiting.interest.insert(user, follows);
        }
    }

    /// A shard that follows a user is to know how they show.
    pub fn news(&mut self, to: ShardId, user: UserId, shown: Shown) {
        if let Some(waiting) = self.boxes.get_mut(usize::from(to)) {
            waiting.news.insert(user, shown);
        }
    }

    /// Everything that waits, one letter a shard.
    pub fn take(&mut self) -> Vec<(ShardId, Letter)> {
        let from = self.from;
        let boxes = self.boxes.iter_mut().enumerate();
        let full =
            boxes.filter(|(_, waiting)| !waiting.interest.is_empty() || !waiting.news.is_empty());
        full.map(|(to, waiting)| {
            let Waiting { interest, news } = std::mem::take(waiting);
            let (interest, news) = (interest.into_iter().collect(), news.into_iter().collect());
            (to as ShardId, Letter { from, interest, news })
        })
        .collect()
    }

    /// The mailbox had no room. What came to wait meanwhile is newer.
    pub fn put_back(&mut self, to: ShardId, letter: Letter) {
        let Some(waiting) = self.boxes.get_mut(usize::from(to)) else { return };
        for (user, follows) in letter.interest {
            waiting.interest.entry(user).or_insert(follows);
        }
        for (user, shown) in letter.news {
            waiting.news.entry(user).or_insert(shown);
        }
    }
}
