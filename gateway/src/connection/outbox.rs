//! A connection's outbound queue: framed bytes, bounded by its owner, sent together.
//!
//! ```text
//!   to one ──► a buffer of its own ────────────────────┐
//!   to many ─► a range of the shard's common bytes ─────┼─► one send, or one of several pieces
//!   large ───► a reference ────────────────────────────┘
//! ```
//!
//! Small frames that follow each other are one piece, so a turn's worth of replies is one `send`; and what many
//! connections are sent is copied once for all of them. Buffers and queues come from a pool of the shard, so an idle
//! connection holds none.
//!
//! Invariant: a range of the common bytes is the first piece of its outbox, and is copied into a buffer of its own as soon
//! as a socket does not take all of it.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use ringwire_protocol::websocket::MessageKind;

use super::buffers::{BufferPool, Chunk};
use super::endpoint::Sink;

/// Frames up to this size are copied; beyond it a reference is cheaper than the copy.
const COPY_UP_TO_BYTES: usize = 2048;
/// Buffers that one `sendmsg` takes.
const SLICES_PER_SEND: usize = 16;

/// What a flush left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Everything is with the kernel.
    Drained,
    /// The socket takes no more; go on when it is writable.
    Blocked,
}

/// Framed bytes on their way to one socket.
#[derive(Debug, Default)]
pub struct Outbox {
    chunks: VecDeque<Chunk>,
    queued_bytes: usize,
}

impl Outbox {
    /// Bytes not yet given to the kernel.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Appends through `write`, which sees a buffer to append to.
    pub fn write(&mut self, pool: &mut BufferPool, write: impl FnOnce(&mut BytesMut)) {
        if matches!(self.chunks.back(), Some(Chunk::Common(..))) {
            self.own_range(pool);
        }
        if !matches!(self.chunks.back(), Some(Chunk::Owned(_))) {
            self.append(Chunk::Owned(pool.take()), pool);
        }
        if let Some(Chunk::Owned(buffer)) = self.chunks.back_mut() {
            let before = buffer.len();
            write(buffer);
            debug_assert!(buffer.len() >= before, "writers only append");
            self.queued_bytes += buffer.len() - before;
        }
    }

    /// Appends a frame that other connections may send as well.
    pub fn push(&mut self, pool: &mut BufferPool, frame: &Bytes) {
        if frame.len() <= COPY_UP_TO_BYTES {
            self.write(pool, |buffer| buffer.extend_from_slice(frame));
        } else {
            self.queued_bytes += frame.len();
            self.append(Chunk::Shared(frame.clone()), pool);
        }
    }

    /// Appends a frame that many connections are sent in the next pass.
    pub fn push_common(&mut self, pool: &mut BufferPool, kind: MessageKind, frame: &Bytes) {
        if frame.len() > COPY_UP_TO_BYTES {
            return self.push(pool, frame);
        }
        match self.chunks.back_mut() {
            None => {
                if let Some(range) = pool.common_mut(kind).place(frame, None) {
                    pool.common_mut(kind).holders += 1;
                    self.queued_bytes += frame.len();
                    return self.append(Chunk::Common(kind, range), pool);
                }
            }
            Some(Chunk::Common(of, range)) if *of == kind => {
                if let Some(place) = pool.common_mut(kind).place(frame, Some(range.end)) {
                    range.end = place.end;
                    self.queued_bytes += frame.len();
                    return;
                }
            }
            Some(_) => {}
        }
        self.push(pool, frame);
    }

    /// Copies the first piece, if it is a range of the common bytes.
    fn own_range(&mut self, pool: &mut BufferPool) {
        if let Some(first) = self.chunks.front_mut()
            && let Chunk::Common(kind, _) = *first
        {
            let mut buffer = pool.take();
            buffer.extend_from_slice(first.bytes(pool));
            *first = Chunk::Owned(buffer);
            pool.common_mut(kind).holders -= 1;
        }
    }

