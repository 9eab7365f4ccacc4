//! The pure machines between a command and the sockets, each by itself.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;
use ringwire_gateway::auth::{TokenMinter, TokenVerifier};
use ringwire_gateway::command::key::CommandKey;
use ringwire_gateway::config::{self, CommandRate};
use ringwire_gateway::connection::endpoint::{Endpoint, Memory};
use ringwire_gateway::connection::flush::Pass;
use ringwire_gateway::connection::links::{Heartbeat, LinkKey, Links};
use ringwire_gateway::conversation::answer::ReplyTo;
use ringwire_gateway::conversation::entry::EntryFrame;
use ringwire_gateway::conversation::{
    Conversation, Effect, Intent, Mentions, Moment, Submission, Terms,
};
use ringwire_gateway::fanout::{Frames, Pushed};
use ringwire_gateway::secret::SecretKey;
use ringwire_gateway::session::registry::{Birthplace, NewSession, Rates, Registry, SessionKey};
use ringwire_gateway::shard::mailbox::{Bounds, MailboxReceiver, MailboxSender, mailbox};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{ConversationId, UserId, wire};
use ringwire_storage::append::{Append, Completion, Outcome};
use ringwire_storage::model::{
    ConversationKind, ConversationSnapshot, ConversationState, EntryRow, LogHead, MemberRow, Role,
};

use super::{BATCH, Path, Work};

/// Connections that one entry goes to.
const RECIPIENTS: usize = 256;
const NOW_MS: i64 = 1_700_000_000_000;

pub(super) fn paths() -> Vec<Path> {
    vec![
        Path::new("verify a token, HS256", BATCH, Verify::new()),
        Path::new("mailbox, one wake a batch", BATCH, Mailbox::new()),
        Path::new("conversation, send to commit", BATCH, Sends::new()),
        Path::new("entry frame, Protobuf", BATCH, EntryFrames::new(Encoding::Protobuf)),
        Path::new("entry frame, JSON", BATCH, EntryFrames::new(Encoding::Json)),
        Path::new("fan-out of a frame, and flush", RECIPIENTS, FanOut::new()),
    ]
}

pub(super) fn user(id: u64) -> UserId {
    UserId::new(id).expect("an id")
}

pub(super) fn conversation() -> ConversationId {
    ConversationId::new(77).expect("an id")
}

/// A conversation of these users, without a message.
pub(super) fn snapshot(kind: ConversationKind, users: &[UserId]) -> ConversationSnapshot {
    let members = users.iter().map(|user_id| MemberRow {
        user_id: *user_id,
        role: Role::Member,
        joined_at: 0,
        muted_until: 0,
    });
    ConversationSnapshot {
        conversation_id: conversation(),
        kind,
        settings: Bytes::new(),
        head: LogHead { seq: 1, msg_no: 0, created_at: NOW_MS },
        floor_seq: 1,
        members: members.collect(),
        recent: Vec::new(),
        state: ConversationState::default(),
    }
}

/// What a writer answers when everything went well.
pub(super) fn committed(append: &Append) -> Completion {
    Completion {
        conversation_id: append.conversation_id,
        seq: append.seq,
        token: append.token,
        generation: append.generation,
        outcome: Outcome::Committed,
    }
}

/// The body of a message of 64 bytes, as it is stored.
fn body() -> Bytes {
    let message = wire::Message { text: "x".repeat(64), ..Default::default() };
    let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) };
    body.encode_to_vec().into()
}

/// Any name of a session: nobody looks for it.
fn session_key() -> SessionKey {
    let no_limit = CommandRate { per_s: 0, burst: 1 };
    let rates = Rates { session: no_limit, user: no_limit };
    let mut registry = Registry::new(rates, Birthplace { boot: 1, shard: 0 });
    let (link, _) = links(1).1.pop().expect("one link");
    let session = NewSession {
        user: user(1),
        external: None,
        name_hint: None,
        link,
        encoding: Encoding::Protobuf,
        login: None,
        expires_at: i64::MAX,
        address_rate: None,
    };
    registry.insert(session, 0, 0)
}

/// So many connections that end in memory.
fn links(count: usize) -> (Links, Vec<(LinkKey, Rc<Memory>)>) {
    let mut links = Links::new(Heartbeat { ping_after_s: 60, close_after_s: 120 });
    let ends = (0..count).map(|_| {
        let memory = Rc::new(Memory::new(1 << 20));
        (links.insert(Endpoint::Memory(Rc::clone(&memory))), memory)
    });
    let ends = ends.collect();
    (links, ends)
}

/// The server's own tokens are checked.
struct Verify {
    verifier: TokenVerifier,
    token: String,
    valid: usize,
}

impl Verify {
    fn new() -> Self {
        let auth = config::load(None, [], &[]).expect("the defaults").config.auth;
        let own = SecretKey::new(vec![7; 32]);
        let minted = TokenMinter::new(&own, &auth).mint(user(5), Some("ann"), None, None, NOW_MS);
        let token = minted.expect("a token").token;
        Self { verifier: TokenVerifier::new(&own, &auth).expect("a key"), token, valid: BATCH }
    }
}

impl Work for Verify {
    fn prepare(&mut self) {
        assert_eq!(self.valid, BATCH, "every token is valid");
    }

    fn run(&mut self) {
        let verified = (0..BATCH).map(|_| self.verifier.verify(&self.token, NOW_MS));
        self.valid = verified.flatten().count();
    }
}

/// A batch goes through the mailbox of a shard.
struct Mailbox {
    sender: MailboxSender<u64>,
    receiver: MailboxReceiver<u64>,
    received: usize,
}

