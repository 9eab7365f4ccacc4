//! A node: the owner of every conversation, as simple as can be, with several entries of each in flight. It re-bases as
//! the gateway does: after anything but `Committed` or `Moved` it loads the tail, follows it, and tries again in order
//! what was in flight.

use std::collections::VecDeque;
use std::fmt;
use std::ops::AddAssign;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use ringwire_protocol::{ConversationId, UnixMs};
use ringwire_storage::Store;
use ringwire_storage::append::{Append, Change, Completion, Outcome};
use ringwire_storage::model::{EntryRow, LogHead, Role};
use tokio::runtime::Handle;

use super::model::{Roster, follow, founders, heir, text};
use super::script::{Command, Deed, Script};
use crate::support::body;

/// Only a hanging test ever waits this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a command was told in the end.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It is in the log.
    Committed(LogHead),
    /// The id was used before: where, and the hash of that command.
    Known(LogHead, i64),
    /// The database does not take it.
    Rejected,
    /// The owner does not allow it.
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) node: usize,
    pub(super) command: Command,
    pub(super) answer: Answer,
}

/// What it took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) submitted: u64,
    /// Of them `moved` behind a tail.
    pub(super) committed: u64,
    pub(super) moved: u64,
    pub(super) conflicts: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    pub(super) refused: u64,
    pub(super) tails_read: u64,
}

impl Counts {
    /// A race in which nobody met tests nothing.
    pub(super) fn assert_everything_happened(&self) {
        let all = [
            self.committed,
            self.moved,
            self.conflicts,
            self.duplicates,
            self.rejected,
            self.refused,
            self.tails_read,
        ];
        assert!(all.iter().all(|&count| count > 0), "something never happened: {self}");
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.submitted += more.submitted;
        self.committed += more.committed;
        self.moved += more.moved;
        self.conflicts += more.conflicts;
        self.duplicates += more.duplicates;
        self.rejected += more.rejected;
        self.refused += more.refused;
        self.tails_read += more.tails_read;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_entry = self.submitted as f64 / self.committed.max(1) as f64;
        write!(f, "{self:?}, {per_entry:.2} attempts an entry")
    }
}

/// What a node gives back.
pub(super) struct Done {
    pub(super) answers: Receiver<Completion>,
    pub(super) told: Vec<Told>,
    pub(super) counts: Counts,
}

pub(super) struct Node {
    number: usize,
    store: Store,
    answers: Receiver<Completion>,
    depth: usize,
    clock: UnixMs,
    lines: Vec<Line>,
    told: Vec<Told>,
    counts: Counts,
}

/// One conversation as the node sees it.
struct Line {
    id: ConversationId,
    head: LogHead,
    confirmed_at: Instant,
    roster: Roster,
    generation: u64,
    /// An entry went behind a tail since the generation began: the later ones come back, and the tail is known.
    moved: bool,
    next_token: u64,
    in_flight: VecDeque<(Command, Append)>,
    pending: VecDeque<Command>,
}

impl Node {
    pub(super) fn new(
        number: usize,
        store: Store,
        answers: Receiver<Completion>,
        ids: &[ConversationId],
        script: &Script,
        commands: &[Command],
    ) -> Self {
        let lines = ids.iter().enumerate().map(|(place, &id)| Line {
            id,
            head: LogHead { seq: 1, msg_no: 0, created_at: 1 },
            confirmed_at: Instant::now(),
            roster: founders(),
            generation: 1,
            moved: false,
            next_token: 0,
            in_flight: VecDeque::new(),
            pending: commands.iter().filter(|c| c.conversation == place).cloned().collect(),
        });
        let lines = lines.collect();
        // The clocks of nodes differ.
        let clock = 1_000 + 50 * number as UnixMs;
        let (told, counts) = (Vec::new(), Counts::default());
        Self { number, store, answers, depth: script.depth, clock, lines, told, counts }
    }

    /// Brings every command to an answer. Blocks.
    pub(super) fn run(mut self) -> Done {
        loop {
            for place in 0..self.lines.len() {
                self.feed(place);
            }
            let idle = |line: &Line| line.in_flight.is_empty() && line.pending.is_empty();
            if self.lines.iter().all(idle) {
                let Self { answers, told, counts, .. } = self;
                return Done { answers, told, counts };
            }
            self.hear(&self.answers.recv_timeout(PATIENCE).expect("an answer in time"));
            while let Ok(completion) = self.answers.try_recv() {
                self.hear(&completion);
            }
        }
    }

    /// Submits what may be submitted, in order.
    fn feed(&mut self, place: usize) {
        loop {
            let line = &mut self.lines[place];
            if line.in_flight.len() >= self.depth {
                return;
            }
            let Some(command) = line.pending.pop_front() else { return };
            let Some(change) = line.decide(&command) else {
                if line.in_flight.is_empty() {
                    self.counts.refused += 1;
                    self.tell(command, Answer::Refused);
                    continue;
                }
                // What is in flight may not come to pass.
                line.pending.push_front(command);
                return;
            };
            self.clock += 1;
            let append = line.append(&command, change, self.clock, self.number as u16);
            line.in_flight.push_back((command, append.clone()));
            self.counts.submitted += 1;
            self.store.submit(append).expect("room in the queue");
        }
    }

    fn tell(&mut self, command: Command, answer: Answer) {
        self.told.push(Told { node: self.number, command, answer });
    }

