//! A log with the semantics of `ringwire_storage::append`, and a writer in front of it.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{ConversationId, Seq, wire};
use ringwire_storage::append::{Append, Change, Completion, HEAD_TRUST, Outcome};
use ringwire_storage::model::{
    ConversationSnapshot, ConversationState, EntryMarks, EntryRow, LogHead, LogPage, MemberRow,
    Role,
};

use super::Violation;
use super::group::Group;
use super::model::require;

/// From this many collisions on a writer puts messages behind the tail. (The real one waits for more.)
const HOT: usize = 1;
/// The most entries that go behind a tail together.
const RUN_MAX: usize = 3;
/// Retention keeps what was written since.
const KEPT_S: u32 = 600;
/// The database refuses entries with this text.
pub(super) const POISON: &str = "poison";

/// One conversation as the database has it.
pub(super) struct Log {
    pub(super) id: ConversationId,
    /// Every entry ever written, as it was written, also those that retention has removed since; seq = index + 1.
    pub(super) history: Vec<EntryRow>,
    /// What later entries made of each, and since which; the first is as it was written.
    versions: Vec<Vec<(Seq, EntryRow)>>,
    /// What the log had made of the conversation after each entry; index = seq, so the first is before it began.
    groups: Vec<Group>,
    /// When each entry was written.
    written_s: Vec<u32>,
    /// Entries below are gone.
    pub(super) floor: Seq,
}

impl Log {
    /// A conversation that one entry of its owner has made.
    pub(super) fn new(id: ConversationId, group: Group) -> Self {
        let created = wire::EntryBody {
            kind: Some(wire::entry_body::Kind::Created(wire::Created::default())),
        };
        let owner = group.members.iter().find(|(_, standing)| standing.role == Role::Owner);
        let row = EntryRow {
            conversation_id: id,
            seq: 1,
            msg_no: 0,
            sender_id: owner.map(|(user, _)| *user),
            created_at: 0,
            client_msg_id: "created".to_owned(),
            body: created.encode_to_vec().into(),
            damaged: false,
            marks: None,
            command_hash: 0,
        };
        Self {
            id,
            versions: vec![vec![(1, row.clone())]],
            history: vec![row],
            groups: vec![group.clone(), group],
            written_s: vec![0],
            floor: 1,
        }
    }

    pub(super) fn row(&self, seq: Seq) -> Option<&EntryRow> {
        self.history.get((seq as usize).checked_sub(1)?)
    }

    /// What the log had made of the conversation after an entry.
    pub(super) fn group(&self, seq: Seq) -> &Group {
        &self.groups[seq as usize]
    }

    /// An entry as it is now.
    pub(super) fn present(&self, seq: Seq) -> Option<&EntryRow> {
        self.kept(seq)?;
        self.versions[seq as usize - 1].last().map(|(_, row)| row)
    }

    /// An entry as it was after the entry at `head`, and as it has been since.
    pub(super) fn versions_since(&self, seq: Seq, head: Seq) -> impl Iterator<Item = &EntryRow> {
        let versions = &self.versions[seq as usize - 1];
        let first = versions.partition_point(|(since, _)| *since <= head).saturating_sub(1);
        versions[first..].iter().map(|(_, row)| row)
    }

    pub(super) fn head(&self) -> LogHead {
        self.history.last().map(EntryRow::head).unwrap_or_default()
    }

    fn kept(&self, seq: Seq) -> Option<&EntryRow> {
        self.row(seq).filter(|_| seq >= self.floor)
    }

    fn kept_after(&self, seq: Seq) -> &[EntryRow] {
        &self.history[(seq.max(self.floor - 1) as usize).min(self.history.len())..]
    }

