//! The whole way of a message through real shards: from the bytes a client sent to the bytes its recipients read.
//!
//! ```text
//!   client ─► bytes ─► shard of the sender ─► mailbox ─► owner shard ─► append ─► (written) ─► mailbox
//!     ▲                                                                                         │
//!     └── ack ◄── outbox ◄── shard of the sender ◄── mailbox ◄── ack, delivery ◄── owner shard ◄┘
//!                 outboxes of all others ◄── shards of the others ◄──┘
//! ```
//!
//! Two shards with their mailboxes, on one thread and in time that stands still; the sender is not at home on the
//! conversation's owner. A writer that commits at once and a service that knows one conversation are played.
//! Recipients tell between runs what they have got, as clients do.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::BytesMut;
use ringwire_gateway::auth::TokenVerifier;
use ringwire_gateway::command::key::CommandKey;
use ringwire_gateway::config::{self, CommandRate};
use ringwire_gateway::connection::addresses::Addresses;
use ringwire_gateway::connection::driver::{self, Application as _};
use ringwire_gateway::connection::endpoint::{Endpoint, Memory};
use ringwire_gateway::connection::flush::Pass;
use ringwire_gateway::connection::forwarded::TrustedProxies;
use ringwire_gateway::connection::links::LinkKey;
use ringwire_gateway::limits;
use ringwire_gateway::observe::board::Board;
use ringwire_gateway::persist::AppendSink;
use ringwire_gateway::placement::{ShardId, home_shard, owner_shard};
use ringwire_gateway::secret::SecretKey;
use ringwire_gateway::service::ask::{Ask, Call, Served};
use ringwire_gateway::service::rows;
use ringwire_gateway::session::registry::NewSession;
use ringwire_gateway::shard::Shard;
use ringwire_gateway::shard::clock::{Time, TimeSource};
use ringwire_gateway::shard::handoff::HttpSocket;
use ringwire_gateway::shard::mail::Mail;
use ringwire_gateway::shard::mailbox::{Bounds, MailboxReceiver, mailbox};
use ringwire_gateway::shard::shared::Shared;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, Role};
use ringwire_protocol::{UserId, wire};
use ringwire_storage::append::Append;
use ringwire_storage::model::{ConversationKind, SessionSnapshot, UserRow};
use tokio::sync::mpsc;
use wire::command::Op;
use wire::reply::Outcome;
use wire::server_frame::Frame;

use super::machines::{committed, conversation, snapshot, user};
use super::{BATCH, Path, Work};

const SHARDS: usize = 2;
const NOW_MS: i64 = 1_700_000_000_000;
/// Members of the room in which a message goes to many.
const ROOM: usize = 65;
const COMMAND_KEY: CommandKey = CommandKey::new([3; 16]);

pub(super) fn paths() -> Vec<Path> {
    use ConversationKind::{Direct, Group};
    use Encoding::{Json, Protobuf};
    let room = |kind, members, encoding| Room::new(kind, members, encoding);
    vec![
        Path::new("direct message, Protobuf", BATCH, room(Direct, 2, Protobuf)),
        Path::new("direct message, JSON", BATCH, room(Direct, 2, Json)),
        Path::new("message to 64 others, Protobuf", BATCH, room(Group, ROOM, Protobuf)),
        Path::new("message to 64 others, JSON", BATCH, room(Group, ROOM, Json)),
    ]
}

/// A shard, and what arrives in its mailbox.
struct Place {
    shard: Rc<Shard>,
    mailbox: MailboxReceiver<Mail>,
}

/// A connected client, with both ends of its connection.
struct Client {
    place: usize,
    link: LinkKey,
    memory: Rc<Memory>,
    server: Connection,
    machine: Connection,
    encoding: Encoding,
    /// Durable pushes so far: what a client tells the server.
    received: u64,
    next_command: u64,
    /// What came since the last look.
    entries: usize,
    acks: usize,
}

/// A conversation whose members are all there; the first one sends.
struct Room {
    places: Vec<Place>,
    clients: Vec<Client>,
    users: Vec<UserId>,
    kind: ConversationKind,
    shared: Arc<Shared>,
    calls: mpsc::Receiver<Call>,
    appends: Arc<Mutex<Vec<Append>>>,
    /// What the sender's socket holds.
    input: BytesMut,
    next_message: u64,
    pass: Pass,
    ran: bool,
    _http: mpsc::Receiver<HttpSocket>,
}

impl Work for Room {
    fn prepare(&mut self) {
        self.look();
        let expected = if self.ran { BATCH } else { 0 };
        let (sender, others) = self.clients.split_first_mut().expect("there is a sender");
        assert_eq!((sender.acks, sender.entries), (expected, 0), "the sender is told by acks");
        assert!(others.iter().all(|other| other.entries == expected), "the others get it all");
        self.confirm();
        for client in &mut self.clients {
            (client.acks, client.entries) = (0, 0);
        }
        self.say();
        self.ran = true;
    }

