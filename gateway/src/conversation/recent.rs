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

/// The newest entries by (sender, `client_msg_id`), oldest first. They are looked through one by one: in nearly every
/// conversation there are few, and a map would cost several times their memory.
#[derive(Debug, Default)]
pub(super) struct Recent {
    entries: VecDeque<(DedupeKey, Position)>,
}

impl Recent {
    /// Remembers a committed entry, and forgets the oldest when there are too many.
    pub(super) fn insert(&mut self, key: DedupeKey, position: Position) {
        if let Some((_, known)) = self.entries.iter_mut().find(|(other, _)| *other == key) {
            *known = position;
            return;
        }
        if self.entries.len() == limits::RECENT_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back((key, position));
    }

    /// Where the command with this key went, if that was lately.
    pub(super) fn get(&self, key: &DedupeKey) -> Option<Position> {
        self.entries.iter().find(|(other, _)| other == key).map(|(_, position)| *position)
    }
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
    }
}
