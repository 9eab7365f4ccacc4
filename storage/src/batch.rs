//! When a batch is complete. Pure: time comes in as an argument, and only when it matters.
//!
//! A batch closes when it has its rows or its bytes. When the queue runs dry before that, an idle writer commits what
//! it has at once (a lone message must not wait), while a busy one, whose previous batch held several entries, may
//! wait until the batch has its age: the next entries are about to come and share the commit.

use std::time::{Duration, Instant};

use crate::append::Append;

/// Bounds of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Entries.
    pub max_rows: usize,
    /// Bytes of bodies. One entry that is larger makes a batch of its own.
    pub max_bytes: usize,
    /// How long a busy writer lets an incomplete batch grow after its first entry; zero: not at all.
    pub max_age: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { max_rows: 4_096, max_bytes: 1 << 20, max_age: Duration::ZERO }
    }
}

/// A batch being gathered.
#[derive(Debug)]
pub(crate) struct Batch {
    limits: BatchLimits,
    entries: Vec<Append>,
    bytes: usize,
    opened_at: Option<Instant>,
    /// The batch before held several entries.
    busy: bool,
}

impl Batch {
    pub(crate) fn new(limits: BatchLimits) -> Self {
        Self { limits, entries: Vec::new(), bytes: 0, opened_at: None, busy: false }
    }

    pub(crate) fn push(&mut self, entry: Append) {
        self.bytes += entry.body.len();
        self.entries.push(entry);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nothing more may go in.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.limits.max_rows || self.bytes >= self.limits.max_bytes
    }

    /// The queue is dry: how long to wait for more. `None`: commit now. The age counts from the first time this is
    /// asked; the clock is read only where waiting is possible at all.
    pub(crate) fn may_wait(&mut self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        if self.is_empty() || self.is_full() || !self.busy || self.limits.max_age.is_zero() {
            return None;
        }
        let now = now();
        let opened_at = *self.opened_at.get_or_insert(now);
        let left = self.limits.max_age.saturating_sub(now.duration_since(opened_at));
        (!left.is_zero()).then_some(left)
    }

    /// Takes what was gathered and begins the next batch.
    pub(crate) fn take(&mut self) -> Vec<Append> {
        self.bytes = 0;
        self.opened_at = None;
        self.busy = self.entries.len() > 1;
        std::mem::take(&mut self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    fn limits(max_rows: usize, max_bytes: usize, max_age_ms: u64) -> BatchLimits {
        BatchLimits { max_rows, max_bytes, max_age: Duration::from_millis(max_age_ms) }
    }

    #[test]
    fn rows_close_a_batch() {
        let mut batch = Batch::new(limits(2, 1_000_000, 5));
        batch.push(entry(1, 1));
        assert!(!batch.is_full());
        batch.push(entry(1, 2));
        assert!(batch.is_full());
        assert_eq!(batch.may_wait(Instant::now), None);
        assert_eq!(batch.take().len(), 2);
        assert!(batch.is_empty());
    }

    #[test]
    fn bytes_close_a_batch() {
        let mut batch = Batch::new(limits(100, 10, 5));
        let mut large = entry(1, 1);
        large.body = vec![0; 11].into();
        batch.push(large);
        assert!(batch.is_full());
    }

    #[test]
    fn an_idle_writer_never_waits() {
        let mut batch = Batch::new(limits(100, 1_000, 5));
        let now = Instant::now();
        batch.push(entry(1, 1));
        assert_eq!(batch.may_wait(|| now), None);
    }

    #[test]
    fn a_busy_writer_waits_no_longer_than_the_age() {
        let mut batch = Batch::new(limits(100, 1_000, 5));
        let now = Instant::now();
        batch.push(entry(1, 1));
        batch.push(entry(1, 2));
        batch.take();
        batch.push(entry(1, 3));
        assert_eq!(batch.may_wait(|| now), Some(Duration::from_millis(5)));
        let later = now + Duration::from_millis(2);
        assert_eq!(batch.may_wait(|| later), Some(Duration::from_millis(3)));
        assert_eq!(batch.may_wait(|| now + Duration::from_millis(5)), None);
        batch.take();
        batch.push(entry(1, 4));
        assert_eq!(batch.may_wait(|| now), None, "a lone entry ends the busy time");
    }
}
