//! What a session can be resumed with: the durable pushes that were sent and not yet counted by the client.
//!
//! ```text
//!   pushes sent:   1 2 3 4 5 │ 6 7 8 9      received: 5 ─► 1 … 5 are forgotten
//!                   forgotten │  kept        resume with 7 ─► 8 and 9 are sent again, and nothing else
//! ```
//!
//! Both sides count the durable pushes of a session, so the frames themselves carry no number and are shared by all
//! their recipients. The client's count rides on its commands.
//!
//! A message that is recalled is not kept any longer, nor its edits: everything up to them is forgotten, so that who has
//! not counted them connects anew and reads what is left. (Bytes already queued for a socket still go out.)
//!
//! Invariants: what is kept is the end of what was sent, without a gap, so a resume is whole or refused; a ring that is
//! full forgets its oldest push if the client counts, and otherwise everything, until the client tells a count;
//! the bytes of all rings of a shard stay within its [`ResumeBudget`].

use std::collections::VecDeque;

use bytes::Bytes;
use ringwire_protocol::{ConversationId, Seq};

use crate::limits;

/// What one kept push costs beside its bytes.
const SLOT_BYTES: usize = size_of::<Kept>();
/// A ring that is empty gives its slots back, except so many.
const SPARE_SLOTS: usize = 4;

/// A message, by its place.
pub type Subject = (ConversationId, Seq);

/// What a push tells of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// Nothing.
    #[default]
    Nothing,
    /// What it says: the message itself, or an edit.
    Says(Subject),
    /// That it is taken back.
    Recalls(Subject),
}

/// A push that may have to be sent again.
#[derive(Debug)]
struct Kept {
    frame: Bytes,
    /// Of which message it has the body.
    says: Option<Subject>,
}

/// The bytes that all rings of a shard hold together.
#[derive(Debug)]
pub struct ResumeBudget {
    used_bytes: usize,
    most_bytes: usize,
}

impl ResumeBudget {
    /// Nothing is used yet.
    pub const fn new(most_bytes: usize) -> Self {
        Self { used_bytes: 0, most_bytes }
    }

    /// Bytes in use.
    pub const fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    const fn has_room_for(&self, bytes: usize) -> bool {
        self.used_bytes.saturating_add(bytes) <= self.most_bytes
    }
}

/// Whether pushes are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Keeping {
    /// They are, though the client has told no count yet.
    #[default]
    Untold,
    /// They are, and the client counts.
    Told,
    /// Not before the client tells a count: there were more than the ring holds.
    Paused,
    /// Not any more: the client was told that it missed something.
    Never,
}

/// The unconfirmed durable pushes of one session.
#[derive(Debug, Default)]
pub struct ResumeRing {
    frames: VecDeque<Kept>,
    /// Durable pushes sent on this session, kept or not.
    sent: u64,
    bytes: u32,
    keeping: Keeping,
}

impl ResumeRing {
    /// Durable pushes sent so far.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// The least count with which the session can be resumed; `None`: with none.
    pub fn base(&self) -> Option<u64> {
        (self.keeping != Keeping::Never).then(|| self.sent - self.frames.len() as u64)
    }

    /// A durable push is sent.
    pub fn push(&mut self, frame: &Bytes, about: About, budget: &mut ResumeBudget) {
        self.sent += 1;
        let says = match about {
            About::Nothing => None,
            About::Says(subject) => Some(subject),
            About::Recalls(subject) => {
                self.erase(subject, budget);
                None
            }
        };
        if matches!(self.keeping, Keeping::Paused | Keeping::Never) {
            return;
        }
        let cost = cost(frame);
        while !self.frames.is_empty() && !self.has_room_for(cost, budget) {
            if self.keeping != Keeping::Told {
                // A client that never counts is not kept for.
                self.forget(budget);
                self.keeping = Keeping::Paused;
                return;
            }
            self.pop(budget);
        }
        if self.has_room_for(cost, budget) {
            // From one on: a quiet session keeps one or two, and that for long.
            if self.frames.len() == self.frames.capacity() {
                self.frames.reserve_exact(self.frames.len().max(1));
            }
            self.frames.push_back(Kept { frame: frame.clone(), says });
            self.bytes += cost as u32;
            budget.used_bytes += cost;
        } else {
            self.keeping = Keeping::Paused;
        }
    }

