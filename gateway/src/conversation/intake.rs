//! How a command becomes an entry in flight, waits, or is answered at once.
//!
//! Invariants: a command never overtakes an earlier one of its sender; what waits, waits for a re-base or for a change
//! in flight to be decided, or for the store to tell what it is about. What is so already by what is committed makes no
//! entry and is answered without one.

use bytes::Bytes;
use ringwire_protocol::{CommandError, ErrorCode, Seq};
use ringwire_storage::append::{Append, Change};
use ringwire_storage::model::{EntryRow, LogHead};

use super::answer::Ack;
use super::facts::{Fact, Known};
use super::recent::Position;
use super::rules::Stop;
use super::state::decides;
use super::{Conversation, Effect, InFlight, Moment, Submission};
use crate::limits;
use crate::permissions::{Caller, Operation, Verdict};

impl Conversation {
    /// Takes a command.
    pub fn submit(
        &mut self,
        submission: Submission,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        self.take(submission, true, now, effects);
    }

    /// Takes what waited. It is not refused for want of room at the writer: several may become entries at once, and
    /// only the newest one could be withdrawn.
    pub(super) fn admit_waiting(&mut self, now: &mut Moment<'_>, effects: &mut Vec<Effect>) {
        for submission in std::mem::take(&mut self.waiting) {
            self.take(submission, false, now, effects);
        }
    }

    /// Takes a command in its turn: behind those of its sender that wait.
    pub(super) fn take(
        &mut self,
        submission: Submission,
        fresh: bool,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let behind_own = self.waiting.iter().any(|earlier| earlier.from == submission.from);
        if self.rebasing_since.is_some() || behind_own {
            self.wait(submission, effects);
        } else {
            self.admit(submission, fresh, now, effects);
        }
    }

    fn wait(&mut self, submission: Submission, effects: &mut Vec<Effect>) {
        if self.waiting.len() >= limits::WAITING_PER_CONVERSATION {
            self.refuse(&submission, busy(), effects);
        } else {
            self.waiting.push_back(submission);
        }
    }

    /// Decides about a command against the committed state and what is in flight.
    fn admit(
        &mut self,
        submission: Submission,
        fresh: bool,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let key = (submission.from, submission.client_msg_id.clone());
        if let Some(position) = self.recent.get(&key) {
            self.answer_known(&submission, position, effects);
            return;
        }
        if let Some(token) = self.in_flight_ids.get(&key).copied() {
            self.join_in_flight(token, submission, effects);
            return;
        }
        let decision = if self.in_flight.len() >= limits::IN_FLIGHT_PER_CONVERSATION {
            Err(Stop::Refuse(busy()))
        } else {
            self.decide(&submission, now)
        };
        match decision {
            Ok((body, change)) => {
                self.refusals.forgive(self.id, submission.from, &submission.client_msg_id);
                self.append(submission, body, change, fresh, now, effects);
            }
            // What is in flight may not commit; then the answer would have been wrong.
            Err(Stop::Refuse(error))
                if self.changes_in_flight > 0 && !error.code.is_temporary() =>
            {
                self.wait(submission, effects);
            }
            Err(Stop::Already) if self.changes_in_flight > 0 => self.wait(submission, effects),
            Err(Stop::Likewise) => self.wait(submission, effects),
            Err(Stop::Refuse(error)) => self.refuse(&submission, error, effects),
            Err(Stop::Already) => submission.answer(&Ok(Ack::Done), effects),
            Err(Stop::Target(seq)) => self.wait_for_target(seq, submission, effects),
            Err(Stop::Blocks(users)) => {
                if self.blocks.ask(self.generation, now.at) {
                    effects.push(Effect::LoadBlocks { users, asked: self.generation });
                }
                self.wait(submission, effects);
            }
        }
    }

    fn wait_for_target(&mut self, seq: Seq, submission: Submission, effects: &mut Vec<Effect>) {
        match self.facts.load(seq, self.generation) {
            None => self.refuse(&submission, busy(), effects),
            Some(first) => {
                if first {
                    effects.push(Effect::LoadTarget { seq, asked: self.generation });
                }
                self.wait(submission, effects);
            }
        }
    }

    /// Takes an entry that a command is about, as asked by [`Effect::LoadTarget`].
    pub fn target_loaded(
        &mut self,
        seq: Seq,
        asked: u64,
        row: Result<Option<EntryRow>, CommandError>,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let known = match &row {
            Ok(Some(row)) => Known::Fact(Fact::of(row)),
            Ok(None) => Known::Absent,
            Err(_) => Known::Unknown,
        };
        if !self.facts.loaded(seq, asked, known) {
            return;
        }
        if let Err(error) = row {
            let concerned = |waiting: &Submission| waiting.intent.target() == Some(seq);
            self.refuse_waiting(concerned, &error, effects);
        }
        self.go_on(now, effects);
    }

