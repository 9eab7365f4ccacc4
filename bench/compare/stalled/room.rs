//! A room and those in it.

use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use ringwire_bench::client::Client;
use ringwire_bench::gateway::Gateway;
use ringwire_bench::poll::{Event, Poll};
use ringwire_loadtest::token::Tokens;
use ringwire_protocol::wire;
use serde::Serialize;
use wire::command::Op;
use wire::reply::Outcome;

use super::Arguments;

/// Far from the ids of people who registered.
const FIRST_USER: u64 = 3_000_000_001;
/// What the kernel may keep for the member who stalls, in bytes.
const STALLED_RECEIVE_BYTES: libc::c_int = 4_096;

/// From the intended send time to the delivery, over all members who read.
#[derive(Clone, Serialize)]
pub(crate) struct Latencies {
    pub(crate) deliveries: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
}

/// A room with its members connected.
pub(crate) struct Room<'a> {
    gateway: &'a Gateway,
    tokens: Tokens,
    conversation_id: u64,
    sender: Client,
    readers: Vec<Client>,
    poll: Poll,
    sent: u64,
}

impl<'a> Room<'a> {
    /// The first user makes the room, all others join it.
    pub(crate) fn open(gateway: &'a Gateway, arguments: &Arguments) -> Result<Self> {
        ensure!(arguments.members >= 3, "a sender, a reader and one who may stall");
        let tokens = Tokens::load(Some(&gateway.jwt_secret_file()))?;
        let mut sender = connect(gateway, &tokens, FIRST_USER)?;
        let kind = wire::ConversationKind::Room.into();
        sender.send(Op::CreateGroup(wire::CreateGroup { kind, ..Default::default() }))?;
        let Outcome::ConversationOpened(opened) = sender.reply()? else {
            anyhow::bail!("create_group was refused");
        };
        let head = opened.head.unwrap_or_default();
        let conversation_id = head.conversation.unwrap_or_default().conversation_id;
        let poll = Poll::new()?;
        let mut readers = Vec::new();
        // The last id is that of the member who stalls.
        for place in 1..arguments.members as u64 {
            let mut member = connect(gateway, &tokens, FIRST_USER + place)?;
            member.send(Op::Join(wire::Join { conversation_id, ..Default::default() }))?;
            let joined = member.reply()?;
            ensure!(matches!(joined, Outcome::SendAck(_)), "join was answered {joined:?}");
            if place + 1 < arguments.members as u64 {
                member.socket().set_nonblocking(true)?;
                poll.watch(member.socket().as_raw_fd(), readers.len() as u64)?;
                readers.push(member);
            }
        }
        sender.socket().set_nonblocking(true)?;
        Ok(Self { gateway, tokens, conversation_id, sender, readers, poll, sent: 0 })
    }

    fn stalled_user(&self) -> u64 {
        FIRST_USER + self.readers.len() as u64 + 1
    }

    /// Sends for the whole time and counts what arrives of the messages sent behind the warm-up.
    pub(crate) fn run(&mut self, arguments: &Arguments, stalled: bool) -> Result<Latencies> {
        let mut absent = stalled.then(|| self.stall()).transpose()?;
        let began = Instant::now();
        let first = self.sent;
        let total = u64::from(arguments.rate_per_s * (arguments.warmup_s + arguments.duration_s));
        let counted_from = first + u64::from(arguments.rate_per_s * arguments.warmup_s);
        let due = |number: u64| {
            began
                + Duration::from_secs_f64((number - first) as f64 / f64::from(arguments.rate_per_s))
        };
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
        let (mut expected, patience) = (total * self.readers.len() as u64, Duration::from_secs(20));
        let mut ready = [Event::default(); 512];
        while expected > 0 {
            while self.sent < first + total && due(self.sent) <= Instant::now() {
                self.say(arguments.text_bytes)?;
            }
            ensure!(
                began.elapsed() < due(first + total) - began + patience,
                "{expected} are missing"
            );
            let next = due(self.sent.min(first + total));
            let wait = next.saturating_duration_since(Instant::now()).as_millis() as i32;
            let count = self.poll.wait(&mut ready, wait.clamp(1, 100))?;
            for event in &ready[..count] {
                let reader = &mut self.readers[event.token as usize];
                let now = Instant::now();
                reader.drain(|push| {
                    let Some(number) = number_of(&push) else { return };
                    expected = expected.saturating_sub(1);
                    if number >= counted_from {
                        let late = now.saturating_duration_since(due(number));
                        histogram.saturating_record(late.as_micros() as u64);
                    }
                })?;
            }
            self.sender.drain(drop)?;
            if let Some(client) = &absent
                && has_ended(client)
            {
                absent = Some(self.stall()?);
            }
        }
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Ok(Latencies {
            deliveries: histogram.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
        })
    }

    fn say(&mut self, text_bytes: usize) -> Result<()> {
        let metadata = [("n".to_owned(), self.sent.to_string())].into();
        let text = "x".repeat(text_bytes);
        let message = wire::Message { text, metadata, ..Default::default() };
        self.sender.send(Op::Send(wire::Send {
            conversation_id: self.conversation_id,
            message: Some(message),
            ..Default::default()
        }))?;
        self.sent += 1;
        Ok(())
    }

    /// The member who connects and then never reads.
    fn stall(&self) -> Result<Client> {
        let client = connect(self.gateway, &self.tokens, self.stalled_user())?;
        let bytes = STALLED_RECEIVE_BYTES;
        let length = size_of_val(&bytes) as libc::socklen_t;
        // SAFETY: the kernel reads `length` bytes from `bytes`, which lives through the call and is as large as that.
        let set = unsafe {
            libc::setsockopt(
                client.socket().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUF,
                (&raw const bytes).cast(),
                length,
            )
        };
        ensure!(set == 0, "SO_RCVBUF: {}", std::io::Error::last_os_error());
        Ok(client)
    }
}

/// Whether the server has ended the connection; nothing is read.
fn has_ended(client: &Client) -> bool {
    let mut poll = libc::pollfd { fd: client.socket().as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: `poll` is one valid pollfd.
    let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
    ready > 0 && poll.revents & (libc::POLLHUP | libc::POLLERR) != 0
}

fn connect(gateway: &Gateway, tokens: &Tokens, user: u64) -> Result<Client> {
    let mut client = Client::connect(gateway.address(), user)?;
    let token = tokens.sign(user)?;
    client.send(Op::Connect(wire::Connect { token, ..Default::default() }))?;
    let connected = client.reply().context("connect")?;
    ensure!(matches!(connected, Outcome::Connected(_)), "connect was answered {connected:?}");
    Ok(client)
}

/// The number that the sender gave a message.
fn number_of(push: &wire::push::Event) -> Option<u64> {
    let wire::push::Event::Entry(entry) = push else { return None };
    match entry.body.as_ref()?.kind.as_ref()? {
        wire::entry_body::Kind::Message(message) => message.metadata.get("n")?.parse().ok(),
        _ => None,
    }
}
