//! The conversations an owner shard has in memory, and the commands that wait for one to be loaded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Instant;

use ringwire_protocol::ConversationId;

use super::request::Request;
use super::{Conversation, Intent};
use crate::limits;
use crate::refusals::Refusals;

/// Answer to [`Cache::get`].
pub enum Lookup<'a> {
    /// In memory; the request comes back to be carried out.
    Ready(&'a mut Conversation, Request),
    /// It waits; `load`: nobody has asked the store yet.
    Waiting {
        /// The caller has to ask.
        load: bool,
    },
    /// Too many wait already.
    Full(Request),
}

/// Both are boxed: most slots are live, and the map has more room than slots.
enum Slot {
    Loading(Box<Loading>),
    Live { conversation: Box<Conversation>, used_tick: u32 },
}

struct Loading {
    waiting: Vec<Request>,
    /// The newest block that was made or ended since it was asked.
    block: Option<Request>,
    asked_at: Instant,
}

/// Conversations by id.
#[derive(Default)]
pub struct Cache {
    slots: HashMap<ConversationId, Slot>,
    /// Sends refused while their conversation was not in memory, which otherwise remembers its own.
    refused: Refusals,
}

impl Cache {
    /// How many are in memory or being loaded.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The conversation a request is for, or a place in the queue for it.
    pub fn get(
        &mut self,
        id: ConversationId,
        request: Request,
        tick: u32,
        at: Instant,
    ) -> Lookup<'_> {
        if self.slots.len() >= limits::LOADED_CONVERSATIONS && !self.slots.contains_key(&id) {
            self.make_room(tick);
            if self.slots.len() >= limits::LOADED_CONVERSATIONS {
                return Lookup::Full(request);
            }
        }
        match self.slots.entry(id) {
            Entry::Vacant(vacant) => {
                let loading = Loading { waiting: vec![request], block: None, asked_at: at };
                vacant.insert(Slot::Loading(Box::new(loading)));
                Lookup::Waiting { load: true }
            }
            Entry::Occupied(slot) => match slot.into_mut() {
                // There is always room for what must not be missed.
                Slot::Loading(loading) if request.is_for_memory() => {
                    // Nothing else of what is kept in memory is there yet.
                    if matches!(request, Request::BlockChanged { .. }) {
                        loading.block = Some(request);
                    }
                    Lookup::Waiting { load: false }
                }
                Slot::Loading(loading)
                    if loading.waiting.len() >= limits::WAITING_PER_CONVERSATION =>
                {
                    Lookup::Full(request)
                }
                Slot::Loading(loading) => {
                    loading.waiting.push(request);
                    Lookup::Waiting { load: false }
                }
                Slot::Live { conversation, used_tick } => {
                    *used_tick = tick;
                    Lookup::Ready(conversation, request)
                }
            },
        }
    }

    /// Remembers a send that is refused because its conversation cannot be had.
    pub fn note_refusal(&mut self, request: &Request) {
        if let Request::Submit { conversation_id, submission } = request {
            self.refused.insert(*conversation_id, submission.from, &submission.client_msg_id);
        }
    }

    /// Whether a send says that it comes `after` one of those. A new try of one of those is forgiven.
    pub fn follows_refused(&mut self, request: &Request) -> bool {
        let Request::Submit { conversation_id: id, submission } = request else { return false };
        let Intent::Send { after, .. } = &submission.intent else { return false };
        let follows = self.refused.contains(*id, submission.from, after);
        if !follows {
            self.refused.forgive(*id, submission.from, &submission.client_msg_id);
        }
        follows
    }

    /// A conversation that is in memory.
    pub fn live(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        match self.slots.get_mut(&id) {
            Some(Slot::Live { conversation, .. }) => Some(conversation),
            _ => None,
        }
    }

    /// Whether a conversation is in memory, or will be.
    pub fn is_known(&self, id: ConversationId) -> bool {
        self.slots.contains_key(&id)
    }

    /// When the store was asked for a conversation that is not in memory yet.
    pub fn asked_at(&self, id: ConversationId) -> Option<Instant> {
        match self.slots.get(&id) {
            Some(Slot::Loading(loading)) => Some(loading.asked_at),
            _ => None,
        }
    }

    /// The store answered: the conversation, or `None` where there is none; returns what waited for it.
    pub fn loaded(
        &mut self,
        id: ConversationId,
        conversation: Option<Conversation>,
        tick: u32,
    ) -> Vec<Request> {
        let waiting = match self.slots.remove(&id) {
            Some(Slot::Loading(loading)) => {
                let Loading { waiting, block, .. } = *loading;
                // First, so that what waited is not decided by what was so before.
                block.into_iter().chain(waiting).collect()
            }
            Some(live @ Slot::Live { .. }) => {
                self.slots.insert(id, live);
                return Vec::new();
            }
            None => Vec::new(),
        };
        if let Some(conversation) = conversation {
            let conversation = Box::new(conversation);
            self.slots.insert(id, Slot::Live { conversation, used_tick: tick });
        }
        waiting
    }

    /// Drops a conversation whose state must be loaded anew, once nothing is on its way.
    pub fn drop_if_outdated(&mut self, id: ConversationId) {
        if let Some(Slot::Live { conversation, .. }) = self.slots.get(&id)
            && conversation.is_outdated()
            && conversation.is_quiet()
        {
            self.slots.remove(&id);
        }
    }

    /// Drops what nobody used for a while.
    pub fn sweep(&mut self, tick: u32, at: Instant) {
        for slot in self.slots.values_mut() {
            if let Slot::Live { conversation, .. } = slot {
                conversation.expire(at);
            }
        }
        self.drop_quiet_before(tick.saturating_sub(limits::CONVERSATION_IDLE_S));
    }

    /// Drops the quiet conversations of the less recently used half.
    fn make_room(&mut self, tick: u32) {
        let mut ticks: Vec<u32> = self
            .slots
            .values()
            .filter_map(|slot| match slot {
                Slot::Live { used_tick, .. } => Some(*used_tick),
                Slot::Loading(_) => None,
            })
            .collect();
        let middle = ticks.len() / 2;
        if let Some((_, median, _)) =
            ticks.get(middle).is_some().then(|| ticks.select_nth_unstable(middle))
        {
            let before = (*median + 1).min(tick + 1);
            self.drop_quiet_before(before);
        }
    }

    fn drop_quiet_before(&mut self, before: u32) {
        self.slots.retain(|_, slot| match slot {
            Slot::Live { conversation, used_tick } => {
                *used_tick >= before || !conversation.is_quiet()
            }
            Slot::Loading(_) => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use ringwire_protocol::UserId;
    use ringwire_storage::model::{
        ConversationKind, ConversationSnapshot, ConversationState, LogHead,
    };

    use super::*;
    use crate::conversation::{Moment, Terms};
    use crate::session::cursors::Cursor;

    fn id() -> ConversationId {
        ConversationId::new(1).unwrap()
    }

    fn read(seq: u64) -> Request {
        let reply_to = crate::conversation::answer::ReplyTo {
            shard: 0,
            session: crate::session::registry::SessionKey::numbered(0),
            command_id: seq,
        };
        let to = Cursor::read(seq);
        Request::Raise { conversation_id: id(), user: UserId::new(1).unwrap(), to, reply_to }
    }

    fn conversation() -> Conversation {
        let snapshot = ConversationSnapshot {
            conversation_id: id(),
            kind: ConversationKind::Room,
            settings: bytes::Bytes::new(),
            head: LogHead::default(),
            floor_seq: 1,
            members: Vec::new(),
            recent: Vec::new(),
            state: ConversationState::default(),
        };
        let (mut generation, terms) = (0, Terms::permissive(1));
        Conversation::new(snapshot, &mut moment(&mut generation, &terms))
    }

    fn moment<'a>(generation: &'a mut u64, terms: &'a Terms) -> Moment<'a> {
        Moment { unix_ms: 0, at: Instant::now(), generation, terms }
    }

    #[test]
    fn a_quiet_conversation_is_small() {
        assert!(size_of::<Slot>() <= 16, "{}", size_of::<Slot>());
        // Allocators round up to 1,024.
        assert!(size_of::<Conversation>() <= 1024, "{}", size_of::<Conversation>());
    }

    #[test]
    fn requests_wait_for_one_load_in_order_and_in_bounds() {
        let mut cache = Cache::default();
        for seq in 0..limits::WAITING_PER_CONVERSATION as u64 {
            let first = seq == 0;
            let lookup = cache.get(id(), read(seq), 0, Instant::now());
            assert!(matches!(lookup, Lookup::Waiting { load } if load == first));
        }
        assert!(matches!(cache.get(id(), read(0), 0, Instant::now()), Lookup::Full(_)));
        for blocked in [true, false] {
            let news = Request::BlockChanged { conversation_id: id(), blocked };
            let lookup = cache.get(id(), news, 0, Instant::now());
            assert!(matches!(lookup, Lookup::Waiting { load: false }), "the bound is not for news");
        }
        let mut waiting = cache.loaded(id(), Some(conversation()), 0);
        let first = waiting.remove(0);
        assert!(matches!(first, Request::BlockChanged { blocked: false, .. }), "the newest");
        let order = waiting.iter().filter_map(|request| Some(request.reply_to()?.command_id));
        assert!(order.eq(0..limits::WAITING_PER_CONVERSATION as u64));
        assert!(matches!(cache.get(id(), read(0), 0, Instant::now()), Lookup::Ready(..)));
    }

    #[test]
    fn what_follows_a_send_refused_before_the_load_is_told_until_that_is_tried_again() {
        let send = |client_msg_id: &str, after: &str| {
            let Request::Raise { conversation_id, user, reply_to, .. } = read(1) else {
                unreachable!("made above")
            };
            let intent = Intent::Send {
                body: bytes::Bytes::new(),
                after: after.into(),
                mentions: crate::conversation::Mentions::default(),
                files: Box::default(),
            };
            let submission = Box::new(crate::conversation::Submission {
                from: user,
                reply_to,
                client_msg_id: client_msg_id.into(),
                intent,
                command_hash: 0,
                also: Vec::new(),
            });
            Request::Submit { conversation_id, submission }
        };
        let mut cache = Cache::default();
        assert!(!cache.follows_refused(&send("b", "a")));
        cache.note_refusal(&send("a", ""));
        assert!(cache.follows_refused(&send("b", "a")));
        assert!(!cache.follows_refused(&send("a", "")), "the new try itself may go on");
        assert!(!cache.follows_refused(&send("b", "a")));
    }

    #[test]
    fn a_conversation_that_is_not_there_is_asked_for_again() {
        let mut cache = Cache::default();
        cache.get(id(), read(0), 0, Instant::now());
        assert_eq!(cache.loaded(id(), None, 0).len(), 1);
        assert!(matches!(
            cache.get(id(), read(0), 0, Instant::now()),
            Lookup::Waiting { load: true }
        ));
    }

    #[test]
    fn only_what_nobody_used_and_nothing_is_under_way_for_is_dropped() {
        let mut cache = Cache::default();
        cache.get(id(), read(0), 0, Instant::now());
        cache.loaded(id(), Some(conversation()), 0);
        cache.sweep(limits::CONVERSATION_IDLE_S, Instant::now());
        assert!(cache.live(id()).is_some(), "used just that long ago");
        let mut effects = Vec::new();
        cache.live(id()).unwrap().start_rebase(Instant::now(), &mut effects);
        cache.sweep(limits::CONVERSATION_IDLE_S + 1, Instant::now());
        let conversation = cache.live(id()).expect("its tail is being read");
        let (mut generation, terms) = (0, Terms::permissive(1));
        let mut now = moment(&mut generation, &terms);
        conversation.tail_loaded(None, &mut now, &mut effects);
        assert!(conversation.is_outdated());
        cache.drop_if_outdated(id());
        assert!(cache.live(id()).is_none());
    }
}
