//! The database, in memory: logs, members and cursors, with the semantics of `ringwire_storage`.
//!
//! It holds more than a database would: who belonged after each entry, and who wrote it, so that everything clients see
//! can be judged. Whatever a correct owner would never write is a finding.

use std::collections::BTreeMap;
use std::rc::Rc;

use ringwire_protocol::{ConversationId, Seq, UserId, wire};
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::model::{
    ConversationKind, ConversationSnapshot, CursorRow, EntryRow, HeadRow, LogHead, LogPage,
    SessionSnapshot, UserRow,
};

use crate::roster::Roster;

/// The database refuses entries that hold this text.
pub(crate) const POISON: &str = "poison";

/// One conversation.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) id: ConversationId,
    pub(crate) kind: ConversationKind,
    /// seq = index + 1.
    pub(crate) rows: Vec<EntryRow>,
    /// Who belonged after each entry; index = seq, so the first is from before the log began.
    rosters: Vec<Rc<Roster>>,
    /// Which of them another node wrote.
    rivals: Vec<bool>,
}

impl Log {
    pub(crate) fn head(&self) -> LogHead {
        self.rows.last().map(EntryRow::head).unwrap_or_default()
    }

    pub(crate) fn row(&self, seq: Seq) -> Option<&EntryRow> {
        self.rows.get((seq as usize).checked_sub(1)?)
    }

    fn after(&self, seq: Seq, limit: usize) -> Vec<EntryRow> {
        self.rows.iter().skip(seq as usize).take(limit).cloned().collect()
    }

    /// Who belongs now.
    pub(crate) fn roster(&self) -> &Rc<Roster> {
        &self.rosters[self.rows.len()]
    }

    /// Whether an entry is for this user: they belong after it or belonged before it.
    pub(crate) fn concerns(&self, seq: Seq, user: UserId) -> bool {
        let belongs = |seq: usize| self.rosters.get(seq).is_some_and(|roster| roster.has(user));
        belongs(seq as usize) || belongs((seq as usize).saturating_sub(1))
    }

    /// Whether another node wrote any of these.
    pub(crate) fn rival_wrote(&self, mut seqs: std::ops::RangeInclusive<Seq>) -> bool {
        seqs.any(|seq| self.rivals.get(seq as usize - 1).copied().unwrap_or(true))
    }

    fn twin(&self, append: &Append) -> Option<&EntryRow> {
        self.rows.iter().find(|row| {
            row.sender_id == append.sender_id && row.client_msg_id == *append.client_msg_id
        })
    }

    fn page(&self, after: Seq, limit: u32) -> LogPage {
        LogPage { entries: self.after(after, limit as usize), head: self.head(), floor_seq: 1 }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) logs: BTreeMap<ConversationId, Log>,
    /// Read and delivered.
    cursors: BTreeMap<(UserId, ConversationId), (Seq, Seq)>,
    /// What a correct owner would never have written.
    pub(crate) findings: Vec<String>,
    /// Sabotage: nothing keeps the same command from being stored twice.
    pub(crate) forgets_twins: bool,
}

impl Database {
    /// Makes a conversation whose first entry is `created`.
    pub(crate) fn create(
        &mut self,
        id: ConversationId,
        kind: ConversationKind,
        roster: Roster,
        created: EntryRow,
    ) {
        let roster = Rc::new(roster);
        let rosters = vec![Rc::clone(&roster), roster];
        let log = Log { id, kind, rows: vec![created], rosters, rivals: vec![false] };
        self.logs.insert(id, log);
    }

