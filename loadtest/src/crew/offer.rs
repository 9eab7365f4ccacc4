//! What users have to send: due by the schedule, or in a closed loop by answers.
//!
//! ```text
//!   open loop:    schedule ──► pacer ──► due ──► written
//!   closed loop:  answer ──► think ──► pacer ──► due ──► written
//!                    └── nobody thinks ──────────► due ──► written in the same turn
//! ```

use std::cmp::Reverse;
use std::time::Duration;

use rand::Rng as _;

use super::Crew;
use crate::client::{Around, Event};
use crate::scenario::Arrival;
use crate::worker::SHORTEST_SLEEP;

impl Crew {
    /// A send of a user is due, and whatever the user does around it.
    pub(crate) fn due(&self, index: usize, due_us: u64) {
        self.tally.borrow_mut().offered += 1;
        let seat = self.seats[index];
        let origin = self.talks[seat.talk].borrow_mut().invoke(seat.member);
        let mut slot = self.slots[index].borrow_mut();
        // A user that gave up still owes its sends: they stay unanswered in the ledger.
        if slot.dead {
            return;
        }
        let activity = self.settings.activity;
        let mut random = self.random.borrow_mut();
        let mut chance = |share: f64| share > 0.0 && random.random::<f64>() < share;
        let around = Around { typing: chance(activity.typing), history: chance(activity.history) };
        let mut events = Vec::new();
        slot.user.due(origin, due_us, around, &mut events);
        for event in events {
            if let Event::Error(name) = event {
                self.tally.borrow_mut().error(name);
            }
        }
    }

    /// Closed loop: after so many answers, or without them after a lost connection, the user thinks; where nobody does, it
    /// has as many sends due.
    pub(crate) fn go_on(&self, index: usize, answers: usize, now_us: u64) {
        if self.run.scenario.arrival != Arrival::Closed {
            return;
        }
        for _ in 0..answers {
            if self.run.scenario.think_s > 0.0 {
                self.think(index, now_us);
            } else if now_us < self.offers_until_us.get() {
                self.due(index, now_us);
            }
        }
    }

    /// Closed loop: the user sends again once it has thought.
    pub(crate) fn think(&self, index: usize, now_us: u64) {
        let uniform = 1.0 - self.random.borrow_mut().random::<f64>();
        let pause_us = -uniform.ln() * self.run.scenario.think_s * 1e6;
        let due_us = now_us + pause_us as u64;
        self.thinkers.borrow_mut().push(Reverse((due_us, index)));
        // The pacer sleeps until what was known to be due.
        let wake_us = due_us.max(now_us + SHORTEST_SLEEP.as_micros() as u64);
        if wake_us < self.paced_until_us.get()
            && let Some(pacer) = &*self.pacer.borrow()
            && pacer.set(Duration::from_micros(wake_us - now_us)).is_ok()
        {
            self.paced_until_us.set(wake_us);
        }
    }
}