impl Mailbox {
    fn new() -> Self {
        let bounds = Bounds { shared: 1_024, reserved: 1_024, producers: 1 };
        let (sender, receiver) = mailbox(bounds).expect("descriptors are left");
        Self { sender, receiver, received: BATCH }
    }
}

impl Work for Mailbox {
    fn prepare(&mut self) {
        assert_eq!(self.received, BATCH, "every message arrives");
        self.received = 0;
    }

    fn run(&mut self) {
        for value in 0..BATCH as u64 {
            self.sender.send_reserved(value);
        }
        self.receiver.acknowledge_wake();
        while self.receiver.drain(64, |_| self.received += 1) {}
    }
}

/// A conversation decides about sends, and commits them.
struct Sends {
    conversation: Conversation,
    terms: Terms,
    generation: u64,
    at: Instant,
    reply_to: ReplyTo,
    body: Bytes,
    next_id: u64,
    submissions: Vec<Submission>,
    effects: Vec<Effect>,
    completions: Vec<Completion>,
}

impl Sends {
    fn new() -> Self {
        let terms = Terms {
            shards: 1,
            max_group_members: 100,
            edit_window_ms: 0,
            recall_window_ms: 0,
            alone: true,
            key: CommandKey::new([3; 16]),
        };
        let (at, mut generation) = (Instant::now(), 0);
        let mut now = Moment { unix_ms: NOW_MS, at, generation: &mut generation, terms: &terms };
        let conversation =
            Conversation::new(snapshot(ConversationKind::Group, &[user(1), user(2)]), &mut now);
        Self {
            conversation,
            terms,
            generation,
            at,
            reply_to: ReplyTo { shard: 0, session: session_key(), command_id: 1 },
            body: body(),
            next_id: 0,
            submissions: Vec::new(),
            effects: Vec::new(),
            completions: Vec::new(),
        }
    }

    fn submission(&mut self) -> Submission {
        self.next_id += 1;
        let intent = Intent::Send {
            body: self.body.clone(),
            after: "".into(),
            mentions: Mentions::default(),
            files: Box::default(),
        };
        Submission {
            from: user(1),
            reply_to: self.reply_to,
            client_msg_id: format!("{:016}", self.next_id).into(),
            intent,
            command_hash: 1,
            also: Vec::new(),
        }
    }
}

impl Work for Sends {
    fn prepare(&mut self) {
        let answers = self.effects.iter().filter(|effect| matches!(effect, Effect::Answer(..)));
        let delivered =
            self.effects.iter().filter(|effect| matches!(effect, Effect::Deliver { .. }));
        let sent = self.completions.len();
        assert_eq!((answers.count(), delivered.count()), (sent, sent), "all are committed");
        self.effects.clear();
        self.completions.clear();
        self.submissions = (0..BATCH).map(|_| self.submission()).collect();
    }

    fn run(&mut self) {
        let mut now = Moment {
            unix_ms: NOW_MS,
            at: self.at,
            generation: &mut self.generation,
            terms: &self.terms,
        };
        for submission in self.submissions.drain(..) {
            self.conversation.submit(submission, &mut now, &mut self.effects);
        }
        for effect in self.effects.drain(..) {
            if let Effect::Append { append, .. } = effect {
                self.completions.push(committed(&append));
            }
        }
        for completion in &self.completions {
            self.conversation.complete(completion, &mut now, &mut self.effects);
        }
    }
}

/// A committed entry becomes the frame that all its recipients get.
struct EntryFrames {
    row: EntryRow,
    encoding: Encoding,
    bytes: usize,
}

impl EntryFrames {
    fn new(encoding: Encoding) -> Self {
        let row = EntryRow {
            conversation_id: conversation(),
            seq: 1_000,
            msg_no: 999,
            sender_id: Some(user(1)),
            created_at: NOW_MS,
            client_msg_id: "m-0123456789".to_owned(),
            body: body(),
            damaged: false,
            marks: None,
            command_hash: 1,
        };
        Self { row, encoding, bytes: 64 * BATCH }
    }
}

impl Work for EntryFrames {
    fn prepare(&mut self) {
        assert!(self.bytes >= 64 * BATCH, "the text is in it");
    }

    fn run(&mut self) {
        let frames = (0..BATCH).map(|_| EntryFrame::new(&self.row).frame(self.encoding).len());
        self.bytes = frames.sum();
    }
}

/// One frame goes into the outboxes of many connections, and from there into their sockets.
struct FanOut {
    links: Links,
    ends: Vec<(LinkKey, Rc<Memory>)>,
    pushed: Pushed,
    pass: Pass,
    fresh: bool,
}

impl FanOut {
    fn new() -> Self {
        let (links, ends) = links(RECIPIENTS);
        let entry = Arc::new(EntryFrame::new(&EntryFrames::new(Encoding::Protobuf).row));
        Self { links, ends, pushed: Pushed::Entry(entry), pass: Pass::default(), fresh: true }
    }
}

impl Work for FanOut {
    fn prepare(&mut self) {
        let mut bytes = bytes::BytesMut::new();
        for (_, memory) in &self.ends {
            bytes.clear();
            memory.take_all(&mut bytes);
            assert!(self.fresh || bytes.len() > 64, "every connection gets the entry");
        }
        self.fresh = false;
    }

    fn run(&mut self) {
        let mut frames = Frames::new(&self.pushed, self.ends.len());
        for (link, _) in &self.ends {
            frames.send(Encoding::Protobuf, *link, &mut self.links);
        }
        loop {
            self.links.flush_pass(&mut self.pass);
            if !self.pass.more {
                return;
            }
        }
    }
}
