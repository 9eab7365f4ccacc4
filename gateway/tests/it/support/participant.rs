//! Members of one conversation who send and receive through kills and stops of the server, and a ledger of it all.
//!
//! ```text
//!   Crowd ─► one thread a participant ─► connect with a cursor ─► send, receive ─► broken? again
//!     └───── finish: the log is read over the protocol, and the checker of the load test judges
//! ```
//!
//! A participant is a client as the protocol wants it: sends are pipelined and chained by `after`, what was not
//! acknowledged goes again under the same id, and the cursor moves from n to n + 1 or by `sync`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ringwire_loadtest::verify::{Content, DeviceIndex, Findings, Ledger, Origin, SenderIndex, Via};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire::{self, command::Op, push::Event, reply::Outcome};

use super::chat;
use super::client::{Arrived, Client, Upgrade};
use super::server::ServerProcess;
use super::{ENCODINGS, PATIENCE};

/// Sends without an answer that a participant has at a time.
const WINDOW: usize = 8;
/// How long a participant waits for news before it looks whether there is something to send again.
const GLANCE: Duration = Duration::from_millis(20);

/// Everybody in one conversation.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    conversation: u64,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    ledger: Mutex<Ledger>,
    senders: Vec<SenderIndex>,
    acked: AtomicU64,
    /// Participants that have nothing left to send.
    done: AtomicUsize,
    /// The end of the log, once everybody has sent everything; before that 0.
    head: AtomicU64,
    go_aways: AtomicUsize,
    connects: AtomicUsize,
    resumed: AtomicUsize,
    closes: Mutex<Vec<Option<u16>>>,
    /// The end of every text, to make it long.
    padding: String,
    watch: Watch,
}

/// Called with the conversation and every ack, at the moment it arrives.
pub(crate) type Watch = Box<dyn Fn(u64, &wire::SendAck) + Send + Sync>;

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an entry holds, for the ledger: messages say who sent them and their number.
    fn content(&self, entry: &wire::Entry) -> Content {
        let Some(text) = chat::text(entry) else { return Content::Notice };
        let Some(text) = text.strip_suffix(&*self.padding) else { return Content::Foreign };
        let origin = text.split_once(':').and_then(|(sender, number)| {
            let sender = *self.senders.get(sender.parse::<usize>().ok()?)?;
            Some(Origin { sender, number: number.parse().ok()? })
        });
        origin.map_or(Content::Foreign, Content::Message)
    }
}

/// What the participants met beside messages.
pub(crate) struct Report {
    /// `goaway` pushes.
    pub(crate) go_aways: usize,
    /// Connections in all.
    pub(crate) connects: usize,
    /// Those that went on with an earlier session.
    pub(crate) resumed: usize,
    /// How connections ended.
    pub(crate) closes: Vec<Option<u16>>,
}

impl Crowd {
    /// Users 1 to `participants` make a group; each sends `sends_each` messages, all as fast as they can.
    pub(crate) fn start(server: &ServerProcess, participants: u32, sends_each: u32) -> Self {
        Self::start_watched(server, participants, sends_each, Box::new(|_, _| {}))
    }

    /// The same with texts that are longer by so many bytes.
    pub(crate) fn start_padded(
        server: &ServerProcess,
        participants: u32,
        sends_each: u32,
        padding_bytes: usize,
    ) -> Self {
        let watch = Box::new(|_, _: &wire::SendAck| {});
        let plan = Plan { participants, sends_each, devices: 0, port: server.address().port() };
        Self::begin(server, plan, "x".repeat(padding_bytes), watch)
    }

    /// The same, and `watch` sees every ack when it arrives.
    pub(crate) fn start_watched(
        server: &ServerProcess,
        participants: u32,
        sends_each: u32,
        watch: Watch,
    ) -> Self {
        let plan = Plan { participants, sends_each, devices: 0, port: server.address().port() };
        Self::begin(server, plan, String::new(), watch)
    }

    /// The same through a proxy on this port of the loopback, and with so many devices of one more user, who only
    /// receives.
    pub(crate) fn start_through(
        server: &ServerProcess,
        port: u16,
        participants: u32,
        sends_each: u32,
        devices: u32,
    ) -> Self {
        let watch = Box::new(|_, _: &wire::SendAck| {});
        let plan = Plan { participants, sends_each, devices, port };
        Self::begin(server, plan, String::new(), watch)
    }

    /// The conversation everybody is in.
    pub(crate) const fn conversation(&self) -> u64 {
        self.conversation
    }

