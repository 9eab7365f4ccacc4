//! An owner shard that the service and the writers have no room for.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use prost::Message as _;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, UserId, wire};
use ringwire_storage::append::{Append, Completion, Outcome};
use ringwire_storage::model::{
    ConversationKind, ConversationSnapshot, ConversationState, LogHead, LogPage, MemberRow, Role,
};
use tokio::sync::mpsc;

use super::Shard;
use super::clock::TimeSource;
use super::mail::Mail;
use super::mailbox::{Bounds, MailboxReceiver, mailbox};
use super::shared::Shared;
use crate::auth::TokenVerifier;
use crate::command::key::CommandKey;
use crate::command::named::Named;
use crate::config;
use crate::connection::addresses::Addresses;
use crate::connection::forwarded::TrustedProxies;
use crate::conversation::answer::ReplyTo;
use crate::conversation::request::Request;
use crate::conversation::{Intent, Mentions, Submission};
use crate::limits;
use crate::observe::board::Board;
use crate::persist::AppendSink;
use crate::secret::SecretKey;
use crate::service::ask::{Ask, Call, Served};
use crate::session::registry::SessionKey;

const HEAD: Seq = 500;

/// A shard that owns one group, and what it gives to others.
pub(super) struct Bench {
    pub(super) shard: Shard,
    calls: mpsc::Receiver<Call>,
    appends: Arc<Mutex<Vec<Append>>>,
    _mailbox: MailboxReceiver<Mail>,
}

impl Bench {
    /// The service takes so many calls that nobody serves.
    pub(super) fn new(service_queue: usize) -> Self {
        let bounds = Bounds { shared: 10, reserved: 100 + limits::DRAIN_ORDERS, producers: 1 };
        let (sender, receiver) = mailbox(bounds).unwrap();
        let config = Arc::new(config::load(None, [], &[]).unwrap().config);
        let (service, calls) = mpsc::channel(service_queue);
        let own = SecretKey::new(vec![7; 32]);
        let shared = Arc::new(Shared {
            verifier: Arc::new(TokenVerifier::new(&own, &config.auth).unwrap()),
            command_key: CommandKey::new([3; 16]),
            boot: 1,
            mailboxes: vec![sender],
            service,
            http: mpsc::channel(1).0,
            connections: Arc::new(AtomicUsize::new(0)),
            addresses: Addresses::new(config.limits.address, TrustedProxies::default()),
            max_connections: 1,
            board: Arc::new(Board::new(2, Vec::new(), Instant::now())),
            tracing: None,
            drained_shards: AtomicUsize::new(0),
            config,
        });
        let appends = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&appends);
        let sink: AppendSink = Arc::new(move |append| {
            written.lock().unwrap().push(append);
            Ok(())
        });
        let shard = Shard::new(shared, 0, TimeSource::System, sink);
        Self { shard, calls, appends, _mailbox: receiver }
    }

    pub(super) fn mail(&self, mail: Mail) {
        let mut state = self.shard.state.borrow_mut();
        state.on_mail(mail, &mut self.shard.links.borrow_mut());
    }

    fn served(&self, served: Served) {
        assert!(self.shard.state.borrow_mut().credits.take());
        self.mail(Mail::Served(served));
    }

    fn submit(&self, from: u64, client_msg_id: &str, intent: Intent) {
        let submission = submission(from, client_msg_id, intent);
        self.mail(Mail::Request(Request::Submit { conversation_id: id(), submission }));
    }

    fn say(&self, from: u64, client_msg_id: &str) {
        self.submit(from, client_msg_id, message(client_msg_id));
    }

    /// The call that waits for the service.
    fn call(&mut self) -> Ask {
        self.calls.try_recv().unwrap().ask
    }

    fn load(&mut self) {
        assert!(matches!(self.call(), Ask::LoadConversation(_)));
        self.served(Served::Conversation { id: id(), snapshot: Ok(Some(Box::new(group()))) });
    }

    /// What was given to the writers since the last time.
    fn appended(&self) -> Vec<Append> {
        std::mem::take(&mut self.appends.lock().unwrap())
    }
}

fn submission(from: u64, client_msg_id: &str, intent: Intent) -> Box<Submission> {
    Box::new(Submission {
        from: user(from),
        reply_to: ReplyTo { shard: 0, session: SessionKey::numbered(0), command_id: 1 },
        client_msg_id: client_msg_id.into(),
        command_hash: CommandKey::new([3; 16]).hash(&intent),
        intent,
        also: Vec::new(),
    })
}

