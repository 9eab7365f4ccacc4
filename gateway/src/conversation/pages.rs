//! What a member missed, from memory where that is as good as the database.
//!
//! As good means: the entries are all here, the user is a member, and nobody else can have written since the head was
//! confirmed, or only just now. Everything else is for the database, which also says who is not a member. (`history` also
//! tells where the log begins, which only the database knows.)
//!
//! That there is nothing is not told from memory: whoever asks may have heard of more, from another node or from the
//! database, which can hold an append whose outcome this owner does not know yet. (What a session was told of as it began
//! its home shard knows, and asks the database where this memory is behind: `shard/pulls.rs`.)

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use ringwire_protocol::{Seq, UserId, wire};

use super::Conversation;
use crate::limits;

impl Conversation {
    /// The entries behind a position, if they can be told from memory. `alone`: no other process writes to this database.
    pub fn missed_after(
        &mut self,
        user: UserId,
        seq: Seq,
        limit: u32,
        at: Instant,
        alone: bool,
    ) -> Option<wire::SyncPage> {
        let fresh = alone || at.saturating_duration_since(self.confirmed_at) <= limits::READ_TRUST;
        if !fresh || self.outdated || self.state.members.get(user).is_none() {
            return None;
        }
        self.ring.expire(at);
        let entries = self.ring.after(seq, limit as usize).filter(|entries| !entries.is_empty())?;
        let head_seq = self.head.seq;
        Some(wire::SyncPage {
            conversation_id: self.id.get(),
            more: entries.last().is_some_and(|last| last.seq < head_seq),
            entries,
            head_seq,
            // What is here was not trimmed, so the cursor does not lie below the floor.
            trimmed_floor: 0,
        })
    }

    /// Forgets what is too old to be told from memory, and gives back the room of entries that were in flight: a
    /// conversation is quiet most of its time, and such an entry is large.
    pub fn expire(&mut self, at: Instant) {
        self.ring.expire(at);
        if self.in_flight.is_empty() {
            self.in_flight = VecDeque::new();
            self.in_flight_ids = HashMap::new();
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }
}
