//! A TCP proxy between a client and Postgres that fails as networks do: by plan, or at random from a seed.
//!
//! ```text
//!   client ──► up   ──► server     plan:   cut in the middle of the request that holds a marker
//!   client ◄── down ◄── server             lose the answer to it: carried out, never heard of
//!                                  chaos:  cut, delay, lose an answer, hold a connection half open
//! ```
//!
//! The answer that is lost is the one with which the server says that no transaction is open any more (ReadyForQuery,
//! idle); in its place the connection is cut: whatever was to be committed by then is.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// How Postgres says that it waits for the next request and no transaction is open.
const IDLE: &[u8] = b"Z\0\0\0\x05I";
/// The longest delay of chaos.
const DELAY_MAX_MS: u64 = 20;

/// What happens at random, in thousandths of the chunks of bytes that pass.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// The connection is cut, and the chunk lost.
    pub cut: u32,
    /// The chunk comes up to 20 ms late.
    pub delay: u32,
    /// The request is carried out, the answer lost, the connection cut.
    pub lose_answer: u32,
    /// Nothing passes any more, and nobody is told.
    pub half_open: u32,
    /// How long it stays like that before the connection is cut after all.
    pub half_open_for: Duration,
}

/// What is to happen to the next request that holds a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is carried out, the answer lost and the connection cut.
    LoseAnswer,
    /// It is cut off right before the marker.
    CutInside,
}

/// Passes connections on to a server until told to fail.
///
/// The threads end with their connections; the listening one ends with the process.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    seed: u64,
    chaos: Mutex<Option<Chaos>>,
    plan: Mutex<Option<(Vec<u8>, Fault)>>,
    lose_next: AtomicBool,
    streams: AtomicU64,
    /// The clients' ends of the connections there are, by number.
    open: Mutex<HashMap<u64, TcpStream>>,
    cuts: AtomicUsize,
    lost: AtomicUsize,
    half_open: AtomicUsize,
}

impl ChaosProxy {
    /// Listens on a free port of 127.0.0.1 for a server on `port` there.
    pub fn start(port: u16) -> io::Result<Self> {
        Self::start_seeded(port, 0)
    }

