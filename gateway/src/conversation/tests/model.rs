//! What must be true: of an entry that follows a log, of an answer, of a push, and of everything in the end.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{CommandError, ErrorCode, Seq, UserId, wire};
use ringwire_storage::model::{EntryRow, LogHead, Role};

use super::Violation;
use super::store::Log;
use crate::conversation::answer::{Ack, ReplyTo};
use crate::conversation::entry::EntryFrame;
use crate::conversation::members::Recipients;
use crate::placement::home_shard;

/// Everyone who belongs, by id.
pub(super) type Roster = BTreeMap<UserId, Role>;

/// Who belongs after `row`, if that may be the next entry of a log.
pub(super) fn follow(
    head: LogHead,
    before: &Roster,
    row: &EntryRow,
    settings: &wire::GroupSettings,
) -> Result<Roster, Violation> {
    use wire::entry_body::Kind;
    require(row.seq == head.seq + 1, || format!("{} follows {}", row.seq, head.seq))?;
    require(row.created_at >= head.created_at, || format!("{} goes back in time", row.seq))?;
    let sender = row.sender_id.ok_or("an entry without sender")?;
    let mut after = before.clone();
    let body = wire::EntryBody::decode(row.body.clone()).map_err(|error| error.to_string())?;
    let countable = matches!(body.kind, Some(Kind::Message(_)));
    let msg_no = head.msg_no + u64::from(countable);
    require(row.msg_no == msg_no, || format!("{} has msg_no {}", row.seq, row.msg_no))?;
    match body.kind {
        Some(Kind::Message(_)) => {
            require(before.contains_key(&sender), || format!("{sender} sends, no member"))?;
        }
        Some(Kind::Joined(joined)) => {
            require(joined.user_ids == [sender.get()], || format!("{sender} joins others"))?;
            let fresh = after.insert(sender, Role::Member).is_none();
            require(fresh, || format!("{sender} joins twice"))?;
            let most = settings.max_members.map_or(usize::MAX, |most| most as usize);
            require(after.len() <= most, || "too many members".to_owned())?;
        }
        Some(Kind::Left(left)) => {
            let role =
                after.remove(&sender).ok_or_else(|| format!("{sender} leaves, no member"))?;
            let next = after.iter().min_by_key(|(user, role)| (std::cmp::Reverse(**role), **user));
            let heir = next.map(|(user, _)| *user).filter(|_| role == Role::Owner);
            require(UserId::new(left.new_owner_id) == heir, || {
                format!("{sender} leaves to {}, not {heir:?}", left.new_owner_id)
            })?;
            if let Some(heir) = heir {
                after.insert(heir, Role::Owner);
            }
        }
        other => return Err(format!("nobody asked for {other:?}")),
    }
    Ok(after)
}

/// A command that was given to a machine.
pub(super) struct Asked {
    pub(super) node: usize,
    /// Index of the conversation.
    pub(super) room: usize,
    /// Which machine it was: conversations are loaded again and again.
    pub(super) incarnation: u32,
    pub(super) from: UserId,
    /// Empty: a read, which makes no entry.
    pub(super) id: String,
    pub(super) after: String,
    pub(super) hash: i64,
    pub(super) answer: Option<Result<Ack, CommandError>>,
}

impl Asked {
    fn seq(&self) -> Option<Seq> {
        match &self.answer {
            Some(Ok(Ack::Entry { seq, .. })) => Some(*seq),
            _ => None,
        }
    }

    fn same_command_id(&self, other: &Self) -> bool {
        self.room == other.room && self.from == other.from && self.id == other.id
    }
}

/// Every command, in the order asked; its index is the command id.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) asked: Vec<Asked>,
    /// The conversations were deleted.
    pub(super) gone: bool,
}

impl Ledger {
    /// Takes an answer; `head` is what the machine knows of the log.
    pub(super) fn answered(
        &mut self,
        reply_to: ReplyTo,
        answer: Result<Ack, CommandError>,
        log: &Log,
        head: Seq,
    ) -> Result<(), Violation> {
        let number = reply_to.command_id as usize;
        let asked = &self.asked[number];
        require(asked.answer.is_none(), || format!("{number} is answered twice"))?;
        match &answer {
            Ok(Ack::Entry { seq, msg_no, created_at, client_msg_id, .. }) => {
                let row = log.row(*seq).ok_or_else(|| format!("{number} acked, not in the log"))?;
                let same = row.sender_id == Some(asked.from)
                    && row.client_msg_id == asked.id
                    && row.client_msg_id == **client_msg_id
                    && row.command_hash == asked.hash
                    && (row.msg_no, row.created_at) == (*msg_no, *created_at);
                require(same, || format!("{number} acked at {seq}, where another entry is"))?;
            }
            Ok(Ack::Cursor { cursor, .. }) => {
                let sound = cursor.read_seq <= cursor.delivered_seq && cursor.delivered_seq <= head;
                require(sound, || format!("{number} read what is not there"))?;
            }
            Ok(Ack::Done) => return Err(format!("{number} is answered with nothing")),
            Err(error) => self.refusal_is_right(number, error.code, log.roster(head))?,
        }
        self.asked[number].answer = Some(answer);
        Ok(())
    }

