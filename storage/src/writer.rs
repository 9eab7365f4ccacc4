//! A writer: one thread that takes entries from its queue, commits them in batches and sends the answers back.
//!
//! ```text
//!   shards ─ submit ─► queue ─► batch ─► commit (one transaction) ─► answers, one call per shard
//!                                 ▲          │
//!                                 └──────────┘ meanwhile the next batch gathers in the queue
//!   between batches: other writes (SQLite), last_activity_at of some of the conversations (activity.rs)
//! ```
//!
//! A conversation always goes to the same writer, so its entries keep their order. The queue is bounded; a full one
//! refuses. Stopping: no more is accepted, the queue is written to the end, then the activity, then the thread ends. If
//! the database is away, the writer gives up after the patience it was given; what it drops was never acknowledged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;
use ringwire_protocol::{ConversationId, UnixMs};

use crate::activity::Activity;
use crate::append::{Append, Completion, Outcome, QueueFull};
use crate::batch::{Batch, BatchLimits};
use crate::commit::{Committer, completion};
use crate::error::StoreError;
use crate::executor::Executor;
use crate::metrics::WriterMetrics;
use crate::search::Active;
use crate::wake::Sleeper;

/// Takes the answers of one batch to one origin; called on a writer thread, must not block. The origin is the one of
/// the requests, and it has room for every answer, because submitting reserves it.
pub type CompletionSink = Arc<dyn Fn(u16, Vec<Completion>) + Send + Sync>;

/// What submitters and the writer thread share.
#[derive(Debug)]
pub(crate) struct WriterQueue {
    entries: ArrayQueue<Append>,
    pub(crate) sleeper: Sleeper,
    stopping: AtomicBool,
    /// Entries dropped because the database stayed away until the end of the patience.
    dropped: AtomicU64,
    give_up_at: OnceLock<Instant>,
    /// A batch waits because it cannot be written.
    stuck: AtomicBool,
}

/// A batch that has to wait this long is not merely repeated.
const STUCK_FROM: Duration = Duration::from_millis(16);

impl WriterQueue {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            entries: ArrayQueue::new(capacity.max(1)),
            sleeper: Sleeper::default(),
            stopping: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            give_up_at: OnceLock::new(),
            stuck: AtomicBool::new(false),
        })
    }

    #[expect(clippy::result_large_err, reason = "the refused entry goes back to be answered BUSY")]
    fn submit(&self, entry: Append) -> Result<(), QueueFull> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(QueueFull(entry));
        }
        self.entries.push(entry).map_err(QueueFull)?;
        self.sleeper.notify();
        Ok(())
    }

    fn stop(&self, give_up_at: Instant) {
        // The first call decides.
        let _ = self.give_up_at.set(give_up_at);
        self.stopping.store(true, Ordering::SeqCst);
        self.sleeper.notify();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits out a back-off; `false`: the patience is over. Other writes are not made to wait as long as the batch:
    /// they fail, and whoever asked is told.
    fn pause(&self, length: Duration, executor: &mut Executor) -> bool {
        self.stuck.fetch_or(length >= STUCK_FROM, Ordering::Relaxed);
        let until = Instant::now() + length;
        loop {
            let now = Instant::now();
            if self.is_stopping() && self.give_up_at.get().is_some_and(|&at| at <= now) {
                return false;
            }
            let Some(left) = until.checked_duration_since(now).filter(|left| !left.is_zero())
            else {
                return true;
            };
            if executor.run_jobs() {
                continue;
            }
            // `park` wakes early when told to stop; then the loop looks again, and goes on waiting if it may.
            std::thread::park_timeout(left.min(Duration::from_millis(200)));
        }
    }
}

