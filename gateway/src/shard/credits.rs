//! Reserved places in a shard's mailbox: one for every answer under way to it.
//!
//! A shard asks another shard, a writer or the service only while it holds a credit for the answer, so an answer never
//! finds the mailbox full.

/// The credits of one shard.
#[derive(Debug)]
pub struct Credits {
    free: usize,
    all: usize,
}

impl Credits {
    /// As many as the shard's mailbox has places for.
    pub fn new(all: usize) -> Self {
        Self { free: all, all }
    }

    /// Takes one for an answer; `false`: none is left.
    #[must_use]
    pub fn take(&mut self) -> bool {
        match self.free.checked_sub(1) {
            Some(free) => {
                self.free = free;
                true
            }
            None => false,
        }
    }

    /// Answers arrived, or were not asked for after all.
    pub fn give_back(&mut self, count: usize) {
        self.free += count;
        debug_assert!(self.free <= self.all, "a credit was given back twice");
    }

    /// Answers under way.
    pub fn under_way(&self) -> usize {
        self.all - self.free
    }
}
