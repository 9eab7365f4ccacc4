//! One lane's part of a conversation: who of its members sits here, and what is remembered of it.

use std::ops::Range;

use ringwire_protocol::Seq;

use crate::layout::Layout;
use crate::verify::{Content, DeviceIndex, Ledger, Level, Origin, SenderIndex, Via};

/// Where a user sits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    /// Its conversation, among those of the lane.
    pub(crate) talk: usize,
    /// Which member of it the user is.
    pub(crate) member: u32,
    /// Its place among all users of the run.
    pub(crate) number: u32,
}

/// A conversation, as far as the lane takes part in it.
#[derive(Debug)]
pub(crate) struct Talk {
    /// Its place among all conversations of the run.
    pub(crate) conversation: u32,
    /// The places of its members who sit here, in order.
    pub(crate) slots: Range<usize>,
    pub(crate) ledger: Ledger,
    level: Level,
    first_member_id: u64,
    /// The first member who sits here, and how far the next one is.
    first_member: u32,
    stride: u32,
    devices: Vec<Option<DeviceIndex>>,
    /// The first member has been told to open it.
    pub(crate) opening: bool,
    /// The last look has begun: what is answered now comes too late.
    pub(crate) closing: bool,
}

impl Talk {
    /// A conversation nobody has entered, whose members here are the users in `slots`.
    pub(crate) fn new(
        layout: &Layout,
        conversation: u32,
        slots: Range<usize>,
        (first_member, stride): (u32, u32),
        has_log: bool,
    ) -> Self {
        let level = layout.level_of(conversation);
        let first_member_id = layout.first_member_id(conversation);
        let mut ledger =
            if has_log { Ledger::with_level(level) } else { Ledger::without_log(level) };
        for member in 0..layout.members {
            ledger.add_sender(format!("user {}", first_member_id + u64::from(member)));
        }
        Self {
            conversation,
            devices: vec![None; slots.len()],
            slots,
            ledger,
            level,
            first_member_id,
            first_member,
            stride,
            opening: false,
            closing: false,
        }
    }

    /// A member means to send its next message.
    pub(crate) fn invoke(&mut self, member: u32) -> Origin {
        self.ledger.invoke(SenderIndex::at(member))
    }

    /// A member is in the conversation and answers for what follows `start`.
    pub(crate) fn add_device(&mut self, member: u32, start: Seq) {
        let name = format!("the device of user {}", self.first_member_id + u64::from(member));
        let place = self.place(member);
        if self.devices[place].is_none() {
            self.devices[place] = Some(self.ledger.add_device(name, start));
        }
    }

    /// A member has a new connection.
    pub(crate) fn reconnected(&mut self, member: u32) {
        if let Some(device) = self.devices[self.place(member)] {
            self.ledger.reconnected(device);
        }
    }

    /// A member received an entry. `false`: where there is no log, it had it before.
    pub(crate) fn received(&mut self, member: u32, seq: Seq, content: Content, via: Via) -> bool {
        match self.devices[self.place(member)] {
            Some(device) => self.ledger.received(device, seq, content, via),
            None => true,
        }
    }

    /// How many different messages the user in a slot has, where there is no log; `None`: that is not counted here.
    pub(crate) fn messages(&self, slot: usize) -> Option<u64> {
        let device = *self.devices.get(slot.checked_sub(self.slots.start)?)?;
        self.ledger.messages(device?)
    }

    /// A member will receive nothing any more.
    pub(crate) fn device_left(&mut self, member: u32) {
        if let Some(device) = self.devices[self.place(member)] {
            self.ledger.device_left(device);
        }
    }

    /// The member who opens the conversation sits here.
    pub(crate) fn holds_first(&self) -> bool {
        self.first_member == 0
    }

    /// It is from here that the log is read back.
    pub(crate) fn reads_log(&self) -> bool {
        self.holds_first() && self.level != Level::Off
    }

    /// Sends that got no answer.
    pub(crate) fn unanswered(&self) -> u64 {
        self.ledger.outcomes().2
    }

    fn place(&self, member: u32) -> usize {
        ((member - self.first_member) / self.stride) as usize
    }
}
