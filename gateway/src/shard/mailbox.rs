//! The inbound queue of a shard: many senders, one receiver, bounded, lock-free, in order.
//!
//! ```text
//! shards, writers, service ──push──► [ one FIFO: shared | reserved | producers ] ──drain──► shard
//!            └── first push since the last drain: eventfd ──────────────────────readable──►┘
//! ```
//!
//! Two lanes share **one** queue, because an ack and a push of the same conversation must arrive in the order
//! they were sent. They differ only in what a full queue means:
//!
//! - [`try_send`](MailboxSender::try_send), the refusable lane (commands, fan-out), gives the value back once
//!   `shared` values wait. The caller answers `BUSY` or marks the recipient as lagging.
//! - [`send_reserved`](MailboxSender::send_reserved) carries answers the receiver asked for (acks, completions,
//!   replies). The receiver hands out at most `reserved` credits, one with each request, and takes a credit
//!   back when it drains the answer; so the slot is there and the answer cannot be refused.
//!
//! Invariants:
//!
//! 1. A refusable send looks at the length before it pushes. At most `producers` threads can be between the
//!    two, so refusable values never take more than `shared + producers` slots and the reserve stays whole.
//! 2. The receiver never sleeps on a value: see `wake.rs`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

use super::wake::WakeFlag;
use crate::net::EventFd;

/// How many values a mailbox holds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Values waiting, of both lanes, from which on [`MailboxSender::try_send`] refuses.
    pub shared: usize,
    /// Credits of the receiver: answers that may be on their way to it at any time.
    pub reserved: usize,
    /// Threads that send.
    pub producers: usize,
}

/// Makes a mailbox.
///
/// # Errors
///
/// No descriptor is left for the eventfd.
pub fn mailbox<T: Send>(bounds: Bounds) -> io::Result<(MailboxSender<T>, MailboxReceiver<T>)> {
    assert!(bounds.shared > 0 && bounds.producers > 0, "a mailbox that nobody can use: {bounds:?}");
    let inner = Arc::new(Inner {
        queue: ArrayQueue::new(bounds.shared + bounds.reserved + bounds.producers),
        bounds,
        wake: WakeFlag::new(),
        event: EventFd::new()?,
    });
    Ok((MailboxSender { inner: Arc::clone(&inner) }, MailboxReceiver { inner }))
}

#[derive(Debug)]
struct Inner<T> {
    queue: ArrayQueue<T>,
    bounds: Bounds,
    wake: WakeFlag,
    event: EventFd,
}

/// The sending end; clone it for each sender.
#[derive(Debug)]
pub struct MailboxSender<T> {
    inner: Arc<Inner<T>>,
}

impl<T> Clone for MailboxSender<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> MailboxSender<T> {
    /// Sends on the refusable lane.
    ///
    /// # Errors
    ///
    /// Gives the value back when `shared` values or more wait.
    pub fn try_send(&self, value: T) -> Result<(), T> {
        if self.inner.queue.len() >= self.inner.bounds.shared {
            return Err(value);
        }
        self.inner.queue.push(value)?;
        self.signal();
        Ok(())
    }

    /// Values waiting now; for metrics.
    pub fn waiting(&self) -> usize {
        self.inner.queue.len()
    }

    /// How much it holds.
    pub fn bounds(&self) -> Bounds {
        self.inner.bounds
    }

    /// Sends an answer whose slot the receiver reserved when it asked.
    ///
    /// # Panics
    ///
    /// When the answer was not reserved: more than `reserved` answers wait, or more than `producers` threads
    /// send. Either is a mistake in this program.
    pub fn send_reserved(&self, answer: T) {
        let pushed = self.inner.queue.push(answer).is_ok();
        assert!(
            pushed,
            "a reserved answer found the mailbox full: its sender held no credit, or more threads than \
             promised send ({:?})",
            self.inner.bounds
        );
        self.signal();
    }

    fn signal(&self) {
        if self.inner.wake.raise() {
            self.inner.event.signal();
        }
    }
}

/// The receiving end; it belongs to one shard.
///
/// A turn of the shard's loop is: [`acknowledge_wake`](Self::acknowledge_wake) when the descriptor was readable,
/// [`drain`](Self::drain), and, once that returned `false`, waiting until the descriptor is readable again.
#[derive(Debug)]
pub struct MailboxReceiver<T> {
    inner: Arc<Inner<T>>,
}

impl<T> MailboxReceiver<T> {
    /// Hands up to `max` values to `take`, oldest first; returns whether more are left.
    ///
    /// After `true` the shard must come back without waiting: for values left behind nobody signals again.
    #[must_use = "waiting while values are left would strand them"]
    pub fn drain(&mut self, max: usize, mut take: impl FnMut(T)) -> bool {
        self.inner.wake.lower();
        for _ in 0..max {
            match self.inner.queue.pop() {
                Some(value) => take(value),
                None => return false,
            }
        }
        !self.inner.queue.is_empty()
    }

