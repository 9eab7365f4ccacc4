//! What the machines want done, and what holds in them at all times and in the end.

use super::Violation;
use super::model::require;
use super::world::{Fault, NODES, ROOMS, Reading, Tail, Target, World};
use crate::conversation::Effect;
use crate::conversation::answer::Ack;
use crate::conversation::entry::wire_entry;
use crate::conversation::state::decides;
use crate::limits;

/// More rounds than any settled world needs; a machine that asks for ever is caught.
const MAX_ROUNDS: usize = 10_000;

impl World {
    /// Does what a machine decided, as a shard does.
    pub(super) fn perform(
        &mut self,
        node: usize,
        room: usize,
        effects: Vec<Effect>,
    ) -> Result<(), Violation> {
        for effect in effects {
            let owner = &mut self.owners[node][room];
            let (log, head) = (&self.logs[room], owner.machine.head().seq);
            match effect {
                Effect::Append { append, fresh } => {
                    if self.fault == Fault::AckBeforeCommit
                        && let Some(entry) = owner.machine.in_flight.back()
                    {
                        let submission = &entry.submission;
                        let ack = Ack::entry(&entry.row, &submission.intent);
                        let reply_to = submission.reply_to;
                        self.ledger.answered(reply_to, Ok(ack), log, head)?;
                    }
                    let token = append.token;
                    if !owner.writer.submit(append, fresh) {
                        self.seen.insert("withdrawn");
                        let mut refusals = Vec::new();
                        owner.machine.withdraw(token, &mut refusals);
                        self.perform(node, room, refusals)?;
                    }
                }
                Effect::Answer(reply_to, answer) => {
                    let asked = &self.ledger.asked[reply_to.command_id as usize];
                    let second = self.ledger.asked[..reply_to.command_id as usize]
                        .iter()
                        .any(|other| other.id == asked.id && other.from == asked.from);
                    if matches!(answer, Ok(Ack::Done)) {
                        self.seen.insert("so already");
                    }
                    if self.fault != Fault::LoseSecondAnswers || !second {
                        self.ledger.answered(reply_to, answer, log, head)?;
                    }
                }
                Effect::Deliver { frame, recipients, except, .. } => {
                    let recipients = match self.fault {
                        Fault::OnlyLaterMembers => owner.machine.recipients(),
                        _ => recipients,
                    };
                    for _ in 0..=usize::from(self.fault == Fault::DeliverTwice) {
                        self.ledger.delivered(&frame, &recipients, except, log, owner.next)?;
                        owner.next += 1;
                    }
                    let after = head.saturating_sub(owner.next % 4);
                    if let Some(member) = log.group(head).members.keys().next()
                        && let Some(page) =
                            owner.machine.missed_after(*member, after, 3, self.started, true)
                    {
                        self.seen.insert("told from memory");
                        // Nothing that is older than what this node knows.
                        let mut due = after + 1..=head;
                        let right = page.entries.iter().all(|entry| {
                            due.next().is_some_and(|seq| {
                                log.versions_since(seq, head).any(|row| wire_entry(row) == *entry)
                            })
                        });
                        let whole = page.entries.len() == 3 || due.next().is_none();
                        // Whoever asks may have heard of more from the database.
                        require(!page.entries.is_empty(), || {
                            format!("memory tells that there is nothing after {after}")
                        })?;
                        require(right && whole, || {
                            format!("memory tells something else after {after}")
                        })?;
                    }
                }
                Effect::CursorMoved { cursor, recipients, .. } => {
                    require(cursor.delivered_seq <= head, || {
                        "a cursor beyond the head".to_owned()
                    })?;
                    let all: usize = recipients.iter().map(|users| users.len()).sum();
                    let members = log.group(head).members.len();
                    require(all == members, || "a cursor goes to others".to_owned())?;
                }
                Effect::LoadTarget { seq, asked } => {
                    self.seen.insert("target asked");
                    owner.targets.push_back(Target { seq, asked, read: false, row: None });
                }
                Effect::LoadBlocks { .. } => return Err("this is not between two".to_owned()),
                Effect::Typing { .. } => return Err("nobody types in here".to_owned()),
                Effect::LoadTail { after } => {
                    let idle = matches!(owner.tail, Tail::NotAsked);
                    require(idle, || "asks for two tails at once".to_owned())?;
                    owner.tail = Tail::Asked(after);
                }
            }
        }
        Ok(())
    }

    /// What holds inside a machine between two commands.
    pub(super) fn check_machine(&self, node: usize, room: usize) -> Result<(), Violation> {
        let owner = &self.owners[node][room];
        let machine = &owner.machine;
        let head = machine.head().seq;
        require(head + 1 == owner.next, || format!("knows {head}, delivers {}", owner.next))?;
        if machine.rebasing_since.is_none() {
            let consecutive = (head + 1..).zip(&machine.in_flight);
            let consecutive = { consecutive }.all(|(seq, entry)| entry.row.seq == seq);
            require(consecutive, || "positions in flight are not consecutive".to_owned())?;
            let ids = machine.in_flight_ids.len();
            require(ids == machine.in_flight.len(), || format!("{ids} ids in flight"))?;
        }
        let changes = machine.in_flight.iter().filter(|entry| decides(&entry.change)).count();
        require(changes == machine.changes_in_flight, || format!("{changes} changes"))?;
        let waits = !machine.waiting.is_empty();
        let reason = machine.rebasing_since.is_some() || changes > 0 || !machine.facts.is_idle();
        require(!waits || reason, || "waits for nothing".to_owned())?;
        let bounded = machine.in_flight.len() <= limits::IN_FLIGHT_PER_CONVERSATION
            && machine.waiting.len() <= limits::WAITING_PER_CONVERSATION
            && machine.ahead.len() <= limits::CURSORS_AHEAD
            && machine.receipts.by_member.len() <= machine.state.members.count();
        require(bounded, || "memory is not bounded".to_owned())?;
        let read = machine.ahead.is_empty() || machine.rebasing_since.is_some();
        require(read, || "a cursor waits for a tail that nobody reads".to_owned())
    }

    /// Everything that is late arrives, then the whole is judged.
    pub(super) fn settle(&mut self) -> Result<(), Violation> {
        for _ in 0..MAX_ROUNDS {
            let mut idle = true;
            for (node, room) in (0..NODES).flat_map(|node| (0..ROOMS).map(move |room| (node, room)))
            {
                self.set_room(node, room, usize::MAX);
                self.write(node, room, 1, false)?;
                self.hear(node, room, 1)?;
                self.tail(node, room, Reading::Happens(limits::TAIL_PAGE as usize))?;
                self.target(node, room, Reading::Happens(1))?;
                let owner = &self.owners[node][room];
                idle &= owner.writer.queue.is_empty()
                    && owner.writer.backlog.is_empty()
                    && owner.writer.answers.is_empty()
                    && owner.targets.is_empty()
                    && matches!(owner.tail, Tail::NotAsked);
            }
            if idle {
                let quiet = self.owners.iter().flatten().all(|owner| owner.machine.is_quiet());
                require(quiet, || "a machine waits for ever".to_owned())?;
                return self.ledger.settled(&self.logs);
            }
        }
        Err("it never becomes quiet".to_owned())
    }
}