    /// What one transaction does: all that the primary key, the dedupe key and the base check decide.
    fn insert(&mut self, append: &Append, at: Instant, now_s: u32) -> Result<Outcome, Violation> {
        let row = row_of(append);
        let twin = self.kept_after(0).iter().find(|other| {
            other.sender_id == row.sender_id && other.client_msg_id == row.client_msg_id
        });
        if let Some(twin) = twin {
            return Ok(if *twin == row {
                Outcome::Committed
            } else {
                Outcome::Duplicate {
                    seq: twin.seq,
                    msg_no: twin.msg_no,
                    created_at: twin.created_at,
                    command_hash: twin.command_hash,
                }
            });
        }
        let base_missing = is_doubtful(append, at) && self.kept(row.seq - 1).is_none();
        if base_missing || self.kept(row.seq).is_some() {
            return Ok(Outcome::Conflict);
        }
        if text(&row.body).contains(POISON) {
            return Ok(Outcome::Rejected { reason: "cannot be stored".to_owned() });
        }
        self.store(row, &append.change, now_s)?;
        Ok(Outcome::Committed)
    }

    /// Puts messages behind messages that their owner has not seen, as one transaction does; `None`: they are not, or
    /// something else speaks against it.
    fn insert_behind(
        &mut self,
        run: &[Append],
        now_s: u32,
    ) -> Result<Option<Vec<Outcome>>, Violation> {
        let (Some(first), Some(base)) = (run.first(), self.kept(run[0].seq - 1)) else {
            return Ok(None);
        };
        let mut tail = self.present_after(base.seq);
        let log = std::iter::once(base).chain(&tail);
        let messages = log.zip(&tail).all(|(row, next)| next.msg_no == row.msg_no + 1);
        let fits = first.msg_no == base.msg_no + 1
            && run.iter().all(|append| {
                matches!(
                    append.change,
                    Change::None | Change::Mention { .. } | Change::Carry { .. }
                )
            })
            && !run.iter().any(|append| text(&append.body).contains(POISON));
        let fresh = |append: &Append| {
            !self.kept_after(0).iter().any(|row| {
                row.sender_id == append.sender_id && row.client_msg_id == *append.client_msg_id
            })
        };
        if !messages || !fits || !run.iter().all(fresh) {
            return Ok(None);
        }
        let in_place = tail.is_empty();
        let mut outcomes = Vec::new();
        for append in run {
            let head = self.head();
            let row = EntryRow {
                seq: head.seq + 1,
                msg_no: head.msg_no + 1,
                created_at: head.created_at.max(append.created_at),
                ..row_of(append)
            };
            let (seq, msg_no, created_at) = (row.seq, row.msg_no, row.created_at);
            self.store(row, &append.change, now_s)?;
            outcomes.push(if in_place {
                Outcome::Committed
            } else {
                Outcome::Moved { seq, msg_no, created_at, tail: std::mem::take(&mut tail) }
            });
        }
        Ok(Some(outcomes))
    }

    /// No key forbids the row, so the database takes it. Only a correct owner keeps the log whole.
    fn store(&mut self, row: EntryRow, change: &Change, now_s: u32) -> Result<(), Violation> {
        let before = self.group(self.head().seq);
        let after = before.follow(self.head(), &row)?;
        let mut stored = before.clone();
        stored.store(row.sender_id.ok_or("an entry without sender")?, change);
        if let Some(said) = after.messages.get(&row.seq) {
            stored.messages.insert(row.seq, *said);
        }
        require(stored == after, || format!("{change:?} is not what {} tells", row.seq))?;
        self.versions.push(vec![(row.seq, row.clone())]);
        self.change_rows(&row, change)?;
        self.history.push(row);
        self.groups.push(after);
        self.written_s.push(now_s);
        Ok(())
    }