    /// What one transaction does: all that the primary key, the dedupe key and the base check decide.
    pub(crate) fn insert(&mut self, append: &Append, doubtful: bool, rival: bool) -> Outcome {
        let forgets_twins = self.forgets_twins;
        let Some(log) = self.logs.get(&append.conversation_id) else { return Outcome::Conflict };
        let row = row_of(append);
        if let Some(twin) = log.twin(append).filter(|_| !forgets_twins) {
            return if *twin == row {
                Outcome::Committed
            } else {
                Outcome::Duplicate {
                    seq: twin.seq,
                    msg_no: twin.msg_no,
                    created_at: twin.created_at,
                    command_hash: twin.command_hash,
                }
            };
        }
        let base_missing = doubtful && log.row(row.seq - 1).is_none();
        if base_missing || log.row(row.seq).is_some() {
            return Outcome::Conflict;
        }
        if is_poison(append) {
            return Outcome::Rejected { reason: "cannot be stored".to_owned() };
        }
        self.store(row, &append.change, rival);
        Outcome::Committed
    }

    /// Puts messages behind messages that their owner has not seen, as one transaction does; `None`: they are not, or
    /// something else speaks against it.
    pub(crate) fn insert_behind(&mut self, run: &[Append]) -> Option<Vec<Outcome>> {
        let first = run.first()?;
        let log = self.logs.get(&first.conversation_id)?;
        let base = log.row(first.seq - 1)?;
        let mut tail = log.after(base.seq, usize::MAX);
        let steps = std::iter::once(base).chain(&tail).zip(&tail);
        let messages = steps.clone().all(|(row, next)| next.msg_no == row.msg_no + 1);
        let fits = first.msg_no == base.msg_no + 1
            && run.iter().all(|append| append.change == Change::None && !is_poison(append));
        if !messages || !fits || run.iter().any(|append| log.twin(append).is_some()) {
            return None;
        }
        let in_place = tail.is_empty();
        let mut outcomes = Vec::new();
        for append in run {
            let head = self.logs.get(&append.conversation_id)?.head();
            let row = EntryRow {
                seq: head.seq + 1,
                msg_no: head.msg_no + 1,
                created_at: head.created_at.max(append.created_at),
                ..row_of(append)
            };
            let LogHead { seq, msg_no, created_at } = row.head();
            self.store(row, &append.change, false);
            outcomes.push(if in_place {
                Outcome::Committed
            } else {
                Outcome::Moved { seq, msg_no, created_at, tail: std::mem::take(&mut tail) }
            });
        }
        Some(outcomes)
    }

    /// No key forbids the row, so the database takes it. Only a correct owner keeps the log whole.
    fn store(&mut self, row: EntryRow, change: &Change, rival: bool) {
        let Some(log) = self.logs.get_mut(&row.conversation_id) else { return };
        let (id, before) = (log.id, log.head());
        if row.seq != before.seq + 1 {
            self.findings.push(format!("{id}: {} follows {}", row.seq, before.seq));
            return;
        }
        if row.created_at < before.created_at {
            self.findings.push(format!("{id}: {} goes back in time", row.seq));
        }
        match log.roster().follow(&row, change, before.msg_no) {
            Ok(Some(roster)) => log.rosters.push(Rc::new(roster)),
            Ok(None) => log.rosters.push(Rc::clone(log.roster())),
            Err(wrong) => {
                self.findings.push(format!("{id}: {} {wrong}", row.seq));
                log.rosters.push(Rc::clone(log.roster()));
            }
        }
        log.rows.push(row);
        log.rivals.push(rival);
    }

    /// Loses the newest entry: what no database does.
    pub(crate) fn lose_newest(&mut self, id: ConversationId) {
        if let Some(log) = self.logs.get_mut(&id) {
            log.rows.pop();
            log.rosters.pop();
            log.rivals.pop();
        }
    }

    pub(crate) fn save_cursors(&mut self, batch: &[CursorRow]) {
        for row in batch {
            let cursor = self.cursors.entry((row.user_id, row.conversation_id)).or_default();
            cursor.0 = cursor.0.max(row.read_seq);
            cursor.1 = cursor.1.max(row.delivered_seq);
        }
    }

    /// How far the database knows a user to have read, and to have everything.
    pub(crate) fn cursor(&self, user: UserId, id: ConversationId) -> (Seq, Seq) {
        self.cursors.get(&(user, id)).copied().unwrap_or_default()
    }

