//! Who is typing: what the members were told, and when that ends.
//!
//! ```text
//!   typing ─► told at once, or when a second has passed since the last push ─┬─ repeated: told again, goes on
//!                                                                           ├─ stopped, or nothing for 6 s: told
//!                                                                           └─ said something: the entry tells it
//! ```
//!
//! One of these is on each owner shard, for all its conversations; it lives in memory only. Invariants: two pushes about
//! one user in one conversation are at least a second apart; nobody is shown as typing for longer than
//! [`limits::TYPING_MS`] and one sweep after they typed last; who is neither shown nor typing is forgotten.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, UserId};

use super::answer::ReplyTo;
use super::members::Recipients;
use super::{Conversation, Effect, Moment};
use crate::limits;
use crate::pacing::WINDOW;

/// Where somebody types.
pub type Place = (ConversationId, UserId);

/// What the members are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Nothing now.
    Nothing,
    /// The user types.
    Typing,
    /// The user has stopped.
    Stopped,
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

#[derive(Debug)]
struct Typist {
    /// The others see it.
    shown: bool,
    pushed_at: Instant,
    /// It is over then; `None`: it is over.
    until: Option<Instant>,
}

impl Typist {
    /// Brings the others' picture up to date, if they may be told something already.
    fn settle(&mut self, now: Instant) -> Tell {
        let types = self.until.is_some();
        if types == self.shown || now < self.pushed_at + WINDOW {
            return Tell::Nothing;
        }
        self.shown = types;
        self.pushed_at = now;
        if types { Tell::Typing } else { Tell::Stopped }
    }
}

/// Everybody who types in the conversations of a shard.
#[derive(Debug, Default)]
pub struct Typists {
    by_place: BTreeMap<Place, Typist>,
}

impl Typists {
    /// Somebody types, or still does.
    pub fn typed(&mut self, place: Place, now: Instant) -> Result<Tell, TooMany> {
        let until = Some(now + Duration::from_millis(limits::TYPING_MS));
        let full = self.by_place.len() >= limits::TYPISTS;
        match self.by_place.entry(place) {
            Entry::Vacant(_) if full => Err(TooMany),
            Entry::Vacant(vacant) => {
                vacant.insert(Typist { shown: true, pushed_at: now, until });
                Ok(Tell::Typing)
            }
            Entry::Occupied(mut typist) => {
                let typist = typist.get_mut();
                typist.until = until;
                // Repeated: the others let it go on.
                if now >= typist.pushed_at + WINDOW {
                    typist.shown = false;
                }
                Ok(typist.settle(now))
            }
        }
    }

    /// Somebody types no more.
    pub fn stopped(&mut self, place: Place, now: Instant) -> Tell {
        self.by_place.get_mut(&place).map_or(Tell::Nothing, |typist| {
            typist.until = None;
            typist.settle(now)
        })
    }

    /// Somebody said something; everyone who saw them type sees it.
    pub fn said(&mut self, place: Place) {
        if self.by_place.is_empty() {
            return;
        }
        if let Some(typist) = self.by_place.get_mut(&place) {
            typist.until = None;
            typist.shown = false;
        }
    }

    /// Ends what was not repeated and tells what had to wait.
    pub fn sweep(&mut self, now: Instant) -> Vec<(Place, Tell)> {
        let mut told = Vec::new();
        self.by_place.retain(|place, typist| {
            if typist.until.is_some_and(|until| until <= now) {
                typist.until = None;
            }
            match typist.settle(now) {
                Tell::Nothing => {}
                tell => told.push((*place, tell)),
            }
            typist.shown || typist.until.is_some() || now < typist.pushed_at + WINDOW
        });
        told
    }
}

impl Conversation {
    /// A member types, or has stopped. Who may is said by the table.
    pub fn typing(
        &mut self,
        user: UserId,
        stopped: bool,
        reply_to: ReplyTo,
        now: &Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if let Err(error) = self.may_type(user, now) {
            effects.push(Effect::Answer(reply_to, Err(error)));
            return;
        }
        let recipients = self.typing_audience();
        effects.push(Effect::Typing { user, stopped, recipients, reply_to });
    }