/// All writers of a store.
#[derive(Debug)]
pub(crate) struct Writers {
    pub(crate) metrics: WriterMetrics,
    queues: Vec<Arc<WriterQueue>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Starts one thread for each queue.
    pub(crate) fn start(
        writers: Vec<(Arc<WriterQueue>, Executor)>,
        limits: BatchLimits,
        completions: &CompletionSink,
        active: &Arc<Active>,
    ) -> Result<Self, StoreError> {
        let metrics = WriterMetrics::new();
        let mut started =
            Self { metrics: metrics.clone(), queues: Vec::new(), threads: Mutex::new(Vec::new()) };
        for (number, (queue, executor)) in writers.into_iter().enumerate() {
            let writer = Writer {
                queue: Arc::clone(&queue),
                executor,
                batch: Batch::new(limits),
                committer: Committer::new(metrics.clone()),
                metrics: metrics.clone(),
                answers: Answers::new(Arc::clone(completions)),
                active: Arc::clone(active),
            };
            let thread = std::thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || {
                    let _guard = AbortOnPanic;
                    writer.run();
                })
                .map_err(|error| {
                    StoreError::Fatal(format!("cannot start a writer thread: {error}"))
                })?;
            queue.sleeper.adopt(thread.thread().clone());
            started.queues.push(queue);
            started.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(started)
    }

    /// Gives an entry to the writer of its conversation.
    #[expect(clippy::result_large_err, reason = "the refused entry goes back to be answered BUSY")]
    pub(crate) fn submit(&self, entry: Append) -> Result<(), QueueFull> {
        let number = spread(entry.conversation_id) % self.queues.len() as u64;
        self.queues[number as usize].submit(entry)
    }

    /// Whether no batch waits because it cannot be written.
    pub(crate) fn can_write(&self) -> bool {
        !self.queues.iter().any(|queue| queue.stuck.load(Ordering::Relaxed))
    }

    /// Stops accepting, waits until every queue is written, at most as long as the patience plus one commit, and says
    /// how many entries were dropped because the database was away. Blocks.
    pub(crate) fn shut_down(&self, patience: Duration) -> u64 {
        let give_up_at = Instant::now() + patience;
        self.queues.iter().for_each(|queue| queue.stop(give_up_at));
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // It cannot have panicked: the process would have ended.
            let _ = thread.join();
        }
        self.queues.iter().map(|queue| queue.dropped.load(Ordering::SeqCst)).sum()
    }
}

impl Drop for Writers {
    /// A store dropped without `shut_down` lets its writers finish what they have, if the database is there.
    fn drop(&mut self) {
        self.queues.iter().for_each(|queue| queue.stop(Instant::now()));
    }
}

/// Spreads consecutive ids evenly (the finalizer of SplitMix64).
fn spread(conversation_id: ConversationId) -> u64 {
    let mut bits = conversation_id.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The answers of a batch, gathered per origin, and the activity of what was committed.
pub(crate) struct Answers {
    sink: CompletionSink,
    by_origin: Vec<Vec<Completion>>,
    activity: Activity,
    /// Answers given since the start.
    total: u64,
    /// The batch was taken apart, so later entries may have been answered before earlier ones.
    disordered: bool,
}

impl Answers {
    pub(crate) fn new(sink: CompletionSink) -> Self {
        let activity = Activity::new(Instant::now());
        Self { sink, by_origin: Vec::new(), activity, total: 0, disordered: false }
    }

    pub(crate) fn add(&mut self, entry: &Append, outcome: Outcome) {
        let written_at = match &outcome {
            Outcome::Committed => Some(entry.created_at),
            Outcome::Moved { created_at, .. } => Some(*created_at),
            Outcome::Conflict | Outcome::Duplicate { .. } | Outcome::Rejected { .. } => None,
        };
        if let Some(at) = written_at {
            self.activity.note(entry.conversation_id, at);
        }
        self.total += 1;
        let origin = usize::from(entry.origin);
        if self.by_origin.len() <= origin {
            self.by_origin.resize_with(origin + 1, Vec::new);
        }
        self.by_origin[origin].push(completion(entry, outcome));
    }

    /// From here to the next delivery answers may come out of order.
    pub(crate) fn take_apart(&mut self) {
        self.disordered = true;
    }

    /// Delivers what is known before a long wait, unless an earlier entry's answer may still be missing.
    pub(crate) fn deliver_before_waiting(&mut self) {
        if !self.disordered {
            self.deliver();
        }
    }

    /// One call per origin that has answers; those of a conversation in log order.
    pub(crate) fn deliver(&mut self) {
        if std::mem::take(&mut self.disordered) {
            for completions in &mut self.by_origin {
                completions.sort_by_key(|c| (c.conversation_id, c.generation, c.seq));
            }
        }
        for (origin, completions) in self.by_origin.iter_mut().enumerate() {
            if !completions.is_empty() {
                (self.sink)(origin as u16, std::mem::take(completions));
            }
        }
    }
}

/// Ends the process when a writer panics. Its conversations would be silent for ever, while a restart loses nothing that
/// was acknowledged.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a writer thread panicked; the process ends");
            std::process::abort();
        }
    }
}