    /// What an owner begins with.
    pub(crate) fn conversation(
        &self,
        id: ConversationId,
        recent: usize,
    ) -> Option<ConversationSnapshot> {
        let log = self.logs.get(&id)?;
        let roster = log.roster();
        Some(ConversationSnapshot {
            conversation_id: id,
            kind: log.kind,
            settings: roster.settings.clone(),
            head: log.head(),
            floor_seq: 1,
            members: roster.members.values().cloned().collect(),
            recent: log.after(log.head().seq.saturating_sub(recent as u64), recent),
            state: roster.state.clone(),
        })
    }

    /// What an owner asks for after a conflict.
    pub(crate) fn tail(&self, id: ConversationId, after: Seq, limit: u32) -> Option<LogPage> {
        self.logs.get(&id).map(|log| log.page(after, limit))
    }

    /// What a member missed; `None`: they are none.
    pub(crate) fn missed(
        &self,
        user: UserId,
        id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Option<LogPage> {
        let log = self.logs.get(&id).filter(|log| log.roster().has(user))?;
        Some(log.page(after, limit))
    }

    /// What a session begins with.
    pub(crate) fn session(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
        heads: usize,
        missed: u32,
    ) -> SessionSnapshot {
        let mut list: Vec<HeadRow> =
            self.logs.values().filter_map(|log| self.line(log, user)).collect();
        list.sort_by_key(|line| std::cmp::Reverse((line.last_activity_at, line.conversation_id)));
        let total_unread = list.iter().map(HeadRow::unread).sum();
        let more_heads = list.len() > heads;
        list.truncate(heads);
        let syncs = cursors.iter().map(|(id, seq)| self.missed(user, *id, *seq, missed)).collect();
        SessionSnapshot { heads: list, more_heads, total_unread, syncs }
    }

    fn line(&self, log: &Log, user: UserId) -> Option<HeadRow> {
        let roster = log.roster();
        let member = roster.members.get(&user)?;
        let head = log.head();
        let (cursor, delivered_seq) =
            self.cursors.get(&(user, log.id)).copied().unwrap_or_default();
        let says =
            |row: &&EntryRow| row.msg_no > log.row(row.seq - 1).map_or(0, |before| before.msg_no);
        let own = log.rows.iter().rev().find(|row| row.sender_id == Some(user) && says(row));
        let read_seq = own.map_or(cursor, |row| row.seq.max(cursor)).min(head.seq);
        let created = log.rows.first();
        let direct = log.kind == ConversationKind::Direct;
        Some(HeadRow {
            conversation_id: log.id,
            kind: log.kind,
            settings: roster.settings.clone(),
            created_at: created.map_or(0, |row| row.created_at),
            member_count: roster.members.len() as u32,
            role: member.role,
            head,
            last_activity_at: head.created_at,
            last_entry: log.rows.last().cloned(),
            read_seq,
            read_msg_no: log.row(read_seq).map_or(0, |row| row.msg_no),
            delivered_seq,
            users: if direct {
                roster.members.keys().map(|id| profile(*id)).collect()
            } else {
                Vec::new()
            },
            mentions_unread: 0,
            pins: roster.state.pins.clone(),
            muted_until: roster.state.muted_until,
            own_muted_until: member.muted_until,
        })
    }
}

/// Everyone is registered.
pub(crate) fn profile(user_id: UserId) -> UserRow {
    UserRow {
        user_id,
        username: format!("user-{user_id}"),
        display_name: String::new(),
        avatar_url: String::new(),
        color: String::new(),
        created_at: 0,
    }
}

/// What a log says of an entry, as far as it never changes.
pub(crate) fn identity(entry: &wire::Entry) -> (u64, u64, u64, i64, &str) {
    (entry.seq, entry.msg_no, entry.sender_id, entry.created_at, &entry.client_msg_id)
}

fn is_poison(append: &Append) -> bool {
    append.body.windows(POISON.len()).any(|window| window == POISON.as_bytes())
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
