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
//! left to everybody else; a job that fails, or does not end in time, is tried again after its rest and holds up no
//! other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::{CloseReason, CommandError, ConversationId, UnixMs};
use ringwire_storage::retention::RetentionRules;
use ringwire_storage::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::calls::Calls;
use crate::cli::unix_now_ms;
use crate::config::StorageConfig;
use crate::files::{CLEANUP_REST, Cleanup, CleanupError, Files};
use crate::limits;

/// The shortest pause between two steps.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause once every message is indexed. Looking for more reads no database.
const INDEX_REST: Duration = Duration::from_secs(2);
/// The pause once the index is empty.
const EMPTY_INDEX_REST: Duration = Duration::from_hours(1);
/// How often deleted users are looked for: their sessions on other nodes have to end within a minute.
const DELETIONS_REST: Duration = Duration::from_secs(20);
/// Deleted users whose sessions are ended at a time. They are listed for 2 minutes or longer.
const DELETIONS: u32 = 1_000;
/// How often expired refresh tokens are removed; they are refused anyway.
const TOKENS_REST: Duration = Duration::from_mins(10);
/// How often old rows of the audit log are looked for.
const AUDIT_REST: Duration = Duration::from_mins(10);
/// How often ended logins are looked for: their sessions on other nodes have to end within half a minute.
const LOGINS_REST: Duration = Duration::from_secs(15);
/// How far back a look reaches, in milliseconds: beyond what clocks differ by, and how long a transaction takes to be seen.
const LOGINS_BACK_MS: UnixMs = 60_000;
/// Ended logins in one step.
const LOGINS: u32 = 1_000;
/// Groups that are left in one step.
const LEAVES: u32 = 20;

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
    /// Ends the sessions of deleted users.
    EndSessions,
    /// Ends the sessions of logins that ended on other nodes.
    EndLogins {
        /// Since when the next step looks.
        since: UnixMs,
    },
    /// Erases what deleted users wrote once they are in no group, and takes them out of groups.
    Erase,
    /// Removes refresh tokens that have expired.
    ExpireTokens,
    /// Removes rows of the audit log that are older than so many days.
    ExpireAudit(u32),
    /// Removes files that nothing carries, and bytes that no row knows.
    Files(Cleanup),
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] CleanupError),
    #[error("{}", .0.message)]
    Command(#[from] CommandError),
    #[error("it did not end within {0:?}")]
    Late(Duration),
}

/// The jobs that this configuration asks for.
fn jobs(store: &Store, config: &StorageConfig, files: Option<Files>) -> Vec<Job> {
    let end_logins = Job::EndLogins { since: unix_now_ms() - LOGINS_BACK_MS };
    let mut jobs = vec![end_logins, Job::EndSessions, Job::Erase, Job::ExpireTokens];
    if !config.retention.rules.keep_everything() {
        let retention = &config.retention;
        jobs.push(Job::Retention { rules: retention.rules, rest: retention.pass, from: None });
    }
    if config.retention.audit_days > 0 {
        jobs.push(Job::ExpireAudit(config.retention.audit_days));
    }
    jobs.push(Job::Index {
        rest: if config.search && !store.is_encrypted() { INDEX_REST } else { EMPTY_INDEX_REST },
    });
    if store.is_encrypted() {
        jobs.push(Job::Reseal);
    }
    jobs.extend(files.map(|files| Job::Files(Cleanup::new(files))));
    jobs
}

