//! One virtual user: frames in, frames out, no socket and no clock.
//!
//! ```text
//!   Offline ──connected──► Connecting ──Connected──► Identified ──open──► Opening ──ConversationOpened──► Live
//!      ▲                        └───────────── it has a conversation: gives its cursor ───────────────────► │
//!      └──────────────────────────────────────── disconnected ◄─────────────────────────────────────────────┘
//! ```
//!
//! Pushes and acknowledgements go through the [`Inbox`], which knows what to ask for; sends through [`Outgoing`], which
//! knows what may be written. What the user sees is told as [`Event`]s; it judges nothing.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytes::BytesMut;
use ringwire_protocol::Seq;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push, reply::Outcome, server_frame};

use crate::inbox::{Ask, Inbox};
use crate::message::Tag;
use crate::outgoing::{Outgoing, Refusal};
use crate::verify::{Content, Origin, SenderIndex, Via};

/// How long to wait before repeating a control command that was refused for the time being without naming a delay.
const CONTROL_RETRY_US: u64 = 200_000;
/// A WebSocket message of commands is closed when it grows beyond this many bytes.
const PAYLOAD_BYTES: usize = 8 * 1024;
/// Unanswered commands that are kept free for `sync` beside the sends.
const RESERVED_UNANSWERED: u32 = 4;
/// Stands among the error names for a reply that no command waits for.
const UNEXPECTED_REPLY: &str = "UNEXPECTED_REPLY";
/// How many sends may be unanswered where the server names no limit.
const DEFAULT_UNANSWERED: u32 = 64;

/// What all users of a run have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Tells this run's messages from those of every other run.
    pub(crate) run: u32,
    /// How the schema travels.
    pub(crate) encoding: Encoding,
    /// Bytes of text in a message.
    pub(crate) text_bytes: usize,
    /// The most unacknowledged sends; 0: the server's limit.
    pub(crate) depth: u32,
    /// Whether temporary refusals and lost connections are overcome.
    pub(crate) retry: bool,
}

/// Who a user is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Its token.
    pub(crate) token: String,
    /// Its installation, stable over reconnects.
    pub(crate) device_id: String,
    /// It, in the ledger of its conversation.
    pub(crate) own: SenderIndex,
    /// Its partner, likewise.
    pub(crate) partner: SenderIndex,
}

/// What happened to a user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The server knows the user under this id.
    Identified(u64),
    /// The conversation is open; the user answers for what follows this seq.
    Opened(Seq),
    /// A later connection took over.
    Reconnected,
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
        /// Where it is in the log.
        seq: Seq,
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
        /// Its place in the log.
        seq: Seq,
        /// What it holds.
        content: Content,
        /// How it came.
        via: Via,
        /// Set when the cursor moved over a message of the partner: when that message was due.
        delivered_due_us: Option<u64>,
    },
    /// The server's log after `start`, read back.
    LogRead {
        /// Where it begins.
        start: Seq,
        /// What it holds.
        entries: Vec<(Seq, Content)>,
    },
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
    Open,
    CatchUp,
    Log,
}

/// One virtual user.
#[derive(Debug)]
pub(crate) struct User {
    settings: Rc<Settings>,
    identity: Identity,
    phase: Phase,
    own_id: u64,
    partner_id: u64,
    conversation_id: u64,
    inbox: Inbox,
    outgoing: Outgoing,
    unanswered_limit: u32,
    next_id: u64,
    ready: VecDeque<wire::Command>,
    asked: HashMap<u64, (Asked, Op)>,
    /// Control commands to repeat: when, and which.
    deferred: Vec<(u64, Asked, Op)>,
}

impl User {
    /// A user who is offline.
    pub(crate) fn new(settings: Rc<Settings>, identity: Identity) -> Self {
        let outgoing = Outgoing::new(settings.retry);
        Self {
            settings,
            identity,
            phase: Phase::Offline,
            own_id: 0,
            partner_id: 0,
            conversation_id: 0,
            inbox: Inbox::new(0),
            outgoing,
            unanswered_limit: DEFAULT_UNANSWERED,
            next_id: 1,
            ready: VecDeque::new(),
            asked: HashMap::new(),
            deferred: Vec::new(),
        }
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
        self.deferred.clear();
        self.inbox.disconnected();
    }

    /// The partner is known: opens the conversation with it, if that has not been done.
    pub(crate) fn open(&mut self, partner_id: u64) {
        self.partner_id = partner_id;
        if self.phase == Phase::Identified {
            self.phase = Phase::Opening;
            let open = wire::OpenDirect { user_id: partner_id, ..Default::default() };
            self.ask(Asked::Open, Op::OpenDirect(open));
        }
    }

