//! What conversations have to hear of what users of this shard did, while their owner shards have no room for it.
//!
//! Invariant: of each kind of news about a conversation the newest is kept, and in all no more than
//! [`limits::NEWS_WAITING`]. Beyond that the oldest is lost. That heals: of a conversation that was made its members read
//! in their list, and who blocks whom and what is hidden is read from the database when the conversation is loaded next.

use std::collections::{HashMap, VecDeque};
use std::mem::{Discriminant, discriminant};

use ringwire_protocol::ConversationId;

use super::mail::Mail;
use super::state::State;
use crate::connection::links::Links;
use crate::conversation::request::Request;
use crate::limits;
use crate::placement::owner_shard;

type Key = (ConversationId, Discriminant<Request>);

/// News that wait.
#[derive(Debug, Default)]
pub(crate) struct News {
    waiting: HashMap<Key, Request>,
    /// Its keys, oldest first.
    order: VecDeque<Key>,
}

impl News {
    /// Keeps one for later, in the place of an older one like it.
    fn push(&mut self, mut request: Request) {
        let key = key_of(&request);
        if let Some(older) = self.waiting.get(&key) {
            request.take_in(older);
        } else {
            if self.order.len() >= limits::NEWS_WAITING
                && let Some(oldest) = self.order.pop_front()
            {
                tracing::warn!(conversation = %oldest.0, "a conversation does not hear of what its shard has no room for");
                self.waiting.remove(&oldest);
            }
            self.order.push_back(key);
        }
        self.waiting.insert(key, request);
    }

    fn is_waiting(&self, request: &Request) -> bool {
        self.waiting.contains_key(&key_of(request))
    }

    /// Everything, oldest first.
    fn take(&mut self) -> impl Iterator<Item = Request> + use<> {
        let mut waiting = std::mem::take(&mut self.waiting);
        std::mem::take(&mut self.order).into_iter().filter_map(move |key| waiting.remove(&key))
    }
}

impl State {
    /// Hands to its owner shard what a conversation has to hear, now or when there is room.
    pub(super) fn announce(&mut self, request: Request, links: &mut Links) {
        if self.news.is_waiting(&request) {
            self.news.push(request);
        } else if let Some(request) = self.try_announce(request, links) {
            self.news.push(request);
        }
    }

    /// Tries what waits, once each.
    pub(super) fn retry_news(&mut self, links: &mut Links) {
        for request in self.news.take() {
            if let Some(request) = self.try_announce(request, links) {
                self.news.push(request);
            }
        }
    }

    /// Gives it back where there is no room.
    fn try_announce(&mut self, request: Request, links: &mut Links) -> Option<Request> {
        let owner = owner_shard(request.conversation_id(), self.shared.shards());
        if owner == self.id {
            self.handle_request(request, links);
            return None;
        }
        let mailbox = &self.shared.mailboxes[usize::from(owner)];
        match mailbox.try_send(Mail::Request(request)) {
            Err(Mail::Request(request)) => Some(request),
            Ok(()) | Err(_) => None,
        }
    }
}

fn key_of(request: &Request) -> Key {
    (request.conversation_id(), discriminant(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(id: u64, blocked: bool) -> Request {
        Request::BlockChanged { conversation_id: ConversationId::new(id).unwrap(), blocked }
    }

    fn seen(id: u64, through: u64) -> Request {
        Request::SeenOtherwise { conversation_id: ConversationId::new(id).unwrap(), through }
    }

    #[test]
    fn the_newest_of_each_kind_is_kept_and_covers_those_before() {
        let mut news = News::default();
        for request in
            [blocked(1, true), seen(1, 9), blocked(2, true), blocked(1, false), seen(1, 4)]
        {
            news.push(request);
        }
        let told: Vec<_> = news.take().map(|request| format!("{request:?}")).collect();
        let expected = [blocked(1, false), seen(1, 9), blocked(2, true)];
        assert_eq!(told, expected.map(|request| format!("{request:?}")));
        assert!(!news.is_waiting(&blocked(1, true)), "it was taken");
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut news = News::default();
        for id in 1..=limits::NEWS_WAITING as u64 + 1 {
            news.push(blocked(id, true));
        }
        assert!(!news.is_waiting(&blocked(1, true)) && news.is_waiting(&blocked(2, true)));
        assert_eq!(news.take().count(), limits::NEWS_WAITING);
    }
}
