//! The policy against a scripted database: a small model of the log that fails when told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use ringwire_protocol::ConversationId;

use super::*;
use crate::append::Change;
use crate::executor::Twin;
use crate::renumber::{Place, ROWS, places};
use crate::testing::{conversation, entry, row, user};

/// What happens to one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The connection is cut before anything is written.
    CutBefore,
    /// It commits, but the answer is lost.
    CutAfterCommit,
    /// A deadlock.
    Deadlock,
    /// A lock that is no row's is held for long.
    Locked,
    /// This one goes well.
    None,
}

/// A database in memory.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    log: BTreeMap<(ConversationId, u64), Append>,
    faults: VecDeque<Fault>,
    /// Bodies that the database refuses.
    poison: Option<&'static [u8]>,
    appends: usize,
    /// Conversations whose row somebody else holds.
    held: BTreeSet<ConversationId>,
    /// Written by another node between the reading of a tail and the insert behind it, one each time.
    slips_in: VecDeque<Append>,
    /// Since when the connection has been there; nothing: it was cut, or never made.
    connected_at: Option<Instant>,
}

impl Scripted {
    fn with(entries: &[Append]) -> Self {
        let mut scripted = Self::default();
        scripted.store(entries);
        scripted
    }

    fn store(&mut self, entries: &[Append]) {
        for entry in entries {
            self.log.insert((entry.conversation_id, entry.seq), entry.clone());
        }
    }

    fn twin(&self, entry: &Append) -> Option<Twin> {
        self.log
            .values()
            .find(|row| {
                row.conversation_id == entry.conversation_id
                    && row.sender_id == entry.sender_id
                    && row.client_msg_id == entry.client_msg_id
            })
            .map(|row| Twin {
                seq: row.seq,
                msg_no: row.msg_no,
                created_at: row.created_at,
                command_hash: row.command_hash,
            })
    }

    fn look(&self, entry: &Append) -> Found {
        let has = |seq| self.log.contains_key(&(entry.conversation_id, seq));
        Found {
            twin: self.twin(entry),
            taken: has(entry.seq),
            base_missing: entry.check_base && !has(entry.seq - 1),
        }
    }

    pub(crate) fn connect(&mut self) -> Instant {
        *self.connected_at.get_or_insert_with(Instant::now)
    }

    pub(crate) fn append(&mut self, entries: &[Append]) -> Result<(), AppendError> {
        assert!(self.connected_at.is_some(), "an append never connects by itself");
        self.appends += 1;
        let fault = self.faults.pop_front();
        if matches!(fault, Some(Fault::CutBefore | Fault::CutAfterCommit)) {
            self.connected_at = None;
        }
        match fault {
            Some(Fault::CutBefore) => return Err(AppendError::Away("cut".into())),
            Some(Fault::Deadlock) => return Err(AppendError::Retry("deadlock".into())),
            Some(Fault::Locked) => return Err(AppendError::Locked("a table".into())),
            _ => {}
        }
        let changes = |entry: &&Append| entry.change.needs_row();
        if entries.iter().filter(changes).any(|entry| self.held.contains(&entry.conversation_id)) {
            return Err(AppendError::Locked("a row".into()));
        }
        let before = self.log.clone();
        for entry in entries {
            let error = if self.poison.is_some_and(|poison| *entry.body == *poison) {
                Some(AppendError::Refused("poison".into()))
            } else if self.look(entry) == Found::default() {
                None
            } else {
                Some(AppendError::Collision)
            };
            if let Some(error) = error {
                self.log = before;
                return Err(error);
            }
            self.store(std::slice::from_ref(entry));
        }
        match fault {
            Some(Fault::CutAfterCommit) => Err(AppendError::Away("cut".into())),
            _ => Ok(()),
        }
    }

    pub(crate) fn append_behind(
        &mut self,
        entries: &[Append],
    ) -> Result<Vec<Option<Place>>, AppendError> {
        let log: Vec<_> = entries
            .chunk_by(|a, b| a.conversation_id == b.conversation_id)
            .flat_map(|of_one| {
                let id = of_one[0].conversation_id;
                let rows = self.log.range((id, of_one[0].seq - 1)..=(id, u64::MAX));
                rows.map(|(_, entry)| row(entry)).take(ROWS)
            })
            .collect();
        if entries.iter().any(|entry| self.held.contains(&entry.conversation_id)) {
            self.appends += 1;
            return Err(AppendError::Locked("a row".into()));
        }
        let (places, settled) = places(&log, entries);
        if let Some(theirs) = self.slips_in.pop_front() {
            self.store(&[theirs]);
        }
        self.append(&settled)?;
        Ok(places)
    }

