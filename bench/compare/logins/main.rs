//! `cargo xtask bench logins`: what a hundred concurrent logins do to the latency of chat.
//!
//! ```text
//!   quiet ─► logins ─► quiet ─► logins …   in turn, so that a machine that changes does so for both
//!   people who chat: each sends at its times, open loop; latency counts from the intended time to the ack
//!   people who log in: each asks again as soon as it is answered, all of them all the time
//! ```
//!
//! The gateway is a fresh one with SQLite. A password check takes some 20 ms of a core wherever it runs, so on a machine
//! with few cores the ratio also tells how much of the machine logins get.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use ringwire_bench::client::Client;
use ringwire_bench::gateway::Gateway;
use ringwire_loadtest::token::Tokens;
use ringwire_protocol::wire;
use serde::Serialize;
use wire::command::Op;
use wire::reply::Outcome;

/// Far from the ids of people who registered.
const FIRST_USER: u64 = 2_000_000_001;
const PASSWORD: &str = "correct horse battery staple";
/// Whose passwords they are: few enough logins of each at once that none is taken for guessing.
const PEOPLE: usize = 10;
/// How long one who is told BUSY waits.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

#[derive(Parser)]
#[command(about = "Measures chat latency with and without concurrent logins")]
struct Arguments {
    /// People who log in at the same time.
    #[arg(long, default_value_t = 100)]
    logins: usize,
    /// People who chat.
    #[arg(long, default_value_t = 8)]
    chatting: usize,
    /// Messages a second of each of them.
    #[arg(long, default_value_t = 25)]
    rate_per_s: u32,
    /// Length of a phase, in seconds.
    #[arg(long, default_value_t = 10)]
    phase_s: u64,
    /// Pairs of phases.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

/// What the phases of a kind came to.
#[derive(Default, Serialize)]
struct Phase {
    sends: u64,
    p50_ms: f64,
    p99_ms: f64,
    logins: u64,
    /// Logins that were told to come again.
    busy: u64,
}

#[derive(Serialize)]
struct Report {
    quiet: Phase,
    logins: Phase,
    ratio_p50: f64,
    ratio_p99: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(
        arguments.logins > 0 && arguments.chatting > 0 && arguments.rate_per_s > 0,
        "at least one of each"
    );
    let gateway = Gateway::start(&["--log", "warn"])?;
    let address = gateway.address();
    register(address)?;
    let tokens = Tokens::load(Some(&gateway.jwt_secret_file()))?;
    let mut people = (FIRST_USER..)
        .take(arguments.chatting)
        .map(|id| Chatting::open(address, id, tokens.sign(id)?))
        .collect::<Result<Vec<_>>>()?;

