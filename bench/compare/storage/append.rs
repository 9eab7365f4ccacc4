//! The append path: the real store, driven from one thread that makes messages and takes the answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use ringwire_storage::append::{Completion, Outcome};
use ringwire_storage::{BatchLimits, Store};
use tokio::runtime::Runtime;

use crate::cpu::{seconds_of_this_thread, seconds_of_threads};
use crate::database::Database;
use crate::messages::Messages;

/// Before anything counts: connections are made and pages found.
const WARM_UP: Duration = Duration::from_millis(300);

/// How the store is set up for a measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) batch: BatchLimits,
}

impl Limits {
    /// Batches of exactly so many rows, since the queue always holds more.
    pub(crate) fn of_rows(max_rows: usize) -> Self {
        Self { batch: BatchLimits { max_rows, max_bytes: usize::MAX, ..BatchLimits::default() } }
    }
}

/// A measurement as fast as it goes.
pub(crate) struct ClosedLoop {
    pub(crate) rows_per_s: f64,
    rows: f64,
    writer_cpu_s: f64,
    server_cpu_s: f64,
    /// CPU of the thread that makes messages, as a share of one core.
    pub(crate) generator_cpu_share: f64,
    pub(crate) mean_batch: f64,
    /// From one batch's answers to the next's of the same writer, in microseconds: gathering, sorting, the commit,
    /// the answers.
    pub(crate) intervals: Histogram<u64>,
}

impl ClosedLoop {
    pub(crate) fn rows_per_cpu_s(&self) -> f64 {
        self.rows / (self.writer_cpu_s + self.server_cpu_s)
    }

    pub(crate) fn writer_cpu_us_per_row(&self) -> f64 {
        self.writer_cpu_s * 1e6 / self.rows
    }

    pub(crate) fn server_cpu_us_per_row(&self) -> f64 {
        self.server_cpu_s * 1e6 / self.rows
    }
}

/// A measurement at a given rate.
pub(crate) struct OpenLoop {
    pub(crate) rate_per_s: f64,
    pub(crate) mean_batch: f64,
    /// From the intended time of a message to its answer, in microseconds.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) generator_cpu_share: f64,
    /// How late messages were submitted.
    pub(crate) late_p99_ms: f64,
}

/// Microseconds up to a minute, three digits.
pub(crate) fn new_histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// The answers of one batch.
struct Delivery {
    at: Instant,
    writer: ThreadId,
    answers: Vec<Completion>,
}

/// An open store whose answers come through a channel.
struct Driven {
    store: Store,
    runtime: Runtime,
    deliveries: Receiver<Delivery>,
    outstanding: usize,
    /// What one writer's queue holds.
    room: usize,
}

impl Driven {
    fn open(database: &Database, limits: &Limits) -> Result<Self> {
        let (sender, deliveries) = mpsc::channel();
        let mut config = database.config();
        config.batch = limits.batch;
        config.queue_capacity = config.queue_capacity.max(limits.batch.max_rows * 8);
        let room = config.queue_capacity;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sink = Arc::new(move |_, answers| {
            let writer = std::thread::current().id();
            // Nobody listens any more when a measurement has failed.
            let _ = sender.send(Delivery { at: Instant::now(), writer, answers });
        });
        let store = runtime.block_on(Store::open(config, sink))?;
        Ok(Self { store, runtime, deliveries, outstanding: 0, room })
    }

    fn submit(&mut self, messages: &mut Messages) -> Result<()> {
        let refused = self.store.submit(messages.next()).is_err();
        ensure!(!refused, "a writer's queue is full: the rate is beyond what the store takes");
        self.outstanding += 1;
        Ok(())
    }

    fn take(&mut self, delivery: &Delivery) -> Result<()> {
        for answer in &delivery.answers {
            ensure!(answer.outcome == Outcome::Committed, "not committed: {answer:?}");
        }
        self.outstanding -= delivery.answers.len();
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        while self.outstanding > 0 {
            let delivery = self.deliveries.recv_timeout(Duration::from_mins(1))?;
            self.take(&delivery)?;
        }
        self.runtime.block_on(self.store.shut_down(Duration::from_secs(10)));
        Ok(())
    }
}

/// CPU so far.
struct Cpu {
    at: Instant,
    writers_s: f64,
    server_s: f64,
    generator_s: f64,
}

impl Cpu {
    fn now(database: &Database) -> Result<Self> {
        Ok(Self {
            writers_s: seconds_of_threads("writer-")?,
            server_s: database.cpu_seconds()?,
            generator_s: seconds_of_this_thread(),
            at: Instant::now(),
        })
    }
}

