//! What the sessions of a shard watch: what each may see, what it was not told yet, and whom the shard follows for it.
//!
//! ```text
//!   watch ─► not asked ─► store: may see ─► follow ─► first news: told at once ─► changes: told together, once a second
//! ```
//!
//! Invariants: the shard follows a user exactly while a session that may see something of them watches them; a session
//! has something to be told exactly while it is among the `owed`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};

use super::{May, Shown};
use crate::limits;
use crate::session::registry::SessionKey;

/// Everything the sessions of a shard watch.
#[derive(Debug, Default)]
pub struct Watches {
    watchers: BTreeMap<SessionKey, Watcher>,
    followed: BTreeMap<UserId, Followed>,
    /// How many watch each user here, whether or not they may see something.
    counts: BTreeMap<UserId, u32>,
    /// Watched users over all sessions.
    total: usize,
    /// Sessions that have something to be told.
    owed: BTreeSet<SessionKey>,
    /// When what a session may see is asked again; in order, since all wait equally long.
    checks: VecDeque<(Instant, SessionKey)>,
    /// Questions to the store so far.
    questions: u64,
}

#[derive(Debug)]
struct Watcher {
    user: UserId,
    watched: BTreeMap<UserId, Watched>,
    /// Users whose state it was not told.
    changed: BTreeSet<UserId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    /// `None`: the store has not said.
    may: Option<May>,
    /// It was told something since it began.
    told: bool,
    /// Answers to earlier questions are out of date.
    not_before: u64,
    /// Nothing is told until the store has answered again.
    held: bool,
}

#[derive(Debug, Default)]
struct Followed {
    /// `None`: the user's home has not said.
    shown: Option<Shown>,
    by: BTreeSet<SessionKey>,
}

/// Whom the shard begins and ceases to follow.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// From now on.
    pub follow: Vec<UserId>,
    /// No more.
    pub unfollow: Vec<UserId>,
}

/// What a session may see is to be asked of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which session.
    pub session: SessionKey,
    /// Whose it is.
    pub watcher: UserId,
    /// Whom it watches.
    pub users: Vec<UserId>,
    /// Which question this is.
    pub number: u64,
}

impl Watches {
    /// A session changes whom it watches. What it may see of those it adds is to be asked, and then
    /// [`Self::permitted`] to be called.
    ///
    /// # Errors
    ///
    /// There are too many; nothing is changed.
    pub fn watch(
        &mut self,
        session: SessionKey,
        watcher: UserId,
        change: (&[UserId], &[UserId]),
        now: Instant,
        interest: &mut Interest,
    ) -> Result<(), CommandError> {
        let (add, remove) = change;
        self.check_room(session, add, remove)?;
        for user in remove {
            self.drop_one(session, *user, interest);
        }
        if add.is_empty() {
            return Ok(());
        }
        let mut begins = false;
        let entry = self.watchers.entry(session).or_insert_with(|| {
            begins = true;
            Watcher { user: watcher, watched: BTreeMap::new(), changed: BTreeSet::new() }
        });
        for user in add {
            let mut new = false;
            let watched = entry.watched.entry(*user).or_insert_with(|| {
                new = true;
                Watched::default()
            });
            // Asked for again, it is told again.
            watched.told = false;
            if new {
                self.total += 1;
                *self.counts.entry(*user).or_default() += 1;
            }
        }
        if begins {
            self.checks.push_back((now + limits::PRESENCE_CHECK, session));
        }
        Ok(())
    }

