//! What one thread counted, and all threads together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::verify::{Findings, Ledger};

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
    /// Connections that were ended on purpose.
    pub cuts: u64,
    /// Pushes of who types and how far somebody got.
    pub signals: u64,
    /// Users who could not be asked at the end for what they lack, where that is verified.
    pub unverified: u64,
    /// Users who were still being told at the end what they lack when there was no time left for it.
    #[serde(default)]
    pub unheard: u64,
    /// Refusals and lost connections by name.
    pub errors: BTreeMap<String, u64>,
    /// Why users could not go on.
    pub failures: Vec<String>,
    /// From due to acknowledged.
    pub ack: Latency,
    /// From due to received by the partner.
    pub deliver: Latency,
    /// From when a connection was due until the server knew its user.
    pub connect: Latency,
    /// From when a user was cut off on purpose (in churn: was due back) until it had everything it missed.
    pub recover: Latency,
    /// As `ack`, of users who stayed while others recovered.
    pub bystander: Latency,
    /// From when a look at the history was due until it was answered.
    pub history: Latency,
    /// From due to taken up by the generator: its own lateness.
    pub slip: Latency,
    /// The longest time for which a thread did not come to look at the clock, until nothing more was due. What was
    /// connecting or catching up meanwhile waited for the generator.
    #[serde(default)]
    pub standstill: Duration,
    /// What the ledgers showed.
    pub findings: Findings,
    /// Ledgers of conversations that several lanes share, by conversation: whole, and judged, once all lanes are merged.
    pub pieces: BTreeMap<u32, Ledger>,
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
            cuts: 0,
            signals: 0,
            unverified: 0,
            unheard: 0,
            errors: BTreeMap::new(),
            failures: Vec::new(),
            ack: Latency::new(warmup_us),
            deliver: Latency::new(warmup_us),
            connect: Latency::new(0),
            recover: Latency::new(0),
            bystander: Latency::new(0),
            history: Latency::new(warmup_us),
            slip: Latency::new(warmup_us),
            standstill: Duration::ZERO,
            findings: Findings::default(),
            pieces: BTreeMap::new(),
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
        self.cuts += other.cuts;
        self.signals += other.signals;
        self.unverified += other.unverified;
        self.unheard += other.unheard;
        for (name, count) in other.errors {
            *self.errors.entry(name).or_insert(0) += count;
        }
        for reason in other.failures {
            self.failure(reason);
        }
        self.ack.merge(&other.ack);
        self.deliver.merge(&other.deliver);
        self.connect.merge(&other.connect);
        self.recover.merge(&other.recover);
        self.bystander.merge(&other.bystander);
        self.history.merge(&other.history);
        self.slip.merge(&other.slip);
        self.standstill = self.standstill.max(other.standstill);
        self.findings += other.findings;
        for (conversation, ledger) in other.pieces {
            match self.pieces.entry(conversation) {
                Entry::Vacant(vacant) => {
                    vacant.insert(ledger);
                }
                Entry::Occupied(mut occupied) => occupied.get_mut().merge(ledger),
            }
        }
        self.cpu += other.cpu;
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
    }

    /// Judges the conversations that lanes share, once all lanes are merged.
    pub fn judge_pieces(&mut self) {
        for ledger in std::mem::take(&mut self.pieces).into_values() {
            self.findings += ledger.check();
        }
    }
}
