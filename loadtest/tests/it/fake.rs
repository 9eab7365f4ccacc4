//! A small server of direct conversations, groups and rooms, with a thread per connection and faults on request.
//!
//! It keeps everything in memory under one lock and speaks both encodings. With [`Fault::None`] it is sound; every
//! other fault breaks one promise, so that a run against it has to turn red.

use std::collections::{HashMap, HashSet};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::error::{CommandError, ErrorCode};
use ringwire_protocol::wire::{self, command::Op, push, reply::Outcome, server_frame};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// The HS256 secret of the fake.
pub(crate) const SECRET: &[u8] = b"the-secret-of-the-fake-server";

/// Which promise the server breaks, and at which message (counted over all from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Acknowledged, but neither stored nor pushed.
    Forget {
        at: u64,
    },
    /// Stored, but not pushed; the server does not say so.
    SkipPush {
        at: u64,
    },
    /// Pushed twice.
    PushTwice {
        at: u64,
    },
    /// Stored and pushed twice, under two seqs.
    StoreTwice {
        at: u64,
    },
    /// Pushed after the next message of its sender.
    SwapPush {
        at: u64,
    },
    /// The text that is stored is another one.
    Alter {
        at: u64,
    },
    /// Nothing is answered for a while.
    Stall {
        at: u64,
        millis: u64,
    },
    /// Every message takes this long, all others waiting.
    Slow {
        millis: u64,
    },
    /// Never answered.
    Ignore {
        at: u64,
    },
    /// Committed, but the sender's connection is cut before the answer, at every so many messages.
    Cut {
        every: u64,
    },
    /// Refused with BUSY, at every so many messages.
    Busy {
        every: u64,
    },
}

/// A running server; it ends with the process.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
}

#[derive(Default)]
struct Conversation {
    members: Vec<u64>,
    entries: Vec<wire::Entry>,
    by_client_id: HashMap<(u64, String), u64>,
    /// A push kept back for the next one of its sender.
    kept: Option<wire::Entry>,
}

#[derive(Default)]
struct State {
    conversations: HashMap<u64, Conversation>,
    ids: HashMap<(u64, u64), u64>,
    sessions: HashMap<u64, Arc<Writer>>,
    /// Messages so far, refused ones included.
    messages: u64,
    refused: HashSet<(u64, String)>,
}

struct Writer {
    encoding: Encoding,
    socket: Mutex<WebSocket<TcpStream>>,
}

impl Writer {
    fn write(&self, frame: server_frame::Frame) {
        let mut payload = BytesMut::new();
        self.encoding.encode(&wire::ServerFrame { frame: Some(frame) }, &mut payload);
        let message = match self.encoding {
            Encoding::Protobuf => Message::Binary(payload.freeze()),
            Encoding::Json => Message::text(String::from_utf8(payload.to_vec()).unwrap()),
        };
        // The client may be gone already.
        let _ = lock(&self.socket).send(message);
    }

    fn reply(&self, id: u64, outcome: Outcome) {
        self.write(server_frame::Frame::Reply(wire::Reply { id, outcome: Some(outcome) }));
    }

    fn push(&self, entry: wire::Entry) {
        let event = Some(push::Event::Entry(entry));
        self.write(server_frame::Frame::Push(wire::Push { event }));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fake {
    pub(crate) fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&state);
                thread::spawn(move || serve(stream.unwrap(), &state, fault));
            }
        });
        Self { address }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }
}

/// The server's side of the upgrade, with the encoding that was offered.
pub(crate) fn shake_hands(stream: TcpStream) -> Option<(WebSocket<TcpStream>, Encoding)> {
    let mut encoding = Encoding::Protobuf;
    #[allow(clippy::result_large_err)]
    let choose = |request: &Request, mut response: Response| {
        let offered = request.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
        encoding = Encoding::from_subprotocol(&offered).unwrap();
        response.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        Ok(response)
    };
    let socket = tungstenite::accept_hdr(stream, choose).ok()?;
    Some((socket, encoding))
}

fn serve(stream: TcpStream, state: &Mutex<State>, fault: Fault) {
    stream.set_nodelay(true).unwrap();
    let raw = stream.try_clone().unwrap();
    let Some((mut reader, encoding)) = shake_hands(stream) else { return };
    let socket = WebSocket::from_raw_socket(raw.try_clone().unwrap(), Role::Server, None);
    let writer = Arc::new(Writer { encoding, socket: Mutex::new(socket) });
    let mut session = Session { user_id: 0, writer, raw };
    while let Ok(message) = reader.read() {
        if message.is_close() {
            return;
        }
        for command in encoding.decode::<wire::Command>(&message.into_data()) {
            session.handle(command.unwrap(), state, fault);
        }
    }
}

