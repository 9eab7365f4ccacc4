//! The users of one thread: their connections, their ledgers, and what is counted of them.
//!
//! ```text
//!   frames, due sends, lost connections ──► User ──► events ──► ledger, latencies, counts
//!                                             └────► commands ──► written in the same turn
//! ```
//!
//! Everything here stays on one thread and is never borrowed across an await. Events of a user are applied before
//! anything else happens, and the users they touch are written to in the same turn.

use std::cell::{Cell, RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;

use crate::client::{Event, Identity, Settings, User};
use crate::driver::{self, Link, Slot};
use crate::part::Run;
use crate::scenario::Scenario;
use crate::series::Snapshot;
use crate::tally::Tally;
use crate::target::Target;
use crate::token::TokenError;
use crate::verify::{DeviceIndex, Ledger, SenderIndex};

/// A send written later than this after it was due counts as late.
const LATE_AFTER_US: u64 = 10_000;
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Two users and the ledger of their conversation.
#[derive(Debug)]
struct Pair {
    ledger: Ledger,
    senders: [SenderIndex; 2],
    server_ids: [Option<u64>; 2],
    devices: [Option<DeviceIndex>; 2],
    /// The last look has begun: what is answered now comes too late.
    closing: bool,
}

/// The users of one thread. User `index` is side `index % 2` of pair `index / 2`.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) run: Arc<Run>,
    pub(crate) thread: u32,
    settings: Rc<Settings>,
    pub(crate) slots: Vec<RefCell<Slot>>,
    pairs: Vec<RefCell<Pair>>,
    pub(crate) tally: RefCell<Tally>,
    /// When which user must be asked for output although nothing happened.
    wakes: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    buffer: RefCell<Vec<u8>>,
    scratch: RefCell<Scratch>,
    pub(crate) live: Cell<u64>,
    pub(crate) over: Cell<bool>,
    /// The drain is over: what comes now is not part of the figures.
    is_drained: Cell<bool>,
}

/// Buffers that every turn uses and leaves empty.
#[derive(Debug, Default)]
struct Scratch {
    events: Vec<Event>,
    /// Users to be written to.
    dirty: Vec<usize>,
    payload: BytesMut,
}

