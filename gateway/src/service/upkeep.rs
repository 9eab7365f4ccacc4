//! Upkeep: what keeps the database in order while messages flow.
//!
//! ```text
//!   jobs in turn ─► one bounded step ─► more? at once again, after the others · else rest
//! ```
//!
//! To add a job: a variant of [`Job`] with whatever it remembers between steps, its name, its rest and its step.
//!
//! Invariants: one step at a time in the whole process, each a few small transactions, so that it may be cut off
//! anywhere (the server stops at a drain without waiting for it); upkeep takes at most half of the time, the rest is
//! left to everybody else; a failing job is tried again after its rest and holds up no other.

use std::future::Future;
use std::time::Duration;

use ringwire_protocol::ConversationId;
use ringwire_storage::retention::RetentionRules;
use ringwire_storage::{Store, StoreError};
use tokio::time::{Instant, sleep, sleep_until};

use crate::config::StorageConfig;

/// The shortest pause between two steps.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause once every message is indexed. Looking for more reads no database.
const INDEX_REST: Duration = Duration::from_secs(2);
/// The pause once the index is empty.
const EMPTY_INDEX_REST: Duration = Duration::from_hours(1);

/// A look at a finished pass is a few small reads; a waiting one goes on soon after the last node with an older key went.
const RESEAL_REST: Duration = Duration::from_secs(10);

/// Work that never ends, and where it stands.
enum Job {
    /// Removes what the rules of retention let go.
    Retention {
        rules: RetentionRules,
        /// How long after a look at every conversation the next one begins.
        rest: Duration,
        /// Where the next step begins.
        from: Option<ConversationId>,
    },
    /// Brings the search index up to the logs; with search off, empties it.
    Index {
        /// How far behind it may be.
        rest: Duration,
    },
    /// Brings bodies under the active key.
    Reseal,
}

/// The jobs that this configuration asks for.
fn jobs(store: &Store, config: &StorageConfig) -> Vec<Job> {
    let mut jobs = Vec::new();
    if !config.retention.rules.keep_everything() {
        let retention = &config.retention;
        jobs.push(Job::Retention { rules: retention.rules, rest: retention.pass, from: None });
    }
    jobs.push(Job::Index {
        rest: if config.search && !store.is_encrypted() { INDEX_REST } else { EMPTY_INDEX_REST },
    });
    if store.is_encrypted() {
        jobs.push(Job::Reseal);
    }
    jobs
}

impl Job {
    /// For the log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Retention { .. } => "retention",
            Self::Index { .. } => "index",
            Self::Reseal => "reseal",
        }
    }

    /// The pause after everything was done, or a step failed.
    const fn rest(&self) -> Duration {
        match self {
            Self::Retention { rest, .. } | Self::Index { rest } => *rest,
            Self::Reseal => RESEAL_REST,
        }
    }

    /// Does a bounded piece of work; whether there is more to do at once.
    async fn step(&mut self, store: &Store) -> Result<bool, StoreError> {
        match self {
            Self::Retention { rules, from, .. } => {
                let step = store.retention_step(rules, *from).await?;
                if step.removed > 0 {
                    tracing::debug!(entries = step.removed, "old entries removed");
                }
                *from = step.next;
                Ok(from.is_some())
            }
            Self::Index { .. } => store.index_step().await,
            Self::Reseal => Ok(store.reseal_step().await?.more),
        }
    }
}

/// Does every job's work, for as long as it is polled.
pub(crate) fn run(store: Store, config: &StorageConfig) -> impl Future<Output = ()> + Send + use<> {
    let jobs = jobs(&store, config);
    async move {
        let now = Instant::now();
        let mut due: Vec<(Instant, Job)> = jobs.into_iter().map(|job| (now, job)).collect();
        // The job that has waited longest comes first, so those with more to do take turns.
        while let Some((at, job)) = due.iter_mut().min_by_key(|(at, _)| *at) {
            sleep_until(*at).await;
            let began = Instant::now();
            let more = job.step(&store).await.unwrap_or_else(|error| {
                tracing::warn!(job = job.name(), %error, "upkeep will be tried again later");
                false
            });
            let ended = Instant::now();
            *at = if more { ended } else { ended + job.rest() };
            sleep(PAUSE.max(ended - began)).await;
        }
    }
}
