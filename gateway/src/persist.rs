//! Between the conversations of a shard and the store's writers: submit, keep what must wait, count what is under way.
//!
//! Invariant: every entry at a writer has its completion's slot in the shard's mailbox reserved (a credit).

use std::collections::VecDeque;

use ringwire_storage::Store;
use ringwire_storage::append::Append;

use crate::placement::ShardId;
use crate::shard::credits::Credits;

/// A shard's way to the writers.
pub struct Persist {
    store: Store,
    shard: ShardId,
    /// Entries of re-based conversations that found the queue full. Bounded by the entries in flight of the shard.
    backlog: VecDeque<Append>,
    under_way: usize,
}

impl Persist {
    /// A way to the writers of `store`.
    pub fn new(store: Store, shard: ShardId) -> Self {
        Self { store, shard, backlog: VecDeque::new(), under_way: 0 }
    }

    /// Entries at writers or waiting for them.
    pub fn under_way(&self) -> usize {
        self.under_way + self.backlog.len()
    }

    /// Submits an entry of which nobody was promised anything; `false`: there is no room.
    pub fn submit_fresh(&mut self, append: Append, credits: &mut Credits) -> bool {
        self.backlog.is_empty() && self.submit(append, credits).is_ok()
    }

    /// Submits an entry that was accepted before, now or when there is room.
    pub fn submit_again(&mut self, append: Append, credits: &mut Credits) {
        if !self.backlog.is_empty() {
            self.backlog.push_back(append);
        } else if let Err(append) = self.submit(append, credits) {
            self.backlog.push_back(*append);
        }
    }

    /// Tries what waits.
    pub fn retry(&mut self, credits: &mut Credits) {
        while let Some(append) = self.backlog.pop_front() {
            if let Err(append) = self.submit(append, credits) {
                self.backlog.push_front(*append);
                return;
            }
        }
    }

    /// Completions arrived.
    pub fn completed(&mut self, count: usize, credits: &mut Credits) {
        self.under_way -= count;
        credits.give_back(count);
    }

    fn submit(&mut self, mut append: Append, credits: &mut Credits) -> Result<(), Box<Append>> {
        if !credits.take() {
            return Err(Box::new(append));
        }
        append.origin = self.shard;
        match self.store.submit(append) {
            Ok(()) => {
                self.under_way += 1;
                Ok(())
            }
            Err(full) => {
                credits.give_back(1);
                Err(Box::new(full.0))
            }
        }
    }
}