    fn append(&mut self, chunk: Chunk, pool: &mut BufferPool) {
        if self.chunks.capacity() == 0 {
            self.chunks = pool.take_queue();
        }
        self.chunks.push_back(chunk);
    }

    /// All of it, where that is one piece.
    pub(super) fn only_piece<'a>(&'a self, pool: &'a BufferPool) -> Option<&'a [u8]> {
        let only = self.chunks.front().filter(|_| self.chunks.len() == 1);
        only.map(|chunk| chunk.bytes(pool))
    }

    /// Gives the socket as much as it takes.
    pub fn flush(&mut self, sink: Sink<'_>, pool: &mut BufferPool) -> io::Result<Flushed> {
        let flushed = self.send(sink, pool);
        if self.chunks.is_empty() {
            pool.give_queue_back(std::mem::take(&mut self.chunks));
        } else {
            self.own_range(pool);
        }
        flushed
    }

    fn send(&mut self, sink: Sink<'_>, pool: &mut BufferPool) -> io::Result<Flushed> {
        while let Some(first) = self.chunks.front() {
            let sent = if self.chunks.len() == 1 {
                sink.send(first.bytes(pool))
            } else {
                let mut slices = [io::IoSlice::new(&[]); SLICES_PER_SEND];
                let count = self.chunks.len().min(SLICES_PER_SEND);
                for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
                    *slice = io::IoSlice::new(chunk.bytes(pool));
                }
                sink.send_vectored(&slices[..count])
            };
            match sent {
                Ok(count) => self.advance(count, pool),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::Drained)
    }

    /// A socket took so many bytes.
    pub(super) fn advance(&mut self, mut sent: usize, pool: &mut BufferPool) {
        self.queued_bytes -= sent;
        while let Some(chunk) = self.chunks.front_mut() {
            let length = chunk.bytes(pool).len();
            if sent < length {
                match chunk {
                    Chunk::Owned(bytes) => bytes.advance(sent),
                    Chunk::Shared(bytes) => bytes.advance(sent),
                    Chunk::Common(_, range) => range.start += sent,
                }
                return;
            }
            sent -= length;
            if let Some(chunk) = self.chunks.pop_front() {
                pool.end(chunk);
            }
        }
    }

    /// Returns the buffers of a connection that ended.
    pub fn clear(&mut self, pool: &mut BufferPool) {
        for chunk in self.chunks.drain(..) {
            pool.end(chunk);
        }
        self.queued_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;

    use proptest::prelude::*;

    use super::super::endpoint::Memory;
    use super::*;

    #[test]
    fn bytes_leave_in_order_across_partial_sends() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut pool = BufferPool::default();
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for round in 0..400_u32 {
            let small = round.to_be_bytes();
            outbox.write(&mut pool, |buffer| buffer.extend_from_slice(&small));
            expected.extend_from_slice(&small);
            let large = Bytes::from(vec![round as u8; 3000]);
            outbox.push(&mut pool, &large);
            expected.extend_from_slice(&large);
        }
        assert_eq!(outbox.queued_bytes(), expected.len());

        let mut received = Vec::new();
        let mut blocked = 0;
        let sink = Sink::Socket(ours.as_raw_fd());
        while outbox.flush(sink, &mut pool).unwrap() == Flushed::Blocked {
            blocked += 1;
            let mut buffer = [0; 4096];
            let count = theirs.read(&mut buffer).unwrap();
            received.extend_from_slice(&buffer[..count]);
        }
        drop(ours);
        theirs.read_to_end(&mut received).unwrap();
        assert!(blocked > 0, "the test must meet a full socket");
        assert_eq!(received, expected);
        assert_eq!(outbox.queued_bytes(), 0);
    }

