//! What later entries, and the reader, have made of the entries of a page: the part that is no SQL.
//!
//! ```text
//!   entries of any logs ─► runs of positions ─► reactions, hidden ones ─► back to their entries
//! ```
//!
//! Invariants: a page costs two statements for all its runs of positions, however many of its entries were reacted to, and
//! never reads more than their rows; what an entry's own row tells (`edited_at`, `recalled_at`) is there before.

use ringwire_protocol::{ConversationId, Seq};

use crate::model::{EntryMarks, EntryRow, ReactionCount};

/// Entries whose marks are wanted.
pub(crate) struct Marking<'a> {
    /// In the order of the key; an entry may be there twice.
    entries: Vec<&'a mut EntryRow>,
}

/// A run of positions of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) conversation_id: ConversationId,
    pub(crate) first: Seq,
    pub(crate) last: Seq,
}

impl<'a> Marking<'a> {
    pub(crate) fn of(entries: impl IntoIterator<Item = &'a mut EntryRow>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| (entry.conversation_id, entry.seq));
        Self { entries }
    }

    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for entry in &self.entries {
            match runs.last_mut() {
                Some(run)
                    if run.conversation_id == entry.conversation_id
                        && (run.last == entry.seq || run.last + 1 == entry.seq) =>
                {
                    run.last = entry.seq;
                }
                _ => runs.push(Run {
                    conversation_id: entry.conversation_id,
                    first: entry.seq,
                    last: entry.seq,
                }),
            }
        }
        runs
    }

    /// One of an entry's reactions. The most frequent come first, in whatever order they are told here.
    pub(crate) fn reaction(&mut self, id: ConversationId, seq: Seq, told: &ReactionCount) {
        self.mark(id, seq, |_, marks| {
            marks.reactions.push(told.clone());
            marks
                .reactions
                .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reaction.cmp(&b.reaction)));
        });
    }

    /// The reader has hidden this one. Comes after its reactions, which are not told either.
    pub(crate) fn hidden(&mut self, id: ConversationId, seq: Seq) {
        self.mark(id, seq, |body, marks| {
            body.clear();
            marks.hidden = true;
            marks.reactions.clear();
        });
    }

    fn mark(
        &mut self,
        id: ConversationId,
        seq: Seq,
        change: impl Fn(&mut bytes::Bytes, &mut EntryMarks),
    ) {
        let from = self.entries.partition_point(|e| (e.conversation_id, e.seq) < (id, seq));
        let alike = self.entries[from..].iter_mut();
        for entry in alike.take_while(|e| (e.conversation_id, e.seq) == (id, seq)) {
            change(&mut entry.body, entry.marks.get_or_insert_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{conversation, entry, row};

    #[test]
    fn neighbours_make_a_run_and_marks_find_every_copy_of_an_entry() {
        let keys = [(1, 5), (1, 6), (2, 9), (1, 6), (1, 8)];
        let mut rows: Vec<_> = keys.iter().map(|&(id, seq)| row(&entry(id, seq))).collect();
        let mut marking = Marking::of(&mut rows);
        let runs: Vec<_> = marking
            .runs()
            .iter()
            .map(|run| (run.conversation_id.get(), run.first, run.last))
            .collect();
        assert_eq!(runs, [(1, 5, 6), (1, 8, 8), (2, 9, 9)]);

        let told = ReactionCount { reaction: "+".into(), count: 2, own: true };
        marking.reaction(conversation(1), 6, &told);
        marking.reaction(conversation(2), 9, &told);
        marking.hidden(conversation(2), 9);
        marking.hidden(conversation(7), 1);
        let reactions = |at: usize| rows[at].marks.as_ref().map(|marks| marks.reactions.len());
        assert_eq!([0, 1, 2, 3, 4].map(reactions), [None, Some(1), Some(0), Some(1), None]);
        assert!(rows[2].body.is_empty() && rows[2].marks.as_ref().is_some_and(|m| m.hidden));
    }
}
