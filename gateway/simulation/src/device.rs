//! A client on one device: the real protocol machine, and the rules of the documentation on top of it.
//!
//! ```text
//!   offline ──► connecting ──connected──► live ──► reset, silence, close: offline, and again after a while
//! ```
//!
//! It checks what only a client can see: each command answered at most once, nothing shown that is not committed or not
//! for it, no gap without a word.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use ringwire_gateway::limits;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::Limits;
use ringwire_protocol::{ConversationId, Seq, UserId, wire};
use wire::command::Op;

use crate::database::Database;
use crate::journal::Journal;
use crate::outgoing::Outgoing;
use crate::plan::Plan;
use crate::random::Random;
use crate::sabotage::Sabotage;
use crate::socket::SocketId;
use crate::view::View;

/// A device gives up a connection on which a command waits and nothing was heard for so long.
const PATIENCE_MS: u64 = 12_000;
/// It sends a ping when it has sent nothing for so long.
const PING_EVERY_MS: u64 = 5_000;
/// A refused or failed `sync` is tried again after this.
const SYNC_RETRY_MS: u64 = 300;

/// What a device meets.
pub(crate) struct Surroundings<'a> {
    pub(crate) now_ms: u64,
    pub(crate) database: &'a Database,
    pub(crate) journal: &'a mut Journal,
    pub(crate) random: &'a mut Random,
    pub(crate) plan: &'a Plan,
    pub(crate) sabotage: Sabotage,
    /// Nothing goes wrong any more.
    pub(crate) healed: bool,
}

/// A command without an answer.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    pub(crate) at_ms: u64,
}

/// What it was.
#[derive(Debug)]
pub(crate) enum Asked {
    Connect,
    Ping,
    Query,
    CreateGroup,
    Send { conversation: ConversationId, id: String, text: String },
    Membership { conversation: ConversationId, id: String, leaves: bool },
    Read { conversation: ConversationId, seq: Seq },
    Delivered { conversation: ConversationId, seq: Seq },
    Typing,
    Sync { conversation: ConversationId },
}

/// A device.
pub(crate) struct Device {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
    pub(crate) socket: Option<SocketId>,
    machine: Connection,
    /// The session it can go on with, and the durable pushes counted in it.
    pub(crate) session: Option<String>,
    pub(crate) received: u64,
    /// The next push is the first after a resume.
    pub(crate) just_resumed: bool,
    /// `connect` was answered on this connection.
    pub(crate) live: bool,
    pub(crate) views: BTreeMap<ConversationId, View>,
    pub(crate) outgoing: BTreeMap<ConversationId, Outgoing>,
    pub(crate) pending: BTreeMap<u64, Pending>,
    /// Commands whose answer was lost with a connection, to be repeated under their ids.
    again: Vec<Asked>,
    next_command: u64,
    next_id: u64,
    last_sent_ms: u64,
    last_heard_ms: u64,
    /// It reads nothing before this.
    pub(crate) stalled_until_ms: u64,
    /// The positions acknowledged, by conversation and `client_msg_id`.
    pub(crate) acks: BTreeMap<(ConversationId, String), Seq>,
}

impl Device {
    pub(crate) fn new(user: UserId, number: usize, encoding: Encoding) -> Self {
        Self {
            user,
            name: format!("device-{number}"),
            encoding,
            socket: None,
            machine: Self::machine(0),
            session: None,
            received: 0,
            just_resumed: false,
            live: false,
            views: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            pending: BTreeMap::new(),
            again: Vec::new(),
            next_command: 1,
            next_id: 1,
            last_sent_ms: 0,
            last_heard_ms: 0,
            stalled_until_ms: 0,
            acks: BTreeMap::new(),
        }
    }

    fn machine(seed: u64) -> Connection {
        Connection::new_client(seed, Limits { max_message_bytes: 16 << 20 })
    }

