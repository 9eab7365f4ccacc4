//! What must be true of an answer, of a push, and of everything in the end.

use std::collections::BTreeSet;

use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::group_settings::JoinPolicy;
use ringwire_protocol::{CommandError, ErrorCode, Seq, UserId};
use ringwire_storage::model::Role;

use super::Violation;
use super::group::Group;
use super::store::Log;
use crate::conversation::Intent;
use crate::conversation::answer::{Ack, ReplyTo};
use crate::conversation::entry::EntryFrame;
use crate::conversation::members::Recipients;
use crate::placement::home_shard;

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
    /// `None`: a cursor.
    pub(super) intent: Option<Intent>,
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
            Ok(Ack::Done) => {
                let so = |intent| log.group(head).is_so(asked.from, intent);
                let so = asked.intent.as_ref().is_some_and(so);
                require(so, || format!("{number} is answered with nothing"))?;
            }
            Err(error) => {
                let (then, now) = (log.group(head), log.group(log.head().seq));
                self.refusal_is_right(number, error.code, then, (now, log.floor))?;
            }
        }
        self.asked[number].answer = Some(answer);
        Ok(())
    }

    /// A refusal follows from what is committed, never from what is merely in flight: `then` as the machine knows it, or,
    /// where the store was asked, `now`, with the oldest entry that is kept.
    fn refusal_is_right(
        &self,
        number: usize,
        code: ErrorCode,
        then: &Group,
        (now, floor): (&Group, Seq),
    ) -> Result<(), Violation> {
        let asked = &self.asked[number];
        let from = asked.from;
        let member = then.members.contains_key(&from);
        let role = then.role(from);
        let absent = |user: &UserId| !then.members.contains_key(user);
        let gone = |seq: Seq| {
            let groups = [then, now];
            seq < floor
                || groups.iter().any(|group| group.messages.get(&seq).is_none_or(|said| said.gone))
        };
        let intent = asked.intent.as_ref();
        let right = match code {
            ErrorCode::NotMember => !member || self.gone,
            ErrorCode::GroupFull => match intent {
                Some(Intent::Invite { users }) => {
                    let new = users.iter().filter(|user| absent(user)).count();
                    then.members.len() + new > then.most()
                }
                _ => then.members.len() >= then.most(),
            },
            ErrorCode::AlreadyMember => match intent {
                Some(Intent::Invite { users }) => !users.iter().any(absent),
                _ => member,
            },
            ErrorCode::Muted => {
                member && (then.muted_until != 0 || then.members[&from].muted_until != 0)
            }
            ErrorCode::Banned => then.bans.contains_key(&from),
            ErrorCode::AlreadyRequested => then.requests.contains(&from),
            ErrorCode::WindowPassed => {
                matches!(intent, Some(Intent::Edit { .. } | Intent::Recall { .. }))
            }
            ErrorCode::EntryNotFound => match intent {
                Some(intent) => intent.target().is_some_and(gone),
                None => false,
            },
            // A ban may be over.
            ErrorCode::NotFound => matches!(intent, Some(Intent::Ban { until: 0, .. })),
            ErrorCode::UserNotFound => match intent {
                Some(Intent::Remove { users }) => users.iter().any(absent),
                Some(Intent::SetRole { user, .. } | Intent::Mute { user: Some(user), .. }) => {
                    absent(user)
                }
                Some(Intent::ResolveJoin { user, .. }) => !then.requests.contains(user),
                _ => false,
            },
            ErrorCode::Forbidden => match intent {
                Some(Intent::Send { mentions, .. }) => {
                    let announces = then.settings.announcement_only == Some(true);
                    role == Some(Role::Member) && (announces || mentions.all)
                }
                Some(Intent::Edit { .. })
                    if role == Some(Role::Member)
                        && then.settings.announcement_only == Some(true) =>
                {
                    true
                }
                Some(Intent::Edit { target_seq, .. } | Intent::Recall { target_seq }) => {
                    then.messages.get(target_seq).is_none_or(|said| said.by != from)
                }
                Some(Intent::Invite { users }) => {
                    !then.may_invite(from) || users.iter().any(|user| then.bans.contains_key(user))
                }
                Some(Intent::ResolveJoin { user, .. }) => {
                    role == Some(Role::Member) || then.bans.contains_key(user)
                }
                Some(Intent::Remove { users }) => {
                    role == Some(Role::Member) || users.iter().any(|user| then.role(*user) >= role)
                }
                Some(Intent::Mute { user: Some(user), .. } | Intent::Ban { user, .. }) => {
                    role == Some(Role::Member) || then.role(*user) >= role
                }
                Some(Intent::SetRole { .. } | Intent::Dissolve) => role != Some(Role::Owner),
                Some(Intent::Pin { .. } | Intent::Update(_) | Intent::Mute { user: None, .. }) => {
                    role == Some(Role::Member)
                }
                _ => false,
            },
            ErrorCode::ConversationNotFound => {
                let closed = !matches!(then.policy(), JoinPolicy::Open | JoinPolicy::ByApproval);
                matches!(intent, Some(Intent::Join { .. })) && (closed || then.over)
            }
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
            ErrorCode::Busy | ErrorCode::Internal | ErrorCode::Unavailable => true,
            ErrorCode::InvalidArgument => match intent {
                None | Some(Intent::Update(_)) => true,
                // With oneself, or a time that has passed since.
                Some(Intent::Remove { users }) => users.contains(&from),
                Some(Intent::SetRole { user, .. }) => *user == from,
                Some(Intent::Mute { user, until }) => *user == Some(from) || *until != 0,
                Some(Intent::Ban { user, until }) => *user == from || *until != 0,
                _ => false,
            },
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
        let same = |row| frame.frame(encoding) == EntryFrame::new(row).frame(encoding);
        let told = log.versions_since(seq, 0).any(same);
        require(told, || format!("{seq} delivered with another body"))?;

        let (before, after) = (log.group(seq - 1), log.group(seq));
        let members = before.members.keys().chain(after.members.keys());
        // Whoever is refused hears of it, too.
        let refused = before.requests.difference(&after.requests).filter(|_| !after.over);
        let due: BTreeSet<UserId> = members.chain(refused).copied().collect();
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
