//! Two nodes on one Postgres: what it costs when a part of the batches meets the other node.
//!
//! ```text
//!   node 1: store, 1 writer ─┬─► 1,000 conversations of its own
//!                            └─► 8 contested ones, a row in 0, 1, 10 or 50 % of the batches
//!   node 2: the same, at the same time, in the same contested ones
//! ```
//!
//! No node tells the other what it wrote, as if Redis were down: an owner learns of the other's messages by colliding
//! with them, then does what the gateway does. After a `Conflict` it loads the tail and submits what came back behind
//! it, after a `Moved` it goes on from there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Completion, Outcome};
use ringwire_storage::{BatchLimits, Store, StoreConfig};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::append::new_histogram;
use crate::cpu::seconds_of_threads;
use crate::database::{Database, PostgresServer};
use crate::messages::{Messages, spread};
use crate::report::{Percentiles, median};

/// Conversations that both nodes write to.
const CONTESTED: u64 = 8;
/// In percent of the batches.
const SHARES: [u64; 4] = [0, 1, 10, 50];
/// The last two are beyond what is copied.
const BATCHES: [usize; 4] = [16, 256, 1_024, 4_096];

/// One line of the table; both nodes together.
#[derive(Serialize)]
pub(crate) struct Line {
    batch: usize,
    share_percent: u64,
    rows_per_s: f64,
    rows_per_cpu_s: f64,
    /// How often a row was submitted until it was committed; of contested rows.
    attempts_per_contested_row: f64,
    /// Of all rows.
    attempts_per_row: f64,
    /// Share of contested rows that the store put behind a tail by itself.
    moved_share: f64,
    /// Transactions rolled back for each 100 batches' worth of rows, the warm-up included.
    rollbacks_per_100_batches: f64,
    /// From the first time a row was submitted to its answer; of rows in conversations of the node's own.
    own_ms: Percentiles,
    /// The same of contested rows.
    contested_ms: Percentiles,
}

/// Every size of batch with every share, `rounds` times in turn.
pub(crate) fn compare(database: &Database, rounds: u32, length: Duration) -> Result<Vec<Line>> {
    let Database::Postgres(server) = database else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    println!(
        "\n2 nodes  batch  meet    rows/s  per CPU s  attempts: all, contested   moved  rollbacks/100 \
         own p50     p99  contested p50     p99 ms"
    );
    for batch in BATCHES {
        let mut measured: Vec<(u64, Vec<Measured>)> =
            SHARES.iter().map(|&share| (share, Vec::new())).collect();
        for _ in 0..rounds {
            for (share, measured) in &mut measured {
                measured.push(measure(server, database, batch, *share, length)?);
            }
        }
        for (share, measured) in measured {
            let line = Line::of(batch, share, &measured);
            line.print();
            lines.push(line);
        }
    }
    Ok(lines)
}

impl Line {
    fn of(batch: usize, share_percent: u64, measured: &[Measured]) -> Self {
        let sum =
            |of: fn(&Counts) -> u64| measured.iter().map(|m| of(&m.counts)).sum::<u64>() as f64;
        let contested = sum(|counts| counts.contested.len());
        let rows = sum(|counts| counts.own.len()) + contested;
        let again = sum(|counts| counts.again);
        let batches = measured.iter().map(|m| m.rows_in_all as f64 / batch as f64).sum::<f64>();
        let rollbacks = measured.iter().map(|m| m.rollbacks as f64).sum::<f64>();
        Self {
            batch,
            share_percent,
            rows_per_s: median(measured.iter().map(|m| m.rows() / m.seconds)),
            rows_per_cpu_s: median(measured.iter().map(|m| m.rows() / m.cpu_s)),
            attempts_per_contested_row: 1.0 + again / contested.max(1.0),
            attempts_per_row: 1.0 + again / rows,
            moved_share: sum(|counts| counts.moved) / contested.max(1.0),
            rollbacks_per_100_batches: rollbacks / batches * 100.0,
            own_ms: Percentiles::of_all(measured.iter().map(|m| &m.counts.own)),
            contested_ms: Percentiles::of_all(measured.iter().map(|m| &m.counts.contested)),
        }
    }

    fn print(&self) {
        println!(
            "{:>14} {:>4}% {:>9.0} {:>10.0} {:>14.3} {:>10.2} {:>6.0}% {:>14.1} {:>7.2} {:>7.2} {:>14.2} {:>7.2}",
            self.batch,
            self.share_percent,
            self.rows_per_s,
            self.rows_per_cpu_s,
            self.attempts_per_row,
            self.attempts_per_contested_row,
            self.moved_share * 100.0,
            self.rollbacks_per_100_batches,
            self.own_ms.p50,
            self.own_ms.p99,
            self.contested_ms.p50,
            self.contested_ms.p99,
        );
    }
}

