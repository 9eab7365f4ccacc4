//! Catching up after the writer said that the owner's view of the log was stale, or went behind what was not seen.
//!
//! The tail that was not seen is applied, then everything in flight is validated again in order, behind it. Nobody
//! has seen the positions that are given up: nothing is shown before it is committed.

use std::time::Instant;

use ringwire_protocol::{CommandError, ErrorCode};
use ringwire_storage::model::{EntryRow, LogHead, LogPage};

use super::change::change_of;
use super::{Conversation, Effect, Moment, Submission, no_such_conversation};
use crate::limits;
use crate::permissions::Operation;

impl Conversation {
    pub(super) fn start_rebase(&mut self, at: Instant, effects: &mut Vec<Effect>) {
        if self.rebasing_since.is_none() {
            self.rebasing_since = Some(at);
            effects.push(Effect::LoadTail { after: self.head.seq });
        }
    }

    /// The first entry in flight was committed at `head`, behind a tail of messages that were not seen. Messages leave
    /// everything valid that was decided without them.
    pub(super) fn complete_behind(
        &mut self,
        head: LogHead,
        tail: &[EntryRow],
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut entry) = self.in_flight.pop_front() else { return };
        self.forget(&entry);
        for row in tail {
            if row.seq == self.head.seq + 1 {
                self.apply_foreign(row, entry.made_at, effects);
            }
        }
        self.moved = true;
        let asked_seq = entry.row.seq;
        entry.row = EntryRow {
            seq: head.seq,
            msg_no: head.msg_no,
            created_at: head.created_at,
            ..entry.row
        };
        self.commit(entry, effects);
        if asked_seq != head.seq {
            self.number_in_flight();
        }
        if self.in_flight.is_empty() {
            // The writer returns whatever else comes under this generation.
            self.next_generation(now);
        }
    }

    /// Gives everything in flight the position it has now.
    fn number_in_flight(&mut self) {
        let mut last = self.head;
        for entry in &mut self.in_flight {
            let countable = entry.submission.intent.is_message();
            entry.row.seq = last.seq + 1;
            entry.row.msg_no = last.msg_no + u64::from(countable);
            entry.row.created_at = entry.row.created_at.max(last.created_at);
            last = entry.row.head();
        }
    }

    fn next_generation(&mut self, now: &mut Moment<'_>) {
        *now.generation += 1;
        self.generation = *now.generation;
        self.moved = false;
    }

    /// Takes the entries behind the head, as asked by [`Effect::LoadTail`]; `None`: the conversation is gone.
    pub fn tail_loaded(
        &mut self,
        tail: Option<LogPage>,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(asked_at) = self.rebasing_since else { return };
        let Some(tail) = tail else {
            self.give_up(no_such_conversation, effects);
            return;
        };
        if tail.entries.iter().any(|row| row.damaged) {
            // What a body that does not open changed about the members is in the database.
            self.load_again(effects);
            return;
        }
        let before = self.head.seq;
        for row in &tail.entries {
            if row.seq == self.head.seq + 1 {
                self.apply_foreign(row, asked_at, effects);
            }
        }
        if self.head.seq == tail.head.seq {
            self.confirmed_at = asked_at;
            self.resubmit(now, effects);
            self.judge_ahead(now, effects);
        } else if self.head.seq > before {
            self.rebasing_since = Some(now.at);
            effects.push(Effect::LoadTail { after: self.head.seq });
        } else {
            // Retention has cut what was not seen, and membership changes with it; or the log ends before this head,
            // because another database took over that lacks the last commits.
            self.load_again(effects);
        }
    }

    fn load_again(&mut self, effects: &mut Vec<Effect>) {
        let message = "the conversation is being loaded again";
        let error = CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS);
        self.give_up(|_| error.clone(), effects);
    }

    fn apply_foreign(&mut self, row: &EntryRow, asked_at: Instant, effects: &mut Vec<Effect>) {
        let change = change_of(row, &self.state.settings);
        let recipients = self.apply(row, &change, asked_at);
        effects.push(Effect::Deliver {
            frame: self.framed(row, asked_at),
            recipients,
            except: None,
            accepted: None,
        });
    }

    /// Takes what was in flight and then what waited, as if it came now: that is the order in which it did come.
    pub(super) fn resubmit(&mut self, now: &mut Moment<'_>, effects: &mut Vec<Effect>) {
        self.rebasing_since = None;
        self.next_generation(now);
        for submission in self.take_everything() {
            self.take(submission, false, now, effects);
        }
    }

    fn give_up(&mut self, error: impl Fn(Operation) -> CommandError, effects: &mut Vec<Effect>) {
        self.rebasing_since = None;
        self.outdated = true;
        for submission in self.take_everything() {
            let error = error(submission.intent.operation());
            self.refuse(&submission, error, effects);
        }
        self.refuse_ahead(&error(Operation::Read), effects);
    }

    /// Every command without an answer, in order.
    fn take_everything(&mut self) -> impl Iterator<Item = Submission> + use<> {
        self.in_flight_ids.clear();
        self.changes_in_flight = 0;
        let in_flight = std::mem::take(&mut self.in_flight).into_iter();
        in_flight.map(|entry| entry.submission).chain(std::mem::take(&mut self.waiting))
    }
}