    fn begin(server: &ServerProcess, plan: Plan, padding: String, watch: Watch) -> Self {
        let Plan { participants, sends_each, devices: listening, port } = plan;
        let audience = u64::from(participants) + 1;
        let users: Vec<u64> =
            (1..=u64::from(participants)).chain((listening > 0).then_some(audience)).collect();
        // Users come to be when they connect first.
        let mut clients: Vec<Client> =
            users.iter().map(|&user| Client::session(server, user, Encoding::Json)).collect();
        let conversation = clients[0].create_group(&users[1..]);
        drop(clients);

        let mut ledger = Ledger::new();
        let sending = &users[..participants as usize];
        let names = sending.iter().map(|user| format!("user {user}"));
        let (senders, mut devices): (Vec<_>, Vec<_>) =
            names.map(|name| (ledger.add_sender(name.clone()), ledger.add_device(name, 1))).unzip();
        let more = (0..listening).map(|number| format!("device {number} of {audience}"));
        devices.extend(more.map(|name| ledger.add_device(name, 1)));
        let shared = Arc::new(Shared {
            ledger: Mutex::new(ledger),
            senders,
            acked: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            head: AtomicU64::new(0),
            go_aways: AtomicUsize::new(0),
            connects: AtomicUsize::new(0),
            resumed: AtomicUsize::new(0),
            padding,
            watch,
            closes: Mutex::new(Vec::new()),
        });
        let participant = |(number, device)| Participant {
            shared: Arc::clone(&shared),
            address: SocketAddr::new(server.address().ip(), port),
            token: server.token(users.get(number).copied().unwrap_or(audience)),
            encoding: ENCODINGS[number % 2],
            conversation,
            number,
            device,
            cursor: 1,
            told: false,
            owed: None,
            outgoing: VecDeque::new(),
            left: if number < participants as usize { sends_each } else { 0 },
            session_id: String::new(),
            received: 0,
        };
        let threads = devices
            .into_iter()
            .enumerate()
            .map(participant)
            .map(|participant| thread::spawn(move || participant.run()))
            .collect();
        Self { shared, conversation, threads }
    }

    /// Waits until so many sends were acknowledged in all.
    pub(crate) fn await_acks(&self, count: u64) {
        self.wait("acks", || self.shared.acked.load(Ordering::Relaxed) >= count);
    }

    /// Sends acknowledged so far.
    pub(crate) fn acked(&self) -> u64 {
        self.shared.acked.load(Ordering::Relaxed)
    }

