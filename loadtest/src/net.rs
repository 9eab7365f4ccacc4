//! The few runtime calls the generator uses: a ring or epoll, sockets, and a timer finer than the runtime's own.
//!
//! Reads are `readable()` and then a non-blocking receive: nothing received is ever lost by dropping a future, and no
//! buffer waits with an idle connection.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use monoio::net::{TcpStream, UnixStream};

/// Submission queue entries of a thread's ring.
const RING_ENTRIES: u32 = 4096;

/// Runs `future` to its end on a runtime of the calling thread: io_uring where the system allows it, else epoll.
pub(crate) fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let mut ring = io_uring::IoUring::builder();
    ring.setup_single_issuer().setup_defer_taskrun();
    let uring = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
        .with_entries(RING_ENTRIES)
        .uring_builder(ring)
        .enable_timer()
        .build();
    if let Ok(mut runtime) = uring {
        return Ok(runtime.block_on(future));
    }
    let mut runtime =
        monoio::RuntimeBuilder::<monoio::LegacyDriver>::new().enable_timer().build()?;
    Ok(runtime.block_on(future))
}

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Connects, without Nagle's delay.
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_addr(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Ends the connection in both directions; whoever reads or writes sees the end.
    pub(crate) fn shutdown(&self) {
        // SAFETY: takes no pointers. A socket that is gone already is what is wanted.
        unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RDWR) };
    }

    /// Lets the kernel keep as little as it will for this socket, so that what is not read soon stops the sender.
    pub(crate) fn shrink_receive_buffer(&self) {
        let bytes: libc::c_int = 4096;
        // SAFETY: the option's value is an int that is valid during the call. Refused, the buffer stays as it is.
        unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUF,
                (&raw const bytes).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }

    /// Completes when [`Self::recv`] will not block.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.0.readable(false).await
    }

    /// Completes when [`Self::send`] will take at least a byte.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.0.writable(false).await
    }

    /// Reads what has arrived; 0 is the end of the stream, `WouldBlock` means nothing has.
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let fd = self.0.as_raw_fd();
        // SAFETY: pointer and length describe a buffer that this call may write to; the kernel writes no further.
        let count =
            unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT) };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }

    /// Writes what the socket takes now; `WouldBlock` means nothing.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let fd = self.0.as_raw_fd();
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length describe bytes that stay valid during the call, which only reads them.
        let count = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }
}

/// A timer of nanosecond resolution; the runtime's own counts whole milliseconds, which would show in every latency.
#[derive(Debug)]
pub(crate) struct FineTimer {
    /// A timerfd. The runtime can wait until a descriptor is readable only through its socket types, and asks nothing
    /// else of the descriptor.
    readable: UnixStream,
}

impl FineTimer {
    /// A timer that is not set.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { readable: UnixStream::from_std(fd.into())? })
    }

    /// Completes after `duration`, of at least a nanosecond.
    pub(crate) async fn sleep(&self, duration: Duration) -> io::Result<()> {
        let fd: RawFd = self.readable.as_raw_fd();
        let setting = libc::itimerspec {
            it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: libc::timespec {
                tv_sec: duration.as_secs().cast_signed(),
                tv_nsec: i64::from(duration.subsec_nanos().max(1)),
            },
        };
        // SAFETY: `setting` is valid for the call; the old setting is not asked for.
        if unsafe { libc::timerfd_settime(fd, 0, &raw const setting, std::ptr::null_mut()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        self.readable.readable(false).await
    }
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    // SAFETY: an all-zero rusage is valid, and the call only fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage
    };
    let time = |value: libc::timeval| {
        Duration::from_secs(value.tv_sec.cast_unsigned())
            + Duration::from_micros(value.tv_usec.cast_unsigned())
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Raises the process's limit of open files as far as it may be raised; answers the new limit.
pub(crate) fn raise_file_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills in the structure it is given.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } < 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the call reads the structure it is given.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}
