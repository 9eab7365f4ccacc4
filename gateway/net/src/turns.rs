//! Letting others go first, whatever the load.
//!
//! ```text
//!   yield_to_others ──► list ── the first: eventfd ──► driver ──► serve ──► all on the list go on
//! ```
//!
//! A task that wakes itself, or has another task wake it, keeps the runtime's queue from running empty, and only then
//! does the runtime look at its timers and at what the kernel has completed: one busy task would keep those from all
//! others. So a turn is given up by way of the driver. Invariant: while the list is not empty, the eventfd is readable.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::eventfd::EventFd;
use super::readiness::ReadinessSet;
use super::{Signal, sleep};

/// Those of a thread who let others go first.
#[derive(Debug)]
pub(super) struct Turns {
    event: EventFd,
    waiting: RefCell<Vec<Waker>>,
}

impl Turns {
    /// Nobody.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { event: EventFd::new()?, waiting: RefCell::default() })
    }

    /// What [`Self::serve`] waits for.
    pub(super) fn signal(&self) -> io::Result<Signal> {
        Signal::new(self.event.as_fd())
    }

    fn wait(&self, waker: Waker) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() {
            self.event.signal();
        }
        waiting.push(waker);
    }

    /// Lets go of who waits.
    pub(super) fn forget_wakers(&self) -> Vec<Waker> {
        self.waiting.take()
    }

    /// Gives turns, for ever.
    pub(super) async fn serve(set: Rc<ReadinessSet>, signal: Signal) {
        loop {
            if let Err(error) = signal.raised().await {
                tracing::error!(%error, "a thread cannot give turns");
                sleep(Duration::from_millis(10)).await;
            }
            set.turns.event.consume();
            let waiting = set.turns.waiting.take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

/// Lets every task that is ready run first, and has the runtime look at its timers and descriptors.
pub async fn yield_to_others() {
    // Without a driver there are no others.
    let Some(set) = ReadinessSet::current() else { return };
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        set.turns.wait(context.waker().clone());
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;

    use super::super::readiness::tests::{SOON, pair, with_drivers};
    use super::super::spawn;
    use super::*;

    #[test]
    fn those_who_yield_for_ever_keep_neither_timers_nor_arrivals_from_others() {
        with_drivers(async || {
            let is_over = Rc::new(Cell::new(false));
            let turns = Rc::new(Cell::new(0));
            for _ in 0..3 {
                let (is_over, turns) = (Rc::clone(&is_over), Rc::clone(&turns));
                spawn(async move {
                    while !is_over.get() {
                        yield_to_others().await;
                        turns.set(turns.get() + 1);
                    }
                });
            }
            sleep(SOON).await;
            let (stream, mut peer) = pair();
            peer.write_all(b"here").unwrap();
            stream.readable().await.unwrap();
            assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 4);
            is_over.set(true);
            assert!(turns.get() > 3, "{}", turns.get());
        });
    }

    #[test]
    fn who_is_ready_runs_before_who_yields() {
        with_drivers(async || {
            let has_run = Rc::new(Cell::new(false));
            let other = Rc::clone(&has_run);
            spawn(async move { other.set(true) });
            yield_to_others().await;
            assert!(has_run.get());
        });
    }
}
