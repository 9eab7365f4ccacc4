//! `cargo xtask bench connect`: how many sessions a second the gateway opens, and what one costs it.
//!
//! ```text
//!   n users, many at once: TCP ─► upgrade ─► `connect` with an HS256 token ─► `connected`
//!   new users ─► all dropped ─► the same users again ─► all dropped ─► the same sessions, resumed
//! ```
//!
//! Each step is timed for itself, and the gateway's CPU time is read before and after it. The gateway is a fresh one
//! with SQLite. Nobody waits for anybody: a thread opens its sessions one after the other and keeps them, so as many
//! are on their way as there are threads.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use ringwire_bench::client::Client;
use ringwire_bench::gateway::Gateway;
use ringwire_bench::process::cpu_seconds_of_tree;
use ringwire_loadtest::token::Tokens;
use ringwire_protocol::wire;
use serde::Serialize;
use wire::command::Op;
use wire::reply::Outcome;

/// Far from the ids of people who registered.
const FIRST_USER: u64 = 2_000_000_001;
/// For what the server has to do about connections that ended, so that it does not count for the next step. Shorter
/// than the time for which a session can be resumed.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Parser)]
#[command(about = "Measures how fast sessions are opened and resumed")]
struct Arguments {
    /// Sessions to open.
    #[arg(long, default_value_t = 5_000)]
    sessions: usize,
    /// How many of them are on their way at the same time.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
    /// Further arguments for the server.
    #[arg(long, value_delimiter = ' ')]
    server_args: Vec<String>,
    /// Where to write the figures, as JSON.
    #[arg(long)]
    report_json: Option<PathBuf>,
}

/// What one step came to.
#[derive(Serialize)]
struct Step {
    name: &'static str,
    sessions: usize,
    /// Those that went on where they had been.
    resumed: usize,
    seconds: f64,
    sessions_per_s: f64,
    server_cpu_ms_per_session: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// A user, and the session it has or had.
struct User {
    id: u64,
    token: String,
    session_id: String,
    client: Option<Client>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (sessions, at_once) = (arguments.sessions, arguments.at_once);
    ensure!(sessions > 0 && at_once > 0, "at least one session, and one at once");
    let gateway = Gateway::start(&arguments.server_args)?;
    let tokens = Tokens::load(Some(&gateway.jwt_secret_file()))?;
    let mut users: Vec<User> = (FIRST_USER..)
        .take(sessions)
        .map(|id| Ok(User { id, token: tokens.sign(id)?, session_id: String::new(), client: None }))
        .collect::<Result<_>>()?;

    let mut steps = Vec::new();
    for (name, resume) in [("new users", false), ("known users", false), ("resume", true)] {
        // Closes what the step before had opened.
        for user in &mut users {
            user.client = None;
        }
        thread::sleep(SETTLE);
        let step = measure(name, resume, &gateway, &mut users, at_once)?;
        println!(
            "{name:<12} {:>7.0} sessions/s, {:.3} ms of server CPU each; p50 {:.1} ms, p99 {:.1} ms; {} of {} resumed",
            step.sessions_per_s,
            step.server_cpu_ms_per_session,
            step.p50_ms,
            step.p99_ms,
            step.resumed,
            step.sessions,
        );
        steps.push(step);
    }
    if let Some(path) = arguments.report_json {
        std::fs::write(path, serde_json::to_string_pretty(&steps)?)?;
    }
    Ok(())
}

/// Opens a session for every user.
fn measure(
    name: &'static str,
    resume: bool,
    gateway: &Gateway,
    users: &mut [User],
    at_once: usize,
) -> Result<Step> {
    let sessions = users.len();
    let cpu_before_s = cpu_seconds_of_tree(gateway.pid())?;
    let began = Instant::now();
    let address = gateway.address();
    let outcomes: Vec<Result<(Histogram<u64>, usize)>> = thread::scope(|scope| {
        let threads: Vec<_> = users
            .chunks_mut(sessions.div_ceil(at_once))
            .map(|share| scope.spawn(move || open_all(address, share, resume)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked")))
            .collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let cpu_s = cpu_seconds_of_tree(gateway.pid())? - cpu_before_s;
    let mut latencies_us = new_histogram()?;
    let mut resumed = 0;
    for outcome in outcomes {
        let (own_us, own_resumed) = outcome?;
        latencies_us.add(own_us)?;
        resumed += own_resumed;
    }
    let quantile_ms = |quantile| latencies_us.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Step {
        name,
        sessions,
        resumed,
        seconds,
        sessions_per_s: sessions as f64 / seconds,
        server_cpu_ms_per_session: cpu_s * 1000.0 / sessions as f64,
        p50_ms: quantile_ms(0.5),
        p99_ms: quantile_ms(0.99),
    })
}

fn new_histogram() -> Result<Histogram<u64>> {
    Histogram::new(3).context("three digits are allowed")
}

/// Opens the sessions of one thread's users; how long each took, and how many were resumed.
fn open_all(
    address: SocketAddr,
    users: &mut [User],
    resume: bool,
) -> Result<(Histogram<u64>, usize)> {
    let mut latencies_us = new_histogram()?;
    let mut resumed = 0;
    for user in users {
        let began = Instant::now();
        let connected = open(address, user, resume)?;
        latencies_us.record(began.elapsed().as_micros() as u64)?;
        resumed += usize::from(connected.resumed);
        user.session_id = connected.session_id;
    }
    Ok((latencies_us, resumed))
}

/// One session, from the first packet to `connected`.
fn open(address: SocketAddr, user: &mut User, resume: bool) -> Result<wire::Connected> {
    let mut client = Client::connect(address, user.id)?;
    // Nothing was pushed to it.
    let resume = resume.then(|| wire::Resume { session_id: user.session_id.clone(), received: 0 });
    client.send(Op::Connect(wire::Connect {
        token: user.token.clone(),
        device_id: "bench".to_owned(),
        resume,
        ..Default::default()
    }))?;
    let reply = client.reply()?;
    user.client = Some(client);
    match reply {
        Outcome::Connected(connected) => Ok(connected),
        other => bail!("connect was answered {other:?}"),
    }
}