    /// Waits until so many connections have gone on with an earlier session.
    pub(crate) fn await_resumes(&self, count: usize) {
        self.wait("resumes", || self.shared.resumed.load(Ordering::Relaxed) >= count);
    }

    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + 2 * PATIENCE;
        while !done() {
            assert!(self.threads.iter().all(|thread| !thread.is_finished()), "one gave up");
            assert!(Instant::now() < deadline, "waiting for {what}: {} acks", self.acked());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until everything is sent and acknowledged.
    pub(crate) fn await_last_ack(&self) {
        let participants = self.threads.len();
        self.wait("the last ack", || self.shared.done.load(Ordering::Relaxed) == participants);
    }

    /// Waits until everything is sent and received, reads the log back, and has the ledger judged clean.
    pub(crate) fn finish(self, server: &ServerProcess) -> Report {
        let (findings, report) = self.judge(server);
        assert!(findings.is_clean(), "{findings:#?}");
        report
    }

    /// The same, whatever the judgement is.
    pub(crate) fn judge(self, server: &ServerProcess) -> (Findings, Report) {
        self.await_last_ack();
        let mut reader = Client::session(server, 1, Encoding::Protobuf);
        let log = reader.log(self.conversation);
        let head = log.last().expect("a log with entries").seq;
        self.shared.head.store(head, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a participant failed");
        }
        let entries = log.iter().skip(1).map(|entry| (entry.seq, self.shared.content(entry)));
        let entries = entries.collect();
        let mut ledger = self.shared.ledger();
        ledger.log_read(1, entries);
        let findings = ledger.check();
        let (_, refused, unknown) = ledger.outcomes();
        assert_eq!((refused, unknown), (0, 0), "every send was acknowledged in the end");
        drop(ledger);
        let report = Report {
            go_aways: self.shared.go_aways.load(Ordering::Relaxed),
            connects: self.shared.connects.load(Ordering::Relaxed),
            resumed: self.shared.resumed.load(Ordering::Relaxed),
            closes: self.shared.closes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        (findings, report)
    }
}

/// Who takes part, and how they reach the server.
#[derive(Clone, Copy)]
struct Plan {
    participants: u32,
    sends_each: u32,
    /// Devices of one more user.
    devices: u32,
    port: u16,
}

/// One member with one device.
struct Participant {
    shared: Arc<Shared>,
    address: SocketAddr,
    token: String,
    encoding: Encoding,
    conversation: u64,
    number: usize,
    device: DeviceIndex,
    /// Highest position it has without a gap.
    cursor: u64,
    /// The server has said that there is more than it pushes.
    told: bool,
    /// That has not been asked for yet: from where on (not before what is pushed has come), and how far the log went.
    owed: Option<(u64, u64)>,
    /// Sends without ack, oldest first.
    outgoing: VecDeque<Outgoing>,
    left: u32,
    /// What it goes on with after a break; empty: its cursor alone.
    session_id: String,
    /// Durable pushes it has got in that session.
    received: u64,
}

struct Outgoing {
    origin: Origin,
    /// The command under which it is on its way; `None`: it has to be sent (again).
    command: Option<u64>,
}

impl Outgoing {
    fn client_msg_id(&self) -> String {
        format!("m{}", self.origin.number)
    }
}

/// The connection is over.
struct Broken;

impl Participant {
    fn run(mut self) {
        if self.left == 0 {
            self.shared.done.fetch_add(1, Ordering::Relaxed);
        }
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            let cursor = self.cursor;
            if let Ok(mut client) = self.connect()
                && self.serve(&mut client).is_ok()
            {
                return;
            }
            if self.cursor > cursor {
                deadline = Instant::now() + PATIENCE;
            }
            assert!(Instant::now() < deadline, "user {} gets nowhere", self.number + 1);
            thread::sleep(GLANCE);
        }
    }

    fn connect(&mut self) -> Result<Client, Broken> {
        let upgrade = Upgrade::encoding(self.encoding).bearer(&self.token);
        let stream = super::client::dial(self.address).map_err(|_| Broken)?;
        let mut client =
            Client::upgrade_on(stream, &upgrade, self.encoding, b"").map_err(|_| Broken)?;
        let cursor = wire::SyncCursor { conversation_id: self.conversation, seq: self.cursor };
        let resume = (!self.session_id.is_empty())
            .then(|| wire::Resume { session_id: self.session_id.clone(), received: self.received });
        let device_id = format!("device {}", self.number);
        let connect =
            wire::Connect { cursors: vec![cursor], device_id, resume, ..Default::default() };
        let id = client.start(Op::Connect(connect));
        let Some(Ok(Outcome::Connected(connected))) = client.try_answer(id) else {
            return Err(Broken);
        };
        self.shared.connects.fetch_add(1, Ordering::Relaxed);
        // What a session owed its client to ask for, it still does not push when it goes on.
        if connected.resumed {
            self.shared.resumed.fetch_add(1, Ordering::Relaxed);
            client.counted += self.received;
        } else {
            let state = connected.sync.first().expect("an answer to the cursor");
            assert!(!state.not_member, "a member is told it is none");
            let is_more = state.pushed_seq < state.head_seq;
            self.owed = is_more.then_some((state.pushed_seq, state.head_seq));
            self.received = 0;
        }
        self.told = self.owed.is_some();
        // Every other one forgets its session, and goes on by its cursor.
        if self.number.is_multiple_of(2) {
            self.session_id = connected.session_id;
        }
        self.shared.ledger().reconnected(self.device);
        for outgoing in &mut self.outgoing {
            outgoing.command = None;
        }
        Ok(client)
    }

    /// Sends and receives until everything is done.
    fn serve(&mut self, client: &mut Client) -> Result<(), Broken> {
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            self.send(client)?;
            if let Some((pushed_seq, head_seq)) = self.owed
                && self.cursor >= pushed_seq
            {
                self.close_gap(client, head_seq + 1)?;
                self.owed = None;
            }
            let head = self.shared.head.load(Ordering::Relaxed);
            if head != 0 && self.cursor >= head {
                return Ok(());
            }
            let arrived = client.next_within(GLANCE);
            if arrived.is_some() || head == 0 {
                deadline = Instant::now() + PATIENCE;
            }
            let (user, cursor) = (self.number + 1, self.cursor);
            assert!(
                Instant::now() < deadline,
                "user {user} is told nothing behind {cursor} of {head}"
            );
            match arrived {
                None => {}
                Some(Arrived::Reply(reply)) => self.answered(client, reply)?,
                Some(Arrived::Push(event)) => self.pushed(client, event)?,
                Some(Arrived::Closed(code)) => {
                    let closes = &self.shared.closes;
                    closes.lock().unwrap_or_else(PoisonError::into_inner).push(code);
                    return Err(Broken);
                }
            }
        }
    }