/// Writes so many rows without measuring anything.
pub(crate) fn preload(database: &Database, messages: &mut Messages, rows: u64) -> Result<()> {
    let mut driven = Driven::open(database, &Limits::default())?;
    while messages.made() < rows {
        while driven.outstanding < 4_096 {
            driven.submit(messages)?;
        }
        let delivery = driven.deliveries.recv()?;
        driven.take(&delivery)?;
    }
    driven.close()
}

/// Keeps the queues filled, so that every batch is as large as it may be.
pub(crate) fn closed_loop(
    database: &Database,
    messages: &mut Messages,
    limits: &Limits,
    length: Duration,
) -> Result<ClosedLoop> {
    let mut driven = Driven::open(database, limits)?;
    let window = (limits.batch.max_rows * 8).max(4_096);
    let begun_at = Instant::now();
    let mut begin = None;
    let mut intervals = new_histogram()?;
    let mut last: HashMap<ThreadId, Instant> = HashMap::new();
    let (mut rows, mut batches) = (0, 0);
    loop {
        while driven.outstanding < window {
            driven.submit(messages)?;
        }
        let mut next = Some(driven.deliveries.recv()?);
        while let Some(delivery) = next {
            driven.take(&delivery)?;
            if begin.is_some() {
                rows += delivery.answers.len();
                batches += 1;
                if let Some(last) = last.get(&delivery.writer) {
                    let interval = delivery.at.duration_since(*last);
                    intervals.saturating_record(interval.as_micros() as u64);
                }
            }
            last.insert(delivery.writer, delivery.at);
            next = driven.deliveries.try_recv().ok();
        }
        match &begin {
            None if begun_at.elapsed() >= WARM_UP => begin = Some(Cpu::now(database)?),
            Some(begin) if begin.at.elapsed() >= length => break,
            _ => {}
        }
    }
    let end = Cpu::now(database)?;
    let begin = begin.context("it was measured")?;
    driven.close()?;
    let seconds = end.at.duration_since(begin.at).as_secs_f64();
    Ok(ClosedLoop {
        rows_per_s: rows as f64 / seconds,
        rows: rows as f64,
        writer_cpu_s: end.writers_s - begin.writers_s,
        server_cpu_s: end.server_s - begin.server_s,
        generator_cpu_share: (end.generator_s - begin.generator_s) / seconds,
        mean_batch: rows as f64 / f64::from(batches),
        intervals,
    })
}

/// Submits at a steady rate, whatever the answers do. Where the disk stands still for so long that the queue is full, what
/// is due waits for room: its latency counts from when it was due.
pub(crate) fn open_loop(
    database: &Database,
    messages: &mut Messages,
    limits: &Limits,
    rate_per_s: f64,
    length: Duration,
) -> Result<OpenLoop> {
    const TICK: Duration = Duration::from_micros(250);
    let mut driven = Driven::open(database, limits)?;
    let first_token = messages.made();
    let start = Instant::now();
    let intended =
        |token: u64| start + Duration::from_secs_f64((token - first_token) as f64 / rate_per_s);
    let end = start + WARM_UP + length;
    let mut was_full = false;
    let (mut latencies, mut late) = (new_histogram()?, new_histogram()?);
    let (mut rows, mut batches) = (0, 0);
    let cpu_s = seconds_of_this_thread();
    loop {
        let now = Instant::now();
        // What is due before the end is submitted, however late.
        let is_due = |token: u64| intended(token) <= now.min(end);
        while is_due(messages.made()) && driven.outstanding < driven.room {
            let lateness = now.duration_since(intended(messages.made()));
            if !was_full {
                late.saturating_record(lateness.as_micros() as u64);
            }
            driven.submit(messages)?;
        }
        // Late because of the disk, and not of this thread.
        was_full = driven.outstanding >= driven.room;
        let is_over = intended(messages.made()) > end && now >= end;
        if is_over && driven.outstanding == 0 {
            break;
        }
        let mut next = driven.deliveries.recv_timeout(TICK).ok();
        while let Some(delivery) = next {
            driven.take(&delivery)?;
            for answer in &delivery.answers {
                let intended = intended(answer.token);
                if intended >= start + WARM_UP {
                    let latency = delivery.at.duration_since(intended);
                    latencies.saturating_record(latency.as_micros() as u64);
                }
            }
            rows += delivery.answers.len();
            batches += 1;
            next = driven.deliveries.try_recv().ok();
        }
    }
    let generator_cpu_share = (seconds_of_this_thread() - cpu_s) / start.elapsed().as_secs_f64();
    driven.close()?;
    Ok(OpenLoop {
        rate_per_s,
        mean_batch: rows as f64 / f64::from(batches),
        latencies,
        generator_cpu_share,
        late_p99_ms: late.value_at_quantile(0.99) as f64 / 1e3,
    })
}
