//! A Linux eventfd: a counter in the kernel that is readable while it is not zero. Any thread may signal it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::EventfdFlags;
use rustix::io::Errno;

/// A non-blocking eventfd. Writing makes it readable, reading makes it unreadable again.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// A descriptor that is not readable yet.
    ///
    /// # Errors
    ///
    /// The process or the system has run out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Makes the descriptor readable.
    pub fn signal(&self) {
        let written = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        // The one failure a non-blocking eventfd knows is a saturated counter, and then it is readable anyway.
        debug_assert!(matches!(written, Ok(8) | Err(Errno::AGAIN)));
    }

    /// Makes the descriptor unreadable; returns whether it had been signalled.
    pub fn consume(&self) -> bool {
        rustix::io::read(&self.0, &mut [0_u8; 8]) == Ok(8)
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_coalesce_until_they_are_consumed() {
        let event = EventFd::new().expect("descriptors are left");
        assert!(!event.consume());
        event.signal();
        event.signal();
        assert!(event.consume());
        assert!(!event.consume());
    }
}
