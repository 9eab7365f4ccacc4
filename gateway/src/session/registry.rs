//! The sessions of a shard's users: by key, by user, by connection. Those whose connection ended: `detached.rs`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId, wire};
use ringwire_storage::refresh::FamilyId;
use slab::Slab;

use super::rate::Bucket;
use super::resume::{About, ResumeBudget, ResumeRing};
use crate::auth::TokenUser;
use crate::config::CommandRate;
use crate::connection::address_rate::AddressRate;
use crate::connection::links::LinkKey;
use crate::connection::wheel::{Tick, Wheel};
use crate::limits;
use crate::presence::Own;
use crate::refusals::Refusals;

/// Names a session on its home shard, for as long as it has the same connection: a resume gives it another key, so what
/// was asked over the old connection is not answered over the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl SessionKey {
    /// Its place on its shard; used again when it is gone.
    pub const fn place(self) -> u32 {
        self.index
    }

    /// A key of no registry, for tests that only compare keys.
    #[cfg(test)]
    pub(crate) const fn numbered(index: u32) -> Self {
        Self { index, generation: 0 }
    }
}

/// A push that waits until the session's snapshot has gone out.
#[derive(Debug)]
pub struct HeldPush {
    /// Whose log, and where in it; `None` for what is not an entry.
    pub position: Option<(ConversationId, Seq)>,
    /// What it tells of a message.
    pub about: About,
    /// The whole frame.
    pub frame: Bytes,
}

/// How far a session is.
#[derive(Debug)]
pub enum Phase {
    /// The `connect` command has not come.
    AwaitingConnect,
    /// Its snapshot is being read.
    Opening(Box<Opening>),
    /// Serving.
    Live,
    /// Without a connection, waiting to be resumed.
    Detached {
        /// Durable pushes sent while there was one: more than that no client can have counted.
        sent: u64,
    },
}

/// What waits for a session's snapshot.
#[derive(Debug)]
pub struct Opening {
    /// Live pushes since it was registered.
    pub held: VecDeque<HeldPush>,
    /// Commands that came behind `connect`.
    pub early: Vec<wire::Command>,
    /// Id of the `connect` command.
    pub connect_id: u64,
}

/// On what a user is connected, as the client says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Stable for an installation; empty: it did not say.
    pub id: Box<str>,
    /// Phone, desktop, web, bot …
    pub class: Box<str>,
    /// For people who read the list of their sessions.
    pub client_name: Box<str>,
}

/// An authenticated user on a device.
#[derive(Debug)]
pub struct Session {
    pub(super) generation: u32,
    /// The generation it began with: part of its id for clients, which a resume does not change.
    pub(super) serial: u32,
    /// Whose.
    pub user: UserId,
    /// What its token said, when that was not of this server's own.
    pub external: Option<Box<ExternalIdentity>>,
    /// What its token calls the person; until it is connected.
    pub name_hint: Option<Box<str>>,
    /// Over which connection.
    pub link: LinkKey,
    /// How its frames are written.
    pub encoding: Encoding,
    /// How far it is.
    pub phase: Phase,
    /// On which device.
    pub device: Device,
    /// When its `connect` came; 0: it has not.
    pub connected_at: UnixMs,
    /// The newest change of its user's view that it was told, or that is kept for it.
    pub view_no: u64,
    /// The durable pushes it was sent and has not counted.
    pub ring: ResumeRing,
    /// Of which login its token is, if of any.
    pub login: Option<FamilyId>,
    /// When its token expires.
    pub expires_at: UnixMs,
    /// Whether `token_expiring` was sent for this token.
    pub expiry_told: bool,
    /// Commands without an answer.
    pub unanswered: u32,
    /// Those of them that read the database.
    pub queries: u32,
    /// It is not read at present, for having too many of those.
    pub paused: bool,
    /// What it may send.
    pub bucket: Bucket,
    /// What all sessions of its address may send together; `None`: no limit.
    pub address_rate: Option<AddressRate>,
    /// Commands refused as too fast since the last one that was not, and since when.
    pub too_fast: (u32, i64),
    /// Sends refused on this shard, for those that say they come `after` one.
    pub refused_sends: Refusals,
    /// Conversations whose entries were dropped because the outbox was full, with the newest dropped position.
    pub lagging: BTreeMap<ConversationId, Seq>,
    /// What its snapshot told, for pushes that were slower than it; see [`Registry::cover`].
    #[expect(clippy::box_collection, reason = "a map is six words, and most sessions have none")]
    pub(super) covered: Option<Box<HashMap<ConversationId, Seq>>>,
    /// How it shows its user; kept by a resume.
    pub own: Own,
    /// Where it typed last.
    pub typing: Option<ConversationId>,
}