    /// Whether there is room for a change.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn check_room(
        &self,
        session: SessionKey,
        add: &[UserId],
        remove: &[UserId],
    ) -> Result<(), CommandError> {
        let watched = self.watchers.get(&session).map(|watcher| &watcher.watched);
        let has = |user: &UserId| watched.is_some_and(|watched| watched.contains_key(user));
        let removed: BTreeSet<_> = remove.iter().filter(|user| has(user)).collect();
        let new: BTreeSet<_> =
            add.iter().filter(|user| !has(user) || removed.contains(user)).collect();
        let own = watched.map_or(0, BTreeMap::len) - removed.len() + new.len();
        let refuse = |message| Err(CommandError::new(ErrorCode::LimitReached, message));
        if own > limits::MAX_WATCHED {
            return refuse(format!("more than {} watched users", limits::MAX_WATCHED));
        }
        if self.total - removed.len() + new.len() > limits::WATCHED_PER_SHARD {
            return refuse("the server has no room for more watched users".to_owned());
        }
        let crowded = |user: &&&UserId| {
            self.counts.get(user).is_some_and(|count| *count >= limits::MAX_WATCHERS)
        };
        match new.iter().filter(|user| !has(user)).find(crowded) {
            Some(user) => refuse(format!("too many watch user {user}")),
            None => Ok(()),
        }
    }

    /// A question to the store: what a session may see of these users.
    pub fn question(&mut self, session: SessionKey, watcher: UserId, users: Vec<UserId>) -> Check {
        self.questions += 1;
        Check { session, watcher, users, number: self.questions }
    }

    /// The store said what a session may see of users; of those it left out that is nothing.
    pub fn permitted(
        &mut self,
        asked: &Check,
        may: &BTreeMap<UserId, May>,
        interest: &mut Interest,
    ) {
        for user in &asked.users {
            let watcher = self.watchers.get(&asked.session);
            let watched = watcher.and_then(|watcher| watcher.watched.get(user));
            if watched.is_some_and(|watched| asked.number > watched.not_before) {
                let may = may.get(user).copied().unwrap_or_default();
                self.permit(asked.session, *user, may, interest);
            }
        }
    }

    /// The store could not say what a session may see of users it wants to watch.
    pub fn unanswered(&mut self, asked: &Check, interest: &mut Interest) {
        for user in &asked.users {
            let watcher = self.watchers.get(&asked.session);
            let watched = watcher.and_then(|watcher| watcher.watched.get(user));
            if watched.is_some_and(|watched| watched.may.is_none()) {
                self.drop_one(asked.session, *user, interest);
            }
        }
    }

    fn permit(&mut self, session: SessionKey, user: UserId, may: May, interest: &mut Interest) {
        let Some(watcher) = self.watchers.get_mut(&session) else { return };
        let Some(watched) = watcher.watched.get_mut(&user) else { return };
        let before = watched.may.replace(may);
        let held = std::mem::take(&mut watched.held);
        let followed_before = before.is_some_and(May::anything);
        if may.anything() && !followed_before {
            let followed = self.followed.entry(user).or_insert_with(|| {
                interest.follow.push(user);
                Followed::default()
            });
            followed.by.insert(session);
        } else if !may.anything() && followed_before {
            Self::unfollow(&mut self.followed, session, user, interest);
        }
        if before != Some(may) || !watched.told || held {
            watcher.changed.insert(user);
            self.owed.insert(session);
        }
    }

    /// A user's home said how they show. A first state can be told at once: to these sessions.
    pub fn news(&mut self, user: UserId, shown: Shown) -> Vec<SessionKey> {
        let Some(followed) = self.followed.get_mut(&user) else { return Vec::new() };
        if followed.shown.as_ref() == Some(&shown) {
            return Vec::new();
        }
        let first = followed.shown.replace(shown).is_none();
        for session in &followed.by {
            if let Some(watcher) = self.watchers.get_mut(session) {
                watcher.changed.insert(user);
                self.owed.insert(*session);
            }
        }
        if first { followed.by.iter().copied().collect() } else { Vec::new() }
    }

    /// A user was blocked, by a watcher or the other way round: nothing is seen any more, before the store is asked.
    pub fn conceal(&mut self, watcher: UserId, user: UserId, interest: &mut Interest) {
        let not_before = self.questions;
        for session in self.sessions_of(watcher, user) {
            self.permit(session, user, May::default(), interest);
            let watcher = self.watchers.get_mut(&session);
            if let Some(watched) = watcher.and_then(|watcher| watcher.watched.get_mut(&user)) {
                watched.not_before = not_before;
            }
        }
    }

    /// A user lets others see more or less than before: nothing is told of them until the store has said what, for each
    /// session that watches them. That is asked before anything else is asked again.
    pub fn hold(&mut self, user: UserId, now: Instant) {
        if !self.counts.contains_key(&user) {
            return;
        }
        let not_before = self.questions;
        let mut sessions = BTreeSet::new();
        for (session, watcher) in &mut self.watchers {
            if let Some(watched) = watcher.watched.get_mut(&user) {
                watched.not_before = not_before;
                watched.held = true;
                sessions.insert(*session);
            }
        }
        self.checks.retain(|(_, session)| !sessions.contains(session));
        for session in sessions {
            self.checks.push_front((now, session));
        }
    }

    fn sessions_of(&self, watcher: UserId, user: UserId) -> Vec<SessionKey> {
        let watches = |entry: &(&SessionKey, &Watcher)| {
            entry.1.user == watcher && entry.1.watched.contains_key(&user)
        };
        if !self.counts.contains_key(&user) {
            return Vec::new();
        }
        self.watchers.iter().filter(watches).map(|(session, _)| *session).collect()
    }

    /// A session goes on under another key: it is its turn to be asked for when it would have been. An answer under way goes
    /// to the old key, so where one is waited for it is asked for again, at once.
    pub fn rename(&mut self, from: SessionKey, to: SessionKey, now: Instant) {
        let Some(watcher) = self.watchers.remove(&from) else { return };
        for user in watcher.watched.keys() {
            if let Some(followed) = self.followed.get_mut(user)
                && followed.by.remove(&from)
            {
                followed.by.insert(to);
            }
        }
        if self.owed.remove(&from) {
            self.owed.insert(to);
        }
        let waits = watcher.watched.values().any(|watched| watched.held || watched.may.is_none());
        self.watchers.insert(to, watcher);
        if waits {
            self.checks.retain(|(_, session)| *session != from);
            self.checks.push_front((now, to));
        } else if let Some(turn) = self.checks.iter_mut().find(|(_, session)| *session == from) {
            turn.1 = to;
        }
    }

    /// A session is gone for good.
    pub fn forget(&mut self, session: SessionKey, interest: &mut Interest) {
        let Some(watcher) = self.watchers.get(&session) else { return };
        let users: Vec<UserId> = watcher.watched.keys().copied().collect();
        for user in users {
            self.drop_one(session, user, interest);
        }
        self.watchers.remove(&session);
        self.owed.remove(&session);
    }

    fn drop_one(&mut self, session: SessionKey, user: UserId, interest: &mut Interest) {
        let Some(watcher) = self.watchers.get_mut(&session) else { return };
        let Some(watched) = watcher.watched.remove(&user) else { return };
        watcher.changed.remove(&user);
        self.total -= 1;
        if let Some(count) = self.counts.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&user);
            }
        }
        if watched.may.is_some_and(May::anything) {
            Self::unfollow(&mut self.followed, session, user, interest);
        }
    }

    fn unfollow(
        followed: &mut BTreeMap<UserId, Followed>,
        session: SessionKey,
        user: UserId,
        interest: &mut Interest,
    ) {
        if let Some(known) = followed.get_mut(&user) {
            known.by.remove(&session);
            if known.by.is_empty() {
                followed.remove(&user);
                interest.unfollow.push(user);
            }
        }
    }

    /// The sessions that have something to be told.
    pub fn owed(&self) -> Vec<SessionKey> {
        self.owed.iter().copied().collect()
    }

    /// What a session is to be told; `first`: only what it was never told. Call it only when it can be told.
    pub fn take(&mut self, session: SessionKey, first: bool) -> Option<wire::PresencePush> {
        let watcher = self.watchers.get_mut(&session)?;
        let (watched, followed) = (&mut watcher.watched, &self.followed);
        let mut users = Vec::new();
        watcher.changed.retain(|user| {
            let Some(entry) = watched.get_mut(user) else { return false };
            if entry.held {
                return true;
            }
            let Some(may) = entry.may else { return false };
            let shown = followed.get(user).and_then(|followed| followed.shown.as_ref());
            if may.anything() && shown.is_none() {
                // Their home has not said yet; it will be news when it does.
                return false;
            }
            if first && entry.told {
                return true;
            }
            entry.told = true;
            users.push(may.tell(*user, shown));
            false
        });
        if watcher.changed.is_empty() {
            self.owed.remove(&session);
        }
        (!users.is_empty()).then_some(wire::PresencePush { users })
    }

    /// The next session for which the store is to be asked again what it may see. If that cannot be asked now, give it
    /// to [`Self::not_asked`].
    pub fn next_check(&mut self, now: Instant) -> Option<Check> {
        while let Some((at, session)) = self.checks.front().copied()
            && at <= now
        {
            self.checks.pop_front();
            let Some(watcher) = self.watchers.get(&session) else { continue };
            let (user, users) = (watcher.user, watcher.watched.keys().copied().collect::<Vec<_>>());
            self.checks.push_back((now + limits::PRESENCE_CHECK, session));
            if !users.is_empty() {
                return Some(self.question(session, user, users));
            }
        }
        None
    }

    /// There was no room for a question: it is the first when there is.
    pub fn not_asked(&mut self, session: SessionKey, now: Instant) {
        // It has just been put behind all others.
        self.checks.pop_back();
        self.checks.push_front((now, session));
    }

    /// Whether nothing is remembered but checks that will find nobody.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let nobody = self.watchers.is_empty() && self.followed.is_empty();
        nobody && self.counts.is_empty() && self.owed.is_empty() && self.total == 0
    }
}
