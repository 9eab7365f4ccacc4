//! The entries of the last minute, encoded, so that who missed just these needs no database.
//!
//! ```text
//!   first_seq ─► [ entry │ entry │ … ] ◄─ head        new ones at the right, at the left they go
//! ```
//!
//! Invariants: the entries are consecutive and end at the conversation's head, or there are none. One stays a minute at
//! most: longer than a client takes to come back, and shorter than anything may change in the log behind the owner's back
//! and still be shown (an erased account's messages; retention leaves everything younger than 10 minutes alone). What an
//! edit, a recall, a reaction or the hiding of an entry changes goes at once.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{Seq, wire};

use crate::limits;

struct Kept {
    at: Instant,
    /// An encoded `wire::Entry`, part of the frame that was pushed.
    entry: Bytes,
}

/// The newest entries of one conversation.
#[derive(Default)]
pub(super) struct Ring {
    first_seq: Seq,
    entries: VecDeque<Kept>,
    bytes: usize,
}

impl Ring {
    /// Empty, behind a head.
    pub(super) fn behind(head_seq: Seq) -> Self {
        Self { first_seq: head_seq + 1, ..Self::default() }
    }

    /// Takes the entry that is the head now.
    pub(super) fn push(&mut self, seq: Seq, entry: Bytes, at: Instant) {
        if seq != self.first_seq + self.entries.len() as u64 {
            *self = Self { first_seq: seq, ..Self::default() };
        }
        self.bytes += entry.len();
        self.entries.push_back(Kept { at, entry });
        while self.entries.len() > limits::RECENT_ENTRIES || self.bytes > limits::RING_BYTES {
            self.drop_oldest();
        }
        self.expire(at);
    }

    /// Lets go what has been here for a minute.
    pub(super) fn expire(&mut self, at: Instant) {
        while let Some(oldest) = self.entries.front()
            && at.saturating_duration_since(oldest.at) > limits::RING_AGE
        {
            self.drop_oldest();
        }
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
    }

    /// Lets go everything up to an entry: something of it is told differently from now on.
    pub(super) fn drop_through(&mut self, seq: Seq) {
        while self.first_seq <= seq && !self.entries.is_empty() {
            self.drop_oldest();
        }
    }

    /// The entries behind a position, oldest first; `None`: not all of them are here.
    pub(super) fn after(&self, seq: Seq, limit: usize) -> Option<Vec<wire::Entry>> {
        let start = seq.checked_add(1)?.checked_sub(self.first_seq)?;
        let start = usize::try_from(start).ok().filter(|&start| start <= self.entries.len())?;
        let kept = self.entries.iter().skip(start).take(limit);
        kept.map(|kept| wire::Entry::decode(kept.entry.clone()).ok()).collect()
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.first_seq += 1;
            self.bytes -= oldest.entry.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(seq: Seq) -> Bytes {
        wire::Entry { seq, ..Default::default() }.encode_to_vec().into()
    }

    fn ring(seqs: std::ops::RangeInclusive<Seq>, at: Instant) -> Ring {
        let mut ring = Ring::behind(seqs.start() - 1);
        for seq in seqs {
            ring.push(seq, entry(seq), at);
        }
        ring
    }

    fn seqs(entries: Option<Vec<wire::Entry>>) -> Option<Vec<Seq>> {
        entries.map(|entries| entries.iter().map(|entry| entry.seq).collect())
    }

    #[test]
    fn what_is_all_here_is_told() {
        let ring = ring(5..=9, Instant::now());
        assert_eq!(seqs(ring.after(4, 10)), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(seqs(ring.after(6, 2)), Some(vec![7, 8]));
        assert_eq!(seqs(ring.after(9, 10)), Some(vec![]));
    }

    #[test]
    fn what_is_not_all_here_is_not() {
        let ring = ring(5..=9, Instant::now());
        assert_eq!(ring.after(3, 10), None);
        assert_eq!(ring.after(10, 10), None, "a position beyond the head");
        assert_eq!(Ring::behind(3).after(1, 10), None);
        assert_eq!(seqs(Ring::behind(3).after(3, 10)), Some(vec![]));
        assert_eq!(ring.after(Seq::MAX, 10), None);
    }

    #[test]
    fn number_bytes_and_age_are_bounded() {
        let many = limits::RECENT_ENTRIES as u64 + 5;
        let at = Instant::now();
        assert_eq!(ring(1..=many, at).first_seq, 6);

        let mut large = Ring::default();
        for seq in 1..=3 {
            large.push(seq, vec![0; limits::RING_BYTES / 2].into(), at);
        }
        assert_eq!((large.first_seq, large.entries.len()), (2, 2));

        let later = at + limits::RING_AGE + Duration::from_millis(1);
        let mut old = ring(5..=9, at);
        old.push(10, entry(10), later);
        assert_eq!((old.first_seq, old.entries.len()), (10, 1));
        old.expire(later + limits::RING_AGE * 2);
        assert_eq!(old.entries.capacity(), 0, "an idle conversation keeps nothing");
        assert_eq!(old.after(9, 1), None);
        assert_eq!(seqs(old.after(10, 1)), Some(vec![]), "who has everything is told so");
    }

    #[test]
    fn what_is_told_differently_is_not_told_from_here() {
        let mut ring = ring(5..=9, Instant::now());
        ring.drop_through(4);
        assert_eq!(ring.first_seq, 5);
        ring.drop_through(7);
        assert_eq!(ring.after(6, 10), None);
        assert_eq!(seqs(ring.after(7, 10)), Some(vec![8, 9]));
        ring.drop_through(Seq::MAX);
        assert_eq!(seqs(ring.after(9, 10)), Some(vec![]));
        ring.push(10, entry(10), Instant::now());
        assert_eq!(seqs(ring.after(9, 10)), Some(vec![10]));
    }

    #[test]
    fn a_gap_begins_anew() {
        let at = Instant::now();
        let mut ring = ring(5..=9, at);
        ring.push(12, entry(12), at);
        assert_eq!(ring.after(8, 10), None);
        assert_eq!(seqs(ring.after(11, 10)), Some(vec![12]));
    }
}
