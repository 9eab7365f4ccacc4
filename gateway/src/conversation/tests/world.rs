//! Two nodes that own the same conversations, one database, and nothing that happens by itself.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, Seq, UserId, wire};
use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::model::{ConversationKind, LogPage, MemberRow, Role};

use super::Violation;
use super::model::{Asked, Ledger, Roster, require};
use super::store::{Log, Writer, is_doubtful, message};
use crate::command::key::CommandKey;
use crate::conversation::answer::ReplyTo;
use crate::conversation::members::Members;
use crate::conversation::{Conversation, Effect, Intent, Moment, Submission};
use crate::limits;
use crate::session::cursors::Cursor;
use crate::session::registry::SessionKey;

pub(super) const NODES: usize = 2;
/// A room that anyone may join, and a group for at most four.
pub(super) const ROOMS: usize = 2;
pub(super) const USERS: u64 = 5;
const SHARDS: usize = 3;
const MAX_MEMBERS: u32 = 100;
const START_MS: i64 = 1_700_000_000_000;
/// How slow the second node's clock is.
const SKEW_MS: i64 = 5_000;
/// What a sabotaged node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing wrong.
    None,
    /// Acks an entry when it is handed to the writer.
    AckBeforeCommit,
    /// Delivers each entry twice.
    DeliverTwice,
    /// After a conflict, judges what was in flight by the members from before it.
    NoRevalidation,
    /// Does not tell a leaver of their leaving.
    OnlyLaterMembers,
    /// Drops the answers of commands that joined one in flight, or waited.
    LoseSecondAnswers,
}

/// How the reading of a tail goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// It fails, and is asked again later.
    Fails,
    /// It happens now and arrives later; at most so many entries at once.
    Happens(usize),
}

/// The tail that a machine asked for.
pub(super) enum Tail {
    NotAsked,
    Asked(Seq),
    Read(LogPage),
}

/// One conversation at one node.
pub(super) struct Owner {
    pub(super) machine: Conversation,
    pub(super) writer: Writer,
    pub(super) tail: Tail,
    /// The next entry to deliver.
    pub(super) next: Seq,
    incarnation: u32,
}

/// Everything.
pub(super) struct World {
    pub(super) logs: Vec<Log>,
    pub(super) ledger: Ledger,
    /// By node and conversation.
    pub(super) owners: Vec<Vec<Owner>>,
    generations: [u64; NODES],
    pub(super) started: Instant,
    seconds: u32,
    pub(super) fault: Fault,
    /// What has happened to machines.
    pub(super) seen: BTreeSet<&'static str>,
}

pub(super) fn user(number: u64) -> UserId {
    UserId::new(number).unwrap()
}

impl World {
    /// Users 1 (owner), 2 and 3 (admin) belong to both conversations; 4 and 5 to none.
    pub(super) fn new(fault: Fault) -> Self {
        let roster: Roster =
            [(user(1), Role::Owner), (user(2), Role::Member), (user(3), Role::Admin)].into();
        let open = wire::group_settings::JoinPolicy::Open.into();
        let settings = wire::GroupSettings {
            join_policy: Some(open),
            max_members: Some(4),
            ..Default::default()
        };
        let id = |number| ConversationId::new(number).unwrap();
        let logs = vec![
            Log::new(id(1), ConversationKind::Room, roster.clone(), wire::GroupSettings::default()),
            Log::new(id(2), ConversationKind::Group, roster, settings),
        ];
        let mut world = Self {
            logs,
            ledger: Ledger::default(),
            owners: Vec::new(),
            generations: [0; NODES],
            started: Instant::now(),
            seconds: 0,
            fault,
            seen: BTreeSet::new(),
        };
        for node in 0..NODES {
            let owners = (0..ROOMS).map(|room| world.load(node, room, limits::RECENT_ENTRIES));
            let owners = owners.collect::<Vec<_>>();
            world.owners.push(owners);
        }
        world
    }

    fn load(&mut self, node: usize, room: usize, recent: usize) -> Owner {
        let snapshot = self.logs[room].snapshot(recent);
        let next = snapshot.head.seq + 1;
        let (started, seconds) = (self.started, self.seconds);
        let mut now = moment(node, started, seconds, &mut self.generations[node]);
        let machine = Conversation::new(snapshot, SHARDS, MAX_MEMBERS, &mut now);
        Owner { machine, writer: Writer::new(8), tail: Tail::NotAsked, next, incarnation: 0 }
    }

