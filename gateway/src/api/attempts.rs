//! Attempts to get in: how many an address may make, and how often a password may be wrong for one name.
//!
//! ```text
//!   login, registration, reset ─► address: one more │ name: one more ─► the attempt ─► right? it does not count
//! ```
//!
//! A name is counted whether or not it is somebody's, so a refusal tells nobody which names there are. A password counts
//! as wrong until it was right, so that many tries at once are no more than one after another; whoever knows theirs may log in
//! as often as they like.
//!
//! Invariants: the tables are bounded, and strangers that find no room in them share one place; a place is forgotten when
//! it is as good as new; an address exempt from other limits is exempt here.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use ringwire_protocol::{CommandError, ErrorCode};

use super::ServiceState;
use super::error::ApiError;
use super::metrics::Peer;
use crate::config::{AttemptRate, LimitsConfig};
use crate::connection::addresses::prefix;
use crate::connection::forwarded::{Forwarding, Source};
use crate::limits;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Mails to one person about a forgotten password: a few at once, then one in five minutes.
const MAILS: Pace = Pace { period_ms: 5 * 60_000, burst: 3 };

/// One in `period_ms`, `burst` of them after a pause. A period of 0: no limit.
#[derive(Clone, Copy, Debug)]
struct Pace {
    period_ms: i64,
    burst: i64,
}

impl From<AttemptRate> for Pace {
    fn from(rate: AttemptRate) -> Self {
        let period_ms = 60_000_i64.checked_div(rate.per_min.into()).unwrap_or(0);
        Self { period_ms, burst: rate.burst.into() }
    }
}

/// What is counted of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// Wrong passwords.
    Password,
    /// Mails about a forgotten one.
    Mail,
}

/// Who asks, as far as attempts go; `None`: somebody without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client(Option<u64>);

/// All counts of this node.
#[derive(Debug)]
pub(super) struct Attempts {
    address: Pace,
    name: Pace,
    addresses: Mutex<Table>,
    names: Mutex<Table>,
    /// Names are kept as keyed hashes: peers choose them.
    hasher: RandomState,
    began: Instant,
}

/// When each place will be as good as new, in milliseconds (the generic cell rate algorithm).
#[derive(Debug, Default)]
struct Table(HashMap<Option<u64>, i64>);

impl Table {
    /// The place of a key: its own, if there is room for one.
    fn place(&mut self, key: u64, now_ms: i64) -> &mut i64 {
        let mut place = Some(key);
        if self.0.len() >= limits::KNOWN_ADDRESSES && !self.0.contains_key(&place) {
            self.0.retain(|_, free_at| *free_at > now_ms);
            if self.0.len() >= limits::KNOWN_ADDRESSES {
                place = None;
            }
        }
        let free_at = self.0.entry(place).or_insert(now_ms);
        *free_at = now_ms.max(*free_at);
        free_at
    }

    /// How long somebody has to wait for their next attempt.
    fn wait(&mut self, key: u64, pace: Pace, now_ms: i64) -> i64 {
        let ahead = *self.place(key, now_ms) - now_ms;
        (ahead - (pace.burst - 1) * pace.period_ms).max(0)
    }

    /// Counts one that did not have to wait.
    fn count(&mut self, key: u64, pace: Pace, now_ms: i64) {
        *self.place(key, now_ms) += pace.period_ms;
    }

    /// One that was counted does not count after all.
    fn forgive(&mut self, key: u64, pace: Pace, now_ms: i64) {
        let free_at = self.place(key, now_ms);
        *free_at = now_ms.max(*free_at - pace.period_ms);
    }
}

impl Attempts {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        Self {
            address: limits.address_attempts.into(),
            name: limits.account_attempts.into(),
            addresses: Mutex::default(),
            names: Mutex::default(),
            hasher: RandomState::new(),
            began: Instant::now(),
        }
    }

    /// One more attempt of an address, or the time until it may make one.
    pub(super) fn of_client(&self, Client(key): Client) -> Result<(), ApiError> {
        match key {
            Some(key) => self.take(&self.addresses, key, self.address),
            None => Ok(()),
        }
    }

    /// One more password for a name, which counts unless [`Self::was_not_wrong`]; or the time until one may be tried.
    pub(super) fn of_name(&self, name: &str) -> Result<(), ApiError> {
        self.take(&self.names, self.key(Of::Password, name), self.name)
    }

    /// It was right, or could not be checked.
    pub(super) fn was_not_wrong(&self, name: &str) {
        let key = self.key(Of::Password, name);
        let now_ms = self.now_ms();
        lock(&self.names).forgive(key, self.name, now_ms);
    }

    /// One more mail to whoever has this name.
    pub(super) fn mail(&self, name: &str) -> Result<(), ApiError> {
        self.take(&self.names, self.key(Of::Mail, name), MAILS)
    }

    fn take(&self, table: &Mutex<Table>, key: u64, pace: Pace) -> Result<(), ApiError> {
        let now_ms = self.now_ms();
        let mut table = lock(table);
        refuse(table.wait(key, pace, now_ms))?;
        table.count(key, pace, now_ms);
        Ok(())
    }

    fn key(&self, of: Of, name: &str) -> u64 {
        self.hasher.hash_one((of, name.to_lowercase()))
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX / 2)
    }
}

