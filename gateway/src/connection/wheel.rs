//! A coarse timer wheel: one slot a second, one sweep a second, no timer per connection.
//!
//! A deadline beyond the wheel's span waits in its last slot and is put on again. Whoever is due decides by its own
//! state whether anything is to be done, so nothing is ever cancelled.

/// Seconds the wheel spans; longer deadlines take further rounds.
const SLOTS: u32 = 128;

/// Coarse time of a shard: seconds since it started.
pub(crate) type Tick = u32;

/// Keys by the second at which they are due.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    slots: Vec<Vec<(Tick, K)>>,
    now: Tick,
}

impl<K> Wheel<K> {
    /// An empty wheel at tick 0.
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), now: 0 }
    }

    /// The current tick.
    pub(crate) fn now(&self) -> Tick {
        self.now
    }

    /// Makes `key` due at `tick`, or at the next one if that has passed.
    pub(crate) fn schedule(&mut self, tick: Tick, key: K) {
        let tick = tick.max(self.now + 1);
        let slot = tick.min(self.now + SLOTS - 1) % SLOTS;
        self.slots[slot as usize].push((tick, key));
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// Goes on by one tick and moves what is due into `due`.
    pub(crate) fn advance(&mut self, due: &mut Vec<K>) {
        self.now += 1;
        let slot = std::mem::take(&mut self.slots[(self.now % SLOTS) as usize]);
        for (tick, key) in slot {
            if tick <= self.now {
                due.push(key);
            } else {
                self.schedule(tick, key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_due_once_and_at_its_tick() {
        let mut wheel = Wheel::new();
        for tick in [1, 2, 127, 128, 129, 400, 1000] {
            wheel.schedule(tick, tick);
        }
        let mut seen = Vec::new();
        for _ in 0..1100 {
            let mut due = Vec::new();
            wheel.advance(&mut due);
            assert!(due.iter().all(|&tick| tick == wheel.now()), "{due:?} at {}", wheel.now());
            seen.extend(due);
        }
        assert_eq!(seen, [1, 2, 127, 128, 129, 400, 1000]);
    }

    #[test]
    fn a_past_deadline_is_due_next() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(&mut due);
        wheel.schedule(0, 'x');
        wheel.advance(&mut due);
        assert_eq!(due, ['x']);
    }
}
