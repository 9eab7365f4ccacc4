//! How far the members are: cursors, which only rise.
//!
//! A member's cursors are checked here, against the membership and the head, and told to the other members of a small
//! group; the member's home shard writes them behind and tells the member's own devices.
//!
//! Invariant: `read_seq ≤ delivered_seq ≤ head`; what was seen has arrived. What the database has is not known here, so
//! the first push after a conversation was loaded may be lower than one long ago: readers keep the higher.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ringwire_protocol::{CommandError, ErrorCode, Seq, UserId, wire};

use super::answer::{Ack, ReplyTo};
use super::members::{Members, Recipients};
use super::{Conversation, Effect};
use crate::limits;
use crate::permissions::Operation;
use crate::session::cursors::Cursor;

/// The cursors of the members who moved theirs since the conversation was loaded.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    pub(super) by_member: HashMap<UserId, Cursor>,
}

impl Receipts {
    /// Raises a member's cursors; the new ones, and whether they moved.
    fn raise(&mut self, user: UserId, to: Cursor) -> (Cursor, bool) {
        match self.by_member.entry(user) {
            Entry::Vacant(vacant) => (*vacant.insert(to), to != Cursor::default()),
            Entry::Occupied(mut known) => {
                let moved = known.get_mut().raise(to);
                (*known.get(), moved)
            }
        }
    }

    /// A member said something, and so has seen what is before it.
    pub(super) fn said(&mut self, user: UserId, seq: Seq) {
        if let Some(known) = self.by_member.get_mut(&user) {
            known.raise(Cursor::read(seq));
        }
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
        let (cursor, moved) = self.receipts.raise(user, to);
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

    /// Who is told of a member's cursors; nobody where there are too many, or when it is no member any more.
    pub fn cursor_audience(&mut self, user: UserId) -> Option<Recipients> {
        let told = self.state.members.count() <= limits::CURSOR_PUSH_MEMBERS
            && self.state.members.get(user).is_some();
        told.then(|| self.state.members.recipients())
    }
}
