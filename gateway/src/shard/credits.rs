//! Reserved places in a shard's mailbox: one for every answer under way to it.
//!
//! A shard asks another shard, a writer or the service only while it holds a credit for the answer, so an answer never
//! finds the mailbox full.
//!
//! Invariant: questions that others wait for (the tail of a conversation, an entry that was accepted before) always find
//! a credit in the end. Some are kept for them, and their answers depend on no other shard. Without that, two shards
//! whose requests wait at each other for such an answer could hold each other's last credits for ever.

use crate::limits;

/// The credits of one shard.
#[derive(Debug)]
pub struct Credits {
    free: usize,
    all: usize,
    /// Those that only [`Self::take_kept`] gives.
    kept: usize,
}

impl Credits {
    /// As many as the shard's mailbox has places for.
    pub fn new(all: usize) -> Self {
        Self { free: all, all, kept: limits::KEPT_CREDITS.min(all / 2) }
    }

    /// Takes one for an answer; `false`: none is left but those that are kept.
    #[must_use]
    pub fn take(&mut self) -> bool {
        self.free > self.kept && self.take_kept()
    }

    /// Takes one for an answer of a writer or the service that others wait for; `false`: none is left at all.
    #[must_use]
    pub fn take_kept(&mut self) -> bool {
        let left = self.free.checked_sub(1);
        self.free = left.unwrap_or(0);
        left.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_leave_some_for_what_they_may_wait_for() {
        let mut credits = Credits::new(6);
        assert_eq!((0..9).filter(|_| credits.take()).count(), 3);
        assert_eq!((0..9).filter(|_| credits.take_kept()).count(), 3);
        assert_eq!(credits.under_way(), 6);
        credits.give_back(3);
        assert!(!credits.take(), "what came back is kept first");
        credits.give_back(1);
        assert!(credits.take());
    }
}
