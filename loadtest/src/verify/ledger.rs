//! The ledger: facts as they were observed, without judgement.

use ringwire_protocol::Seq;
use serde::{Deserialize, Serialize};

use super::checker::{self, Findings};
use super::digest::Digest;
use super::streams::Streams;

/// How much a ledger remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every send, and every arrival at every device.
    #[default]
    Ledger,
    /// Every send, and of every device a cursor and a hash of what it received up to there.
    Counters,
    /// How many sends there were and how they ended.
    Off,
}

/// A sender in a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SenderIndex(pub(super) u32);

impl SenderIndex {
    /// The sender that was added as the `index`-th, counted from 0.
    pub const fn at(index: u32) -> Self {
        Self(index)
    }

    /// Which one it is, counted from 0.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// A device (an installation of a client, over all its connections) in a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceIndex(pub(super) u32);

/// The identity of a message, independent of where it ended up in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Who sent it.
    pub sender: SenderIndex,
    /// Which of this sender's sends it is, counted from 1 in the order the sender meant them.
    pub number: u32,
}

/// What an entry of the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Content {
    /// A message one of the senders sent.
    Message(Origin),
    /// An entry that is no message: somebody joined, the title changed.
    Notice,
    /// A message that nobody in the ledger sent, or whose body is not what was sent.
    Foreign,
}

/// How an entry came to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Via {
    /// Pushed by the server, or sent after `connect` for the cursors given there.
    Push,
    /// The device's own send, acknowledged with this seq.
    Ack,
    /// The device asked for it because the server had told it to (`lag`, a page that ended below the head).
    PullTold,
    /// The device asked for it of its own accord: it saw a gap, or asked at the end. The server owed it a push.
    PullUntold,
}

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// No answer: it may be in the log.
    Unknown,
    /// Committed under this seq.
    Acked(Seq),
    /// Refused for good with this error code: it must not be in the log.
    Refused(u32),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sender {
    pub(super) name: Box<str>,
    /// The send with number n is at n − 1; empty where sends are only counted.
    pub(super) sends: Vec<Outcome>,
    /// How many sends there were.
    invoked: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) seq: Seq,
    pub(super) content: Content,
    pub(super) via: Via,
    /// Which of the device's connections, from 0.
    pub(super) session: u32,
}

/// What a device received.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Seen {
    Everything(Vec<Received>),
    Digest(Digest),
    /// Where there is no log: of each sender by itself.
    Streams(Box<Streams>),
    Nothing,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) name: Box<str>,
    /// The device answers for entries above this seq.
    pub(super) start: Seq,
    /// It is gone, and answers for nothing after the last entry it received.
    pub(super) left: bool,
    pub(super) session: u32,
    pub(super) seen: Seen,
}

impl Device {
    /// Every arrival, where that is remembered.
    pub(super) fn received(&self) -> &[Received] {
        match &self.seen {
            Seen::Everything(received) => received,
            Seen::Digest(_) | Seen::Streams(_) | Seen::Nothing => &[],
        }
    }

    fn highest(&self) -> Option<Seq> {
        match &self.seen {
            Seen::Everything(received) => received.iter().map(|received| received.seq).max(),
            Seen::Digest(digest) => Some(digest.cursor),
            Seen::Streams(_) | Seen::Nothing => None,
        }
    }
}

/// What was observed of one conversation, or by one lane of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    pub(super) level: Level,
    /// The server has no log whose seqs count.
    #[serde(default)]
    without_log: bool,
    pub(super) senders: Vec<Sender>,
    pub(super) devices: Vec<Device>,
    /// Acknowledgements that contradict an earlier one of the same send.
    pub(super) changed_acks: Vec<(Origin, Seq, Seq)>,
    pub(super) log: Option<(Seq, Vec<(Seq, Content)>)>,
    /// The highest seq that was known when the last look began.
    pub(super) last_look: Option<Seq>,
    /// Where sends are only counted: acknowledged and refused ones.
    counted: (u64, u64),
}

impl Ledger {
    /// An empty ledger that remembers everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty ledger that remembers so much.
    pub fn with_level(level: Level) -> Self {
        Self { level, ..Self::default() }
    }

    /// An empty ledger of a conversation at a server without a log: seqs say nothing, and each sender's messages are
    /// held against its own numbers.
    pub fn without_log(level: Level) -> Self {
        Self { level, without_log: true, ..Self::default() }
    }

    /// Adds a sender; `name` appears in findings.
    pub fn add_sender(&mut self, name: impl Into<Box<str>>) -> SenderIndex {
        self.senders.push(Sender { name: name.into(), sends: Vec::new(), invoked: 0 });
        SenderIndex(self.senders.len() as u32 - 1)
    }

    /// Adds a device of a member. It answers for everything after `start`: entries up to it are ignored.
    pub fn add_device(&mut self, name: impl Into<Box<str>>, start: Seq) -> DeviceIndex {
        let seen = match self.level {
            Level::Ledger | Level::Counters if self.without_log => Seen::Streams(Box::default()),
            Level::Ledger => Seen::Everything(Vec::new()),
            Level::Counters => Seen::Digest(Digest::new(start)),
            Level::Off => Seen::Nothing,
        };
        self.devices.push(Device { name: name.into(), start, left: false, session: 0, seen });
        DeviceIndex(self.devices.len() as u32 - 1)
    }

