//! Conversations in which something was committed lately: a hint for the indexer, left by the writers.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use ringwire_protocol::ConversationId;

/// Conversations remembered; beyond that all are looked at.
const MOST: usize = 65_536;

/// Shared by the writers, who add, and the indexer, who takes.
#[derive(Debug)]
pub(crate) struct Active {
    /// Somebody takes what is added.
    wanted: bool,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    ids: BTreeSet<ConversationId>,
    missed: bool,
}

impl Active {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { wanted, noted: Mutex::default() }
    }

    pub(crate) fn add(&self, ids: impl Iterator<Item = ConversationId>) {
        if !self.wanted {
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.ids.extend(ids);
        if noted.ids.len() > MOST {
            noted.ids.clear();
            noted.missed = true;
        }
    }

    /// All of them, and whether some were not remembered.
    pub(crate) fn take(&self) -> (BTreeSet<ConversationId>, bool) {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        (noted.ids, noted.missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conversation;

    #[test]
    fn what_is_too_much_to_remember_is_said_once() {
        let active = Active::new(true);
        active.add([conversation(1), conversation(2), conversation(1)].into_iter());
        assert_eq!(active.take(), (BTreeSet::from([conversation(1), conversation(2)]), false));
        active.add((1..=MOST as u64 + 1).map(conversation));
        assert_eq!(active.take(), (BTreeSet::new(), true));
        assert_eq!(active.take(), (BTreeSet::new(), false));
    }
}
