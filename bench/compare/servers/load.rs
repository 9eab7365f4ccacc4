//! The load: one thread, one epoll.
//!
//! ```text
//!   echo:     every connection has `depth` messages in flight; each that comes back is followed by the next one
//!   fan-out:  the first connection sends `depth` messages in one write; when everybody has got them all, the next ones
//! ```
//!
//! Each message that arrives is compared with what was sent; all that one read brings is answered by one write. What
//! else a server's protocol asks for, is answered too.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::cpu::Usage;
use crate::handshake::connect;
use crate::wire::{Arrival, Wire};
use crate::{Cell, Workload};
use ringwire_bench::poll::{Event, Poll};

/// Without a single message for this long, the server is stuck or has lost a message.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
const POLL_LIMIT_MS: i32 = 100;
const READ_BYTES: usize = 256 * 1_024;

/// One measurement of one server.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    /// Messages echoed, or delivered, per CPU-second of the server.
    pub(crate) messages_per_cpu_s: f64,
    /// The same per second.
    pub(crate) messages_per_s: f64,
    /// How much of its core the server used; below 1 the load was the limit.
    pub(crate) cpu_share: f64,
    /// Cores that neither the server nor the load used.
    pub(crate) others_cpu_share: f64,
}

impl Sample {
    pub(crate) fn new(measured: Measured, usage: Usage) -> Self {
        let messages = measured.messages as f64;
        let elapsed_s = measured.elapsed.as_secs_f64();
        Self {
            messages_per_cpu_s: messages / usage.server.as_secs_f64(),
            messages_per_s: messages / elapsed_s,
            cpu_share: usage.server.as_secs_f64() / elapsed_s,
            others_cpu_share: usage.others.as_secs_f64() / elapsed_s,
        }
    }
}

/// What a run brought back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    messages: u64,
    elapsed: Duration,
}

/// Open connections, all handshakes done.
pub(crate) struct Load {
    workload: Workload,
    wire: Wire,
    depth: usize,
    poll: Poll,
    connections: Vec<Connection>,
    input: Vec<u8>,
    output: Vec<u8>,
    started: bool,
    /// Fan-out: deliveries of the last messages that have not arrived.
    awaited: u64,
}

struct Connection {
    stream: TcpStream,
    sent: u64,
    received: u64,
    /// The beginning of a reply whose rest has not arrived.
    partial: Vec<u8>,
    /// The end of what the socket did not take at once.
    unsent: Vec<u8>,
}

impl Load {
    /// Connects, one connection after the other.
    pub(crate) fn connect(
        workload: Workload,
        address: SocketAddr,
        wire: Wire,
        cell: Cell,
    ) -> Result<Self> {
        // Readiness is told once, so one read has to take everything there can be.
        ensure!(cell.depth * wire.reply_bytes() < READ_BYTES, "too many bytes in flight");
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(cell.connections);
        for index in 0..cell.connections {
            let stream =
                connect(address, wire.framing()).with_context(|| format!("connection {index}"))?;
            poll.watch(stream.as_raw_fd(), index as u64)?;
            connections.push(Connection {
                stream,
                sent: 0,
                received: 0,
                partial: Vec::new(),
                unsent: Vec::new(),
            });
        }
        Ok(Self {
            workload,
            wire,
            depth: cell.depth,
            poll,
            connections,
            input: vec![0; READ_BYTES],
            output: Vec::new(),
            started: false,
            awaited: 0,
        })
    }

    /// Keeps the load up for a while; messages stay in flight at its end.
    pub(crate) fn run_for(&mut self, duration: Duration) -> Result<Measured> {
        if !self.started {
            self.started = true;
            match self.workload {
                Workload::Echo => {
                    for index in 0..self.connections.len() {
                        self.send(index, self.depth)?;
                    }
                }
                Workload::Fanout => self.publish()?,
            }
        }
        let started = Instant::now();
        let mut messages = 0;
        let mut last_echo = started;
        let mut now = started;
        while now.duration_since(started) < duration {
            let echoed = self.turn(true)?;
            now = Instant::now();
            if echoed > 0 {
                last_echo = now;
            }
            ensure!(
                now.duration_since(last_echo) < SILENCE_LIMIT,
                "nothing came for {SILENCE_LIMIT:?}"
            );
            messages += echoed;
        }
        Ok(Measured { messages, elapsed: now.duration_since(started) })
    }