    fn run(&mut self) {
        let sender = &mut self.clients[0];
        let shard = &self.places[sender.place].shard;
        shard.on_turn();
        driver::feed(shard, sender.link, &mut sender.server, &mut self.input);
        self.settle();
    }
}

impl Room {
    fn new(kind: ConversationKind, members: usize, encoding: Encoding) -> Self {
        let bounds = Bounds { shared: 1_024, reserved: 4_096, producers: 2 };
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..SHARDS).map(|_| mailbox(bounds).expect("descriptors are left")).unzip();
        let (service, calls) = mpsc::channel(1_024);
        let (http, http_end) = mpsc::channel(1);
        let time = Time { at: Instant::now(), unix_ms: NOW_MS };
        let shared = Arc::new(shared(senders, service, http, time));
        let appends = Arc::new(Mutex::new(Vec::new()));
        let places = receivers.into_iter().enumerate().map(|(id, mailbox)| {
            let time = TimeSource::Told(Rc::new(Cell::new(time)));
            let sink = writer(&appends);
            let shard = Rc::new(Shard::new(Arc::clone(&shared), id as ShardId, time, sink));
            Place { shard, mailbox }
        });
        let owner = owner_shard(conversation(), SHARDS);
        let away = (1..64).map(user).find(|user| home_shard(*user, SHARDS) != owner);
        let sender = away.expect("some user is not at home on the owner");
        let others = (1..).map(user).filter(|user| *user != sender);
        let users: Vec<UserId> = std::iter::once(sender).chain(others).take(members).collect();
        let mut room = Self {
            places: places.collect(),
            clients: Vec::new(),
            users,
            kind,
            shared,
            calls,
            appends,
            input: BytesMut::new(),
            next_message: 0,
            pass: Pass::default(),
            ran: false,
            _http: http_end,
        };
        for index in 0..room.users.len() {
            room.connect(room.users[index], encoding);
        }
        room.warm_up();
        room
    }

    /// A session for this user.
    fn connect(&mut self, user: UserId, encoding: Encoding) {
        let place = usize::from(home_shard(user, SHARDS));
        let memory = Rc::new(Memory::new(1 << 20));
        let endpoint = Endpoint::Memory(Rc::clone(&memory));
        let link = self.places[place].shard.open_session(endpoint, |link| NewSession {
            user,
            external: None,
            name_hint: None,
            link,
            encoding,
            login: None,
            expires_at: i64::MAX,
            address_rate: None,
        });
        let limits = Limits { max_message_bytes: limits::MAX_FRAME_BYTES };
        let mut client = Client {
            place,
            link,
            memory,
            server: Connection::new(Role::Server, limits),
            machine: Connection::new_client(user.get(), limits),
            encoding,
            received: 0,
            next_command: 1,
            entries: 0,
            acks: 0,
        };
        client.ask(Op::Connect(wire::Connect::default()));
        client.arrive(&self.places);
        self.clients.push(client);
        self.settle();
    }

    /// Has the conversation loaded, then everything repeated until what a shard keeps for later is there: the newest
    /// 100 entries, above all.
    fn warm_up(&mut self) {
        self.look();
        for client in &mut self.clients {
            assert!(client.acks == 1, "everyone is connected");
            client.acks = 0;
        }
        for _ in 0..12 {
            self.prepare();
            self.run();
        }
    }

    /// The sender writes a batch of messages.
    fn say(&mut self) {
        for _ in 0..BATCH {
            self.next_message += 1;
            let message = wire::Message { text: "x".repeat(64), ..Default::default() };
            self.clients[0].ask(Op::Send(wire::Send {
                conversation_id: conversation().get(),
                client_msg_id: format!("{:016}", self.next_message),
                message: Some(message),
                after: String::new(),
            }));
        }
        self.input = self.clients[0].machine.output().split();
    }

    /// Clients read what has come.
    fn look(&mut self) {
        let mut bytes = BytesMut::new();
        for client in &mut self.clients {
            bytes.clear();
            client.memory.take_all(&mut bytes);
            client.read(&mut bytes);
        }
    }

    /// The others tell how much they have got.
    fn confirm(&mut self) {
        for client in &mut self.clients[1..] {
            client.ask(Op::Ping(wire::Ping {}));
            client.arrive(&self.places);
        }
        self.settle();
        self.look();
    }

    /// Everything that is under way arrives.
    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for place in &mut self.places {
                if !place.mailbox.is_empty() {
                    busy = true;
                    place.mailbox.acknowledge_wake();
                    while place.shard.mail_turn(&mut place.mailbox, limits::MAILBOX_PER_TURN).more {
                    }
                }
            }
            busy |= self.write();
            while let Ok(call) = self.calls.try_recv() {
                busy = true;
                self.serve(call);
            }
        }
        for place in &self.places {
            loop {
                place.shard.links().borrow_mut().flush_pass(&mut self.pass);
                if !self.pass.more {
                    break;
                }
            }
            place.shard.on_flushed();
        }
    }

    /// The writer commits one batch.
    fn write(&self) -> bool {
        let mut appends = self.appends.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = appends.first() else { return false };
        let origin = usize::from(first.origin);
        let completions = appends.iter().map(committed).collect();
        appends.clear();
        self.shared.mailboxes[origin].send_reserved(Mail::Completed(completions));
        true
    }

    /// The service knows one conversation.
    fn serve(&self, call: Call) {
        let served = match call.ask {
            Ask::OpenSession { session, request, .. } => {
                let (heads, syncs) = (Vec::new(), Vec::new());
                let list = SessionSnapshot { heads, more_heads: false, total_unread: 0, syncs };
                let profile = profile(request.user);
                let opened = rows::opened(&profile, &[], &list, &COMMAND_KEY, NOW_MS);
                Served::SessionOpened { session, opened: Ok(Box::new(opened)) }
            }
            Ask::LoadConversation(id) => {
                let snapshot = snapshot(self.kind, &self.users);
                Served::Conversation { id, snapshot: Ok(Some(Box::new(snapshot))) }
            }
            Ask::LoadBlocks { conversation_id: id, asked, .. } => {
                Served::Blocks { id, asked, blocked: Ok(false) }
            }
            other => panic!("nobody asks for this: {other:?}"),
        };
        self.shared.mailboxes[usize::from(call.shard)].send_reserved(Mail::Served(served));
    }
}

