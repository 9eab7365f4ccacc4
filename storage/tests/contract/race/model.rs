//! What must be true when all is over: the log by itself, the members against the log, and what commands were told
//! against both.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ringwire_protocol::{ConversationId, UserId};
use ringwire_storage::Store;
use ringwire_storage::model::{EntryRow, LogHead, Role};

use super::node::{Answer, Told};
use super::script::{Command, Deed};
use crate::support::{body, user};

/// Everyone who belongs, by id.
pub(super) type Roster = BTreeMap<UserId, Role>;

/// What a group begins with.
pub(super) fn founders() -> Roster {
    [(user(1), Role::Member), (user(2), Role::Owner), (user(3), Role::Member)].into()
}

/// Who inherits from `leaving`, as every owner decides it.
pub(super) fn heir(roster: &Roster, leaving: UserId) -> Option<UserId> {
    let others = roster.iter().filter(|(user, _)| **user != leaving);
    others.min_by_key(|(user, role)| (Reverse(**role), **user)).map(|(user, _)| *user)
}

/// What an entry says, in words that a store does not read.
pub(super) fn text(command: &Command, roster: &Roster) -> String {
    let sender = command.sender;
    match command.deed {
        Deed::Say | Deed::Poison => format!("say {}", command.hash),
        Deed::Join => "join".to_owned(),
        Deed::Leave if roster.get(&sender) == Some(&Role::Owner) => {
            format!("leave {}", heir(roster, sender).map_or(0, UserId::get))
        }
        Deed::Leave => "leave 0".to_owned(),
    }
}

/// Brings the members up to an entry; an entry that should not be there is a complaint.
pub(super) fn follow(roster: &mut Roster, row: &EntryRow) -> Result<(), String> {
    let text = String::from_utf8_lossy(&row.body).into_owned();
    let sender = row.sender_id.ok_or("an entry of nobody")?;
    let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let member = roster.contains_key(&sender);
    require(member != (verb == "join"), || format!("{} {sender} cannot {text}", row.seq))?;
    match verb {
        "join" => {
            roster.insert(sender, Role::Member);
        }
        "leave" => {
            let due = if roster[&sender] == Role::Owner { heir(roster, sender) } else { None };
            require(rest == due.map_or(0, UserId::get).to_string(), || {
                format!("{} leaves to {rest} instead of {due:?}", row.seq)
            })?;
            roster.remove(&sender);
            if let Some(heir) = due {
                roster.insert(heir, Role::Owner);
            }
        }
        _ => {}
    }
    Ok(())
}

/// What the database holds of a conversation in the end.
pub(super) struct Outcome {
    log: Vec<EntryRow>,
    members: Roster,
    member_count: u32,
    head: LogHead,
}

impl Outcome {
    pub(super) async fn read(store: &Store, id: ConversationId) -> Self {
        let loaded = store.load_conversation(id, 1).await.unwrap().unwrap();
        let log = store.load_tail(id, 0, 10_000).await.unwrap().unwrap().entries;
        let (lines, _) = store.heads(user(1), None, &[id], 1).await.unwrap();
        Self {
            log,
            members: loaded.members.iter().map(|m| (m.user_id, m.role)).collect(),
            member_count: lines[0].member_count,
            head: loaded.head,
        }
    }

    /// Judges one conversation, `number` in the script.
    pub(super) fn check(&self, told: &[Told], number: usize) -> Result<(), String> {
        let told: Vec<_> = told.iter().filter(|t| t.command.conversation == number).collect();
        self.log_is_sound()?;
        self.answers_are_true(&told)?;
        self.nothing_else_is_there(&told)?;
        order_is_kept(&told)
    }