    /// What a change makes of earlier entries.
    fn change_rows(&mut self, row: &EntryRow, change: &Change) -> Result<(), Violation> {
        match change {
            Change::Edit { target_seq, body, .. } => {
                let told = edited_of(row).ok_or("an edit that tells of none")?;
                let message = told.message.map(wire::entry_body::Kind::Message);
                let expected = wire::EntryBody { kind: message }.encode_to_vec();
                require(expected == *body, || format!("{} edits otherwise", row.seq))?;
                self.revise(*target_seq, row.seq, |target, marks| {
                    target.body = body.clone();
                    marks.edited_at = row.created_at;
                });
            }
            Change::Recall { target_seq } => {
                self.revise(*target_seq, row.seq, |target, marks| {
                    target.body = Bytes::new();
                    marks.recalled_at = row.created_at;
                });
                let edits: Vec<Seq> = { self.history.iter() }
                    .filter(|row| edited_of(row).is_some_and(|told| told.target_seq == *target_seq))
                    .map(|row| row.seq)
                    .collect();
                for edit in edits {
                    self.revise(edit, row.seq, |edit, _| edit.body = Bytes::new());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn revise(
        &mut self,
        seq: Seq,
        since: Seq,
        change: impl FnOnce(&mut EntryRow, &mut EntryMarks),
    ) {
        let Some(versions) = self.versions.get_mut(seq as usize - 1) else { return };
        let Some((_, row)) = versions.last() else { return };
        let mut row = row.clone();
        let mut marks = row.marks.take().unwrap_or_default();
        change(&mut row, &mut marks);
        row.marks = (*marks != EntryMarks::default()).then_some(marks);
        versions.push((since, row));
    }

    /// The entries behind a position, as they are now.
    fn present_after(&self, seq: Seq) -> Vec<EntryRow> {
        let kept = self.kept_after(seq).iter();
        kept.filter_map(|row| self.present(row.seq).cloned()).collect()
    }

    /// What an owner asks for after a conflict.
    pub(super) fn tail(&self, after: Seq, limit: usize) -> LogPage {
        let entries = self.present_after(after).into_iter().take(limit).collect();
        LogPage { entries, head: self.head(), floor_seq: self.floor }
    }

    /// What an owner begins with.
    pub(super) fn snapshot(&self, recent_limit: usize) -> ConversationSnapshot {
        let group = self.group(self.head().seq);
        let members = group.members.iter().map(|(user_id, standing)| MemberRow {
            user_id: *user_id,
            role: standing.role,
            joined_at: 0,
            muted_until: standing.muted_until,
        });
        let present = self.present_after(0);
        ConversationSnapshot {
            conversation_id: self.id,
            kind: group.kind,
            settings: group.settings.encode_to_vec().into(),
            head: self.head(),
            floor_seq: self.floor,
            members: members.collect(),
            recent: present[present.len().saturating_sub(recent_limit)..].to_vec(),
            state: ConversationState {
                muted_until: group.muted_until,
                bans: group.bans.iter().map(|(user, until)| (*user, *until)).collect(),
                requests: group.requests.iter().copied().collect(),
                pins: group.pins.clone(),
                blocked: false,
                dissolved: group.over,
            },
        }
    }

    /// Removes what is old enough, never the newest entry.
    pub(super) fn trim(&mut self, now_s: u32) {
        let removed = self.written_s.iter().take_while(|at| **at + KEPT_S < now_s).count();
        self.floor = self.floor.max(removed.min(self.history.len() - 1) as Seq + 1);
    }

    /// The texts of all messages, in order.
    pub(super) fn texts(&self) -> Vec<String> {
        self.history.iter().map(|row| text(&row.body)).filter(|text| !text.is_empty()).collect()
    }
}

/// A node's writer for one conversation, with the backlog that the shard keeps in front of it.
pub(super) struct Writer {
    pub(super) queue: VecDeque<Append>,
    pub(super) backlog: VecDeque<Append>,
    pub(super) answers: VecDeque<Completion>,
    /// How many entries the queue takes.
    pub(super) room: usize,
    /// Generation and first position that go back unwritten.
    stale: Option<(u64, Seq)>,
    /// How often another node was there first, less how often nobody was.
    collisions: usize,
}

impl Writer {
    pub(super) fn new(room: usize) -> Self {
        let (queue, backlog, answers) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { queue, backlog, answers, room, stale: None, collisions: 0 }
    }

    /// `false`: there is no room, and the entry may be refused.
    pub(super) fn submit(&mut self, append: Append, fresh: bool) -> bool {
        let room = self.backlog.is_empty() && self.queue.len() < self.room;
        if room {
            self.queue.push_back(append);
        } else if !fresh {
            self.backlog.push_back(append);
        }
        room || !fresh
    }

    /// Writes the oldest entry of the queue. `answer_lost`: the connection breaks after the commit, so that the writer
    /// has to submit the entry again.
    pub(super) fn write_one(
        &mut self,
        log: &mut Log,
        at: Instant,
        now_s: u32,
        answer_lost: bool,
    ) -> Result<(), Violation> {
        while self.queue.len() < self.room
            && let Some(append) = self.backlog.pop_front()
        {
            self.queue.push_back(append);
        }
        let Some(append) = self.queue.front() else { return Ok(()) };
        let held = self.stale.is_some_and(|(generation, from_seq)| {
            append.generation < generation
                || append.generation == generation && append.seq >= from_seq
        });
        let outcomes = if held {
            vec![Outcome::Conflict]
        } else if self.collisions >= HOT
            && let Some(outcomes) = log.insert_behind(&self.run(), now_s)?
        {
            outcomes
        } else {
            vec![log.insert(append, at, now_s)?]
        };
        if answer_lost {
            return Ok(());
        }
        for outcome in outcomes {
            let Some(append) = self.queue.pop_front() else { break };
            if !held {
                self.note(&append, &outcome);
            }
            self.answers.push_back(Completion {
                conversation_id: append.conversation_id,
                seq: append.seq,
                token: append.token,
                generation: append.generation,
                outcome,
            });
        }
        Ok(())
    }

    /// The entries at the front of the queue that follow each other.
    fn run(&self) -> Vec<Append> {
        let mut run: Vec<Append> = Vec::new();
        for append in self.queue.iter().take(RUN_MAX) {
            let follows = run.last().is_none_or(|before| {
                (before.generation, before.seq + 1, before.msg_no + 1)
                    == (append.generation, append.seq, append.msg_no)
            });
            if !follows {
                break;
            }
            run.push(append.clone());
        }
        run
    }

    fn note(&mut self, append: &Append, outcome: &Outcome) {
        self.stale = match outcome {
            Outcome::Committed => None,
            Outcome::Moved { .. } => Some((append.generation, append.seq + 1)),
            Outcome::Conflict | Outcome::Duplicate { .. } | Outcome::Rejected { .. } => {
                Some((append.generation, append.seq))
            }
        };
        match outcome {
            Outcome::Conflict => self.collisions += 1,
            Outcome::Committed => self.collisions = self.collisions.saturating_sub(1),
            Outcome::Moved { .. } | Outcome::Duplicate { .. } | Outcome::Rejected { .. } => {}
        }
    }
}

/// Whether it may only be written if its base is there.
pub(super) fn is_doubtful(append: &Append, at: Instant) -> bool {
    append.check_base || at.duration_since(append.head_confirmed_at) > HEAD_TRUST
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

/// What an edit tells; `None`: it is none, or was taken back.
fn edited_of(row: &EntryRow) -> Option<wire::Edited> {
    match wire::EntryBody::decode(row.body.clone()).ok()?.kind? {
        wire::entry_body::Kind::Edited(edited) => Some(edited),
        _ => None,
    }
}

/// The body of a text message.
pub(super) fn message(text: &str) -> Bytes {
    let message = wire::Message { text: text.to_owned(), ..Default::default() };
    wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) }.encode_to_vec().into()
}

/// The text of a body; empty: it is no message.
fn text(body: &Bytes) -> String {
    match wire::EntryBody::decode(body.clone()).unwrap_or_default().kind {
        Some(wire::entry_body::Kind::Message(message)) => message.text,
        _ => String::new(),
    }
}
