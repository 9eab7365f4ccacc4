//! A node's writer: entries in order, one after the other, as `ringwire_storage`'s writes them.
//!
//! ```text
//!   shard ─► AppendSink ─► queue ─► write ─► Database
//!                                    └─► completions, which arrive when the world says so
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringwire_gateway::persist::AppendSink;
use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Completion, HEAD_TRUST, Outcome};

use crate::database::Database;

/// From this many collisions on, less the appends that met nobody, messages go behind the tail.
const HOT: u32 = 2;
/// The most entries that go behind a tail together.
const RUN_MAX: usize = 3;

/// The queue in front of the writer; its other end is with the shards.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Arc<Mutex<VecDeque<Append>>>);

impl Queue {
    pub(crate) fn lock(&self) -> MutexGuard<'_, VecDeque<Append>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What shards submit to.
    pub(crate) fn sink(&self, room: usize) -> AppendSink {
        let queue = self.clone();
        Arc::new(move |append| {
            let mut queue = queue.lock();
            if queue.len() >= room {
                return Err(Box::new(append));
            }
            queue.push_back(append);
            Ok(())
        })
    }
}

/// Entries of a generation that go back unwritten, from a position on.
#[derive(Clone, Copy, Debug)]
struct Stale {
    generation: u64,
    from_seq: Seq,
}

/// The writer of one node.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) queue: Queue,
    stale: BTreeMap<(u16, ConversationId), Stale>,
    heat: BTreeMap<ConversationId, u32>,
    /// Sabotage: says that an entry is written, and writes it only if nothing comes in between.
    pub(crate) lies: bool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let queue = Queue(Arc::default());
        Self { queue, stale: BTreeMap::new(), heat: BTreeMap::new(), lies: false }
    }

    /// Writes the oldest entry, or those that can go with it, and answers them. With `answer_lost` the connection breaks
    /// after the commit: nothing is answered, and the same is written again next time.
    pub(crate) fn write(
        &mut self,
        database: &mut Database,
        at: Instant,
        answer_lost: bool,
    ) -> Vec<(u16, Completion)> {
        let queue = self.queue.clone();
        let mut queue = queue.lock();
        let Some(append) = queue.front() else { return Vec::new() };
        let id = append.conversation_id;
        let held = self.holds(append);
        let outcomes = if held {
            vec![Outcome::Conflict]
        } else if self.heat.get(&id).is_some_and(|heat| *heat >= HOT)
            && let Some(outcomes) = database.insert_behind(&run(&queue))
        {
            outcomes
        } else {
            let doubtful =
                append.check_base || at.duration_since(append.head_confirmed_at) > HEAD_TRUST;
            vec![database.insert(append, doubtful, false)]
        };
        if answer_lost && !held {
            return Vec::new();
        }
        let mut answers = Vec::new();
        for outcome in outcomes {
            let Some(append) = queue.pop_front() else { break };
            if !held {
                self.learn(&append, &outcome);
            }
            if self.lies && outcome == Outcome::Committed && append.seq.is_multiple_of(7) {
                database.lose_newest(id);
            }
            let completion = Completion {
                conversation_id: id,
                seq: append.seq,
                token: append.token,
                generation: append.generation,
                outcome,
            };
            answers.push((append.origin, completion));
        }
        answers
    }

    fn holds(&mut self, append: &Append) -> bool {
        let key = (append.origin, append.conversation_id);
        match self.stale.get(&key) {
            None => false,
            Some(stale) if append.generation < stale.generation => true,
            Some(stale) if append.generation == stale.generation => append.seq >= stale.from_seq,
            Some(_) => {
                self.stale.remove(&key);
                false
            }
        }
    }

    fn learn(&mut self, append: &Append, outcome: &Outcome) {
        let heat = self.heat.entry(append.conversation_id).or_default();
        let from_seq = match outcome {
            Outcome::Committed => {
                *heat = heat.saturating_sub(1);
                return;
            }
            Outcome::Moved { .. } => append.seq + 1,
            Outcome::Conflict => {
                *heat += 2;
                append.seq
            }
            Outcome::Duplicate { .. } | Outcome::Rejected { .. } => append.seq,
        };
        let stale = Stale { generation: append.generation, from_seq };
        self.stale.insert((append.origin, append.conversation_id), stale);
    }
}

/// The entries at the front of the queue that follow each other.
fn run(queue: &VecDeque<Append>) -> Vec<Append> {
    let mut run: Vec<Append> = Vec::new();
    for append in queue.iter().take(RUN_MAX) {
        let follows = run.last().is_none_or(|before| {
            let next = (before.origin, before.conversation_id, before.generation);
            next == (append.origin, append.conversation_id, append.generation)
                && (before.seq + 1, before.msg_no + 1) == (append.seq, append.msg_no)
        });
        if !follows {
            break;
        }
        run.push(append.clone());
    }
    run
}
