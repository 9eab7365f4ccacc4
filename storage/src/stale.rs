//! Conversations whose owner has to re-base: their queued entries go back unwritten.
//!
//! An entry that came back marks its conversation with the entry's generation and position. Later entries of that
//! generation, and all of an older one, are held back; the first entry of a newer one proves that the owner has re-based (queues are first in, first out,
//! and one owner submits a conversation), so the mark goes. A mark nobody answers is forgotten after a minute of the
//! writer's own running time, long after the owner has read the completion that made it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, Seq};

use crate::append::Append;

/// How long a mark outlives its last use, in running time: a pause of the whole process does not count.
const FORGET_AFTER: Duration = Duration::from_mins(1);
/// The most one step of running time can be, whatever the clock says.
const LONGEST_STEP: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct StaleConversations {
    marks: HashMap<(u16, ConversationId), Mark>,
    running_time: Duration,
    last_step: Option<Instant>,
    last_sweep: Duration,
}

#[derive(Debug)]
struct Mark {
    generation: u64,
    /// The first position held back; entries of the generation below it are innocent.
    from_seq: Seq,
    made_at: Duration,
}

impl StaleConversations {
    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// From now on this entry and the later ones of its generation are held back.
    pub(crate) fn mark(&mut self, entry: &Append) {
        let made_at = self.running_time;
        let new = Mark { generation: entry.generation, from_seq: entry.seq, made_at };
        let mark = self.marks.entry((entry.origin, entry.conversation_id)).or_insert(new);
        let from_seq = match mark.generation.cmp(&entry.generation) {
            Ordering::Greater => return,
            Ordering::Equal => mark.from_seq.min(entry.seq),
            Ordering::Less => entry.seq,
        };
        *mark = Mark { generation: entry.generation, from_seq, made_at };
    }

    /// From now on whatever comes behind this entry in its generation is held back.
    pub(crate) fn mark_after(&mut self, last: &Append) {
        let made_at = self.running_time;
        let mark = Mark { generation: last.generation, from_seq: last.seq + 1, made_at };
        self.marks.insert((last.origin, last.conversation_id), mark);
    }

    /// Whether the entry must go back; one of a newer generation lifts the mark.
    pub(crate) fn holds(&mut self, entry: &Append) -> bool {
        let key = (entry.origin, entry.conversation_id);
        match self.marks.get(&key) {
            None => false,
            Some(mark) if entry.generation < mark.generation => true,
            Some(mark) if entry.generation == mark.generation => entry.seq >= mark.from_seq,
            Some(_) => {
                self.marks.remove(&key);
                false
            }
        }
    }

    /// Lets time pass; called once a batch.
    pub(crate) fn advance(&mut self, now: Instant) {
        let step = self.last_step.map_or(Duration::ZERO, |last| now.duration_since(last));
        self.last_step = Some(now);
        self.running_time += step.min(LONGEST_STEP);
        if self.running_time.saturating_sub(self.last_sweep) >= FORGET_AFTER {
            self.last_sweep = self.running_time;
            let running_time = self.running_time;
            self.marks.retain(|_, mark| running_time.saturating_sub(mark.made_at) < FORGET_AFTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    #[test]
    fn a_generation_is_held_until_a_newer_one_comes() {
        let mut stale = StaleConversations::default();
        let first = entry(1, 5);
        assert!(!stale.holds(&first));
        stale.mark(&first);
        assert!(stale.holds(&entry(1, 6)));
        assert!(!stale.holds(&entry(2, 6)), "other conversations are innocent");
        let mut rebased = entry(1, 6);
        rebased.generation = 2;
        assert!(!stale.holds(&rebased));
        assert!(stale.is_empty());
    }

    #[test]
    fn entries_before_the_one_that_came_back_are_innocent() {
        let mut stale = StaleConversations::default();
        stale.mark(&entry(1, 6));
        assert!(!stale.holds(&entry(1, 5)));
        assert!(stale.holds(&entry(1, 7)));
        stale.mark(&entry(1, 5));
        stale.mark(&entry(1, 7));
        assert!(stale.holds(&entry(1, 5)));
    }

    #[test]
    fn marks_are_forgotten_by_running_time_only() {
        let mut stale = StaleConversations::default();
        let start = Instant::now();
        stale.advance(start);
        stale.mark(&entry(1, 5));
        stale.advance(start + Duration::from_hours(1));
        assert!(stale.holds(&entry(1, 6)), "an hour of standstill is one step");
        for second in 1..=130 {
            stale.advance(start + Duration::from_hours(1) + Duration::from_secs(second));
        }
        assert!(stale.is_empty());
    }
}