struct Session {
    user_id: u64,
    writer: Arc<Writer>,
    raw: TcpStream,
}

impl Session {
    fn handle(&mut self, command: wire::Command, state: &Mutex<State>, fault: Fault) {
        let mut state = lock(state);
        match command.op.unwrap() {
            Op::Connect(connect) => self.connect(command.id, &connect, &mut state),
            Op::OpenDirect(open) => self.open(command.id, open.user_id, &mut state),
            Op::CreateGroup(create) => {
                let conversation_id = state.conversations.len() as u64 + 1;
                let members = std::iter::once(self.user_id).chain(create.user_ids).collect();
                let conversation = Conversation { members, ..Default::default() };
                state.conversations.insert(conversation_id, conversation);
                self.opened(command.id, conversation_id, &mut state);
            }
            Op::Invite(invite) => {
                let conversation = state.conversations.get_mut(&invite.conversation_id).unwrap();
                conversation.members.extend(invite.user_ids);
                let joined = wire::entry_body::Kind::Joined(wire::Joined::default());
                let seq = conversation.add_notice(invite.conversation_id, joined);
                self.ack(command.id, seq);
            }
            Op::Typing(_) | Op::Read(_) => {
                self.writer.reply(command.id, Outcome::Done(wire::Done {}));
            }
            Op::History(history) => {
                let page = state.page(history.conversation_id, 0);
                let page = wire::HistoryPage { entries: page.entries, ..Default::default() };
                self.writer.reply(command.id, Outcome::HistoryPage(page));
            }
            Op::Sync(sync) => {
                let page = state.page(sync.conversation_id, sync.seq);
                self.writer.reply(command.id, Outcome::SyncPage(page));
            }
            Op::Send(send) => self.send(command.id, send, &mut state, fault),
            op => panic!("the fake knows no {op:?}"),
        }
    }

