//! The write halves of a shard's connections: what waits to be sent, and to whom.
//!
//! ```text
//!   write / push ─► outbox ─► dirty list ─► flush pass (`flush`) ─► blocked? wait until writable
//! ```
//!
//! Invariants: a link is on the dirty list at most once; nothing is written behind a close frame; a key of a link that
//! is gone matches nothing, because generations never repeat within a slot.

use std::io;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::websocket::{MessageKind, frame};
use slab::Slab;

use super::buffers::BufferPool;
use super::endpoint::Endpoint;
use super::flush::flush;
use super::outbox::Outbox;
use super::wheel::{Tick, Wheel};
use crate::limits;
use crate::net::SendRing;

/// Names a connection on its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkKey {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl LinkKey {
    /// Its place among the shard's connections; used again when it is gone.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// A key of no connection, for tests that only compare keys.
    #[cfg(test)]
    pub(crate) const fn numbered(index: u32) -> Self {
        Self { index, generation: 0 }
    }
}

/// When silent connections are pinged and closed.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    /// Silence before a ping, in seconds.
    pub ping_after_s: u32,
    /// Silence before the connection is given up, in seconds.
    pub close_after_s: u32,
}

/// What the sweep found; the application knows what to tell the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Nothing was heard for too long.
    Idle,
    /// The outbox stayed full without progress.
    Slow,
}

pub(super) struct Link {
    pub(super) generation: u32,
    pub(super) endpoint: Endpoint,
    pub(super) outbox: Outbox,
    /// Messages may be compressed.
    deflate: bool,
    pub(super) dirty: bool,
    /// A task waits for the socket to be writable.
    pub(super) blocked: bool,
    /// Somebody waits for the outbox to be empty.
    pub(super) report_drained: bool,
    /// Tick at which the peer was last seen to take something of what the full socket holds.
    pub(super) blocked_since: Tick,
    /// What the full socket held then, in bytes.
    pub(super) untaken: usize,
    /// The wheel holds a check of `blocked_since`.
    pub(super) watched: bool,
    /// A close frame is in the outbox or sent.
    closing: bool,
    /// Both sides are done: end the socket when the outbox is empty.
    pub(super) finishing: bool,
    paused: bool,
    reader: Option<Waker>,
    last_heard: Tick,
}

impl Link {
    /// Nothing can be sent any more. The reading task learns it from the same socket, also if it was paused.
    pub(super) fn peer_is_gone(&mut self) {
        self.endpoint.sink().shutdown();
        self.closing = true;
        self.paused = false;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    Heartbeat(LinkKey),
    Progress(LinkKey),
    /// Our close frame is out; the peer has had its time to answer.
    Closing(LinkKey),
}

/// What has passed through a shard's connections, and what waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Reads that gave bytes.
    pub receives: u64,
    /// Bytes read.
    pub received_bytes: u64,
    /// Times an outbox was given to its socket.
    pub sends: u64,
    /// Bytes that sockets took.
    pub sent_bytes: u64,
    /// Entries that were not pushed for want of room.
    pub left_out: u64,
    /// Bytes in all outboxes.
    pub queued_bytes: usize,
}

/// The write halves of all connections of a shard.
pub struct Links {
    pub(super) slab: Slab<Link>,
    next_generation: u32,
    pub(super) pool: BufferPool,
    deflater: Deflater,
    pub(super) dirty: Vec<LinkKey>,
    /// Sends the pieces of a pass together, where there is one.
    pub(super) ring: Option<SendRing>,
    /// Places in `dirty` of what the ring sends; empty between passes.
    pub(super) together: Vec<usize>,
    flusher: Option<Waker>,
    pub(super) wheel: Wheel<Check>,
    heartbeat: Heartbeat,
    pub(super) traffic: Traffic,
}

