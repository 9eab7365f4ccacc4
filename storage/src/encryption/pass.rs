//! The background pass that brings every body under the active key, as far as it does not concern SQL.
//!
//! ```text
//!   position ─► a few hundred rows in order of key ─► those of other keys: open, seal ─► put back ─► position
//! ```
//!
//! A pass goes once over the log in the order of its primary key. Its position lies in the database and moves in the
//! same transaction as the rows, so that a pass goes on where it was, whatever killed it; a finished one costs nothing.
//! A row is put back only where its key and the version of its body are still those that were read, so that no edit or
//! recall is undone.
//!
//! A finished pass means that no row of another key is left, so nobody may write such rows behind its position. Who
//! begins to write with a key raises that key's number of uses (`body_keys.uses`); a pass that finds the uses of the other
//! keys changed begins anew. On Postgres a node also holds a shared advisory lock in its key's name for as long as it is
//! connected, and a pass rests while nodes with another key are there: two nodes with different keys do not undo each
//! other's work. A session that was opened while its server was read-only has entered nothing, and stays read-only after a
//! promotion: whoever writes then does so in a new session, which enters its key.

use super::keys::{BodyKeys, KeyId};
use super::seal::{Place, SealError, Stored, report};

/// Rows that one step looks at: a few milliseconds.
pub(crate) const PASS_ROWS: u32 = 256;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Bodies that are under the active key now.
    pub changed: u64,
    /// Bodies that do not open; they stay as they are.
    pub damaged: u64,
    /// Whether there is more to do now; otherwise ask again in a while.
    pub more: bool,
}

/// How many bodies are sealed with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key; 0: plain.
    pub key_id: u32,
    /// Entries whose body it sealed; erased ones, which have none, count as no key's.
    pub entries: u64,
}

/// How far the pass is; the row of `body_pass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassState {
    /// The key that is to seal everything.
    pub(crate) target: KeyId,
    /// Everything up to here is done: conversation, seq.
    pub(crate) after: (i64, i64),
    /// The uses of all other keys when it began.
    pub(crate) other_uses: i64,
    /// Bodies changed since it began.
    pub(crate) changed: i64,
    /// It got to the end.
    pub(crate) done: bool,
}

impl PassState {
    /// A pass from the beginning, if this one does not count: it was for another key, or other keys have been in use
    /// since it began.
    pub(crate) fn anew(&self, target: KeyId, other_uses: i64) -> Option<Self> {
        let counts = self.target == target && self.other_uses == other_uses;
        (!counts).then_some(Self { target, after: (0, 0), other_uses, changed: 0, done: false })
    }

    /// Tells the log where the pass is, now and then and at its end.
    pub(crate) fn tell(&self) {
        let Self { target: key, changed, after: (conversation, seq), done, .. } = *self;
        if done {
            tracing::info!(key, changed, "every body is under the active key (0: plain)");
        } else {
            tracing::debug!(
                key,
                changed,
                conversation,
                seq,
                "bringing bodies under the active key"
            );
        }
    }

    /// Tells the log what a finished pass has found out about another key.
    pub(crate) fn tell_key(key: KeyId, unused: bool, damaged: i64) {
        if damaged > 0 {
            tracing::error!(key, damaged, "a key is still needed: bodies under it do not open");
        } else if unused && key != 0 {
            tracing::info!(key, "a key is not needed any more and may be removed");
        }
    }
}

/// A row of another key than the active one.
#[derive(Debug)]
pub(crate) struct SealedRow {
    pub(crate) place: Place,
    pub(crate) key_id: KeyId,
    pub(crate) body: Vec<u8>,
}

/// A row to be put back, if its key and version are still those.
#[derive(Debug)]
pub(crate) struct Reseal {
    pub(crate) place: Place,
    pub(crate) old_key_id: KeyId,
    pub(crate) new: Stored,
}

impl BodyKeys {
    /// The rows under the active key, and the keys of those that do not open, which are logged.
    pub(crate) fn reseal(
        &self,
        rows: Vec<SealedRow>,
    ) -> Result<(Vec<Reseal>, Vec<KeyId>), SealError> {
        let mut resealed = Vec::with_capacity(rows.len());
        let mut damaged = Vec::new();
        for SealedRow { place, key_id, body } in rows {
            match self.open(&place, key_id, &body) {
                Ok(body) => {
                    let new = self.seal(&place, &body)?;
                    resealed.push(Reseal { place, old_key_id: key_id, new });
                }
                Err(fault) => {
                    report(&place, fault);
                    damaged.push(key_id);
                }
            }
        }
        Ok((resealed, damaged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_counts_while_its_key_and_the_uses_of_the_others_stay() {
        let state = PassState { target: 2, after: (5, 6), other_uses: 3, changed: 8, done: true };
        assert_eq!(state.anew(2, 3), None);
        let fresh = |target, other_uses| PassState {
            target,
            other_uses,
            after: (0, 0),
            changed: 0,
            done: false,
        };
        assert_eq!(state.anew(1, 3), Some(fresh(1, 3)));
        assert_eq!(state.anew(2, 4), Some(fresh(2, 4)));
    }
}