    pub(crate) fn held(&self, conversations: &[ConversationId]) -> Vec<ConversationId> {
        assert!(conversations.is_sorted());
        conversations.iter().copied().filter(|id| self.held.contains(id)).collect()
    }

    pub(crate) fn probe(&mut self, entries: &[Append]) -> Vec<Found> {
        entries.iter().map(|entry| self.look(entry)).collect()
    }
}

/// Runs batches against a scripted database.
struct Bench {
    executor: Executor,
    committer: Committer,
    answers: Answers,
    received: Arc<Mutex<Vec<Completion>>>,
    pauses: Vec<Duration>,
}

impl Bench {
    fn new(mut scripted: Scripted) -> Self {
        scripted.connect();
        let received = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&received);
        Self {
            executor: Executor::Scripted(scripted),
            committer: Committer::new(WriterMetrics::new()),
            answers: Answers::new(Arc::new(move |_, mut completions| {
                sink.lock().expect("no test panics in here").append(&mut completions);
            })),
            received,
            pauses: Vec::new(),
        }
    }

    fn scripted(&mut self) -> &mut Scripted {
        match &mut self.executor {
            Executor::Scripted(scripted) => scripted,
            _ => panic!("the bench has a scripted database"),
        }
    }

    /// The outcomes of a batch, by conversation and seq.
    fn commit(&mut self, batch: Vec<Append>) -> BTreeMap<(u64, u64), Outcome> {
        let size = batch.len();
        let pauses = &mut self.pauses;
        let finished = self.committer.commit(
            batch,
            &mut self.executor,
            &mut self.answers,
            &mut |length, _| {
                pauses.push(length);
                true
            },
        );
        assert!(finished);
        self.answers.deliver();
        let completions = std::mem::take(&mut *self.received.lock().expect("not poisoned"));
        for id in completions.iter().map(|completion| completion.conversation_id) {
            let of_one = completions.iter().filter(|completion| completion.conversation_id == id);
            assert!(of_one.is_sorted_by_key(|completion| completion.seq), "in log order");
        }
        assert_eq!(completions.len(), size, "one answer for each entry");
        completions.into_iter().map(|c| ((c.conversation_id.get(), c.seq), c.outcome)).collect()
    }
}

fn message(conversation_number: u64, seq: u64, id: &str) -> Append {
    Append { client_msg_id: id.into(), ..entry(conversation_number, seq) }
}

#[test]
fn a_healthy_batch_is_one_transaction() {
    let mut bench = Bench::new(Scripted::default());
    let outcomes = bench.commit(vec![entry(2, 1), entry(1, 1), entry(2, 2)]);
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Committed));
    assert_eq!(bench.scripted().appends, 1);
}

#[test]
fn a_conflict_comes_back_alone() {
    let mut bench = Bench::new(Scripted::with(&[message(1, 5, "theirs")]));
    let outcomes = bench.commit(vec![entry(1, 5), entry(1, 6), entry(2, 1), entry(3, 1)]);
    assert_eq!(outcomes[&(1, 5)], Outcome::Conflict);
    assert_eq!(outcomes[&(1, 6)], Outcome::Conflict, "nothing slips in behind");
    assert_eq!(outcomes[&(2, 1)], Outcome::Committed);
    assert_eq!(outcomes[&(3, 1)], Outcome::Committed);
    assert_eq!(bench.scripted().appends, 2);
}

#[test]
fn a_stale_conversation_is_held_until_its_owner_has_rebased() {
    let mut bench = Bench::new(Scripted::with(&[message(1, 5, "theirs")]));
    bench.commit(vec![entry(1, 5)]);
    let outcomes = bench.commit(vec![entry(1, 6)]);
    assert_eq!(outcomes[&(1, 6)], Outcome::Conflict, "position 6 is free, and yet");
    let rebased = Append { generation: 2, ..message(1, 6, "m5") };
    assert_eq!(bench.commit(vec![rebased])[&(1, 6)], Outcome::Committed);
}