    /// Waits for every echo still in flight, then closes the connections.
    pub(crate) fn finish(mut self) -> Result<()> {
        let mut last_echo = Instant::now();
        while (0..self.connections.len()).any(|index| self.is_owed(index)) {
            if self.turn(false)? > 0 {
                last_echo = Instant::now();
            }
            ensure!(last_echo.elapsed() < SILENCE_LIMIT, "messages are missing at the end");
        }
        for connection in &self.connections {
            ensure!(connection.partial.is_empty(), "bytes that nobody sent came back");
            reset_on_close(&connection.stream)?;
        }
        Ok(())
    }

    /// Messages for this connection are still in flight.
    fn is_owed(&self, index: usize) -> bool {
        self.connections[index].received < self.connections[self.author(index)].sent
    }

    /// One wait and what it brought; returns the echoes. `refill`: send new ones.
    fn turn(&mut self, refill: bool) -> Result<u64> {
        let mut echoed = 0;
        let mut events = [Event::default(); 512];
        let ready = self.poll.wait(&mut events, POLL_LIMIT_MS)?;
        for event in &events[..ready] {
            let index = event.token as usize;
            if event.writable && !self.connections[index].unsent.is_empty() {
                self.output.clear();
                self.flush(index)?;
            }
            if event.readable {
                let fresh = self.receive(index)?;
                echoed += fresh as u64;
                if refill && fresh > 0 && self.workload == Workload::Echo {
                    self.send(index, fresh)?;
                }
            }
        }
        if self.workload == Workload::Fanout {
            self.awaited -= echoed;
            if refill && self.awaited == 0 {
                self.publish()?;
            }
        }
        Ok(echoed)
    }

    /// The first connection says the next messages to everybody, itself included.
    fn publish(&mut self) -> Result<()> {
        self.awaited = (self.depth * self.connections.len()) as u64;
        self.send(0, self.depth)
    }

    /// Whose messages a connection gets.
    fn author(&self, index: usize) -> usize {
        match self.workload {
            Workload::Echo => index,
            Workload::Fanout => 0,
        }
    }

    /// Reads once and checks every whole reply; returns how many there were.
    fn receive(&mut self, index: usize) -> Result<usize> {
        let author = self.author(index);
        let sent = self.connections[author].sent;
        let connection = &mut self.connections[index];
        let kept = connection.partial.len();
        self.input[..kept].copy_from_slice(&connection.partial);
        let read = match connection.stream.read(&mut self.input[kept..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error).context("reading a message"),
        };
        ensure!(read > 0, "the server closed connection {index}");
        let mut rest = &self.input[..kept + read];
        let (mut count, mut pings) = (0, 0);
        while let Some((arrival, length)) = self.wire.first(rest) {
            let (message, others) = rest.split_at(length);
            rest = others;
            match arrival {
                Arrival::Reply => {
                    self.wire.check(author as u32, connection.received, message)?;
                    connection.received += 1;
                    count += 1;
                }
                Arrival::Ping => pings += 1,
            }
        }
        ensure!(connection.received <= sent, "more came back than was sent");
        connection.partial.clear();
        connection.partial.extend_from_slice(rest);
        if pings > 0 {
            self.output.clear();
            self.output.extend(self.wire.pong().repeat(pings));
            self.flush(index)?;
        }
        Ok(count)
    }

    /// Sends the next `count` messages in one write.
    fn send(&mut self, index: usize, count: usize) -> Result<()> {
        self.output.clear();
        let connection = &mut self.connections[index];
        for _ in 0..count {
            self.wire.write(index as u32, connection.sent, &mut self.output);
            connection.sent += 1;
        }
        self.flush(index)
    }

    /// Writes what the connection still owes, then the output; keeps what the socket does not take.
    fn flush(&mut self, index: usize) -> Result<()> {
        let connection = &mut self.connections[index];
        if connection.unsent.is_empty() {
            let taken = write(&mut connection.stream, &self.output)?;
            connection.unsent.extend_from_slice(&self.output[taken..]);
        } else {
            connection.unsent.extend_from_slice(&self.output);
            let taken = write(&mut connection.stream, &connection.unsent)?;
            connection.unsent.drain(..taken);
        }
        Ok(())
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
    match stream.write(bytes) {
        Ok(taken) => Ok(taken),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error).context("sending messages"),
    }
}

/// Closing then resets the connection: thousands of them in TIME_WAIT would use up the ports.
fn reset_on_close(stream: &TcpStream) -> Result<()> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: the pointer is valid for reads of the size given, and the descriptor is open.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of_val(&linger) as libc::socklen_t,
        )
    };
    ensure!(result == 0, "SO_LINGER: {}", io::Error::last_os_error());
    Ok(())
}
