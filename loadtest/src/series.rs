//! How a run went over time: one interval a second, from the first connection to the end of the drain.
//!
//! ```text
//!   thread ──Snapshot (all so far)──► part ──Sample (since the last one)──► Series
//!                                                                            connecting │ 1 s │ 1 s │ … │ sending …
//! ```
//!
//! Threads and processes cut their counts at the same moments of the run's clock: whole seconds of it while users
//! connect, whole seconds after the start from then on. What is told late is counted in the interval it arrives with;
//! nothing is lost. A series has at most `MAX_INTERVALS` intervals of each kind: a longer run makes them longer.

use serde::{Deserialize, Serialize};

use crate::latency::{Latency, Packed};
use crate::tally::Tally;

/// The most intervals while connecting, and while sending. Also a bound of memory: each holds two small histograms.
const MAX_INTERVALS: usize = 600;
/// How long an interval is, as long as they are not too many.
pub(crate) const SECOND_US: u64 = 1_000_000;

/// What happened, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sends that were due.
    pub offered: u64,
    /// Sends written.
    pub sent: u64,
    /// Sends acknowledged.
    pub acked: u64,
    /// Messages received.
    pub delivered: u64,
    /// Sends refused for good.
    pub refused: u64,
    /// Refusals and lost connections of all kinds.
    pub errors: u64,
    /// Sends written over 10 ms after they were due.
    pub late_sends: u64,
    /// Connections that replaced a lost one.
    pub reconnects: u64,
}

/// How far a thread is.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// When its interval ended, on the run's clock.
    pub(crate) at_us: u64,
    pub(crate) live: u64,
    pub(crate) counts: Counts,
    pub(crate) ack: Latency,
    pub(crate) deliver: Latency,
    /// Nothing more will be counted: the drain is over.
    pub(crate) is_last: bool,
}

/// What happened in one process since its last sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// When it ended, on the run's clock.
    pub(crate) at_us: u64,
    pub(crate) live: u64,
    pub(crate) counts: Counts,
    pub(crate) ack: Packed,
    pub(crate) deliver: Packed,
}

/// A stretch of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// When it ended, in seconds after the first send could be due; not above 0: users were still connecting.
    pub at_s: f64,
    /// How long it was.
    pub seconds: f64,
    /// Users connected and ready at its end.
    pub live: u64,
    /// What happened in it.
    #[serde(flatten)]
    pub counts: Counts,
    /// From due to acknowledged.
    pub ack: Packed,
    /// From due to received.
    pub deliver: Packed,
    /// Processor time of the server in it, in seconds, where it is watched.
    pub server_cpu_s: Option<f64>,
    /// Memory of the server at its end, where it is watched.
    pub server_resident_bytes: Option<u64>,
}

/// What the server had used by a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_s: f64,
    pub(crate) resident_bytes: u64,
}

impl Counts {
    /// All that was counted so far.
    pub(crate) fn of(tally: &Tally) -> Self {
        Self {
            offered: tally.offered,
            sent: tally.sent,
            acked: tally.acked,
            delivered: tally.delivered,
            refused: tally.refused,
            errors: tally.errors.values().sum(),
            late_sends: tally.late_sends,
            reconnects: tally.reconnects,
        }
    }

    fn each(&mut self, other: &Self, work: impl Fn(&mut u64, u64)) {
        work(&mut self.offered, other.offered);
        work(&mut self.sent, other.sent);
        work(&mut self.acked, other.acked);
        work(&mut self.delivered, other.delivered);
        work(&mut self.refused, other.refused);
        work(&mut self.errors, other.errors);
        work(&mut self.late_sends, other.late_sends);
        work(&mut self.reconnects, other.reconnects);
    }

    /// Adds another thread's, or another stretch's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.each(other, |one, other| *one += other);
    }

    fn since(mut self, before: &Self) -> Self {
        self.each(before, |one, before| *one = one.saturating_sub(before));
        self
    }
}

impl Snapshot {
    /// All that a thread counted so far.
    pub(crate) fn of(tally: &Tally, at_us: u64, live: u64) -> Self {
        Self {
            at_us,
            live,
            counts: Counts::of(tally),
            ack: tally.ack.clone(),
            deliver: tally.deliver.clone(),
            is_last: false,
        }
    }

    /// The same, and nothing more will be counted.
    pub(crate) fn last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Adds another thread's.
    pub(crate) fn merge(mut self, other: &Self) -> Self {
        self.is_last &= other.is_last;
        self.at_us = self.at_us.max(other.at_us);
        self.live += other.live;
        self.counts.add(&other.counts);
        self.ack.merge(&other.ack);
        self.deliver.merge(&other.deliver);
        self
    }
}

/// What of a process has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    counts: Counts,
    ack: Packed,
    deliver: Packed,
}

impl Told {
    /// What is new in `all`, the counts of all threads so far.
    pub(crate) fn news(&mut self, all: &Snapshot) -> Sample {
        let sample = Sample {
            at_us: all.at_us,
            live: all.live,
            counts: all.counts.since(&self.counts),
            ack: all.ack.since(&self.ack),
            deliver: all.deliver.since(&self.deliver),
        };
        *self = Self { counts: all.counts, ack: all.ack.packed(), deliver: all.deliver.packed() };
        sample
    }
}

