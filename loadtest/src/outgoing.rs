//! One user's sends between the moment they are due and their final answer.
//!
//! ```text
//!   due ──► waiting ──► in flight ──► acknowledged
//!              ▲            │ refused for now, or the connection is gone (with `retry`)
//!              └── hold ────┘
//! ```
//!
//! Repeating keeps the sender's order: after a temporary refusal nothing further is written until everything in flight
//! is answered and the server's delay has passed; then all that is unacknowledged goes out again, oldest first. Sends
//! in flight together are chained by `after`, so the server refuses those behind a refused one.
//!
//! Invariant: unless holding, the queue is a run of sends in flight followed by a run of waiting ones.

use std::collections::VecDeque;

use crate::verify::Origin;

/// How long to wait after a temporary refusal that names no delay.
const DEFAULT_RETRY_AFTER_US: u64 = 50_000;

/// A send that is due and has no final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// Its identity.
    pub(crate) origin: Origin,
    /// When it was due, in microseconds of the run's clock.
    pub(crate) due_us: u64,
    /// The command it is in flight as; 0: it waits.
    command_id: u64,
    /// It was written at least once.
    written: bool,
}

/// The queue of one user.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: VecDeque<Unanswered>,
    in_flight: usize,
    hold_until_us: Option<u64>,
    retry: bool,
}

/// A send to be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// Which one.
    pub(crate) origin: Origin,
    /// When it was due.
    pub(crate) due_us: u64,
    /// The send in flight before it, which must not have been refused.
    pub(crate) after: Option<Origin>,
    /// It is written for the first time.
    pub(crate) first: bool,
}

/// What a refusal means for a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It will be sent again.
    Retried,
    /// It is over.
    Final(Unanswered),
    /// No such send is in flight.
    Unknown,
}

impl Outgoing {
    /// An empty queue; `retry`: temporary refusals and lost connections are overcome.
    pub(crate) fn new(retry: bool) -> Self {
        Self { queue: VecDeque::new(), in_flight: 0, hold_until_us: None, retry }
    }

    /// A send is due.
    pub(crate) fn push(&mut self, origin: Origin, due_us: u64) {
        self.queue.push_back(Unanswered { origin, due_us, command_id: 0, written: false });
    }

    /// Takes the next send that may be written, as command `command_id`, with at most `depth` in flight.
    pub(crate) fn next(&mut self, now_us: u64, depth: usize, command_id: u64) -> Option<Next> {
        if let Some(until_us) = self.hold_until_us {
            if self.in_flight > 0 || now_us < until_us {
                return None;
            }
            self.hold_until_us = None;
        }
        if self.in_flight >= depth {
            return None;
        }
        let after = self.in_flight.checked_sub(1).map(|index| self.queue[index].origin);
        let send = self.queue.get_mut(self.in_flight)?;
        let first = !send.written;
        send.command_id = command_id;
        send.written = true;
        self.in_flight += 1;
        let after = after.filter(|_| self.retry);
        Some(Next { origin: send.origin, due_us: send.due_us, after, first })
    }

    /// A command was acknowledged; answers its send.
    pub(crate) fn acked(&mut self, command_id: u64) -> Option<Unanswered> {
        let index = self.position(command_id)?;
        self.in_flight -= 1;
        self.queue.remove(index)
    }

    /// A command was refused.
    pub(crate) fn refused(
        &mut self,
        command_id: u64,
        temporary: bool,
        retry_after_ms: u32,
        now_us: u64,
    ) -> Refusal {
        let Some(index) = self.position(command_id) else { return Refusal::Unknown };
        self.in_flight -= 1;
        if !(self.retry && temporary) {
            return self.queue.remove(index).map_or(Refusal::Unknown, Refusal::Final);
        }
        self.queue[index].command_id = 0;
        let delay_us = match retry_after_ms {
            0 => DEFAULT_RETRY_AFTER_US,
            ms => u64::from(ms) * 1000,
        };
        let until_us = now_us + delay_us;
        self.hold_until_us = Some(self.hold_until_us.map_or(until_us, |hold| hold.max(until_us)));
        Refusal::Retried
    }

    /// The connection is gone: what was in flight has to go again, or, without `retry`, nothing goes any more.
    pub(crate) fn disconnected(&mut self) {
        if self.retry {
            for send in &mut self.queue {
                send.command_id = 0;
            }
        } else {
            self.queue.clear();
        }
        self.in_flight = 0;
        self.hold_until_us = None;
    }

    /// What is in flight must not go again: only what was never written is left. Answers how many sends that gives up.
    pub(crate) fn forget_in_flight(&mut self) -> usize {
        self.queue.retain(|send| send.command_id == 0);
        std::mem::take(&mut self.in_flight)
    }

    /// The command that a send is in flight as.
    pub(crate) fn command_of(&self, number: u32) -> Option<u64> {
        let send = self.queue.iter().take(self.in_flight).find(|send| send.origin.number == number);
        send.map(|send| send.command_id)
    }

    /// Writes no more: what is in flight may still be answered, what waits never goes out.
    pub(crate) fn stop(&mut self) {
        self.queue.retain(|send| send.command_id != 0);
        self.retry = false;
    }

    /// When a held queue may go on; `None`: it does not wait for a time.
    pub(crate) fn wake_us(&self) -> Option<u64> {
        self.hold_until_us.filter(|_| self.in_flight == 0)
    }

