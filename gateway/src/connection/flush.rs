//! The flush pass of a shard: what its connections have queued goes to their sockets.
//!
//! ```text
//!   dirty list ─► up to 256 links ─┬─ one piece each ─► the ring: one system call for all ─┐
//!                                  └─ several pieces, memory, no ring ─► a call each ◄──────┴─ what was not taken
//!                                        └─► drained · blocked: back when writable · broken: the peer is gone
//! ```
//!
//! Invariant: a pass that has returned lends nothing to the kernel.

use std::io;

use super::buffers::BufferPool;
use super::endpoint::Endpoint;
use super::links::{Check, Link, LinkKey, Links, Traffic};
use super::outbox::Flushed;
use crate::limits;
use crate::net::SendRing;

/// What a flush pass found out.
#[derive(Default)]
pub struct Pass {
    /// Connections whose socket is full, to be flushed again when it is writable.
    pub blocked: Vec<(LinkKey, Endpoint)>,
    /// Connections that were blocked and now have sent everything.
    pub drained: Vec<LinkKey>,
    /// More connections have something to send.
    pub more: bool,
}

impl Links {
    /// Sends what a pass has for its sockets through a ring of the calling thread, if the system allows one.
    pub fn send_together(&mut self) {
        match SendRing::new(limits::SENDS_PER_PASS) {
            Ok(ring) => self.ring = Some(ring),
            Err(error) => tracing::debug!(%error, "no ring for sends: each is a call of its own"),
        }
    }

    /// Sends what is queued on up to [`limits::SENDS_PER_PASS`] connections.
    pub fn flush_pass(&mut self, pass: &mut Pass) {
        let count = self.dirty.len().min(limits::SENDS_PER_PASS);
        if count >= SendRing::FEWEST {
            self.flush_together(count);
        }
        for position in 0..count {
            let key = self.dirty[position];
            self.flush_one(key, pass);
        }
        self.dirty.drain(..count);
        pass.more = !self.dirty.is_empty();
    }

    /// Gives the sockets of the first so many dirty links what they take, all in one call. Links with more than one piece,
    /// and whatever is left, are seen to by the pass.
    fn flush_together(&mut self, count: usize) {
        let Some(ring) = &mut self.ring else { return };
        for (position, key) in self.dirty[..count].iter().enumerate() {
            let link = self.slab.get(key.index as usize);
            let Some(link) = link.filter(|link| link.generation == key.generation) else {
                continue;
            };
            if let (Endpoint::Socket(stream), Some(piece)) =
                (&link.endpoint, link.outbox.only_piece(&self.pool))
            {
                // SAFETY: no outbox is touched before the submission below has returned.
                if unsafe { ring.add(stream.as_fd_number(), piece) } {
                    self.together.push(position);
                }
            }
        }
        let results = ring.submit();
        for (position, &result) in self.together.drain(..).zip(results) {
            // The pass meets errors again, and knows what to do.
            let Ok(taken) = usize::try_from(result) else { continue };
            if let Some(link) = self.slab.get_mut(self.dirty[position].index as usize) {
                link.outbox.advance(taken, &mut self.pool);
                self.traffic.queued_bytes -= taken;
                self.traffic.sent_bytes += taken as u64;
            }
        }
        if ring.is_broken() {
            tracing::warn!("the ring for sends is refused: each is a call of its own from here on");
            self.ring = None;
        }
    }

    /// Sends what the connection's own turn wrote, if that is a lot: the bytes are still in the processor's cache, and
    /// their buffer serves the next connection while it is. Small answers wait for the pass, where they may meet more.
    /// A turn that wrote to others after its own connection leaves it all to the pass.
    pub fn flush_turn(&mut self, key: LinkKey, pass: &mut Pass) {
        if self.dirty.last() == Some(&key) && self.queued_bytes(key) >= limits::SEND_AT_ONCE_BYTES {
            self.dirty.pop();
            self.flush_one(key, pass);
        }
    }

    /// Sends what the socket still takes of a connection that is about to be removed.
    pub fn flush_last(&mut self, key: LinkKey) {
        self.flush_one(key, &mut Pass::default());
    }

    fn flush_one(&mut self, key: LinkKey, pass: &mut Pass) {
        let now = self.wheel.now();
        let Some(link) =
            self.slab.get_mut(key.index as usize).filter(|link| link.generation == key.generation)
        else {
            return;
        };
        link.dirty = false;
        match flush(link, &mut self.pool, &mut self.traffic) {
            Ok(Flushed::Drained) => {
                if link.finishing {
                    link.endpoint.sink().shutdown();
                }
                if link.report_drained {
                    link.report_drained = false;
                    pass.drained.push(key);
                }
            }
            Ok(Flushed::Blocked) => {
                link.blocked = true;
                link.report_drained = true;
                link.blocked_since = now;
                link.untaken = usize::MAX;
                pass.blocked.push((key, link.endpoint.clone()));
                if !link.watched {
                    link.watched = true;
                    // First a look at what the peer's own buffers left in ours.
                    self.wheel.schedule(now + 1, Check::Progress(key));
                }
            }
            Err(_) => link.peer_is_gone(),
        }
    }
}

