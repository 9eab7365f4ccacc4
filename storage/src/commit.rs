//! The policy of the append path: from a batch to one answer per entry, whatever the database does.
//!
//! ```text
//!            ┌──────────────────────── whole set ──► append ──► Committed
//!            │                                         │
//!   batch ──►│  Collision ─► probe ─► Committed (our own row of an attempt whose answer was lost)
//!            │                     ├► Duplicate, Conflict: the conversation is stale from here on
//!            │                     └► the innocent rest, again as one set
//!            │  Refused ───► halves, down to the one row: Rejected, its conversation stale
//!            │  Retry ─────► the same set again
//!            │  Locked ────► Conflict for those whose row is held elsewhere, the others again
//!            └  Away ──────► wait, the same set again (never taken apart, never given up before shutdown)
//! ```
//!
//! Messages of conversations that another node writes to at the same time go another way first, see `behind`.
//!
//! Invariants:
//! - `Committed` is said only after the transaction's commit, or after reading the very row.
//! - Once an entry of a conversation came back, every later one of the same generation comes back unwritten, so a
//!   later entry never slips in before an earlier one.
//! - The answers of a conversation are delivered in log order.
//! - Each entry of a batch gets exactly one answer, unless the writer was stopped while the database was away.

use std::time::{Duration, Instant};

use crate::append::{Append, Completion, HEAD_TRUST, Outcome};
use crate::executor::{AppendError, Executor, Found};
use crate::heat::Heat;
use crate::metrics::WriterMetrics;
use crate::stale::StaleConversations;
use crate::writer::Answers;

/// The first and the longest wait while the database is away.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// The first wait before a deadlocked set is tried again; it grows like the one above.
const RETRY_AFTER: Duration = Duration::from_millis(2);
/// Waits from here on are named in the log. One that was taken long to refuse (a lock held elsewhere) always is.
const RETRY_LOUDLY: (Duration, Duration) = (Duration::from_millis(16), Duration::from_secs(1));

/// Waits as long as told, and does what else waits for the database meanwhile; `false`: the writer has to stop now.
pub(crate) type Pause<'a> = &'a mut dyn FnMut(Duration, &mut Executor) -> bool;

/// What a writer remembers between batches.
#[derive(Debug)]
pub(crate) struct Committer {
    metrics: WriterMetrics,
    stale: StaleConversations,
    heat: Heat,
}

impl Committer {
    pub(crate) fn new(metrics: WriterMetrics) -> Self {
        Self { metrics, stale: StaleConversations::default(), heat: Heat::default() }
    }

