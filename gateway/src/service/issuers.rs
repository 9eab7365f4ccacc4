//! Keys of other issuers, asked for again and again.
//!
//! ```text
//!   start, then every refresh_s ──┐
//!   a token with an unknown kid ──┴─► GET jwks_url ─► new keys │ failed: the last good ones stay, soon again
//! ```
//!
//! Invariants: an issuer is asked by one request at a time, because of unknown keys at most every 30 s, whatever strangers
//! send; the shards only ever see whole sets.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::auth::{MAX_JWKS_BYTES, TokenVerifier};
use crate::config::{Config, JwksSource};
use crate::outbound::Outgoing;

/// How often unknown keys make an issuer be asked, at most.
const ASKED_REST: Duration = Duration::from_secs(30);
/// The pause after a failure, doubled with each until it is the usual one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// When an issuer is asked.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    refresh: Duration,
    due: Instant,
    /// Whether an unknown key is the reason for the next time.
    asked: bool,
    /// Before that unknown keys are no reason.
    asked_again: Instant,
    failures: u32,
}

impl Schedule {
    fn new(refresh: Duration, now: Instant) -> Self {
        Self { refresh, due: now, asked: false, asked_again: now, failures: 0 }
    }

    /// A token named a key that is not known.
    fn ask(&mut self, now: Instant) {
        let at = now.max(self.asked_again);
        if at < self.due {
            self.due = at;
            self.asked = true;
        }
    }

    fn answered(&mut self, is_good: bool, now: Instant) {
        if std::mem::take(&mut self.asked) {
            self.asked_again = now + ASKED_REST;
        }
        self.failures = if is_good { 0 } else { self.failures.saturating_add(1) };
        let pause = match self.failures {
            0 => self.refresh,
            failures => self.refresh.min(FIRST_RETRY * (1 << (failures - 1).min(10))),
        };
        self.due = now + pause;
        if !is_good {
            self.asked_again = self.asked_again.max(self.due);
        }
    }
}

/// One of `auth.issuers` with an address.
struct Remote {
    /// Its place there.
    index: usize,
    url: String,
    schedule: Schedule,
}

/// The task that asks.
pub(crate) struct Issuers {
    config: Arc<Config>,
    verifier: Arc<TokenVerifier>,
    outgoing: Outgoing,
    remotes: Vec<Remote>,
}

impl Issuers {
    /// All that have an address, due now.
    pub(crate) fn new(
        config: Arc<Config>,
        verifier: Arc<TokenVerifier>,
        outgoing: Outgoing,
    ) -> Self {
        let now = Instant::now();
        let remotes = config.auth.issuers.iter().enumerate();
        let remotes = remotes
            .filter_map(|(index, issuer)| match &issuer.source {
                JwksSource::File(_) => None,
                JwksSource::Url { url, refresh } => {
                    let schedule = Schedule::new(*refresh, now);
                    Some(Remote { index, url: url.clone(), schedule })
                }
            })
            .collect();
        Self { config, verifier, outgoing, remotes }
    }

    /// Works for as long as it is polled; at once done where there is nothing to ask for.
    pub(crate) async fn run(mut self) {
        loop {
            let now = Instant::now();
            for remote in &mut self.remotes {
                if self.verifier.take_wanted(remote.index) {
                    remote.schedule.ask(now);
                }
            }
            let next = self.remotes.iter_mut().min_by_key(|remote| remote.schedule.due);
            let Some(remote) = next else { return };
            if remote.schedule.due > now {
                tokio::select! {
                    () = sleep_until(remote.schedule.due) => {}
                    () = self.verifier.asked() => {}
                }
                continue;
            }
            let is_good = refresh(&self.config, &self.verifier, &self.outgoing, remote).await;
            remote.schedule.answered(is_good, Instant::now());
            if is_good {
                // What was unknown before is known now, or unknown to the issuer too.
                self.verifier.take_wanted(remote.index);
            }
        }
    }
}

async fn refresh(
    config: &Config,
    verifier: &TokenVerifier,
    outgoing: &Outgoing,
    remote: &Remote,
) -> bool {
    let issuer = config.auth.issuers.get(remote.index).map_or("", |issuer| &issuer.issuer);
    let fetched = outgoing.get(&remote.url, MAX_JWKS_BYTES).await;
    let published = match fetched {
        Ok(text) => {
            verifier.publish(&config.auth, remote.index, &text).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match published {
        Ok(()) => {
            tracing::debug!(issuer, "its keys were read");
            true
        }
        Err(error) => {
            tracing::warn!(issuer, error, "its keys could not be read; the last good ones stay");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_make_an_issuer_be_asked_at_once_and_then_every_thirty_seconds() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut schedule = Schedule::new(Duration::from_mins(5), start);
        assert_eq!(schedule.due, start, "at the start");
        schedule.answered(true, start);
        assert_eq!(schedule.due, at(300));
        schedule.ask(at(10));
        assert_eq!(schedule.due, at(10));
        schedule.answered(true, at(10));
        for second in 11..20 {
            schedule.ask(at(second));
        }
        assert_eq!(schedule.due, at(40), "whatever strangers send");
        let mut shy = Schedule::new(Duration::from_secs(5), start);
        shy.answered(true, start);
        shy.ask(at(1));
        shy.answered(true, at(1));
        shy.ask(at(2));
        assert_eq!(shy.due, at(6), "it would have been asked before");
    }

    #[test]
    fn failures_are_repeated_soon_and_then_as_seldom_as_usual() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Duration::from_secs(10), start);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            schedule.answered(false, start);
            pauses.push((schedule.due - start).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
        schedule.answered(true, start);
        schedule.answered(false, start);
        schedule.ask(start);
        assert_eq!(schedule.due - start, FIRST_RETRY, "unknown keys do not make it sooner");
    }
}