    /// A refusal follows from what is committed, never from what is merely in flight.
    fn refusal_is_right(
        &self,
        number: usize,
        code: ErrorCode,
        roster: &Roster,
    ) -> Result<(), Violation> {
        let asked = &self.asked[number];
        let member = roster.contains_key(&asked.from);
        let right = match code {
            ErrorCode::NotMember | ErrorCode::GroupFull => !member,
            ErrorCode::AlreadyMember => member,
            ErrorCode::ConversationNotFound => self.gone,
            ErrorCode::Conflict => self
                .asked
                .iter()
                .any(|other| other.same_command_id(asked) && other.hash != asked.hash),
            // A try that joins another is answered with it.
            ErrorCode::OutOfOrder => {
                self.tries(asked.room, asked.from, &asked.id).any(|(_, asked)| {
                    !asked.after.is_empty()
                        && self
                            .tries(asked.room, asked.from, &asked.after)
                            .any(|(_, named)| matches!(named.answer, Some(Err(_))))
                })
            }
            ErrorCode::Busy | ErrorCode::Internal => true,
            ErrorCode::InvalidArgument => asked.id.is_empty(),
            _ => false,
        };
        require(right, || format!("{number} is refused as {} without reason", code.name()))
    }

    /// Looks at a push of an entry; `expected` is the next this node has to deliver.
    pub(super) fn delivered(
        &self,
        frame: &EntryFrame,
        recipients: &Recipients,
        except: Option<ReplyTo>,
        log: &Log,
        expected: Seq,
    ) -> Result<(), Violation> {
        let seq = frame.seq;
        require(seq == expected, || format!("{seq} delivered instead of {expected}"))?;
        let row = log.row(seq).ok_or_else(|| format!("{seq} delivered, not in the log"))?;
        let encoding = Encoding::Protobuf;
        let same = frame.frame(encoding) == EntryFrame::new(row).frame(encoding);
        require(same, || format!("{seq} delivered with another body"))?;

        let (before, after) = (log.roster(seq - 1), log.roster(seq));
        let due: BTreeSet<UserId> = before.keys().chain(after.keys()).copied().collect();
        let got: BTreeSet<UserId> =
            recipients.iter().flat_map(|users| users.iter().copied()).collect();
        require(got == due, || format!("{seq} goes to {got:?} instead of {due:?}"))?;
        for (shard, users) in recipients.iter().enumerate() {
            let at_home = |user: &UserId| usize::from(home_shard(*user, recipients.len())) == shard;
            require(users.iter().all(at_home), || format!("{seq} goes to the wrong shard"))?;
        }
        if let Some(reply_to) = except {
            let asked = &self.asked[reply_to.command_id as usize];
            let own = row.sender_id == Some(asked.from) && row.client_msg_id == asked.id;
            require(own, || format!("{seq} is kept from a session that did not send it"))?;
        }
        Ok(())
    }

    /// When everything is over.
    pub(super) fn settled(&self, logs: &[Log]) -> Result<(), Violation> {
        for (number, asked) in self.asked.iter().enumerate() {
            require(asked.answer.is_some(), || format!("{number} is never answered"))?;
            if let Some(seq) = asked.seq() {
                self.is_one_entry(number, seq, logs[asked.room].floor)?;
                self.is_in_order(number, seq)?;
                self.came_after(number)?;
            }
        }
        Ok(())
    }

    /// All tries of a command were answered with the same entry. The window is what retention keeps.
    fn is_one_entry(&self, number: usize, seq: Seq, floor: Seq) -> Result<(), Violation> {
        let asked = &self.asked[number];
        let mut tries = self.tries(asked.room, asked.from, &asked.id);
        let same = |other: Seq| other == seq || other.min(seq) < floor;
        let one = tries.all(|(_, other)| other.seq().is_none_or(same));
        require(one, || format!("{number} is one command and two entries"))
    }

    /// What a sender asked of the same node before comes before it, unless this is a retry, or another node was tried.
    fn is_in_order(&self, number: usize, seq: Seq) -> Result<(), Violation> {
        let asked = &self.asked[number];
        let mut tries = self.tries(asked.room, asked.from, &asked.id);
        if !tries.all(|(other, asked_again)| other >= number && asked_again.node == asked.node) {
            return Ok(());
        }
        for (other, earlier) in self.asked[..number].iter().enumerate() {
            let same_sender =
                (earlier.node, earlier.room, earlier.from) == (asked.node, asked.room, asked.from);
            let right = !same_sender || earlier.seq().is_none_or(|earlier| earlier < seq);
            require(right, || format!("{other} was asked before {number} and comes after it"))?;
        }
        Ok(())
    }

    /// What names a refused send in `after` is refused as well, unless either was tried again.
    fn came_after(&self, number: usize) -> Result<(), Violation> {
        let asked = &self.asked[number];
        if asked.after.is_empty() || self.tries(asked.room, asked.from, &asked.id).count() > 1 {
            return Ok(());
        }
        let mut tries = self.tries(asked.room, asked.from, &asked.after);
        let (Some((first, named)), None) = (tries.next(), tries.next()) else { return Ok(()) };
        let same_machine =
            first < number && (named.node, named.incarnation) == (asked.node, asked.incarnation);
        let refused = matches!(named.answer, Some(Err(_)));
        require(!(same_machine && refused), || format!("{number} overtook {first}, which failed"))
    }

    fn tries(&self, room: usize, from: UserId, id: &str) -> impl Iterator<Item = (usize, &Asked)> {
        self.asked
            .iter()
            .enumerate()
            .filter(move |(_, asked)| (asked.room, asked.from) == (room, from) && asked.id == id)
    }
}

/// `Err` with what is wrong.
pub(super) fn require(right: bool, otherwise: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if right { Ok(()) } else { Err(otherwise()) }
}