impl Client {
    fn ask(&mut self, op: Op) {
        let command =
            wire::Command { id: self.next_command, received: self.received, op: Some(op) };
        self.next_command += 1;
        self.machine.send(self.encoding.message_kind(), &self.encoding.encode_one(&command));
    }

    /// What it asked arrives at its shard.
    fn arrive(&mut self, places: &[Place]) {
        let shard = &places[self.place].shard;
        let mut bytes = self.machine.output().split();
        shard.on_turn();
        driver::feed(shard, self.link, &mut self.server, &mut bytes);
    }

    fn read(&mut self, bytes: &mut [u8]) {
        let mut input = Input::new(bytes);
        while let Some(event) = self.machine.poll(&mut input).expect("what a server sends") {
            let Event::Message { payload, .. } = event else { continue };
            for frame in self.encoding.decode::<wire::ServerFrame>(payload) {
                match frame.expect("what a server sends").frame {
                    Some(Frame::Reply(reply)) => match reply.outcome {
                        Some(Outcome::SendAck(_) | Outcome::Connected(_)) => self.acks += 1,
                        Some(Outcome::Pong(_) | Outcome::Done(_)) => {}
                        other => panic!("a command was answered {other:?}"),
                    },
                    Some(Frame::Push(push)) => match push.event {
                        Some(wire::push::Event::Entry(_)) => {
                            self.entries += 1;
                            self.received += 1;
                        }
                        Some(wire::push::Event::Cursor(_) | wire::push::Event::ViewChanged(_)) => {
                            self.received += 1;
                        }
                        _ => {}
                    },
                    None => {}
                }
            }
        }
    }
}

/// Takes entries as a writer's queue does.
fn writer(appends: &Arc<Mutex<Vec<Append>>>) -> AppendSink {
    let appends = Arc::clone(appends);
    Arc::new(move |append| {
        appends.lock().unwrap_or_else(PoisonError::into_inner).push(append);
        Ok(())
    })
}

fn shared(
    mailboxes: Vec<ringwire_gateway::shard::mailbox::MailboxSender<Mail>>,
    service: mpsc::Sender<Call>,
    http: mpsc::Sender<HttpSocket>,
    time: Time,
) -> Shared {
    let mut config = config::load(None, [], &[]).expect("the defaults").config;
    config.server.shards = SHARDS;
    let no_limit = CommandRate { per_s: 0, burst: 1 };
    config.limits.session_rate = no_limit;
    config.limits.user_rate = no_limit;
    let own = SecretKey::new(vec![7; 32]);
    Shared {
        verifier: Arc::new(TokenVerifier::new(&own, &config.auth).expect("a key")),
        command_key: COMMAND_KEY,
        boot: 1,
        mailboxes,
        service,
        http,
        connections: Arc::new(AtomicUsize::new(0)),
        addresses: Addresses::new(config.limits.address, TrustedProxies::default()),
        max_connections: 1_000,
        board: Arc::new(Board::new(SHARDS, Vec::new(), time.at)),
        tracing: None,
        drained_shards: AtomicUsize::new(0),
        config: Arc::new(config),
    }
}

fn profile(user_id: UserId) -> UserRow {
    UserRow {
        user_id,
        username: format!("user-{user_id}"),
        display_name: String::new(),
        avatar_url: String::new(),
        color: String::new(),
        created_at: 0,
    }
}
