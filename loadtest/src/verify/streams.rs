//! One device's view of a conversation without a log: of each sender, how far it got and what was left out.
//!
//! ```text
//!   sender  1 2 3 . 5 . .        highest 5, missing {4}
//!                 ▲     ▲
//!                 │     └─ sent and acknowledged, never arrived: lost
//!                 └─ comes after 5: reordered; comes again: duplicated
//! ```
//!
//! Other servers give messages no seq that all members agree on, but each sender's messages have numbers, and it is its
//! order that a chat has to keep. What is missing is kept as ranges, so that the space goes with the faults, not with
//! the messages. Invariant: at most [`MAX_RANGES`] ranges of a device are kept apart; what would be one more is counted as
//! lost at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checker::{Finding, Findings};
use super::ledger::{Content, Device, Ledger, Origin, Outcome, SenderIndex, Via};

/// Ranges of missing messages that a device keeps apart, over all senders.
const MAX_RANGES: usize = 4096;

/// What a device received.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Streams {
    senders: BTreeMap<SenderIndex, Stream>,
    ranges: usize,
    /// How many different messages.
    pub(super) messages: u64,
    duplicated: u64,
    reordered: u64,
    foreign: u64,
    /// Missing, but in a range too many: no longer known one by one.
    lost_track: u64,
}

/// What came of one sender.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Stream {
    highest: u32,
    /// Ranges of numbers below it that did not come: first and last.
    missing: BTreeMap<u32, u32>,
}

impl Streams {
    /// Takes in an arrival. `true`: it was not there before.
    pub(super) fn receive(&mut self, content: Content, via: Via) -> bool {
        let origin = match content {
            Content::Message(origin) => origin,
            Content::Notice => return false,
            Content::Foreign => {
                self.foreign += 1;
                return false;
            }
        };
        let stream = self.senders.entry(origin.sender).or_default();
        let number = origin.number;
        if number > stream.highest {
            if number - stream.highest > 1 {
                if self.ranges < MAX_RANGES {
                    self.ranges += 1;
                    stream.missing.insert(stream.highest + 1, number - 1);
                } else {
                    self.lost_track += u64::from(number - stream.highest - 1);
                }
            }
            stream.highest = number;
        } else if let Some((&first, &last)) =
            stream.missing.range(..=number).next_back().filter(|&(_, &last)| number <= last)
        {
            stream.missing.remove(&first);
            self.ranges -= 1;
            for (first, last) in [(first, number - 1), (number + 1, last)] {
                if first <= last {
                    stream.missing.insert(first, last);
                    self.ranges += 1;
                }
            }
            // Acknowledgements need not come in order, and the sender's own message may come beside its own.
            self.reordered += u64::from(via == Via::Push);
        } else {
            self.duplicated += u64::from(via == Via::Push);
            return false;
        }
        self.messages += 1;
        true
    }

    /// The numbers of a sender that did not come, up to `last`, as ranges. Of one who left, only those that others
    /// overtook.
    fn lacking(
        &self,
        sender: SenderIndex,
        last: u32,
        left: bool,
    ) -> impl Iterator<Item = (u32, u32)> + '_ {
        let stream = self.senders.get(&sender);
        let highest = stream.map_or(0, |stream| stream.highest);
        let holes = stream.into_iter().flat_map(|stream| &stream.missing);
        let holes = holes.map(move |(&first, &end)| (first, end.min(last)));
        let tail = (!left).then_some((highest.saturating_add(1), last));
        holes.chain(tail).filter(|(first, last)| first <= last)
    }

    /// The device has it.
    fn holds(&self, origin: Origin) -> bool {
        self.senders.get(&origin.sender).is_some_and(|stream| {
            let hole = stream.missing.range(..=origin.number).next_back();
            origin.number <= stream.highest && hole.is_none_or(|(_, &last)| origin.number > last)
        })
    }
}

/// What every device holds is what was sent, and what was acknowledged every device holds.
pub(super) fn check(ledger: &Ledger, findings: &mut Findings) {
    for device in &ledger.devices {
        if let super::ledger::Seen::Streams(streams) = &device.seen {
            judge(ledger, device, streams, findings);
        }
    }
}