impl Links {
    /// No connections yet.
    pub fn new(heartbeat: Heartbeat) -> Self {
        Self {
            slab: Slab::new(),
            next_generation: 0,
            pool: BufferPool::default(),
            deflater: Deflater::default(),
            dirty: Vec::new(),
            ring: None,
            together: Vec::new(),
            flusher: None,
            wheel: Wheel::new(),
            heartbeat,
            traffic: Traffic::default(),
        }
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// The keys of all connections.
    pub fn keys(&self) -> Vec<LinkKey> {
        self.slab
            .iter()
            .map(|(index, link)| LinkKey { index: index as u32, generation: link.generation })
            .collect()
    }

    /// Takes a connection in.
    pub fn insert(&mut self, endpoint: Endpoint) -> LinkKey {
        self.next_generation = self.next_generation.wrapping_add(1);
        let generation = self.next_generation;
        let now = self.wheel.now();
        let index = self.slab.insert(Link {
            generation,
            endpoint,
            outbox: Outbox::default(),
            deflate: false,
            dirty: false,
            blocked: false,
            report_drained: false,
            blocked_since: now,
            untaken: usize::MAX,
            watched: false,
            closing: false,
            finishing: false,
            paused: false,
            reader: None,
            last_heard: now,
        });
        let key = LinkKey { index: index as u32, generation };
        self.wheel.schedule(now + self.heartbeat.ping_after_s, Check::Heartbeat(key));
        key
    }

    /// The connection's handshake agreed on compressed messages.
    pub fn allow_deflate(&mut self, key: LinkKey) {
        if let Some(link) = self.get(key) {
            link.deflate = true;
        }
    }

    /// Forgets a connection; what its outbox still held is dropped.
    pub fn remove(&mut self, key: LinkKey) {
        if self.get(key).is_some() {
            let mut link = self.slab.remove(key.index as usize);
            self.traffic.queued_bytes -= link.outbox.queued_bytes();
            link.outbox.clear(&mut self.pool);
            if link.blocked {
                // Ends the wait for a writable socket, which holds on to the descriptor.
                link.endpoint.sink().shutdown();
            }
        }
    }

    fn get(&mut self, key: LinkKey) -> Option<&mut Link> {
        self.slab.get_mut(key.index as usize).filter(|link| link.generation == key.generation)
    }

    /// Appends to what the connection sends next. Ignored after a close frame and for links that are gone.
    pub fn write(&mut self, key: LinkKey, write: impl FnOnce(&mut BytesMut)) {
        self.with_open(key, |link, pool, _| link.outbox.write(pool, write));
    }

    /// Sends a frame that other connections may send as well.
    pub fn push(&mut self, key: LinkKey, frame: &Bytes) {
        self.with_open(key, |link, pool, _| link.outbox.push(pool, frame));
    }

    /// Sends a frame, of a message of this kind, that many connections are sent one after the other.
    pub fn push_common(&mut self, key: LinkKey, kind: MessageKind, frame: &Bytes) {
        self.with_open(key, |link, pool, _| {
            if link.blocked {
                // No pass sees to it soon.
                link.outbox.push(pool, frame);
            } else {
                link.outbox.push_common(pool, kind, frame);
            }
        });
    }

    /// Sends one message, compressed where that was agreed on and makes it smaller.
    pub fn send_message(&mut self, key: LinkKey, kind: MessageKind, payload: &[u8]) {
        self.with_open(key, |link, pool, deflater| {
            let deflate = link.deflate;
            link.outbox.write(pool, |buffer| {
                if deflate {
                    frame::put_smaller_server_frame(kind, payload, deflater, buffer);
                } else {
                    frame::put_server_frame(kind, payload, buffer);
                }
            });
        });
    }

    /// The shard's compressor, if messages to this connection may be compressed.
    pub fn deflater_for(&mut self, key: LinkKey) -> Option<&mut Deflater> {
        let deflate = self.get(key).is_some_and(|link| link.deflate);
        deflate.then_some(&mut self.deflater)
    }

    fn with_open(
        &mut self,
        key: LinkKey,
        change: impl FnOnce(&mut Link, &mut BufferPool, &mut Deflater),
    ) {
        let Some(link) = self
            .slab
            .get_mut(key.index as usize)
            .filter(|link| link.generation == key.generation && !link.closing)
        else {
            return;
        };
        let before = link.outbox.queued_bytes();
        change(link, &mut self.pool, &mut self.deflater);
        self.traffic.queued_bytes += link.outbox.queued_bytes() - before;
        if !link.dirty && !link.blocked {
            link.dirty = true;
            self.dirty.push(key);
            self.wake_flusher();
        }
    }

    fn wake_flusher(&mut self) {
        if let Some(waker) = self.flusher.take() {
            waker.wake();
        }
    }

    /// Bytes that wait in the connection's outbox; 0 when it is gone.
    pub fn queued_bytes(&mut self, key: LinkKey) -> usize {
        self.get(key).map_or(0, |link| link.outbox.queued_bytes())
    }

    /// Gives the socket what it takes before the next flush pass, unless it is known to be full; answers what is left.
    /// For an outbox that many pushes of one turn have filled: its peer may be reading all the time.
    pub fn relieve(&mut self, key: LinkKey) -> usize {
        let Some(link) =
            self.slab.get_mut(key.index as usize).filter(|link| link.generation == key.generation)
        else {
            return 0;
        };
        if !link.blocked {
            // The pass, which is due anyway, sees to a full or a broken socket.
            let _ = flush(link, &mut self.pool, &mut self.traffic);
        }
        link.outbox.queued_bytes()
    }

    /// Starts the close handshake (RFC 6455 section 7.1.2); nothing is sent after it.
    pub fn close(&mut self, key: LinkKey, code: u16, reason: &str) {
        self.write(key, |buffer| {
            buffer.extend_from_slice(&frame::server_close_frame(code, reason));
        });
        let deadline = self.wheel.now() + limits::CLOSE_WAIT_S;
        if let Some(link) = self.get(key) {
            link.closing = true;
            link.paused = false;
            if let Some(reader) = link.reader.take() {
                reader.wake();
            }
            self.wheel.schedule(deadline, Check::Closing(key));
        }
    }

    /// Sends the answer to the peer's close frame and ends the socket after it. `farewell` is empty when our own
    /// close frame was the first.
    pub fn finish(&mut self, key: LinkKey, farewell: &[u8]) {
        if !farewell.is_empty() {
            self.write(key, |buffer| buffer.extend_from_slice(farewell));
        }
        if let Some(link) = self.get(key) {
            link.closing = true;
            link.finishing = true;
            if link.outbox.queued_bytes() == 0 {
                link.endpoint.sink().shutdown();
            }
        }
    }

    /// Has [`Pass::drained`](super::flush::Pass::drained) name this connection when everything queued is sent, also if that is nothing.
    pub fn report_when_drained(&mut self, key: LinkKey) {
        self.with_open(key, |link, _, _| link.report_drained = true);
    }

    /// Whether a close frame was queued.
    pub fn is_closing(&mut self, key: LinkKey) -> bool {
        self.get(key).is_none_or(|link| link.closing)
    }

    /// What has passed, and what waits.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Counts what was read at once.
    pub fn count_received(&mut self, bytes: u64) {
        self.traffic.receives += 1;
        self.traffic.received_bytes += bytes;
    }

    /// Counts an entry that a session was not pushed.
    pub fn count_left_out(&mut self) {
        self.traffic.left_out += 1;
    }

    /// Notes that bytes came from the peer.
    pub fn heard(&mut self, key: LinkKey) {
        let now = self.wheel.now();
        if let Some(link) = self.get(key) {
            link.last_heard = now;
        }
    }

    /// Stops or resumes reading from the connection.
    pub fn set_paused(&mut self, key: LinkKey, paused: bool) {
        if let Some(link) = self.get(key) {
            link.paused = paused && !link.closing;
            link.report_drained |= paused;
            if !link.paused
                && let Some(reader) = link.reader.take()
            {
                reader.wake();
            }
        }
    }

    /// Ready when the connection may be read.
    pub fn poll_unpaused(&mut self, key: LinkKey, context: &mut Context<'_>) -> Poll<()> {
        match self.get(key) {
            Some(link) if link.paused => {
                link.reader = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// Ready when a connection has something to send.
    pub fn poll_dirty(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.dirty.is_empty() {
            self.flusher = Some(context.waker().clone());
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    /// Goes on with a connection whose socket became writable.
    pub fn unblocked(&mut self, key: LinkKey, ready: &io::Result<()>) {
        let Some(link) = self.get(key) else { return };
        link.blocked = false;
        if ready.is_err() {
            link.peer_is_gone();
        } else if !link.dirty {
            link.dirty = true;
            self.dirty.push(key);
            self.wake_flusher();
        }
    }

    /// Ends the socket at once; what it has not sent is lost.
    pub fn abort(&mut self, key: LinkKey) {
        if let Some(link) = self.get(key) {
            link.endpoint.sink().abort();
        }
    }

    /// Goes on by one second: pings the silent, returns those that are overdue.
    pub fn sweep(&mut self) -> Vec<(LinkKey, Overdue)> {
        let mut due = Vec::new();
        self.wheel.advance(&mut due);
        let mut overdue = Vec::new();
        for check in due {
            match check {
                Check::Heartbeat(key) => {
                    if self.check_heartbeat(key) {
                        overdue.push((key, Overdue::Idle));
                    }
                }
                Check::Progress(key) => {
                    if self.check_progress(key) {
                        overdue.push((key, Overdue::Slow));
                    }
                }
                Check::Closing(key) => self.abort(key),
            }
        }
        overdue
    }

    fn check_heartbeat(&mut self, key: LinkKey) -> bool {
        let now = self.wheel.now();
        let Heartbeat { ping_after_s, close_after_s } = self.heartbeat;
        let Some(link) = self.get(key) else { return false };
        if link.paused {
            // We do not read from it, so its silence is ours.
            link.last_heard = now;
        }
        let silent_s = now - link.last_heard;
        if silent_s >= close_after_s {
            return true;
        }
        let next = if silent_s >= ping_after_s {
            self.write(key, |buffer| {
                buffer.extend_from_slice(&frame::server_ping_frame(b""));
            });
            now + (close_after_s - silent_s).min(ping_after_s)
        } else {
            now + (ping_after_s - silent_s)
        };
        self.wheel.schedule(next, Check::Heartbeat(key));
        false
    }

    fn check_progress(&mut self, key: LinkKey) -> bool {
        let now = self.wheel.now();
        let Some(link) = self.get(key) else { return false };
        link.watched = link.blocked;
        if !link.blocked {
            return false;
        }
        // A socket is writable only when a good part of it was taken; who takes less is slow, but alive.
        let untaken = link.endpoint.sink().untaken();
        if untaken < link.untaken {
            link.untaken = untaken;
            link.blocked_since = now;
        }
        let due = link.blocked_since + limits::SLOW_CONSUMER_S;
        if due > now {
            self.wheel.schedule(due, Check::Progress(key));
        }
        due <= now
    }

    /// Seconds since the shard started.
    pub fn now(&self) -> u32 {
        self.wheel.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_link_is_small() {
        assert!(size_of::<Link>() <= 104, "{}", size_of::<Link>());
    }
}
