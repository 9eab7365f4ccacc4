//! Sends that were refused lately, for commands that say they come `after` one.
//!
//! A refusal is remembered by whoever made it: the session's shard, the cache of an owner shard whose conversation was
//! not in memory, or the conversation itself.

use std::collections::{HashSet, VecDeque};

use ringwire_protocol::{ConversationId, UserId};

use crate::limits;

type SendKey = (ConversationId, UserId, Box<str>);

/// The newest refused sends; at most [`limits::REMEMBERED_REFUSALS`].
#[derive(Debug, Default)]
pub struct Refusals {
    /// `None`: there is none, as with nearly every session and conversation.
    sends: Option<Box<Sends>>,
}

#[derive(Debug, Default)]
struct Sends {
    order: VecDeque<SendKey>,
    keys: HashSet<SendKey>,
}

impl Refusals {
    /// Remembers a refusal. A send without id cannot be named by another, so it is not remembered.
    pub fn insert(&mut self, conversation: ConversationId, sender: UserId, client_msg_id: &str) {
        if client_msg_id.is_empty() {
            return;
        }
        let sends = self.sends.get_or_insert_default();
        let key = (conversation, sender, Box::from(client_msg_id));
        if !sends.keys.insert(key.clone()) {
            return;
        }
        if sends.order.len() == limits::REMEMBERED_REFUSALS
            && let Some(oldest) = sends.order.pop_front()
        {
            sends.keys.remove(&oldest);
        }
        sends.order.push_back(key);
    }

    /// The send is tried again, or was accepted after all.
    pub fn forgive(&mut self, conversation: ConversationId, sender: UserId, client_msg_id: &str) {
        let Some(sends) = &mut self.sends else { return };
        let key = (conversation, sender, Box::from(client_msg_id));
        if sends.keys.remove(&key) {
            sends.order.retain(|other| *other != key);
            if sends.order.is_empty() {
                self.sends = None;
            }
        }
    }

    /// Whether this send was refused. Costs nothing as long as none was.
    pub fn contains(
        &self,
        conversation: ConversationId,
        sender: UserId,
        client_msg_id: &str,
    ) -> bool {
        self.sends.as_ref().is_some_and(|sends| {
            sends.keys.contains(&(conversation, sender, Box::from(client_msg_id)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_refusals_are_remembered_until_they_are_tried_again() {
        let (room, user) = (ConversationId::new(1).unwrap(), UserId::new(1).unwrap());
        let mut refusals = Refusals::default();
        refusals.insert(room, user, "");
        assert!(!refusals.contains(room, user, ""), "a send without id cannot be named");
        for number in 0..=limits::REMEMBERED_REFUSALS {
            refusals.insert(room, user, &number.to_string());
        }
        assert!(!refusals.contains(room, user, "0") && refusals.contains(room, user, "1"));
        refusals.forgive(room, user, "1");
        assert!(!refusals.contains(room, user, "1"));
        let sends = refusals.sends.as_ref().unwrap();
        assert_eq!(sends.order.len(), sends.keys.len());
        for number in 2..=limits::REMEMBERED_REFUSALS {
            refusals.forgive(room, user, &number.to_string());
        }
        assert!(refusals.sends.is_none(), "no memory for nothing");
    }

    #[test]
    fn the_same_id_in_another_conversation_is_another_send() {
        let (user, id) = (UserId::new(1).unwrap(), |id| ConversationId::new(id).unwrap());
        let mut refusals = Refusals::default();
        refusals.insert(id(1), user, "a");
        assert!(refusals.contains(id(1), user, "a") && !refusals.contains(id(2), user, "a"));
    }
}