    fn log_is_sound(&self) -> Result<(), String> {
        let mut roster = founders();
        let (mut head, mut ids) = (LogHead::default(), BTreeSet::new());
        for row in &self.log {
            require(row.seq == head.seq + 1, || format!("{} follows {}", row.seq, head.seq))?;
            let countable = row.body.starts_with(b"say ");
            require(row.msg_no == head.msg_no + u64::from(countable), || {
                format!("{} has msg_no {} after {}", row.seq, row.msg_no, head.msg_no)
            })?;
            require(row.created_at >= head.created_at, || {
                format!("{} goes back in time", row.seq)
            })?;
            require(ids.insert((row.sender_id, &row.client_msg_id)), || {
                format!("{:?} of {:?} is there twice", row.client_msg_id, row.sender_id)
            })?;
            if row.seq > 1 {
                follow(&mut roster, row)?;
            }
            head = row.head();
        }
        require(self.head == head, || format!("the head is {:?}, not {head:?}", self.head))?;
        require(self.members == roster, || {
            format!("the members are {:?}; the log makes them {roster:?}", self.members)
        })?;
        require(self.member_count as usize == roster.len(), || {
            format!("{} members are counted, there are {}", self.member_count, roster.len())
        })
    }

    /// Whoever was told a position finds the entry there.
    fn answers_are_true(&self, told: &[&Told]) -> Result<(), String> {
        for Told { node, command, answer } in told {
            let (head, hash) = match answer {
                Answer::Committed(head) => (head, command.hash),
                Answer::Known(head, hash) => (head, *hash),
                Answer::Rejected => {
                    require(command.deed == Deed::Poison, || format!("rejected: {command:?}"))?;
                    continue;
                }
                Answer::Refused => continue,
            };
            let row = (head.seq as usize).checked_sub(1).and_then(|place| self.log.get(place));
            let row =
                row.ok_or_else(|| format!("node {node} was told {head:?}, which is not there"))?;
            let same = row.head() == *head
                && row.sender_id == Some(command.sender)
                && row.client_msg_id == command.id
                && row.command_hash == hash;
            require(same, || {
                format!("node {node} was told {answer:?} of {command:?}, not {row:?}")
            })?;
            let said = match (answer, command.deed) {
                (Answer::Committed(_), Deed::Say) => body(&format!("say {}", command.hash)),
                _ => row.body.clone(),
            };
            require(row.body == said, || format!("{command:?} became {row:?}"))?;
        }
        Ok(())
    }

    /// Every entry is one that somebody was told of: nothing that came back unwritten is there.
    fn nothing_else_is_there(&self, told: &[&Told]) -> Result<(), String> {
        let known: BTreeSet<_> = told
            .iter()
            .filter_map(|told| match &told.answer {
                Answer::Committed(head) => Some(head.seq),
                // After a broken connection this is how a node learns that its own attempt has succeeded.
                Answer::Known(head, hash) if *hash == told.command.hash => Some(head.seq),
                _ => None,
            })
            .collect();
        for row in &self.log[1..] {
            require(known.contains(&row.seq), || format!("nobody was told of {row:?}"))?;
        }
        Ok(())
    }
}

/// What a sender asked of one node stands in the log in that order, unless it was tried more than once.
fn order_is_kept(told: &[&Told]) -> Result<(), String> {
    let mut tries: HashMap<_, usize> = HashMap::new();
    for told in told {
        *tries.entry((told.command.sender, &told.command.id)).or_default() += 1;
    }
    let mut lines: BTreeMap<_, BTreeMap<usize, u64>> = BTreeMap::new();
    for Told { node, command, answer } in told {
        if let (Answer::Committed(head), 1) = (answer, tries[&(command.sender, &command.id)]) {
            lines.entry((node, command.sender)).or_default().insert(command.number, head.seq);
        }
    }
    for ((node, sender), line) in lines {
        let seqs: Vec<_> = line.values().copied().collect();
        require(seqs.is_sorted(), || format!("node {node} wrote what {sender} asked as {seqs:?}"))?;
    }
    Ok(())
}

/// `Err` with what is wrong.
fn require(right: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(otherwise()) }
}
