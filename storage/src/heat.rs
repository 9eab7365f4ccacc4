//! Which conversations another node writes to at the same time.
//!
//! Each collision warms a conversation much, each append that met nobody cools it a little. From the third collision on
//! the writer appends behind what it finds (see `renumber`) instead of at the position asked for, until it has met nobody
//! for a while.

use std::collections::HashMap;

use ringwire_protocol::ConversationId;

use crate::append::Append;

/// What a collision adds; an append that meets nobody takes one off.
const COLLISION: u8 = 8;
/// From here on a conversation is hot.
const HOT: u8 = 3 * COLLISION;
/// No hotter than this, so that it cools soon after the other node has gone.
const HOTTEST: u8 = 2 * HOT;
/// The most conversations remembered; then all is forgotten, and learned again where it matters.
const REMEMBERED: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Heat {
    /// By owner, as the writer sees that, and conversation.
    of: HashMap<(u16, ConversationId), u8>,
}

impl Heat {
    /// Another node was there first.
    pub(crate) fn warm(&mut self, entry: &Append) {
        let key = (entry.origin, entry.conversation_id);
        if self.of.len() >= REMEMBERED && !self.of.contains_key(&key) {
            self.of.clear();
        }
        let heat = self.of.entry(key).or_default();
        *heat = (*heat + COLLISION).min(HOTTEST);
    }

    /// An append met nobody.
    pub(crate) fn cool(&mut self, entry: &Append) {
        let key = (entry.origin, entry.conversation_id);
        if let Some(heat) = self.of.get_mut(&key) {
            *heat -= 1;
            if *heat == 0 {
                self.of.remove(&key);
            }
        }
    }

    /// The same for every conversation of a set, sorted by conversation.
    pub(crate) fn cool_all(&mut self, set: &[Append]) {
        if !self.of.is_empty() {
            for one in set.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
                self.cool(&one[0]);
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
            let message = entry.change.is_of_a_message();
            open = message
                && if last_id == Some(id) {
                    open && hot.last().is_some_and(|before| follows(before, &entry))
                } else {
                    self.of.get(&(entry.origin, id)).is_some_and(|&heat| heat >= HOT)
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
    use crate::append::Change;
    use crate::testing::{entry, user};

    #[test]
    fn three_collisions_make_it_hot_and_appends_that_meet_nobody_cool_it() {
        let mut heat = Heat::default();
        let is_hot = |heat: &Heat| !heat.take_hot(&mut vec![entry(1, 5)]).is_empty();
        for collision in 1..=3 {
            assert!(!is_hot(&heat), "before collision {collision}");
            heat.warm(&entry(1, 5));
        }
        assert!(is_hot(&heat));
        for _ in 0..100 {
            heat.warm(&entry(1, 5));
        }
        for _ in HOT..=HOTTEST {
            heat.cool_all(&[entry(1, 5), entry(1, 6), entry(2, 1)]);
        }
        assert!(!is_hot(&heat));
        for _ in 1..HOT {
            heat.cool_all(&[entry(1, 5)]);
        }
        assert!(heat.of.is_empty(), "nothing is remembered of a calm conversation");
    }

    #[test]
    fn only_messages_that_follow_each_other_are_taken() {
        let mut heat = Heat::default();
        (0..3).for_each(|_| heat.warm(&entry(2, 5)));
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
        (1..=REMEMBERED as u64 + 1).for_each(|id| heat.warm(&entry(id, 5)));
        assert_eq!(heat.of.len(), 1);
    }
}
