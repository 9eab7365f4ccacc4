//! Where a link's bytes go: into a socket, or into memory.
//!
//! ```text
//!   outbox ─► sink ─┬─ socket: one system call
//!                   └─ memory: as far as there is room ─► Memory::take, whoever plays the network
//! ```
//!
//! Memory stands for a socket's buffer where shards are driven without a kernel. Nothing waits for it to be writable:
//! whoever takes bytes out of it calls `Links::unblocked`.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::net::{self, Stream};

/// The far side of a link.
#[derive(Clone)]
pub enum Endpoint {
    /// A connected socket.
    Socket(Rc<Stream>),
    /// A buffer.
    Memory(Rc<Memory>),
}

impl Endpoint {
    /// What takes the bytes.
    pub(crate) fn sink(&self) -> Sink<'_> {
        match self {
            Self::Socket(stream) => Sink::Socket(stream.as_fd_number()),
            Self::Memory(memory) => Sink::Memory(memory),
        }
    }
}

/// What takes an outbox's bytes.
#[derive(Clone, Copy, Debug)]
pub enum Sink<'a> {
    /// A descriptor that is open while this is used.
    Socket(RawFd),
    /// A buffer.
    Memory(&'a Memory),
}

impl Sink<'_> {
    /// Takes what there is room for.
    pub(crate) fn send(self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(fd) => net::send(fd, bytes),
            Self::Memory(memory) => memory.send(bytes),
        }
    }

    /// Likewise, from several buffers.
    pub(crate) fn send_vectored(self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Socket(fd) => net::send_vectored(fd, buffers),
            Self::Memory(memory) => {
                let mut sent = 0;
                for buffer in buffers {
                    match memory.send(buffer) {
                        Ok(count) => sent += count,
                        Err(error) if sent == 0 => return Err(error),
                        Err(_) => break,
                    }
                }
                Ok(sent)
            }
        }
    }

    /// Bytes it holds that the peer has not taken yet.
    pub(crate) fn untaken(self) -> usize {
        match self {
            Self::Socket(fd) => net::unsent(fd),
            Self::Memory(memory) => memory.len(),
        }
    }

    /// Ends both directions.
    pub(crate) fn shutdown(self) {
        match self {
            Self::Socket(fd) => net::shutdown(fd),
            Self::Memory(memory) => memory.end(Ending::Orderly),
        }
    }

    /// Ends both directions at once; what was not taken is lost.
    pub(crate) fn abort(self) {
        match self {
            Self::Socket(fd) => net::abort(fd),
            Self::Memory(memory) => memory.end(Ending::Reset),
        }
    }
}

/// How a link was ended on its own side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer gets everything that was sent.
    Orderly,
    /// The peer gets nothing more.
    Reset,
}

/// A buffer with so much room.
#[derive(Debug)]
pub struct Memory {
    room_bytes: usize,
    sent: RefCell<BytesMut>,
    ending: Cell<Option<Ending>>,
}

impl Memory {
    /// An empty buffer.
    pub fn new(room_bytes: usize) -> Self {
        Self { room_bytes, sent: RefCell::default(), ending: Cell::new(None) }
    }

    /// Bytes that wait to be taken.
    pub fn len(&self) -> usize {
        self.sent.borrow().len()
    }

    /// Whether none do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the oldest bytes out, at most so many.
    pub fn take(&self, most: usize) -> Bytes {
        let mut sent = self.sent.borrow_mut();
        let count = most.min(sent.len());
        let taken = sent.split_to(count).freeze();
        if !sent.has_remaining() {
            *sent = BytesMut::new();
        }
        taken
    }

    /// Takes everything out, behind what `taken` holds, and keeps the buffer for what comes.
    pub fn take_all(&self, taken: &mut BytesMut) {
        let mut sent = self.sent.borrow_mut();
        taken.extend_from_slice(&sent);
        sent.clear();
    }

    /// How the link was ended, if it was.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.ending.get().is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut sent = self.sent.borrow_mut();
        let count = bytes.len().min(self.room_bytes.saturating_sub(sent.len()));
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn end(&self, ending: Ending) {
        match ending {
            Ending::Orderly if self.ending.get().is_some() => {}
            Ending::Orderly => self.ending.set(Some(ending)),
            Ending::Reset => {
                self.ending.set(Some(ending));
                self.sent.borrow_mut().clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_takes_what_fits_and_gives_it_back_in_order() {
        let memory = Memory::new(5);
        let sink = Sink::Memory(&memory);
        let buffers = [io::IoSlice::new(b"ab"), io::IoSlice::new(b"cdef")];
        assert_eq!(sink.send_vectored(&buffers).unwrap(), 5);
        assert_eq!(sink.send(b"f").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(memory.take(2), &b"ab"[..]);
        assert_eq!(sink.send(b"fgh").unwrap(), 2);
        assert_eq!(memory.take(9), &b"cdefg"[..]);
        assert!(memory.is_empty());
        sink.send(b"hi").unwrap();
        let mut taken = BytesMut::from("g");
        memory.take_all(&mut taken);
        assert_eq!(&taken[..], b"ghi");
        assert!(memory.is_empty());
    }

    #[test]
    fn a_reset_loses_what_was_sent_and_an_orderly_end_does_not() {
        let memory = Memory::new(9);
        let sink = Sink::Memory(&memory);
        sink.send(b"ab").unwrap();
        sink.shutdown();
        assert_eq!((memory.len(), memory.ending()), (2, Some(Ending::Orderly)));
        assert_eq!(sink.send(b"c").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        sink.abort();
        assert_eq!((memory.len(), memory.ending()), (0, Some(Ending::Reset)));
    }
}
