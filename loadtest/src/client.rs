//! One virtual user: frames in, frames out, no socket and no clock.
//!
//! ```text
//!   Offline ──connected──► Connecting ──Connected──► Identified ──found──► Opening ──opened──► Live
//!      ▲                        │                        └── enter: somebody else has opened it ─► │
//!      │                        └── it has a conversation (gives its session and cursor), or needs none ──► │
//!      └──────────────────────────────────── disconnected ◄────────────────────────────────────────┘
//! ```
//!
//! Pushes and acknowledgements go through the [`Inbox`], which knows what to ask for; sends through [`Outgoing`], which
//! knows what may be written. What the user sees is told as [`Event`]s; it judges nothing. What comes from the server is
//! taken in by `frames`.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytes::BytesMut;
use ringwire_protocol::Seq;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::wire::{self, Resume, command::Op};

use crate::founding::Founding;
use crate::inbox::{Ask, Inbox};
use crate::meeting::Opened;
use crate::message::{Sizes, Tag};
use crate::outgoing::Outgoing;
use crate::scenario::{Acks, Activity, Protocol};
use crate::verify::{Content, Origin, Via};

mod frames;

pub(crate) use frames::UNEXPECTED_REPLY;

/// A WebSocket message of commands is closed when it grows beyond this many bytes.
const PAYLOAD_BYTES: usize = 8 * 1024;
/// Unanswered commands that are kept free beside the sends, for `sync` and what users do beside sending.
const RESERVED_UNANSWERED: u32 = 8;
/// Unanswered commands of a user that are neither sends nor needed; what comes on top is left out.
pub(crate) const MAX_EXTRAS: usize = 4;
/// Stands among the error names for what was left out because of that.
pub(crate) const EXTRA_LEFT_OUT: &str = "typing, receipt or history left out: four are unanswered";
/// How many sends may be unanswered where the server names no limit.
const DEFAULT_UNANSWERED: u32 = 64;

/// What all users of a run have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Tells this run's messages from those of every other run.
    pub(crate) run: u32,
    /// What is spoken.
    pub(crate) protocol: Protocol,
    /// What acknowledges a send.
    pub(crate) acks: Acks,
    /// How Ringwire's schema travels.
    pub(crate) encoding: Encoding,
    /// Bytes of text in a message.
    pub(crate) sizes: Sizes,
    /// The most unacknowledged sends; 0: the server's limit.
    pub(crate) depth: u32,
    /// Whether temporary refusals and lost connections are overcome.
    pub(crate) retry: bool,
    /// Whether there is a conversation at all.
    pub(crate) converses: bool,
    /// It is one of two.
    pub(crate) pairs: bool,
    /// What users do beside sending.
    pub(crate) activity: Activity,
    /// In which every send is written down: its strings are made once.
    pub(crate) draft: RefCell<wire::Command>,
}

/// Who a user is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Its token.
    pub(crate) token: String,
    /// Its installation, stable over reconnects.
    pub(crate) device_id: String,
    /// Its place among all users of the run, from 0.
    pub(crate) number: u32,
    /// Which member of its conversation it is, from 0.
    pub(crate) member: u32,
    /// How many members there are.
    pub(crate) members: u32,
    /// The id of the first of them; the others follow.
    pub(crate) first_member_id: u64,
}

impl Identity {
    /// The user's id.
    pub(crate) fn user_id(&self) -> u64 {
        self.first_member_id + u64::from(self.member)
    }
}

/// What a user does around a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// Tells the others that it is typing.
    pub(crate) typing: bool,
    /// Looks at the history.
    pub(crate) history: bool,
}

