//! What the users of a lane have written goes to their sockets together.
//!
//! ```text
//!   a turn of a user ──► output of its connection, dirty list ──► pass ─┬─ one call for all: the ring
//!                                                                        └─ what it did not take, TLS, no ring: a call each
//! ```
//!
//! A pass follows as soon as the users that were ready have had their turn, so nothing waits for a time. Invariants: a
//! connection is on the list at most once; a pass that has returned lends nothing to the kernel.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Buf as _;
use ringwire_net::{SendRing, spawn, yield_to_others};

use crate::crew::Crew;
use crate::driver;

/// Sends in one pass before the lane does something else.
const SENDS_PER_PASS: usize = 256;

/// Who has something to send.
#[derive(Debug, Default)]
pub(crate) struct Flush {
    ring: Option<SendRing>,
    /// Places of users.
    dirty: Vec<usize>,
    /// Those whose sends are in the ring, in its order.
    together: Vec<usize>,
    waker: Option<Waker>,
}

impl Flush {
    /// Sends through a ring from here on, if the system allows one; by the thread that will use it.
    pub(crate) fn prepare(&mut self) {
        self.ring = SendRing::new(SENDS_PER_PASS).ok();
    }

    /// The user has something to send and is not on the list.
    pub(crate) fn add(&mut self, index: usize) {
        self.dirty.push(index);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Lets go of the task that makes the passes.
    pub(crate) fn forget_waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    fn poll_dirty(&mut self, context: &Context<'_>) -> Poll<()> {
        if !self.dirty.is_empty() {
            return Poll::Ready(());
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Makes passes, for ever.
pub(crate) async fn flush_loop(crew: Rc<Crew>) {
    loop {
        poll_fn(|context| crew.flush.borrow_mut().poll_dirty(context)).await;
        if pass(&crew) {
            yield_to_others().await;
        }
    }
}

/// Sends what the first users on the list have; `true`: there are more.
fn pass(crew: &Rc<Crew>) -> bool {
    let mut flush = crew.flush.borrow_mut();
    let count = flush.dirty.len().min(SENDS_PER_PASS);
    if count >= SendRing::FEWEST {
        send_together(crew, &mut flush, count);
    }
    for index in flush.dirty.drain(..count) {
        // Errors, and what the ring did not take, are met here.
        if let Some(socket) = crew.slots[index].borrow_mut().flush() {
            spawn(driver::write_on(Rc::clone(crew), index, socket));
        }
    }
    !flush.dirty.is_empty()
}

fn send_together(crew: &Crew, flush: &mut Flush, count: usize) {
    let Flush { ring: place, dirty, together, .. } = flush;
    let Some(ring) = place else { return };
    for &index in &dirty[..count] {
        let mut slot = crew.slots[index].borrow_mut();
        if let Some((fd, output)) = slot.plain_output() {
            // SAFETY: no connection is touched before the submission below has returned.
            if unsafe { ring.add(fd, output) } {
                together.push(index);
            }
        }
    }
    for (index, &result) in together.drain(..).zip(ring.submit()) {
        if let (Ok(taken), Some((_, output))) =
            (usize::try_from(result), crew.slots[index].borrow_mut().plain_output())
        {
            output.advance(taken);
        }
    }
    if ring.is_broken() {
        *place = None;
    }
}
