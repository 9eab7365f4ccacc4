//! Sessions that outlive their connection for a while, and those that take them up again.
//!
//! ```text
//!   live ── connection ends ─► detached: durable pushes go to the ring ── connect{resume} ─► live, under the same id
//!                                 └── time is over, or the ring lost something ─► gone
//! ```
//!
//! Invariants: a session is taken up by its own user, login and device in its own encoding, and by one connection; its
//! key changes then, so replies to what was asked over the old connection go nowhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::registry::{Phase, Registry, SessionKey};
use crate::connection::links::LinkKey;
use crate::connection::wheel::Tick;
use crate::limits;

/// A session that goes on over another connection.
#[derive(Debug)]
pub struct TakenUp {
    /// Its key from now on.
    pub key: SessionKey,
    /// The connection it had until now, which may look alive.
    pub old_link: LinkKey,
}

impl Registry {
    /// The id of a session for its client, unlike that of any other session, also of other starts of the server.
    pub fn public_id(&mut self, key: SessionKey) -> String {
        let birthplace = self.birthplace;
        let mut id = String::with_capacity(40);
        if let Some(session) = self.get(key) {
            let (index, serial) = (key.index, session.serial);
            // Writing to a string never fails.
            let _ = write!(id, "{:x}-{:x}-{index:x}-{serial:x}", birthplace.boot, birthplace.shard);
        }
        id
    }

    /// The session with this id.
    pub fn by_public_id(&self, id: &str) -> Option<SessionKey> {
        let mut parts = id.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let mut next = || parts.next().flatten();
        let (boot, shard, index, serial) = (next()?, next()?, next()?, next()?);
        let is_ours = boot == self.birthplace.boot && shard == u64::from(self.birthplace.shard);
        let index = u32::try_from(index).ok()?;
        let session = self.slab.get(index as usize)?;
        let is_it = is_ours && u64::from(session.serial) == serial && parts.next().is_none();
        is_it.then_some(SessionKey { index, generation: session.generation })
    }

    /// The connection of a session ended. It stays registered for `keep_s` seconds, if anything can come of that.
    pub fn connection_ended(&mut self, link: LinkKey, tick: Tick, keep_s: u32) {
        let Some(key) = self.by_link(link) else { return };
        self.by_link[link.index()] = None;
        let Some(session) = self.get(key) else { return };
        if keep_s == 0 || !matches!(session.phase, Phase::Live) || session.ring.base().is_none() {
            self.remove(key);
            return;
        }
        session.phase = Phase::Detached { sent: session.ring.sent() };
        self.without_connection += 1;
        if self.detached.len() >= limits::DETACHED_SESSIONS
            && let Some((_, oldest)) = self.detached.pop_front()
        {
            self.remove_if_detached(oldest);
        }
        self.detached.push_back((tick + keep_s, key));
    }

    /// Gives the connection of `newcomer` to the session `old`, which is live or detached; `newcomer` is no more.
    pub fn take_up(
        &mut self,
        old: SessionKey,
        newcomer: SessionKey,
        tick: Tick,
    ) -> Option<TakenUp> {
        self.get(old)?;
        let new = self.remove(newcomer)?;
        let key = SessionKey { index: old.index, generation: self.fresh_generation() };
        let session = self.get(old)?;
        let (user, old_link) = (session.user, session.link);
        let remembers_snapshot = session.covered.is_some();
        session.generation = key.generation;
        session.link = new.link;
        session.external = new.external;
        session.address_rate = new.address_rate;
        let was_detached = session.is_detached();
        session.phase = Phase::Live;
        session.expires_at = new.expires_at;
        session.expiry_told = false;
        session.unanswered = new.unanswered;
        session.queries = 0;
        session.paused = false;
        session.lagging = BTreeMap::new();
        self.without_connection -= usize::from(was_detached);
        self.name_link(new.link, key);
        if let Some(sessions) = self.by_user.get_mut(&user)
            && let Some(place) = sessions.keys.iter_mut().find(|place| **place == old)
        {
            *place = key;
        }
        if remembers_snapshot {
            self.covering.push_back((tick + limits::SNAPSHOT_MEMORY_S, key));
        }
        Some(TakenUp { key, old_link })
    }

    /// Forgets the sessions whose time without a connection is over.
    pub(super) fn forget_detached(&mut self, tick: Tick) {
        while let Some((due, key)) = self.detached.front().copied()
            && due <= tick
        {
            self.detached.pop_front();
            self.remove_if_detached(key);
        }
    }

