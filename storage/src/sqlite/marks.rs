//! Reactions, and what the reader has hidden, for the entries of a page.

use ringwire_protocol::UserId;
use rusqlite::Transaction;

use super::rows::{self, position};
use crate::error::StoreError;
use crate::marks::Marking;
use crate::model::{EntryRow, REACTIONS_TOLD, ReactionCount};

/// Fills in the marks of these entries; without a reader those that depend on one stay empty.
pub(super) fn mark<'a>(
    tx: &Transaction<'_>,
    reader: Option<UserId>,
    entries: impl IntoIterator<Item = &'a mut EntryRow>,
) -> Result<(), StoreError> {
    let mut marking = Marking::of(entries);
    let runs = marking.runs();
    let user = reader.map_or(0, UserId::as_i64);
    let mut reactions = tx.prepare_cached(&format!(
        "SELECT t.seq, t.reaction, t.count, EXISTS (SELECT 1 FROM reactions o
             WHERE o.conversation_id = ?1 AND o.seq = t.seq AND o.user_id = ?4
                 AND o.reaction = t.reaction)
         FROM (SELECT r.seq, r.reaction, r.count, row_number() OVER
                   (PARTITION BY r.seq ORDER BY r.count DESC, r.reaction) AS place
               FROM reaction_counts r WHERE r.conversation_id = ?1 AND r.seq BETWEEN ?2 AND ?3) t
         WHERE t.place <= {REACTIONS_TOLD} ORDER BY t.seq, t.place"
    ))?;
    let mut hidden = tx.prepare_cached(
        "SELECT seq FROM hidden WHERE user_id = ?4 AND conversation_id = ?1 AND seq BETWEEN ?2 AND ?3",
    )?;
    for run in runs {
        let id = run.conversation_id;
        let asked = (id.as_i64(), position(run.first), position(run.last), user);
        let mut told = reactions.query(asked)?;
        while let Some(row) = told.next()? {
            let count =
                ReactionCount { reaction: row.get(1)?, count: row.get(2)?, own: row.get(3)? };
            marking.reaction(id, rows::number(row, 0)?, &count);
        }
        if reader.is_some() {
            let mut found = hidden.query(asked)?;
            while let Some(row) = found.next()? {
                marking.hidden(id, rows::number(row, 0)?);
            }
        }
    }
    Ok(())
}