    /// A send is due.
    pub(crate) fn due(&mut self, origin: Origin, due_us: u64) {
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
        let deferred = self.deferred.iter().map(|&(at_us, ..)| at_us).min();
        let held = self.outgoing.wake_us().filter(|_| self.is_live());
        match (deferred, held) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
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
        let settings = Rc::clone(&self.settings);
        while payload.len() < PAYLOAD_BYTES {
            let Some(command) = self.ready.pop_front().or_else(|| self.next_send(now_us, events))
            else {
                break;
            };
            settings.encoding.encode(&command, payload);
        }
        !payload.is_empty()
    }

    /// Takes in one frame from the server.
    pub(crate) fn handle_frame(
        &mut self,
        frame: wire::ServerFrame,
        now_us: u64,
        events: &mut Vec<Event>,
    ) {
        match frame.frame {
            Some(server_frame::Frame::Reply(reply)) => self.handle_reply(reply, now_us, events),
            Some(server_frame::Frame::Push(push)) => self.handle_push(push, events),
            None => {}
        }
    }

    fn next_send(&mut self, now_us: u64, events: &mut Vec<Event>) -> Option<wire::Command> {
        if !self.is_live() {
            return None;
        }
        let depth = match self.settings.depth {
            0 => self.unanswered_limit,
            depth => depth.min(self.unanswered_limit),
        };
        let id = self.next_id;
        let next = self.outgoing.next(now_us, depth as usize, id)?;
        self.next_id += 1;
        if next.first {
            events.push(Event::Sent { due_us: next.due_us });
        }
        let run = self.settings.run;
        let tag = |origin: Origin, due_us| Tag { run, number: origin.number, due_us };
        let send = wire::Send {
            conversation_id: self.conversation_id,
            client_msg_id: tag(next.origin, 0).client_msg_id(),
            message: Some(wire::Message {
                text: tag(next.origin, next.due_us).text(self.settings.text_bytes),
                ..Default::default()
            }),
            after: next.after.map_or_else(String::new, |after| tag(after, 0).client_msg_id()),
        };
        Some(wire::Command { id, received: 0, op: Some(Op::Send(send)) })
    }

    fn ask(&mut self, asked: Asked, op: Op) {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, (asked, op.clone()));
        self.ready.push_back(wire::Command { id, received: 0, op: Some(op) });
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

    fn handle_reply(&mut self, reply: wire::Reply, now_us: u64, events: &mut Vec<Event>) {
        match reply.outcome {
            Some(Outcome::SendAck(ack)) => self.handle_ack(reply.id, &ack, events),
            Some(Outcome::Error(error)) => self.handle_error(reply.id, error, now_us, events),
            outcome => {
                let asked = self.asked.remove(&reply.id).map(|(asked, _)| asked);
                match (asked, outcome) {
                    (Some(Asked::Connect), Some(Outcome::Connected(connected))) => {
                        self.handle_connected(&connected, events);
                    }
                    (Some(Asked::Open), Some(Outcome::ConversationOpened(opened))) => {
                        self.handle_opened(opened, events);
                    }
                    (Some(Asked::CatchUp), Some(Outcome::SyncPage(page))) => {
                        self.handle_sync_page(&page, events);
                    }
                    (Some(Asked::Log), Some(Outcome::SyncPage(page))) => {
                        self.handle_log_page(&page, events);
                    }
                    _ => events.push(Event::Error(UNEXPECTED_REPLY.to_owned())),
                }
            }
        }
    }

    fn handle_connected(&mut self, connected: &wire::Connected, events: &mut Vec<Event>) {
        self.own_id = connected.user.as_ref().map_or(0, |user| user.user_id);
        if self.own_id == 0 {
            events.push(Event::Failed("connect answered no user".to_owned()));
            return;
        }
        if let Some(limits) = &connected.limits
            && limits.max_unanswered > 0
        {
            self.unanswered_limit =
                limits.max_unanswered.saturating_sub(RESERVED_UNANSWERED).max(1);
        }
        if self.conversation_id == 0 {
            self.phase = Phase::Identified;
            events.push(Event::Identified(self.own_id));
            return;
        }
        self.phase = Phase::Live;
        events.push(Event::Reconnected);
        let own = connected.sync.iter().find(|sync| sync.conversation_id == self.conversation_id);
        if let Some(sync) = own {
            if sync.not_member {
                events.push(Event::Failed("no longer a member of its conversation".to_owned()));
                return;
            }
            if sync.pushed_seq < sync.head_seq {
                self.inbox.lag(sync.head_seq);
            }
        }
    }

    fn handle_opened(&mut self, opened: wire::ConversationOpened, events: &mut Vec<Event>) {
        let head = opened.head.unwrap_or_default();
        let id = head.conversation.map_or(0, |conversation| conversation.conversation_id);
        if id == 0 {
            events.push(Event::Failed("open_direct answered no conversation".to_owned()));
            return;
        }
        self.conversation_id = id;
        self.inbox = Inbox::new(head.head_seq);
        self.phase = Phase::Live;
        events.push(Event::Opened(head.head_seq));
    }