#[test]
fn a_duplicate_answers_with_the_original_and_spares_what_came_before() {
    let original = Append { msg_no: 3, created_at: 77, command_hash: 9, ..message(1, 4, "twice") };
    let mut bench = Bench::new(Scripted::with(&[original]));
    let outcomes = bench.commit(vec![entry(1, 5), message(1, 6, "twice"), entry(1, 7)]);
    assert_eq!(outcomes[&(1, 5)], Outcome::Committed);
    assert_eq!(
        outcomes[&(1, 6)],
        Outcome::Duplicate { seq: 4, msg_no: 3, created_at: 77, command_hash: 9 }
    );
    assert_eq!(outcomes[&(1, 7)], Outcome::Conflict);
}

#[test]
fn the_same_id_of_another_sender_is_no_duplicate() {
    let theirs = Append { sender_id: Some(user(2)), ..message(1, 4, "same") };
    let mut bench = Bench::new(Scripted::with(&[theirs]));
    assert_eq!(bench.commit(vec![message(1, 5, "same")])[&(1, 5)], Outcome::Committed);
}

#[test]
fn one_id_twice_in_a_batch_is_stored_once() {
    let mut bench = Bench::new(Scripted::default());
    let outcomes = bench.commit(vec![message(1, 1, "same"), message(1, 2, "same"), entry(2, 1)]);
    assert_eq!(outcomes[&(1, 1)], Outcome::Committed);
    assert!(matches!(outcomes[&(1, 2)], Outcome::Duplicate { seq: 1, .. }));
    assert_eq!(outcomes[&(2, 1)], Outcome::Committed);
    assert_eq!(bench.scripted().log.len(), 2);
}

#[test]
fn d8_one_poison_row_fails_alone_in_a_batch_of_500() {
    let mut bench = Bench::new(Scripted { poison: Some(b"poison"), ..Scripted::default() });
    let mut batch: Vec<Append> =
        (1..=100).flat_map(|id| (1..=5).map(move |seq| entry(id, seq))).collect();
    batch[251].body = bytes::Bytes::from_static(b"poison");
    let at = (batch[251].conversation_id.get(), batch[251].seq);
    let outcomes = bench.commit(batch);
    assert_eq!(outcomes[&at], Outcome::Rejected { reason: "poison".into() });
    for (&(conversation, seq), outcome) in &outcomes {
        if conversation != at.0 || seq < at.1 {
            assert_eq!(*outcome, Outcome::Committed, "{conversation}-{seq}");
        } else if seq > at.1 {
            assert_eq!(*outcome, Outcome::Conflict);
        }
    }
    assert!(bench.scripted().appends < 30, "halving, not one by one");
}

#[test]
fn d9_a_lost_commit_answer_is_found_again_and_never_stored_twice() {
    let mut bench =
        Bench::new(Scripted { faults: [Fault::CutAfterCommit].into(), ..Scripted::default() });
    let outcomes = bench.commit(vec![entry(1, 1), entry(1, 2), entry(2, 1)]);
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Committed));
    assert_eq!(bench.scripted().log.len(), 3);
}

#[test]
fn d9_the_row_of_another_attempt_at_the_same_position_is_a_duplicate() {
    let original = Append { created_at: 5, ..message(1, 5, "same") };
    let mut bench = Bench::new(Scripted::with(&[original]));
    let outcome = &bench.commit(vec![message(1, 5, "same")])[&(1, 5)];
    assert!(matches!(outcome, Outcome::Duplicate { seq: 5, created_at: 5, .. }), "{outcome:?}");
}

#[test]
fn an_absent_database_is_waited_for_with_growing_pauses() {
    let mut bench =
        Bench::new(Scripted { faults: [Fault::CutBefore; 12].into(), ..Scripted::default() });
    assert_eq!(bench.commit(vec![entry(1, 1)])[&(1, 1)], Outcome::Committed);
    assert_eq!(bench.pauses.len(), 12);
    assert!(bench.pauses.is_sorted());
    assert_eq!(bench.pauses.last(), Some(&BACK_OFF.1));
}

#[test]
fn after_an_absence_an_old_head_is_not_believed() {
    // The database that came back has lost entry 4.
    let mut bench = Bench::new(Scripted {
        faults: [Fault::CutBefore].into(),
        ..Scripted::with(&[entry(1, 3)])
    });
    let outcomes = bench.commit(vec![entry(1, 5), entry(1, 6)]);
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Conflict));
}