    #[test]
    fn what_many_are_sent_is_copied_once_and_forgotten_when_all_have_it() {
        let mut pool = BufferPool::default();
        let mut outboxes = [Outbox::default(), Outbox::default(), Outbox::default()];
        let frames = [Bytes::from_static(b"one "), Bytes::from_static(b"two ")];
        for frame in &frames {
            for outbox in &mut outboxes {
                outbox.push_common(&mut pool, KIND, frame);
            }
        }
        assert_eq!(pool.common(KIND).bytes, b"one two ");
        for outbox in &mut outboxes {
            assert_eq!(outbox.only_piece(&pool).unwrap(), b"one two ");
            let memory = Memory::new(100);
            outbox.flush(Sink::Memory(&memory), &mut pool).unwrap();
            assert_eq!(memory.take(100), &b"one two "[..]);
        }
        assert_eq!(pool.common(KIND).holders, 0);
        outboxes[0].push_common(&mut pool, KIND, &frames[1]);
        assert_eq!(pool.common(KIND).bytes, b"two ", "the next pass begins anew");
    }

    const KIND: MessageKind = MessageKind::Binary;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, u8),
        Push(usize, usize),
        PushCommon(usize, usize, MessageKind),
        Flush(usize, usize),
        Clear(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3_usize, 0..200_u8).prop_map(|(outbox, bytes)| Step::Write(outbox, bytes)),
            (0..3_usize, 0..4_usize).prop_map(|(outbox, frame)| Step::Push(outbox, frame)),
            (0..3_usize, 0..4_usize, 0..8_u8).prop_map(|(outbox, frame, kind)| {
                // Mostly one kind, as in a room, so that ranges grow.
                let kind = if kind == 0 { MessageKind::Text } else { MessageKind::Binary };
                Step::PushCommon(outbox, frame, kind)
            }),
            (0..3_usize, 0..3_000_usize).prop_map(|(outbox, room)| Step::Flush(outbox, room)),
            (0..3_usize).prop_map(Step::Clear),
        ]
    }

    proptest! {
        /// Whatever is written, pushed and taken in between, each peer gets its own bytes in their order.
        #[test]
        fn outboxes_that_share_bytes_do_not_mix_them(
            steps in prop::collection::vec(step(), 1..120)
        ) {
            let frames = [1_usize, 90, 700, COPY_UP_TO_BYTES + 1];
            let frames = frames.map(|length| Bytes::from(vec![length as u8; length]));
            let mut pool = BufferPool::default();
            let mut outboxes = [(); 3].map(|()| Outbox::default());
            let mut due: [Vec<u8>; 3] = Default::default();
            for step in steps {
                match step {
                    Step::Write(index, bytes) => {
                        let bytes = vec![bytes; usize::from(bytes)];
                        outboxes[index].write(&mut pool, |buffer| buffer.extend_from_slice(&bytes));
                        due[index].extend(bytes);
                    }
                    Step::Push(index, frame) => {
                        outboxes[index].push(&mut pool, &frames[frame]);
                        due[index].extend_from_slice(&frames[frame]);
                    }
                    Step::PushCommon(index, frame, kind) => {
                        outboxes[index].push_common(&mut pool, kind, &frames[frame]);
                        due[index].extend_from_slice(&frames[frame]);
                    }
                    Step::Flush(index, room) => {
                        let memory = Memory::new(room);
                        let flushed =
                            outboxes[index].flush(Sink::Memory(&memory), &mut pool).unwrap();
                        let taken = memory.take(room);
                        prop_assert_eq!(&due[index][..taken.len()], &taken[..]);
                        due[index].drain(..taken.len());
                        prop_assert_eq!(flushed == Flushed::Drained, due[index].is_empty());
                    }
                    Step::Clear(index) => {
                        outboxes[index].clear(&mut pool);
                        due[index].clear();
                    }
                }
                let queued = outboxes.each_ref().map(Outbox::queued_bytes);
                prop_assert_eq!(queued, due.each_ref().map(Vec::len));
            }
            for outbox in &mut outboxes {
                outbox.clear(&mut pool);
            }
            for kind in [MessageKind::Text, MessageKind::Binary] {
                prop_assert_eq!(pool.common(kind).holders, 0);
            }
        }
    }
}
