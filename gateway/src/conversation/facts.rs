//! What the rules need to know of entries that commands are about: who said it, when, and whether it is still there.
//!
//! ```text
//!   recent   [ seq …………… head ]      every entry as it commits, and those of the snapshot
//!   fetched  { seq: fact | nothing }  older ones, read from the store when a command names them
//!   loading  { seq: since when }      being read; the commands wait
//! ```
//!
//! Invariant: a recall that is applied here is never forgotten over an answer of the store that was read before it.

use std::collections::{HashMap, VecDeque};

use ringwire_protocol::{Seq, UnixMs, UserId};
use ringwire_storage::append::Change;
use ringwire_storage::model::EntryRow;

use crate::limits;

/// What kind of thing an entry is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// A message with its content.
    Message,
    /// A message whose content was taken back or erased.
    Gone,
    /// Something else.
    Other,
}

/// What is known of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// Who made it.
    pub(super) sender: Option<UserId>,
    /// When.
    pub(super) created_at: UnixMs,
    /// What it is.
    pub(super) nature: Nature,
}

impl Fact {
    /// What a row tells of itself.
    pub(super) fn of(row: &EntryRow) -> Self {
        let recalled = row.marks.as_ref().is_some_and(|marks| marks.recalled_at != 0);
        let nature = match row.body.first() {
            _ if recalled => Nature::Gone,
            Some(&MESSAGE_TAG) => Nature::Message,
            Some(_) => Nature::Other,
            // A body that does not open may be anything; nothing can be done with it.
            None => Nature::Gone,
        };
        Self { sender: row.sender_id, created_at: row.created_at, nature }
    }
}

/// How an encoded `EntryBody` with a message begins: field 1, length-delimited. It has one field only.
const MESSAGE_TAG: u8 = 0x0A;

/// What is known of an entry, or what the store told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// This.
    Fact(Fact),
    /// There is no such entry, or no more.
    Absent,
    /// The store has to say.
    Unknown,
}

#[derive(Debug)]
struct Loading {
    /// Names this very question among all of the shard.
    asked: u64,
    /// Taken back meanwhile.
    recalled: bool,
}

/// The facts that one conversation remembers.
#[derive(Debug, Default)]
pub(super) struct Facts {
    first_seq: Seq,
    recent: VecDeque<Fact>,
    fetched: HashMap<Seq, Option<Fact>>,
    /// The keys of `fetched`, oldest first.
    order: VecDeque<Seq>,
    loading: HashMap<Seq, Loading>,
}

impl Facts {
    /// What a snapshot's newest entries tell.
    pub(super) fn new(rows: &[EntryRow]) -> Self {
        let mut facts = Self::default();
        for row in rows {
            facts.push(row);
        }
        facts
    }

    /// Takes the entry that is the head now.
    pub(super) fn push(&mut self, row: &EntryRow) {
        if row.seq != self.first_seq + self.recent.len() as u64 {
            self.recent.clear();
            self.first_seq = row.seq;
        }
        if self.recent.len() == limits::RECENT_ENTRIES {
            self.recent.pop_front();
            self.first_seq += 1;
        }
        self.recent.push_back(Fact::of(row));
        if !self.fetched.is_empty() && self.fetched.remove(&row.seq).is_some() {
            // It was asked for before it was seen here.
            self.order.retain(|seq| *seq != row.seq);
        }
    }

    /// Follows a change: what is taken back is gone.
    pub(super) fn apply(&mut self, change: &Change) {
        let Change::Recall { target_seq } = change else { return };
        if let Some(place) = self.place(*target_seq)
            && let Some(fact) = self.recent.get_mut(place)
        {
            fact.nature = Nature::Gone;
        }
        if let Some(Some(fact)) = self.fetched.get_mut(target_seq) {
            fact.nature = Nature::Gone;
        }
        if let Some(loading) = self.loading.get_mut(target_seq) {
            loading.recalled = true;
        }
    }

    /// What is known of an entry.
    pub(super) fn get(&self, seq: Seq) -> Known {
        let recent = self.place(seq).and_then(|place| self.recent.get(place));
        match recent.map(|fact| Some(*fact)).or_else(|| self.fetched.get(&seq).copied()) {
            Some(Some(fact)) => Known::Fact(fact),
            Some(None) => Known::Absent,
            None => Known::Unknown,
        }
    }

