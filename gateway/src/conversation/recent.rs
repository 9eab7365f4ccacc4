//! What a conversation remembers of its newest entries, to answer retries without the database.
//!
//! The database's unique index is the authority; this memory only spares it the common case.

use std::collections::VecDeque;

use ringwire_protocol::{MsgNo, Seq, UnixMs, UserId};

use crate::limits;

/// What makes a command recognisable when it comes again.
pub(super) type DedupeKey = (UserId, Box<str>);

/// Where an entry was committed, and what command made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Its place in the log.
    pub(super) seq: Seq,
    /// Messages up to it.
    pub(super) msg_no: MsgNo,
    /// Its time.
    pub(super) created_at: UnixMs,
    /// Keyed hash of the command.
    pub(super) command_hash: i64,
}

/// The newest entries by (sender, `client_msg_id`), oldest first. In nearly every conversation there are few, and a map
/// would cost several times their memory; so they are looked through one by one, by tags that lie side by side: a busy
/// conversation is asked twice for each message, and its keys are on the heap.
#[derive(Debug, Default)]
pub(super) struct Recent {
    tags: VecDeque<u32>,
    entries: VecDeque<(DedupeKey, Position)>,
}

impl Recent {
    /// Remembers a committed entry, and forgets the oldest when there are too many.
    pub(super) fn insert(&mut self, key: DedupeKey, position: Position) {
        if let Some(place) = self.place(&key) {
            self.entries[place].1 = position;
            return;
        }
        if self.entries.len() == limits::RECENT_ENTRIES {
            self.entries.pop_front();
            self.tags.pop_front();
        }
        self.tags.push_back(tag(&key));
        self.entries.push_back((key, position));
    }

    /// Where the command with this key went, if that was lately.
    pub(super) fn get(&self, key: &DedupeKey) -> Option<Position> {
        self.place(key).map(|place| self.entries[place].1)
    }

    fn place(&self, key: &DedupeKey) -> Option<usize> {
        let tag = tag(key);
        let alike = self.tags.iter().enumerate().filter(|(_, other)| **other == tag);
        alike.map(|(place, _)| place).find(|&place| self.entries[place].0 == *key)
    }
}

/// FNV-1a (draft-eastlake-fnv): cheap, and spread well enough where a collision costs one comparison.
fn tag((user, id): &DedupeKey) -> u32 {
    let bytes = user.get().to_le_bytes().into_iter().chain(id.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> DedupeKey {
        (UserId::new(1).unwrap(), number.to_string().into())
    }

    #[test]
    fn memory_is_bounded_and_drops_the_oldest() {
        let mut recent = Recent::default();
        let position = Position { seq: 1, msg_no: 1, created_at: 0, command_hash: 0 };
        for number in 0..limits::RECENT_ENTRIES + 5 {
            recent.insert(key(number), position);
        }
        assert_eq!(recent.get(&key(4)), None);
        assert_eq!(recent.get(&key(5)), Some(position));
        let again = Position { seq: 2, ..position };
        recent.insert(key(5), again);
        assert_eq!((recent.get(&key(5)), recent.get(&key(6))), (Some(again), Some(position)));
        assert_eq!(recent.entries.len(), limits::RECENT_ENTRIES);
        assert_eq!(recent.tags.len(), recent.entries.len());
    }
}
