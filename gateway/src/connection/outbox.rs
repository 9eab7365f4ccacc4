//! A connection's outbound queue: framed bytes, bounded by its owner, sent together.
//!
//! Small frames are copied behind each other into one buffer, so a turn's worth of replies is one `send`; large
//! shared frames are referenced. Buffers and queues come from a pool of the shard, so an idle connection holds none.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, Bytes, BytesMut};

use super::endpoint::Sink;
use crate::limits;

/// Frames up to this size are copied; beyond it a reference is cheaper than the copy.
const COPY_UP_TO_BYTES: usize = 2048;
/// Chunks of a queue that is kept for the next outbox.
const POOLED_CHUNKS: usize = 4;
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

/// Spare buffers and queues, shared by all connections of a shard.
#[derive(Debug, Default)]
pub struct BufferPool {
    spare: Vec<BytesMut>,
    queues: Vec<VecDeque<Chunk>>,
}

impl BufferPool {
    fn take(&mut self) -> BytesMut {
        self.spare.pop().unwrap_or_else(|| BytesMut::with_capacity(limits::POOLED_BUFFER_BYTES))
    }

    fn give_back(&mut self, mut buffer: BytesMut) {
        let reusable = buffer.capacity() <= limits::POOLED_BUFFER_MAX_BYTES;
        if reusable && self.spare.len() < limits::POOLED_BUFFERS {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    fn take_queue(&mut self) -> VecDeque<Chunk> {
        self.queues.pop().unwrap_or_default()
    }

    /// Takes an empty queue back, unless it once grew.
    fn give_queue_back(&mut self, queue: VecDeque<Chunk>) {
        let reusable = (1..=POOLED_CHUNKS).contains(&queue.capacity());
        if reusable && self.queues.len() < limits::POOLED_BUFFERS {
            self.queues.push(queue);
        }
    }
}

#[derive(Debug)]
enum Chunk {
    Owned(BytesMut),
    Shared(Bytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
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

    /// Appends a frame that other connections send as well.
    pub fn push(&mut self, pool: &mut BufferPool, frame: &Bytes) {
        if frame.len() <= COPY_UP_TO_BYTES {
            self.write(pool, |buffer| buffer.extend_from_slice(frame));
        } else {
            self.queued_bytes += frame.len();
            self.append(Chunk::Shared(frame.clone()), pool);
        }
    }

    fn append(&mut self, chunk: Chunk, pool: &mut BufferPool) {
        if self.chunks.capacity() == 0 {
            self.chunks = pool.take_queue();
        }
        self.chunks.push_back(chunk);
    }

    /// Gives the socket as much as it takes.
    pub fn flush(&mut self, sink: Sink<'_>, pool: &mut BufferPool) -> io::Result<Flushed> {
        while let Some(first) = self.chunks.front() {
            let sent = if self.chunks.len() == 1 {
                sink.send(first.bytes())
            } else {
                let mut slices = [io::IoSlice::new(&[]); SLICES_PER_SEND];
                let count = self.chunks.len().min(SLICES_PER_SEND);
                for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
                    *slice = io::IoSlice::new(chunk.bytes());
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
        pool.give_queue_back(std::mem::take(&mut self.chunks));
        Ok(Flushed::Drained)
    }

    fn advance(&mut self, mut sent: usize, pool: &mut BufferPool) {
        self.queued_bytes -= sent;
        while let Some(chunk) = self.chunks.front_mut() {
            let length = chunk.bytes().len();
            if sent < length {
                match chunk {
                    Chunk::Owned(bytes) => bytes.advance(sent),
                    Chunk::Shared(bytes) => bytes.advance(sent),
                }
                return;
            }
            sent -= length;
            if let Some(Chunk::Owned(buffer)) = self.chunks.pop_front() {
                pool.give_back(buffer);
            }
        }
    }

    /// Returns the buffers of a connection that ended.
    pub fn clear(&mut self, pool: &mut BufferPool) {
        for chunk in self.chunks.drain(..) {
            if let Chunk::Owned(buffer) = chunk {
                pool.give_back(buffer);
            }
        }
        self.queued_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;

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
}