    fn place(&self, seq: Seq) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.first_seq)?).ok()
    }

    /// Whether nothing is being read.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.loading.is_empty()
    }

    /// Begins to read an entry: `Some(true)`, or is at it already: `Some(false)`. `None`: too many are being read.
    pub(super) fn load(&mut self, seq: Seq, asked: u64) -> Option<bool> {
        if self.loading.contains_key(&seq) {
            return Some(false);
        }
        if self.loading.len() >= limits::TARGETS_LOADING {
            return None;
        }
        self.loading.insert(seq, Loading { asked, recalled: false });
        Some(true)
    }

    /// The store answered the question `asked`, or could not ([`Known::Unknown`]); `false`: nobody asks any more.
    pub(super) fn loaded(&mut self, seq: Seq, asked: u64, answer: Known) -> bool {
        if self.loading.get(&seq).is_none_or(|loading| loading.asked != asked) {
            return false;
        }
        let recalled = self.loading.remove(&seq).is_some_and(|loading| loading.recalled);
        match answer {
            Known::Fact(fact) if recalled => {
                self.remember(seq, Some(Fact { nature: Nature::Gone, ..fact }));
            }
            Known::Fact(fact) => self.remember(seq, Some(fact)),
            Known::Absent => self.remember(seq, None),
            Known::Unknown => {}
        }
        true
    }

    fn remember(&mut self, seq: Seq, fact: Option<Fact>) {
        if self.order.len() == limits::TARGETS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.fetched.remove(&oldest);
        }
        if self.fetched.insert(seq, fact).is_none() {
            self.order.push_back(seq);
        }
    }

    /// Forgets that anything was taken back: for tests of the tests.
    #[cfg(test)]
    pub(super) fn forget_recalls(&mut self) {
        for fact in self.recent.iter_mut().chain(self.fetched.values_mut().flatten()) {
            if fact.nature == Nature::Gone {
                fact.nature = Nature::Message;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_protocol::ConversationId;

    fn row(seq: Seq, body: &'static [u8]) -> EntryRow {
        EntryRow {
            conversation_id: ConversationId::new(1).unwrap(),
            seq,
            msg_no: seq,
            sender_id: UserId::new(1),
            created_at: 7,
            client_msg_id: String::new(),
            body: body.into(),
            damaged: false,
            marks: None,
            command_hash: 0,
        }
    }

    fn nature(known: Known) -> Option<Nature> {
        match known {
            Known::Fact(fact) => Some(fact.nature),
            Known::Absent | Known::Unknown => None,
        }
    }

    #[test]
    fn the_newest_entries_are_known_by_what_they_are() {
        let mut facts = Facts::new(&[row(5, &[0x0A, 0]), row(6, &[0x5A, 0]), row(7, b"")]);
        assert_eq!(nature(facts.get(5)), Some(Nature::Message));
        assert_eq!(nature(facts.get(6)), Some(Nature::Other));
        assert_eq!(nature(facts.get(7)), Some(Nature::Gone));
        assert_eq!((facts.get(4), facts.get(8)), (Known::Unknown, Known::Unknown));
        facts.apply(&Change::Recall { target_seq: 5 });
        assert_eq!(nature(facts.get(5)), Some(Nature::Gone));
        for seq in 8..8 + limits::RECENT_ENTRIES as u64 {
            facts.push(&row(seq, &[0x0A, 0]));
        }
        assert_eq!(facts.get(7), Known::Unknown, "memory is bounded");
    }

    #[test]
    fn a_recall_wins_over_what_was_read_before_it() {
        let mut facts = Facts::new(&[]);
        let fact = Fact::of(&row(3, &[0x0A, 0]));
        assert_eq!(facts.load(3, 1), Some(true));
        assert_eq!(facts.load(3, 2), Some(false), "one question at a time");
        facts.apply(&Change::Recall { target_seq: 3 });
        assert!(!facts.loaded(3, 9, Known::Fact(fact)), "the answer to somebody else");
        assert!(facts.loaded(3, 1, Known::Fact(fact)));
        assert_eq!(nature(facts.get(3)), Some(Nature::Gone));
        assert!(!facts.loaded(3, 1, Known::Fact(fact)), "nobody asks any more");
    }

    #[test]
    fn what_is_fetched_and_being_fetched_is_bounded() {
        let mut facts = Facts::new(&[]);
        for seq in 0..limits::TARGETS_LOADING as u64 {
            assert_eq!(facts.load(seq, 0), Some(true));
        }
        assert_eq!(facts.load(u64::MAX, 0), None);
        for seq in 0..limits::TARGETS_KEPT as u64 + 5 {
            facts.remember(seq, None);
        }
        assert_eq!(facts.get(4), Known::Unknown);
        assert_eq!(facts.get(5), Known::Absent);
        assert_eq!(facts.fetched.len(), facts.order.len());
    }
}
