//! Cursors on their way to the database: coalesced per member, written behind.
//!
//! A cursor stays here until its write is confirmed, and every read of the user's list takes what is here along
//! first, so a user always reads back what they did. A crash may lose the last moves of a cursor, never an entry.
//!
//! A round takes in everyone whose cursors moved since the last one and writes them in small batches, one after the
//! other, so that no commit of messages waits long behind one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ringwire_protocol::{ConversationId, Seq, UserId};
use ringwire_storage::model::CursorRow;

use crate::limits;

/// How far a user is in one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// They have seen everything up to here.
    pub read_seq: Seq,
    /// A device of theirs has everything up to here; never less than what they have seen.
    pub delivered_seq: Seq,
}

impl Cursor {
    /// Everything up to `seq` was seen, and so has arrived.
    pub const fn read(seq: Seq) -> Self {
        Self { read_seq: seq, delivered_seq: seq }
    }

    /// Everything up to `seq` has arrived.
    pub const fn delivered(seq: Seq) -> Self {
        Self { read_seq: 0, delivered_seq: seq }
    }

    /// Rises to another one; whether that changed anything.
    pub fn raise(&mut self, to: Self) -> bool {
        let before = *self;
        self.read_seq = self.read_seq.max(to.read_seq);
        self.delivered_seq = self.delivered_seq.max(to.delivered_seq);
        *self != before
    }

    /// Whether it is as far as another one, in both respects.
    pub fn reaches(&self, other: Self) -> bool {
        self.read_seq >= other.read_seq && self.delivered_seq >= other.delivered_seq
    }
}

/// The cursors of a shard's users that the database may not have yet.
#[derive(Debug, Default)]
pub struct DirtyCursors {
    by_user: HashMap<UserId, BTreeMap<ConversationId, Cursor>>,
    /// Users with moves that no write under way carries.
    moved: BTreeSet<UserId>,
    /// Those of them whose turn it is in this round.
    due: Vec<UserId>,
    writing: bool,
}

impl DirtyCursors {
    /// Raises a user's cursors in a conversation.
    pub fn raise(&mut self, user: UserId, conversation: ConversationId, to: Cursor) {
        if to == Cursor::default() {
            // Nothing has arrived; kept, it would never count as written.
            return;
        }
        let cursor = self.by_user.entry(user).or_default().entry(conversation).or_default();
        if cursor.raise(to) {
            self.moved.insert(user);
        }
    }

    /// What is not known to be written of one user.
    pub fn of(&self, user: UserId) -> Vec<CursorRow> {
        let cursors = self.by_user.get(&user).into_iter().flatten();
        cursors.map(|(conversation, cursor)| row(user, *conversation, *cursor)).collect()
    }

    /// Begins a round, unless the last one is not over.
    pub fn start_round(&mut self) {
        if self.due.is_empty() {
            self.due.extend(&self.moved);
        }
    }

    /// The next batch of the round, unless one is under way; give it to [`Self::written`] afterwards.
    pub fn take_batch(&mut self) -> Option<Vec<CursorRow>> {
        if self.writing {
            return None;
        }
        let mut batch = Vec::new();
        while batch.len() < limits::CURSOR_BATCH
            && let Some(user) = self.due.pop()
        {
            if self.moved.remove(&user) {
                batch.extend(self.of(user));
            }
        }
        self.writing = !batch.is_empty();
        self.writing.then_some(batch)
    }

    /// A batch was written, or failed and has to be written again.
    pub fn written(&mut self, batch: &[CursorRow], success: bool) {
        self.writing = false;
        for written in batch {
            if !success {
                self.moved.insert(written.user_id);
                continue;
            }
            let Some(cursors) = self.by_user.get_mut(&written.user_id) else { continue };
            let settled = cursors
                .get(&written.conversation_id)
                .is_some_and(|cursor| cursor_of(written).reaches(*cursor));
            if settled {
                cursors.remove(&written.conversation_id);
            }
            if cursors.is_empty() {
                self.by_user.remove(&written.user_id);
            }
        }
    }