    /// The same; chaos is drawn from this seed.
    pub fn start_seeded(port: u16, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            seed,
            chaos: Mutex::default(),
            plan: Mutex::default(),
            lose_next: AtomicBool::default(),
            streams: AtomicU64::default(),
            open: Mutex::default(),
            cuts: AtomicUsize::default(),
            lost: AtomicUsize::default(),
            half_open: AtomicUsize::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                // A connection that cannot be set up is simply closed.
                let _ = pass(&client, &server, &shared);
            }
        });
        Ok(Self { address, state })
    }

    /// Where clients connect.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Fails at random from now on; `None`: no more.
    pub fn rage(&self, chaos: Option<Chaos>) {
        *lock(&self.state.chaos) = chaos;
    }

    /// The next request that holds `marker` fails like this.
    pub fn plan(&self, marker: &str, fault: Fault) {
        *lock(&self.state.plan) = Some((marker.as_bytes().to_vec(), fault));
    }

    /// The next answer is lost, whatever it answers.
    pub fn lose_next_answer(&self) {
        self.state.lose_next.store(true, SeqCst);
    }

    /// Cuts every connection there is, whether anything passes on it or not.
    pub fn cut_all(&self) {
        for (_, client) in lock(&self.state.open).drain() {
            // Its threads see the end and close both sides; already closed is as good.
            let _ = client.shutdown(Shutdown::Both);
            self.state.cuts.fetch_add(1, SeqCst);
        }
    }

    /// How many connections were cut, for whatever reason.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(SeqCst)
    }

    /// How many requests were carried out while their answer was lost.
    pub fn lost_answers(&self) -> usize {
        self.state.lost.load(SeqCst)
    }

    /// How many connections were held half open.
    pub fn half_open(&self) -> usize {
        self.state.half_open.load(SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass(client: &TcpStream, server: &TcpStream, state: &Arc<State>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let losing = Arc::new(AtomicBool::new(false));
    let number = state.streams.fetch_add(1, SeqCst);
    let seed = state.seed ^ (number << 32);
    lock(&state.open).insert(number, client.try_clone()?);
    for (from, to, up) in [(client, server, true), (server, client, false)] {
        let stream = Stream {
            number,
            from: from.try_clone()?,
            to: to.try_clone()?,
            up,
            losing: Arc::clone(&losing),
            state: Arc::clone(state),
            random: StdRng::seed_from_u64(seed ^ u64::from(up)),
            tail: Vec::new(),
        };
        thread::spawn(move || stream.run());
    }
    Ok(())
}

/// One direction of a connection.
struct Stream {
    /// Which connection it is of.
    number: u64,
    from: TcpStream,
    to: TcpStream,
    /// From the client to the server.
    up: bool,
    /// The server's answer does not reach the client.
    losing: Arc<AtomicBool>,
    state: Arc<State>,
    random: StdRng,
    /// The end of what has passed, for what lies across two chunks.
    tail: Vec<u8>,
}

impl Stream {
    /// Copies until either side ends or fate says so, then closes both.
    fn run(mut self) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            let chunk = &buffer[..count];
            if !(if self.up { self.upwards(chunk) } else { self.downwards(chunk) }) {
                self.state.cuts.fetch_add(1, SeqCst);
                break;
            }
        }
        lock(&self.state.open).remove(&self.number);
        // Already closed is as good.
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }

    /// `false`: cut now.
    fn upwards(&mut self, chunk: &[u8]) -> bool {
        let mut plan = lock(&self.state.plan);
        if let Some((marker, fault)) = &*plan {
            let tail = self.tail.len().min(marker.len() - 1);
            let seen = [&self.tail[self.tail.len() - tail..], chunk].concat();
            if let Some(at) = seen.windows(marker.len()).position(|window| window == marker) {
                let fault = *fault;
                *plan = None;
                drop(plan);
                if fault == Fault::CutInside {
                    let _ = self.to.write_all(&chunk[..at.saturating_sub(tail)]);
                    return false;
                }
                self.losing.store(true, SeqCst);
                return self.to.write_all(chunk).is_ok();
            }
            drop(plan);
        } else {
            drop(plan);
        }
        self.remember(chunk, 64);
        self.survives_chaos() && self.to.write_all(chunk).is_ok()
    }

    /// `false`: cut now.
    fn downwards(&mut self, chunk: &[u8]) -> bool {
        if self.state.lose_next.swap(false, SeqCst) {
            self.losing.store(true, SeqCst);
        }
        self.remember(chunk, IDLE.len());
        // What comes before it may pass: a client that goes step by step would not come to its commit otherwise.
        if self.losing.load(SeqCst) && self.tail.ends_with(IDLE) {
            self.state.lost.fetch_add(1, SeqCst);
            return false;
        }
        self.survives_chaos() && self.to.write_all(chunk).is_ok()
    }

    fn remember(&mut self, chunk: &[u8], bytes: usize) {
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(bytes)..]);
        self.tail.drain(..self.tail.len().saturating_sub(bytes));
    }

    fn survives_chaos(&mut self) -> bool {
        let Some(chaos) = *lock(&self.state.chaos) else { return true };
        let fate = self.random.random_range(0..1000);
        let bounds = [chaos.cut, chaos.lose_answer, chaos.half_open, chaos.delay];
        let mut below = 0;
        let hit = bounds.iter().position(|share| {
            below += share;
            fate < below
        });
        match hit {
            Some(0) => return false,
            Some(1) => self.losing.store(true, SeqCst),
            Some(2) => {
                self.state.half_open.fetch_add(1, SeqCst);
                thread::sleep(chaos.half_open_for);
                return false;
            }
            Some(_) => {
                thread::sleep(Duration::from_millis(self.random.random_range(0..=DELAY_MAX_MS)));
            }
            None => {}
        }
        true
    }
}
