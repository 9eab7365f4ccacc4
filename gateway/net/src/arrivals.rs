//! Arrivals on many sockets, told to one task as a list: for who has thousands and no task for each that must run.
//!
//! ```text
//!   announce(token) ──► the set's notices of that socket ──► list of tokens ──► arrivals(): all of them at once
//! ```
//!
//! To wake a task and to poll it touches a few hundred bytes that are seldom in a cache when there are thousands; a token
//! is eight that are. Invariant: when the set has passed its notices on, nobody sleeps while there is a token on the list.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::readiness::ReadinessSet;

/// What was announced and not asked for yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    tokens: Vec<usize>,
    waker: Option<Waker>,
}

impl Arrivals {
    /// Something has arrived.
    pub(super) fn add(&mut self, token: usize) {
        self.tokens.push(token);
    }

    /// Wakes who waits, if there is something to tell.
    pub(super) fn tell(&mut self) {
        if !self.tokens.is_empty()
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    /// Lets go of who waits.
    pub(super) fn forget_waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    fn poll(&mut self, context: &Context<'_>, tokens: &mut Vec<usize>) -> Poll<()> {
        if self.tokens.is_empty() {
            self.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut self.tokens, tokens);
        Poll::Ready(())
    }
}

/// Completes when something has arrived on announced sockets of this thread, and puts their tokens into `tokens`, which
/// is empty; for one task of the thread. A token may come although nothing is there, or its socket is gone.
pub async fn arrivals(tokens: &mut Vec<usize>) {
    let set = ReadinessSet::current();
    poll_fn(|context| match &set {
        Some(set) => set.arrivals.borrow_mut().poll(context, tokens),
        // Without a driver there are no sockets.
        None => Poll::Pending,
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::readiness::tests::{SOON, is_told, pair, with_drivers};
    use super::super::sleep;
    use super::*;

    #[test]
    fn what_is_announced_comes_by_its_token_and_is_told_to_no_other() {
        with_drivers(async || {
            let mut ends: Vec<_> = (0..3).map(|_| pair()).collect();
            // One has something already, one gets it later, one never.
            ends[1].1.write_all(b"early").unwrap();
            for (token, (stream, _)) in ends.iter().enumerate() {
                stream.announce(token + 10).unwrap();
            }
            let mut tokens = Vec::new();
            arrivals(&mut tokens).await;
            assert_eq!(tokens, [11]);
            assert_eq!(ends[1].0.recv(&mut [0; 8]).unwrap(), 5);
            assert!(!ends[1].0.may_hold_more());
            tokens.clear();
            ends[2].1.write_all(b"later").unwrap();
            arrivals(&mut tokens).await;
            assert_eq!(tokens, [12]);
            assert!(!is_told(&ends[2].0).await);
            // What did not fit is not announced again.
            assert_eq!(ends[2].0.recv(&mut [0; 4]).unwrap(), 4);
            assert!(ends[2].0.may_hold_more());
            // Whoever is read again is told with those who are new.
            tokens.clear();
            ends[2].0.announce_again(12);
            ends[0].1.write_all(b"new").unwrap();
            sleep(SOON).await;
            arrivals(&mut tokens).await;
            assert_eq!(tokens, [12, 10]);
            assert_eq!(ends[2].0.recv(&mut [0; 4]).unwrap(), 1);
            assert!(!ends[2].0.may_hold_more());
        });
    }

    #[test]
    fn the_end_behind_what_was_announced_may_be_there_already() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            stream.announce(7).unwrap();
            peer.write_all(b"last words").unwrap();
            drop(peer);
            // Both are told in one notice.
            sleep(SOON).await;
            let mut tokens = Vec::new();
            arrivals(&mut tokens).await;
            assert_eq!(stream.recv(&mut [0; 64]).unwrap(), 10);
            assert!(stream.may_hold_more());
            assert_eq!(stream.recv(&mut [0; 64]).unwrap(), 0);
        });
    }
}
