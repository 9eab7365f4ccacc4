//! The few runtime calls the generator uses: a ring or epoll, sockets, and a timer finer than the runtime's own.
//!
//! Reads are `readable()` and then a non-blocking receive: nothing received is ever lost by dropping a future, and no
//! buffer waits with an idle connection.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use ringwire_net::{Driver, Signal, Stream};
use socket2::{Domain, Protocol, SockRef, Type};

use crate::target::Target;
use crate::tls::{Session, Tls};

/// Runs `future` to its end on a runtime of the calling thread: io_uring where the system allows it, else epoll.
pub(crate) fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let driver = if Driver::probe_uring().is_ok() { Driver::Uring } else { Driver::Epoll };
    driver.block_on(future)
}

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    /// Apart, because it is large and most sockets have none.
    tls: Option<Box<RefCell<Session>>>,
}

impl Socket {
    /// Connects, without Nagle's delay, and makes the TLS handshake where the target asks for it; from `source`, or
    /// from where the system chooses.
    pub(crate) async fn connect(target: &Target, source: Option<IpAddr>) -> io::Result<Self> {
        let stream = connect(target.address, source).await?;
        let tls = target.tls.as_ref().map(Tls::session).transpose()?;
        let tls = tls.map(|session| Box::new(RefCell::new(session)));
        let socket = Self { stream, tls };
        socket.shake_hands().await?;
        Ok(socket)
    }

    async fn shake_hands(&self) -> io::Result<()> {
        let Some(tls) = &self.tls else { return Ok(()) };
        while tls.borrow().is_handshaking() {
            self.flush_all().await?;
            let taken = tls.borrow_mut().take_in(&mut Raw(&self.stream));
            match taken {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable().await?,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let reason = "the server ended the TLS handshake; does it speak TLS there?";
                    return Err(io::Error::new(error.kind(), reason));
                }
                other => other?,
            }
        }
        self.flush_all().await
    }

    /// Writes all of it.
    pub(crate) async fn send_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.send(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error),
            }
        }
        self.flush_all().await
    }

    async fn flush_all(&self) -> io::Result<()> {
        loop {
            match self.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await?,
                other => return other,
            }
        }
    }

    /// Ends the connection in both directions; whoever reads or writes sees the end.
    pub(crate) fn shutdown(&self) {
        // SAFETY: takes no pointers. A socket that is gone already is what is wanted.
        unsafe { libc::shutdown(self.stream.as_fd_number(), libc::SHUT_RDWR) };
    }

    /// Completes when [`Self::recv`] will not block.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        if self.has_plaintext() {
            return Ok(());
        }
        self.stream.readable().await
    }

    /// From here on the task that asks for [`ringwire_net::arrivals`] is told by this token when [`Self::recv`] will not
    /// block, instead of who waits for [`Self::readable`].
    pub(crate) fn announce(&self, token: usize) -> io::Result<()> {
        self.stream.announce(token)
    }

    /// Has that task told once more.
    pub(crate) fn announce_again(&self, token: usize) {
        self.stream.announce_again(token);
    }

    /// The last [`Self::recv`] may have left something that is not announced by itself.
    pub(crate) fn may_hold_more(&self) -> bool {
        self.has_plaintext() || self.stream.may_hold_more()
    }

    fn has_plaintext(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.borrow_mut().has_plaintext())
    }

    /// Completes when [`Self::send`] will take at least a byte.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Reads what has arrived; 0 is the end of the stream, `WouldBlock` means nothing has.
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut raw = Raw(&self.stream);
        match &self.tls {
            None => raw.read(buffer),
            Some(tls) => tls.borrow_mut().read(&mut raw, buffer),
        }
    }

    /// The descriptor, if what is sent goes over the socket as it is.
    pub(crate) fn plain(&self) -> Option<RawFd> {
        self.tls.is_none().then(|| self.stream.as_fd_number())
    }

    /// A read that gave less than was asked for left nothing behind.
    pub(crate) fn reads_all_at_once(&self) -> bool {
        self.tls.is_none()
    }

    /// Writes what the socket takes now; `WouldBlock` means nothing.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut raw = Raw(&self.stream);
        match &self.tls {
            None => raw.write(bytes),
            Some(tls) => tls.borrow_mut().write(&mut raw, bytes),
        }
    }

    /// Writes what earlier sends left behind; `WouldBlock` means that something is left.
    pub(crate) fn flush(&self) -> io::Result<()> {
        match &self.tls {
            None => Ok(()),
            Some(tls) => tls.borrow_mut().flush(&mut Raw(&self.stream)),
        }
    }
}

/// The bytes of a socket, as many as there are now.
struct Raw<'a>(&'a Stream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        ringwire_net::send(self.0.as_fd_number(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects, if asked for from one of the addresses of this host.
async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        bind_address(&socket, source)?;
    }
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    let stream = Stream::new(socket.into())?;
    stream.writable().await?;
    match SockRef::from(&stream).take_error()? {
        None => Ok(stream),
        Some(error) => Err(error),
    }
}

/// The system chooses the port when it knows both ends, so that a port can serve connections to several servers.
fn bind_address(socket: &socket2::Socket, source: IpAddr) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: pointer and size describe `on`, which the call only reads.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    socket.bind(&SocketAddr::new(source, 0).into())
}

/// A timer of nanosecond resolution; the runtime's own counts whole milliseconds, which would show in every latency.
#[derive(Debug)]
pub(crate) struct FineTimer {
    /// A timerfd.
    timer: OwnedFd,
    expired: Signal,
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
        let timer = unsafe { OwnedFd::from_raw_fd(fd) };
        let expired = Signal::new(timer.as_fd())?;
        Ok(Self { timer, expired })
    }

    /// Completes after `duration`, of at least a nanosecond, or when [`Self::set`] says meanwhile.
    pub(crate) async fn sleep(&self, duration: Duration) -> io::Result<()> {
        self.set(duration)?;
        self.expired.raised().await
    }

    /// Ends a sleep that is under way after `duration`, of at least a nanosecond.
    pub(crate) fn set(&self, duration: Duration) -> io::Result<()> {
        let fd = self.timer.as_raw_fd();
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
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use socket2::{Domain, Socket as Socket2, Type};

    use super::*;

    /// A socket that keeps its port and takes no connections. A listener that was just closed would not do: a child
    /// process that another test is starting may still hold it, and another test may be given its port.
    fn bound_only() -> Socket2 {
        let socket = Socket2::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket
    }

    #[test]
    fn connections_come_from_the_address_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let source: IpAddr = "127.0.7.9".parse().unwrap();
        let talk = async {
            let stream = connect(address, Some(source)).await.unwrap();
            let own = stream.into_std().local_addr().unwrap();
            assert_eq!(own.ip(), source);
            assert_eq!(listener.accept().unwrap().1, own);
            let nobody = bound_only();
            let nobody = nobody.local_addr().unwrap().as_socket().unwrap();
            let refused = connect(nobody, Some(source)).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            // Not an address of this machine.
            let elsewhere = "192.0.2.1".parse().unwrap();
            let unavailable = connect(address, Some(elsewhere)).await.unwrap_err();
            assert_eq!(unavailable.kind(), io::ErrorKind::AddrNotAvailable);
        };
        block_on(talk).unwrap();
    }
}
