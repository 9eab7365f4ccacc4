//! How far the members are: cursors, which only rise.
//!
//! A member's cursors are checked here, against the membership and the head, and told to the other members of a small
//! group; the member's home shard writes them behind and tells the member's own devices.
//!
//! Invariant: `read_seq ≤ delivered_seq ≤ head`; what was seen has arrived. What the database has is not known here, so
//! the first push after a conversation was loaded may be lower than one long ago: readers keep the higher.
//!
//! With other nodes on the same database somebody may have seen there what this node has not: a cursor beyond the head
//! known here waits for the tail, and is judged by a head that was read after it came.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Instant;

use ringwire_protocol::{CommandError, ErrorCode, Seq, UserId, wire};
use ringwire_storage::model::CursorRow;

use super::answer::{Ack, ReplyTo};
use super::members::{Members, Recipients};
use super::{Conversation, Effect, Moment};
use crate::limits;
use crate::permissions::Operation;
use crate::session::cursors::Cursor;

/// The cursors of the members who moved theirs since the conversation was loaded.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    pub(super) by_member: HashMap<UserId, Known>,
}

/// How far a member is known to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    cursor: Cursor,
    moved_at: Instant,
}

/// A cursor that waits for the tail.
#[derive(Debug)]
pub(super) struct Ahead {
    user: UserId,
    to: Cursor,
    reply_to: ReplyTo,
    /// It came when the tail was being read already, and may be about what is behind that.
    late: bool,
}

impl Known {
    fn raise(&mut self, to: Cursor, at: Instant) -> bool {
        let moved = self.cursor.raise(to);
        if moved {
            self.moved_at = at;
        }
        moved
    }
}

impl Receipts {
    /// Raises a member's cursors; the new ones, and whether they moved.
    fn raise(&mut self, user: UserId, to: Cursor, at: Instant) -> (Cursor, bool) {
        match self.by_member.entry(user) {
            Entry::Vacant(vacant) => {
                vacant.insert(Known { cursor: to, moved_at: at });
                (to, to != Cursor::default())
            }
            Entry::Occupied(mut known) => {
                let moved = known.get_mut().raise(to, at);
                (known.get().cursor, moved)
            }
        }
    }

    /// A member said something, and so has seen what is before it.
    pub(super) fn said(&mut self, user: UserId, seq: Seq, at: Instant) {
        self.raise(user, Cursor::read(seq), at);
    }

    /// Who is no member has no cursors.
    pub(super) fn keep(&mut self, members: &Members) {
        self.by_member.retain(|user, _| members.get(*user).is_some());
    }
}

impl Conversation {
    /// A member is as far as this.
    pub fn raise(
        &mut self,
        user: UserId,
        to: Cursor,
        reply_to: ReplyTo,
        now: &Moment<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let unseen = to.delivered_seq > self.head.seq && !now.terms.alone;
        if !unseen || self.state.members.get(user).is_none() {
            self.judge_cursor(user, to, reply_to, now.at, effects);
        } else if self.ahead.len() >= limits::CURSORS_AHEAD || self.will_hear_of_tail() {
            effects.push(Effect::Answer(reply_to, Err(busy())));
        } else {
            let late = self.rebasing_since.is_some();
            self.ahead.push(Ahead { user, to, reply_to, late });
            self.start_rebase(now.at, effects);
        }
    }

    /// Entries are at the writer, which says in a moment whether there is a tail; to read it beside them would bring some of
    /// them twice.
    fn will_hear_of_tail(&self) -> bool {
        self.rebasing_since.is_none() && !self.in_flight.is_empty()
    }

    /// The tail was read: what waited for it is judged, but for what came while it was being read.
    pub(super) fn judge_ahead(&mut self, now: &Moment<'_>, effects: &mut Vec<Effect>) {
        for Ahead { user, to, reply_to, late } in std::mem::take(&mut self.ahead) {
            if late {
                self.raise(user, to, reply_to, now, effects);
            } else {
                self.judge_cursor(user, to, reply_to, now.at, effects);
            }
        }
        // That began with the first of them, so none is late any more.
        for waiting in &mut self.ahead {
            waiting.late = false;
        }
    }

    /// The tail cannot be had.
    pub(super) fn refuse_ahead(&mut self, error: &CommandError, effects: &mut Vec<Effect>) {
        for Ahead { reply_to, .. } in std::mem::take(&mut self.ahead) {
            effects.push(Effect::Answer(reply_to, Err(error.clone())));
        }
    }

    /// Judges a cursor by the head as it is known here.
    fn judge_cursor(
        &mut self,
        user: UserId,
        to: Cursor,
        reply_to: ReplyTo,
        at: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if self.state.members.get(user).is_none() {
            effects.push(Effect::Answer(reply_to, Err(self.not_member(Operation::Read))));
            return;
        }
        let (seq, head) = (to.delivered_seq, self.head.seq);
        if seq > head {
            let message = format!("seq {seq} is beyond the head {head}");
            let error = CommandError::new(ErrorCode::InvalidArgument, message);
            effects.push(Effect::Answer(reply_to, Err(error)));
            return;
        }
        let (cursor, moved) = self.receipts.raise(user, to, at);
        let ack = Ack::Cursor { conversation_id: self.id, cursor, moved };
        effects.push(Effect::Answer(reply_to, Ok(ack)));
        if moved && let Some(recipients) = self.cursor_audience(user) {
            let cursor = wire::Cursor {
                conversation_id: self.id.get(),
                user_id: user.get(),
                read_seq: cursor.read_seq,
                delivered_seq: cursor.delivered_seq,
            };
            effects.push(Effect::CursorMoved { user, cursor, recipients });
        }
    }

    /// Cursors that moved so lately that they may not be written yet, for a member who asks who has read something. Where
    /// there are too many members to tell each other of their cursors there are too many to save for it.
    pub fn moved_lately(&self, user: UserId, at: Instant) -> Vec<CursorRow> {
        let members = &self.state.members;
        if members.count() > limits::CURSOR_PUSH_MEMBERS || members.get(user).is_none() {
            return Vec::new();
        }
        let lately = |known: &Known| {
            at.saturating_duration_since(known.moved_at) <= limits::CURSOR_UNWRITTEN
        };
        let moved = self.receipts.by_member.iter().filter(|(_, known)| lately(known));
        moved
            .map(|(&user_id, known)| CursorRow {
                conversation_id: self.id,
                user_id,
                read_seq: known.cursor.read_seq,
                delivered_seq: known.cursor.delivered_seq,
            })
            .collect()
    }

    /// Who is told of a member's cursors; nobody where there are too many, or when it is no member any more.
    pub fn cursor_audience(&mut self, user: UserId) -> Option<Recipients> {
        let told = self.state.members.count() <= limits::CURSOR_PUSH_MEMBERS
            && self.state.members.get(user).is_some();
        told.then(|| self.state.members.recipients())
    }
}

fn busy() -> CommandError {
    let message = "what another node wrote is not known here yet";
    CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS)
}
