//! Sockets whose connections have ended, closed a few at a time.
//!
//! ```text
//!   ended ─► on_gone (the session knows at once) ─► departures ─► 32 sockets closed ─► a millisecond for everybody else ─┐
//!                                                        ▲──────────────────────────────────────────────────────────────┘
//! ```
//!
//! To close a socket takes the kernel some ten microseconds. Where a proxy in front ends ten thousand connections at
//! once, a shard would do nothing else for a tenth of a second.
//!
//! Invariant: what counts a connection is kept until its socket is closed, so that sockets never outnumber their limit.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// The sockets of one shard that wait to be closed. Each keeps its place among the connections there may be.
#[derive(Debug, Default)]
pub struct Departures {
    waiting: RefCell<VecDeque<Box<dyn Any>>>,
    closer: RefCell<Option<Waker>>,
}

impl Departures {
    /// Drops this, a socket and what belongs to it, in its turn.
    pub(super) fn push(&self, leaving: impl Sized + 'static) {
        self.waiting.borrow_mut().push_back(Box::new(leaving));
        if let Some(closer) = self.closer.borrow_mut().take() {
            closer.wake();
        }
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Ready as soon as somebody waits.
    pub(super) fn poll_waiting(&self, context: &Context<'_>) -> Poll<()> {
        if self.is_empty() {
            *self.closer.borrow_mut() = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// What `take` gives. Where it gives nothing, those that have waited longest make room first, so many at most.
    pub fn make_room<T>(&self, most: usize, take: impl Fn() -> Option<T>) -> Option<T> {
        take().or_else(|| {
            self.close(most);
            take()
        })
    }

    /// Closes those that have waited longest, so many at most.
    pub fn close(&self, most: usize) {
        for _ in 0..most {
            // Not borrowed while it is dropped: that may end something else.
            let Some(leaving) = self.waiting.borrow_mut().pop_front() else { return };
            drop(leaving);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    /// Ends another when it ends.
    struct Leaving(Rc<Departures>, u32);

    impl Drop for Leaving {
        fn drop(&mut self) {
            if let Some(left) = self.1.checked_sub(1) {
                self.0.push(Leaving(Rc::clone(&self.0), left));
            }
        }
    }

    #[test]
    fn they_leave_in_order_and_not_all_at_once() {
        let departures = Departures::default();
        let counted: Vec<Rc<()>> = (0..5).map(|_| Rc::default()).collect();
        for count in &counted {
            departures.push(Rc::clone(count));
        }
        let held = || counted.iter().map(|count| Rc::strong_count(count) - 1).collect::<Vec<_>>();
        departures.close(2);
        assert_eq!(held(), [0, 0, 1, 1, 1]);
        departures.close(9);
        assert_eq!(held(), [0; 5]);
    }

    #[test]
    fn whoever_leaves_may_make_another_leave() {
        let departures = Rc::new(Departures::default());
        departures.push(Leaving(Rc::clone(&departures), 3));
        departures.close(2);
        assert_eq!(departures.waiting.borrow().len(), 1);
        departures.close(8);
        assert!(departures.is_empty());
    }

    #[test]
    fn who_finds_no_room_gets_that_of_those_who_leave() {
        let departures = Departures::default();
        let place = Rc::new(());
        let is_free = || (Rc::strong_count(&place) < 4).then(|| Rc::clone(&place));
        let held: Vec<_> = std::iter::from_fn(is_free).collect();
        assert!(departures.make_room(2, is_free).is_none(), "nobody leaves");
        for place in held {
            departures.push(place);
        }
        let newcomer = departures.make_room(2, is_free);
        assert!(newcomer.is_some());
        assert_eq!(departures.waiting.borrow().len(), 1, "no more than a turn's");
        assert!(departures.make_room(2, is_free).is_some());
        assert_eq!(departures.waiting.borrow().len(), 1, "and only where there is none");
    }

    #[test]
    fn the_closer_sleeps_until_somebody_waits() {
        let departures = Departures::default();
        let context = Context::from_waker(Waker::noop());
        assert!(departures.poll_waiting(&context).is_pending());
        departures.push(());
        assert!(departures.closer.borrow().is_none(), "woken once");
        assert!(departures.poll_waiting(&context).is_ready());
    }
}