    fn handle_ack(&mut self, id: u64, ack: &wire::SendAck, events: &mut Vec<Event>) {
        let Some(send) = self.outgoing.acked(id) else {
            events.push(Event::Error(UNEXPECTED_REPLY.to_owned()));
            return;
        };
        events.push(Event::Acked { origin: send.origin, due_us: send.due_us, seq: ack.seq });
        self.inbox.arrive(ack.seq);
        events.push(Event::Received {
            seq: ack.seq,
            content: Content::Message(send.origin),
            via: Via::Ack,
            delivered_due_us: None,
        });
    }

    fn handle_error(&mut self, id: u64, error: wire::Error, now_us: u64, events: &mut Vec<Event>) {
        let (code, temporary, retry_after_ms) = (error.code, error.temporary, error.retry_after_ms);
        events.push(Event::Error(error.name));
        match self.outgoing.refused(id, temporary, retry_after_ms, now_us) {
            Refusal::Retried => return,
            Refusal::Final(send) => {
                events.push(Event::Refused { origin: send.origin, code });
                return;
            }
            Refusal::Unknown => {}
        }
        let Some((asked, op)) = self.asked.remove(&id) else { return };
        if temporary {
            let delay_us = match retry_after_ms {
                0 => CONTROL_RETRY_US,
                ms => u64::from(ms) * 1000,
            };
            self.deferred.push((now_us + delay_us, asked, op));
        } else {
            let what = match asked {
                Asked::Connect => "connect",
                Asked::Open => "open_direct",
                Asked::CatchUp | Asked::Log => "sync",
            };
            events.push(Event::Failed(format!("{what} was refused: {}", error.message)));
        }
    }

    fn handle_push(&mut self, push: wire::Push, events: &mut Vec<Event>) {
        match push.event {
            Some(push::Event::Entry(entry)) => self.handle_entry(&entry, events),
            Some(push::Event::Lag(lag)) if lag.conversation_id == self.conversation_id => {
                self.inbox.lag(lag.head_seq);
            }
            _ => {}
        }
    }

    fn handle_entry(&mut self, entry: &wire::Entry, events: &mut Vec<Event>) {
        if self.conversation_id == 0 {
            // The first entries of a conversation that is being opened: part of what it starts from.
            return;
        }
        if entry.conversation_id != self.conversation_id {
            events.push(Event::Stray);
            return;
        }
        let (content, due_us) = self.read(entry);
        let fresh = self.inbox.arrive(entry.seq);
        let delivered_due_us = due_us.filter(|_| fresh);
        events.push(Event::Received { seq: entry.seq, content, via: Via::Push, delivered_due_us });
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

    fn handle_sync_page(&mut self, page: &wire::SyncPage, events: &mut Vec<Event>) {
        let via = self.inbox.page_via();
        let cursor = self.inbox.cursor();
        let mut last = None;
        for entry in page.entries.iter().filter(|entry| entry.seq > cursor) {
            let (content, delivered_due_us) = self.read(entry);
            last = last.max(Some(entry.seq));
            events.push(Event::Received { seq: entry.seq, content, via, delivered_due_us });
        }
        self.inbox.page(last, page.head_seq, page.more);
    }

    fn handle_log_page(&mut self, page: &wire::SyncPage, events: &mut Vec<Event>) {
        let entries = page.entries.iter().map(|entry| (entry.seq, self.read(entry).0)).collect();
        let log = self.inbox.log_page(entries, page.more, page.trimmed_floor);
        if let Some((start, entries)) = log {
            events.push(Event::LogRead { start, entries });
        }
    }

    /// What an entry holds, and when it was due if it is a message of the partner.
    fn read(&self, entry: &wire::Entry) -> (Content, Option<u64>) {
        let Some(wire::entry_body::Kind::Message(message)) =
            entry.body.as_ref().and_then(|body| body.kind.as_ref())
        else {
            return (Content::Notice, None);
        };
        let sender = match entry.sender_id {
            id if id == self.own_id => self.identity.own,
            id if id == self.partner_id => self.identity.partner,
            _ => return (Content::Foreign, None),
        };
        match Tag::parse(&message.text) {
            Some(tag)
                if tag.run == self.settings.run
                    && message.text.len() == self.settings.text_bytes
                    && entry.client_msg_id == tag.client_msg_id() =>
            {
                let content = Content::Message(Origin { sender, number: tag.number });
                (content, (sender == self.identity.partner).then_some(tag.due_us))
            }
            _ => (Content::Foreign, None),
        }
    }
}

#[cfg(test)]
mod tests;