impl Crew {
    /// The users of a thread, all offline.
    pub(crate) fn new(run: Arc<Run>, thread: u32) -> Result<Self, TokenError> {
        let scenario = &run.scenario;
        let settings = Rc::new(Settings {
            run: run.id,
            encoding: scenario.encoding.into(),
            text_bytes: scenario.text_bytes,
            depth: scenario.depth,
            retry: scenario.retry,
        });
        let mut slots = Vec::new();
        let mut pairs = Vec::new();
        let all_pairs = scenario.users / 2;
        for pair in 0..(thread..all_pairs).step_by(scenario.threads as usize).count() {
            let ids = [0, 1].map(|side| user_id(scenario, thread, pair * 2 + side));
            let mut ledger = Ledger::new();
            let senders = ids.map(|id| ledger.add_sender(format!("user {id}")));
            for side in 0..2 {
                let identity = Identity {
                    token: run.tokens.sign(ids[side])?,
                    device_id: format!("loadtest-{}", ids[side]),
                    own: senders[side],
                    partner: senders[1 - side],
                };
                slots.push(RefCell::new(Slot::new(User::new(Rc::clone(&settings), identity))));
            }
            pairs.push(RefCell::new(Pair {
                ledger,
                senders,
                server_ids: [None; 2],
                devices: [None; 2],
                closing: false,
            }));
        }
        Ok(Self {
            thread,
            settings,
            slots,
            pairs,
            // The time before the start is warm-up too; the true value is set when the start is known.
            tally: RefCell::new(Tally::new(u64::MAX)),
            wakes: RefCell::new(BinaryHeap::new()),
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES]),
            scratch: RefCell::new(Scratch::default()),
            live: Cell::new(0),
            over: Cell::new(false),
            is_drained: Cell::new(false),
            run,
        })
    }

    /// A send of a user is due.
    pub(crate) fn due(&self, index: usize, due_us: u64) {
        self.tally.borrow_mut().offered += 1;
        let mut pair = self.pairs[index / 2].borrow_mut();
        let sender = pair.senders[index % 2];
        let origin = pair.ledger.invoke(sender);
        let mut slot = self.slots[index].borrow_mut();
        // A user that gave up still owes its sends: they stay unanswered in the ledger.
        if !slot.dead {
            slot.user.due(origin, due_us);
        }
    }

    /// Tells how far the thread is at the end of an interval.
    pub(crate) fn tell(&self, at_us: u64) {
        if !self.is_drained.get() {
            let snapshot = Snapshot::of(&self.tally.borrow(), at_us, self.live.get());
            self.run.publish(self.thread, snapshot);
        }
    }

    /// The drain is over: tells how far the thread is for the last time.
    pub(crate) fn drained(&self) {
        let snapshot = Snapshot::of(&self.tally.borrow(), self.run.now_us(), self.live.get());
        self.run.publish(self.thread, snapshot.last());
        self.is_drained.set(true);
    }

    /// The counts, with the judgement of every ledger.
    pub(crate) fn check(&self) -> Tally {
        let mut tally = self.tally.borrow().clone();
        for pair in &self.pairs {
            let pair = pair.borrow();
            let (_, _, unanswered) = pair.ledger.outcomes();
            tally.unanswered += unanswered;
            tally.findings += pair.ledger.check();
        }
        tally
    }

    /// Writes to the users whose delayed repeats are due.
    pub(crate) fn wake(self: &Rc<Self>) {
        let now_us = self.run.now_us();
        loop {
            let due = self.wakes.borrow().peek().map(|&Reverse(wake)| wake);
            match due {
                Some((at_us, index)) if at_us <= now_us => {
                    self.wakes.borrow_mut().pop();
                    self.slots[index].borrow_mut().wake_us = None;
                    self.write(index);
                }
                _ => return,
            }
        }
    }

    /// Writes what a user has to say.
    pub(crate) fn write(self: &Rc<Self>, index: usize) {
        self.with_slot(index, |_, _, _| ());
    }

    /// Lets `work` at a user, then applies the events that came of it and writes whatever became writable.
    pub(crate) fn with_slot<T>(
        self: &Rc<Self>,
        index: usize,
        work: impl FnOnce(&mut Slot, u64, &mut Vec<Event>) -> T,
    ) -> T {
        let now_us = self.run.now_us();
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { events, dirty, payload } = &mut *scratch;
        let result = work(&mut self.slots[index].borrow_mut(), now_us, events);
        dirty.push(index);
        self.apply(index, events, now_us, dirty);
        while let Some(index) = dirty.pop() {
            let (blocked, wake_us) = {
                let mut slot = self.slots[index].borrow_mut();
                let blocked = slot.write(self.encoding(), now_us, payload, events);
                let wake_us = slot.user.wake_us().filter(|_| slot.wake_us.is_none());
                slot.wake_us = slot.wake_us.or(wake_us);
                (blocked, wake_us)
            };
            self.apply(index, events, now_us, dirty);
            if let Some(socket) = blocked {
                monoio::spawn(driver::write_on(Rc::clone(self), index, socket));
            }
            if let Some(wake_us) = wake_us {
                self.wakes.borrow_mut().push(Reverse((wake_us, index)));
            }
        }
        result
    }

    /// What came of the events: counts, latencies, the ledger; users to be written to are added to `dirty`.
    fn apply(&self, index: usize, events: &mut Vec<Event>, now_us: u64, dirty: &mut Vec<usize>) {
        if events.is_empty() {
            return;
        }
        let side = index % 2;
        let mut pair = self.pairs[index / 2].borrow_mut();
        let pair = &mut *pair;
        let mut tally = self.tally.borrow_mut();
        for event in events.drain(..) {
            match event {
                Event::Identified(id) => {
                    pair.server_ids[side] = Some(id);
                    if let [Some(one), Some(two)] = pair.server_ids {
                        self.slots[index - side].borrow_mut().user.open(two);
                        self.slots[index - side + 1].borrow_mut().user.open(one);
                        dirty.extend([index - side, index - side + 1]);
                    }
                }
                Event::Opened(start) => {
                    let name = format!(
                        "the device of user {}",
                        user_id(&self.run.scenario, self.thread, index)
                    );
                    pair.devices[side] = Some(pair.ledger.add_device(name, start));
                    self.live.set(self.live.get() + 1);
                }
                Event::Reconnected => {
                    tally.reconnects += 1;
                    self.live.set(self.live.get() + 1);
                }
                Event::Sent { due_us } => {
                    tally.sent += 1;
                    tally.late_sends += u64::from(now_us.saturating_sub(due_us) > LATE_AFTER_US);
                }
                Event::Acked { .. } | Event::Refused { .. } if pair.closing => {}
                Event::Acked { origin, due_us, seq } => {
                    tally.acked += 1;
                    tally.ack.record(due_us, now_us);
                    pair.ledger.acked(origin, seq);
                }
                Event::Refused { origin, code } => {
                    tally.refused += 1;
                    pair.ledger.refused(origin, code);
                }
                Event::Received { seq, content, via, delivered_due_us } => {
                    if let Some(due_us) = delivered_due_us {
                        tally.delivered += 1;
                        tally.deliver.record(due_us, now_us);
                    }
                    if let Some(device) = pair.devices[side] {
                        pair.ledger.received(device, seq, content, via);
                    }
                }
                Event::LogRead { start, entries } => pair.ledger.log_read(start, entries),
                Event::Stray => tally.stray += 1,
                Event::Error(name) => tally.error(name),
                Event::Failed(reason) => {
                    tally.failure(reason);
                    self.slots[index].borrow_mut().dead = true;
                    if let Some(device) = pair.devices[side] {
                        pair.ledger.device_left(device);
                    }
                }
            }
        }
    }

    /// A pair asks once more for what it may lack, and one side reads the whole log; nothing is sent any more.
    pub(crate) fn finish(self: &Rc<Self>, pair: usize) {
        {
            let mut pair = self.pairs[pair].borrow_mut();
            pair.closing = true;
            pair.ledger.last_look_begins();
        }
        for index in [pair * 2, pair * 2 + 1] {
            let read_log = self.run.scenario.verify_log && index % 2 == 0;
            self.with_slot(index, |slot, _, _| slot.user.finish(read_log));
        }
    }

    /// A connection of the user is open.
    pub(crate) fn connected(self: &Rc<Self>, index: usize, link: Link) {
        {
            // From the first byte on: whatever comes now came on the new connection.
            let mut pair = self.pairs[index / 2].borrow_mut();
            if let Some(device) = pair.devices[index % 2] {
                pair.ledger.reconnected(device);
            }
        }
        self.with_slot(index, |slot, _, _| {
            slot.link = Some(link);
            slot.user.connected();
        });
    }

    /// The user's connection is gone.
    pub(crate) fn disconnected(&self, index: usize) {
        let mut slot = self.slots[index].borrow_mut();
        if slot.user.is_live() {
            self.live.set(self.live.get() - 1);
        }
        slot.link = None;
        slot.user.disconnected();
    }

    /// The user will not connect again.
    pub(crate) fn give_up(&self, index: usize, reason: &str) {
        self.tally.borrow_mut().failure(reason.to_owned());
        self.left(index);
    }

    /// The user's device answers only for what it has received.
    pub(crate) fn left(&self, index: usize) {
        self.slots[index].borrow_mut().dead = true;
        let mut pair = self.pairs[index / 2].borrow_mut();
        if let Some(device) = pair.devices[index % 2] {
            pair.ledger.device_left(device);
        }
    }

    pub(crate) fn error(&self, name: String) {
        self.tally.borrow_mut().error(name);
    }

    pub(crate) fn was_opened(&self, index: usize) -> bool {
        self.pairs[index / 2].borrow().devices[index % 2].is_some()
    }

    pub(crate) fn is_dead(&self, index: usize) -> bool {
        self.slots[index].borrow().dead
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    pub(crate) fn retries(&self) -> bool {
        self.settings.retry
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.settings.encoding
    }

    pub(crate) fn target(&self) -> &Target {
        &self.run.target
    }

    /// Where the user's connection comes from; `None`: the system chooses.
    pub(crate) fn source(&self, index: usize) -> Option<IpAddr> {
        self.run.source(self.thread, index)
    }

    pub(crate) fn mask_seed(&self, index: usize) -> u64 {
        u64::from(self.run.id) << 32 | u64::from(self.thread) << 24 ^ index as u64
    }

    pub(crate) fn read_buffer(&self) -> RefMut<'_, Vec<u8>> {
        self.buffer.borrow_mut()
    }
}

/// The id of a thread's user: threads take turns at the pairs.
fn user_id(scenario: &Scenario, thread: u32, index: usize) -> u64 {
    let pair = u64::from(thread) + (index / 2) as u64 * u64::from(scenario.threads);
    scenario.first_user_id + pair * 2 + (index % 2) as u64
}
