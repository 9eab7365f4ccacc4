//! Two nodes that own the same conversations, one database, and nothing that happens by itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, UserId, wire};
use ringwire_storage::append::{Append, Outcome};
use ringwire_storage::model::{ConversationKind, EntryRow, LogPage, MemberRow, Role};
use wire::group_settings::JoinPolicy;

use super::Violation;
use super::group::{Group, Standing};
use super::model::{Asked, Ledger, require};
use super::store::{Log, Writer, is_doubtful, message};
use crate::command::key::CommandKey;
use crate::conversation::answer::ReplyTo;
use crate::conversation::members::{Member, Members};
use crate::conversation::settings::join_code;
use crate::conversation::{Conversation, Effect, Intent, Mentions, Moment, Submission, Terms};
use crate::limits;
use crate::session::cursors::Cursor;
use crate::session::registry::SessionKey;

pub(super) const NODES: usize = 2;
/// A room that anyone may join, and a group for at most four.
pub(super) const ROOMS: usize = 2;
pub(super) const USERS: u64 = 5;
const SHARDS: usize = 3;
/// How long a message may be edited or taken back by its sender.
pub(super) const WINDOW_MS: u64 = 300_000;
const START_MS: i64 = 1_700_000_000_000;
/// How slow the second node's clock is.
pub(super) const SKEW_MS: i64 = 5_000;
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
    /// Lets what was taken back be edited.
    EditAfterRecall,
    /// Lets those send who are muted.
    MutedSends,
    /// Lets an admin go on who is none any more, or no member.
    FormerAdminActs,
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

/// An entry that a machine asked for.
pub(super) struct Target {
    pub(super) seq: Seq,
    pub(super) asked: u64,
    /// The store was read, and its answer is on its way.
    pub(super) read: bool,
    /// What it told.
    pub(super) row: Option<EntryRow>,
}