    pub(super) fn machine(&self, node: usize, room: usize) -> &Conversation {
        &self.owners[node][room].machine
    }

    /// What a node has handed to its writer.
    pub(super) fn queued(&self, node: usize, room: usize) -> &VecDeque<Append> {
        &self.owners[node][room].writer.queue
    }

    /// Whether a node's writer will look for the base of what it writes next.
    pub(super) fn doubts_next(&self, node: usize, room: usize) -> bool {
        self.queued(node, room).front().is_some_and(|append| is_doubtful(append, self.at()))
    }

    fn at(&self) -> Instant {
        self.started + Duration::from_secs(self.seconds.into())
    }

    /// Commands the machine of a node and collects what it wants.
    pub(super) fn command(
        &mut self,
        node: usize,
        room: usize,
        command: impl FnOnce(&mut Conversation, &mut Moment<'_>, &mut Vec<Effect>),
    ) -> Result<(), Violation> {
        let mut effects = Vec::new();
        let mut now = moment(node, self.started, self.seconds, &mut self.generations[node]);
        command(&mut self.owners[node][room].machine, &mut now, &mut effects);
        self.perform(node, room, effects)?;
        self.check_machine(node, room)
    }

    /// Asks a node for an entry; the result is the number of the command.
    pub(super) fn ask(
        &mut self,
        node: usize,
        room: usize,
        from: u64,
        id: &str,
        intent: Intent,
    ) -> Result<usize, Violation> {
        let hash = CommandKey::new([7; 16]).hash(&intent);
        let after = match &intent {
            Intent::Send { after, .. } => after.to_string(),
            Intent::Join | Intent::Leave => String::new(),
        };
        let reply_to = self.note(node, room, user(from), id, after, hash);
        let submission = Submission {
            from: user(from),
            reply_to,
            client_msg_id: id.into(),
            intent,
            command_hash: hash,
            also: Vec::new(),
        };
        self.command(node, room, |machine, now, effects| machine.submit(submission, now, effects))?;
        Ok(reply_to.command_id as usize)
    }

    /// Asks a node for a message.
    pub(super) fn send(
        &mut self,
        node: usize,
        room: usize,
        from: u64,
        id: &str,
        text: &str,
    ) -> Result<usize, Violation> {
        self.ask(node, room, from, id, Intent::Send { body: message(text), after: "".into() })
    }

    /// Moves a read cursor.
    pub(super) fn read(
        &mut self,
        node: usize,
        room: usize,
        from: u64,
        seq: Seq,
    ) -> Result<(), Violation> {
        let reply_to = self.note(node, room, user(from), "", String::new(), 0);
        self.command(node, room, |machine, _, effects| {
            machine.raise(user(from), Cursor::read(seq), reply_to, effects);
        })
    }

    fn note(
        &mut self,
        node: usize,
        room: usize,
        from: UserId,
        id: &str,
        after: String,
        hash: i64,
    ) -> ReplyTo {
        let incarnation = self.owners[node][room].incarnation;
        let id = id.to_owned();
        let command_id = self.ledger.asked.len() as u64;
        self.ledger.asked.push(Asked {
            node,
            room,
            incarnation,
            from,
            id,
            after,
            hash,
            answer: None,
        });
        ReplyTo { shard: node as u16, session: SessionKey::numbered(from.get() as u32), command_id }
    }

    /// A node's writer takes up to `count` entries of a conversation.
    pub(super) fn write(
        &mut self,
        node: usize,
        room: usize,
        count: usize,
        answer_lost: bool,
    ) -> Result<(), Violation> {
        let at = self.at();
        for _ in 0..count {
            if self.doubts_next(node, room) {
                self.seen.insert("base checked");
            }
            self.owners[node][room].writer.write_one(
                &mut self.logs[room],
                at,
                self.seconds,
                answer_lost,
            )?;
        }
        Ok(())
    }

    /// A node hears up to `count` answers of its writer.
    pub(super) fn hear(&mut self, node: usize, room: usize, count: usize) -> Result<(), Violation> {
        for _ in 0..count {
            let Some(completion) = self.owners[node][room].writer.answers.pop_front() else {
                break;
            };
            self.seen.insert(match completion.outcome {
                Outcome::Committed => "committed",
                Outcome::Moved { .. } => "moved",
                Outcome::Conflict => "conflict",
                Outcome::Duplicate { .. } => "duplicate",
                Outcome::Rejected { .. } => "rejected",
            });
            self.command(node, room, |machine, now, effects| {
                machine.complete(&completion, now, effects);
            })?;
        }
        Ok(())
    }

    /// The next step of reading a tail, if one was asked for: the page arrives that was read, or is read.
    pub(super) fn tail(
        &mut self,
        node: usize,
        room: usize,
        reading: Reading,
    ) -> Result<(), Violation> {
        let owner = &mut self.owners[node][room];
        match std::mem::replace(&mut owner.tail, Tail::NotAsked) {
            Tail::NotAsked => Ok(()),
            Tail::Asked(after) => {
                owner.tail = match reading {
                    Reading::Fails => Tail::Asked(owner.machine.head().seq),
                    Reading::Happens(limit) => Tail::Read(self.logs[room].tail(after, limit)),
                };
                Ok(())
            }
            Tail::Read(page) if self.fault == Fault::NoRevalidation => {
                self.tail_without_revalidation(node, room, page)
            }
            Tail::Read(page) => self.tail_arrived(node, room, page),
        }
    }

    fn tail_arrived(&mut self, node: usize, room: usize, page: LogPage) -> Result<(), Violation> {
        let floor = page.floor_seq;
        self.command(node, room, |machine, now, effects| {
            machine.tail_loaded(Some(page), now, effects);
        })?;
        let machine = self.machine(node, room);
        if machine.is_outdated() {
            let cut = floor > machine.head().seq + 1;
            require(cut, || "outdated although nothing was cut".to_owned())?;
            require(machine.is_quiet(), || "outdated and not quiet".to_owned())?;
            self.seen.insert("outdated");
            self.reload(node, room, limits::RECENT_ENTRIES);
        }
        Ok(())
    }

    /// Applies the tail, then lets the machine judge what was in flight by the members of before.
    fn tail_without_revalidation(
        &mut self,
        node: usize,
        room: usize,
        page: LogPage,
    ) -> Result<(), Violation> {
        let last = page.entries.last().map(|row| row.seq);
        if last != Some(page.head.seq) {
            return self.tail_arrived(node, room, page);
        }
        let stale = self.logs[room].roster(self.machine(node, room).head().seq).iter();
        let stale: Vec<_> = stale
            .map(|(user_id, role)| MemberRow {
                user_id: *user_id,
                role: *role,
                joined_at: 0,
                muted_until: 0,
            })
            .collect();
        let mut unfinished = page.clone();
        unfinished.head.seq += 1;
        self.tail_arrived(node, room, unfinished)?;
        self.owners[node][room].tail = Tail::NotAsked;
        let members = &mut self.owners[node][room].machine.members;
        let current = std::mem::replace(members, Members::new(&stale, SHARDS));
        let rest = LogPage { entries: Vec::new(), ..page };
        let result = self.tail_arrived(node, room, rest);
        self.owners[node][room].machine.members = current;
        result
    }

    /// Drops a conversation that nobody uses from a node's memory; it is loaded again.
    pub(super) fn forget(&mut self, node: usize, room: usize, recent: usize) {
        if self.machine(node, room).is_quiet() {
            self.reload(node, room, recent);
        }
    }

    fn reload(&mut self, node: usize, room: usize, recent: usize) {
        let mut fresh = self.load(node, room, recent);
        let owner = &mut self.owners[node][room];
        fresh.incarnation = owner.incarnation + 1;
        std::mem::swap(&mut fresh.writer, &mut owner.writer);
        *owner = fresh;
    }

    /// Sets how many entries a writer's queue takes.
    pub(super) fn set_room(&mut self, node: usize, room: usize, entries: usize) {
        self.owners[node][room].writer.room = entries;
    }

    /// Time passes everywhere.
    pub(super) fn sleep(&mut self, seconds: u32) {
        self.seconds += seconds;
    }

    /// Retention runs.
    pub(super) fn trim(&mut self, room: usize) {
        self.logs[room].trim(self.seconds);
    }
}

fn moment(node: usize, started: Instant, seconds: u32, generation: &mut u64) -> Moment<'_> {
    let skew_ms = if node == 0 { 0 } else { SKEW_MS };
    let unix_ms = START_MS + i64::from(seconds) * 1000 - skew_ms;
    let at = started + Duration::from_secs(seconds.into());
    Moment { unix_ms, at, generation }
}
