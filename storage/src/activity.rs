//! When conversations were last active, on its way to their rows: gathered, and saved a few at a time.
//!
//! ```text
//!   committed ─► latest ── every two seconds ──► round ── 64 after each batch ──► the rows
//!                  ▲                               └─ failed: back ─┐
//!                  └────────────────────────────────────────────────┘
//! ```
//!
//! It orders the lists of conversations, and may be late or lost. All at once, the rows of some hundred conversations would
//! hold up what was sent meanwhile for ten times as long as a batch does. Pure: time comes in as an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, UnixMs};

/// How late it may be, apart from what its saving takes.
const EVERY: Duration = Duration::from_secs(2);
/// Conversations that may wait in all; what is more is forgotten.
const MOST: usize = 16_384;
/// Conversations saved between two batches.
const STEP: usize = 64;

/// What one writer has still to save.
#[derive(Debug)]
pub(crate) struct Activity {
    latest: BTreeMap<ConversationId, UnixMs>,
    round: Vec<(ConversationId, UnixMs)>,
    next_round_at: Instant,
}

impl Activity {
    pub(crate) fn new(now: Instant) -> Self {
        Self { latest: BTreeMap::new(), round: Vec::new(), next_round_at: now + EVERY }
    }

    /// An entry of this time was committed.
    pub(crate) fn note(&mut self, id: ConversationId, at: UnixMs) {
        if self.latest.len() < MOST || self.latest.contains_key(&id) {
            let latest = self.latest.entry(id).or_insert(at);
            *latest = at.max(*latest);
        }
    }

    /// What is to be saved next; nothing if nothing is due.
    pub(crate) fn take_step(&mut self, now: Instant) -> Option<Vec<(ConversationId, UnixMs)>> {
        if now >= self.next_round_at || self.latest.len() >= MOST {
            self.begin_round(now);
        }
        self.rest_of_round()
    }

    /// Likewise, at the end: everything is due.
    pub(crate) fn take_last_step(&mut self, now: Instant) -> Option<Vec<(ConversationId, UnixMs)>> {
        self.begin_round(now);
        self.rest_of_round()
    }

    fn begin_round(&mut self, now: Instant) {
        if self.round.is_empty() {
            self.round.extend(std::mem::take(&mut self.latest));
            self.next_round_at = now + EVERY;
        }
    }

    fn rest_of_round(&mut self) -> Option<Vec<(ConversationId, UnixMs)>> {
        let rest = self.round.len().checked_sub(1)?.saturating_sub(STEP - 1);
        Some(self.round.split_off(rest))
    }

    /// These could not be saved: all of it waits for the next round.
    pub(crate) fn put_back(&mut self, step: Vec<(ConversationId, UnixMs)>) {
        for (id, at) in step.into_iter().chain(std::mem::take(&mut self.round)) {
            self.note(id, at);
        }
    }

    /// How long a writer with nothing else to do may sleep; `None`: for ever.
    pub(crate) fn rest(&self, now: Instant) -> Option<Duration> {
        if !self.round.is_empty() {
            return Some(Duration::ZERO);
        }
        (!self.latest.is_empty()).then(|| self.next_round_at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ConversationId {
        ConversationId::new(number).unwrap()
    }

    fn noted(count: u64) -> (Activity, Instant) {
        let now = Instant::now();
        let mut activity = Activity::new(now);
        for number in 1..=count {
            activity.note(id(number), 10);
        }
        (activity, now)
    }

    #[test]
    fn what_was_noted_is_saved_once_in_steps_when_it_is_due() {
        let (mut activity, now) = noted(STEP as u64 * 2 + 1);
        assert_eq!(activity.take_step(now), None);
        assert_eq!(activity.rest(now), Some(EVERY));
        let due = now + EVERY;
        let mut saved = Vec::new();
        while let Some(step) = activity.take_step(due) {
            assert!(step.len() <= STEP);
            saved.extend(step);
            // What comes meanwhile belongs to the next round.
            activity.note(id(1), 20);
        }
        saved.sort_unstable();
        let expected: Vec<_> = (1..=STEP as u64 * 2 + 1).map(|number| (id(number), 10)).collect();
        assert_eq!(saved, expected);
        assert_eq!(activity.rest(due), Some(EVERY));
        assert_eq!(activity.take_step(due + EVERY), Some(vec![(id(1), 20)]));
        assert_eq!(activity.rest(due + EVERY), None);
    }

    #[test]
    fn the_latest_time_counts_also_beside_what_failed() {
        let (mut activity, now) = noted(STEP as u64 + 1);
        let step = activity.take_step(now + EVERY).unwrap();
        let failed = step[0].0;
        activity.note(failed, 30);
        activity.put_back(step);
        assert_eq!(activity.take_step(now + EVERY), None, "not before the next round");
        let mut again = Vec::new();
        while let Some(step) = activity.take_last_step(now) {
            again.extend(step);
        }
        assert_eq!(again.len(), STEP + 1);
        assert!(again.contains(&(failed, 30)));
    }

    #[test]
    fn no_more_waits_than_may() {
        let (mut activity, now) = noted(MOST as u64 + 5);
        assert_eq!(activity.latest.len(), MOST);
        let step = activity.take_step(now).expect("full is due");
        for number in 1..=MOST as u64 {
            activity.note(id(number + 100_000), 10);
        }
        activity.put_back(step);
        assert_eq!((activity.latest.len(), activity.round.len()), (MOST, 0));
    }
}