struct Measured {
    counts: Counts,
    seconds: f64,
    cpu_s: f64,
    rollbacks: u64,
    /// The warm-up and the end included.
    rows_in_all: u64,
}

impl Measured {
    fn rows(&self) -> f64 {
        (self.counts.own.len() + self.counts.contested.len()) as f64
    }
}

/// What a node counts between the beginning and the end.
struct Counts {
    /// Microseconds.
    own: Histogram<u64>,
    contested: Histogram<u64>,
    /// Rows submitted again.
    again: u64,
    moved: u64,
}

fn measure(
    server: &PostgresServer,
    database: &Database,
    batch: usize,
    share: u64,
    length: Duration,
) -> Result<Measured> {
    // Each measurement begins with the same table. A contested log has the entry that every log begins with.
    server.execute(&format!(
        "TRUNCATE entries;
         INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
         SELECT id, 1, 1, 0, 1, 'made', 0, '' FROM generate_series(1, {CONTESTED}) AS id"
    ))?;
    let rollbacks = server.rollbacks()?;
    let (ready, finished) = (Barrier::new(3), Barrier::new(3));
    let over = AtomicBool::new(false);
    let (ready, finished, over) = (&ready, &finished, &over);
    let mut measured = thread::scope(|scope| {
        let run = |number: u64| {
            let config = database.config();
            scope.spawn(move || -> Result<(Counts, u64)> {
                let node = Node::open(config, number, batch, share).and_then(|mut node| {
                    node.warm_up()?;
                    Ok(node)
                });
                ready.wait();
                let result = node.and_then(|mut node| {
                    let counts = node.run_until(over)?;
                    Ok((node, counts))
                });
                // The CPU time of the writers can be read until they end.
                finished.wait();
                finished.wait();
                let (node, counts) = result?;
                Ok((counts, node.close()?))
            })
        };
        let nodes = [run(1), run(2)];
        ready.wait();
        let begun = Instant::now();
        let cpu_s = seconds_of_threads("writer-")? + database.cpu_seconds()?;
        thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        finished.wait();
        let seconds = begun.elapsed().as_secs_f64();
        let cpu_s = seconds_of_threads("writer-")? + database.cpu_seconds()? - cpu_s;
        finished.wait();
        let mut of_both: Option<(Counts, u64)> = None;
        for node in nodes {
            let (counts, rows) = node.join().ok().context("a node panicked")??;
            of_both = Some(match of_both {
                None => (counts, rows),
                Some((mut both, of_other)) => {
                    both.own.add(counts.own)?;
                    both.contested.add(counts.contested)?;
                    both.again += counts.again;
                    both.moved += counts.moved;
                    (both, of_other + rows)
                }
            });
        }
        let (counts, rows_in_all) = of_both.context("there were two nodes")?;
        anyhow::Ok(Measured { counts, seconds, cpu_s, rollbacks: 0, rows_in_all })
    })?;
    // Both stores are closed, so their sessions have reported.
    measured.rollbacks = server.rollbacks()? - rollbacks;
    let stored = server.number("SELECT count(*) FROM entries")?;
    ensure!(stored == measured.rows_in_all + CONTESTED, "{stored} rows are not those committed");
    Ok(measured)
}

/// A store and the owner of its conversations.
struct Node {
    store: Store,
    runtime: Runtime,
    deliveries: Receiver<(Instant, Vec<Completion>)>,
    messages: Messages,
    contested: Vec<Log>,
    batch: usize,
    share: u64,
    outstanding: usize,
    committed: u64,
    /// By token: when a row was submitted first.
    submitted_at: Vec<Instant>,
}

/// A contested conversation, as its owner on this node sees it.
struct Log {
    id: ConversationId,
    head: Seq,
    generation: u64,
    /// Submitted under this generation and not answered, in their order.
    in_flight: VecDeque<Append>,
    /// Nothing more is submitted until all of the generation is answered.
    stale: Option<Stale>,
}

struct Stale {
    /// Where the store has put our last message; `None`: the tail has to be loaded.
    moved_to: Option<Seq>,
    /// What came back, in its order.
    again: Vec<Append>,
}

impl Node {
    fn open(mut config: StoreConfig, number: u64, batch: usize, share: u64) -> Result<Self> {
        let (sender, deliveries) = mpsc::channel();
        config.writers = 1;
        config.batch = BatchLimits { max_rows: batch, max_bytes: usize::MAX, ..config.batch };
        config.queue_capacity = config.queue_capacity.max(batch * 8);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sink = Arc::new(move |_, answers| {
            // Nobody listens any more when a measurement has failed.
            let _ = sender.send((Instant::now(), answers));
        });
        let store = runtime.block_on(Store::open(config, sink))?;
        let log = |id| {
            let id = ConversationId::new(id).context("not zero")?;
            Ok(Log { id, head: 1, generation: 1, in_flight: VecDeque::new(), stale: None })
        };
        Ok(Self {
            store,
            runtime,
            deliveries,
            messages: Messages::apart(number),
            contested: (1..=CONTESTED).map(log).collect::<Result<_>>()?,
            batch,
            share,
            outstanding: 0,
            committed: 0,
            submitted_at: Vec::new(),
        })
    }