    /// Brings one batch through. Answers are added to `answers`, delivered before long waits. `false`: told to
    /// stop while the database was away; the entries not answered yet are dropped.
    pub(crate) fn commit(
        &mut self,
        mut batch: Vec<Append>,
        executor: &mut Executor,
        answers: &mut Answers,
        pause: Pause<'_>,
    ) -> bool {
        self.stale.advance(Instant::now());
        // Stable: submission order, which is log order, stays within each conversation.
        batch.sort_by_key(|entry| entry.conversation_id);
        let mut waits = Waits::new(pause);
        let mut batch = self.return_stale(batch, answers);
        let hot = self.heat.take_hot(&mut batch);
        let mut sets = vec![batch];
        if !hot.is_empty() {
            match self.commit_behind(hot, executor, answers, &mut waits) {
                Some(ordinary) => {
                    // Whatever becomes of the others, nobody waits for it who need not.
                    answers.deliver_before_waiting();
                    sets.push(ordinary);
                }
                None => return false,
            }
        }
        while let Some(set) = sets.pop() {
            let mut set = self.return_stale(set, answers);
            if set.is_empty() {
                continue;
            }
            let mut begun = Instant::now();
            let appended = executor.connect().and_then(|connected_at| {
                begun = Instant::now();
                mark_bases(&mut set, connected_at, begun);
                executor.append(&set)
            });
            self.metrics.attempted(begun.elapsed(), &appended);
            let error = match appended {
                Ok(()) => {
                    waits.reset();
                    self.heat.cool_all(&set);
                    for entry in &set {
                        answers.add(entry, Outcome::Committed);
                    }
                    continue;
                }
                Err(AppendError::Collision) => match executor.probe(&set) {
                    Ok(found) => {
                        answers.take_apart();
                        let before = set.len();
                        let rest = self.judge(set, &found, answers);
                        if rest.len() == before {
                            self.take_apart(rest, &mut sets, answers);
                        } else {
                            sets.push(rest);
                        }
                        continue;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if matches!(error, AppendError::Refused(_)) {
                answers.take_apart();
            }
            match error {
                AppendError::Refused(reason) if set.len() == 1 => {
                    tracing::error!(conversation = %set[0].conversation_id, seq = set[0].seq, reason,
                        "the database refuses an entry");
                    self.stale.mark(&set[0]);
                    answers.add(&set[0], Outcome::Rejected { reason });
                }
                AppendError::Refused(_) | AppendError::Collision => split(set, &mut sets),
                AppendError::Retry(reason) => {
                    let entries = set.len();
                    sets.push(set);
                    if !waits.retry(&reason, entries, begun, answers, executor) {
                        return false;
                    }
                }
                AppendError::Locked(reason) => {
                    if !waits.retry(&reason, set.len(), begun, answers, executor) {
                        return false;
                    }
                    // Of what was asked for before such an entry, answers may still be missing.
                    answers.take_apart();
                    let changes = |entry: &Append| entry.change.needs_row();
                    self.locked_out(set, changes, &mut sets, answers, &mut waits, executor);
                }
                AppendError::Away(reason) => {
                    let entries = set.len();
                    sets.push(set);
                    if !waits.away(&reason, entries, answers, executor) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Answers the entries of stale conversations; the others come back.
    fn return_stale(&mut self, set: Vec<Append>, answers: &mut Answers) -> Vec<Append> {
        if self.stale.is_empty() {
            return set;
        }
        let mut fresh = Vec::with_capacity(set.len());
        for entry in set {
            if self.stale.holds(&entry) {
                answers.add(&entry, Outcome::Conflict);
            } else {
                fresh.push(entry);
            }
        }
        fresh
    }

    /// Answers what the log has decided; the entries it says nothing about come back.
    fn judge(&mut self, set: Vec<Append>, found: &[Found], answers: &mut Answers) -> Vec<Append> {
        let mut rest = Vec::with_capacity(set.len());
        for (entry, found) in set.into_iter().zip(found) {
            if self.stale.holds(&entry) {
                answers.add(&entry, Outcome::Conflict);
            } else if let Some(twin) = found.twin {
                if twin.seq == entry.seq
                    && twin.msg_no == entry.msg_no
                    && twin.created_at == entry.created_at
                    && twin.command_hash == entry.command_hash
                {
                    answers.add(&entry, Outcome::Committed);
                } else {
                    self.stale.mark(&entry);
                    answers.add(
                        &entry,
                        Outcome::Duplicate {
                            seq: twin.seq,
                            msg_no: twin.msg_no,
                            created_at: twin.created_at,
                            command_hash: twin.command_hash,
                        },
                    );
                }
            } else if found.taken || found.base_missing {
                self.stale.mark(&entry);
                self.heat.warm(&entry);
                answers.add(&entry, Outcome::Conflict);
            } else {
                rest.push(entry);
            }
        }
        rest
    }

    /// A set met a lock. What needs a row that somebody else still holds goes back to its owners, who ask again; the
    /// others go on. Where it is no such row (a table is locked, another node is just writing that very key) the set is
    /// tried once more, then in halves; a lone conversation goes back. Nothing goes back while the lock may be that of an
    /// attempt whose answer was lost: it may yet commit.
    fn locked_out(
        &mut self,
        set: Vec<Append>,
        needs_row: impl Fn(&Append) -> bool,
        sets: &mut Vec<Vec<Append>>,
        answers: &mut Answers,
        waits: &mut Waits<'_>,
        executor: &mut Executor,
    ) {
        if waits.unsure {
            return if spans_several(&set) { split(set, sets) } else { sets.push(set) };
        }
        let needing = set.iter().filter(|entry| needs_row(entry));
        let mut conversations: Vec<_> = needing.map(|entry| entry.conversation_id).collect();
        conversations.dedup();
        // Why this fails, the next attempt finds out too.
        let held = executor.held(&conversations).unwrap_or_default();
        for entry in &set {
            if needs_row(entry) && held.binary_search(&entry.conversation_id).is_ok() {
                self.stale.mark(entry);
            }
        }
        if held.is_empty() {
            waits.locked_out += 1;
            if waits.locked_out == 1 {
                return sets.push(set);
            }
            if spans_several(&set) {
                return split(set, sets);
            }
            set.iter().take(1).for_each(|entry| self.stale.mark(entry));
        }
        let rest = self.return_stale(set, answers);
        if !rest.is_empty() {
            sets.push(rest);
        }
    }

    /// A set collides, yet the log shows nothing: its entries collide with each other, or with a row that went away in
    /// between. Smaller sets tell; a lone entry goes back to its owner, which is always safe.
    fn take_apart(&mut self, set: Vec<Append>, sets: &mut Vec<Vec<Append>>, answers: &mut Answers) {
        if let [entry] = set.as_slice() {
            self.stale.mark(entry);
            answers.add(entry, Outcome::Conflict);
        } else {
            split(set, sets);
        }
    }
}

/// The waits of one batch.
struct Waits<'a> {
    pause: Pause<'a>,
    back_off: Duration,
    retry_after: Duration,
    /// How often a set of this batch met a lock that is no row's.
    locked_out: usize,
    /// The answer of an attempt was lost, and that attempt may still run.
    unsure: bool,
}

impl<'a> Waits<'a> {
    fn new(pause: Pause<'a>) -> Self {
        Self { pause, back_off: BACK_OFF.0, retry_after: RETRY_AFTER, locked_out: 0, unsure: false }
    }

    /// The database answers again.
    fn reset(&mut self) {
        (self.back_off, self.retry_after) = (BACK_OFF.0, RETRY_AFTER);
    }

    /// Before a set goes again; `false`: stop.
    fn retry(
        &mut self,
        reason: &str,
        entries: usize,
        begun: Instant,
        answers: &mut Answers,
        executor: &mut Executor,
    ) -> bool {
        if self.retry_after >= RETRY_LOUDLY.0 || begun.elapsed() >= RETRY_LOUDLY.1 {
            tracing::warn!(reason, entries, "a batch is repeated");
        } else {
            tracing::debug!(reason, "a batch is repeated");
        }
        answers.deliver_before_waiting();
        let goes_on = (self.pause)(self.retry_after, executor);
        self.retry_after = (self.retry_after * 2).min(BACK_OFF.1);
        goes_on
    }

    /// While the database is away; `false`: stop.
    fn away(
        &mut self,
        reason: &str,
        entries: usize,
        answers: &mut Answers,
        executor: &mut Executor,
    ) -> bool {
        if self.back_off > BACK_OFF.0 {
            tracing::warn!(reason, entries, "cannot write; trying again");
        } else {
            // Once is nothing to worry about: a server restarts, a statement was too slow.
            tracing::info!(reason, entries, "could not write; trying again");
        }
        self.unsure = true;
        answers.deliver_before_waiting();
        let goes_on = (self.pause)(self.back_off, executor);
        self.back_off = (self.back_off * 2).min(BACK_OFF.1);
        goes_on
    }
}

/// Decides which entries need their base looked up: those of heads that were confirmed too long ago, or before the
/// connection was made (the database may be another one now, a promoted standby that missed commits); never one whose
/// base is in the same set.
fn mark_bases(set: &mut [Append], connected_at: Instant, now: Instant) {
    let mut previous = None;
    for entry in set {
        let confirmed_at = entry.head_confirmed_at;
        let doubtful = confirmed_at < connected_at || now.duration_since(confirmed_at) > HEAD_TRUST;
        let follows = previous == Some((entry.conversation_id, entry.seq.wrapping_sub(1)));
        entry.check_base = entry.seq > 1 && !follows && (entry.check_base || doubtful);
        previous = Some((entry.conversation_id, entry.seq));
    }
}

fn spans_several(set: &[Append]) -> bool {
    set.first().map(|e| e.conversation_id) != set.last().map(|e| e.conversation_id)
}

/// Halves a set, between two conversations where it has several; the first half is on top.
fn split(mut set: Vec<Append>, sets: &mut Vec<Vec<Append>>) {
    let middle = set.len() / 2;
    let at = (0..=middle)
        .flat_map(|distance| [middle - distance, middle + distance])
        .find(|&at| {
            at > 0 && at < set.len() && set[at - 1].conversation_id != set[at].conversation_id
        })
        .unwrap_or(middle);
    let second = set.split_off(at);
    sets.push(second);
    sets.push(set);
}

/// The answer to an entry.
pub(crate) fn completion(entry: &Append, outcome: Outcome) -> Completion {
    Completion {
        conversation_id: entry.conversation_id,
        seq: entry.seq,
        token: entry.token,
        generation: entry.generation,
        outcome,
    }
}

#[path = "behind.rs"]
mod behind;
#[cfg(test)]
#[path = "commit_tests.rs"]
pub(crate) mod tests;
