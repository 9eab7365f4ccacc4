//! The users of a shard as others see them: their sessions' statuses come to one, and shards follow it.
//!
//! A session whose connection ended still counts for [`limits::PRESENCE_LINGER`], or until its user begins another one:
//! who reconnects does not flicker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use ringwire_protocol::{UnixMs, UserId};

use super::{Own, Shown, Status};
use crate::limits;
use crate::placement::ShardId;
use crate::session::registry::SessionKey;

/// Everybody who is there, or whom somebody follows.
#[derive(Debug, Default)]
pub struct Board {
    /// Boxed: a tree is a good deal larger than what is in it.
    people: BTreeMap<UserId, Box<Person>>,
    /// Whose looks may have changed since the last sweep.
    touched: BTreeSet<UserId>,
    /// When sessions that ended cease to count; in order, since all linger equally long.
    leaving: VecDeque<(Instant, UserId)>,
    /// When users were last to be seen, to be saved.
    seen: BTreeMap<UserId, UnixMs>,
}

#[derive(Debug)]
struct Person {
    /// Those with a connection; the one whose status was set last is the last.
    sessions: Vec<(SessionKey, Own)>,
    /// Those whose connection ended lately.
    lingering: Vec<(Instant, Own)>,
    /// When the last session that could be seen ended or hid.
    last_seen_at: UnixMs,
    /// What the followers know; `None`: not all of them the same.
    told: Option<Shown>,
    followers: Vec<ShardId>,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
            lingering: Vec::new(),
            last_seen_at: 0,
            told: Some(Shown::offline(0)),
            followers: Vec::new(),
        }
    }
}

impl Person {
    fn shown(&self) -> Shown {
        let lingering = self.lingering.iter().map(|(_, own)| own);
        let all = lingering.chain(self.sessions.iter().map(|(_, own)| own));
        match all.max_by_key(|own| own.status) {
            Some(own) if own.status > Status::Invisible => {
                Shown { status: own.status, text: own.text.clone(), last_seen_at: 0 }
            }
            _ => Shown::offline(self.last_seen_at),
        }
    }

    fn is_visible(&self) -> bool {
        self.sessions.iter().any(|(_, own)| own.status > Status::Invisible)
    }

    fn is_nobody(&self) -> bool {
        self.sessions.is_empty() && self.lingering.is_empty() && self.followers.is_empty()
    }
}

/// A user changed; these shards are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Who.
    pub user: UserId,
    /// How they show now.
    pub shown: Shown,
    /// Who follows.
    pub followers: Vec<ShardId>,
}

impl Board {
    /// A session of a user has a connection. What lingered of earlier ones is over.
    pub fn came(&mut self, user: UserId, key: SessionKey, own: Own, now: UnixMs) {
        self.change(user, now, |person| {
            person.lingering = Vec::new();
            person.sessions.retain(|(other, _)| *other != key);
            // Most users have one session.
            person.sessions.reserve_exact(1);
            person.sessions.push((key, own));
        });
    }

    /// A session shows its user in another way.
    pub fn set(&mut self, user: UserId, key: SessionKey, own: Own, now: UnixMs) {
        let known = self.people.get(&user);
        if known.is_some_and(|person| person.sessions.iter().any(|(other, _)| *other == key)) {
            self.change(user, now, |person| {
                person.sessions.retain(|(other, _)| *other != key);
                person.sessions.push((key, own));
            });
        }
    }

    /// The connection of a session ended.
    pub fn went(&mut self, user: UserId, key: SessionKey, now: UnixMs, at: Instant) {
        let until = at + limits::PRESENCE_LINGER;
        let mut lingers = false;
        self.change(user, now, |person| {
            if let Some(place) = person.sessions.iter().position(|(other, _)| *other == key) {
                let (_, own) = person.sessions.remove(place);
                person.lingering.push((until, own));
                lingers = true;
            }
        });
        if lingers {
            self.leaving.push_back((until, user));
        }
    }

    fn change(&mut self, user: UserId, now: UnixMs, change: impl FnOnce(&mut Person)) {
        let person = self.people.entry(user).or_default();
        let before = person.is_visible();
        change(person);
        if before && !person.is_visible() {
            person.last_seen_at = person.last_seen_at.max(now);
            Self::note_seen(&mut self.seen, user, now);
        }
        self.touched.insert(user);
    }

    fn note_seen(seen: &mut BTreeMap<UserId, UnixMs>, user: UserId, at: UnixMs) {
        if seen.len() < limits::LAST_SEEN_WAITING || seen.contains_key(&user) {
            let known = seen.entry(user).or_default();
            *known = at.max(*known);
        }
    }

    /// How a user shows at present; `None`: nothing is known of them here.
    pub fn shown(&self, user: UserId) -> Option<Shown> {
        self.people.get(&user).map(|person| person.shown())
    }

    /// A shard wants to know from now on; how the user shows at present.
    pub fn follow(&mut self, user: UserId, shard: ShardId) -> Shown {
        let person = self.people.entry(user).or_default();
        if !person.followers.contains(&shard) {
            person.followers.push(shard);
        }
        let shown = person.shown();
        if person.told.as_ref() != Some(&shown) {
            // The others have not heard of it yet. If it is undone before they would, this one must hear of that.
            person.told = None;
            self.touched.insert(user);
        }
        shown
    }

    /// A shard has lost its interest.
    pub fn unfollow(&mut self, user: UserId, shard: ShardId) {
        if let Some(person) = self.people.get_mut(&user) {
            person.followers.retain(|other| *other != shard);
            self.touched.insert(user);
        }
    }

    /// What changed since the last sweep, and whom to tell. Who went and is not missed is forgotten.
    pub fn sweep(&mut self, at: Instant) -> Vec<News> {
        while let Some((until, user)) = self.leaving.front().copied()
            && until <= at
        {
            self.leaving.pop_front();
            if let Some(person) = self.people.get_mut(&user) {
                person.lingering.retain(|(until, _)| *until > at);
                self.touched.insert(user);
            }
        }
        let mut news = Vec::new();
        for user in std::mem::take(&mut self.touched) {
            let Some(person) = self.people.get_mut(&user) else { continue };
            let shown = person.shown();
            if person.told.as_ref() != Some(&shown) {
                person.told = Some(shown.clone());
                if !person.followers.is_empty() {
                    news.push(News { user, shown, followers: person.followers.clone() });
                }
            }
            if person.is_nobody() {
                self.people.remove(&user);
            }
        }
        news
    }

    /// The server stops: whoever can be seen was last seen now.
    pub fn everybody_goes(&mut self, now: UnixMs) {
        for (user, person) in &self.people {
            if person.is_visible() {
                Self::note_seen(&mut self.seen, *user, now);
            }
        }
    }

    /// Times that are to be saved.
    pub fn take_seen(&mut self) -> Vec<(UserId, UnixMs)> {
        let mut batch: Vec<_> = Vec::new();
        batch.extend(self.seen.iter().take(limits::LAST_SEEN_BATCH).map(|(user, at)| (*user, *at)));
        for (user, _) in &batch {
            self.seen.remove(user);
        }
        batch
    }

    /// They could not be saved; later, then.
    pub fn not_saved(&mut self, batch: &[(UserId, UnixMs)]) {
        for (user, at) in batch {
            Self::note_seen(&mut self.seen, *user, *at);
        }
    }

    /// Whether no time waits to be saved.
    pub fn is_saved(&self) -> bool {
        self.seen.is_empty()
    }

    /// Whether nobody is remembered.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.leaving.is_empty()
    }
}