    /// A connection stands: the device says who it is and what it has.
    pub(crate) fn opened(&mut self, socket: SocketId, with: &mut Surroundings<'_>) {
        self.socket = Some(socket);
        self.last_heard_ms = with.now_ms;
        self.machine = Self::machine(with.random.next());
        let known = self.views.iter().filter(|(_, view)| view.member && view.cursor > 0);
        let cursors = known
            .map(|(id, view)| wire::SyncCursor { conversation_id: id.get(), seq: view.cursor });
        let connect = wire::Connect {
            device_id: self.name.clone(),
            cursors: cursors.collect(),
            resume: self
                .session
                .clone()
                .map(|session_id| wire::Resume { session_id, received: self.received }),
            ..Default::default()
        };
        self.ask(Op::Connect(connect), Asked::Connect, with);
    }

    /// The connection has gone.
    pub(crate) fn closed(&mut self, journal: &mut Journal) {
        journal.note(format_args!("{} is offline", self.name));
        self.socket = None;
        self.live = false;
        let lost = std::mem::take(&mut self.pending).into_values().map(|pending| pending.asked);
        self.again.extend(lost.filter(|asked| matches!(asked, Asked::Membership { .. })));
        self.machine.output().clear();
        self.views.values_mut().for_each(View::disconnect);
        self.outgoing.values_mut().for_each(Outgoing::disconnect);
    }

    /// Sends a command.
    pub(crate) fn ask(&mut self, op: Op, asked: Asked, with: &mut Surroundings<'_>) {
        let id = self.next_command;
        self.next_command += 1;
        with.journal.note(format_args!("{} asks {id}: {asked:?}", self.name));
        self.pending.insert(id, Pending { asked, at_ms: with.now_ms });
        let received = if self.live { self.received } else { 0 };
        let command = wire::Command { id, received, op: Some(op) };
        let payload = self.encoding.encode_one(&command);
        self.machine.send(self.encoding.message_kind(), &payload);
        self.last_sent_ms = with.now_ms;
    }

    /// Joins a room or leaves it.
    pub(crate) fn join_or_leave(
        &mut self,
        conversation: ConversationId,
        id: String,
        leaves: bool,
        with: &mut Surroundings<'_>,
    ) {
        let (conversation_id, client_msg_id) = (conversation.get(), id.clone());
        let op = if leaves {
            Op::Leave(wire::Leave { conversation_id, client_msg_id })
        } else {
            Op::Join(wire::Join { conversation_id, client_msg_id, ..Default::default() })
        };
        self.ask(op, Asked::Membership { conversation, id, leaves }, with);
    }

    /// Repeats what was not answered when the connection ended.
    pub(crate) fn repeat(&mut self, with: &mut Surroundings<'_>) {
        for asked in std::mem::take(&mut self.again) {
            if let Asked::Membership { conversation, id, leaves } = asked {
                self.join_or_leave(conversation, id, leaves, with);
            }
        }
    }

    /// An id for something that becomes an entry; those of one kind rise.
    pub(crate) fn fresh_id(&mut self, kind: &str) -> String {
        self.next_id += 1;
        format!("{}.{kind}.{}", self.name, self.next_id)
    }

    /// What it wants to send.
    pub(crate) fn output(&mut self) -> &mut BytesMut {
        self.machine.output()
    }

    /// Begins to close the connection in the orderly way.
    pub(crate) fn close(&mut self) {
        self.machine.close(1000, "");
    }

    /// Bytes came; `false`: the connection is to be given up.
    pub(crate) fn received(&mut self, bytes: &Bytes, with: &mut Surroundings<'_>) -> bool {
        self.last_heard_ms = with.now_ms;
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        let mut frames = Vec::new();
        let mut open = true;
        loop {
            match self.machine.poll(&mut input) {
                Ok(Some(Event::Message { kind, payload })) => {
                    if kind != self.encoding.message_kind() {
                        with.journal.find(format!("{} got a {kind:?} message", self.name));
                    }
                    frames.extend(self.encoding.decode::<wire::ServerFrame>(payload));
                }
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => {}
                Ok(Some(Event::Close { code, .. })) => {
                    let name = &self.name;
                    with.journal.note(format_args!("{name} is told to go: {code:?}"));
                    self.check_close(code, with);
                    open = false;
                    break;
                }
                Ok(None) => break,
                Err(error) => {
                    with.journal.find(format!("{} cannot read the server: {error}", self.name));
                    open = false;
                    break;
                }
            }
        }
        for frame in frames {
            match frame {
                Ok(wire::ServerFrame { frame: Some(frame) }) => self.frame(frame, with),
                other => with.journal.find(format!("{} got {other:?}", self.name)),
            }
        }
        open
    }