/// What happened to a user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The server knows the user.
    Identified,
    /// The conversation is open, with everybody in it.
    Founded(Opened),
    /// The user can send; it answers for what follows this seq.
    Entered(Seq),
    /// A later connection took over.
    Reconnected,
    /// It has brought everything that was missed.
    CaughtUp,
    /// A send went into the output for the first time.
    Sent {
        /// When it was due.
        due_us: u64,
    },
    /// A send is committed.
    Acked {
        /// Which one.
        origin: Origin,
        /// When it was due.
        due_us: u64,
        /// Where it is in the log, if there is one.
        seq: Option<Seq>,
    },
    /// A send is written, and that is all that will ever be known of it.
    Taken {
        /// Which one.
        origin: Origin,
    },
    /// A send was refused for good.
    Refused {
        /// Which one.
        origin: Origin,
        /// The error code.
        code: u32,
    },
    /// An entry arrived.
    Received {
        /// Its place in the log; 0 where there is none.
        seq: Seq,
        /// What it holds.
        content: Content,
        /// How it came.
        via: Via,
        /// Set when the cursor moved over a message of somebody else: when that message was due.
        delivered_due_us: Option<u64>,
    },
    /// The server's log after `start`, read back.
    LogRead {
        /// Where it begins.
        start: Seq,
        /// What it holds.
        entries: Vec<(Seq, Content)>,
    },
    /// A look at the history was answered.
    HistoryRead {
        /// When it was due.
        due_us: u64,
    },
    /// The server pushed who types, or how far somebody got.
    Signal,
    /// The server pushed something of a conversation that is not this user's.
    Stray,
    /// A command was refused; the name of the error.
    Error(String),
    /// The user cannot go on; a new connection would not help.
    Failed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline,
    Connecting,
    Identified,
    Opening,
    Live,
}

/// A command other than `send` that waits for its reply.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Connect,
    Found,
    CatchUp,
    Log,
    /// Whether all that a resumed session missed is there: the answer comes behind it.
    Resumed,
    /// Something that is not needed: nothing waits for its answer.
    Extra {
        /// When a look at the history was due.
        history_due_us: Option<u64>,
    },
}

/// One virtual user.
#[derive(Debug)]
pub(crate) struct User {
    settings: Rc<Settings>,
    identity: Identity,
    phase: Phase,
    conversation_id: u64,
    founding: Option<Founding>,
    inbox: Inbox,
    /// The newest session, to go on with after a reconnect.
    session: Option<Resume>,
    /// After a reconnect: how far the log went then, until the user has got there.
    missed_up_to: Option<Seq>,
    outgoing: Outgoing,
    unanswered_limit: u32,
    next_id: u64,
    ready: VecDeque<wire::Command>,
    asked: HashMap<u64, (Asked, Op)>,
    extras: usize,
    /// Control commands to repeat: when, and which.
    deferred: Vec<(u64, Asked, Op)>,
    /// The last seq confirmed as read, and when the next may be.
    read: Seq,
    next_receipt_us: u64,
}

impl User {
    /// A user who is offline.
    pub(crate) fn new(settings: Rc<Settings>, identity: Identity) -> Self {
        let outgoing = Outgoing::new(settings.retry);
        Self {
            settings,
            identity,
            phase: Phase::Offline,
            conversation_id: 0,
            founding: None,
            inbox: Inbox::new(0),
            session: None,
            missed_up_to: None,
            outgoing,
            unanswered_limit: DEFAULT_UNANSWERED,
            next_id: 1,
            ready: VecDeque::new(),
            asked: HashMap::new(),
            extras: 0,
            deferred: Vec::new(),
            read: 0,
            next_receipt_us: 0,
        }
    }

