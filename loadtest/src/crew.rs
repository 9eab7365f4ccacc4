//! The users of one lane (a thread of the generator): their connections, their ledgers, and what is counted of them.
//!
//! ```text
//!   frames, due sends, lost connections ──► User ──► events ──► ledger, latencies, counts
//!                                             └────► commands ──► sent when all that are ready had their turn
//! ```
//!
//! Everything here stays on one thread and is never borrowed across an await. Events of a user are applied before
//! anything else happens, and what it has to say then is written down in the same turn (and sent by [`crate::flush`]).

mod offer;

use std::cell::{Cell, RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::adapter::Request;
use crate::client::{Event, Identity, Settings};
use crate::cuts::Cut;
use crate::driver::{Link, Slot};
use crate::flush::Flush;
use crate::founding::Founding;
use crate::message::mix;
use crate::net::FineTimer;
use crate::part::Run;
use crate::player::Player;
use crate::scenario::Conversation;
use crate::seating::{Seat, Talk};
use crate::series::Snapshot;
use crate::tally::Tally;
use crate::target::Target;
use crate::token::TokenError;
use crate::verify::Content;

/// A send written later than this after it was due counts as late.
const LATE_AFTER_US: u64 = 10_000;
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// The users of one lane.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) run: Arc<Run>,
    pub(crate) thread: u32,
    settings: Rc<Settings>,
    pub(crate) slots: Vec<RefCell<Slot>>,
    seats: Vec<Seat>,
    pub(crate) talks: Vec<RefCell<Talk>>,
    /// The users who send, by their places in `slots`.
    pub(crate) senders: Vec<usize>,
    pub(crate) tally: RefCell<Tally>,
    /// Conversations that are not open yet.
    unopened: RefCell<Vec<usize>>,
    /// Closed loop: when which user has thought enough.
    pub(crate) thinkers: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    /// What the pacer sleeps by, and until when.
    pub(crate) pacer: RefCell<Option<Rc<FineTimer>>>,
    pub(crate) paced_until_us: Cell<u64>,
    random: RefCell<StdRng>,
    /// When which user must be asked for output although nothing happened.
    wakes: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    buffer: RefCell<Vec<u8>>,
    pub(crate) flush: RefCell<Flush>,
    scratch: RefCell<Scratch>,
    heard: Cell<u64>,
    pub(crate) live: Cell<u64>,
    /// Users who were cut off on purpose and have not caught up yet.
    recovering: Cell<u64>,
    /// Closed loop without thinking: until when answers make sends due; 0: they do not.
    pub(crate) offers_until_us: Cell<u64>,
    /// Slow readers are slow now.
    pub(crate) slowing: Cell<bool>,
    pub(crate) over: Cell<bool>,
    /// The drain is over: what comes now is not part of the figures.
    is_drained: Cell<bool>,
}

/// Buffers that every turn uses and leaves empty.
#[derive(Debug, Default)]
struct Scratch {
    events: Vec<Event>,
    payload: BytesMut,
}

