//! The ledger: facts as they were observed, without judgement.

use ringwire_protocol::Seq;

use super::checker::{self, Findings};

/// A sender in a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderIndex(pub(super) u32);

/// A device (an installation of a client, over all its connections) in a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceIndex(pub(super) u32);

/// The identity of a message, independent of where it ended up in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Who sent it.
    pub sender: SenderIndex,
    /// Which of this sender's sends it is, counted from 1 in the order the sender meant them.
    pub number: u32,
}

/// What an entry of the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A message one of the senders sent.
    Message(Origin),
    /// An entry that is no message: somebody joined, the title changed.
    Notice,
    /// A message that nobody in the ledger sent, or whose body is not what was sent.
    Foreign,
}

/// How an entry came to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No answer: it may be in the log.
    Unknown,
    /// Committed under this seq.
    Acked(Seq),
    /// Refused for good with this error code: it must not be in the log.
    Refused(u32),
}

#[derive(Debug)]
pub(super) struct Sender {
    pub(super) name: String,
    /// The send with number n is at n − 1.
    pub(super) sends: Vec<Outcome>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) seq: Seq,
    pub(super) content: Content,
    pub(super) via: Via,
    /// Which of the device's connections, from 0.
    pub(super) session: u32,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) name: String,
    /// The device answers for entries above this seq.
    pub(super) start: Seq,
    /// It is gone, and answers for nothing after the last entry it received.
    pub(super) left: bool,
    pub(super) session: u32,
    pub(super) received: Vec<Received>,
}

/// What was observed of one conversation.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) senders: Vec<Sender>,
    pub(super) devices: Vec<Device>,
    /// Acknowledgements that contradict an earlier one of the same send.
    pub(super) changed_acks: Vec<(Origin, Seq, Seq)>,
    pub(super) log: Option<(Seq, Vec<(Seq, Content)>)>,
    /// The highest seq that was known when the last look began.
    pub(super) last_look: Option<Seq>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sender; `name` appears in findings.
    pub fn add_sender(&mut self, name: impl Into<String>) -> SenderIndex {
        self.senders.push(Sender { name: name.into(), sends: Vec::new() });
        SenderIndex(self.senders.len() as u32 - 1)
    }

    /// Adds a device of a member. It answers for everything after `start`: entries up to it are ignored.
    pub fn add_device(&mut self, name: impl Into<String>, start: Seq) -> DeviceIndex {
        let device =
            Device { name: name.into(), start, left: false, session: 0, received: Vec::new() };
        self.devices.push(device);
        DeviceIndex(self.devices.len() as u32 - 1)
    }

    /// The sender means to send its next message; answers the message's identity.
    pub fn invoke(&mut self, sender: SenderIndex) -> Origin {
        let sends = &mut self.senders[sender.0 as usize].sends;
        sends.push(Outcome::Unknown);
        Origin { sender, number: sends.len() as u32 }
    }

    /// The message was acknowledged. The sending device learns the entry by this, so tell it with
    /// [`Self::received`] and [`Via::Ack`] as well.
    pub fn acked(&mut self, origin: Origin, seq: Seq) {
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
        if let Some(outcome) = self.outcome_mut(origin) {
            *outcome = Outcome::Refused(code);
        }
    }

    /// The device is connected anew.
    pub fn reconnected(&mut self, device: DeviceIndex) {
        self.devices[device.0 as usize].session += 1;
    }

    /// The device is gone for good: it answers only for what it received so far.
    pub fn device_left(&mut self, device: DeviceIndex) {
        self.devices[device.0 as usize].left = true;
    }

    /// The device received an entry. Tell every arrival, repeats included.
    pub fn received(&mut self, device: DeviceIndex, seq: Seq, content: Content, via: Via) {
        let device = &mut self.devices[device.0 as usize];
        let session = device.session;
        device.received.push(Received { seq, content, via, session });
    }

    /// From now on every device asks once more for what it lacks, and the log is read. What is known now has to be
    /// found by that; what is still under way, because the server could not keep up, need not. Tell no more outcomes
    /// after this. Without this call, everything has to be found everywhere.
    pub fn last_look_begins(&mut self) {
        let received = self.devices.iter().flat_map(|device| &device.received);
        let head = received.map(|received| received.seq).max();
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
        (acked, refused, unknown)
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
