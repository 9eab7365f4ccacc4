//! One conversation as a device sees it, by the rules for clients: the cursor moves from n to n + 1 only, otherwise the
//! device asks with `sync`.

use std::collections::BTreeMap;

use ringwire_protocol::{Seq, UserId, wire};

use crate::database::identity;
use crate::journal::Fnv;

/// What a device knows of one log.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// What was seen at each position, up to the cursor.
    seen: BTreeMap<Seq, u64>,
    /// Everything up to here is known.
    pub(crate) cursor: Seq,
    /// The highest position that was heard of.
    pub(crate) heard: Seq,
    /// The user belongs, as far as the device knows.
    pub(crate) member: bool,
    /// What was missed up to here follows `connected`, also what was said while the user did not belong.
    pub(crate) missed_to: Seq,
    /// A `sync` is under way; what was heard of when it was asked.
    pub(crate) syncing: Option<Seq>,
    /// No `sync` before this.
    pub(crate) sync_from_ms: u64,
    /// Everything was known on this very connection, and no lag was told since: the next push is the next entry.
    pub(crate) whole: bool,
    /// The highest read cursor that was confirmed.
    pub(crate) read_confirmed: Seq,
    /// Likewise what has arrived.
    pub(crate) delivered_confirmed: Seq,
    /// The highest position this device said it has read, or made itself.
    pub(crate) read_asked: Seq,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is the next one.
    Next,
    /// It is known, and was the same.
    Known,
    /// It is known, and was another.
    Differs,
    /// Something is missing before it.
    Gap,
}

impl View {
    /// Takes an entry, however it came.
    pub(crate) fn take(&mut self, entry: &wire::Entry, user: UserId) -> Taken {
        let mark = mark(entry);
        self.heard = self.heard.max(entry.seq);
        if let Some(known) = self.seen.get(&entry.seq) {
            return if *known == mark { Taken::Known } else { Taken::Differs };
        }
        if entry.seq != self.cursor + 1 {
            self.whole = false;
            return Taken::Gap;
        }
        self.seen.insert(entry.seq, mark);
        self.cursor = entry.seq;
        if let Some(member) = membership(entry, user) {
            self.member = member;
            self.whole &= member;
        }
        self.settle();
        Taken::Next
    }

    /// Whether everything heard of is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.cursor >= self.heard
    }

    /// Everything that was heard of may be known now.
    pub(crate) fn settle(&mut self) {
        self.whole |= self.member && self.is_complete() && self.syncing.is_none();
    }

    /// The connection has gone.
    pub(crate) fn disconnect(&mut self) {
        self.syncing = None;
        self.sync_from_ms = 0;
    }

    /// A session begins anew: nothing is known of what is pushed next.
    pub(crate) fn begin(&mut self) {
        self.whole = false;
        self.missed_to = 0;
    }

    /// Whether the device has seen exactly these entries.
    pub(crate) fn is_exactly(&self, entries: impl Iterator<Item = wire::Entry>) -> bool {
        entries
            .map(|entry| (entry.seq, mark(&entry)))
            .eq(self.seen.iter().map(|(seq, mark)| (*seq, *mark)))
    }
}

/// A hash of what never changes of an entry.
fn mark(entry: &wire::Entry) -> u64 {
    let (seq, msg_no, sender, created_at, client_msg_id) = identity(entry);
    let mut hash = Fnv::new();
    for number in [seq, msg_no, sender, created_at.cast_unsigned()] {
        hash.take(&number.to_le_bytes());
    }
    hash.take(client_msg_id.as_bytes());
    hash.0
}

/// Whether the user belongs after this entry; `None`: as before.
fn membership(entry: &wire::Entry, user: UserId) -> Option<bool> {
    use wire::entry_body::Kind;
    let own = entry.sender_id == user.get();
    match entry.body.as_ref()?.kind.as_ref()? {
        Kind::Created(created) => {
            let named = |member: &wire::Member| {
                member.user.as_ref().is_some_and(|named| named.user_id == user.get())
            };
            created.members.iter().any(named).then_some(true)
        }
        Kind::Joined(joined) => joined.user_ids.contains(&user.get()).then_some(true),
        Kind::Left(_) => own.then_some(false),
        Kind::Removed(removed) => removed.user_ids.contains(&user.get()).then_some(false),
        Kind::Banned(banned) => {
            (banned.user_id == user.get() && banned.until != 0).then_some(false)
        }
        Kind::Dissolved(_) => Some(false),
        _ => None,
    }
}