    /// The subprotocol that says how the schema travels.
    pub(crate) fn subprotocol(&self) -> &'static str {
        self.settings.encoding.subprotocol()
    }

    /// How the schema travels.
    pub(crate) fn encoding(&self) -> Encoding {
        self.settings.encoding
    }

    /// The frames it travels in.
    pub(crate) fn kind(&self) -> MessageKind {
        self.settings.encoding.message_kind()
    }

    /// The WebSocket is open: introduces the user.
    pub(crate) fn connected(&mut self) {
        self.phase = Phase::Connecting;
        let cursors = match self.conversation_id {
            0 => Vec::new(),
            conversation_id => vec![wire::SyncCursor { conversation_id, seq: self.inbox.cursor() }],
        };
        let connect = wire::Connect {
            token: self.identity.token.clone(),
            device_id: self.identity.device_id.clone(),
            cursors,
            resume: self.session.clone(),
            device_class: "bot".to_owned(),
            client_name: "ringwire-loadtest".to_owned(),
            ..Default::default()
        };
        self.ask(Asked::Connect, Op::Connect(connect));
    }

    /// The connection is gone.
    pub(crate) fn disconnected(&mut self) {
        self.phase = Phase::Offline;
        self.outgoing.disconnected();
        self.ready.clear();
        self.asked.clear();
        self.extras = 0;
        self.deferred.clear();
        self.missed_up_to = None;
        self.inbox.disconnected();
    }

    /// All members exist: opens the conversation for them.
    pub(crate) fn found(&mut self, founding: Founding) {
        self.founding = Some(founding);
        self.go_on_founding();
    }

    /// Somebody has opened the conversation.
    pub(crate) fn enter(&mut self, opened: Opened, events: &mut Vec<Event>) {
        self.founding = None;
        self.conversation_id = opened.conversation_id;
        self.inbox = Inbox::new(opened.head);
        self.read = opened.head;
        events.push(Event::Entered(opened.head));
        match self.phase {
            Phase::Identified | Phase::Opening => self.phase = Phase::Live,
            // The connection that comes will give the cursor.
            Phase::Offline | Phase::Connecting | Phase::Live => {}
        }
    }

    fn go_on_founding(&mut self) {
        if let Some(founding) = &self.founding
            && matches!(self.phase, Phase::Identified | Phase::Opening)
        {
            self.phase = Phase::Opening;
            let command = founding.command();
            self.ask(Asked::Found, command);
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
        let conversation_id = self.conversation_id;
        if around.history {
            let limit = self.settings.activity.history_entries;
            let look = wire::History { conversation_id, limit, ..Default::default() };
            self.ask_extra(Op::History(look), Some(due_us), events);
        }
        if around.typing {
            let typing = wire::Typing { conversation_id, stopped: false };
            self.ask_extra(Op::Typing(typing), None, events);
        }
        self.outgoing.push(origin, due_us);
    }

    /// Asks once more for what may be missing, and, if `read_log`, for everything since the start.
    /// Nothing is sent any more.
    pub(crate) fn finish(&mut self, read_log: bool) {
        self.outgoing.stop();
        self.inbox.finish(read_log);
    }

    /// The user can send.
    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Every send has its answer and no gap is known.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_live() && self.outgoing.is_empty() && self.inbox.is_caught_up()
    }

    /// The reads of [`Self::finish`] are answered.
    pub(crate) fn is_finished(&self) -> bool {
        self.inbox.is_finished()
    }

    /// How far the user has got without a gap.
    pub(crate) fn cursor(&self) -> Seq {
        self.inbox.cursor()
    }

    /// When the user has to be asked for output again although nothing happened.
    pub(crate) fn wake_us(&self) -> Option<u64> {
        let deferred = self.deferred.iter().map(|&(at_us, ..)| at_us);
        let held = self.outgoing.wake_us().filter(|_| self.is_live());
        let receipt = self.owes_receipt().then_some(self.next_receipt_us);
        deferred.chain(held).chain(receipt).min()
    }

    fn owes_receipt(&self) -> bool {
        self.settings.activity.receipts_every_s > 0.0
            && self.is_live()
            && self.inbox.cursor() > self.read
    }

    /// Confirms what was read, if it is time for that.
    fn give_receipt(&mut self, now_us: u64, events: &mut Vec<Event>) {
        if !self.owes_receipt() || now_us < self.next_receipt_us {
            return;
        }
        self.read = self.inbox.cursor();
        self.next_receipt_us = now_us + (self.settings.activity.receipts_every_s * 1e6) as u64;
        let read = wire::Read { conversation_id: self.conversation_id, seq: self.read };
        self.ask_extra(Op::Read(read), None, events);
    }

    /// Fills `payload` with commands for one WebSocket message. `false`: there is nothing to write.
    pub(crate) fn poll_payload(
        &mut self,
        now_us: u64,
        payload: &mut BytesMut,
        events: &mut Vec<Event>,
    ) -> bool {
        self.repeat_deferred(now_us);
        self.ask_for_entries();
        self.give_receipt(now_us, events);
        let settings = Rc::clone(&self.settings);
        while payload.len() < PAYLOAD_BYTES {
            if let Some(command) = self.ready.pop_front() {
                settings.encoding.encode(&command, payload);
                continue;
            }
            let mut draft = settings.draft.borrow_mut();
            if !self.next_send(now_us, &mut draft, events) {
                break;
            }
            settings.encoding.encode(&*draft, payload);
        }
        !payload.is_empty()
    }

    /// Makes the next send that may be written, in `draft`. `false`: there is none.
    fn next_send(
        &mut self,
        now_us: u64,
        draft: &mut wire::Command,
        events: &mut Vec<Event>,
    ) -> bool {
        if !self.is_live() {
            return false;
        }
        let depth = match self.settings.depth {
            0 => self.unanswered_limit,
            depth => depth.min(self.unanswered_limit),
        };
        let id = self.next_id;
        let Some(next) = self.outgoing.next(now_us, depth as usize, id) else { return false };
        self.next_id += 1;
        if next.first {
            events.push(Event::Sent { due_us: next.due_us });
        }
        let run = self.settings.run;
        let tag = |origin: Origin| Tag { run, number: origin.number, due_us: next.due_us };
        let own = tag(next.origin);
        draft.id = id;
        if !matches!(draft.op, Some(Op::Send(_))) {
            draft.op = Some(Op::Send(wire::Send::default()));
        }
        if let Some(Op::Send(send)) = &mut draft.op {
            send.conversation_id = self.conversation_id;
            own.put_client_msg_id(&mut send.client_msg_id);
            let text = &mut send.message.get_or_insert_default().text;
            own.put_text(self.settings.sizes.of(own), text);
            send.after.clear();
            if let Some(after) = next.after {
                tag(after).put_client_msg_id(&mut send.after);
            }
        }
        true
    }

    fn ask(&mut self, asked: Asked, op: Op) {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, (asked, op.clone()));
        self.ready.push_back(wire::Command { id, received: 0, op: Some(op) });
    }

    /// Sends a command that is not needed, unless the server has not answered enough of them already.
    fn ask_extra(&mut self, op: Op, history_due_us: Option<u64>, events: &mut Vec<Event>) {
        if !self.is_live() {
            return;
        }
        if self.extras >= MAX_EXTRAS {
            events.push(Event::Error(EXTRA_LEFT_OUT.to_owned()));
            return;
        }
        self.extras += 1;
        self.ask(Asked::Extra { history_due_us }, op);
    }

    fn repeat_deferred(&mut self, now_us: u64) {
        let mut index = 0;
        while index < self.deferred.len() {
            if self.deferred[index].0 <= now_us {
                let (_, asked, op) = self.deferred.swap_remove(index);
                self.ask(asked, op);
            } else {
                index += 1;
            }
        }
    }

    /// Sends the questions the inbox has.
    fn ask_for_entries(&mut self) {
        if self.phase != Phase::Live {
            return;
        }
        while let Some(ask) = self.inbox.next_ask() {
            let (asked, seq) = match ask {
                Ask::CatchUp(seq) => (Asked::CatchUp, seq),
                Ask::Log(seq) => (Asked::Log, seq),
            };
            let conversation_id = self.conversation_id;
            self.ask(asked, Op::Sync(wire::Sync { conversation_id, seq, limit: 0 }));
        }
    }
}

#[cfg(test)]
mod tests;
