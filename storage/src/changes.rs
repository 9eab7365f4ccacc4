//! What a batch's entries change besides the log, as net effects in sorted order.
//!
//! Applying net effects in one order (removals, then additions, then owners; each by conversation and user) gives the
//! same state as applying the changes one by one, and two transactions never lock rows in opposite orders.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_protocol::{ConversationId, MsgNo, Seq, UnixMs, UserId};

use crate::append::{Append, Change};

/// The net effect of the changes of one set of entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NetChanges {
    /// Memberships to delete, sorted.
    pub(crate) removed: Vec<(ConversationId, UserId)>,
    /// Memberships to make, sorted; one that exists already stays as it is.
    pub(crate) added: Vec<Added>,
    /// The owner from now on, sorted.
    pub(crate) owners: Vec<(ConversationId, UserId)>,
}

/// A membership to make. The new member's read cursor starts at the entry that brought them in, so that years of
/// history do not count as unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) conversation_id: ConversationId,
    pub(crate) user_id: UserId,
    pub(crate) joined_at: UnixMs,
    pub(crate) seq: Seq,
    pub(crate) msg_no: MsgNo,
}

impl NetChanges {
    /// Of entries in log order within each conversation.
    pub(crate) fn of(entries: &[Append]) -> Self {
        if entries.iter().all(|entry| entry.change == Change::None) {
            return Self::default();
        }
        let mut removed = BTreeSet::new();
        let mut added = BTreeMap::new();
        let mut owners = BTreeMap::new();
        for entry in entries {
            let conversation_id = entry.conversation_id;
            match &entry.change {
                Change::None => {}
                Change::Join(users) => {
                    for &user_id in users {
                        added.entry((conversation_id, user_id)).or_insert(Added {
                            conversation_id,
                            user_id,
                            joined_at: entry.created_at,
                            seq: entry.seq,
                            msg_no: entry.msg_no,
                        });
                    }
                }
                Change::Leave { user_id, new_owner_id } => {
                    added.remove(&(conversation_id, *user_id));
                    removed.insert((conversation_id, *user_id));
                    // Who inherits and then goes does not own it on coming back.
                    if owners.get(&conversation_id) == Some(user_id) {
                        owners.remove(&conversation_id);
                    }
                    if let Some(owner) = new_owner_id {
                        owners.insert(conversation_id, *owner);
                    }
                }
                Change::Mention { .. }
                | Change::Edit { .. }
                | Change::Recall { .. }
                | Change::React { .. }
                | Change::Pin { .. }
                | Change::Remove(_)
                | Change::SetRole { .. }
                | Change::Mute { .. }
                | Change::Ban { .. }
                | Change::Settings(_)
                | Change::RequestJoin { .. }
                | Change::RefuseJoin { .. }
                | Change::Dissolve => {}
            }
        }
        Self {
            removed: removed.into_iter().collect(),
            added: added.into_values().collect(),
            owners: owners.into_iter().collect(),
        }
    }

    /// Whether the log alone changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.owners.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, user};

    #[test]
    fn messages_change_nothing_else() {
        assert!(NetChanges::of(&[entry(1, 1), entry(1, 2)]).is_empty());
    }

    #[test]
    fn join_leave_join_ends_as_a_fresh_membership() {
        let mut joins = entry(1, 5);
        joins.change = Change::Join(vec![user(7)]);
        let mut leaves = entry(1, 6);
        leaves.change = Change::Leave { user_id: user(7), new_owner_id: None };
        let mut again = entry(1, 7);
        again.change = Change::Join(vec![user(7)]);
        let net = NetChanges::of(&[joins, leaves, again]);
        assert_eq!(net.removed.len(), 1);
        assert_eq!(net.added.len(), 1);
        assert_eq!(net.added[0].seq, 7);
    }

    #[test]
    fn an_heir_who_leaves_and_comes_back_is_no_owner() {
        let leaves = |seq, from, heir: Option<u64>| {
            let new_owner_id = heir.map(user);
            Append { change: Change::Leave { user_id: user(from), new_owner_id }, ..entry(1, seq) }
        };
        let comes_back = Append { change: Change::Join(vec![user(7)]), ..entry(1, 7) };
        let last = [leaves(5, 1, Some(7)), leaves(6, 7, None), comes_back.clone()];
        let net = NetChanges::of(&last);
        assert_eq!(net.owners, []);
        assert_eq!(net.added.iter().map(|a| a.user_id).collect::<Vec<_>>(), [user(7)]);
        let handed_on = [leaves(5, 1, Some(7)), leaves(6, 7, Some(3)), comes_back];
        let owners = NetChanges::of(&handed_on).owners;
        assert_eq!(owners.iter().map(|o| o.1).collect::<Vec<_>>(), [user(3)]);
    }

    #[test]
    fn join_then_leave_ends_outside() {
        let mut joins = entry(1, 5);
        joins.change = Change::Join(vec![user(7), user(3)]);
        let mut leaves = entry(1, 6);
        leaves.change = Change::Leave { user_id: user(7), new_owner_id: Some(user(3)) };
        let net = NetChanges::of(&[joins, leaves]);
        assert_eq!(net.added.iter().map(|a| a.user_id).collect::<Vec<_>>(), [user(3)]);
        assert_eq!(net.removed.iter().map(|r| r.1).collect::<Vec<_>>(), [user(7)]);
        assert_eq!(net.owners.iter().map(|o| o.1).collect::<Vec<_>>(), [user(3)]);
    }
}