/// Gives a socket what it takes.
pub(super) fn flush(
    link: &mut Link,
    pool: &mut BufferPool,
    traffic: &mut Traffic,
) -> io::Result<Flushed> {
    let before = link.outbox.queued_bytes();
    let flushed = link.outbox.flush(link.endpoint.sink(), pool);
    let sent = before - link.outbox.queued_bytes();
    traffic.queued_bytes -= sent;
    traffic.sends += 1;
    traffic.sent_bytes += sent as u64;
    flushed
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};
    use std::rc::Rc;

    use bytes::Bytes;
    use ringwire_protocol::websocket::MessageKind;

    use super::super::links::Heartbeat;
    use super::*;
    use crate::net::{Driver, Stream};

    const FRAME: Bytes = Bytes::from_static(b"to everybody");

    /// Links to sockets on this host, and the other ends.
    fn connect(links: &mut Links, count: usize) -> Vec<(LinkKey, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| {
            let peer = TcpStream::connect(address).unwrap();
            let stream = Stream::new(listener.accept().unwrap().0).unwrap();
            (links.insert(Endpoint::Socket(Rc::new(stream))), peer)
        };
        (0..count).map(connect).collect()
    }

    fn received(peer: &mut TcpStream, bytes: usize) -> Vec<u8> {
        let mut received = vec![0; bytes];
        peer.read_exact(&mut received).unwrap();
        received
    }

    /// A pass over sockets of every kind; with the ring, and without.
    fn a_pass(driver: Driver, together: bool) {
        let pass = async {
            let mut links = Links::new(Heartbeat { ping_after_s: 9, close_after_s: 9 });
            if together {
                links.send_together();
                assert!(links.ring.is_some(), "the shards of this system have a ring");
            }
            let mut ends = connect(&mut links, 7);
            let (full, gone, removed, several) = (ends[3].0, ends[4].0, ends[5].0, ends[6].0);
            let much = vec![1; 32 << 20];
            links.write(full, |buffer| buffer.extend_from_slice(&much));
            // Closed with something unread, a socket is reset; then nothing can be sent into it.
            links.write(gone, |buffer| buffer.extend_from_slice(b"unread"));
            links.flush_last(gone);
            let (_, peer) = ends.remove(4);
            while peer.peek(&mut [0]).unwrap_or(0) == 0 {}
            drop(peer);
            for (key, _) in &ends {
                links.push_common(*key, MessageKind::Text, &FRAME);
            }
            links.push_common(gone, MessageKind::Text, &FRAME);
            links.write(several, |buffer| buffer.extend_from_slice(b", and more"));
            links.push(several, &Bytes::from(vec![2; 9_000]));
            links.remove(removed);

            let mut pass = Pass::default();
            links.flush_pass(&mut pass);
            assert!(!pass.more);
            let blocked: Vec<LinkKey> = pass.blocked.iter().map(|(key, _)| *key).collect();
            assert_eq!(blocked, [full]);
            for (_, peer) in &mut ends[..3] {
                assert_eq!(received(peer, FRAME.len()), FRAME);
            }
            let (_, peer) = &mut ends[5];
            assert_eq!(received(peer, FRAME.len() + 10), b"to everybody, and more");
            assert_eq!(received(peer, 9_000), vec![2; 9_000]);
            assert!(links.is_closing(gone), "its peer is known to be gone");
            links.remove(gone);

            // What the full socket did not take is still whole behind what it took.
            let (_, peer) = &mut ends[3];
            let mut taken = Vec::new();
            while taken.len() < much.len() + FRAME.len() {
                let mut buffer = vec![0; 1 << 20];
                let count = peer.read(&mut buffer).unwrap();
                taken.extend_from_slice(&buffer[..count]);
                links.unblocked(full, &Ok(()));
                links.flush_pass(&mut pass);
            }
            assert!(taken.starts_with(&much) && taken.ends_with(&FRAME));
            assert_eq!(links.traffic().queued_bytes, 0);
        };
        driver.block_on(pass).unwrap();
    }

    #[test]
    fn each_socket_gets_its_own_one_call_each() {
        a_pass(Driver::Epoll, false);
    }

    #[test]
    fn each_socket_gets_its_own_all_in_one_call() {
        if Driver::probe_uring().is_ok() {
            a_pass(Driver::Uring, true);
        }
    }
}
