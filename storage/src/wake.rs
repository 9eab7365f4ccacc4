//! Waking a writer thread without a lock.
//!
//! ```text
//!   producer                              writer
//!   push                                  sleeping = true
//!   fence(SeqCst)                         fence(SeqCst)
//!   sleeping? ── swap(false) ─► unpark    anything queued? ── no ─► park
//! ```
//!
//! Invariant: whatever was pushed before `notify` is seen by the writer before it sleeps, or the writer is woken. The
//! two fences order "push, then read the flag" against "raise the flag, then look": at least one side sees the other.
//! A busy writer costs a producer one fence and one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};
use std::time::Duration;

/// The sleeping place of one writer thread.
#[derive(Debug, Default)]
pub(crate) struct Sleeper {
    sleeping: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Sleeper {
    /// Tells who sleeps here; called once, by the writer thread itself. Before that, `notify` has nobody to wake and
    /// need not: the writer looks at its queues before it first sleeps.
    pub(crate) fn adopt_current_thread(&self) {
        // A second call would be a programming error that changes nothing.
        let _ = self.thread.set(thread::current());
    }

    /// After a push: wakes the writer when it sleeps.
    pub(crate) fn notify(&self) {
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel) {
            self.rouse();
        }
    }

    /// Wakes the writer wherever it waits, a back-off included.
    pub(crate) fn rouse(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Sleeps until notified or until the time is over, unless `has_work`. May return early.
    pub(crate) fn sleep(&self, limit: Option<Duration>, has_work: impl Fn() -> bool) {
        self.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !has_work() {
            match limit {
                Some(limit) => thread::park_timeout(limit),
                None => thread::park(),
            }
        }
        self.sleeping.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crossbeam::queue::ArrayQueue;

    use super::*;

    #[test]
    fn no_push_is_slept_through() {
        // The writer never uses a time limit here: a lost wake-up would hang the test.
        const PUSHES: usize = 20_000;
        let queue = Arc::new(ArrayQueue::new(4));
        let sleeper = Arc::new(Sleeper::default());
        let writer = thread::spawn({
            let (queue, sleeper) = (Arc::clone(&queue), Arc::clone(&sleeper));
            move || {
                sleeper.adopt_current_thread();
                let mut seen = 0;
                while seen < PUSHES {
                    match queue.pop() {
                        Some(()) => seen += 1,
                        None => sleeper.sleep(None, || !queue.is_empty()),
                    }
                }
            }
        });
        for _ in 0..PUSHES {
            while queue.push(()).is_err() {
                thread::yield_now();
            }
            sleeper.notify();
        }
        writer.join().expect("the writer saw every push");
    }
}
