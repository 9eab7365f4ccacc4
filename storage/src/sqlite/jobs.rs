//! Writes other than appends: closures that the writer thread runs between two batches, each in its own transaction.

use std::fmt;
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Semaphore, oneshot};

use crate::error::StoreError;
use crate::writer::WriterQueue;

/// Jobs that may wait; callers beyond that wait before they submit.
const WAITING_MAX: usize = 256;
/// Jobs between two batches: registrations must not hold messages up.
const JOBS_PER_TURN: usize = 8;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The jobs waiting for the writer thread.
pub(super) struct Jobs {
    waiting: ArrayQueue<Job>,
    permits: Semaphore,
    writer: Arc<WriterQueue>,
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Jobs {
    pub(super) fn new(writer: Arc<WriterQueue>) -> Self {
        let permits = Semaphore::new(WAITING_MAX);
        Self { waiting: ArrayQueue::new(WAITING_MAX), permits, writer }
    }

    /// Has `work` done and committed by the writer thread. The work is done even if the caller goes away.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody listens any more: the caller was cancelled, the work is done all the same.
            let _ = answer.send(transact(connection, work));
        });
        if self.writer.is_stopping() || self.waiting.push(job).is_err() {
            return Err(StoreError::Closed);
        }
        self.writer.sleeper.notify();
        // The permit goes back with the place in the queue: the writer adds one for each job it takes.
        permit.forget();
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Runs a few jobs; whether there were any.
    pub(super) fn run_some(&self, connection: &mut Connection) -> bool {
        for done in 0..JOBS_PER_TURN {
            let Some(job) = self.waiting.pop() else { return done > 0 };
            self.permits.add_permits(1);
            job(connection);
        }
        true
    }

    /// The writer thread has ended: whoever waits, or comes later, is told so.
    pub(super) fn close(&self) {
        self.permits.close();
        while self.waiting.pop().is_some() {}
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