fn refuse(wait_ms: i64) -> Result<(), ApiError> {
    if wait_ms == 0 {
        return Ok(());
    }
    let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
    let message = "too many attempts; wait a little";
    Err(CommandError::retry(ErrorCode::RateLimited, message, wait_ms).into())
}

fn lock(table: &Mutex<Table>) -> std::sync::MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// What stands for the address; `None`: it has no limit.
    pub(super) const fn address(self) -> Option<u64> {
        self.0
    }
}

impl FromRequestParts<ServiceState> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ServiceState) -> Result<Self, ApiError> {
        let config = &state.0.config;
        // Nothing is known of a request that did not come through a socket.
        let Some(Peer(peer)) = parts.extensions.get::<Peer>().copied() else {
            return Ok(Self(None));
        };
        let lines = |name: HeaderName| -> Vec<String> {
            let values = parts.headers.get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        };
        let (forwarded, x_forwarded_for) = (lines(FORWARDED), lines(X_FORWARDED_FOR));
        let forwarding = Forwarding { forwarded: &forwarded, x_forwarded_for: &x_forwarded_for };
        let client = config.server.trusted_proxies.client(peer.ip(), forwarding);
        let is_local = client.source == Source::Socket && client.address.is_loopback();
        let is_exempt = config.limits.address.exempt_loopback && is_local;
        Ok(Self((!is_exempt).then(|| prefix(client.address))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { period_ms: 100, burst: 3 };

    fn take(table: &mut Table, key: u64, now_ms: i64) -> i64 {
        let wait = table.wait(key, PACE, now_ms);
        if wait == 0 {
            table.count(key, PACE, now_ms);
        }
        wait
    }

    #[test]
    fn p1_a_few_at_once_and_then_one_a_period() {
        let mut table = Table::default();
        assert_eq!([0, 0, 0, 0].map(|now| take(&mut table, 7, now)), [0, 0, 0, 100]);
        assert_eq!(take(&mut table, 8, 0), 0, "another one");
        assert_eq!([40, 100, 100, 1000].map(|now| take(&mut table, 7, now)), [60, 0, 100, 0]);
        let free = Pace { period_ms: 0, burst: 1 };
        for _ in 0..100 {
            table.count(9, free, 0);
        }
        assert_eq!(table.wait(9, free, 0), 0, "no limit");
    }

    #[test]
    fn p1_what_is_forgiven_was_never_counted() {
        let mut table = Table::default();
        for _ in 0..100 {
            assert_eq!(take(&mut table, 7, 0), 0);
            table.forgive(7, PACE, 0);
        }
        assert_eq!([0, 0, 0, 0].map(|now| take(&mut table, 7, now)), [0, 0, 0, 100]);
        table.forgive(7, PACE, 1_000);
        assert_eq!([1_000; 4].map(|now| take(&mut table, 7, now)), [0, 0, 0, 100], "no credit");
    }

    #[test]
    fn p1_strangers_without_room_share_a_place_and_old_ones_are_forgotten() {
        let mut table = Table::default();
        for key in 0..limits::KNOWN_ADDRESSES as u64 {
            take(&mut table, key, 0);
        }
        let strangers = [1 << 40, 2 << 40, 3 << 40, 4 << 40];
        assert_eq!(strangers.map(|key| take(&mut table, key, 50)), [0, 0, 0, 100]);
        assert_eq!(take(&mut table, 5, 50), 0, "who has a place keeps it");
        assert!(table.0.len() <= limits::KNOWN_ADDRESSES + 1);
        assert_eq!(take(&mut table, 1 << 41, 1_000), 0);
        assert_eq!(table.0.len(), 1, "all others were as good as new");
    }

    #[test]
    fn p1_names_are_counted_without_regard_to_case_and_by_what_for() {
        let rate = AttemptRate { per_min: 1, burst: 1 };
        let config = crate::config::load(None, [], &[]).unwrap().config;
        let limits = LimitsConfig { account_attempts: rate, ..config.limits };
        let attempts = Attempts::new(&limits);
        assert!(attempts.of_name("Ann").is_ok());
        attempts.was_not_wrong("ann");
        assert!(attempts.of_name("ANN").is_ok());
        let refused = attempts.of_name("ann").unwrap_err().to_json();
        assert!(refused.contains("RATE_LIMITED") && !refused.contains("\"retry_after_ms\":0"));
        assert!(attempts.of_name("bob").is_ok());
        assert!((0..3).all(|_| attempts.mail("ann").is_ok()), "mails are counted apart");
        assert!(attempts.mail("ann").is_err());
    }
}
