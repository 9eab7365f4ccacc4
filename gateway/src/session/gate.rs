//! So many at a time, the others in line: keeps a herd of clients that come back from taking every place at the database.
//!
//! ```text
//!   enter ─┬─ a place is free ─► go
//!          ├─ wait in line ─ … leave of another ─► go
//!          └─ the line is full ─► refused
//! ```
//!
//! Invariants: whoever may go calls [`Gate::leave`] once; nobody overtakes; the line is bounded by number and by weight.

use std::collections::VecDeque;

/// The places, and the line before them.
#[derive(Debug)]
pub struct Gate<T> {
    bounds: GateBounds,
    under_way: usize,
    line: VecDeque<(usize, T)>,
    weight: usize,
}

/// How many may go, and how many may wait.
#[derive(Clone, Copy, Debug)]
pub struct GateBounds {
    /// How many may be under way; at least 1.
    pub places: usize,
    /// How many may wait.
    pub waiting: usize,
    /// What they may weigh together.
    pub weight: usize,
}

/// What [`Gate::enter`] says.
#[derive(Debug, PartialEq, Eq)]
pub enum Entered<T> {
    /// There is a place: go on, and leave afterwards.
    Go(T),
    /// It waits; a later [`Gate::leave`] gives it out.
    Waits,
    /// There is no room in the line.
    Refused(T),
}

impl<T> Gate<T> {
    /// Nobody is there yet.
    pub const fn new(bounds: GateBounds) -> Self {
        Self { bounds, under_way: 0, line: VecDeque::new(), weight: 0 }
    }

    /// Asks for a place.
    pub fn enter(&mut self, item: T, weight: usize) -> Entered<T> {
        if self.under_way < self.bounds.places && self.line.is_empty() {
            self.under_way += 1;
            return Entered::Go(item);
        }
        if self.line.len() >= self.bounds.waiting || self.weight + weight > self.bounds.weight {
            return Entered::Refused(item);
        }
        self.weight += weight;
        self.line.push_back((weight, item));
        Entered::Waits
    }

    /// How many are under way, and how many wait.
    pub fn numbers(&self) -> (usize, usize) {
        (self.under_way, self.line.len())
    }

    /// Gives a place back; who was first in line may go now.
    pub fn leave(&mut self) -> Option<T> {
        debug_assert!(self.under_way > 0, "somebody left twice");
        self.under_way = self.under_way.saturating_sub(1);
        let (weight, item) = self.line.pop_front()?;
        self.weight -= weight;
        self.under_way += 1;
        Some(item)
    }

    /// Sends home who waits.
    pub fn clear(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.weight = 0;
        std::mem::take(&mut self.line).into_iter().map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_go_and_the_others_follow_in_order_as_places_come_free() {
        let mut gate = Gate::new(GateBounds { places: 2, waiting: 3, weight: 100 });
        assert_eq!(gate.enter(1, 0), Entered::Go(1));
        assert_eq!(gate.enter(2, 0), Entered::Go(2));
        for item in 3..=5 {
            assert_eq!(gate.enter(item, 1), Entered::Waits);
        }
        assert_eq!(gate.enter(6, 1), Entered::Refused(6));
        assert_eq!(gate.leave(), Some(3));
        assert_eq!(gate.enter(6, 1), Entered::Waits);
        assert_eq!([gate.leave(), gate.leave(), gate.leave()], [Some(4), Some(5), Some(6)]);
        assert_eq!([gate.leave(), gate.leave()], [None, None]);
        assert_eq!(gate.enter(7, 1), Entered::Go(7));
    }

    #[test]
    fn heavy_ones_fill_the_line_sooner() {
        let mut gate = Gate::new(GateBounds { places: 1, waiting: 10, weight: 10 });
        assert_eq!(gate.enter("goes", 1000), Entered::Go("goes"));
        assert_eq!(gate.enter("waits", 8), Entered::Waits);
        assert_eq!(gate.enter("too heavy", 3), Entered::Refused("too heavy"));
        assert_eq!(gate.leave(), Some("waits"));
        assert_eq!(gate.enter("light enough", 10), Entered::Waits);
    }

    #[test]
    fn who_is_sent_home_weighs_nothing_any_more() {
        let mut gate = Gate::new(GateBounds { places: 1, waiting: 2, weight: 10 });
        assert_eq!(gate.enter("goes", 1), Entered::Go("goes"));
        assert_eq!([gate.enter("a", 5), gate.enter("b", 5)], [Entered::Waits, Entered::Waits]);
        assert_eq!(gate.clear().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(gate.enter("c", 10), Entered::Waits);
        assert_eq!([gate.leave(), gate.leave()], [Some("c"), None], "one was under way");
    }
}