    /// Every send has its final answer.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn position(&self, command_id: u64) -> Option<usize> {
        self.queue.iter().position(|send| send.command_id == command_id && command_id != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Ledger;

    struct Sender(Ledger, crate::verify::SenderIndex);

    impl Sender {
        fn new() -> Self {
            let mut ledger = Ledger::new();
            let index = ledger.add_sender("alice");
            Self(ledger, index)
        }

        fn fill(&mut self, outgoing: &mut Outgoing, count: u64) {
            for due_us in 0..count {
                outgoing.push(self.0.invoke(self.1), due_us);
            }
        }
    }

    /// Writes everything that may be written and answers the numbers, with commands counted from `command_id`.
    fn write(outgoing: &mut Outgoing, now_us: u64, depth: usize, command_id: u64) -> Vec<u32> {
        (command_id..)
            .map_while(|id| outgoing.next(now_us, depth, id))
            .map(|next| next.origin.number)
            .collect()
    }

    #[test]
    fn depth_bounds_what_is_in_flight_and_nothing_is_skipped() {
        let mut outgoing = Outgoing::new(true);
        Sender::new().fill(&mut outgoing, 5);
        assert_eq!(write(&mut outgoing, 0, 2, 1), [1, 2]);
        assert!(write(&mut outgoing, 0, 2, 3).is_empty());
        assert_eq!(outgoing.acked(1).map(|send| send.origin.number), Some(1));
        assert_eq!(write(&mut outgoing, 0, 2, 3), [3]);
        assert_eq!(outgoing.acked(1), None, "an id is answered once");
    }

    #[test]
    fn a_refused_send_goes_again_before_everything_behind_it() {
        let mut outgoing = Outgoing::new(true);
        Sender::new().fill(&mut outgoing, 4);
        assert_eq!(write(&mut outgoing, 0, 3, 1), [1, 2, 3]);
        assert_eq!(outgoing.refused(1, true, 10, 0), Refusal::Retried);
        assert!(write(&mut outgoing, 20_000, 3, 10).is_empty(), "2 and 3 are not answered yet");
        assert_eq!(outgoing.wake_us(), None);
        assert_eq!(outgoing.refused(2, true, 0, 0), Refusal::Retried);
        assert_eq!(outgoing.refused(3, true, 0, 0), Refusal::Retried);
        assert_eq!(outgoing.wake_us(), Some(DEFAULT_RETRY_AFTER_US));
        assert!(write(&mut outgoing, 49_999, 3, 10).is_empty());
        assert_eq!(write(&mut outgoing, 50_000, 3, 10), [1, 2, 3]);
    }

    #[test]
    fn sends_in_flight_together_are_chained_and_repeats_are_not_first() {
        let mut outgoing = Outgoing::new(true);
        let mut sender = Sender::new();
        sender.fill(&mut outgoing, 2);
        let one = outgoing.next(0, 9, 1).unwrap();
        let two = outgoing.next(0, 9, 2).unwrap();
        assert_eq!((one.after, one.first), (None, true));
        assert_eq!(two.after, Some(one.origin));
        outgoing.disconnected();
        let again = outgoing.next(0, 9, 3).unwrap();
        assert_eq!((again.origin, again.after, again.first), (one.origin, None, false));
    }

    #[test]
    fn without_retry_a_refusal_and_a_lost_connection_are_final() {
        let mut outgoing = Outgoing::new(false);
        Sender::new().fill(&mut outgoing, 3);
        assert_eq!(outgoing.next(0, 9, 1).unwrap().after, None);
        assert_eq!(outgoing.next(0, 9, 2).unwrap().after, None);
        assert!(matches!(outgoing.refused(1, true, 5, 0), Refusal::Final(_)));
        assert_eq!(write(&mut outgoing, 0, 9, 3), [3]);
        outgoing.disconnected();
        assert!(outgoing.is_empty());
    }

    #[test]
    fn after_a_stop_nothing_goes_out_and_answers_still_count() {
        let mut outgoing = Outgoing::new(true);
        Sender::new().fill(&mut outgoing, 3);
        assert_eq!(write(&mut outgoing, 0, 2, 1), [1, 2]);
        outgoing.stop();
        assert!(outgoing.acked(1).is_some());
        assert!(matches!(outgoing.refused(2, true, 0, 0), Refusal::Final(_)));
        assert!(outgoing.is_empty());
    }

    #[test]
    fn what_must_not_go_again_is_forgotten_and_the_rest_goes_on() {
        let mut outgoing = Outgoing::new(true);
        Sender::new().fill(&mut outgoing, 3);
        assert_eq!(write(&mut outgoing, 0, 2, 7), [1, 2]);
        assert_eq!((outgoing.command_of(2), outgoing.command_of(3)), (Some(8), None));
        assert_eq!(outgoing.forget_in_flight(), 2);
        outgoing.disconnected();
        assert_eq!(write(&mut outgoing, 0, 2, 9), [3]);
        assert_eq!(outgoing.command_of(1), None);
    }

    #[test]
    fn a_permanent_refusal_is_final_even_with_retry() {
        let mut outgoing = Outgoing::new(true);
        Sender::new().fill(&mut outgoing, 1);
        assert_eq!(write(&mut outgoing, 0, 9, 1), [1]);
        assert!(matches!(outgoing.refused(1, false, 0, 0), Refusal::Final(_)));
        assert!(outgoing.is_empty());
        assert_eq!(outgoing.refused(1, false, 0, 0), Refusal::Unknown);
    }
}