#[test]
fn a_connection_lost_between_batches_makes_old_heads_doubtful_too() {
    let mut bench = Bench::new(Scripted::with(&[entry(2, 4)]));
    let (stale, fine) = (entry(1, 5), entry(2, 5));
    bench.scripted().connected_at = None;
    let outcomes = bench.commit(vec![stale, fine]);
    assert_eq!(outcomes[&(1, 5)], Outcome::Conflict, "its base went with the old server");
    assert_eq!(outcomes[&(2, 5)], Outcome::Committed);
    let confirmed_since = Append { generation: 2, ..entry(1, 5) };
    assert_eq!(bench.commit(vec![confirmed_since])[&(1, 5)], Outcome::Committed);
}

#[test]
fn a_head_is_believed_for_a_minute_by_the_writers_clock() {
    let start = Instant::now();
    let now = start + Duration::from_mins(5);
    let confirmed = |seconds_ago: u64| start + Duration::from_secs(300 - seconds_ago);
    let aged = |conversation, seconds| Append {
        head_confirmed_at: confirmed(seconds),
        ..entry(conversation, 5)
    };
    let mut set = vec![aged(1, 59), aged(2, 61), Append { seq: 6, ..aged(2, 61) }, aged(3, 10)];
    mark_bases(&mut set, confirmed(300), now);
    assert_eq!(
        set.iter().map(|entry| entry.check_base).collect::<Vec<_>>(),
        [false, true, false, false]
    );
    mark_bases(&mut set, confirmed(20), now);
    assert_eq!(
        set.iter().map(|entry| entry.check_base).collect::<Vec<_>>(),
        [true, true, false, false]
    );
}

#[test]
fn a_checked_base_must_exist() {
    let mut bench = Bench::new(Scripted::with(&[entry(2, 4)]));
    let stale = Append { check_base: true, ..entry(1, 5) };
    let fine = Append { check_base: true, ..entry(2, 5) };
    let next = Append { check_base: true, ..entry(2, 6) };
    let first = Append { check_base: true, ..entry(3, 1) };
    let outcomes = bench.commit(vec![stale, fine, next, first]);
    assert_eq!(outcomes[&(1, 5)], Outcome::Conflict);
    assert_eq!(outcomes[&(2, 5)], Outcome::Committed);
    assert_eq!(outcomes[&(2, 6)], Outcome::Committed);
    assert_eq!(outcomes[&(3, 1)], Outcome::Committed, "the first entry has no base");
}

/// Messages of another node at these positions of conversation 1.
fn theirs(seqs: std::ops::RangeInclusive<u64>) -> Vec<Append> {
    let id = |seq| format!("theirs{seq}");
    seqs.map(|seq| Append { sender_id: Some(user(9)), ..message(1, seq, &id(seq)) }).collect()
}

/// A bench whose conversation 1 has met another node three times; its log ends at 7, generation 4 is next.
fn hot() -> Bench {
    let mut bench = Bench::new(Scripted::with(&theirs(4..=7)));
    for (generation, seq) in (1..=3).zip(5..=7) {
        let late = Append { generation, ..message(1, seq, "late") };
        assert_eq!(bench.commit(vec![late])[&(1, seq)], Outcome::Conflict);
    }
    bench
}

fn mine(seq: u64) -> Append {
    Append { generation: 4, ..message(1, seq, &format!("mine{seq}")) }
}

fn moved(seq: u64, tail: &[Append]) -> Outcome {
    let tail = tail.iter().map(row).collect();
    Outcome::Moved { seq, msg_no: seq, created_at: 1_000, tail }
}

#[test]
fn after_three_collisions_messages_go_behind_the_tail() {
    let mut bench = hot();
    let outcomes = bench.commit(vec![mine(5), mine(6), entry(2, 1)]);
    assert_eq!(outcomes[&(1, 5)], moved(8, &theirs(5..=7)));
    assert_eq!(outcomes[&(1, 6)], moved(9, &[]));
    assert_eq!(outcomes[&(2, 1)], Outcome::Committed);
    let ids: Vec<_> = bench.scripted().log.values().map(|e| (e.seq, &*e.client_msg_id)).collect();
    assert_eq!(ids[4..], [(8, "mine5"), (9, "mine6"), (1, "m1")]);
    // What was numbered before the owner knew comes back, what it numbers then goes on.
    assert_eq!(bench.commit(vec![mine(7)])[&(1, 7)], Outcome::Conflict);
    let rebased = Append { generation: 5, ..mine(10) };
    assert_eq!(bench.commit(vec![rebased])[&(1, 10)], Outcome::Committed);
}

