//! What one thread counted, and all threads together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::verify::Findings;

/// How many reasons of failed users are kept in words.
const MAX_FAILURES: usize = 5;

/// Counts and latencies of a run. One of another process came as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Sends that were due.
    pub offered: u64,
    /// Of those, written at least once.
    pub sent: u64,
    /// Acknowledged.
    pub acked: u64,
    /// Received by the partner.
    pub delivered: u64,
    /// Refused for good.
    pub refused: u64,
    /// Never answered.
    pub unanswered: u64,
    /// Written over 10 ms after they were due.
    pub late_sends: u64,
    /// Connections that replaced a lost one.
    pub reconnects: u64,
    /// Pushes of conversations that are not the receiver's.
    pub stray: u64,
    /// Users whose conversation could not be read back at the end.
    pub unverified: u64,
    /// Refusals and lost connections by name.
    pub errors: BTreeMap<String, u64>,
    /// Why users could not go on.
    pub failures: Vec<String>,
    /// From due to acknowledged.
    pub ack: Latency,
    /// From due to received by the partner.
    pub deliver: Latency,
    /// From due to taken up by the generator: its own lateness.
    pub slip: Latency,
    /// What the ledgers showed.
    pub findings: Findings,
    /// Processor time of the generator, from the first send to the end of the drain.
    pub cpu: Duration,
    /// The busiest thread's processor time while it sent, as a share of that time.
    pub busiest_thread: f64,
}

impl Tally {
    /// Nothing counted; latencies leave out what was due before `warmup_us`.
    pub fn new(warmup_us: u64) -> Self {
        Self {
            offered: 0,
            sent: 0,
            acked: 0,
            delivered: 0,
            refused: 0,
            unanswered: 0,
            late_sends: 0,
            reconnects: 0,
            stray: 0,
            unverified: 0,
            errors: BTreeMap::new(),
            failures: Vec::new(),
            ack: Latency::new(warmup_us),
            deliver: Latency::new(warmup_us),
            slip: Latency::new(warmup_us),
            findings: Findings::default(),
            cpu: Duration::ZERO,
            busiest_thread: 0.0,
        }
    }

    /// Counts an error by name.
    pub fn error(&mut self, name: String) {
        *self.errors.entry(name).or_insert(0) += 1;
    }

    /// Keeps why a user could not go on.
    pub fn failure(&mut self, reason: String) {
        if self.failures.len() < MAX_FAILURES && !self.failures.contains(&reason) {
            self.failures.push(reason);
        }
    }

    /// Adds what another thread counted.
    pub fn merge(&mut self, other: Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.late_sends += other.late_sends;
        self.reconnects += other.reconnects;
        self.stray += other.stray;
        self.unverified += other.unverified;
        for (name, count) in other.errors {
            *self.errors.entry(name).or_insert(0) += count;
        }
        for reason in other.failures {
            self.failure(reason);
        }
        self.ack.merge(&other.ack);
        self.deliver.merge(&other.deliver);
        self.slip.merge(&other.slip);
        self.findings += other.findings;
        self.cpu += other.cpu;
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
    }
}