fn judge(ledger: &Ledger, device: &Device, streams: &Streams, findings: &mut Findings) {
    for (finding, count, what) in [
        (Finding::Duplicated, streams.duplicated, "was given messages twice"),
        (Finding::Reordered, streams.reordered, "was given a later message of a sender first"),
        (Finding::Unexpected, streams.foreign, "was given messages nobody sent"),
        (Finding::Lost, streams.lost_track, "lacks messages here and there"),
    ] {
        findings.found_times(finding, count, || format!("{} {what} ({count} times)", device.name));
    }
    for (index, sender) in ledger.senders.iter().enumerate() {
        let index = SenderIndex::at(index as u32);
        let sent = sender.sends.len() as u32;
        for (first, last) in streams.lacking(index, sent, device.left) {
            let acked = (first..=last).filter(|&number| {
                let origin = Origin { sender: index, number };
                matches!(ledger.outcome(origin), Some(Outcome::Acked(_)))
            });
            findings.found_times(Finding::Lost, acked.count() as u64, || {
                format!("{} lacks messages {first} to {last} of {}", device.name, sender.name)
            });
        }
        let refused = (1..=sent).filter(|&number| {
            let origin = Origin { sender: index, number };
            matches!(ledger.outcome(origin), Some(Outcome::Refused(_))) && streams.holds(origin)
        });
        findings.found_times(Finding::Unexpected, refused.count() as u64, || {
            format!("{} was given messages of {} that were refused", device.name, sender.name)
        });
    }
    for (&sender, stream) in &streams.senders {
        let sent = ledger.senders.get(sender.index() as usize);
        let sent = sent.map_or(0, |sender| sender.sends.len() as u32);
        findings.found_times(Finding::Unexpected, u64::from(stream.highest > sent), || {
            format!("{} was given a message beyond number {sent} of a sender", device.name)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeviceIndex, Level};
    use super::*;

    const ALICE: SenderIndex = SenderIndex::at(0);

    fn message(number: u32) -> Content {
        Content::Message(Origin { sender: ALICE, number })
    }

    /// Alice sends `sends`, all acknowledged; Bob's device gets these numbers, in this order.
    fn ledger(sends: u32, numbers: &[u32]) -> Ledger {
        let mut ledger = Ledger::without_log(Level::Ledger);
        ledger.add_sender("alice");
        ledger.add_sender("bob");
        let alices = ledger.add_device("alice's device", 0);
        let bobs = ledger.add_device("bob's device", 0);
        for _ in 0..sends {
            let origin = ledger.invoke(ALICE);
            ledger.acked(origin, 0);
            ledger.received(alices, 0, Content::Message(origin), Via::Ack);
        }
        for &number in numbers {
            ledger.received(bobs, 0, message(number), Via::Push);
        }
        ledger
    }

    #[test]
    fn a_sound_conversation_is_clean() {
        let ledger = ledger(5, &[1, 2, 3, 4, 5]);
        assert!(ledger.check().is_clean(), "{:?}", ledger.check());
        assert_eq!(ledger.messages(DeviceIndex(1)), Some(5));
    }

    #[test]
    fn every_broken_promise_is_found_once() {
        for (numbers, lost, duplicated, reordered, unexpected) in [
            (&[1, 2, 4, 5][..], 1, 0, 0, 0),
            (&[1, 2, 3], 2, 0, 0, 0),
            (&[], 5, 0, 0, 0),
            (&[1, 2, 2, 3, 4, 5], 0, 1, 0, 0),
            (&[1, 3, 2, 4, 5], 0, 0, 1, 0),
            (&[5, 1, 2, 3, 4], 0, 0, 4, 0),
            (&[5, 3, 3], 3, 1, 1, 0),
            (&[1, 2, 3, 4, 5, 6], 0, 0, 0, 1),
        ] {
            let found = ledger(5, numbers).check();
            let figures = (found.lost, found.duplicated, found.reordered, found.unexpected);
            assert_eq!(figures, (lost, duplicated, reordered, unexpected), "{numbers:?} {found:?}");
            assert_eq!(found.count(), lost + duplicated + reordered + unexpected, "{found:?}");
        }
    }

    #[test]
    fn what_is_not_acknowledged_is_owed_to_nobody_and_what_was_refused_must_not_come() {
        let mut unanswered = ledger(1, &[1]);
        unanswered.invoke(ALICE);
        assert!(unanswered.check().is_clean());
        let mut refused = ledger(1, &[1, 2]);
        let origin = refused.invoke(ALICE);
        refused.refused(origin, 7);
        assert_eq!(refused.check().unexpected, 1, "{:?}", refused.check());
        let mut foreign = ledger(1, &[1]);
        foreign.received(DeviceIndex(1), 0, Content::Foreign, Via::Push);
        assert_eq!(foreign.check().unexpected, 1);
    }

    #[test]
    fn who_left_answers_for_what_was_overtaken_only() {
        let mut ledger = ledger(5, &[1, 3]);
        ledger.device_left(DeviceIndex(1));
        assert_eq!(ledger.check().lost, 1, "{:?}", ledger.check());
    }

    /// However far apart the numbers are that a server invents, the space stays small and nothing overflows.
    #[test]
    fn invented_numbers_take_no_space() {
        let mut streams = Streams::default();
        for step in 0..2 * MAX_RANGES as u32 {
            streams.receive(message(step * 100_000), Via::Push);
        }
        streams.receive(message(u32::MAX), Via::Push);
        assert_eq!(streams.ranges, MAX_RANGES);
        assert_eq!(streams.senders[&ALICE].missing.len(), MAX_RANGES);
        assert!(streams.lost_track > 0);
        assert_eq!(streams.lacking(ALICE, 10, false).count(), 1);
    }
}
