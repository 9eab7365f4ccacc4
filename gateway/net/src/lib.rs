//! The few runtime calls of a thread with many sockets, be it a shard of the gateway or a thread of the load generator,
//! so that the runtime can be exchanged behind this crate.
//!
//! ```text
//!   readable().await ──► recv() into a buffer the thread owns     no buffer waits with an idle connection
//!   send()           ──► EAGAIN? writable().await                 no operation is in flight while a socket moves
//!   SendRing         ──► many sends in one system call
//!   arrivals         ──► one task reads for many sockets           no task is woken for each
//!   yield_to_others  ──► by way of the driver                      timers and other sockets have their turn
//! ```
//!
//! Reads and writes are plain non-blocking system calls after a notice of the thread's set (`readiness.rs`): that takes
//! a fifth of the memory of owned-buffer operations on the ring, and a socket that nobody waits for can change threads.

mod arrivals;
mod eventfd;
mod readiness;
mod send_ring;
mod turns;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use std::thread;
use std::time::{Duration, Instant};

use monoio::net::{TcpListener, UnixStream};

pub use self::arrivals::arrivals;
pub use self::eventfd::EventFd;
use self::readiness::{Place, ReadinessSet};
pub use self::send_ring::SendRing;
pub use self::turns::yield_to_others;

/// Entries of a thread's submission queue: what waits is its listener, its signals and the set of its sockets.
const RING_ENTRIES: u32 = 256;
/// How long [`wait_for_free_port`] waits for the port of a process that was just killed.
const PORT_RELEASE: Duration = Duration::from_secs(2);
/// How often it looks.
const PORT_RETRY: Duration = Duration::from_millis(20);

/// How a thread waits for its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// io_uring (Linux 5.19 or newer, and allowed by the container's seccomp profile).
    Uring,
    /// epoll.
    Epoll,
}

impl Driver {
    /// The name in logs, in `/health/ready` and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uring => "io_uring",
            Self::Epoll => "epoll",
        }
    }

    /// Whether this machine lets the process make a ring with the flags that are used here.
    pub fn probe_uring() -> io::Result<()> {
        ring_builder().build(8).map(drop)
    }

    /// Builds the runtime on the calling thread, which alone will use it, and runs `future` to its end.
    pub fn block_on<F: Future>(self, future: F) -> io::Result<F::Output> {
        let future = ReadinessSet::provide(future);
        match self {
            Self::Uring => {
                let mut runtime = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
                    .with_entries(RING_ENTRIES)
                    .uring_builder(ring_builder())
                    .enable_timer()
                    .build()?;
                runtime.block_on(future)
            }
            Self::Epoll => {
                let mut runtime =
                    monoio::RuntimeBuilder::<monoio::LegacyDriver>::new().enable_timer().build()?;
                runtime.block_on(future)
            }
        }
    }
}

fn ring_builder() -> io_uring::Builder {
    let mut builder = io_uring::IoUring::builder();
    // One thread submits, and completions run only when it asks for them: no interrupts of its work.
    builder.setup_single_issuer().setup_defer_taskrun();
    builder
}

/// Starts a task on the calling thread.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    drop(monoio::spawn(future));
}

/// Completes after `duration`.
pub async fn sleep(duration: Duration) {
    monoio::time::sleep(duration).await;
}

/// Pins the calling thread to one processor.
pub fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    monoio::utils::bind_to_cpu_set([cpu]).map_err(io::Error::from)
}

/// Opens a listener that shares its port with the other shards' (SO_REUSEPORT); the kernel spreads connections.
pub fn listen(address: SocketAddr) -> io::Result<StdListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    // The epoll driver hangs on a blocking listener.
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// Fails if another program listens on the address. Shards share their port, so binding alone would not tell: with
/// SO_REUSEPORT a second gateway of the same user would silently take half of the first one's connections.
///
/// Waits a little first: after a kill the kernel takes down the dead process's io_uring in the background (measured:
/// 5–10 ms), and the old listeners live until then. A supervisor that restarts at once must not fail over that.
pub fn wait_for_free_port(address: SocketAddr) -> io::Result<()> {
    let deadline = Instant::now() + PORT_RELEASE;
    loop {
        match check_port_is_free(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(PORT_RETRY);
            }
            outcome => return outcome,
        }
    }
}

fn check_port_is_free(address: SocketAddr) -> io::Result<()> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// A thread's listener.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Takes over a listener made by [`listen`].
    pub fn new(listener: StdListener) -> io::Result<Self> {
        TcpListener::from_std(listener).map(Self)
    }

    /// The next connection.
    pub async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        let (stream, peer) = self.0.accept().await?;
        // SAFETY: `into_raw_fd` gives up ownership of an open socket descriptor, and nothing else holds it.
        let stream = unsafe { StdStream::from_raw_fd(stream.into_raw_fd()) };
        stream.set_nodelay(true)?;
        Ok((Stream::new(stream)?, peer))
    }
}