    /// Connects the writer, and finds the first pages.
    fn warm_up(&mut self) -> Result<()> {
        let mut counts = Counts::new()?;
        while self.outstanding < self.batch * 2 {
            self.submit_next()?;
        }
        self.drain(&mut counts)
    }

    /// Keeps two batches in the queue while one is written.
    fn run_until(&mut self, over: &AtomicBool) -> Result<Counts> {
        let mut counts = Counts::new()?;
        while !over.load(Ordering::Relaxed) {
            while self.outstanding < self.batch * 3 {
                self.submit_next()?;
            }
            self.take(&mut counts)?;
        }
        Ok(counts)
    }

    /// How many rows were committed in all.
    fn close(mut self) -> Result<u64> {
        let mut counts = Counts::new()?;
        self.drain(&mut counts)?;
        self.runtime.block_on(self.store.shut_down(Duration::from_secs(10)));
        Ok(self.committed)
    }

    fn drain(&mut self, counts: &mut Counts) -> Result<()> {
        while self.outstanding > 0 {
            self.take(counts)?;
        }
        Ok(())
    }

    fn submit_next(&mut self) -> Result<()> {
        let number = self.messages.made();
        self.submitted_at.push(Instant::now());
        // One row of a batch's worth may be contested; which log it goes to is as random as whether it is.
        let chance = spread(number / self.batch as u64);
        let meets = number.is_multiple_of(self.batch as u64) && chance % 100 < self.share;
        let log = &mut self.contested[((chance >> 32) % CONTESTED) as usize];
        let entry = if meets && log.stale.is_none() {
            log.head += 1;
            let entry = self.messages.at(log.id, log.head);
            let entry = Append { generation: log.generation, ..entry };
            log.in_flight.push_back(entry.clone());
            entry
        } else {
            self.messages.next()
        };
        self.outstanding += 1;
        submit(&self.store, entry)
    }

    /// Takes the answers of a batch.
    fn take(&mut self, counts: &mut Counts) -> Result<()> {
        let (at, answers) = self.deliveries.recv_timeout(Duration::from_mins(1))?;
        for answer in answers {
            let submitted_at = self.submitted_at[answer.token as usize];
            let took_us = at.duration_since(submitted_at).as_micros() as u64;
            let Some(log) = self.contested.iter_mut().find(|log| log.id == answer.conversation_id)
            else {
                ensure!(answer.outcome == Outcome::Committed, "not committed: {answer:?}");
                counts.own.saturating_record(took_us);
                self.committed += 1;
                self.outstanding -= 1;
                continue;
            };
            let entry = log.in_flight.pop_front().context("an answer to nothing")?;
            ensure!(entry.token == answer.token, "answers in another order: {answer:?}");
            match answer.outcome {
                Outcome::Committed | Outcome::Moved { .. } => {
                    counts.contested.saturating_record(took_us);
                    self.committed += 1;
                    self.outstanding -= 1;
                    if let Outcome::Moved { seq, .. } = answer.outcome {
                        counts.moved += 1;
                        log.stale = Some(Stale { moved_to: Some(seq), again: Vec::new() });
                    }
                }
                Outcome::Conflict => {
                    let stale = Stale { moved_to: None, again: Vec::new() };
                    log.stale.get_or_insert(stale).again.push(entry);
                    counts.again += 1;
                }
                other => bail!("neither committed nor in conflict: {other:?}"),
            }
            if log.in_flight.is_empty()
                && let Some(stale) = log.stale.take()
            {
                log.head = match stale.moved_to {
                    Some(seq) => seq,
                    None => tail(&self.runtime, &self.store, log)?,
                };
                log.generation += 1;
                for mut entry in stale.again {
                    log.head += 1;
                    (entry.seq, entry.msg_no) = (log.head, log.head);
                    entry.generation = log.generation;
                    entry.head_confirmed_at = Instant::now();
                    log.in_flight.push_back(entry.clone());
                    submit(&self.store, entry)?;
                }
            }
        }
        Ok(())
    }
}

fn submit(store: &Store, entry: Append) -> Result<()> {
    ensure!(store.submit(entry).is_ok(), "a writer's queue is full");
    Ok(())
}

/// The head of a log, read as its owner reads it: with what came before it.
fn tail(runtime: &Runtime, store: &Store, log: &Log) -> Result<Seq> {
    let page = runtime.block_on(store.load_tail(log.id, log.head.saturating_sub(1), 100))?;
    Ok(page.context("the conversation is there")?.head.seq)
}

impl Counts {
    fn new() -> Result<Self> {
        Ok(Self { own: new_histogram()?, contested: new_histogram()?, again: 0, moved: 0 })
    }
}
