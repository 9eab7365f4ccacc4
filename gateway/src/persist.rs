//! Between the conversations of a shard and the store's writers: submit, keep what must wait, count what is under way.
//!
//! Invariant: every entry at a writer has its completion's slot in the shard's mailbox reserved (a credit).

use std::collections::VecDeque;
use std::sync::Arc;

use ringwire_storage::append::Append;

use crate::placement::ShardId;
use crate::shard::credits::Credits;

/// Gives an entry to the writers, or back when they have no room; what else a shard wants of the store it asks of the
/// service. It costs one indirect call an entry, beside the push into the writers' queue.
pub type AppendSink = Arc<dyn Fn(Append) -> Result<(), Box<Append>> + Send + Sync>;

/// A shard's way to the writers.
pub struct Persist {
    writers: AppendSink,
    shard: ShardId,
    /// Entries of re-based conversations that found the queue full. Bounded by the entries in flight of the shard.
    backlog: VecDeque<Append>,
    under_way: usize,
}

impl Persist {
    /// A way to these writers.
    pub fn new(writers: AppendSink, shard: ShardId) -> Self {
        Self { writers, shard, backlog: VecDeque::new(), under_way: 0 }
    }

    /// Entries at writers or waiting for them.
    pub fn under_way(&self) -> usize {
        self.under_way + self.backlog.len()
    }

    /// Submits an entry of which nobody was promised anything; `false`: there is no room.
    pub fn submit_fresh(&mut self, append: Append, credits: &mut Credits) -> bool {
        self.backlog.is_empty() && credits.take() && self.submit(append, credits).is_ok()
    }

    /// Submits an entry that was accepted before, now or when there is room.
    pub fn submit_again(&mut self, append: Append, credits: &mut Credits) {
        if !self.backlog.is_empty() {
            self.backlog.push_back(append);
        } else if let Err(append) = self.submit_kept(append, credits) {
            self.backlog.push_back(*append);
        }
    }

    /// Tries what waits.
    pub fn retry(&mut self, credits: &mut Credits) {
        while let Some(append) = self.backlog.pop_front() {
            if let Err(append) = self.submit_kept(append, credits) {
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

    fn submit_kept(&mut self, append: Append, credits: &mut Credits) -> Result<(), Box<Append>> {
        if credits.take_kept() { self.submit(append, credits) } else { Err(Box::new(append)) }
    }

    /// With a credit that was taken.
    fn submit(&mut self, mut append: Append, credits: &mut Credits) -> Result<(), Box<Append>> {
        append.origin = self.shard;
        match (self.writers)(append) {
            Ok(()) => {
                self.under_way += 1;
                Ok(())
            }
            Err(append) => {
                credits.give_back(1);
                Err(append)
            }
        }
    }
}
