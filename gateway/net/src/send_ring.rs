//! Many sends in one system call: what a pass has for its sockets goes through a small ring of its own.
//!
//! ```text
//!   add ─► one entry each ─┐
//!   add ─► …               ├─► submit: one ring enter ─► every completion is there ─► how much each socket took
//! ```
//!
//! A send that would wait fails at once (MSG_DONTWAIT), so nothing is under way when [`SendRing::submit`] returns.
//! Invariant: a buffer is lent from `add` to the end of the next `submit`, and no longer.

use std::fmt;
use std::io;
use std::os::fd::RawFd;

use io_uring::{IoUring, opcode, types};

use crate::SEND_FLAGS;

/// A ring for sends alone.
pub struct SendRing {
    ring: IoUring,
    /// Results of the last submission, by the order in which sends were added.
    results: Vec<i32>,
    added: usize,
    is_broken: bool,
}

impl SendRing {
    /// Fewer sends than these are as well made one by one.
    pub const FEWEST: usize = 4;

    /// A ring that takes so many sends at a time. It belongs to the calling thread.
    ///
    /// # Errors
    ///
    /// The system allows none.
    pub fn new(sends: usize) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_defer_taskrun();
        let entries = u32::try_from(sends.next_power_of_two()).map_err(io::Error::other)?;
        let ring = builder.build(entries)?;
        Ok(Self { ring, results: Vec::new(), added: 0, is_broken: false })
    }

    /// Adds a send of these bytes; `false`: there is no room for it.
    ///
    /// # Safety
    ///
    /// The bytes stay where they are and as they are until [`Self::submit`] has returned.
    pub unsafe fn add(&mut self, fd: RawFd, bytes: &[u8]) -> bool {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let send = opcode::Send::new(types::Fd(fd), bytes.as_ptr(), length).flags(SEND_FLAGS);
        let entry = send.build().user_data(self.added as u64);
        // SAFETY: the caller keeps the bytes until the submission, which waits for the entry's end.
        let added = unsafe { self.ring.submission().push(&entry) }.is_ok();
        self.added += usize::from(added);
        added
    }

    /// Carries out what was added; what each send came to, in the order of adding: bytes taken, or an error's number
    /// negated.
    pub fn submit(&mut self) -> &[i32] {
        let added = std::mem::take(&mut self.added);
        self.results.clear();
        // What a broken ring has not taken may be sent in another way.
        self.results.resize(added, -libc::EAGAIN);
        let mut reaped = 0;
        while reaped < added && !self.is_broken {
            match self.ring.submit_and_wait(added - reaped) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => self.is_broken = true,
                _ => {}
            }
            for completion in self.ring.completion() {
                if let Some(result) = self.results.get_mut(completion.user_data() as usize) {
                    *result = completion.result();
                }
                reaped += 1;
            }
        }
        &self.results
    }

    /// The system refused a submission: the ring is to be dropped.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl fmt::Debug for SendRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRing").field("added", &self.added).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn each_send_has_its_own_result_and_none_waits() {
        if crate::Driver::probe_uring().is_err() {
            // The shards of such a system have no ring either.
            return;
        }
        let mut ring = SendRing::new(8).expect("the system allows rings");
        let (ours, mut theirs) = UnixStream::pair().expect("descriptors are left");
        let (full, _unread) = UnixStream::pair().expect("descriptors are left");
        let (broken, gone) = UnixStream::pair().expect("descriptors are left");
        drop(gone);
        let many = vec![7; 16 << 20];
        for round in 0..3_u8 {
            let small = [round; 5];
            // SAFETY: the bytes outlive the submission below.
            unsafe {
                assert!(ring.add(ours.as_raw_fd(), &small));
                assert!(ring.add(full.as_raw_fd(), &many));
                assert!(ring.add(broken.as_raw_fd(), &small));
            }
            let &[sent, partly, failed] = ring.submit() else { panic!("three were added") };
            assert_eq!(sent, 5);
            assert_eq!(partly > 0, round == 0, "{partly}");
            assert!(round == 0 || partly == -libc::EAGAIN, "{partly}");
            assert_eq!(failed, -libc::EPIPE);
            let mut received = [0; 5];
            theirs.read_exact(&mut received).expect("it was sent");
            assert_eq!(received, small);
        }
        assert!(ring.submit().is_empty() && !ring.is_broken());
    }
}