impl Crew {
    /// The users of a lane, all offline.
    pub(crate) fn new(run: Arc<Run>, thread: u32) -> Result<Self, TokenError> {
        let scenario = &run.scenario;
        let layout = &run.layout;
        let run_length = Duration::from_secs_f64(scenario.duration_s);
        let lane = run.first_lane + thread;
        let settings = Rc::new(Settings {
            run: run.id,
            protocol: scenario.protocol,
            acks: scenario.protocol.acks(&scenario.foreign),
            encoding: scenario.encoding.into(),
            sizes: scenario.sizes(),
            depth: scenario.depth,
            retry: scenario.retry,
            converses: scenario.conversation.is_any(),
            pairs: scenario.conversation == Conversation::Pairs {},
            activity: scenario.activity,
            draft: RefCell::default(),
        });
        let (mut slots, mut seats, mut talks) = (Vec::new(), Vec::new(), Vec::new());
        for conversation in layout.conversations_of(lane) {
            let first = slots.len();
            let first_member_id = layout.first_member_id(conversation);
            for member in layout.members_of(lane) {
                let number = conversation * layout.members + member;
                let user_id = first_member_id + u64::from(member);
                let identity = Identity {
                    token: run.tokens.of(user_id, number, run_length)?,
                    device_id: format!("loadtest-{user_id}"),
                    number,
                    member,
                    members: layout.members,
                    first_member_id,
                };
                let slow = is_slow(scenario.slow_readers.share, number);
                let (foreign, path) = (&scenario.foreign, run.target.path.as_str());
                let user = Player::new(Rc::clone(&settings), identity, foreign, path);
                let mut slot = Slot::new(user);
                slot.slow = slow;
                seats.push(Seat { talk: talks.len(), member, number });
                slots.push(RefCell::new(slot));
            }
            let slots_here = first..slots.len();
            let seats_here = layout.first_and_stride(lane);
            let has_log = scenario.protocol.is_ringwire();
            let talk = Talk::new(layout, conversation, slots_here, seats_here, has_log);
            talks.push(RefCell::new(talk));
        }
        let senders = (0..slots.len()).filter(|&index| !slots[index].borrow().slow).collect();
        let unopened = if settings.converses { (0..talks.len()).collect() } else { Vec::new() };
        let seed = scenario.seed ^ (u64::from(lane) << 32) ^ 0x7EED;
        Ok(Self {
            thread,
            settings,
            slots,
            seats,
            talks,
            senders,
            // The time before the start is warm-up too; the true value is set when the start is known.
            tally: RefCell::new(Tally::new(u64::MAX)),
            unopened: RefCell::new(unopened),
            thinkers: RefCell::new(BinaryHeap::new()),
            pacer: RefCell::new(None),
            paced_until_us: Cell::new(0),
            random: RefCell::new(StdRng::seed_from_u64(seed)),
            wakes: RefCell::new(BinaryHeap::new()),
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES]),
            flush: RefCell::default(),
            scratch: RefCell::new(Scratch::default()),
            heard: Cell::new(0),
            live: Cell::new(0),
            recovering: Cell::new(0),
            offers_until_us: Cell::new(0),
            slowing: Cell::new(false),
            over: Cell::new(false),
            is_drained: Cell::new(false),
            run,
        })
    }

    /// This lane, over all processes.
    pub(crate) fn lane(&self) -> u32 {
        self.run.first_lane + self.thread
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

    /// The counts, with the judgement of every ledger that is whole.
    pub(crate) fn check(&self) -> Tally {
        let mut tally = self.tally.borrow().clone();
        for talk in &self.talks {
            let talk = talk.borrow();
            tally.unanswered += talk.unanswered();
            if self.run.layout.is_split() {
                tally.pieces.insert(talk.conversation, talk.ledger.clone());
            } else {
                tally.findings += talk.ledger.check();
            }
        }
        tally
    }

    /// Opens the conversations whose members have all arrived, and lets members into those that were opened.
    pub(crate) fn look_for_openings(self: &Rc<Self>) {
        let mut unopened = self.unopened.take();
        unopened.retain(|&index| {
            let (conversation, slots, opens) = {
                let talk = self.talks[index].borrow();
                (talk.conversation, talk.slots.clone(), talk.holds_first() && !talk.opening)
            };
            let meeting = &self.run.meetings[conversation as usize];
            if let Some(opened) = meeting.opened() {
                for slot in slots {
                    if !self.slots[slot].borrow().entered {
                        self.with_slot(slot, |slot, _, events| slot.user.enter(opened, events));
                    }
                }
                return false;
            }
            if opens && meeting.is_complete(self.run.layout.members) {
                self.talks[index].borrow_mut().opening = true;
                let kind = self.run.founding_kind();
                let first = self.run.layout.first_member_id(conversation);
                let others = first + 1..first + u64::from(self.run.layout.members);
                let founding = Founding::new(kind, self.run.id, others);
                self.with_slot(slots.start, |slot, _, events| slot.user.found(founding, events));
            }
            true
        });
        self.unopened.replace(unopened);
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

    /// Writes what a user has to say; when that was.
    pub(crate) fn write(self: &Rc<Self>, index: usize) -> u64 {
        self.with_slot(index, |_, now_us, _| now_us)
    }

    /// Lets `work` at a user, then applies the events that came of it and writes whatever became writable.
    pub(crate) fn with_slot<T>(
        self: &Rc<Self>,
        index: usize,
        work: impl FnOnce(&mut Slot, u64, &mut Vec<Event>) -> T,
    ) -> T {
        let now_us = self.run.now_us();
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { events, payload } = &mut *scratch;
        let result = work(&mut self.slots[index].borrow_mut(), now_us, events);
        let answers = self.apply(index, events, now_us);
        self.go_on(index, answers, now_us);
        let (is_news, wake_us) = {
            let mut slot = self.slots[index].borrow_mut();
            let is_news = slot.write(now_us, payload, events);
            // A later one that is known already stays: it finds nothing to do.
            let sooner = |&at_us: &u64| slot.wake_us.is_none_or(|known_us| at_us < known_us);
            let wake_us = slot.user.wake_us().filter(sooner);
            slot.wake_us = wake_us.or(slot.wake_us);
            (is_news, wake_us)
        };
        let answers = self.apply(index, events, now_us);
        debug_assert_eq!(answers, 0, "who writes gets no answer by that");
        if is_news {
            self.flush.borrow_mut().add(index);
        }
        if let Some(wake_us) = wake_us {
            self.wakes.borrow_mut().push(Reverse((wake_us, index)));
        }
        result
    }

    /// What came of the events: counts, latencies, the ledger. How many sends have their answer.
    fn apply(&self, index: usize, events: &mut Vec<Event>, now_us: u64) -> usize {
        if events.is_empty() {
            return 0;
        }
        let mut answers = 0;
        let seat = self.seats[index];
        let mut talk = self.talks[seat.talk].borrow_mut();
        let talk = &mut *talk;
        let meeting = &self.run.meetings[talk.conversation as usize];
        let mut slot = self.slots[index].borrow_mut();
        let mut tally = self.tally.borrow_mut();
        for event in events.drain(..) {
            match event {
                Event::Identified => {
                    if let Some(due_us) = slot.connect_due_us.take() {
                        tally.connect.record(due_us, now_us);
                        meeting.arrive();
                    }
                }
                Event::Founded(opened) => meeting.open(opened),
                Event::Entered(start) => {
                    slot.entered = true;
                    talk.add_device(seat.member, start);
                    self.count_live(&slot);
                }
                Event::Reconnected => {
                    self.count_live(&slot);
                    match slot.connect_due_us.take() {
                        // The first connection of a user who needs no conversation.
                        Some(due_us) => {
                            tally.connect.record(due_us, now_us);
                            slot.entered = true;
                        }
                        None => tally.reconnects += 1,
                    }
                }
                Event::CaughtUp => {
                    if let Some(due_us) = slot.back_due_us.take() {
                        if !slot.slow {
                            tally.recover.record(due_us, now_us);
                        }
                        slot.caught_up_us = now_us;
                        self.recovering.set(self.recovering.get() - 1);
                    }
                }
                Event::Sent { due_us } => {
                    tally.sent += 1;
                    tally.late_sends += u64::from(now_us.saturating_sub(due_us) > LATE_AFTER_US);
                }
                Event::Acked { .. } | Event::Taken { .. } | Event::Refused { .. }
                    if talk.closing => {}
                Event::Acked { origin, due_us, seq } => {
                    tally.acked += 1;
                    tally.ack.record(due_us, now_us);
                    // What was due while the user itself was away is none of it.
                    let stayed = slot.back_due_us.is_none() && due_us >= slot.caught_up_us;
                    if self.recovering.get() > 0 && stayed {
                        tally.bystander.record(due_us, now_us);
                    }
                    talk.ledger.acked(origin, seq.unwrap_or(0));
                    meeting.acknowledged(seq);
                    answers += 1;
                }
                Event::Taken { origin } => {
                    tally.acked += 1;
                    talk.ledger.acked(origin, 0);
                    meeting.acknowledged(None);
                }
                Event::Refused { origin, code } => {
                    tally.refused += 1;
                    talk.ledger.refused(origin, code);
                    answers += 1;
                }
                Event::Received { seq, content, via, delivered_due_us } => {
                    let is_new = talk.received(seat.member, seq, content, via);
                    if let Some(due_us) = delivered_due_us.filter(|_| is_new) {
                        tally.delivered += 1;
                        if !slot.slow && self.has_clock_of(content) {
                            tally.deliver.record(due_us, now_us);
                        }
                    }
                }
                Event::LogRead { start, entries } => talk.ledger.log_read(start, entries),
                Event::HistoryRead { due_us } => tally.history.record(due_us, now_us),
                Event::Signal => tally.signals += 1,
                Event::Stray => tally.stray += 1,
                Event::Error(name) => tally.error(name),
                Event::Failed(reason) => {
                    tally.failure(reason);
                    self.leave(&mut slot);
                    talk.device_left(seat.member);
                }
            }
        }
        answers
    }

    /// When a message was due can be held against this process's clock: its sender's host is this one.
    fn has_clock_of(&self, content: Content) -> bool {
        let Content::Message(origin) = content else { return false };
        !self.run.layout.is_split()
            || self.run.same_clock.contains(&self.run.layout.lane_of(origin.sender.index()))
    }

    fn count_live(&self, slot: &Slot) {
        if slot.user.is_live() {
            self.live.set(self.live.get() + 1);
        }
    }

    /// From now on answers come too late to be owed: the last look is about to begin.
    pub(crate) fn close_talks(&self) {
        for talk in &self.talks {
            let mut talk = talk.borrow_mut();
            talk.closing = true;
            talk.ledger.last_look_begins();
        }
    }

    /// The members of a conversation ask once more for what they may lack, and one of them reads the whole log; nothing
    /// is sent any more.
    pub(crate) fn finish(self: &Rc<Self>, talk: usize) {
        let (slots, reads) = {
            let talk = self.talks[talk].borrow();
            (talk.slots.clone(), talk.reads_log() && self.run.scenario.verify_log)
        };
        let reader = slots.clone().find(|&index| reads && !self.slots[index].borrow().dead);
        for index in slots {
            let read_log = reader == Some(index);
            self.with_slot(index, |slot, _, _| slot.user.finish(read_log));
        }
    }

    /// The run is over, however it ended: says goodbye to the server, and lets go of what tasks wait by. That holds them,
    /// and they the crew.
    pub(crate) fn let_go(&self) {
        self.over.set(true);
        let mut wakers: Vec<_> = self.flush.borrow_mut().forget_waker().into_iter().collect();
        for slot in &self.slots {
            let mut slot = slot.borrow_mut();
            slot.close();
            wakers.extend(slot.forget_waker());
        }
        // Whatever they are the last to hold is dropped while nothing is borrowed.
        drop(wakers);
    }

    /// Ends the connection of a user on purpose.
    pub(crate) fn cut(&self, cut: Cut) {
        let now_us = self.run.now_us();
        let mut slot = self.slots[cut.user].borrow_mut();
        if slot.dead || !slot.user.is_live() || slot.back_due_us.is_some() {
            return;
        }
        slot.away_until_us = Some(now_us + cut.away_us);
        slot.back_due_us = Some(now_us + cut.excused_us);
        self.recovering.set(self.recovering.get() + 1);
        self.tally.borrow_mut().cuts += 1;
        if cut.clean {
            slot.close();
        }
        // Nobody waits for the server's goodbye: it is the client who goes.
        slot.hang_up();
    }

    /// A connection of the user is open.
    pub(crate) fn connected(self: &Rc<Self>, index: usize, link: Link) {
        let seat = self.seats[index];
        // From the first byte on: whatever comes now came on the new connection.
        self.talks[seat.talk].borrow_mut().reconnected(seat.member);
        self.with_slot(index, |slot, now_us, events| {
            slot.link = Some(link);
            slot.user.connected(now_us, events);
        });
    }

    /// The user's connection is gone; how many sends are given up with it.
    pub(crate) fn disconnected(&self, index: usize) -> usize {
        let mut slot = self.slots[index].borrow_mut();
        if slot.user.is_live() {
            self.live.set(self.live.get() - 1);
        }
        slot.link = None;
        slot.user.disconnected()
    }

    /// The user will not connect again.
    pub(crate) fn give_up(&self, index: usize, reason: &str) {
        self.tally.borrow_mut().failure(reason.to_owned());
        self.left(index);
    }

    /// The user's device answers only for what it has received.
    pub(crate) fn left(&self, index: usize) {
        let seat = self.seats[index];
        self.leave(&mut self.slots[index].borrow_mut());
        self.talks[seat.talk].borrow_mut().device_left(seat.member);
    }

    fn leave(&self, slot: &mut Slot) {
        slot.dead = true;
        if slot.back_due_us.take().is_some() {
            self.recovering.set(self.recovering.get() - 1);
        }
    }

    pub(crate) fn error(&self, name: String) {
        self.tally.borrow_mut().error(name);
    }

    pub(crate) fn has_entered(&self, index: usize) -> bool {
        self.slots[index].borrow().entered
    }

    /// Until when the user stays away, if its connection has ended on purpose; told once.
    pub(crate) fn take_absence(&self, index: usize) -> Option<u64> {
        self.slots[index].borrow_mut().away_until_us.take()
    }

    /// The user's place among all users, from 0.
    pub(crate) fn user_number(&self, index: usize) -> u32 {
        self.seats[index].number
    }

    /// Bytes a second that the user reads now; `None`: as many as come.
    pub(crate) fn reading_limit(&self, index: usize) -> Option<u32> {
        (self.slowing.get() && self.slots[index].borrow().slow)
            .then_some(self.run.scenario.slow_readers.bytes_per_s)
    }

    pub(crate) fn is_live(&self, index: usize) -> bool {
        self.slots[index].borrow().user.is_live()
    }

    pub(crate) fn is_slow(&self, index: usize) -> bool {
        self.slots[index].borrow().slow
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

    /// How the user asks for its WebSocket.
    pub(crate) fn request(&self, index: usize) -> Request {
        self.slots[index].borrow().user.request(&self.run.target.path)
    }

    pub(crate) fn target(&self) -> &Target {
        &self.run.target
    }

    /// Where the user's connection comes from; `None`: the system chooses.
    pub(crate) fn source(&self, index: usize) -> Option<IpAddr> {
        self.run.source(self.lane(), index)
    }

    pub(crate) fn mask_seed(&self, index: usize) -> u64 {
        u64::from(self.run.id) << 32 | u64::from(self.thread) << 24 ^ index as u64
    }

    /// How often a server has been heard.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.get()
    }

    /// What a user reads with, because something came for it.
    pub(crate) fn read_buffer(&self) -> RefMut<'_, Vec<u8>> {
        self.heard.set(self.heard.get() + 1);
        self.buffer.borrow_mut()
    }
}

/// Whether the user with this number is a slow reader: exactly the share asked for, evenly among all.
pub(crate) fn is_slow(share: f64, number: u32) -> bool {
    let before = |number: u32| (f64::from(number) * share).floor();
    before(number + 1) > before(number)
}

/// Whether the user with this number is among a share of all, drawn with a seed.
pub(crate) fn is_drawn(share: f64, number: u32, seed: u64) -> bool {
    let position = (mix(u64::from(number) ^ mix(seed)) >> 11) as f64 / (1_u64 << 53) as f64;
    position < share
}