fn message(text: &str) -> Intent {
    let message = wire::Message { text: text.to_owned(), ..Default::default() };
    let kind = Some(wire::entry_body::Kind::Message(message));
    let body = wire::EntryBody { kind }.encode_to_vec().into();
    let (mentions, files) = (Mentions::default(), Box::default());
    Intent::Send { body, after: "".into(), mentions, files }
}

fn user(number: u64) -> UserId {
    UserId::new(number).unwrap()
}

fn id() -> ConversationId {
    ConversationId::new(1).unwrap()
}

fn head() -> LogHead {
    LogHead { seq: HEAD, msg_no: HEAD - 1, created_at: 0 }
}

/// Of three, none of whose entries is in memory.
fn group() -> ConversationSnapshot {
    let member = |number| MemberRow {
        user_id: user(number),
        role: if number == 1 { Role::Owner } else { Role::Member },
        joined_at: 0,
        muted_until: 0,
    };
    ConversationSnapshot {
        conversation_id: id(),
        kind: ConversationKind::Group,
        settings: bytes::Bytes::new(),
        head: head(),
        floor_seq: 1,
        members: (1..=3).map(member).collect(),
        recent: Vec::new(),
        state: ConversationState::default(),
    }
}

#[test]
fn entries_reach_the_writer_in_order_also_when_what_a_command_is_about_cannot_be_asked() {
    let mut bench = Bench::new(1);
    bench.say(1, "first");
    bench.load();
    let first = bench.appended().pop().unwrap();
    let conflict = Completion {
        conversation_id: id(),
        seq: first.seq,
        token: first.token,
        generation: first.generation,
        outcome: Outcome::Conflict,
    };
    bench.mail(Mail::Completed(vec![conflict]));
    // The tail is asked for; the service takes nothing else. What comes meanwhile waits.
    bench.submit(1, "recall", Intent::Recall { target_seq: 7 });
    bench.say(1, "behind the recall");
    bench.say(2, "second");
    bench.say(3, "third");
    let tail = LogPage { entries: Vec::new(), head: head(), floor_seq: 1 };
    bench.served(Served::Tail { id: id(), tail: Ok(Some(tail)) });

    let appended = bench.appended();
    let order: Vec<_> =
        appended.iter().map(|append| (append.seq, &*append.client_msg_id)).collect();
    let expected = ["first", "second", "third", "behind the recall"];
    let expected: Vec<_> = (HEAD + 1..).zip(expected).collect();
    assert_eq!(order, expected);
}

#[test]
fn what_follows_a_command_that_names_users_does_not_overtake_it() {
    let mut bench = Bench::new(5);
    let invite = |name: &str| {
        let intent = Intent::Invite { users: vec![user(7)] };
        let submission = submission(1, name, intent);
        let (users, usernames) = (vec![user(7)], Vec::new());
        Box::new(Named { conversation_id: id(), submission, users, usernames })
    };
    let send = |name: &str| Request::Submit {
        conversation_id: id(),
        submission: submission(1, name, message(name)),
    };
    {
        let mut state = bench.shard.state.borrow_mut();
        let links = &mut bench.shard.links.borrow_mut();
        state.identify(invite("first")).unwrap();
        state.send_in_turn(send("second"), links).unwrap();
        state.identify(invite("third")).unwrap();
        state.send_in_turn(send("fourth"), links).unwrap();
    }
    let Ask::Identify(named) = bench.call() else { panic!("who is that?") };
    assert!(bench.calls.try_recv().is_err(), "what follows waits");
    bench.served(Served::Identified { named, users: Ok(vec![user(7)]) });
    bench.load();
    let order = |appended: Vec<Append>| -> Vec<String> {
        appended.iter().map(|append| append.client_msg_id.to_string()).collect()
    };
    assert_eq!(order(bench.appended()), ["first", "second"]);
    let Ask::Identify(named) = bench.call() else { panic!("who is that?") };
    // One that comes to nothing holds nothing up.
    let error = CommandError::new(ErrorCode::UserNotFound, "no such user");
    bench.served(Served::Identified { named, users: Err(error) });
    assert_eq!(order(bench.appended()), ["fourth"]);
    let mut state = bench.shard.state.borrow_mut();
    state.send_in_turn(send("fifth"), &mut bench.shard.links.borrow_mut()).unwrap();
    drop(state);
    assert_eq!(order(bench.appended()), ["fifth"], "nothing waits any more");
}
