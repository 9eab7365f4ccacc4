//! What the outboxes of a shard are made of: pieces of framed bytes, and the pool that the buffers of pieces come from.
//!
//! Invariant: the common bytes are forgotten when no outbox holds a range of them.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use ringwire_protocol::websocket::MessageKind;

use crate::limits;

/// Chunks of a queue that is kept for the next outbox.
const POOLED_CHUNKS: usize = 4;

/// Spare buffers and queues, shared by all connections of a shard.
#[derive(Debug, Default)]
pub struct BufferPool {
    spare: Vec<BytesMut>,
    queues: Vec<VecDeque<Chunk>>,
    common: [Common; 2],
}

/// Small frames of one kind that many connections are sent, each once, in the order in which they were pushed.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) bytes: Vec<u8>,
    /// The newest of them, and where it lies.
    newest: Bytes,
    range: Range<usize>,
    /// Outboxes that hold a range.
    pub(super) holders: usize,
}

impl Common {
    /// Where the frame lies; `None`: there is no room, or it would not lie `behind` what an outbox holds already.
    pub(super) fn place(&mut self, frame: &Bytes, behind: Option<usize>) -> Option<Range<usize>> {
        if self.holders == 0 {
            self.bytes.clear();
            self.newest = Bytes::new();
            self.range = 0..0;
        }
        // The newest is held here, so its address is no other frame's.
        let is_newest = self.newest.as_ptr() == frame.as_ptr() && self.newest.len() == frame.len();
        let start = if is_newest { self.range.start } else { self.bytes.len() };
        let range = start..start + frame.len();
        if range.end > limits::COMMON_BYTES || behind.is_some_and(|end| end != start) {
            return None;
        }
        if !is_newest {
            self.bytes.extend_from_slice(frame);
            self.newest = frame.clone();
            self.range = range.clone();
        }
        Some(range)
    }
}

impl BufferPool {
    /// The common bytes of messages of a kind. Who gets one kind gets no other.
    pub(super) fn common(&self, kind: MessageKind) -> &Common {
        &self.common[place_of(kind)]
    }

    pub(super) fn common_mut(&mut self, kind: MessageKind) -> &mut Common {
        &mut self.common[place_of(kind)]
    }

    pub(super) fn take(&mut self) -> BytesMut {
        self.spare.pop().unwrap_or_else(|| BytesMut::with_capacity(limits::POOLED_BUFFER_BYTES))
    }

    fn give_back(&mut self, mut buffer: BytesMut) {
        let reusable = buffer.capacity() <= limits::POOLED_BUFFER_MAX_BYTES;
        if reusable && self.spare.len() < limits::POOLED_BUFFERS {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Takes back what a piece was made of.
    pub(super) fn end(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Owned(buffer) => self.give_back(buffer),
            Chunk::Shared(_) => {}
            Chunk::Common(kind, _) => self.common_mut(kind).holders -= 1,
        }
    }

    pub(super) fn take_queue(&mut self) -> VecDeque<Chunk> {
        self.queues.pop().unwrap_or_default()
    }

    /// Takes an empty queue back, unless it once grew.
    pub(super) fn give_queue_back(&mut self, queue: VecDeque<Chunk>) {
        let reusable = (1..=POOLED_CHUNKS).contains(&queue.capacity());
        if reusable && self.queues.len() < limits::POOLED_BUFFERS {
            self.queues.push(queue);
        }
    }
}

#[derive(Debug)]
pub(super) enum Chunk {
    Owned(BytesMut),
    Shared(Bytes),
    /// A range of the common bytes.
    Common(MessageKind, Range<usize>),
}

impl Chunk {
    pub(super) fn bytes<'a>(&'a self, pool: &'a BufferPool) -> &'a [u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
            Self::Common(kind, range) => &pool.common(*kind).bytes[range.clone()],
        }
    }
}

fn place_of(kind: MessageKind) -> usize {
    match kind {
        MessageKind::Text => 0,
        MessageKind::Binary => 1,
    }
}
