//! Readiness of many sockets: the three calls of epoll the load needs.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

/// A socket that is ready.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event {
    /// The number given to [`Poll::watch`].
    pub token: u64,
    /// Something to read, or an error or end that a read will tell.
    pub readable: bool,
    /// Room to write again.
    pub writable: bool,
}

/// An epoll instance.
pub struct Poll {
    descriptor: OwnedFd,
}

impl Poll {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Self> {
        // SAFETY: epoll_create1 takes no pointers.
        let raw = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the call succeeded, so `raw` is an open descriptor that nobody else owns.
        Ok(Self { descriptor: unsafe { OwnedFd::from_raw_fd(raw) } })
    }

    /// Reports a socket whenever bytes arrive or room appears (edge-triggered); closing the socket ends that.
    pub fn watch(&self, socket: RawFd, token: u64) -> io::Result<()> {
        let events = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: token };
        let epoll = self.descriptor.as_raw_fd();
        // SAFETY: the event is valid for reads during the call.
        checked(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket, &raw mut event) })
            .map(drop)
    }

    /// Waits for at most `limit_ms`; returns how many of `ready` were filled, none when a signal cut it short.
    pub fn wait(&self, ready: &mut [Event], limit_ms: i32) -> io::Result<usize> {
        let mut raw = [libc::epoll_event { events: 0, u64: 0 }; 512];
        let room = raw.len().min(ready.len());
        // SAFETY: `raw` is valid for writes of `room` events.
        let waited = checked(unsafe {
            libc::epoll_wait(self.descriptor.as_raw_fd(), raw.as_mut_ptr(), room as i32, limit_ms)
        });
        let count = match waited {
            Ok(count) => count as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        for (ready, raw) in ready.iter_mut().zip(&raw[..count]) {
            let events = raw.events as i32;
            *ready = Event {
                token: raw.u64,
                readable: events & (libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP) != 0,
                writable: events & libc::EPOLLOUT != 0,
            };
        }
        Ok(count)
    }
}

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
