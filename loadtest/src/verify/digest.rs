//! One device's view of a conversation in constant space: how far it got, and a hash of everything on the way.
//!
//! ```text
//!   push, ack, page ──► the next seq? ──► cursor + 1, hash += mix(seq, sender, number)
//!                            └─ no: not taken in; it comes again, on the page that closes the gap
//!
//!   at the end:  hash(device) = hash(log up to the cursor) − hash(log up to the start)
//! ```
//!
//! The hash is a sum, so that the part of the log a device answers for is a difference of two prefixes, and every
//! device can be compared with one reading of the log wherever it began and ended. A sum of well-mixed 64-bit terms
//! over distinct seqs misses a difference with probability 2⁻⁶⁴; an adversary could forge it, a faulty server does not.
//!
//! Invariant: what is told as pushed out of order, missing or unpushed is exact as long as at most [`MAX_LOOSE`] entries
//! are out of place at a time.

use std::collections::BTreeSet;

use ringwire_protocol::Seq;
use serde::{Deserialize, Serialize};

use super::checker::{Finding, Findings};
use super::ledger::{Content, Via};
use crate::message::mix;

/// Entries beyond the cursor, or learned by asking, that are remembered one by one.
const MAX_LOOSE: usize = 4096;

/// What is remembered of a device. A run has many thousands, and the one whose turn it is was long out of every cache:
/// what each arrival needs lies together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Digest {
    pub(super) cursor: Seq,
    pub(super) hash: u64,
    /// On this connection.
    last_pushed: Seq,
    /// `None`: everything came by itself and in order.
    astray: Option<Box<Astray>>,
}

/// What did not come by itself and in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Astray {
    /// Entries above the cursor that were pushed or acknowledged.
    ahead: BTreeSet<Seq>,
    /// Entries that the device asked for on its own and that were not pushed (yet).
    owed: BTreeSet<Seq>,
    unpushed: u64,
    gaps: u64,
    duplicated: u64,
    reordered: u64,
}

impl Digest {
    /// A device that answers for what follows `start`.
    pub(super) fn new(start: Seq) -> Self {
        Self { cursor: start, ..Self::default() }
    }

    /// The device is connected anew.
    pub(super) fn reconnected(&mut self) {
        self.last_pushed = 0;
    }

    /// Takes in an arrival.
    pub(super) fn receive(&mut self, seq: Seq, content: Content, via: Via) {
        if via == Via::Push {
            if seq <= self.last_pushed {
                let is_repeat = seq == self.last_pushed;
                let astray = self.astray();
                astray.duplicated += u64::from(is_repeat);
                astray.reordered += u64::from(!is_repeat);
            }
            self.last_pushed = self.last_pushed.max(seq);
        }
        let asked = via == Via::PullUntold;
        if let Some(astray) = &mut self.astray
            && !asked
        {
            astray.owed.remove(&seq);
        }
        if seq <= self.cursor {
            return;
        }
        let is_page = matches!(via, Via::PullTold | Via::PullUntold);
        let skipped = seq - (self.cursor + 1);
        if skipped > 0 {
            let astray = self.astray();
            if !is_page {
                if astray.ahead.len() < MAX_LOOSE {
                    astray.ahead.insert(seq);
                }
                return;
            }
            // A page is all the server has: what it leaves out is missing.
            astray.gaps += skipped;
        }
        self.cursor = seq;
        self.hash = self.hash.wrapping_add(entry_hash(seq, content));
        if asked || self.astray.is_some() {
            self.astray().passed(seq, is_page, asked);
        }
    }

    fn astray(&mut self) -> &mut Astray {
        self.astray.get_or_insert_default()
    }

    /// Adds what the device itself shows.
    pub(super) fn judge(&self, name: &str, findings: &mut Findings) {
        let Some(astray) = &self.astray else { return };
        for (finding, count, what) in [
            (Finding::Duplicated, astray.duplicated, "was pushed the same seq twice in a row"),
            (Finding::Reordered, astray.reordered, "was pushed a seq below an earlier one"),
            (Finding::Gap, astray.gaps, "was not given a seq it asked for"),
            (
                Finding::Unpushed,
                astray.unpushed + astray.owed.len() as u64,
                "had to ask for what was not pushed",
            ),
        ] {
            findings.found_times(finding, count, || format!("{name} {what} ({count} times)"));
        }
    }
}