impl Session {
    /// Whether it has no connection.
    pub const fn is_detached(&self) -> bool {
        matches!(self.phase, Phase::Detached { .. })
    }

    /// Whether the snapshot told this entry already. Once a later one comes the conversation needs no watching.
    pub fn is_covered(&mut self, id: ConversationId, seq: Seq) -> bool {
        let Some(covered) = &mut self.covered else { return false };
        match covered.get(&id) {
            None => false,
            Some(&head) if seq <= head => true,
            Some(_) => {
                covered.remove(&id);
                false
            }
        }
    }

    /// Whether the snapshot told of entries behind `head`.
    pub fn was_told_of_more(&self, id: ConversationId, head: Seq) -> bool {
        let told = self.covered.as_ref().and_then(|covered| covered.get(&id));
        told.is_some_and(|&told| told > head)
    }

    /// Whether a token names the user of this session.
    pub fn is_bearer(&self, token: &TokenUser) -> bool {
        match token {
            TokenUser::Known(user) => *user == self.user,
            TokenUser::External { issuer, subject, .. } => self
                .external
                .as_ref()
                .is_some_and(|own| own.issuer == *issuer && own.subject == *subject),
        }
    }
}

/// A user as another issuer names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
}

/// What is known of a session when it arrives on its home shard.
pub struct NewSession {
    /// Whose.
    pub user: UserId,
    /// What its token said, when that was not of this server's own.
    pub external: Option<Box<ExternalIdentity>>,
    /// What its token calls the person; until it is connected.
    pub name_hint: Option<Box<str>>,
    /// Over which connection.
    pub link: LinkKey,
    /// How its frames are written.
    pub encoding: Encoding,
    /// Of which login its token is, if of any.
    pub login: Option<FamilyId>,
    /// When its token expires.
    pub expires_at: UnixMs,
    /// What all sessions of its address may send together.
    pub address_rate: Option<AddressRate>,
}

#[derive(Debug)]
pub(super) struct UserSessions {
    pub(super) keys: Vec<SessionKey>,
    bucket: Bucket,
}

/// The rates of [`Registry`]'s buckets.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// For each session.
    pub session: CommandRate,
    /// For all sessions of a user together.
    pub user: CommandRate,
}

/// What tells the sessions of a shard from all others, also after a restart.
#[derive(Clone, Copy, Debug)]
pub struct Birthplace {
    /// Which start of the server; random.
    pub boot: u64,
    /// Which shard.
    pub shard: u16,
}

/// The sessions of one shard.
pub struct Registry {
    pub(super) slab: Slab<Session>,
    next_generation: u32,
    pub(super) by_user: HashMap<UserId, UserSessions>,
    pub(super) by_link: Vec<Option<SessionKey>>,
    pub(super) birthplace: Birthplace,
    rates: Rates,
    pub(super) budget: ResumeBudget,
    /// Sessions that were removed since somebody asked; see [`Registry::take_gone`].
    gone: Vec<(UserId, SessionKey)>,
    /// How many have no connection.
    pub(super) without_connection: usize,
    /// Sessions without a connection, kept until a tick; in order, since all are equally long. Some have been resumed.
    pub(super) detached: VecDeque<(Tick, SessionKey)>,
    /// Sessions that must send `connect` by a tick; in order, since all wait equally long.
    awaiting: VecDeque<(Tick, SessionKey)>,
    /// Sessions that remember their snapshot until a tick; in order, since all do equally long.
    pub(super) covering: VecDeque<(Tick, SessionKey)>,
    /// By place in `slab`: a wheel of its keys would fill with those of sessions that are gone or were resumed.
    pub(super) expiry: Wheel<u32>,
    /// When the wheel tells a place in `slab`; 0: it will not. Other entries of a place mean nothing.
    watched: Vec<Tick>,
}