    let mut latencies_us = [new_histogram()?, new_histogram()?];
    let mut counts = [(0, 0), (0, 0)];
    for round in 0..arguments.rounds {
        for (place, logins) in [(0, 0), (1, arguments.logins)] {
            let (own_us, count) = phase(address, &mut people, logins, &arguments)?;
            latencies_us[place].add(own_us)?;
            counts[place].0 += count.0;
            counts[place].1 += count.1;
        }
        println!("round {} of {}", round + 1, arguments.rounds);
    }
    let [quiet, logins] = [0, 1].map(|place| {
        let quantile_ms =
            |quantile| latencies_us[place].value_at_quantile(quantile) as f64 / 1000.0;
        Phase {
            sends: latencies_us[place].len(),
            p50_ms: quantile_ms(0.5),
            p99_ms: quantile_ms(0.99),
            logins: counts[place].0,
            busy: counts[place].1,
        }
    });
    let ratio_p50 = logins.p50_ms / quiet.p50_ms;
    let ratio_p99 = logins.p99_ms / quiet.p99_ms;
    for (name, phase) in [("quiet", &quiet), ("logins", &logins)] {
        println!(
            "{name:<8} {} acks: p50 {:.2} ms, p99 {:.2} ms; {} logins, {} told to come again",
            phase.sends, phase.p50_ms, phase.p99_ms, phase.logins, phase.busy
        );
    }
    println!("with / without: p50 x {ratio_p50:.2}, p99 x {ratio_p99:.2}");
    if let Some(path) = arguments.report_json {
        let report = Report { quiet, logins, ratio_p50, ratio_p99 };
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn new_histogram() -> Result<Histogram<u64>> {
    Histogram::new(3).context("three digits are allowed")
}

/// Somebody in a group of their own.
struct Chatting {
    client: Client,
    conversation_id: u64,
    sent: u64,
}

impl Chatting {
    fn open(address: SocketAddr, id: u64, token: String) -> Result<Self> {
        let mut client = Client::connect(address, id)?;
        client.send(Op::Connect(wire::Connect { token, ..Default::default() }))?;
        match client.reply()? {
            Outcome::Connected(_) => {}
            other => bail!("connect was answered {other:?}"),
        }
        client.send(Op::CreateGroup(wire::CreateGroup::default()))?;
        match client.reply()? {
            Outcome::ConversationOpened(opened) => {
                let head = opened.head.and_then(|head| head.conversation);
                let conversation_id = head.context("a conversation")?.conversation_id;
                Ok(Self { client, conversation_id, sent: 0 })
            }
            other => bail!("create_group was answered {other:?}"),
        }
    }

    /// Sends at its times; each latency from the time that was meant to the ack.
    fn chat(&mut self, rate_per_s: u32, until: Instant) -> Result<Histogram<u64>> {
        let mut latencies_us = new_histogram()?;
        let pause = Duration::from_secs(1) / rate_per_s;
        let mut meant = Instant::now();
        while meant < until {
            thread::sleep(meant.saturating_duration_since(Instant::now()));
            self.sent += 1;
            let message = wire::Message {
                text: "a message of about the usual length".into(),
                ..Default::default()
            };
            self.client.send(Op::Send(wire::Send {
                conversation_id: self.conversation_id,
                client_msg_id: format!("m{}", self.sent),
                message: Some(message),
                ..Default::default()
            }))?;
            match self.client.reply()? {
                Outcome::SendAck(_) => {}
                other => bail!("a message was answered {other:?}"),
            }
            latencies_us.record((meant.elapsed().as_micros() as u64).max(1))?;
            meant += pause;
        }
        Ok(latencies_us)
    }
}

/// One phase: its latencies, the logins, and those that were told to come again.
fn phase(
    address: SocketAddr,
    people: &mut [Chatting],
    logins: usize,
    arguments: &Arguments,
) -> Result<(Histogram<u64>, (u64, u64))> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let logging_in: Vec<_> =
            (0..logins).map(|n| scope.spawn(move || log_in(address, n, over))).collect();
        let until = Instant::now() + Duration::from_secs(arguments.phase_s);
        let chatting: Vec<_> = people
            .iter_mut()
            .map(|person| scope.spawn(move || person.chat(arguments.rate_per_s, until)))
            .collect();
        let mut latencies_us = new_histogram()?;
        let mut failed = None;
        for person in chatting {
            match person.join() {
                Ok(Ok(own_us)) => latencies_us.add(own_us)?,
                Ok(Err(error)) => failed = Some(error),
                Err(_) => bail!("a thread panicked"),
            }
        }
        over.store(true, Ordering::Relaxed);
        let mut count = (0, 0);
        for person in logging_in {
            match person.join() {
                Ok(Ok((done, busy))) => count = (count.0 + done, count.1 + busy),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => bail!("a thread panicked"),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok((latencies_us, count)),
        }
    })
}

/// Logs in again and again; how often it worked, and how often it was told to come again.
fn log_in(address: SocketAddr, number: usize, over: &AtomicBool) -> Result<(u64, u64)> {
    let body = account(number % PEOPLE);
    let (mut done, mut busy) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        match post(address, "/api/v1/auth/login", &body)? {
            200 => done += 1,
            503 => {
                busy += 1;
                thread::sleep(BUSY_PAUSE);
            }
            status => bail!("a login was answered {status}"),
        }
    }
    Ok((done, busy))
}

fn register(address: SocketAddr) -> Result<()> {
    for person in 0..PEOPLE {
        let status = post(address, "/api/v1/auth/register", &account(person))?;
        ensure!(status == 201, "the registration was answered {status}");
    }
    Ok(())
}

fn account(person: usize) -> String {
    format!("{{\"username\":\"bench{person}\",\"password\":\"{PASSWORD}\"}}")
}

/// The status of the answer to a JSON body, on a connection of its own.
fn post(address: SocketAddr, path: &str, body: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")
}