    fn hear(&mut self, completion: &Completion) {
        let current = |line: &Line| {
            line.id == completion.conversation_id && line.generation == completion.generation
        };
        // What was tried again since is of no interest.
        let Some(place) = self.lines.iter().position(current) else { return };
        let line = &mut self.lines[place];
        let first = line.in_flight.front().map(|(_, append)| append.token);
        assert_eq!(first, Some(completion.token), "answers come in log order");
        match &completion.outcome {
            Outcome::Moved { seq, msg_no, created_at, tail } => {
                let (command, append) = line.in_flight.pop_front().expect("just seen");
                for row in tail {
                    line.follow(row, append.head_confirmed_at);
                }
                let head = LogHead { seq: *seq, msg_no: *msg_no, created_at: *created_at };
                line.follow(&at(head, row_of(&append)), append.head_confirmed_at);
                line.moved = true;
                if line.in_flight.is_empty() {
                    line.next_generation();
                }
                self.counts.committed += 1;
                self.counts.moved += 1;
                self.tell(command, Answer::Committed(head));
            }
            Outcome::Committed => {
                let (command, append) = line.in_flight.pop_front().expect("just seen");
                line.follow(&row_of(&append), append.head_confirmed_at);
                let head = line.head;
                self.counts.committed += 1;
                self.tell(command, Answer::Committed(head));
            }
            Outcome::Conflict => {
                self.counts.conflicts += 1;
                if line.moved {
                    line.next_generation();
                } else {
                    self.rebase(place);
                }
            }
            Outcome::Duplicate { seq, msg_no, created_at, command_hash } => {
                let (command, _) = line.in_flight.pop_front().expect("just seen");
                self.counts.duplicates += 1;
                let head = LogHead { seq: *seq, msg_no: *msg_no, created_at: *created_at };
                self.tell(command, Answer::Known(head, *command_hash));
                self.rebase(place);
            }
            Outcome::Rejected { .. } => {
                let (command, _) = line.in_flight.pop_front().expect("just seen");
                self.counts.rejected += 1;
                self.tell(command, Answer::Rejected);
                self.rebase(place);
            }
        }
    }

    /// Follows the log to its end, and puts what was in flight back to be tried again.
    fn rebase(&mut self, place: usize) {
        let line = &mut self.lines[place];
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            let asked_at = Instant::now();
            self.counts.tails_read += 1;
            let tail =
                match Handle::current().block_on(self.store.load_tail(line.id, line.head.seq, 100))
                {
                    Ok(tail) => tail.expect("the conversation is there"),
                    Err(error) if error.is_temporary() && Instant::now() < give_up_at => continue,
                    Err(error) => panic!("{error}"),
                };
            for row in &tail.entries {
                line.follow(row, asked_at);
            }
            if line.head == tail.head {
                line.confirmed_at = asked_at;
                break;
            }
            assert!(
                !tail.entries.is_empty(),
                "knows {:?}, the log ends at {:?}",
                line.head,
                tail.head
            );
        }
        line.next_generation();
    }
}

impl Line {
    /// What the command changes, if it may be, given everything in flight.
    fn decide(&self, command: &Command) -> Option<Change> {
        let roster = self.view();
        let user_id = command.sender;
        let member = roster.get(&user_id);
        match command.deed {
            Deed::Say | Deed::Poison => member.map(|_| Change::None),
            Deed::Join => member.is_none().then(|| Change::Join(vec![user_id])),
            Deed::Leave => member.map(|role| Change::Leave {
                user_id,
                new_owner_id: if *role == Role::Owner { heir(&roster, user_id) } else { None },
            }),
        }
    }

    /// The members when everything in flight has committed.
    fn view(&self) -> Roster {
        let mut roster = self.roster.clone();
        for (_, append) in &self.in_flight {
            follow(&mut roster, &row_of(append)).expect("decided before");
        }
        roster
    }

    fn append(&mut self, command: &Command, change: Change, clock: UnixMs, origin: u16) -> Append {
        let last = self.in_flight.back().map_or(self.head, |(_, last)| row_of(last).head());
        let countable = matches!(command.deed, Deed::Say | Deed::Poison);
        self.next_token += 1;
        Append {
            conversation_id: self.id,
            seq: last.seq + 1,
            msg_no: last.msg_no + u64::from(countable),
            sender_id: Some(command.sender),
            created_at: clock.max(last.created_at),
            client_msg_id: command.id.as_str().into(),
            body: body(&text(command, &self.view())),
            command_hash: command.hash,
            change,
            head_confirmed_at: self.confirmed_at,
            check_base: false,
            origin,
            token: self.next_token,
            generation: self.generation,
        }
    }

    /// Puts what was in flight back to be tried again.
    fn next_generation(&mut self) {
        self.generation += 1;
        self.moved = false;
        while let Some((command, _)) = self.in_flight.pop_back() {
            self.pending.push_front(command);
        }
    }

    fn follow(&mut self, row: &EntryRow, confirmed_at: Instant) {
        assert_eq!(row.seq, self.head.seq + 1, "every entry in its turn");
        follow(&mut self.roster, row).expect("the log is sound");
        self.head = row.head();
        self.confirmed_at = confirmed_at;
    }
}

/// The entry at another position.
fn at(head: LogHead, row: EntryRow) -> EntryRow {
    EntryRow { seq: head.seq, msg_no: head.msg_no, created_at: head.created_at, ..row }
}

fn row_of(append: &Append) -> EntryRow {
    EntryRow {
        conversation_id: append.conversation_id,
        seq: append.seq,
        msg_no: append.msg_no,
        sender_id: append.sender_id,
        created_at: append.created_at,
        client_msg_id: append.client_msg_id.to_string(),
        body: append.body.clone(),
        damaged: false,
        marks: None,
        command_hash: append.command_hash,
    }
}