    /// A client that keeps to the protocol is never told otherwise.
    fn check_close(&self, code: Option<u16>, with: &mut Surroundings<'_>) {
        use ringwire_protocol::CloseReason as Reason;
        let unfounded =
            [Reason::BadFrame, Reason::BadToken, Reason::Internal, Reason::ConnectTimeout];
        if unfounded.iter().any(|reason| code == Some(reason.code())) {
            with.journal.find(format!("{} is turned away: {code:?}", self.name));
        }
    }

    fn frame(&mut self, frame: wire::server_frame::Frame, with: &mut Surroundings<'_>) {
        match frame {
            wire::server_frame::Frame::Reply(reply) => self.reply(reply, with),
            wire::server_frame::Frame::Push(push) => self.push(push, with),
        }
    }

    /// What is due now and then; `false`: the connection is to be given up.
    pub(crate) fn tick(&mut self, with: &mut Surroundings<'_>) -> bool {
        if self.socket.is_none() || self.stalled_until_ms > with.now_ms {
            return true;
        }
        let heard_ms = self.last_heard_ms;
        let waited = |pending: &Pending| with.now_ms - pending.at_ms.max(heard_ms) > PATIENCE_MS;
        if self.pending.values().any(waited) {
            with.journal.note(format_args!("{} has waited for too long", self.name));
            return false;
        }
        if self.live {
            if with.now_ms - self.last_sent_ms >= PING_EVERY_MS {
                self.ask(Op::Ping(wire::Ping {}), Asked::Ping, with);
            }
            self.catch_up(with);
            self.speak(with);
        }
        true
    }

    /// Asks for whatever is missing.
    pub(crate) fn catch_up(&mut self, with: &mut Surroundings<'_>) {
        let mut missing = Vec::new();
        for (id, view) in &mut self.views {
            let due = view.syncing.is_none() && view.sync_from_ms <= with.now_ms;
            if due && !view.is_complete() {
                view.syncing = Some(view.heard);
                missing.push((*id, view.cursor));
            }
        }
        for (conversation, seq) in missing {
            let limit = with.random.between(1, limits::MAX_PAGE.into()) as u32;
            let sync = wire::Sync { conversation_id: conversation.get(), seq, limit };
            self.ask(Op::Sync(sync), Asked::Sync { conversation }, with);
        }
    }

    /// A `sync` has to be tried again.
    pub(crate) fn sync_later(view: &mut View, now_ms: u64) {
        view.syncing = None;
        view.sync_from_ms = now_ms + SYNC_RETRY_MS;
    }

    /// Sends what there is to say.
    pub(crate) fn speak(&mut self, with: &mut Surroundings<'_>) {
        let conversations: Vec<_> = self.outgoing.keys().copied().collect();
        for conversation in conversations {
            while self.pending.len() < limits::MAX_UNANSWERED as usize
                && let Some(outgoing) = self.outgoing.get_mut(&conversation)
                && let Some((saying, after)) = outgoing.next(with.now_ms)
            {
                let message = wire::Message { text: saying.text.clone(), ..Default::default() };
                let send = wire::Send {
                    conversation_id: conversation.get(),
                    client_msg_id: saying.id.clone(),
                    message: Some(message),
                    after,
                };
                let asked = Asked::Send { conversation, id: saying.id, text: saying.text };
                self.ask(Op::Send(send), asked, with);
            }
        }
    }

    /// Nothing is left to do, ask or say.
    pub(crate) fn is_idle(&self) -> bool {
        let waits = |pending: &Pending| !matches!(pending.asked, Asked::Ping);
        self.live
            && !self.pending.values().any(waits)
            && self.outgoing.values().all(Outgoing::is_empty)
            && self.views.values().all(View::is_complete)
    }
}