#[test]
fn what_another_node_slips_in_is_gone_behind_too() {
    let mut bench = hot();
    bench.scripted().slips_in = theirs(8..=8).into();
    let outcomes = bench.commit(vec![mine(8)]);
    assert_eq!(outcomes[&(1, 8)], moved(9, &theirs(8..=8)));
    // One that always slips in wins in the end: the owner has to load the tail.
    bench.scripted().slips_in = theirs(10..=30).into();
    let rebased = Append { generation: 5, ..mine(10) };
    assert_eq!(bench.commit(vec![rebased])[&(1, 10)], Outcome::Conflict);
    assert!(bench.scripted().slips_in.len() > 10, "it gives up soon");
}

#[test]
fn a_tail_that_is_more_than_messages_goes_to_the_owner() {
    let mut bench = hot();
    bench.scripted().store(&[Append { msg_no: 7, ..message(1, 8, "joined") }]);
    assert_eq!(bench.commit(vec![mine(8)])[&(1, 8)], Outcome::Conflict);
}

#[test]
fn a_hot_conversation_keeps_changes_of_membership_at_the_position_asked_for() {
    let mut bench = hot();
    let joins = Append { change: Change::Join(vec![user(3)]), ..mine(9) };
    let outcomes = bench.commit(vec![mine(8), joins.clone(), mine(10)]);
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Committed), "{outcomes:?}");
    let mut bench = hot();
    let late = Append { seq: 6, msg_no: 6, ..joins };
    let outcomes = bench.commit(vec![mine(5), late]);
    assert_eq!(outcomes[&(1, 5)], moved(8, &theirs(5..=7)));
    assert_eq!(outcomes[&(1, 6)], Outcome::Conflict, "the owner decides anew");
}

#[test]
fn d9_a_lost_answer_behind_a_tail_is_found_again() {
    let mut bench = hot();
    bench.scripted().faults = [Fault::CutAfterCommit].into();
    let outcomes = bench.commit(vec![mine(5), mine(6)]);
    assert!(matches!(outcomes[&(1, 5)], Outcome::Duplicate { seq: 8, .. }), "{outcomes:?}");
    assert_eq!(outcomes[&(1, 6)], Outcome::Conflict, "the tail will show it");
    assert_eq!(bench.scripted().log.len(), 6);
}

#[test]
fn a_poison_row_in_a_hot_conversation_fails_alone() {
    let mut bench = hot();
    bench.scripted().poison = Some(b"poison");
    let poison = Append { body: bytes::Bytes::from_static(b"poison"), ..mine(9) };
    let outcomes = bench.commit(vec![mine(8), poison, mine(10)]);
    assert_eq!(outcomes[&(1, 8)], Outcome::Committed);
    assert_eq!(outcomes[&(1, 9)], Outcome::Rejected { reason: "poison".into() });
    assert_eq!(outcomes[&(1, 10)], Outcome::Conflict);
}

#[test]
fn a_conversation_that_nobody_else_writes_to_any_more_cools() {
    let mut bench = hot();
    for seq in 8..50 {
        assert_eq!(bench.commit(vec![mine(seq)])[&(1, seq)], Outcome::Committed);
    }
    assert!(bench.committer.heat.take_hot(&mut vec![mine(50)]).is_empty());
}

#[test]
fn a_deadlock_is_tried_again() {
    let mut bench =
        Bench::new(Scripted { faults: [Fault::Deadlock; 2].into(), ..Scripted::default() });
    assert_eq!(bench.commit(vec![entry(1, 1)])[&(1, 1)], Outcome::Committed);
}

#[test]
fn a_stop_during_an_absence_answers_nothing_that_is_not_known() {
    let mut bench =
        Bench::new(Scripted { faults: [Fault::CutAfterCommit].into(), ..Scripted::default() });
    let finished = bench.committer.commit(
        vec![entry(1, 1)],
        &mut bench.executor,
        &mut bench.answers,
        &mut |_, _| false,
    );
    assert!(!finished);
    bench.answers.deliver();
    assert!(bench.received.lock().expect("not poisoned").is_empty());
}