/// The end of the last interval that is over at `now_us`; `start_us` is 0 until it is known.
pub(crate) fn boundary_us(now_us: u64, start_us: u64) -> u64 {
    match now_us.checked_sub(start_us) {
        Some(sending_us) if start_us > 0 && sending_us >= SECOND_US => {
            now_us - sending_us % SECOND_US
        }
        // What was left of the connecting goes with the first second of sending.
        Some(_) if start_us > 0 => start_us - start_us % SECOND_US,
        _ => now_us - now_us % SECOND_US,
    }
}

/// The series of a run, put together from the samples of its processes.
#[derive(Debug)]
pub(crate) struct Series {
    width_us: u64,
    /// 0: not known yet.
    start_us: u64,
    connecting: Vec<Slot>,
    sending: Vec<Slot>,
}

/// An interval in the making.
#[derive(Clone, Debug, Default)]
struct Slot {
    counts: Counts,
    ack: Packed,
    deliver: Packed,
    /// Live users of each process that told, by its number.
    live: Vec<Option<u64>>,
    usage: Option<Usage>,
}

impl Slot {
    /// Takes in the interval that follows.
    fn append(&mut self, next: Self) {
        self.counts.add(&next.counts);
        self.ack.merge(&next.ack);
        self.deliver.merge(&next.deliver);
        let places = self.live.len().max(next.live.len());
        self.live.resize(places, None);
        for (live, next) in self.live.iter_mut().zip(next.live) {
            *live = next.or(*live);
        }
        self.usage = next.usage.or(self.usage);
    }
}

impl Series {
    pub(crate) fn new() -> Self {
        Self { width_us: SECOND_US, start_us: 0, connecting: Vec::new(), sending: Vec::new() }
    }

    /// Sends may be due from now on.
    pub(crate) fn started(&mut self, start_us: u64) {
        self.start_us = start_us;
    }

    /// Takes in what the process with this number tells.
    pub(crate) fn add(&mut self, process: usize, sample: Sample) {
        let mut live = vec![None; process];
        live.push(Some(sample.live));
        let Sample { at_us, counts, ack, deliver, .. } = sample;
        self.slot(at_us).append(Slot { counts, ack, deliver, live, usage: None });
    }

    /// Takes in what the server had used at a moment.
    pub(crate) fn used(&mut self, at_us: u64, usage: Usage) {
        self.slot(at_us).usage = Some(usage);
    }

    /// The interval that contains a moment. Intervals contain their end, not their begin.
    fn slot(&mut self, at_us: u64) -> &mut Slot {
        while self.place(at_us).1 >= MAX_INTERVALS {
            self.widen();
        }
        let (is_sending, index) = self.place(at_us);
        let slots = if is_sending { &mut self.sending } else { &mut self.connecting };
        if slots.len() <= index {
            slots.resize_with(index + 1, Slot::default);
        }
        &mut slots[index]
    }

    /// Whether a moment is after the start, and in which interval.
    fn place(&self, at_us: u64) -> (bool, usize) {
        let is_sending = self.start_us > 0 && at_us > self.start_us;
        let offset_us = if is_sending { at_us - self.start_us } else { at_us };
        (is_sending, (offset_us.div_ceil(self.width_us) as usize).saturating_sub(1))
    }

    /// Makes intervals twice as long.
    fn widen(&mut self) {
        self.width_us *= 2;
        for slots in [&mut self.connecting, &mut self.sending] {
            let mut pairs = std::mem::take(slots).into_iter();
            while let Some(mut one) = pairs.next() {
                if let Some(two) = pairs.next() {
                    one.append(two);
                }
                slots.push(one);
            }
        }
    }

    /// How long its intervals are, in seconds.
    pub(crate) fn width_s(&self) -> f64 {
        self.width_us as f64 / 1e6
    }

    /// The intervals so far, in order.
    pub(crate) fn intervals(&self) -> Vec<Interval> {
        let mut live: Vec<Option<u64>> = Vec::new();
        let mut usage: Option<Usage> = None;
        let width_s = self.width_s();
        let connecting = self.connecting.iter().enumerate().map(|(index, slot)| {
            let end_us = (index as u64 + 1) * self.width_us;
            // On the run's clock until there is a start; the last of them ends with it.
            let late_us = if self.start_us > 0 { end_us.saturating_sub(self.start_us) } else { 0 };
            let at_us = (end_us - late_us) as i64 - self.start_us as i64;
            (at_us as f64 / 1e6, self.width_us.saturating_sub(late_us) as f64 / 1e6, slot)
        });
        let sending = self
            .sending
            .iter()
            .enumerate()
            .map(|(index, slot)| ((index + 1) as f64 * width_s, width_s, slot));
        connecting
            .chain(sending)
            .map(|(at_s, seconds, slot)| {
                live.resize(live.len().max(slot.live.len()), None);
                // A process that told nothing is as it was.
                for (known, told) in live.iter_mut().zip(&slot.live) {
                    *known = told.or(*known);
                }
                let cpu_s =
                    slot.usage.zip(usage).map(|(now, before)| (now.cpu_s - before.cpu_s).max(0.0));
                usage = slot.usage.or(usage);
                Interval {
                    at_s,
                    seconds,
                    live: live.iter().flatten().sum(),
                    counts: slot.counts,
                    ack: slot.ack.clone(),
                    deliver: slot.deliver.clone(),
                    server_cpu_s: cpu_s,
                    server_resident_bytes: slot.usage.map(|usage| usage.resident_bytes),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
