//! The signal of a mailbox: a Linux eventfd, a counter in the kernel that is readable while it is not zero.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A non-blocking eventfd. Writing makes it readable, reading makes it unreadable again.
#[derive(Debug)]
pub(crate) struct EventFd {
    descriptor: OwnedFd,
}

impl EventFd {
    /// A descriptor that is not readable yet.
    ///
    /// # Errors
    ///
    /// The process or the system has run out of descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes no pointers.
        let raw = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so `raw` is an open descriptor that nobody else owns.
        Ok(Self { descriptor: unsafe { OwnedFd::from_raw_fd(raw) } })
    }

    /// Makes the descriptor readable.
    pub(crate) fn signal(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: `one` is valid for reads of its length for the duration of the call.
        let written =
            unsafe { libc::write(self.descriptor.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        // The one failure a non-blocking eventfd knows is a saturated counter, and then it is readable anyway.
        debug_assert!(
            written == 8 || io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock
        );
    }

    /// Makes the descriptor unreadable; returns whether it had been signalled.
    pub(crate) fn consume(&self) -> bool {
        let mut count = [0_u8; 8];
        // SAFETY: `count` is valid for writes of its length for the duration of the call.
        let read = unsafe {
            libc::read(self.descriptor.as_raw_fd(), count.as_mut_ptr().cast(), count.len())
        };
        read == 8
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
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
