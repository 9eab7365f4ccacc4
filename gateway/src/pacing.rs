//! At most one push per key and second: the first goes out at once, what comes within the same second goes out together.
//!
//! ```text
//!   move ─► no window? push, open one for a second
//!     └───► window open? merge into what waits there ─► window closes: push it and open the next, or forget the key
//! ```
//!
//! Invariants: two pushes of a key are at least a second apart; nothing that was noted is lost; a key is remembered for
//! as long as its window is open. Windows are closed by the shard's sweep, so one may stay open a little longer.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::limits;

/// How long a window is open.
pub const WINDOW: Duration = Duration::from_secs(1);

/// What waits behind open windows; `V` is what the moves of one key come to together.
#[derive(Debug)]
pub struct Pacer<K, V> {
    windows: HashMap<K, Option<V>>,
    /// When each window closes; in order, since all are open equally long.
    closing: VecDeque<(Instant, K)>,
}

impl<K, V> Default for Pacer<K, V> {
    fn default() -> Self {
        Self { windows: HashMap::new(), closing: VecDeque::new() }
    }
}

impl<K: Copy + Eq + Hash, V> Pacer<K, V> {
    /// A key moved; returns what is to be pushed at once. With no room for another window that is everything.
    #[must_use = "it is to be pushed"]
    pub fn note(
        &mut self,
        key: K,
        value: V,
        now: Instant,
        merge: impl FnOnce(&mut V, V),
    ) -> Option<V> {
        if let Some(waiting) = self.windows.get_mut(&key) {
            add(waiting, value, merge);
            return None;
        }
        if self.windows.len() < limits::PACED_KEYS {
            self.open(key, None, now);
        }
        Some(value)
    }

    /// The same for a move that may wait, also when it is the first one.
    #[must_use = "it is to be pushed"]
    pub fn note_later(
        &mut self,
        key: K,
        value: V,
        now: Instant,
        merge: impl FnOnce(&mut V, V),
    ) -> Option<V> {
        if let Some(waiting) = self.windows.get_mut(&key) {
            add(waiting, value, merge);
        } else if self.windows.len() < limits::PACED_KEYS {
            self.open(key, Some(value), now);
        } else {
            return Some(value);
        }
        None
    }

    /// Closes windows whose time is over, at most `most` of those behind which something waits; returns what is to be
    /// pushed.
    pub fn close(&mut self, now: Instant, most: usize) -> Vec<(K, V)> {
        let mut due = Vec::new();
        while let Some((at, key)) = self.closing.front().copied()
            && at <= now
            && due.len() < most
        {
            self.closing.pop_front();
            if let Some(Some(value)) = self.windows.remove(&key) {
                due.push((key, value));
                self.open(key, None, now);
            }
        }
        due
    }

    fn open(&mut self, key: K, waiting: Option<V>, now: Instant) {
        self.windows.insert(key, waiting);
        self.closing.push_back((now + WINDOW, key));
    }
}

fn add<V>(waiting: &mut Option<V>, value: V, merge: impl FnOnce(&mut V, V)) {
    match waiting {
        Some(waiting) => merge(waiting, value),
        None => *waiting = Some(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(waiting: &mut u64, more: u64) {
        *waiting += more;
    }

    #[test]
    fn the_first_move_goes_at_once_and_the_others_together() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        assert_eq!(pacer.note('a', 1, start, sum), Some(1));
        assert_eq!(pacer.note('a', 2, start, sum), None);
        assert_eq!(pacer.note('a', 3, start, sum), None);
        assert_eq!(pacer.note_later('b', 4, start, sum), None);
        assert_eq!(pacer.close(start + WINDOW / 2, 10), []);
        assert_eq!(pacer.close(start + WINDOW, 10), [('a', 5), ('b', 4)]);
        assert_eq!(pacer.note('a', 6, start + WINDOW, sum), None, "that push opened a window");
        assert_eq!(pacer.close(start + 2 * WINDOW, 10), [('a', 6)]);
        assert_eq!(pacer.close(start + 3 * WINDOW, 10), []);
        assert!(pacer.windows.is_empty() && pacer.closing.is_empty());
    }

    #[test]
    fn without_room_for_a_window_a_move_goes_at_once() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        for key in 0..limits::PACED_KEYS {
            assert_eq!(pacer.note(key, 1, start, sum), Some(1));
        }
        assert_eq!(pacer.note(limits::PACED_KEYS, 7, start, sum), Some(7));
        assert_eq!(pacer.note_later(limits::PACED_KEYS, 8, start, sum), Some(8));
        assert_eq!(pacer.windows.len(), limits::PACED_KEYS);
    }

    proptest! {
        /// Whatever comes when: every move is pushed, once, and never two pushes of a key within a second.
        #[test]
        fn nothing_is_lost_and_nothing_is_hurried(
            steps in proptest::collection::vec((0..4_u8, 0..3_u8, 0..700_u64), 1..80),
        ) {
            let mut now = Instant::now();
            let mut pacer = Pacer::default();
            let mut noted = [0_u64; 3];
            let mut pushed = [0_u64; 3];
            let mut last: [Option<Instant>; 3] = [None; 3];
            for (step, key, pause_ms) in steps.into_iter().chain([(3, 0, 2000); 2]) {
                now += Duration::from_millis(pause_ms);
                let due = match step {
                    0 | 1 => {
                        noted[usize::from(key)] += 1;
                        let first = pacer.note(key, 1, now, sum);
                        first.map(|value| (key, value)).into_iter().collect()
                    }
                    2 => {
                        noted[usize::from(key)] += 1;
                        prop_assert_eq!(pacer.note_later(key, 1, now, sum), None);
                        Vec::new()
                    }
                    _ => pacer.close(now, usize::MAX),
                };
                for (key, value) in due {
                    let key = usize::from(key);
                    pushed[key] += value;
                    if let Some(last) = last[key] {
                        prop_assert!(now - last >= WINDOW);
                    }
                    last[key] = Some(now);
                }
            }
            prop_assert_eq!(pushed, noted);
        }
    }
}
