//! Waking a writer thread without a lock.
//!
//! The standard library's park token is all it takes: `unpark` leaves a token when nobody is parked, and the next
//! `park` takes it and returns at once. So whatever was pushed before `notify` is either seen by the writer's next look
//! at its queues, or ends the sleep that follows. To wake a writer that is awake costs a producer one atomic swap.

use std::sync::OnceLock;
use std::thread::{self, Thread};
use std::time::Duration;

/// The sleeping place of one writer thread.
#[derive(Debug, Default)]
pub(crate) struct Sleeper {
    thread: OnceLock<Thread>,
}

impl Sleeper {
    /// Tells who sleeps here; called once, by whoever started the thread, before anyone can submit.
    pub(crate) fn adopt(&self, thread: Thread) {
        // A second call would be a programming error that changes nothing.
        let _ = self.thread.set(thread);
    }

    /// After a push, or to stop: wakes the writer wherever it waits, a back-off included.
    pub(crate) fn notify(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Sleeps until notified or until the time is over. May return early. Called by the writer after it found its
    /// queues empty.
    pub(crate) fn sleep(limit: Option<Duration>) {
        match limit {
            Some(limit) => thread::park_timeout(limit),
            None => thread::park(),
        }
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
        let sleeper = Sleeper::default();
        let writer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut seen = 0;
                while seen < PUSHES {
                    match queue.pop() {
                        Some(()) => seen += 1,
                        None => Sleeper::sleep(None),
                    }
                }
            }
        });
        sleeper.adopt(writer.thread().clone());
        for _ in 0..PUSHES {
            while queue.push(()).is_err() {
                thread::yield_now();
            }
            sleeper.notify();
        }
        writer.join().expect("the writer saw every push");
    }
}