    /// Who is told that somebody types; nobody where there are too many.
    pub fn typing_audience(&mut self) -> Option<Recipients> {
        let told = self.state.members.count() <= limits::TYPING_PUSH_MEMBERS;
        told.then(|| self.state.members.recipients())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(user: u64) -> Place {
        (ConversationId::new(1).unwrap(), UserId::new(user).unwrap())
    }

    const SECOND: Duration = Duration::from_secs(1);
    const LASTS: Duration = Duration::from_millis(limits::TYPING_MS);

    #[test]
    fn it_ends_by_itself_unless_it_is_repeated() {
        let start = Instant::now();
        let mut typists = Typists::default();
        assert_eq!(typists.typed(place(1), start), Ok(Tell::Typing));
        assert_eq!(typists.typed(place(1), start + 3 * SECOND), Ok(Tell::Typing));
        assert_eq!(typists.sweep(start + LASTS), []);
        let end = start + 3 * SECOND + LASTS;
        assert_eq!(typists.sweep(end), [(place(1), Tell::Stopped)]);
        assert_eq!(typists.sweep(end + SECOND), []);
        assert!(typists.by_place.is_empty());
    }

    #[test]
    fn what_comes_within_a_second_waits() {
        let start = Instant::now();
        let mut typists = Typists::default();
        assert_eq!(typists.typed(place(1), start), Ok(Tell::Typing));
        assert_eq!(typists.stopped(place(1), start), Tell::Nothing);
        assert_eq!(typists.typed(place(1), start), Ok(Tell::Nothing));
        assert_eq!(typists.sweep(start + SECOND), [], "it is as it was told");
        assert_eq!(typists.stopped(place(1), start + SECOND), Tell::Stopped);
        assert_eq!(typists.typed(place(1), start + SECOND), Ok(Tell::Nothing));
        assert_eq!(typists.sweep(start + 2 * SECOND), [(place(1), Tell::Typing)]);
    }

    #[test]
    fn who_said_it_is_not_told_to_have_stopped() {
        let start = Instant::now();
        let mut typists = Typists::default();
        assert_eq!(typists.typed(place(1), start), Ok(Tell::Typing));
        typists.said(place(1));
        assert_eq!(typists.sweep(start + SECOND), []);
        assert!(typists.by_place.is_empty());
        assert_eq!(typists.stopped(place(1), start + SECOND), Tell::Nothing);
    }

    #[test]
    fn there_is_a_bound_on_how_many_type() {
        let start = Instant::now();
        let mut typists = Typists::default();
        for user in 1..=limits::TYPISTS as u64 {
            assert_eq!(typists.typed(place(user), start), Ok(Tell::Typing));
        }
        let one_more = place(limits::TYPISTS as u64 + 1);
        assert_eq!(typists.typed(one_more, start), Err(TooMany));
        assert_eq!(
            typists.typed(place(1), start + SECOND),
            Ok(Tell::Typing),
            "who is in may go on"
        );
        typists.sweep(start + LASTS);
        typists.sweep(start + LASTS + SECOND);
        assert_eq!(typists.typed(one_more, start + LASTS + SECOND), Ok(Tell::Typing));
    }

    proptest! {
        /// A member who believes every push sees, a second after the last one, what is so.
        #[test]
        fn what_is_seen_becomes_what_is_so(
            steps in proptest::collection::vec((0..5_u8, 1..3_u64, 0..1500_u64), 1..80),
        ) {
            let mut now = Instant::now();
            let mut typists = Typists::default();
            let mut until: BTreeMap<Place, Instant> = BTreeMap::new();
            let mut seen: BTreeMap<Place, bool> = BTreeMap::new();
            let mut last: BTreeMap<Place, Instant> = BTreeMap::new();
            for (step, user, pause_ms) in steps.into_iter().chain([(4, 1, 10_000); 3]) {
                now += Duration::from_millis(pause_ms);
                let place = place(user);
                let told = match step {
                    0 | 1 => {
                        until.insert(place, now + LASTS);
                        vec![(place, typists.typed(place, now).unwrap())]
                    }
                    2 => {
                        until.remove(&place);
                        vec![(place, typists.stopped(place, now))]
                    }
                    3 => {
                        until.remove(&place);
                        seen.insert(place, false);
                        typists.said(place);
                        Vec::new()
                    }
                    _ => typists.sweep(now),
                };
                for (place, tell) in told {
                    if tell == Tell::Nothing {
                        continue;
                    }
                    if let Some(last) = last.insert(place, now) {
                        prop_assert!(now >= last + WINDOW, "two pushes within a second");
                    }
                    seen.insert(place, tell == Tell::Typing);
                }
                for (place, seen) in &seen {
                    let settled = last.get(place).is_none_or(|last| now >= *last + WINDOW);
                    if step == 4 && settled {
                        let types = until.get(place).is_some_and(|until| now < *until);
                        prop_assert_eq!(*seen, types);
                    }
                }
            }
            prop_assert!(typists.by_place.is_empty(), "nobody is remembered for ever");
        }
    }
}
