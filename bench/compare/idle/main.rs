//! `cargo xtask bench idle`: what an idle session costs the gateway.
//!
//! ```text
//!   n users connect, each with a token ─► pairs open a direct conversation ─► each sends one message
//!   ─► quiet ─► RSS of the server, and its kernel memory where a memory cgroup can be made
//! ```
//!
//! Two sizes are measured, each with a server of its own; the figure is the slope between them, so what the server
//! costs without sessions does not count. Users answer pings, as clients do.

mod memory;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use ringwire_bench::client::Client;
use ringwire_bench::gateway::Gateway;
use ringwire_loadtest::token::Tokens;
use ringwire_protocol::wire;
use serde::Serialize;
use wire::command::Op;
use wire::reply::Outcome;

use memory::{Memory, MemoryGroup};

/// Users that have a command under way at the same time.
const AT_ONCE: usize = 200;
/// How often quiet users look for pings.
const LOOK: Duration = Duration::from_secs(5);
/// Far from the ids of people who registered.
const FIRST_USER: u64 = 2_000_000_001;

#[derive(Parser)]
#[command(about = "Measures the memory of idle sessions")]
struct Arguments {
    /// Sessions of the smaller and of the larger measurement; even.
    #[arg(long, value_delimiter = ',', default_values_t = [2_000, 18_000])]
    sessions: Vec<usize>,
    /// Quiet before the memory is read.
    #[arg(long, default_value_t = 60)]
    quiet_s: u64,
    /// Further arguments for the server.
    #[arg(long, value_delimiter = ' ')]
    server_args: Vec<String>,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Sample {
    sessions: usize,
    memory: Memory,
}

#[derive(Serialize)]
struct Report {
    samples: Vec<Sample>,
    rss_bytes_per_session: i64,
    kernel_bytes_per_session: Option<i64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let [small, large] = arguments.sessions[..] else {
        anyhow::bail!("--sessions takes two numbers");
    };
    ensure!(small < large && small % 2 == 0 && large % 2 == 0, "two even numbers, rising");
    let mut samples = Vec::new();
    for sessions in [small, large] {
        samples.push(Sample { sessions, memory: measure(sessions, &arguments)? });
    }
    let per_session = |bytes: fn(&Memory) -> Option<i64>| {
        let (first, last) = (bytes(&samples[0].memory)?, bytes(&samples[1].memory)?);
        Some((last - first) / (large - small) as i64)
    };
    let rss = per_session(|memory| Some(memory.rss_bytes)).context("RSS is always known")?;
    let kernel = per_session(|memory| memory.kernel_bytes);
    for sample in &samples {
        println!("{:>7} sessions: {:?}", sample.sessions, sample.memory);
    }
    println!("RSS per idle session: {rss} bytes");
    match kernel {
        Some(kernel) => println!("with kernel memory: {} bytes", rss + kernel),
        None => println!("kernel memory: not known (no memory cgroup can be made here)"),
    }
    if let Some(path) = arguments.report_json {
        let report =
            Report { samples, rss_bytes_per_session: rss, kernel_bytes_per_session: kernel };
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

/// A server with so many idle sessions, and its memory.
fn measure(sessions: usize, arguments: &Arguments) -> Result<Memory> {
    let group = MemoryGroup::new();
    let gateway = Gateway::start(&arguments.server_args)?;
    if let Some(group) = &group {
        group.admit(gateway.pid())?;
    }
    let tokens = Tokens::load(Some(&gateway.jwt_secret_file()))?;
    let mut users: Vec<Client> = Vec::with_capacity(sessions);
    let ids: Vec<u64> = (FIRST_USER..).take(sessions).collect();
    let mut looked_at = Instant::now();
    for some in ids.chunks(AT_ONCE) {
        // Or those who came first would be closed as idle before the last ones are there.
        if looked_at.elapsed() > LOOK {
            answer_pings(&mut users)?;
            looked_at = Instant::now();
        }
        let first = users.len();
        for id in some {
            let mut user = Client::connect(gateway.address(), *id)?;
            user.send(Op::Connect(wire::Connect {
                token: tokens.sign(*id)?,
                ..Default::default()
            }))?;
            users.push(user);
        }
        for user in &mut users[first..] {
            let reply = user.reply()?;
            ensure!(matches!(reply, Outcome::Connected(_)), "connect was answered {reply:?}");
        }
    }
    println!("{sessions} sessions connected");
    for pairs in users.chunks_mut(AT_ONCE) {
        exchange(pairs)?;
    }
    println!("{sessions} messages exchanged; quiet for {} s", arguments.quiet_s);
    let quiet_until = Instant::now() + Duration::from_secs(arguments.quiet_s);
    while Instant::now() < quiet_until {
        std::thread::sleep(LOOK.min(quiet_until.saturating_duration_since(Instant::now())));
        answer_pings(&mut users)?;
    }
    Memory::of(gateway.pid(), group.as_ref())
}

fn answer_pings(users: &mut [Client]) -> Result<()> {
    users.iter_mut().try_for_each(Client::answer_pings)
}

/// Pairs open their conversation, and each side says something.
fn exchange(users: &mut [Client]) -> Result<()> {
    let mut conversations = Vec::new();
    for pair in users.chunks_exact_mut(2) {
        let user_id = pair[1].user_id;
        pair[0].send(Op::OpenDirect(wire::OpenDirect { user_id, username: String::new() }))?;
    }
    for pair in users.chunks_exact_mut(2) {
        let Outcome::ConversationOpened(opened) = pair[0].reply()? else {
            anyhow::bail!("open_direct was refused");
        };
        let head = opened.head.unwrap_or_default();
        conversations.push(head.conversation.unwrap_or_default().conversation_id);
    }
    for (pair, conversation_id) in users.chunks_exact_mut(2).zip(conversations) {
        for user in pair {
            let message = wire::Message { text: "x".repeat(64), ..Default::default() };
            let client_msg_id = "1".to_owned();
            let send = wire::Send {
                conversation_id,
                client_msg_id,
                message: Some(message),
                after: String::new(),
            };
            user.send(Op::Send(send))?;
        }
    }
    for user in users {
        let reply = user.reply()?;
        ensure!(matches!(reply, Outcome::SendAck(_)), "send was answered {reply:?}");
    }
    Ok(())
}