    /// Whether everything is written.
    pub fn is_clean(&self) -> bool {
        self.by_user.is_empty()
    }
}

fn cursor_of(row: &CursorRow) -> Cursor {
    Cursor { read_seq: row.read_seq, delivered_seq: row.delivered_seq }
}

fn row(user_id: UserId, conversation_id: ConversationId, cursor: Cursor) -> CursorRow {
    CursorRow {
        conversation_id,
        user_id,
        read_seq: cursor.read_seq,
        delivered_seq: cursor.delivered_seq,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_nothing_leaves_nothing_to_write() {
        let mut cursors = DirtyCursors::default();
        cursors.raise(UserId::new(1).unwrap(), ConversationId::new(2).unwrap(), Cursor::read(0));
        assert!(cursors.is_clean());
    }

    /// A database that takes some batches and fails at others: whatever order things come in, a user reads back what
    /// they did, and in the end it is written.
    fn keeps_every_move(steps: Vec<(u64, u64, Seq, u8)>) {
        let mut cursors = DirtyCursors::default();
        let mut raised: HashMap<(UserId, ConversationId), Cursor> = HashMap::new();
        let mut database = raised.clone();
        let mut under_way: Option<Vec<CursorRow>> = None;
        let finish = [(1, 1, 0, 1), (1, 1, 0, 2)].into_iter().cycle().take(6);
        for (user, conversation, seq, step) in steps.into_iter().chain(finish) {
            match (step, under_way.take()) {
                (1, None) => {
                    cursors.start_round();
                    under_way = cursors.take_batch();
                }
                (2 | 3, Some(batch)) => {
                    let success = step == 2;
                    for row in batch.iter().filter(|_| success) {
                        let known = database.entry((row.user_id, row.conversation_id)).or_default();
                        known.raise(cursor_of(row));
                    }
                    cursors.written(&batch, success);
                }
                (0 | 4, pending) => {
                    under_way = pending;
                    let (user, conversation) =
                        (UserId::new(user).unwrap(), ConversationId::new(conversation).unwrap());
                    let to = if step == 0 { Cursor::read(seq) } else { Cursor::delivered(seq) };
                    cursors.raise(user, conversation, to);
                    raised.entry((user, conversation)).or_default().raise(to);
                }
                (_, pending) => under_way = pending,
            }
            for ((user, conversation), cursor) in &raised {
                let mine = cursors.of(*user);
                let dirty = mine.iter().find(|row| row.conversation_id == *conversation);
                let mut seen = database.get(&(*user, *conversation)).copied().unwrap_or_default();
                seen.raise(dirty.map(cursor_of).unwrap_or_default());
                assert_eq!(seen, *cursor);
            }
        }
        assert!(cursors.is_clean(), "everything was written");
    }

    proptest::proptest! {
        #[test]
        fn every_move_is_read_back_and_written_in_the_end(
            steps in proptest::collection::vec((1..4_u64, 1..4_u64, 0..9_u64, 0..5_u8), 0..60),
        ) {
            keeps_every_move(steps);
        }
    }

    #[test]
    fn a_move_during_the_write_is_written_next() {
        let (user, room) = (UserId::new(1).unwrap(), ConversationId::new(2).unwrap());
        let mut cursors = DirtyCursors::default();
        cursors.raise(user, room, Cursor::read(5));
        cursors.start_round();
        let first = cursors.take_batch().unwrap();
        cursors.raise(user, room, Cursor::delivered(6));
        cursors.start_round();
        assert!(cursors.take_batch().is_none(), "one write at a time");
        cursors.written(&first, true);
        let row = cursors.of(user)[0];
        assert_eq!((row.read_seq, row.delivered_seq), (5, 6));
        cursors.start_round();
        let second = cursors.take_batch().unwrap();
        cursors.written(&second, false);
        cursors.start_round();
        let third = cursors.take_batch().unwrap();
        assert_eq!(second, third, "a failed write is repeated");
        cursors.written(&third, true);
        assert!(cursors.is_clean());
    }
}
