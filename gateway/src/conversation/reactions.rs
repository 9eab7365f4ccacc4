//! Who lately reacted with what, so that doing it once more makes no second entry.
//!
//! Reactions themselves are in the database. Here is what the newest entries said of them; what is not remembered becomes an
//! entry that changes nothing.
//!
//! Invariant: what is remembered is so, by the log up to the head.

use std::collections::{HashMap, VecDeque};

use ringwire_protocol::{Seq, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::EntryRow;

use super::change::change_of;
use crate::limits;

/// Somebody's reaction to a message.
type Key = (Seq, UserId, Box<str>);

/// The reactions that one conversation remembers.
#[derive(Debug, Default)]
pub(super) struct Reactions {
    /// Whether it is there, or was taken back.
    known: HashMap<Key, bool>,
    /// The keys, oldest first.
    order: VecDeque<Key>,
}

/// How an encoded `EntryBody` with a reaction begins: field 4, length-delimited.
const REACTED_TAG: u8 = 0x22;

impl Reactions {
    /// What a snapshot's newest entries tell.
    pub(super) fn new(rows: &[EntryRow]) -> Self {
        let mut reactions = Self::default();
        let settings = wire::GroupSettings::default();
        for row in rows.iter().filter(|row| row.body.first() == Some(&REACTED_TAG)) {
            reactions.apply(row.sender_id, &change_of(row, &settings));
        }
        reactions
    }

    /// Follows an entry of `sender`. What is taken back as a whole needs no forgetting: nobody can react to it any more.
    pub(super) fn apply(&mut self, sender: Option<UserId>, change: &Change) {
        let Change::React { target_seq, reaction, removed } = change else { return };
        let Some(sender) = sender else { return };
        let key = (*target_seq, sender, reaction.clone());
        if self.known.insert(key.clone(), !removed).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > limits::REACTIONS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether somebody reacted so, or took that back, as far as it is remembered.
    pub(super) fn get(&self, target_seq: Seq, user: UserId, reaction: &str) -> Option<bool> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&(target_seq, user, reaction.into())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn react(target_seq: Seq, removed: bool) -> Change {
        Change::React { target_seq, reaction: "+".into(), removed }
    }

    #[test]
    fn the_newest_word_counts_and_memory_is_bounded() {
        let (ann, ben) = (UserId::new(1).unwrap(), UserId::new(2).unwrap());
        let mut reactions = Reactions::default();
        reactions.apply(Some(ann), &react(1, false));
        assert_eq!(reactions.get(1, ann, "+"), Some(true));
        assert_eq!((reactions.get(1, ben, "+"), reactions.get(1, ann, "-")), (None, None));
        reactions.apply(Some(ann), &react(1, true));
        assert_eq!(reactions.get(1, ann, "+"), Some(false));
        for seq in 2..2 + limits::REACTIONS_KEPT as u64 {
            reactions.apply(Some(ben), &react(seq, false));
        }
        assert_eq!((reactions.get(1, ann, "+"), reactions.get(2, ben, "+")), (None, Some(true)));
        assert_eq!(reactions.known.len(), reactions.order.len());
    }

    #[test]
    fn what_is_loaded_tells_of_reactions_that_the_owner_did_not_see() {
        use prost::Message as _;
        let reacted = wire::Reacted { target_seq: 1, reaction: "+".to_owned(), removed: false };
        let kind = wire::entry_body::Kind::Reacted(reacted);
        let row = EntryRow {
            conversation_id: ringwire_protocol::ConversationId::new(1).unwrap(),
            seq: 2,
            msg_no: 1,
            sender_id: UserId::new(1),
            created_at: 7,
            client_msg_id: String::new(),
            body: wire::EntryBody { kind: Some(kind) }.encode_to_vec().into(),
            damaged: false,
            marks: None,
            command_hash: 0,
        };
        let reactions = Reactions::new(&[row]);
        assert_eq!(reactions.get(1, UserId::new(1).unwrap(), "+"), Some(true));
    }
}