    /// A message was recalled: nothing that has its body is kept.
    pub fn erase(&mut self, subject: Subject, budget: &mut ResumeBudget) {
        let newest = self.frames.iter().rposition(|kept| kept.says == Some(subject));
        for _ in 0..newest.map_or(0, |newest| newest + 1) {
            self.pop(budget);
        }
    }

    /// The client has counted so many pushes. A count beyond what was sent says nothing.
    pub fn received(&mut self, count: u64, budget: &mut ResumeBudget) {
        if count > self.sent {
            return;
        }
        if let Keeping::Untold | Keeping::Paused = self.keeping {
            self.keeping = Keeping::Told;
        }
        while let Some(base) = self.base()
            && base < count
        {
            self.pop(budget);
        }
    }

    /// The client was told that it missed something, so no count can make it whole.
    pub fn give_up(&mut self, budget: &mut ResumeBudget) {
        self.forget(budget);
        self.keeping = Keeping::Never;
    }

    /// What a client lacks that has counted `received` pushes; `None`: this session cannot be resumed from there.
    pub fn missed_after(&self, received: u64) -> Option<impl Iterator<Item = &Bytes>> {
        let known = received.checked_sub(self.base()?)?;
        (received <= self.sent)
            .then(|| self.frames.iter().skip(known as usize).map(|kept| &kept.frame))
    }

    /// Drops every push, for a session that ends.
    pub fn forget(&mut self, budget: &mut ResumeBudget) {
        budget.used_bytes -= self.bytes as usize;
        self.bytes = 0;
        self.frames = VecDeque::new();
    }

    fn has_room_for(&self, cost: usize, budget: &ResumeBudget) -> bool {
        self.frames.len() < limits::RESUME_FRAMES
            && self.bytes as usize + cost <= limits::RESUME_BYTES
            && budget.has_room_for(cost)
    }

    fn pop(&mut self, budget: &mut ResumeBudget) {
        if let Some(kept) = self.frames.pop_front() {
            let cost = cost(&kept.frame);
            self.bytes -= cost as u32;
            budget.used_bytes -= cost;
        }
        if self.frames.is_empty() && self.frames.capacity() > SPARE_SLOTS {
            self.frames = VecDeque::new();
        }
    }
}