impl Astray {
    /// The cursor moved to an entry; what of it is remembered one by one.
    fn passed(&mut self, seq: Seq, is_page: bool, asked: bool) {
        let was_given = self.ahead.remove(&seq);
        if asked && !was_given {
            if self.owed.len() < MAX_LOOSE {
                self.owed.insert(seq);
            } else {
                self.unpushed += 1;
            }
        }
        if is_page {
            self.ahead = self.ahead.split_off(&seq);
        }
    }
}

/// What an entry adds to the hash.
fn entry_hash(seq: Seq, content: Content) -> u64 {
    let content = match content {
        Content::Notice => 1,
        Content::Foreign => 2,
        Content::Message(origin) => {
            mix((u64::from(origin.sender.0) << 32 | u64::from(origin.number)).wrapping_add(3))
        }
    };
    mix(mix(seq).wrapping_add(content))
}

/// The hashes of all prefixes of a log.
pub(super) struct Prefixes {
    start: Seq,
    /// Seq and the hash up to it, rising.
    hashes: Vec<(Seq, u64)>,
}

impl Prefixes {
    /// Of a log that begins behind `start`.
    pub(super) fn new(start: Seq, entries: &[(Seq, Content)]) -> Self {
        let mut sorted: Vec<_> = entries.to_vec();
        sorted.sort_unstable_by_key(|&(seq, _)| seq);
        sorted.dedup_by_key(|&mut (seq, _)| seq);
        let mut hash: u64 = 0;
        let hashes = sorted
            .into_iter()
            .map(|(seq, content)| {
                hash = hash.wrapping_add(entry_hash(seq, content));
                (seq, hash)
            })
            .collect();
        Self { start, hashes }
    }

    /// The hash of what lies in `start` (exclusive) to `end`; `None`: the log does not reach back that far.
    pub(super) fn between(&self, start: Seq, end: Seq) -> Option<u64> {
        if start < self.start {
            return None;
        }
        Some(self.up_to(end).wrapping_sub(self.up_to(start)))
    }

    /// Its newest seq.
    pub(super) fn end(&self) -> Seq {
        self.hashes.last().map_or(self.start, |&(seq, _)| seq)
    }