/// One conversation at one node.
pub(super) struct Owner {
    pub(super) machine: Conversation,
    pub(super) writer: Writer,
    pub(super) tail: Tail,
    pub(super) targets: VecDeque<Target>,
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
    terms: Terms,
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
        let roles = [(1, Role::Owner), (2, Role::Member), (3, Role::Admin)];
        let standing = |(number, role)| (user(number), Standing { role, muted_until: 0 });
        let room = Group {
            kind: ConversationKind::Room,
            settings: wire::GroupSettings::default(),
            members: roles.into_iter().map(standing).collect(),
            bans: BTreeMap::new(),
            requests: BTreeSet::new(),
            pins: Vec::new(),
            muted_until: 0,
            over: false,
            messages: BTreeMap::new(),
            reactions: BTreeSet::new(),
        };
        let settings = wire::GroupSettings {
            join_policy: Some(JoinPolicy::Open.into()),
            max_members: Some(4),
            ..Default::default()
        };
        let group = Group { kind: ConversationKind::Group, settings, ..room.clone() };
        let id = |number| ConversationId::new(number).unwrap();
        let logs = vec![Log::new(id(1), room), Log::new(id(2), group)];
        let mut world = Self {
            logs,
            ledger: Ledger::default(),
            owners: Vec::new(),
            generations: [0; NODES],
            terms: Terms {
                edit_window_ms: WINDOW_MS,
                recall_window_ms: WINDOW_MS,
                ..Terms::permissive(SHARDS)
            },
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
        let mut now = moment(node, started, seconds, &mut self.generations[node], &self.terms);
        let mut machine = Conversation::new(snapshot, &mut now);
        // The store would say that there is no such conversation.
        machine.state.dissolved = self.logs[room].group(next - 1).over;
        let (writer, targets) = (Writer::new(8), VecDeque::new());
        Owner { machine, writer, tail: Tail::NotAsked, targets, next, incarnation: 0 }
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
        let (started, seconds) = (self.started, self.seconds);
        let mut now = moment(node, started, seconds, &mut self.generations[node], &self.terms);
        let machine = &mut self.owners[node][room].machine;
        sabotage_before(self.fault, machine);
        command(machine, &mut now, &mut effects);
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
            _ => String::new(),
        };
        let reply_to = self.note(node, room, user(from), id, after, Some((hash, intent.clone())));
        let submission = Submission {
            from: user(from),
            reply_to,
            client_msg_id: id.into(),
            intent,
            command_hash: hash,
            also: Vec::new(),
        };
        let fault = self.fault;
        self.command(node, room, |machine, now, effects| {
            let admin = machine.state.members.get(user(3));
            if fault == Fault::FormerAdminActs {
                let member = Member { role: Role::Admin, muted_until: 0 };
                machine.state.members.set(user(3), Some(member));
            }
            machine.submit(submission, now, effects);
            if fault == Fault::FormerAdminActs {
                machine.state.members.set(user(3), admin);
            }
        })?;
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
        self.ask(node, room, from, id, saying(text, ""))
    }

    /// Moves a read cursor.
    pub(super) fn read(
        &mut self,
        node: usize,
        room: usize,
        from: u64,
        seq: Seq,
    ) -> Result<(), Violation> {
        let reply_to = self.note(node, room, user(from), "", String::new(), None);
        self.command(node, room, |machine, now, effects| {
            machine.raise(user(from), Cursor::read(seq), reply_to, now, effects);
        })
    }

    fn note(
        &mut self,
        node: usize,
        room: usize,
        from: UserId,
        id: &str,
        after: String,
        intent: Option<(i64, Intent)>,
    ) -> ReplyTo {
        let incarnation = self.owners[node][room].incarnation;
        let id = id.to_owned();
        let (hash, intent) = intent.map_or((0, None), |(hash, intent)| (hash, Some(intent)));
        let command_id = self.ledger.asked.len() as u64;
        self.ledger.asked.push(Asked {
            node,
            room,
            incarnation,
            from,
            id,
            after,
            hash,
            intent,
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

    /// The next step of reading the entries that commands are about: what was read arrives, or is read.
    pub(super) fn target(
        &mut self,
        node: usize,
        room: usize,
        reading: Reading,
    ) -> Result<(), Violation> {
        let Some(target) = self.owners[node][room].targets.pop_front() else { return Ok(()) };
        let Target { seq, asked, read, row } = target;
        let row = match (read, reading) {
            (true, _) => Ok(row),
            (false, Reading::Happens(_)) => {
                let row = self.logs[room].present(seq).cloned();
                let read = Target { seq, asked, read: true, row };
                self.owners[node][room].targets.push_back(read);
                return Ok(());
            }
            (false, Reading::Fails) => {
                Err(CommandError::new(ErrorCode::Unavailable, "the database is away"))
            }
        };
        self.seen.insert(if row.is_ok() { "target told" } else { "target not told" });
        self.command(node, room, |machine, now, effects| {
            machine.target_loaded(seq, asked, row, now, effects);
        })
    }

    /// What lets into a group by link now.
    pub(super) fn join_code(&self, room: usize) -> Option<String> {
        let log = &self.logs[room];
        join_code(&log.group(log.head().seq).settings, log.id, &self.terms.key)
    }

    /// Where a user's messages are, also those that were taken back.
    pub(super) fn said_by(&self, room: usize, from: UserId) -> Vec<Seq> {
        let log = &self.logs[room];
        let messages = log.group(log.head().seq).messages.iter();
        messages.filter(|(_, said)| said.by == from).map(|(seq, _)| *seq).collect()
    }

    /// Unix time at a node.
    pub(super) fn unix_ms(&self, node: usize) -> i64 {
        unix_ms(node, self.seconds)
    }

    fn tail_arrived(&mut self, node: usize, room: usize, page: LogPage) -> Result<(), Violation> {
        let floor = page.floor_seq;
        self.command(node, room, |machine, now, effects| {
            machine.tail_loaded(Some(page), now, effects);
        })?;
        let machine = self.machine(node, room);
        if machine.is_outdated() {
            let over = self.logs[room].group(machine.head().seq).over;
            let cut = floor > machine.head().seq + 1;
            require(cut || over, || "outdated although nothing was cut".to_owned())?;
            if !over {
                require(machine.is_quiet(), || "outdated and not quiet".to_owned())?;
                self.seen.insert("outdated");
                self.reload(node, room, limits::RECENT_ENTRIES);
            }
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
        let stale = &self.logs[room].group(self.machine(node, room).head().seq).members;
        let stale: Vec<_> = stale
            .iter()
            .map(|(user_id, standing)| MemberRow {
                user_id: *user_id,
                role: standing.role,
                joined_at: 0,
                muted_until: standing.muted_until,
            })
            .collect();
        let mut unfinished = page.clone();
        unfinished.head.seq += 1;
        self.tail_arrived(node, room, unfinished)?;
        self.owners[node][room].tail = Tail::NotAsked;
        let members = &mut self.owners[node][room].machine.state.members;
        let current = std::mem::replace(members, Members::new(&stale, SHARDS));
        let rest = LogPage { entries: Vec::new(), ..page };
        let result = self.tail_arrived(node, room, rest);
        self.owners[node][room].machine.state.members = current;
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

fn unix_ms(node: usize, seconds: u32) -> i64 {
    let skew_ms = if node == 0 { 0 } else { SKEW_MS };
    START_MS + i64::from(seconds) * 1000 - skew_ms
}

/// What a sabotaged machine believes when a command comes.
fn sabotage_before(fault: Fault, machine: &mut Conversation) {
    let state = &mut machine.state;
    match fault {
        Fault::EditAfterRecall => machine.facts.forget_recalls(),
        Fault::MutedSends => {
            state.muted_until = 0;
            for user in state.members.users().collect::<Vec<_>>() {
                let member = state.members.get(user);
                state.members.set(user, member.map(|member| Member { muted_until: 0, ..member }));
            }
        }
        _ => {}
    }
}

/// The wish to say something.
pub(super) fn saying(text: &str, after: &str) -> Intent {
    let (mentions, files) = (Mentions::default(), Box::default());
    Intent::Send { body: message(text), after: after.into(), mentions, files }
}

/// The wish to address everyone.
pub(super) fn calling_all(text: &str) -> Intent {
    let message = wire::Message { text: text.to_owned(), mention_all: true, ..Default::default() };
    let body = encode(wire::entry_body::Kind::Message(message));
    let mentions = Mentions { all: true, ..Default::default() };
    Intent::Send { body, after: "".into(), mentions, files: Box::default() }
}

/// The wish to say something else instead.
pub(super) fn editing(target_seq: Seq, text: &str) -> Intent {
    let message = wire::Message { text: text.to_owned(), ..Default::default() };
    let edited = wire::Edited { target_seq, message: Some(message.clone()) };
    Intent::Edit {
        target_seq,
        body: encode(wire::entry_body::Kind::Message(message)),
        edited: encode(wire::entry_body::Kind::Edited(edited)),
        mention_all: false,
        files: Box::default(),
    }
}

fn encode(kind: wire::entry_body::Kind) -> Bytes {
    wire::EntryBody { kind: Some(kind) }.encode_to_vec().into()
}

/// The wish to become a member of what is open.
pub(super) fn joining() -> Intent {
    Intent::Join { code: "".into(), text: "".into() }
}

fn moment<'a>(
    node: usize,
    started: Instant,
    seconds: u32,
    generation: &'a mut u64,
    terms: &'a Terms,
) -> Moment<'a> {
    let unix_ms = unix_ms(node, seconds);
    let at = started + Duration::from_secs(seconds.into());
    Moment { unix_ms, at, generation, terms }
}