fn cost(frame: &Bytes) -> usize {
    frame.len() + SLOT_BYTES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(number: u64, length: usize) -> Bytes {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.resize(length.max(8), 0);
        bytes.into()
    }

    fn subject(seq: Seq) -> Subject {
        (ConversationId::new(1).unwrap(), seq)
    }

    fn missed(ring: &ResumeRing, received: u64) -> Option<Vec<Bytes>> {
        ring.missed_after(received).map(|frames| frames.cloned().collect())
    }

    /// What happens to a session.
    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        /// One that says something of one of a few messages.
        Say(Seq),
        Recall(Seq),
        /// The client tells a count, so many behind what was sent, or ahead of it.
        Received(i64),
        GiveUp,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            40 => (1..400_usize).prop_map(Step::Push),
            4 => (1000..limits::RESUME_BYTES + 100).prop_map(Step::Push),
            10 => (1..30_u64).prop_map(Step::Say),
            2 => (1..30_u64).prop_map(Step::Recall),
            8 => (-3..400_i64).prop_map(Step::Received),
            1 => Just(Step::GiveUp),
        ];
        proptest::collection::vec(step, 0..700)
    }

    proptest! {
        /// Beside the ring, all that was ever sent is kept: whatever a resume brings is exactly the end of that, and
        /// what the client was last known to lack is always there unless a bound was met. Of what was recalled nothing
        /// is left.
        #[test]
        fn a_resume_is_whole_or_refused(steps in steps(), most_bytes in 0..200_000_usize) {
            let mut budget = ResumeBudget::new(most_bytes);
            let mut ring = ResumeRing::default();
            let (mut sent, mut told, mut gave_up) = (Vec::<Bytes>::new(), 0_u64, false);
            // Which messages the pushes are of, and up to which push they were recalled.
            let (mut said, mut erased) = (Vec::<(u64, Seq)>::new(), 0_u64);
            for step in steps {
                match step {
                    Step::Push(length) => {
                        let frame = frame(sent.len() as u64, length);
                        ring.push(&frame, About::Nothing, &mut budget);
                        sent.push(frame);
                    }
                    Step::Say(seq) => {
                        let frame = frame(sent.len() as u64, 8);
                        ring.push(&frame, About::Says(subject(seq)), &mut budget);
                        sent.push(frame);
                        said.push((sent.len() as u64, seq));
                    }
                    Step::Recall(seq) => {
                        let frame = frame(sent.len() as u64, 8);
                        ring.push(&frame, About::Recalls(subject(seq)), &mut budget);
                        sent.push(frame);
                        let of_it = said.iter().filter(|said| said.1 == seq);
                        erased = erased.max(of_it.map(|said| said.0).max().unwrap_or(0));
                    }
                    Step::Received(behind) => {
                        let count = (sent.len() as i64 - behind).max(0).cast_unsigned();
                        if count <= sent.len() as u64 {
                            told = told.max(count);
                        }
                        ring.received(count, &mut budget);
                    }
                    Step::GiveUp => {
                        ring.give_up(&mut budget);
                        gave_up = true;
                    }
                }
                let total = sent.len() as u64;
                prop_assert_eq!(ring.sent(), total);
                prop_assert_eq!(ring.base().is_none(), gave_up);
                prop_assert!(ring.base().is_none_or(|base| base >= erased), "recalled, and still there");
                prop_assert_eq!(missed(&ring, total + 1), None);
                // Everywhere would take long; the edges are what matters.
                let base = ring.base().unwrap_or(total);
                for received in [0, base.saturating_sub(1), base, u64::midpoint(base, total), total] {
                    match missed(&ring, received) {
                        Some(frames) => prop_assert_eq!(&frames[..], &sent[received as usize..]),
                        None => prop_assert!(gave_up || Some(received) < ring.base()),
                    }
                }
                prop_assert!(ring.frames.len() <= limits::RESUME_FRAMES);
                prop_assert!(ring.bytes as usize <= limits::RESUME_BYTES.min(most_bytes));
                prop_assert_eq!(budget.used_bytes(), ring.bytes as usize);
                let lacking: usize = sent[told.max(erased) as usize..].iter().map(cost).sum();
                let never_full = sent.len() <= limits::RESUME_FRAMES
                    && sent.iter().map(cost).sum::<usize>() <= limits::RESUME_BYTES.min(most_bytes);
                if never_full && !gave_up {
                    let kept: usize = ring.frames.iter().map(|kept| cost(&kept.frame)).sum();
                    prop_assert!(kept >= lacking, "what the client lacks is kept");
                }
            }
            ring.forget(&mut budget);
            prop_assert_eq!(budget.used_bytes(), 0);
        }
    }

    #[test]
    fn a_client_that_counts_keeps_the_newest_and_one_that_does_not_keeps_nothing() {
        let most = limits::RESUME_FRAMES as u64;
        let mut budget = ResumeBudget::new(usize::MAX);
        let (mut counts, mut silent) = (ResumeRing::default(), ResumeRing::default());
        counts.received(0, &mut budget);
        for number in 0..most + 10 {
            counts.push(&frame(number, 8), About::Nothing, &mut budget);
            silent.push(&frame(number, 8), About::Nothing, &mut budget);
        }
        assert_eq!(missed(&counts, 9), None);
        assert_eq!(missed(&counts, 10).unwrap().len(), most as usize);
        assert_eq!(missed(&silent, most + 9), None);
        assert_eq!(missed(&silent, most + 10), Some(Vec::new()));
        // It begins to count, and is kept for from then on.
        silent.received(most, &mut budget);
        silent.push(&frame(0, 8), About::Nothing, &mut budget);
        assert_eq!(missed(&silent, most + 10).unwrap().len(), 1);
        assert_eq!(missed(&silent, most), None, "what was not kept does not come back");
    }

    #[test]
    fn rings_of_a_shard_share_a_budget() {
        let mut budget = ResumeBudget::new(2 * cost(&frame(0, 8)));
        let (mut one, mut other) = (ResumeRing::default(), ResumeRing::default());
        one.push(&frame(1, 8), About::Nothing, &mut budget);
        other.push(&frame(1, 8), About::Nothing, &mut budget);
        other.push(&frame(2, 8), About::Nothing, &mut budget);
        assert_eq!((one.base(), other.base()), (Some(0), Some(2)));
        one.push(&frame(2, 8), About::Nothing, &mut budget);
        assert_eq!(missed(&one, 0).unwrap().len(), 2);
    }
}