    fn send(&mut self, client: &mut Client) -> Result<(), Broken> {
        // After a refusal nothing goes out until everything under way is answered: order is kept.
        let held = self.outgoing.front().is_some_and(|first| first.command.is_none())
            && self.outgoing.iter().any(|outgoing| outgoing.command.is_some());
        if held {
            return Ok(());
        }
        while self.left > 0 && self.outgoing.len() < WINDOW {
            self.left -= 1;
            let origin = self.shared.ledger().invoke(self.shared.senders[self.number]);
            self.outgoing.push_back(Outgoing { origin, command: None });
        }
        let mut after = String::new();
        for outgoing in &mut self.outgoing {
            let id = outgoing.client_msg_id();
            if outgoing.command.is_none() {
                let text =
                    format!("{}:{}{}", self.number, outgoing.origin.number, self.shared.padding);
                let send = chat::say_after(self.conversation, &id, &text, &after);
                outgoing.command = Some(client.queue(send));
            }
            after = id;
        }
        client.flush().map_err(|_| Broken)
    }

    fn answered(&mut self, client: &mut Client, reply: wire::Reply) -> Result<(), Broken> {
        let place = self.outgoing.iter().position(|outgoing| outgoing.command == Some(reply.id));
        let Some(place) = place else { return Ok(()) };
        match reply.outcome.expect("a reply has an outcome") {
            Outcome::SendAck(ack) => {
                (self.shared.watch)(self.conversation, &ack);
                let outgoing = self.outgoing.remove(place).expect("it was just found");
                self.shared.ledger().acked(outgoing.origin, ack.seq);
                self.close_gap(client, ack.seq)?;
                self.take(ack.seq, Content::Message(outgoing.origin), Via::Ack);
                self.shared.acked.fetch_add(1, Ordering::Relaxed);
                if self.left == 0 && self.outgoing.is_empty() {
                    self.shared.done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }
            Outcome::Error(error) => {
                assert!(error.temporary, "refused for good: {error:?}");
                self.outgoing[place].command = None;
                thread::sleep(Duration::from_millis(error.retry_after_ms.min(100).into()));
                Ok(())
            }
            other => panic!("an odd answer to a send: {other:?}"),
        }
    }

    fn pushed(&mut self, client: &mut Client, event: Event) -> Result<(), Broken> {
        let durable = matches!(event, Event::Entry(_) | Event::Cursor(_) | Event::ViewChanged(_));
        self.received += u64::from(durable);
        match event {
            Event::Entry(entry) => {
                assert_eq!(entry.conversation_id, self.conversation);
                self.close_gap(client, entry.seq)?;
                self.take(entry.seq, self.shared.content(&entry), Via::Push);
            }
            Event::Lag(lag) => {
                self.told = true;
                self.owed = Some((0, lag.head_seq));
            }
            Event::GoAway(_) => {
                self.shared.go_aways.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, seq: u64, content: Content, via: Via) {
        self.shared.ledger().received(self.device, seq, content, via);
        self.cursor = self.cursor.max(seq);
    }

    /// Asks for what lies between the cursor and `seq`.
    fn close_gap(&mut self, client: &mut Client, seq: u64) -> Result<(), Broken> {
        let via = if self.told { Via::PullTold } else { Via::PullUntold };
        while self.cursor + 1 < seq {
            let ask = wire::Sync {
                conversation_id: self.conversation,
                seq: self.cursor,
                limit: u32::try_from(seq - self.cursor - 1).unwrap_or(u32::MAX),
            };
            let id = client.start(Op::Sync(ask));
            let Some(Ok(Outcome::SyncPage(page))) = client.try_answer(id) else {
                return Err(Broken);
            };
            assert!(
                !page.entries.is_empty(),
                "the page behind {} is empty although {} is known; it tells of a head of {}, more: {}; told {}, owed {:?}",
                self.cursor,
                seq - 1,
                page.head_seq,
                page.more,
                self.told,
                self.owed
            );
            for entry in &page.entries {
                self.take(entry.seq, self.shared.content(entry), via);
            }
        }
        Ok(())
    }
}
