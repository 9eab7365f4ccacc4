//! Appending behind what the owner has not seen: where two nodes are hot on one conversation, a conflict, a read and another
//! try each time would let the faster one starve the other.
//!
//! ```text
//!   owner asks:     base | a b          the log has:  base | x y
//!   under the lock of the conversation's row:         base | x y a b      answers: Moved { tail: x y }, Moved
//! ```
//!
//! Invariant: this changes nothing an owner could have decided otherwise. Messages change neither members nor roles, so
//! what was allowed before `x y` is allowed behind them; the tail holds messages only if `msg_no` rose with every `seq`.
//! Whatever else is in the tail, or the same command, or a base that is gone, sends the entries the ordinary way, which
//! tells the owner. Nothing is sealed or stored before its final position is known.

use std::collections::HashSet;

use crate::append::Append;
use crate::heat::follows;
use crate::model::EntryRow;

/// The longest tail that is put in front of somebody's entries; an owner reads a longer one in pages.
pub(crate) const TAIL_MAX: usize = 200;

/// How many rows tell whether entries may go behind a tail: the base, the tail, and one more if that is too long.
pub(crate) const ROWS: usize = TAIL_MAX + 2;

/// Where the entries of one conversation go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The head behind which they go.
    seq: u64,
    msg_no: u64,
    created_at: i64,
    /// What is there already and the owner has not seen, oldest first.
    pub(crate) tail: Vec<EntryRow>,
}

impl Place {
    /// The place behind `log`, the rows from the base of the first entry on; `None`: the owner has to see it first.
    pub(crate) fn behind(log: &[EntryRow], entries: &[Append]) -> Option<Self> {
        let (base, tail) = log.split_first()?;
        let first = entries.first()?;
        let fits = base.conversation_id == first.conversation_id
            && (base.seq + 1, base.msg_no + 1) == (first.seq, first.msg_no)
            && entries.iter().all(|entry| entry.change.is_of_a_message())
            && entries.windows(2).all(|pair| follows(&pair[0], &pair[1]))
            && tail.len() <= TAIL_MAX
            && log
                .windows(2)
                .all(|pair| (pair[0].seq + 1, pair[0].msg_no + 1) == (pair[1].seq, pair[1].msg_no));
        let there: HashSet<_> =
            tail.iter().map(|row| (row.sender_id, row.client_msg_id.as_str())).collect();
        let fresh = |entry: &Append| !there.contains(&(entry.sender_id, &*entry.client_msg_id));
        let head = log.last()?;
        (fits && entries.iter().all(fresh)).then(|| Self {
            seq: head.seq,
            msg_no: head.msg_no,
            created_at: head.created_at,
            tail: tail.to_vec(),
        })
    }

    /// The entries as they are stored here: positions go on from the head, and time does not go back.
    pub(crate) fn settle(&self, entries: &[Append]) -> Vec<Append> {
        let mut created_at = self.created_at;
        let settled = (1..).zip(entries).map(|(place, entry)| {
            created_at = created_at.max(entry.created_at);
            Append {
                seq: self.seq + place,
                msg_no: self.msg_no + place,
                created_at,
                check_base: false,
                ..entry.clone()
            }
        });
        settled.collect()
    }
}

/// The place of each conversation's entries, all sorted by conversation and position; and those that have one, settled.
pub(crate) fn places(log: &[EntryRow], entries: &[Append]) -> (Vec<Option<Place>>, Vec<Append>) {
    let mut settled = Vec::with_capacity(entries.len());
    let places = entries
        .chunk_by(|a, b| a.conversation_id == b.conversation_id)
        .map(|of_one| {
            let id = of_one[0].conversation_id;
            let from = log.partition_point(|row| row.conversation_id < id);
            let to = log.partition_point(|row| row.conversation_id <= id);
            let place = Place::behind(&log[from..to], of_one)?;
            settled.extend(place.settle(of_one));
            Some(place)
        })
        .collect();
    (places, settled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::append::Change;
    use crate::testing::{entry, row, user};

    fn theirs(seq: u64) -> EntryRow {
        EntryRow { sender_id: Some(user(9)), created_at: 5_000 + seq as i64, ..row(&entry(1, seq)) }
    }

    #[test]
    fn messages_go_behind_messages() {
        let entries = [entry(1, 5), Append { created_at: 9_000, ..entry(1, 6) }];
        let place = Place::behind(&[theirs(4), theirs(5), theirs(6)], &entries).expect("a place");
        assert_eq!(place.tail, [theirs(5), theirs(6)]);
        let settled = place.settle(&entries);
        let at: Vec<_> = settled.iter().map(|e| (e.seq, e.msg_no, e.created_at)).collect();
        assert_eq!(at, [(7, 7, 5_006), (8, 8, 9_000)], "time does not go back");
    }

    #[test]
    fn where_nothing_came_between_the_position_is_the_one_asked_for() {
        let place = Place::behind(&[theirs(4)], &[entry(1, 5)]).expect("a place");
        assert!(place.tail.is_empty());
        assert_eq!(place.settle(&[entry(1, 5)])[0].seq, 5);
    }

    #[test]
    fn the_owner_must_see_what_is_no_message_what_is_missing_and_its_own_command() {
        let asks = [entry(1, 5)];
        let no_message = EntryRow { msg_no: 4, ..theirs(5) };
        assert_eq!(Place::behind(&[theirs(4), no_message], &asks), None);
        assert_eq!(Place::behind(&[theirs(5)], &asks), None, "its base is gone");
        assert_eq!(Place::behind(&[], &asks), None);
        assert_eq!(Place::behind(&[theirs(4), theirs(6)], &asks), None, "a gap");
        let own = EntryRow { client_msg_id: "m5".to_owned(), ..row(&entry(1, 5)) };
        assert_eq!(Place::behind(&[theirs(4), own], &asks), None, "written by a lost attempt");
        let long: Vec<_> = (4..).map(theirs).take(ROWS).collect();
        assert_eq!(Place::behind(&long, &asks), None);
        assert!(Place::behind(&long[..ROWS - 1], &asks).is_some());
    }

    #[test]
    fn entries_that_are_no_messages_are_not_renumbered() {
        let joins = Append { change: Change::Join(vec![user(3)]), ..entry(1, 5) };
        assert_eq!(Place::behind(&[theirs(4), theirs(5)], &[joins]), None);
        let silent = Append { msg_no: 4, ..entry(1, 5) };
        assert_eq!(Place::behind(&[theirs(4), theirs(5)], &[silent]), None);
    }
}