#[test]
fn sets_are_halved_between_conversations_where_possible() {
    let mut sets = Vec::new();
    split(vec![entry(1, 1), entry(1, 2), entry(1, 3), entry(2, 1)], &mut sets);
    assert_eq!(sets.pop().map(|set| set.len()), Some(3), "the first half is on top");
    assert_eq!(sets.pop().map(|set| set[0].conversation_id), Some(conversation(2)));
    split(vec![entry(1, 1), entry(1, 2), entry(1, 3)], &mut sets);
    assert_eq!(sets.pop().map(|set| set.len()), Some(1));
    assert_eq!(sets.pop().map(|set| set.len()), Some(2));
}

fn joins(conversation_number: u64, seq: u64) -> Append {
    Append { change: Change::Join(vec![user(3)]), ..entry(conversation_number, seq) }
}

#[test]
fn a_row_held_elsewhere_holds_up_only_what_needs_it() {
    let mut bench = Bench::new(Scripted::default());
    bench.scripted().held = [conversation(2)].into();
    let outcomes =
        bench.commit(vec![joins(1, 1), entry(2, 1), joins(2, 2), entry(2, 3), entry(3, 1)]);
    for at in [(1, 1), (2, 1), (3, 1)] {
        assert_eq!(outcomes[&at], Outcome::Committed, "{at:?}");
    }
    assert_eq!(outcomes[&(2, 2)], Outcome::Conflict);
    assert_eq!(outcomes[&(2, 3)], Outcome::Conflict, "nothing slips in before what waits");
    assert_eq!(bench.scripted().appends, 2, "looked up, not found out by halving");
    bench.scripted().held.clear();
    let again = Append { generation: 2, ..joins(2, 2) };
    assert_eq!(bench.commit(vec![again])[&(2, 2)], Outcome::Committed);
}

#[test]
fn a_hot_conversation_whose_row_is_held_holds_up_nobody() {
    let mut bench = hot();
    bench.scripted().held = [conversation(1)].into();
    let outcomes = bench.commit(vec![mine(8), mine(9), entry(2, 1)]);
    assert_eq!(outcomes[&(1, 8)], Outcome::Conflict);
    assert_eq!(outcomes[&(1, 9)], Outcome::Conflict);
    assert_eq!(outcomes[&(2, 1)], Outcome::Committed);
    assert!(bench.scripted().slips_in.is_empty());
}

#[test]
fn a_lock_that_is_no_rows_is_waited_for_and_then_narrowed_down() {
    let batch = || (1..=8).map(|id| entry(id, 1)).collect::<Vec<_>>();
    let locked =
        |times| Scripted { faults: vec![Fault::Locked; times].into(), ..Scripted::default() };
    let mut bench = Bench::new(locked(1));
    assert!(bench.commit(batch()).values().all(|outcome| *outcome == Outcome::Committed));
    assert_eq!((bench.scripted().appends, bench.pauses.len()), (2, 1), "once more as it was");
    // In halves from the second time on: 8, 8, 4, 2, 1.
    let mut bench = Bench::new(locked(5));
    let outcomes = bench.commit(batch());
    let back: Vec<_> =
        outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Conflict).collect();
    assert_eq!(back, [(&(1, 1), &Outcome::Conflict)], "a lone conversation goes to its owner");
    assert_eq!(outcomes.values().filter(|outcome| **outcome == Outcome::Committed).count(), 7);
}

#[test]
fn d9_a_lock_that_a_lost_attempt_may_hold_sends_nothing_back() {
    let faults = [[Fault::CutAfterCommit].as_slice(), &[Fault::Locked; 5]].concat().into();
    let mut bench = Bench::new(Scripted { faults, ..Scripted::default() });
    assert_eq!(bench.commit(vec![entry(1, 1)])[&(1, 1)], Outcome::Committed);
}

#[test]
fn what_a_hot_conversation_has_committed_is_answered_before_anything_else_is_tried() {
    for fault in [Fault::CutBefore, Fault::Deadlock, Fault::Locked] {
        let mut bench = hot();
        bench.scripted().faults = [fault].into();
        // The first attempt is that of the hot conversation.
        bench.scripted().faults.push_front(Fault::None);
        let Bench { committer, executor, answers, received, .. } = &mut bench;
        let known = |received: &Mutex<Vec<Completion>>| {
            let received = received.lock().expect("not poisoned");
            received.iter().map(|c| c.conversation_id.get()).collect::<Vec<_>>()
        };
        let mut at_the_pause = Vec::new();
        committer.commit(vec![mine(8), entry(2, 1)], executor, answers, &mut |_, _| {
            at_the_pause = known(received);
            true
        });
        assert_eq!(at_the_pause, [1], "{fault:?}");
    }
}
