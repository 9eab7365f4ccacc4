//! Which conversations another node writes to at the same time.
//!
//! Each collision warms a conversation, each append that met nobody cools it. From the third collision on the writer
//! appends behind what it finds (see `renumber`) instead of at the position asked for, until it meets nobody any more.

use std::collections::HashMap;

use ringwire_protocol::ConversationId;

use crate::append::{Append, Change};

/// From here on a conversation is hot.
const HOT: u8 = 3;
/// No hotter than this, so that it cools soon after the other node has gone.
const HOTTEST: u8 = 6;
/// The most conversations remembered; then all is forgotten, and learned again where it matters.
const REMEMBERED: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Heat {
    of: HashMap<ConversationId, u8>,
}

impl Heat {
    /// Another node was there first.
    pub(crate) fn warm(&mut self, id: ConversationId) {
        if self.of.len() >= REMEMBERED && !self.of.contains_key(&id) {
            self.of.clear();
        }
        let heat = self.of.entry(id).or_default();
        *heat = (*heat + 1).min(HOTTEST);
    }

    /// An append met nobody.
    pub(crate) fn cool(&mut self, id: ConversationId) {
        if let Some(heat) = self.of.get_mut(&id) {
            *heat -= 1;
            if *heat == 0 {
                self.of.remove(&id);
            }
        }
    }

    /// The same for every conversation of a set, sorted by conversation.
    pub(crate) fn cool_all(&mut self, set: &[Append]) {
        if !self.of.is_empty() {
            for one in set.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
                self.cool(one[0].conversation_id);
            }
        }
    }

    /// Takes out of a batch, sorted by conversation, what may go behind whatever the log holds: of each hot conversation
    /// the messages at its beginning that follow each other.
    pub(crate) fn take_hot(&self, batch: &mut Vec<Append>) -> Vec<Append> {
        if self.of.is_empty() {
            return Vec::new();
        }
        let mut hot = Vec::new();
        let mut rest = Vec::with_capacity(batch.len());
        let mut open = false;
        let mut last_id = None;
        for entry in batch.drain(..) {
            let id = entry.conversation_id;
            let message = entry.change == Change::None;
            open = message
                && if last_id == Some(id) {
                    open && hot.last().is_some_and(|before| follows(before, &entry))
                } else {
                    self.of.get(&id).is_some_and(|&heat| heat >= HOT)
                };
            last_id = Some(id);
            if open { hot.push(entry) } else { rest.push(entry) }
        }
        *batch = rest;
        hot
    }
}

/// Whether the owner made `next` a message right behind `before`.
pub(crate) fn follows(before: &Append, next: &Append) -> bool {
    (before.origin, before.generation) == (next.origin, next.generation)
        && (before.seq + 1, before.msg_no + 1) == (next.seq, next.msg_no)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conversation, entry, user};

    #[test]
    fn three_collisions_make_it_hot_and_appends_that_meet_nobody_cool_it() {
        let mut heat = Heat::default();
        let mut is_hot = |heat: &Heat| !heat.take_hot(&mut vec![entry(1, 5)]).is_empty();
        for collision in 1..=3 {
            assert!(!is_hot(&heat), "before collision {collision}");
            heat.warm(conversation(1));
        }
        assert!(is_hot(&heat));
        for _ in 0..100 {
            heat.warm(conversation(1));
        }
        for _ in 0..4 {
            heat.cool_all(&[entry(1, 5), entry(1, 6), entry(2, 1)]);
        }
        assert!(!is_hot(&heat));
        heat.cool_all(&[entry(1, 5)]);
        heat.cool_all(&[entry(1, 5)]);
        assert!(heat.of.is_empty(), "nothing is remembered of a calm conversation");
    }

    #[test]
    fn only_messages_that_follow_each_other_are_taken() {
        let mut heat = Heat::default();
        (0..3).for_each(|_| heat.warm(conversation(2)));
        let joins = Append { change: Change::Join(vec![user(1)]), ..entry(2, 7) };
        let newer = Append { generation: 2, ..entry(2, 8) };
        let mut batch = vec![entry(1, 1), entry(2, 5), entry(2, 6), joins, newer, entry(3, 1)];
        let hot = heat.take_hot(&mut batch);
        assert_eq!(hot.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(batch.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 7, 8, 1]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut heat = Heat::default();
        (1..=REMEMBERED as u64 + 1).for_each(|id| heat.warm(conversation(id)));
        assert_eq!(heat.of.len(), 1);
    }
}
