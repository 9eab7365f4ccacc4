//! The conversations an owner shard has in memory, and the commands that wait for one to be loaded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ringwire_protocol::ConversationId;

use super::Conversation;
use super::request::Request;
use crate::limits;

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

enum Slot {
    Loading(Vec<Request>),
    Live { conversation: Box<Conversation>, used_tick: u32 },
}

/// Conversations by id.
#[derive(Default)]
pub struct Cache {
    slots: HashMap<ConversationId, Slot>,
}

impl Cache {
    /// The conversation a request is for, or a place in the queue for it.
    pub fn get(&mut self, id: ConversationId, request: Request, tick: u32) -> Lookup<'_> {
        if self.slots.len() >= limits::LOADED_CONVERSATIONS && !self.slots.contains_key(&id) {
            self.make_room(tick);
            if self.slots.len() >= limits::LOADED_CONVERSATIONS {
                return Lookup::Full(request);
            }
        }
        match self.slots.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Slot::Loading(vec![request]));
                Lookup::Waiting { load: true }
            }
            Entry::Occupied(slot) => match slot.into_mut() {
                Slot::Loading(waiting) if waiting.len() >= limits::WAITING_PER_CONVERSATION => {
                    Lookup::Full(request)
                }
                Slot::Loading(waiting) => {
                    waiting.push(request);
                    Lookup::Waiting { load: false }
                }
                Slot::Live { conversation, used_tick } => {
                    *used_tick = tick;
                    Lookup::Ready(conversation, request)
                }
            },
        }
    }

    /// A conversation that is in memory.
    pub fn live(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        match self.slots.get_mut(&id) {
            Some(Slot::Live { conversation, .. }) => Some(conversation),
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
            Some(Slot::Loading(waiting)) => waiting,
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
    pub fn sweep(&mut self, tick: u32) {
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
