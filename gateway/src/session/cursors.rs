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

#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    read_seq: Seq,
    delivered_seq: Seq,
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
    /// Raises a read cursor, and the delivered one with it: what was seen has arrived.
    pub fn raise(&mut self, user: UserId, conversation: ConversationId, read_seq: Seq) {
        if read_seq == 0 {
            // Nothing was read; kept, it would never count as written.
            return;
        }
        let cursor = self.by_user.entry(user).or_default().entry(conversation).or_default();
        if read_seq > cursor.read_seq {
            cursor.read_seq = read_seq;
            cursor.delivered_seq = cursor.delivered_seq.max(read_seq);
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
                .is_some_and(|cursor| cursor.read_seq <= written.read_seq);
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
        cursors.raise(UserId::new(1).unwrap(), ConversationId::new(2).unwrap(), 0);
        assert!(cursors.is_clean());
    }

    /// A database that takes some batches and fails at others: whatever order things come in, a user reads back what
    /// they did, and in the end it is written.
    fn keeps_every_move(steps: Vec<(u64, u64, Seq, u8)>) {
        let mut cursors = DirtyCursors::default();
        let mut raised: HashMap<(UserId, ConversationId), Seq> = HashMap::new();
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
                        *known = row.read_seq.max(*known);
                    }
                    cursors.written(&batch, success);
                }
                (0, pending) => {
                    under_way = pending;
                    let (user, conversation) =
                        (UserId::new(user).unwrap(), ConversationId::new(conversation).unwrap());
                    cursors.raise(user, conversation, seq);
                    let highest = raised.entry((user, conversation)).or_default();
                    *highest = seq.max(*highest);
                }
                (_, pending) => under_way = pending,
            }
            for ((user, conversation), seq) in &raised {
                let mine = cursors.of(*user);
                let dirty = mine.iter().find(|row| row.conversation_id == *conversation);
                let written = database.get(&(*user, *conversation)).copied().unwrap_or_default();
                assert_eq!(dirty.map_or(0, |row| row.read_seq).max(written), *seq);
            }
        }
        assert!(cursors.is_clean(), "everything was written");
    }

    proptest::proptest! {
        #[test]
        fn every_move_is_read_back_and_written_in_the_end(
            steps in proptest::collection::vec((1..4_u64, 1..4_u64, 0..9_u64, 0..4_u8), 0..60),
        ) {
            keeps_every_move(steps);
        }
    }

    #[test]
    fn a_move_during_the_write_is_written_next() {
        let (user, room) = (UserId::new(1).unwrap(), ConversationId::new(2).unwrap());
        let mut cursors = DirtyCursors::default();
        cursors.raise(user, room, 5);
        cursors.start_round();
        let first = cursors.take_batch().unwrap();
        cursors.raise(user, room, 6);
        cursors.start_round();
        assert!(cursors.take_batch().is_none(), "one write at a time");
        cursors.written(&first, true);
        assert_eq!(cursors.of(user)[0].read_seq, 6);
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