impl Registry {
    /// No sessions yet.
    pub fn new(rates: Rates, birthplace: Birthplace) -> Self {
        Self {
            slab: Slab::new(),
            next_generation: 0,
            by_user: HashMap::new(),
            by_link: Vec::new(),
            birthplace,
            rates,
            budget: ResumeBudget::new(limits::RESUME_SHARD_BYTES),
            gone: Vec::new(),
            without_connection: 0,
            detached: VecDeque::new(),
            awaiting: VecDeque::new(),
            covering: VecDeque::new(),
            expiry: Wheel::new(),
            watched: Vec::new(),
        }
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// How many of them have no connection.
    pub fn detached_count(&self) -> usize {
        self.without_connection
    }

    /// Bytes kept for sessions to be resumed with.
    pub fn resume_bytes(&self) -> usize {
        self.budget.used_bytes()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Takes a session in, not yet registered for its user's traffic.
    pub fn insert(&mut self, new: NewSession, now_ms: i64, tick: Tick) -> SessionKey {
        let generation = self.fresh_generation();
        let index = self.slab.insert(Session {
            generation,
            serial: generation,
            user: new.user,
            external: new.external,
            name_hint: new.name_hint,
            link: new.link,
            encoding: new.encoding,
            phase: Phase::AwaitingConnect,
            device: Device::default(),
            connected_at: 0,
            view_no: 0,
            ring: ResumeRing::default(),
            login: new.login,
            expires_at: new.expires_at,
            expiry_told: false,
            unanswered: 0,
            queries: 0,
            paused: false,
            bucket: Bucket::new(self.rates.session, now_ms),
            address_rate: new.address_rate,
            too_fast: (0, 0),
            refused_sends: Refusals::default(),
            lagging: BTreeMap::new(),
            covered: None,
            own: Own::default(),
            typing: None,
        });
        let key = SessionKey { index: index as u32, generation };
        self.name_link(new.link, key);
        self.awaiting.push_back((tick + limits::HANDSHAKE_S as Tick, key));
        key
    }

    /// Registers a session for its user's traffic.
    pub fn subscribe(&mut self, key: SessionKey, now_ms: i64) {
        let Some(session) = self.get(key) else { return };
        let (user, rate) = (session.user, self.rates.user);
        let sessions = self.by_user.entry(user).or_insert_with(|| UserSessions {
            // Most users have one session.
            keys: Vec::with_capacity(1),
            bucket: Bucket::new(rate, now_ms),
        });
        sessions.keys.push(key);
    }

    /// Forgets a session; what came over its connection finds nobody from now on.
    pub fn remove(&mut self, key: SessionKey) -> Option<Session> {
        self.get(key)?;
        let mut session = self.slab.remove(key.index as usize);
        session.ring.forget(&mut self.budget);
        self.without_connection -= usize::from(session.is_detached());
        if !matches!(session.phase, Phase::AwaitingConnect) {
            self.gone.push((session.user, key));
        }
        if let Some(sessions) = self.by_user.get_mut(&session.user) {
            sessions.keys.retain(|other| *other != key);
        }
        Some(session)
    }

    /// The sessions that were removed since the last call, for those who keep something for each; called every second.
    pub fn take_gone(&mut self) -> Vec<(UserId, SessionKey)> {
        std::mem::take(&mut self.gone)
    }

    pub(super) fn fresh_generation(&mut self) -> u32 {
        self.next_generation = self.next_generation.wrapping_add(1);
        self.next_generation
    }

    pub(super) fn name_link(&mut self, link: LinkKey, key: SessionKey) {
        if self.by_link.len() <= link.index() {
            self.by_link.resize(link.index() + 1, None);
        }
        self.by_link[link.index()] = Some(key);
    }

    /// Forgets users without sessions, once their bucket is full again: connecting anew must not fill it.
    pub fn forget_absent_users(&mut self, now_ms: i64) {
        let rate = self.rates.user;
        self.by_user.retain(|_, sessions| {
            !sessions.keys.is_empty() || !sessions.bucket.is_full(rate, now_ms)
        });
    }

    /// The session of a connection.
    pub fn by_link(&self, link: LinkKey) -> Option<SessionKey> {
        let key = self.by_link.get(link.index()).copied().flatten()?;
        let session = self.slab.get(key.index as usize)?;
        (session.link == link && session.generation == key.generation).then_some(key)
    }

    /// A session, if it still exists.
    pub fn get(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.slab.get_mut(key.index as usize).filter(|session| session.generation == key.generation)
    }

    /// A session, and the room for what it would be resumed with.
    pub fn get_for_push(&mut self, key: SessionKey) -> Option<(&mut Session, &mut ResumeBudget)> {
        let session = self
            .slab
            .get_mut(key.index as usize)
            .filter(|session| session.generation == key.generation)?;
        Some((session, &mut self.budget))
    }

    /// The client of a session has counted so many durable pushes.
    pub fn received(&mut self, key: SessionKey, count: u64) {
        if let Some((session, budget)) = self.get_for_push(key) {
            session.ring.received(count, budget);
        }
    }

    /// The sessions registered for a user's traffic.
    pub fn of_user(&self, user: UserId) -> &[SessionKey] {
        self.by_user.get(&user).map_or(&[], |sessions| &sessions.keys)
    }

    /// The same, with their keys, in order of arrival.
    pub fn sessions_of(&self, user: UserId) -> impl Iterator<Item = (SessionKey, &Session)> {
        self.of_user(user).iter().filter_map(|key| {
            let session = self.slab.get(key.index as usize)?;
            (session.generation == key.generation).then_some((*key, session))
        })
    }

    /// Sessions by place, from one on, at most so many.
    pub fn from_place(&self, from: u32, most: usize) -> Vec<(u32, SessionKey)> {
        let places = from as usize..self.slab.capacity();
        let key = |index: usize| {
            let session = self.slab.get(index)?;
            let index = index as u32;
            Some((index, SessionKey { index, generation: session.generation }))
        };
        places.filter_map(key).take(most).collect()
    }

    /// All sessions with a connection.
    pub fn live_keys(&self) -> Vec<SessionKey> {
        let key = |(index, session): (usize, &Session)| SessionKey {
            index: index as u32,
            generation: session.generation,
        };
        self.slab.iter().filter(|(_, session)| !session.is_detached()).map(key).collect()
    }

    /// Takes a command out of the buckets of the session, its user and its address, or tells how many milliseconds to
    /// wait. The address comes last: what its users may not send is not at the expense of others there.
    pub fn take_command(&mut self, key: SessionKey, now_ms: i64, at: Instant) -> Result<(), u32> {
        let rates = self.rates;
        let session = self.slab.get_mut(key.index as usize);
        let Some(session) = session.filter(|session| session.generation == key.generation) else {
            return Ok(());
        };
        session.bucket.take(rates.session, now_ms)?;
        if let Some(sessions) = self.by_user.get_mut(&session.user) {
            sessions.bucket.take(rates.user, now_ms)?;
        }
        session.address_rate.as_ref().map_or(Ok(()), |address| address.take(at))
    }

    /// The same for a command that is given outside of any session: out of the user's bucket and the address's.
    pub fn take_call(
        &mut self,
        user: UserId,
        address: Option<&AddressRate>,
        now_ms: i64,
        at: Instant,
    ) -> Result<(), u32> {
        let rate = self.rates.user;
        let sessions = self.by_user.entry(user).or_insert_with(|| UserSessions {
            keys: Vec::new(),
            bucket: Bucket::new(rate, now_ms),
        });
        sessions.bucket.take(rate, now_ms)?;
        address.map_or(Ok(()), |address| address.take(at))
    }

    /// Looks at the session's token again when `seconds` have passed, or before: an earlier look that was asked for,
    /// also by who had the place before, stays, and whoever is looked at asks anew. So there is one entry for a place
    /// however often tokens change, but for those that a look asked for earlier has overtaken.
    pub fn watch_expiry(&mut self, key: SessionKey, seconds: u32) {
        let place = key.index as usize;
        if self.watched.len() <= place {
            self.watched.resize(place + 1, 0);
        }
        let now = self.expiry.now();
        let tick = now.saturating_add(seconds.max(1));
        let watched = &mut self.watched[place];
        if *watched == 0 || tick < *watched {
            *watched = tick;
            self.expiry.schedule(tick, key.index);
        }
    }

    /// The sessions whose token is to be looked at now.
    fn expiring(&mut self) -> Vec<SessionKey> {
        let mut due = Vec::new();
        self.expiry.advance(&mut due);
        let now = self.expiry.now();
        let mut expiring = Vec::with_capacity(due.len());
        for index in due {
            match self.watched.get_mut(index as usize) {
                Some(watched) if *watched == now => *watched = 0,
                _ => continue,
            }
            // One that has not connected asks to be looked at when it does.
            if let Some(session) = self.slab.get(index as usize)
                && !matches!(session.phase, Phase::AwaitingConnect)
            {
                expiring.push(SessionKey { index, generation: session.generation });
            }
        }
        expiring
    }

    /// Remembers for a while what a session's snapshot told. An entry can be in the snapshot and its push still under
    /// way, for the snapshot comes from the database and the push from the owner of the conversation.
    pub fn cover(&mut self, key: SessionKey, covered: HashMap<ConversationId, Seq>, tick: Tick) {
        let Some(session) = self.get(key) else { return };
        if covered.is_empty() {
            return;
        }
        session.covered = Some(Box::new(covered));
        self.covering.push_back((tick + limits::SNAPSHOT_MEMORY_S, key));
    }

    /// Goes on by one second: the sessions whose token is to be looked at, and those that never connected.
    pub fn advance(&mut self, tick: Tick) -> (Vec<SessionKey>, Vec<SessionKey>) {
        let expiring = self.expiring();
        while let Some((due, key)) = self.covering.front().copied()
            && due <= tick
        {
            self.covering.pop_front();
            if let Some(session) = self.get(key) {
                session.covered = None;
            }
        }
        self.forget_detached(tick);
        let mut silent = Vec::new();
        while let Some((due, key)) = self.awaiting.front().copied()
            && due <= tick
        {
            self.awaiting.pop_front();
            if self.get(key).is_some_and(|session| matches!(session.phase, Phase::AwaitingConnect))
            {
                silent.push(key);
            }
        }
        (expiring, silent)
    }
}