struct Writer {
    queue: Arc<WriterQueue>,
    executor: Executor,
    batch: Batch,
    committer: Committer,
    metrics: WriterMetrics,
    answers: Answers,
    active: Arc<Active>,
}

impl Writer {
    fn run(mut self) {
        loop {
            self.gather();
            let mut worked = false;
            if !self.batch.is_empty() {
                worked = true;
                if !self.commit() {
                    return self.give_up();
                }
            }
            worked |= self.executor.run_jobs();
            let now = Instant::now();
            if let Some(step) = self.answers.activity.take_step(now) {
                worked = true;
                self.save_activity(step);
            }
            if worked {
                continue;
            }
            if self.queue.is_stopping()
                && self.queue.entries.is_empty()
                && !self.executor.has_jobs()
            {
                return self.save_all_activity();
            }
            Sleeper::sleep(self.answers.activity.rest(now));
        }
    }

    /// Fills the batch from the queue until one of its bounds closes it.
    fn gather(&mut self) {
        loop {
            while !self.batch.is_full() {
                let Some(entry) = self.queue.entries.pop() else { break };
                self.batch.push(entry);
            }
            match self.batch.may_wait(Instant::now) {
                Some(wait) if !self.queue.is_stopping() => {
                    Sleeper::sleep(Some(wait));
                }
                _ => return,
            }
        }
    }

    fn commit(&mut self) -> bool {
        let queue = &self.queue;
        let size = self.batch.len();
        self.metrics.batch_closed(size, queue.entries.len());
        let answered_before = self.answers.total;
        let finished = self.committer.commit(
            self.batch.take(),
            &mut self.executor,
            &mut self.answers,
            &mut |length, executor| queue.pause(length, executor),
        );
        queue.stuck.store(false, Ordering::Relaxed);
        self.answers.deliver();
        if !finished {
            let unanswered = size as u64 - (self.answers.total - answered_before);
            queue.dropped.fetch_add(unanswered, Ordering::SeqCst);
        }
        finished
    }

    /// The patience is over and the database still away.
    fn give_up(&self) {
        let mut dropped = 0;
        while self.queue.entries.pop().is_some() {
            dropped += 1;
        }
        let dropped = self.queue.dropped.fetch_add(dropped, Ordering::SeqCst) + dropped;
        tracing::error!(
            dropped,
            "the database stayed away; entries never acknowledged are dropped"
        );
    }

    fn save_all_activity(&mut self) {
        while let Some(step) = self.answers.activity.take_last_step(Instant::now()) {
            if !self.save_activity(step) {
                return;
            }
        }
    }

    /// A failure leaves it for the next round: it is only a hint for lists.
    fn save_activity(&mut self, step: Vec<(ConversationId, UnixMs)>) -> bool {
        self.active.add(step.iter().map(|&(id, _)| id));
        let saved = self.executor.save_activity(&step);
        if let Err(error) = &saved {
            tracing::debug!(?error, "activity is saved later");
            self.answers.activity.put_back(step);
        }
        saved.is_ok()
    }
}