    fn up_to(&self, seq: Seq) -> u64 {
        let count = self.hashes.partition_point(|&(at, _)| at <= seq);
        count.checked_sub(1).map_or(0, |index| self.hashes[index].1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ledger, Level, Origin, SenderIndex};
    use super::*;

    const MEMBERS: u32 = 3;

    /// Three members; the first sends `sends` messages, seq 2 on, and reads the log.
    fn ledger(sends: u32) -> Ledger {
        let mut ledger = Ledger::with_level(Level::Counters);
        for member in 0..MEMBERS {
            ledger.add_sender(format!("member {member}"));
            ledger.add_device(format!("device {member}"), 1);
        }
        let sender = SenderIndex::at(0);
        let mut log = Vec::new();
        for number in 1..=sends {
            let origin = ledger.invoke(sender);
            let seq = Seq::from(number) + 1;
            assert_eq!(origin, Origin { sender, number });
            ledger.acked(origin, seq);
            ledger.received(super::super::DeviceIndex(0), seq, Content::Message(origin), Via::Ack);
            log.push((seq, Content::Message(origin)));
        }
        ledger.log_read(1, log);
        ledger
    }

    fn message(number: u32) -> Content {
        Content::Message(Origin { sender: SenderIndex::at(0), number })
    }

    /// What the two others receive, told as `(seq, number, via)`; the third always gets everything.
    fn check(sends: u32, received: &[(Seq, u32, Via)]) -> Findings {
        let mut ledger = ledger(sends);
        for &(seq, number, via) in received {
            ledger.received(super::super::DeviceIndex(1), seq, message(number), via);
        }
        for number in 1..=sends {
            let seq = Seq::from(number) + 1;
            ledger.received(super::super::DeviceIndex(2), seq, message(number), Via::Push);
        }
        ledger.last_look_begins();
        ledger.check()
    }

    const SOUND: [(Seq, u32, Via); 3] = [(2, 1, Via::Push), (3, 2, Via::Push), (4, 3, Via::Push)];

    #[test]
    fn a_correct_history_is_clean_also_across_gaps_that_were_told() {
        assert!(check(3, &SOUND).is_clean(), "{:?}", check(3, &SOUND));
        let told = [(2, 1, Via::Push), (3, 2, Via::PullTold), (4, 3, Via::PullTold)];
        assert!(check(3, &told).is_clean());
        // Pushed ahead of the cursor, then given on the page that closes the gap; the push it overtook comes late, on
        // another connection or not: only the order is wrong.
        let overtaken = [
            (2, 1, Via::Push),
            (4, 3, Via::Push),
            (3, 2, Via::PullUntold),
            (4, 3, Via::PullUntold),
        ];
        let findings = check(3, &overtaken);
        assert_eq!((findings.unpushed, findings.count()), (1, 1), "{findings:?}");
    }

    #[test]
    fn every_broken_promise_is_found() {
        let dropped = check(3, &SOUND[..2]);
        assert_eq!((dropped.gaps, dropped.count()), (1, 1), "{dropped:?}");
        let twice = check(3, &[SOUND[0], SOUND[1], SOUND[1], SOUND[2]]);
        assert_eq!((twice.duplicated, twice.count()), (1, 1), "{twice:?}");
        let altered = check(3, &[SOUND[0], (3, 9, Via::Push), SOUND[2]]);
        assert_eq!((altered.diverging, altered.count()), (1, 1), "{altered:?}");
        let swapped = check(3, &[SOUND[0], (3, 3, Via::Push), (4, 2, Via::Push)]);
        assert_eq!((swapped.diverging, swapped.count()), (1, 1), "{swapped:?}");
        let reordered =
            check(3, &[SOUND[0], SOUND[2], SOUND[1], (3, 2, Via::PullTold), (4, 3, Via::PullTold)]);
        assert_eq!((reordered.reordered, reordered.count()), (1, 1), "{reordered:?}");
        let hole = check(3, &[SOUND[0], (4, 3, Via::PullTold)]);
        assert!(hole.gaps == 1 && hole.diverging == 1, "{hole:?}");
    }

    #[test]
    fn a_new_connection_may_push_again_what_an_earlier_one_did() {
        for (reconnects, findings) in [(true, 0), (false, 1)] {
            let mut ledger = ledger(2);
            for device in [1, 2].map(super::super::DeviceIndex) {
                ledger.received(device, 2, message(1), Via::Push);
                ledger.received(device, 3, message(2), Via::Push);
            }
            if reconnects {
                ledger.reconnected(super::super::DeviceIndex(1));
            }
            ledger.received(super::super::DeviceIndex(1), 3, message(2), Via::Push);
            assert_eq!(ledger.check().duplicated, findings, "{:?}", ledger.check());
        }
    }

    #[test]
    fn without_a_log_devices_are_compared_with_each_other() {
        let mut ledger = ledger(2);
        ledger.log = None;
        for (device, second) in [(1, 2), (2, 7)] {
            let device = super::super::DeviceIndex(device);
            ledger.received(device, 2, message(1), Via::Push);
            ledger.received(device, 3, message(second), Via::Push);
        }
        let findings = ledger.check();
        assert_eq!((findings.diverging, findings.count()), (1, 1), "{findings:?}");
    }

    #[test]
    fn pieces_of_several_lanes_add_up() {
        // The sender and the log in one piece, the receivers in another.
        let mut one = ledger(2);
        one.devices.truncate(1);
        one.last_look_begins();
        let mut two = Ledger::with_level(Level::Counters);
        for member in 0..MEMBERS {
            two.add_sender(format!("member {member}"));
        }
        let late = two.add_device("device 1", 1);
        two.received(late, 2, message(1), Via::Push);
        two.last_look_begins();
        let mut short = two.clone();
        two.received(late, 3, message(2), Via::PullTold);
        let mut whole = one.clone();
        whole.merge(two);
        assert!(whole.check().is_clean(), "{:?}", whole.check());
        // What was known when the last of them began to look has to be there; here that is seq 2.
        let altered = short.add_device("device 2", 1);
        short.received(altered, 2, message(5), Via::Push);
        short.merge(one);
        let findings = short.check();
        assert_eq!((findings.diverging, findings.count()), (1, 1), "{findings:?}");
    }
}