    /// Takes whether one of the two blocks the other, as asked by [`Effect::LoadBlocks`].
    pub fn blocks_loaded(
        &mut self,
        asked: u64,
        blocked: Result<bool, CommandError>,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.blocks.answered(asked, blocked.as_ref().ok().copied()) {
            return;
        }
        if let Err(error) = blocked {
            let concerned = |waiting: &Submission| depends_on_blocks(waiting.intent.operation());
            self.refuse_waiting(concerned, &error, effects);
        }
        self.go_on(now, effects);
    }

    fn refuse_waiting(
        &mut self,
        concerned: impl Fn(&Submission) -> bool,
        error: &CommandError,
        effects: &mut Vec<Effect>,
    ) {
        for submission in std::mem::take(&mut self.waiting) {
            if concerned(&submission) {
                self.refuse(&submission, error.clone(), effects);
            } else {
                self.waiting.push_back(submission);
            }
        }
    }

    fn go_on(&mut self, now: &mut Moment<'_>, effects: &mut Vec<Effect>) {
        if self.rebasing_since.is_none() {
            self.admit_waiting(now, effects);
        }
    }

    fn append(
        &mut self,
        submission: Submission,
        body: Bytes,
        change: Change,
        fresh: bool,
        now: &mut Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let last = self.in_flight.back().map_or(self.head, |entry| LogHead {
            seq: entry.row.seq,
            msg_no: entry.row.msg_no,
            created_at: entry.row.created_at,
        });
        let countable = submission.intent.is_message();
        let row = EntryRow {
            conversation_id: self.id,
            seq: last.seq + 1,
            msg_no: last.msg_no + u64::from(countable),
            sender_id: Some(submission.from),
            created_at: now.unix_ms.max(last.created_at),
            client_msg_id: submission.client_msg_id.to_string(),
            body,
            damaged: false,
            marks: None,
            command_hash: submission.command_hash,
        };
        let token = self.next_token;
        self.next_token += 1;
        effects.push(Effect::Append { append: self.request(&row, &change, token), fresh });
        self.in_flight_ids.insert((submission.from, submission.client_msg_id.clone()), token);
        self.changes_in_flight += usize::from(decides(&change));
        self.in_flight.push_back(InFlight { token, submission, row, change, made_at: now.at });
    }

    /// The position of the entry that is decided next.
    pub(super) fn next_seq(&self) -> Seq {
        self.in_flight.back().map_or(self.head.seq, |entry| entry.row.seq) + 1
    }

    fn request(&self, row: &EntryRow, change: &Change, token: u64) -> Append {
        Append {
            conversation_id: self.id,
            seq: row.seq,
            msg_no: row.msg_no,
            sender_id: row.sender_id,
            created_at: row.created_at,
            client_msg_id: row.client_msg_id.as_str().into(),
            body: row.body.clone(),
            command_hash: row.command_hash,
            change: change.clone(),
            head_confirmed_at: self.confirmed_at,
            check_base: false,
            origin: 0,
            token,
            generation: self.generation,
        }
    }

    /// The writer had no room for the newest entry: it is taken back and answered BUSY.
    pub fn withdraw(&mut self, token: u64, effects: &mut Vec<Effect>) {
        if self.in_flight.back().is_some_and(|entry| entry.token == token)
            && let Some(entry) = self.in_flight.pop_back()
        {
            self.forget(&entry);
            self.refuse(&entry.submission, busy(), effects);
        }
    }

    fn join_in_flight(&mut self, token: u64, submission: Submission, effects: &mut Vec<Effect>) {
        let Some(entry) = self.in_flight.iter_mut().find(|entry| entry.token == token) else {
            return;
        };
        if entry.submission.command_hash == submission.command_hash {
            entry.submission.also.push(submission.reply_to);
            entry.submission.also.extend(submission.also);
        } else {
            submission.answer(&Err(other_command()), effects);
        }
    }

    /// Answers a command whose id is in the log already.
    pub(super) fn answer_known(
        &self,
        submission: &Submission,
        position: Position,
        effects: &mut Vec<Effect>,
    ) {
        let answer = if position.command_hash == submission.command_hash {
            Ok(Ack::Entry {
                conversation_id: self.id,
                seq: position.seq,
                msg_no: position.msg_no,
                created_at: position.created_at,
                client_msg_id: submission.client_msg_id.clone(),
                says: submission.intent.is_message(),
            })
        } else {
            Err(other_command())
        };
        submission.answer(&answer, effects);
    }

    pub(super) fn refuse(
        &mut self,
        submission: &Submission,
        error: CommandError,
        effects: &mut Vec<Effect>,
    ) {
        self.refusals.insert(self.id, submission.from, &submission.client_msg_id);
        submission.answer(&Err(error), effects);
    }
}

/// Whether a block keeps people from it.
pub(super) const fn depends_on_blocks(operation: Operation) -> bool {
    matches!(operation.row().cell(Caller::Blocked), Verdict::No(_))
}

fn busy() -> CommandError {
    CommandError::retry(ErrorCode::Busy, "the conversation's queue is full", limits::BUSY_RETRY_MS)
}

fn other_command() -> CommandError {
    CommandError::new(ErrorCode::Conflict, "this client_msg_id was used for another command")
}