    /// The sender means to send its next message; answers the message's identity.
    pub fn invoke(&mut self, sender: SenderIndex) -> Origin {
        let facts = &mut self.senders[sender.0 as usize];
        if self.level != Level::Off {
            facts.sends.push(Outcome::Unknown);
        }
        facts.invoked += 1;
        Origin { sender, number: facts.invoked }
    }

    /// The message was acknowledged. The sending device learns the entry by this, so tell it with
    /// [`Self::received`] and [`Via::Ack`] as well.
    pub fn acked(&mut self, origin: Origin, seq: Seq) {
        if self.level == Level::Off {
            self.counted.0 += 1;
        }
        if let Some(outcome) = self.outcome_mut(origin) {
            if let Outcome::Acked(earlier) = *outcome
                && earlier != seq
            {
                self.changed_acks.push((origin, earlier, seq));
            } else {
                *outcome = Outcome::Acked(seq);
            }
        }
    }

    /// The message was refused and will not be tried again.
    pub fn refused(&mut self, origin: Origin, code: u32) {
        if self.level == Level::Off {
            self.counted.1 += 1;
        }
        if let Some(outcome) = self.outcome_mut(origin) {
            *outcome = Outcome::Refused(code);
        }
    }

    /// The device is connected anew.
    pub fn reconnected(&mut self, device: DeviceIndex) {
        let device = &mut self.devices[device.0 as usize];
        device.session += 1;
        if let Seen::Digest(digest) = &mut device.seen {
            digest.reconnected();
        }
    }

    /// The device is gone for good: it answers only for what it received so far.
    pub fn device_left(&mut self, device: DeviceIndex) {
        self.devices[device.0 as usize].left = true;
    }

    /// The device received an entry. Tell every arrival, repeats included. `false`: without a log, it is a repeat or
    /// nothing that anybody sent.
    pub fn received(&mut self, device: DeviceIndex, seq: Seq, content: Content, via: Via) -> bool {
        let device = &mut self.devices[device.0 as usize];
        let session = device.session;
        match &mut device.seen {
            Seen::Everything(received) => received.push(Received { seq, content, via, session }),
            Seen::Digest(digest) => {
                if seq > device.start {
                    digest.receive(seq, content, via);
                }
            }
            Seen::Streams(streams) => return streams.receive(content, via),
            Seen::Nothing => {}
        }
        true
    }

    /// How many different messages a device has; `None`: that is not counted here.
    pub fn messages(&self, device: DeviceIndex) -> Option<u64> {
        match &self.devices.get(device.0 as usize)?.seen {
            Seen::Streams(streams) => Some(streams.messages),
            Seen::Everything(_) | Seen::Digest(_) | Seen::Nothing => None,
        }
    }

    /// From now on every device asks once more for what it lacks, and the log is read. What is known now has to be
    /// found by that; what is still under way, because the server could not keep up, need not. Tell no more outcomes
    /// after this. Without this call, everything has to be found everywhere.
    pub fn last_look_begins(&mut self) {
        let head = self.devices.iter().filter_map(Device::highest).max();
        self.last_look = Some(head.unwrap_or(0));
    }

    /// What the server's log holds after `start`, as it was read back at the end.
    pub fn log_read(&mut self, start: Seq, entries: Vec<(Seq, Content)>) {
        self.log = Some((start, entries));
    }

    /// How many sends were acknowledged, refused, and neither.
    pub fn outcomes(&self) -> (u64, u64, u64) {
        let (mut acked, mut refused, mut unknown) = (0, 0, 0);
        for outcome in self.senders.iter().flat_map(|sender| &sender.sends) {
            match outcome {
                Outcome::Acked(_) => acked += 1,
                Outcome::Refused(_) => refused += 1,
                Outcome::Unknown => unknown += 1,
            }
        }
        if self.level == Level::Off {
            let invoked: u64 = self.senders.iter().map(|sender| u64::from(sender.invoked)).sum();
            (acked, refused) = self.counted;
            unknown = invoked.saturating_sub(acked + refused);
        }
        (acked, refused, unknown)
    }

    /// Adds what another lane observed of the same conversation. Both have the same senders, each of which sent on one
    /// lane only, and one of them at most read the log.
    pub fn merge(&mut self, other: Self) {
        for (own, theirs) in self.senders.iter_mut().zip(other.senders) {
            if theirs.invoked > 0 {
                *own = theirs;
            }
        }
        self.devices.extend(other.devices);
        self.changed_acks.extend(other.changed_acks);
        self.log = self.log.take().or(other.log);
        // Who looked first could not find what others saw only later.
        self.last_look = match (self.last_look, other.last_look) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.counted.0 += other.counted.0;
        self.counted.1 += other.counted.1;
    }

    /// Judges what was observed.
    pub fn check(&self) -> Findings {
        checker::check(self)
    }

    /// What became of a send; `None`: it was never invoked.
    pub fn outcome(&self, origin: Origin) -> Option<Outcome> {
        let sends = &self.senders.get(origin.sender.0 as usize)?.sends;
        sends.get((origin.number as usize).checked_sub(1)?).copied()
    }

    fn outcome_mut(&mut self, origin: Origin) -> Option<&mut Outcome> {
        let sends = &mut self.senders.get_mut(origin.sender.0 as usize)?.sends;
        sends.get_mut((origin.number as usize).checked_sub(1)?)
    }
}
