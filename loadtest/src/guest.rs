//! One virtual user at a server that is not ours: what [`crate::client::User`] is at Ringwire, by way of an adapter.
//!
//! ```text
//!   Offline ──connected──► Connecting ──Heard::Live──► Identified ──enter──► Live
//!      ▲                        └── it has been in its conversation, or needs none ──► │
//!      └──────────────────────────────── disconnected ◄────────────────────────────────┘
//! ```
//!
//! There is no log here whose seqs all members agree on: a message is known by its sender and its number, which its
//! text says (`message`), and what every member owes and is owed is judged per sender (`verify`). Nothing is opened at the
//! server either: rooms and channels are there, or come into being when somebody enters them.
//!
//! Invariant: a send whose answer is lost with the connection goes again only where the protocol promises to take it
//! once; elsewhere it stays unanswered, because a repeat might be a duplicate of our own making.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytes::BytesMut;
use ringwire_protocol::Seq;
use ringwire_protocol::websocket::MessageKind;

use crate::adapter::{Adapter, Garbled, Heard, Out, Post, Text, Which};
use crate::client::{
    Around, EXTRA_LEFT_OUT, Event, Identity, MAX_EXTRAS, Settings, UNEXPECTED_REPLY,
};
use crate::meeting::Opened;
use crate::message::{Stamp, Tag};
use crate::outgoing::{Outgoing, Refusal, Unanswered};
use crate::scenario::Acks;
use crate::verify::{Content, Origin, SenderIndex, Via};

/// How many sends may be unanswered where neither scenario nor server says.
const DEFAULT_DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline,
    Connecting,
    Identified,
    Live,
}

/// One virtual user of a foreign server.
#[derive(Debug)]
pub(crate) struct Guest {
    settings: Rc<Settings>,
    identity: Identity,
    adapter: Adapter,
    phase: Phase,
    /// It has been in its conversation.
    entered: bool,
    finishing: bool,
    outgoing: Outgoing,
    next_id: u32,
    out: Out,
    /// Looks at the history that are not answered: when each was due.
    looks: HashMap<u32, u64>,
    /// How many messages it has: its own that are acknowledged, and those that came.
    messages: u64,
    next_beat_us: u64,
    next_receipt_us: u64,
    /// What was heard last; empty between calls.
    heard: Vec<Heard>,
    /// Signals and looks that are due.
    around: VecDeque<(Around, u64)>,
}

impl Guest {
    /// A user who is offline.
    pub(crate) fn new(settings: Rc<Settings>, identity: Identity, adapter: Adapter) -> Self {
        Self {
            outgoing: Outgoing::new(settings.retry),
            settings,
            identity,
            adapter,
            phase: Phase::Offline,
            entered: false,
            finishing: false,
            next_id: 1,
            out: Out::default(),
            looks: HashMap::new(),
            messages: 0,
            next_beat_us: 0,
            next_receipt_us: 0,
            heard: Vec::new(),
            around: VecDeque::new(),
        }
    }

    /// How frames travel.
    pub(crate) fn kind(&self) -> MessageKind {
        self.adapter.kind()
    }

    /// The WebSocket is open.
    pub(crate) fn connected(&mut self, now_us: u64, events: &mut Vec<Event>) {
        self.phase = Phase::Connecting;
        self.next_beat_us = now_us + self.adapter.beat_every_us().unwrap_or(0);
        self.adapter.open(&mut self.out, &mut self.heard);
        self.hear(now_us, events);
    }

    /// The connection is gone. Answers how many sends are given up with it.
    pub(crate) fn disconnected(&mut self) -> usize {
        self.phase = Phase::Offline;
        let repeats = self.settings.protocol.is_idempotent();
        let given_up = if repeats { 0 } else { self.outgoing.forget_in_flight() };
        self.outgoing.disconnected();
        self.out.clear();
        self.looks.clear();
        self.around.clear();
        given_up
    }

    /// All members are there: that is all it takes.
    pub(crate) fn found(&mut self, events: &mut Vec<Event>) {
        let opened = Opened { conversation_id: 1, head: 0 };
        events.push(Event::Founded(opened));
        self.enter(opened, events);
    }

    /// The conversation may begin.
    pub(crate) fn enter(&mut self, opened: Opened, events: &mut Vec<Event>) {
        self.entered = true;
        events.push(Event::Entered(opened.head));
        if self.phase == Phase::Identified {
            self.phase = Phase::Live;
        }
    }