/// A socket on its thread: connected, or about to be.
#[derive(Debug)]
pub struct Stream {
    socket: StdStream,
    place: Place,
}

impl Stream {
    /// Takes a socket over from another thread, or from its listener; in [`Driver::block_on`].
    pub fn new(socket: StdStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, place: Place::new()? })
    }

    /// Completes when there is something to `recv`; it may be gone by then. Dropping the future loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.place.readable(self.socket.as_fd()).await
    }

    /// From here on arrivals are told by this token to the task that asks for [`arrivals`], and no more by
    /// [`Self::readable`]; what is here already is told, too.
    pub fn announce(&self, token: usize) -> io::Result<()> {
        self.place.announce(self.socket.as_fd(), token)
    }

    /// Tells the token once more, behind those that are on the list.
    pub fn announce_again(&self, token: usize) {
        self.place.announce_again(token);
    }

    /// The last `recv` may have left something that is not announced by itself, be it the end.
    pub fn may_hold_more(&self) -> bool {
        self.place.may_hold_more()
    }

    /// Completes when there is room for a `send`, or may be. Dropping the future loses nothing.
    pub async fn writable(&self) -> io::Result<()> {
        self.place.writable(self.socket.as_fd()).await
    }

    /// [`Self::readable`] with a deadline; `false`: it passed.
    pub async fn readable_within(&self, limit: Duration) -> io::Result<bool> {
        match monoio::time::timeout(limit, self.readable()).await {
            Ok(ready) => ready.map(|()| true),
            Err(_elapsed) => Ok(false),
        }
    }

    /// [`Self::writable`] with a deadline; `false`: it passed.
    pub async fn writable_within(&self, limit: Duration) -> io::Result<bool> {
        match monoio::time::timeout(limit, self.writable()).await {
            Ok(ready) => ready.map(|()| true),
            Err(_elapsed) => Ok(false),
        }
    }

    /// Reads what has arrived; 0 is the end of the stream, `WouldBlock` means nothing has.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let received = recv(self.socket.as_raw_fd(), buffer);
        self.place.has_received(&received, buffer.len());
        received
    }

    /// The descriptor, valid as long as this stream.
    pub fn as_fd_number(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Takes the socket off this thread.
    pub fn into_std(self) -> StdStream {
        self.place.leave(self.socket.as_fd());
        self.socket
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn recv(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length describe a buffer this call may write to; the kernel writes no further.
    let count =
        unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Writes what the socket takes now, from several buffers in one call.
pub fn send_vectored(fd: RawFd, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: an all-zero msghdr is a valid empty one.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = buffers.as_ptr().cast_mut().cast();
    message.msg_iovlen = buffers.len();
    // SAFETY: `IoSlice` has the layout of `iovec`; the buffers outlive the call, and sendmsg only reads them.
    let count = unsafe { libc::sendmsg(fd, &raw const message, SEND_FLAGS) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Writes what the socket takes now.
pub fn send(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length describe an initialised buffer that the call only reads.
    let count = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), SEND_FLAGS) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// A send never waits, and a socket that is gone is an error, not a signal.
const SEND_FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// Bytes in a socket that its peer has not acknowledged; 0 where that cannot be told.
pub fn unsent(fd: RawFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the kernel writes one integer, which lives through the call.
    let answered = unsafe { libc::ioctl(fd, libc::TIOCOUTQ, &raw mut count) };
    if answered == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
}

/// Ends both directions of a socket, which also ends a `readable` somebody awaits on it.
pub fn shutdown(fd: RawFd) {
    // SAFETY: shutdown takes no pointers; a wrong or closed descriptor is answered with an error nobody needs.
    let _ = unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
}

/// Ends a socket whose peer does not take what was sent: it is reset when it is closed. Otherwise the kernel would
/// keep the unsent bytes for minutes, and the peer would learn of the end only behind them.
pub fn abort(fd: RawFd) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let length = size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes from `linger`, which lives through the call and is as large as that.
    let _ = unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), length)
    };
    shutdown(fd);
}

/// Tells the peer that nothing more comes, and goes on reading.
pub fn shutdown_write(fd: RawFd) {
    // SAFETY: as in `shutdown`.
    let _ = unsafe { libc::shutdown(fd, libc::SHUT_WR) };
}

/// Waits until a descriptor can be read that is no socket: an eventfd, a timerfd, an epoll set.
#[derive(Debug)]
pub struct Signal(UnixStream);

impl Signal {
    /// Watches a copy of the descriptor. The runtime knows no such descriptors, but polls any that it takes for a
    /// socket; nothing but readiness is ever asked of this one.
    pub fn new(descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        let copy = descriptor.try_clone_to_owned()?;
        UnixStream::from_std(std::os::unix::net::UnixStream::from(copy)).map(Self)
    }

    /// Completes when it can be read.
    pub async fn raised(&self) -> io::Result<()> {
        self.0.readable(false).await
    }
}
