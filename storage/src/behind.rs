//! The way of hot conversations: their messages go behind whatever messages the log holds by then (see `renumber`), in one
//! transaction under locks. What has no place there goes the ordinary way, which tells its owner why.
//!
//! ```text
//!   hot messages ─► append_behind ─┬─► nothing came between: Committed
//!                                  ├─► behind a tail: Moved; later entries of that generation are stale
//!                                  ├─► its row is held elsewhere: Conflict, likewise; the others again
//!                                  └─► no place there, refused, or too many collisions: the ordinary way
//! ```
//!
//! A conversation's messages are answered all at once or not at all here: what is known may be delivered at any time.

use std::time::Instant;

use super::{Committer, Waits, spans_several, split};
use crate::append::{Append, Outcome};
use crate::executor::{AppendError, Executor};
use crate::renumber::Place;
use crate::writer::Answers;

/// Collisions in one batch (with nodes that do not take the locks yet) before the rest goes the ordinary way.
const COLLISIONS_MAX: usize = 4;

impl Committer {
    /// Appends messages of hot conversations; what comes back has to go the ordinary way. `None`: told to stop.
    pub(super) fn commit_behind(
        &mut self,
        hot: Vec<Append>,
        executor: &mut Executor,
        answers: &mut Answers,
        waits: &mut Waits<'_>,
    ) -> Option<Vec<Append>> {
        let mut ordinary = Vec::new();
        let mut collisions = 0;
        let mut sets = vec![hot];
        while let Some(set) = sets.pop() {
            let mut begun = Instant::now();
            let appended = executor.connect().and_then(|_| {
                begun = Instant::now();
                executor.append_behind(&set)
            });
            self.metrics.attempted(begun.elapsed(), &appended);
            match appended {
                Ok(places) => {
                    waits.reset();
                    self.answer_placed(&set, places, answers, &mut ordinary);
                }
                Err(AppendError::Collision) if collisions < COLLISIONS_MAX => {
                    collisions += 1;
                    if spans_several(&set) { split(set, &mut sets) } else { sets.push(set) }
                }
                Err(AppendError::Collision | AppendError::Refused(_)) => ordinary.extend(set),
                Err(AppendError::Locked(reason)) => {
                    let entries = set.len();
                    waits.retry(&reason, entries, begun, answers, executor).then_some(())?;
                    self.locked_out(set, |_| true, &mut sets, answers, waits, executor);
                }
                Err(AppendError::Retry(reason)) => {
                    let entries = set.len();
                    sets.push(set);
                    waits.retry(&reason, entries, begun, answers, executor).then_some(())?;
                }
                Err(AppendError::Away(reason)) => {
                    let entries = set.len();
                    sets.push(set);
                    waits.away(&reason, entries, answers, executor).then_some(())?;
                }
            }
        }
        ordinary.sort_by_key(|entry| entry.conversation_id);
        Some(ordinary)
    }

    fn answer_placed(
        &mut self,
        set: &[Append],
        places: Vec<Option<Place>>,
        answers: &mut Answers,
        ordinary: &mut Vec<Append>,
    ) {
        let mut places = places.into_iter();
        for entries in set.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
            match places.next().flatten() {
                None => ordinary.extend_from_slice(entries),
                Some(place) if place.tail.is_empty() => {
                    self.heat.cool(&entries[0]);
                    for entry in entries {
                        answers.add(entry, Outcome::Committed);
                    }
                }
                Some(mut place) => {
                    self.heat.warm(&entries[0]);
                    for (entry, settled) in entries.iter().zip(place.settle(entries)) {
                        let tail = std::mem::take(&mut place.tail);
                        let Append { seq, msg_no, created_at, .. } = settled;
                        answers.add(entry, Outcome::Moved { seq, msg_no, created_at, tail });
                    }
                    self.stale.mark_after(&entries[entries.len() - 1]);
                }
            }
        }
    }
}