    /// A send is due, and with it what the user does around it.
    pub(crate) fn due(
        &mut self,
        origin: Origin,
        due_us: u64,
        around: Around,
        events: &mut Vec<Event>,
    ) {
        if around != Around::default() && self.is_live() {
            if self.looks.len() + self.around.len() < MAX_EXTRAS {
                self.around.push_back((around, due_us));
            } else {
                events.push(Event::Error(EXTRA_LEFT_OUT.to_owned()));
            }
        }
        self.outgoing.push(origin, due_us);
    }

    /// Nothing is sent any more, and there is nothing to ask for.
    pub(crate) fn finish(&mut self) {
        self.outgoing.stop();
        self.finishing = true;
    }

    /// The user can send.
    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Every send has its answer.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_live() && self.outgoing.is_empty()
    }

    /// [`Self::finish`] was called.
    pub(crate) fn is_finished(&self) -> bool {
        self.finishing
    }

    /// How many messages the user has, its own among them.
    pub(crate) fn messages(&self) -> Seq {
        self.messages
    }

    /// When the user has to be asked for output again although nothing happened.
    pub(crate) fn wake_us(&self) -> Option<u64> {
        if self.phase == Phase::Offline {
            return None;
        }
        let beat = self.adapter.beat_every_us().map(|_| self.next_beat_us);
        let receipt = self.owes_receipt().then_some(self.next_receipt_us);
        beat.into_iter().chain(receipt).min()
    }

    fn owes_receipt(&self) -> bool {
        self.settings.activity.receipts_every_s > 0.0
            && self.is_live()
            && self.adapter.owes_receipt()
    }

    /// Fills `payload` with one frame. `false`: there is nothing to write.
    pub(crate) fn poll_payload(
        &mut self,
        now_us: u64,
        payload: &mut BytesMut,
        events: &mut Vec<Event>,
    ) -> bool {
        if self.phase == Phase::Offline {
            return false;
        }
        self.say_what_is_due(now_us);
        if let Some(frame) = self.out.pop() {
            *payload = frame;
            return true;
        }
        self.next_send(now_us, payload, events)
    }

    /// Beats, receipts, and what goes with a send.
    fn say_what_is_due(&mut self, now_us: u64) {
        if let Some(every_us) = self.adapter.beat_every_us()
            && now_us >= self.next_beat_us
        {
            self.next_beat_us = now_us + every_us;
            self.adapter.beat(&mut self.out);
        }
        if self.owes_receipt() && now_us >= self.next_receipt_us {
            let every_us = (self.settings.activity.receipts_every_s * 1e6) as u64;
            self.next_receipt_us = now_us + every_us;
            self.adapter.receipt(&mut self.out);
        }
        for (around, due_us) in std::mem::take(&mut self.around) {
            if around.history {
                let id = self.take_id();
                self.looks.insert(id, due_us);
                let limit = self.settings.activity.history_entries;
                self.adapter.history(id, limit, &mut self.out);
            }
            if around.typing {
                self.adapter.typing(&mut self.out);
            }
        }
    }

    fn take_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn next_send(&mut self, now_us: u64, payload: &mut BytesMut, events: &mut Vec<Event>) -> bool {
        if !self.is_live() {
            return false;
        }
        let depth = match self.settings.depth {
            0 => DEFAULT_DEPTH,
            depth => depth as usize,
        };
        let Some(next) = self.outgoing.next(now_us, depth, u64::from(self.next_id)) else {
            return false;
        };
        let id = self.take_id();
        if next.first {
            events.push(Event::Sent { due_us: next.due_us });
        }
        let tag = Tag { run: self.settings.run, number: next.origin.number, due_us: next.due_us };
        let stamp = Stamp { tag, user: self.identity.number };
        let text = stamp.text(self.settings.sizes.of(tag));
        let post = Post { id, name: &tag.client_msg_id(), text: &text };
        self.adapter.send(post, payload);
        if self.settings.acks == Acks::Written
            && let Some(send) = self.outgoing.acked(u64::from(id))
        {
            events.push(Event::Taken { origin: send.origin });
            self.has_own(send.origin, events);
        }
        true
    }

    /// Takes in a message of the server.
    pub(crate) fn take_in(
        &mut self,
        payload: &[u8],
        now_us: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Garbled> {
        let taken = self.adapter.take_in(payload, &mut self.out, &mut self.heard);
        self.hear(now_us, events);
        taken
    }

    fn hear(&mut self, now_us: u64, events: &mut Vec<Event>) {
        let mut heard = std::mem::take(&mut self.heard);
        for one in heard.drain(..) {
            match one {
                Heard::Live => self.live(events),
                Heard::Message(text) => self.message(text, events),
                Heard::Acked(which) => match self.answered(&which) {
                    Some(send) => self.acked(send, events),
                    None => events.push(Event::Error(UNEXPECTED_REPLY.to_owned())),
                },
                Heard::Refused { which, code, name } => {
                    events.push(Event::Error(name));
                    self.refused(&which, code, now_us, events);
                }
                Heard::HistoryRead { id } => match self.looks.remove(&id) {
                    Some(due_us) => events.push(Event::HistoryRead { due_us }),
                    None => events.push(Event::Error(UNEXPECTED_REPLY.to_owned())),
                },
                Heard::Signal => events.push(Event::Signal),
                Heard::Error(name) => events.push(Event::Error(name)),
                Heard::Failed(reason) => events.push(Event::Failed(reason)),
            }
        }
        self.heard = heard;
    }

    fn live(&mut self, events: &mut Vec<Event>) {
        if self.phase != Phase::Connecting {
            return;
        }
        if self.settings.converses && !self.entered {
            self.phase = Phase::Identified;
            events.push(Event::Identified);
            return;
        }
        self.phase = Phase::Live;
        events.push(Event::Reconnected);
        // Protocols that give what was missed give it before they say that the user is there.
        events.push(Event::CaughtUp);
    }

    /// The send that an answer is for.
    fn answered(&mut self, which: &Which) -> Option<Unanswered> {
        let id = self.command_of(which)?;
        self.outgoing.acked(id)
    }

    fn command_of(&self, which: &Which) -> Option<u64> {
        match which {
            Which::Id(id) => Some(u64::from(*id)),
            Which::Name(name) => {
                let number = Tag::number_of(self.settings.run, name)?;
                self.outgoing.command_of(number)
            }
        }
    }

    fn acked(&mut self, send: Unanswered, events: &mut Vec<Event>) {
        events.push(Event::Acked { origin: send.origin, due_us: send.due_us, seq: None });
        self.has_own(send.origin, events);
    }

    /// The user's own message is one of those it has.
    fn has_own(&mut self, origin: Origin, events: &mut Vec<Event>) {
        self.messages += 1;
        // An acknowledgement may come out of order; a copy is a message like everybody else's.
        let via = if self.settings.acks == Acks::OwnCopy { Via::Push } else { Via::Ack };
        events.push(own_message(origin, via));
    }

    fn refused(&mut self, which: &Which, code: u32, now_us: u64, events: &mut Vec<Event>) {
        if let Which::Id(id) = which
            && self.looks.remove(id).is_some()
        {
            return;
        }
        let Some(id) = self.command_of(which) else { return };
        // Sends in flight behind it are not held back there: a repeat would come out of order.
        if let Refusal::Final(send) = self.outgoing.refused(id, false, 0, now_us) {
            events.push(Event::Refused { origin: send.origin, code });
        }
    }

    fn message(&mut self, text: Text, events: &mut Vec<Event>) {
        if !self.entered {
            // What the server says before the conversation begins is none of it.
            return;
        }
        let received = |content, delivered_due_us| Event::Received {
            seq: 0,
            content,
            via: Via::Push,
            delivered_due_us,
        };
        let Some(Stamp { tag, user }) = text.stamp else {
            events.push(received(Content::Foreign, None));
            return;
        };
        if tag.run != self.settings.run {
            // Rooms may keep what earlier runs said.
            return;
        }
        if text.bytes != self.settings.sizes.of(tag) {
            events.push(received(Content::Foreign, None));
            return;
        }
        let first = self.identity.number - self.identity.member;
        let member = user.checked_sub(first).filter(|&member| member < self.identity.members);
        let Some(member) = member else {
            events.push(Event::Stray);
            return;
        };
        let origin = Origin { sender: SenderIndex::at(member), number: tag.number };
        if member != self.identity.member {
            self.messages += 1;
            events.push(received(Content::Message(origin), Some(tag.due_us)));
            return;
        }
        if self.settings.acks != Acks::OwnCopy {
            // Here it acknowledges nothing, but one whose answer was lost is one the user has.
            events.push(own_message(origin, Via::Ack));
            return;
        }
        let own = self.outgoing.command_of(tag.number).and_then(|id| self.outgoing.acked(id));
        match own {
            Some(send) => self.acked(send, events),
            // A second copy, or one of a send whose answer was given up.
            None => events.push(received(Content::Message(origin), None)),
        }
    }
}

/// The user has a message of its own.
fn own_message(origin: Origin, via: Via) -> Event {
    let content = Content::Message(origin);
    Event::Received { seq: 0, content, via, delivered_due_us: None }
}

#[cfg(test)]
mod tests;