    fn remove_if_detached(&mut self, key: SessionKey) {
        if self.get(key).is_some_and(|session| session.is_detached()) {
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use ringwire_protocol::UserId;
    use ringwire_protocol::codec::Encoding;

    use super::*;
    use crate::config::CommandRate;
    use crate::session::registry::{Birthplace, NewSession, Rates, Session};

    const USER: u64 = 7;

    fn registry() -> Registry {
        let rate = CommandRate { per_s: 0, burst: 1 };
        let birthplace = Birthplace { boot: 0xb007, shard: 3 };
        Registry::new(Rates { session: rate, user: rate }, birthplace)
    }

    impl Registry {
        fn watches(&self) -> usize {
            self.expiry.len()
        }
    }

    fn live(registry: &mut Registry, link: u32) -> SessionKey {
        let user = UserId::new(USER).unwrap();
        let key = registry.insert(
            NewSession {
                user,
                external: None,
                name_hint: None,
                link: LinkKey::numbered(link),
                encoding: Encoding::Json,
                login: None,
                expires_at: 0,
                address_rate: None,
            },
            0,
            0,
        );
        registry.subscribe(key, 0);
        registry.get(key).unwrap().phase = Phase::Live;
        key
    }

    #[test]
    fn ids_name_one_session_of_one_start() {
        let mut registry = registry();
        let (one, other) = (live(&mut registry, 1), live(&mut registry, 2));
        let id = registry.public_id(one);
        assert_eq!(registry.by_public_id(&id), Some(one));
        assert_ne!(registry.public_id(other), id);
        for wrong in ["", "-", "b007", "b007-3-0", "b008-3-0-1", "b007-2-0-1", "b007-3-0-1-1"] {
            assert_eq!(registry.by_public_id(wrong), None, "{wrong}");
        }
        assert_eq!(registry.by_public_id("b007-3-0-1"), Some(one));
        registry.remove(one);
        let again = live(&mut registry, 1);
        assert_eq!(again.index, one.index, "the place is used again");
        assert_eq!(registry.by_public_id(&id), None);
    }

    #[test]
    fn a_session_taken_up_keeps_its_id_and_loses_its_key() {
        let mut registry = registry();
        let old = live(&mut registry, 1);
        let id = registry.public_id(old);
        registry.connection_ended(LinkKey::numbered(1), 5, 60);
        assert!(registry.get(old).unwrap().is_detached());
        assert_eq!(registry.detached_count(), 1);
        assert_eq!(registry.by_link(LinkKey::numbered(1)), None);

        let newcomer = live(&mut registry, 2);
        let taken_up = registry.take_up(old, newcomer, 9).unwrap();
        assert_eq!(registry.public_id(taken_up.key), id);
        assert_eq!(registry.by_link(LinkKey::numbered(2)), Some(taken_up.key));
        assert!(registry.get(old).is_none() && registry.get(newcomer).is_none());
        assert_eq!(registry.of_user(UserId::new(USER).unwrap()), [taken_up.key]);
        registry.advance(5 + 60);
        assert!(registry.get(taken_up.key).is_some(), "its time without a connection is over");
        assert_eq!((registry.len(), registry.detached_count()), (1, 0));
    }

    #[test]
    fn a_session_without_a_connection_ends_when_its_time_is_over() {
        let mut registry = registry();
        let key = live(&mut registry, 1);
        registry.connection_ended(LinkKey::numbered(1), 5, 60);
        registry.advance(64);
        assert!(registry.get(key).is_some());
        registry.advance(65);
        assert!(registry.get(key).is_none() && registry.is_empty());
        assert_eq!(registry.detached_count(), 0);
        assert_eq!(registry.of_user(UserId::new(USER).unwrap()), []);
        live(&mut registry, 1);
        registry.connection_ended(LinkKey::numbered(1), 5, 0);
        assert!(registry.is_empty(), "nothing is kept where nothing is resumed");
    }

    #[test]
    fn a_session_is_looked_at_once_however_often_its_token_changes_and_it_is_resumed() {
        let mut registry = registry();
        let mut key = live(&mut registry, 1);
        for n in 0..1000 {
            registry.watch_expiry(key, 300 + n);
            let newcomer = live(&mut registry, 2 + n);
            key = registry.take_up(key, newcomer, 0).unwrap().key;
            registry.watch_expiry(key, 3000);
        }
        // Sessions that come and go leave nothing more than their place has.
        for n in 0..1000 {
            let brief = live(&mut registry, 2000 + n);
            registry.watch_expiry(brief, 3000);
            registry.remove(brief);
        }
        assert_eq!(registry.watches(), 2);
        let looked_at = |registry: &mut Registry, tick| registry.advance(tick).0;
        for tick in 1..300 {
            assert_eq!(looked_at(&mut registry, tick), []);
        }
        assert_eq!(looked_at(&mut registry, 300), [key]);
        registry.watch_expiry(key, 50);
        registry.watch_expiry(key, 0);
        assert_eq!(looked_at(&mut registry, 301), [key], "sooner, and what was overtaken is void");
        assert!((302..3500).all(|tick| looked_at(&mut registry, tick).is_empty()));
        assert_eq!(registry.watches(), 0);
    }

    #[test]
    fn an_idle_session_is_small() {
        assert!(size_of::<Session>() <= 336, "{}", size_of::<Session>());
    }
}