    /// Makes the descriptor unreadable again; returns whether it was readable.
    ///
    /// Comes before [`drain`](Self::drain), never between a drain and the wait that follows it: it would swallow
    /// the signal of a value that arrived meanwhile.
    pub fn acknowledge_wake(&mut self) -> bool {
        self.inner.event.consume()
    }

    /// Values waiting now; for metrics.
    pub fn len(&self) -> usize {
        self.inner.queue.len()
    }

    /// Whether nothing waits now.
    pub fn is_empty(&self) -> bool {
        self.inner.queue.is_empty()
    }
}

impl<T> AsFd for MailboxReceiver<T> {
    /// The eventfd to await readability of; it never blocks.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.event.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::thread;

    use super::*;

    fn small(shared: usize, reserved: usize) -> (MailboxSender<u32>, MailboxReceiver<u32>) {
        mailbox(Bounds { shared, reserved, producers: 2 }).expect("descriptors are left")
    }

    fn drained(receiver: &mut MailboxReceiver<u32>) -> Vec<u32> {
        let mut values = Vec::new();
        assert!(!receiver.drain(usize::MAX, |value| values.push(value)));
        values
    }

    #[test]
    fn the_refusable_lane_refuses_at_its_bound_and_recovers() {
        let (sender, mut receiver) = small(2, 4);
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(sender.try_send(2), Ok(()));
        assert_eq!(sender.try_send(3), Err(3));
        assert_eq!(drained(&mut receiver), [1, 2]);
        assert_eq!(sender.try_send(3), Ok(()));
    }

    #[test]
    fn answers_find_their_slot_in_a_full_mailbox_and_keep_the_order() {
        let (sender, mut receiver) = small(2, 3);
        sender.send_reserved(1);
        assert_eq!(sender.try_send(2), Ok(()));
        assert_eq!(sender.try_send(9), Err(9));
        sender.send_reserved(3);
        sender.send_reserved(4);
        assert_eq!(drained(&mut receiver), [1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "held no credit")]
    fn an_answer_without_a_credit_is_a_programmer_error() {
        let (sender, _receiver) = small(1, 1);
        for answer in 0..=4 {
            sender.send_reserved(answer);
        }
    }

    #[test]
    fn a_bounded_drain_says_what_it_left() {
        let (sender, mut receiver) = small(8, 0);
        for value in 0..5 {
            assert_eq!(sender.try_send(value), Ok(()));
        }
        let mut values = Vec::new();
        assert!(receiver.drain(2, |value| values.push(value)));
        assert!(!receiver.drain(3, |value| values.push(value)));
        assert_eq!(values, [0, 1, 2, 3, 4]);
        assert!(receiver.is_empty());
    }

    #[test]
    fn v1_many_sends_between_two_drains_cost_one_signal() {
        let (sender, mut receiver) = small(8, 0);
        assert!(!receiver.acknowledge_wake());
        assert_eq!(sender.try_send(1), Ok(()));
        assert!(receiver.acknowledge_wake());
        assert_eq!(sender.try_send(2), Ok(()));
        assert!(!receiver.acknowledge_wake(), "the second send had nothing to signal");
        assert_eq!(drained(&mut receiver), [1, 2]);
        assert_eq!(sender.try_send(3), Ok(()));
        assert!(receiver.acknowledge_wake());
    }

    /// Every value of every thread arrives once and in that thread's order, while the receiver sleeps on the
    /// descriptor whenever it may. A lost wake shows as a receiver that sleeps with values waiting.
    fn senders_race_one_receiver(threads: u32, values_each: u32, wait: impl Fn(BorrowedFd<'_>)) {
        let bounds = Bounds { shared: 16, reserved: 4, producers: threads as usize };
        let (sender, mut receiver) = mailbox::<(u32, u32)>(bounds).expect("descriptors are left");
        let senders: Vec<_> = (0..threads)
            .map(|thread| {
                let sender = sender.clone();
                thread::spawn(move || {
                    for value in 0..values_each {
                        while sender.try_send((thread, value)).is_err() {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();

        let mut next = vec![0; threads as usize];
        while next.iter().any(|&value| value < values_each) {
            wait(receiver.as_fd());
            receiver.acknowledge_wake();
            while receiver.drain(5, |(thread, value)| {
                assert_eq!(value, next[thread as usize]);
                next[thread as usize] += 1;
            }) {}
        }
        for sender in senders {
            sender.join().expect("senders do not panic");
        }
        assert!(receiver.is_empty());
    }

    #[test]
    #[cfg(not(miri))] // Miri has no poll; the test below runs there.
    fn v1_no_wake_is_lost_under_stress() {
        senders_race_one_receiver(4, 50_000, |descriptor| {
            let mut waiting =
                libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: `waiting` is one valid pollfd and the descriptor is open while it is borrowed.
            let ready = unsafe { libc::poll(&raw mut waiting, 1, 60_000) };
            assert_eq!(ready, 1, "slept although values were sent");
        });
    }

    #[test]
    fn v1_values_arrive_once_and_in_order_without_sleeping() {
        let values_each = if cfg!(miri) { 40 } else { 5_000 };
        senders_race_one_receiver(3, values_each, |_| thread::yield_now());
    }
}
