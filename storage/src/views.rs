//! A user's own view: entries they do not want to see any more, on all their devices and for good.
//!
//! Invariants:
//! - The log does not change, and neither does what others see; an entry is hidden once.
//! - Every change of a user's view has the next number (`view_no`), so that a device that knows the newest one has all.
//! - Only what a member can see can be hidden; trimming takes the rows of what is gone along.

use ringwire_protocol::{ConversationId, Seq, UserId};

use crate::error::StoreError;
use crate::store::{Store, either};

/// One change of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewChange {
    /// Its number.
    pub view_no: u64,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// What was hidden and still exists, in order.
    pub seqs: Vec<Seq>,
}

/// How a view changed since somebody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewChanges {
    /// The number of the newest change; 0: there was none.
    pub view_no: u64,
    /// Those after the one asked about, in order; none where `reset` is set.
    pub changes: Vec<ViewChange>,
    /// There were more than are told, or that number is not one of this view: what is kept of old pages is worth nothing.
    pub reset: bool,
}

/// What became of a wish to hide entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The number of the newest change of the view.
    pub view_no: u64,
    /// Those asked for that are hidden now, in order; some may have been before.
    pub seqs: Vec<Seq>,
}

/// What the rows after a number mean, which are (number, conversation, seq) in order, at most one more than `limit`.
pub(crate) fn view_changes(
    view_no: u64,
    after: u64,
    rows: &[(u64, ConversationId, Seq)],
    limit: u32,
) -> ViewChanges {
    if after > view_no || rows.len() > limit as usize {
        return ViewChanges { view_no, changes: Vec::new(), reset: true };
    }
    let changes = rows
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|alike| ViewChange {
            view_no: alike[0].0,
            conversation_id: alike[0].1,
            seqs: alike.iter().map(|row| row.2).collect(),
        })
        .collect();
    ViewChanges { view_no, changes, reset: false }
}

impl Store {
    /// Hides entries from a user's own view. What does not exist is passed over; where nothing is hidden that was not
    /// before, the number stays. `None`: not a member.
    pub async fn hide(
        &self,
        user: UserId,
        id: ConversationId,
        seqs: &[Seq],
    ) -> Result<Option<Hidden>, StoreError> {
        let mut seqs: Vec<i64> = seqs.iter().filter_map(|&seq| i64::try_from(seq).ok()).collect();
        seqs.sort_unstable();
        seqs.dedup();
        either!(self, store => store.hide(user, id, seqs).await)
    }

    /// What of a user's view changed after that number, unless more than `limit` entries were hidden.
    pub async fn view_changes(
        &self,
        user: UserId,
        after_view_no: u64,
        limit: u32,
    ) -> Result<ViewChanges, StoreError> {
        let after = i64::try_from(after_view_no).unwrap_or(i64::MAX);
        let asked = i64::from(limit) + 1;
        let (view_no, rows) = either!(self, store => store.view_changes(user, after, asked).await?);
        Ok(view_changes(view_no, after_view_no, &rows, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conversation;

    #[test]
    fn rows_of_one_change_are_one_change() {
        let rows = [(4, conversation(7), 2), (4, conversation(7), 9), (5, conversation(3), 1)];
        let told = view_changes(6, 3, &rows, 3);
        assert_eq!((told.view_no, told.reset), (6, false));
        let seqs: Vec<_> = told.changes.iter().map(|c| (c.view_no, c.seqs.as_slice())).collect();
        assert_eq!(seqs, [(4, [2, 9].as_slice()), (5, [1].as_slice())]);

        let reset = ViewChanges { view_no: 6, changes: Vec::new(), reset: true };
        assert_eq!(view_changes(6, 3, &rows, 2), reset, "more than are told");
        assert_eq!(view_changes(6, 7, &[], 2), reset, "of another database");
    }
}