impl Job {
    /// For the log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Retention { .. } => "retention",
            Self::Index { .. } => "index",
            Self::EndSessions => "end sessions",
            Self::EndLogins { .. } => "end logins",
            Self::Erase => "erase",
            Self::ExpireTokens => "expire tokens",
            Self::ExpireAudit(_) => "expire audit",
            Self::Reseal => "reseal",
            Self::Files(_) => "files",
        }
    }

    /// The pause after everything was done, or a step failed.
    const fn rest(&self) -> Duration {
        match self {
            Self::Retention { rest, .. } | Self::Index { rest } => *rest,
            Self::EndSessions | Self::Erase => DELETIONS_REST,
            Self::EndLogins { .. } => LOGINS_REST,
            Self::ExpireTokens => TOKENS_REST,
            Self::ExpireAudit(_) => AUDIT_REST,
            Self::Reseal => RESEAL_REST,
            Self::Files(_) => CLEANUP_REST,
        }
    }

    /// Whether it begins at once when a user was deleted on this node.
    const fn waits_for_deletions(&self) -> bool {
        matches!(self, Self::EndSessions | Self::Erase)
    }

    /// Does a bounded piece of work; whether there is more to do at once.
    async fn step(&mut self, store: &Store, calls: &Calls) -> Result<bool, StepError> {
        match self {
            Self::Retention { rules, from, .. } => {
                let step = store.retention_step(rules, *from).await?;
                if step.removed > 0 {
                    tracing::debug!(entries = step.removed, "old entries removed");
                }
                *from = step.next;
                Ok(from.is_some())
            }
            Self::Index { .. } => Ok(store.index_step().await?),
            Self::EndSessions => {
                for user in store.deletions(DELETIONS).await? {
                    calls.end_sessions(user, CloseReason::AccountDeleted)?;
                }
                Ok(false)
            }
            Self::EndLogins { since } => {
                let next = unix_now_ms() - LOGINS_BACK_MS;
                let ended = store.revoked_families(*since, LOGINS).await?;
                let mut users = BTreeSet::new();
                for (user, login, _) in &ended {
                    calls.end_login(*user, Some(*login))?;
                    users.insert(*user);
                }
                // Who has logged out of a device does not leave it their messages.
                for user in users {
                    store.silence_devices(user).await?;
                }
                let more = ended.len() >= LOGINS as usize;
                let last = ended.last().filter(|_| more).map(|(_, _, ended_at)| *ended_at);
                // More than that in one millisecond would be skipped; they are refused when they connect.
                *since = last.map_or(next, |last| last.max(*since + 1));
                Ok(more)
            }
            Self::Erase => {
                // First: a group that does not answer must not keep others from being erased.
                let mut more = store.erase_step().await?.more;
                for (user, group) in store.groups_to_leave(LEAVES).await? {
                    match calls.leave(user, group).await {
                        Ok(()) => more = true,
                        Err(error) => tracing::warn!(
                            %user, conversation = %group, error = error.message,
                            "a deleted user is still in a group; it will be tried again later"
                        ),
                    }
                }
                Ok(more)
            }
            Self::ExpireTokens => Ok(store.expire_tokens().await?),
            Self::ExpireAudit(days) => Ok(store.expire_audit(*days).await?),
            Self::Reseal => Ok(store.reseal_step().await?.more),
            Self::Files(cleanup) => Ok(cleanup.step(store).await?),
        }
    }
}

/// Ends a step that does not end by itself: on a connection whose other side hangs no answer ever comes.
async fn limited(
    limit: Duration,
    step: impl Future<Output = Result<bool, StepError>>,
) -> Result<bool, StepError> {
    timeout(limit, step).await.unwrap_or(Err(StepError::Late(limit)))
}

/// The one task that does every job.
pub(crate) struct Upkeep {
    store: Store,
    calls: Calls,
    /// Raised when a user was deleted here.
    deleted: Arc<Notify>,
    jobs: Vec<(Instant, Job)>,
}

impl Upkeep {
    /// What this configuration asks for, all of it due now.
    pub(crate) fn new(
        store: Store,
        config: &StorageConfig,
        calls: Calls,
        deleted: Arc<Notify>,
        files: Option<Files>,
    ) -> Self {
        let now = Instant::now();
        let jobs = jobs(&store, config, files).into_iter().map(|job| (now, job)).collect();
        Self { store, calls, deleted, jobs }
    }

    /// Works for as long as it is polled.
    pub(crate) async fn run(mut self) {
        loop {
            // The job that has waited longest comes first, so those with more to do take turns.
            let Some((at, job)) = self.jobs.iter_mut().min_by_key(|(at, _)| *at) else { return };
            if timeout_at(*at, self.deleted.notified()).await.is_ok() {
                let now = Instant::now();
                let concerned = self.jobs.iter_mut().filter(|(_, job)| job.waits_for_deletions());
                concerned.for_each(|(at, _)| *at = now);
                continue;
            }
            let began = Instant::now();
            let limit = Duration::from_secs(limits::UPKEEP_STEP_S);
            let step = limited(limit, job.step(&self.store, &self.calls)).await;
            let more = step.unwrap_or_else(|error| {
                tracing::warn!(job = job.name(), %error, "upkeep will be tried again later");
                false
            });
            let ended = Instant::now();
            *at = if more { ended } else { ended + job.rest() };
            sleep(PAUSE.max(ended - began)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_never_ends_is_cut_off() {
        let late = limited(Duration::ZERO, std::future::pending()).await;
        assert!(matches!(late, Err(StepError::Late(_))), "{late:?}");
        assert!(limited(Duration::ZERO, async { Ok(true) }).await.unwrap());
    }
}
