//! Appending behind a tail, on SQLite: one transaction, and nobody else writes meanwhile.

use rusqlite::TransactionBehavior;

use super::append::{SqliteAppender, insert_entries};
use super::changes::Applier;
use super::rows::{self, ENTRY, position};
use crate::append::Append;
use crate::changes::NetChanges;
use crate::encryption::seal_entries;
use crate::executor::AppendError;
use crate::renumber::{self, Place};

impl SqliteAppender {
    pub(crate) fn append_behind(
        &mut self,
        entries: &[Append],
    ) -> Result<Vec<Option<Place>>, AppendError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut log = Vec::new();
        for of_one in entries.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
            let base = position(of_one[0].seq.saturating_sub(1));
            let mut tail = tx.prepare_cached(&format!(
                "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = ?1 AND e.seq >= ?2
                 ORDER BY e.seq LIMIT {}",
                renumber::ROWS
            ))?;
            for row in tail.query_map((of_one[0].conversation_id.as_i64(), base), |row| {
                rows::entry(row, 0, &self.keys)
            })? {
                log.push(row?);
            }
        }
        let (places, settled) = renumber::places(&log, entries);
        let bodies = seal_entries(&self.keys, &settled)?;
        insert_entries(&tx, &settled, &bodies)?;
        let applier = Applier { keys: &self.keys, text: self.text };
        applier.apply(&tx, &NetChanges::of(&settled, &self.outbox))?;
        tx.commit()?;
        Ok(places)
    }
}