    fn connect(&mut self, id: u64, connect: &wire::Connect, state: &mut State) {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&["ringwire"]);
        validation.set_audience(&["ringwire"]);
        let key = DecodingKey::from_secret(SECRET);
        let token = jsonwebtoken::decode::<serde_json::Value>(&connect.token, &key, &validation);
        let Ok(token) = token else {
            let error = CommandError::new(ErrorCode::Unauthenticated, "bad token");
            self.writer.reply(id, Outcome::Error(error.into()));
            return;
        };
        self.user_id = token.claims["uid"].as_u64().unwrap();
        state.sessions.insert(self.user_id, Arc::clone(&self.writer));
        let mut connected = wire::Connected {
            user: Some(wire::User { user_id: self.user_id, ..Default::default() }),
            ..Default::default()
        };
        let pages: Vec<_> = connect
            .cursors
            .iter()
            .map(|cursor| state.page(cursor.conversation_id, cursor.seq))
            .collect();
        connected.sync.extend(pages.iter().map(|page| wire::SyncState {
            conversation_id: page.conversation_id,
            head_seq: page.head_seq,
            // Pages hold 100 entries here; the client asks for the others.
            pushed_seq: page.entries.last().map_or(page.head_seq, |entry| entry.seq),
            ..Default::default()
        }));
        self.writer.reply(id, Outcome::Connected(connected));
        for entry in pages.into_iter().flat_map(|page| page.entries) {
            self.writer.push(entry);
        }
    }

    fn open(&self, id: u64, partner: u64, state: &mut State) {
        let pair = (self.user_id.min(partner), self.user_id.max(partner));
        let next = state.ids.len() as u64 + 1;
        let conversation_id = *state.ids.entry(pair).or_insert(next);
        let conversation = state.conversations.entry(conversation_id).or_default();
        conversation.members = vec![pair.0, pair.1];
        self.opened(id, conversation_id, state);
    }

    fn opened(&self, id: u64, conversation_id: u64, state: &mut State) {
        let conversation = state.conversations.get_mut(&conversation_id).unwrap();
        let created = conversation.entries.is_empty();
        if created {
            let created = wire::entry_body::Kind::Created(wire::Created::default());
            conversation.add_notice(conversation_id, created);
        }
        let head = wire::Head {
            head_seq: conversation.entries.len() as u64,
            conversation: Some(wire::Conversation { conversation_id, ..Default::default() }),
            ..Default::default()
        };
        let opened = wire::ConversationOpened { head: Some(head), created };
        self.writer.reply(id, Outcome::ConversationOpened(opened));
    }

    fn send(&self, id: u64, send: wire::Send, state: &mut State, fault: Fault) {
        let conversation_id = send.conversation_id;
        let own_id = (self.user_id, send.client_msg_id.clone());
        let conversation = state.conversations.get_mut(&conversation_id).unwrap();
        if let Some(&seq) = conversation.by_client_id.get(&own_id) {
            self.ack(id, seq);
            return;
        }
        state.messages += 1;
        let at = state.messages;
        let behind_refused = state.refused.contains(&(self.user_id, send.after.clone()));
        let busy = matches!(fault, Fault::Busy { every } if at.is_multiple_of(every));
        if busy || behind_refused {
            let code = if busy { ErrorCode::Busy } else { ErrorCode::OutOfOrder };
            state.refused.insert(own_id);
            let error = CommandError::retry(code, "not now", 5);
            self.writer.reply(id, Outcome::Error(error.into()));
            return;
        }
        state.refused.remove(&own_id);
        match fault {
            Fault::Stall { at: number, millis } if at == number => {
                thread::sleep(Duration::from_millis(millis));
            }
            Fault::Slow { millis } => thread::sleep(Duration::from_millis(millis)),
            Fault::Ignore { at: number } if at == number => return,
            Fault::Forget { at: number } if at == number => {
                self.ack(id, conversation.entries.len() as u64 + 1);
                return;
            }
            _ => {}
        }
        let mut message = send.message.unwrap();
        if fault == (Fault::Alter { at }) {
            message.text.push('!');
        }
        let mut entry = wire::Entry {
            conversation_id,
            seq: conversation.entries.len() as u64 + 1,
            sender_id: self.user_id,
            client_msg_id: send.client_msg_id,
            body: Some(wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) }),
            ..Default::default()
        };
        let seq = entry.seq;
        conversation.entries.push(entry.clone());
        conversation.by_client_id.insert(own_id, seq);
        let mut pushes = vec![entry.clone()];
        if fault == (Fault::StoreTwice { at }) {
            entry.seq += 1;
            conversation.entries.push(entry.clone());
            pushes.push(entry.clone());
        }
        if fault == (Fault::PushTwice { at }) {
            pushes.push(entry.clone());
        }
        if fault == (Fault::SkipPush { at }) {
            pushes.clear();
        }
        if fault == (Fault::SwapPush { at }) {
            conversation.kept = pushes.pop();
        } else {
            let sender_id = self.user_id;
            pushes.extend(conversation.kept.take_if(|kept| kept.sender_id == sender_id));
        }
        if matches!(fault, Fault::Cut { every } if at.is_multiple_of(every)) {
            let _ = self.raw.shutdown(Shutdown::Both);
        } else {
            self.ack(id, seq);
        }
        let members = state.conversations[&conversation_id].members.iter();
        for member in members.filter(|&&member| member != self.user_id) {
            let Some(session) = state.sessions.get(member) else { continue };
            for entry in &pushes {
                session.push(entry.clone());
            }
        }
    }

    fn ack(&self, id: u64, seq: u64) {
        self.writer.reply(id, Outcome::SendAck(wire::SendAck { seq, ..Default::default() }));
    }
}

impl State {
    fn page(&self, conversation_id: u64, after: u64) -> wire::SyncPage {
        let entries = &self.conversations[&conversation_id].entries;
        let rest = entries.get(after as usize..).unwrap_or(&[]);
        wire::SyncPage {
            conversation_id,
            entries: rest.iter().take(100).cloned().collect(),
            head_seq: entries.len() as u64,
            more: rest.len() > 100,
            trimmed_floor: 0,
        }
    }
}

impl Conversation {
    /// Adds an entry that is no message; its seq.
    fn add_notice(&mut self, conversation_id: u64, kind: wire::entry_body::Kind) -> u64 {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(wire::Entry {
            conversation_id,
            seq,
            body: Some(wire::EntryBody { kind: Some(kind) }),
            ..Default::default()
        });
        seq
    }
}
