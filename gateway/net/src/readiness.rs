//! Which sockets of a thread may be read or written: one epoll set, whose descriptor the runtime watches.
//!
//! ```text
//!   sockets ── something arrived, or there is room ──► epoll set ── one poll for all of them ──► watch ─┬─► wakers
//!                     (edges)                                                            ≤ 256 a turn ─┘└─► arrivals
//! ```
//!
//! A poll of the ring for each socket has to be armed again after every message: an entry submitted, the file looked up,
//! the socket asked and put back on a wait queue. In the set a socket stays where it is.
//!
//! The set tells of changes, so what was not read after one is not told again. Invariant: whoever waits has either found
//! the socket empty (or full), or has asked the set to look again. A notice too many does no harm.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use slab::Slab;

use super::arrivals::Arrivals;
use super::turns::{Turns, yield_to_others};
use super::{Signal, sleep};

/// Sockets of which a thread hears at once that something has arrived.
const NOTICES_PER_TURN: usize = 256;
/// What a socket is watched for until somebody waits for room in it.
const READ: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);
const BOTH: EventFlags = READ.union(EventFlags::OUT);
/// Nothing goes through it any more, in either direction.
const BROKEN: EventFlags = EventFlags::HUP.union(EventFlags::ERR);
/// The peer has said its last: behind what it sent is the end, of which there will be no further notice. It may still
/// listen.
const ENDED: EventFlags = EventFlags::RDHUP.union(BROKEN);

/// A socket's place in the set of its thread, which it enters when somebody first waits for it.
#[derive(Debug)]
pub(super) struct Place {
    set: Rc<ReadinessSet>,
    key: Cell<Option<usize>>,
    /// There may be something to read that the set will not tell of again.
    may_hold_more: Cell<bool>,
}

impl Place {
    /// In the set of this thread.
    ///
    /// # Errors
    ///
    /// No driver runs here.
    pub(super) fn new() -> io::Result<Self> {
        let none = || io::Error::other("a socket belongs to a thread that runs a driver");
        let set = ReadinessSet::current().ok_or_else(none)?;
        Ok(Self { set, key: Cell::new(None), may_hold_more: Cell::new(false) })
    }

    /// Completes when something may have arrived.
    pub(super) async fn readable(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let key = self.enter(socket)?;
        if self.may_hold_more.take() {
            self.set.look_again(key, socket)?;
        }
        self.set.noticed(key, Side::Read).await;
        Ok(())
    }

    /// Completes when there may be room.
    pub(super) async fn writable(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let key = self.enter(socket)?;
        self.set.look_again(key, socket)?;
        self.set.noticed(key, Side::Write).await;
        Ok(())
    }

    /// Arrivals are told to who asks for [`arrivals`], by this token.
    pub(super) fn announce(&self, socket: BorrowedFd<'_>, token: usize) -> io::Result<()> {
        let key = self.enter(socket)?;
        if let Some(watched) = self.set.watched.borrow_mut().get_mut(key) {
            watched.token = Some(token);
        }
        self.set.look_again(key, socket)
    }

    /// The token is told once more.
    pub(super) fn announce_again(&self, token: usize) {
        let mut arrivals = self.set.arrivals.borrow_mut();
        arrivals.add(token);
        arrivals.tell();
    }

    /// There may be something to read that is not told again.
    pub(super) fn may_hold_more(&self) -> bool {
        self.may_hold_more.get()
    }

    /// What a receive with room for so many bytes came to.
    pub(super) fn has_received(&self, received: &io::Result<usize>, room: usize) {
        self.may_hold_more.set(match received {
            // Fewer than there was room for are all there were; but of the end behind them there is no second notice.
            Ok(count) => {
                *count == room || self.key.get().is_some_and(|key| self.set.has_ended(key))
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        });
    }

    /// The socket stays open and belongs to somebody else from here on.
    pub(super) fn leave(self, socket: BorrowedFd<'_>) {
        if self.key.get().is_some() {
            // It is in the set, so this cannot fail.
            let _ = epoll::delete(&self.set.epoll, socket);
        }
    }

    fn enter(&self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = self.set.add(socket)?;
        self.key.set(Some(key));
        Ok(key)
    }
}

impl Drop for Place {
    /// A socket that has been closed is no longer in the kernel's set.
    fn drop(&mut self) {
        if let Some(key) = self.key.get() {
            // Not borrowed while it is dropped: its waker may hold the last of a task, and that another socket.
            let left = self.set.watched.borrow_mut().try_remove(key);
            drop(left);
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<ReadinessSet>>> = const { RefCell::new(None) };
}

/// What a task may wait for.
#[derive(Clone, Copy, Debug)]
enum Side {
    Read,
    Write,
}

#[derive(Debug, Default)]
struct Waiting {
    is_ready: bool,
    /// Somebody waits, and `waker` is theirs.
    is_awaited: bool,
    /// It is kept from one wait to the next, which is nearly always the same task's.
    waker: Option<Waker>,
}

impl Waiting {
    fn notice(&mut self) {
        self.is_ready = true;
        if std::mem::take(&mut self.is_awaited)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }
}

#[derive(Debug, Default)]
struct Watched {
    /// Arrivals are announced by it.
    token: Option<usize>,
    read: Waiting,
    write: Waiting,
    has_ended: bool,
}

/// The sockets of one thread.
#[derive(Debug)]
pub(super) struct ReadinessSet {
    epoll: OwnedFd,
    watched: RefCell<Slab<Watched>>,
    pub(super) arrivals: RefCell<Arrivals>,
    pub(super) turns: Turns,
}

impl ReadinessSet {
    /// The set of this thread, while a driver runs.
    pub(super) fn current() -> Option<Rc<Self>> {
        CURRENT.with_borrow(Option::clone)
    }

    /// Runs `future` with a set of its own; inside the runtime.
    pub(super) async fn provide<F: Future>(future: F) -> io::Result<F::Output> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let signal = Signal::new(epoll.as_fd())?;
        let (watched, arrivals) = Default::default();
        let turns = Turns::new()?;
        let turn = turns.signal()?;
        let set = Rc::new(Self { epoll, watched, arrivals, turns });
        CURRENT.set(Some(Rc::clone(&set)));
        super::spawn(Rc::clone(&set).watch(signal));
        super::spawn(Turns::serve(Rc::clone(&set), turn));
        let output = future.await;
        CURRENT.set(None);
        set.forget_wakers();
        Ok(output)
    }

    /// Takes a socket in; it is told of what has already arrived too.
    fn add(&self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let key = self.watched.borrow_mut().insert(Watched::default());
        let added = epoll::add(&self.epoll, socket, EventData::new_u64(key as u64), READ);
        if added.is_err() {
            self.watched.borrow_mut().remove(key);
        }
        Ok(added.map(|()| key)?)
    }

    /// Has the set tell what is so now, and from here on also of room.
    fn look_again(&self, key: usize, socket: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(key as u64), BOTH)?)
    }

    /// The peer has said its last.
    fn has_ended(&self, key: usize) -> bool {
        self.watched.borrow().get(key).is_some_and(|watched| watched.has_ended)
    }

    /// Completes with the next notice, or with one that came while nobody waited.
    async fn noticed(&self, key: usize, side: Side) {
        poll_fn(|context| self.poll_noticed(key, side, context)).await;
    }

    fn poll_noticed(&self, key: usize, side: Side, context: &Context<'_>) -> Poll<()> {
        let mut watched = self.watched.borrow_mut();
        let Some(watched) = watched.get_mut(key) else { return Poll::Ready(()) };
        let waiting = match side {
            Side::Read => &mut watched.read,
            Side::Write => &mut watched.write,
        };
        if std::mem::take(&mut waiting.is_ready) {
            return Poll::Ready(());
        }
        waiting.is_awaited = true;
        let is_known = waiting.waker.as_ref().is_some_and(|known| known.will_wake(context.waker()));
        if !is_known {
            waiting.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Passes notices on, for ever.
    async fn watch(self: Rc<Self>, signal: Signal) {
        let mut events = Vec::with_capacity(NOTICES_PER_TURN);
        loop {
            let asked = match self.take_notices(&mut events) {
                Ok(true) => {
                    yield_to_others().await;
                    Ok(())
                }
                Ok(false) => signal.raised().await,
                Err(error) => Err(error),
            };
            if let Err(error) = asked {
                tracing::error!(%error, "the sockets of a thread cannot be asked");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Passes on those that are there; whether there may be more.
    fn take_notices(&self, events: &mut Vec<Event>) -> io::Result<bool> {
        events.clear();
        let at_once = Timespec::default();
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&at_once)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        // To wake a task is not to run it: nobody leaves meanwhile.
        let mut watched = self.watched.borrow_mut();
        let mut arrivals = self.arrivals.borrow_mut();
        for event in &*events {
            let (key, flags) = (event.data.u64() as usize, event.flags);
            let Some(watched) = watched.get_mut(key) else { continue };
            watched.has_ended |= flags.intersects(ENDED);
            if flags.intersects(ENDED.union(EventFlags::IN)) {
                match watched.token {
                    Some(token) => arrivals.add(token),
                    None => watched.read.notice(),
                }
            }
            if flags.intersects(BROKEN.union(EventFlags::OUT)) {
                watched.write.notice();
            }
        }
        arrivals.tell();
        Ok(events.len() == events.capacity())
    }

    /// Wakers hold their tasks, and those the sockets and so this set: what still waits when the runtime ends is let go.
    fn forget_wakers(&self) {
        let wakers: Vec<Waker> = self
            .watched
            .borrow_mut()
            .iter_mut()
            .flat_map(|(_, watched)| [watched.read.waker.take(), watched.write.waker.take()])
            .flatten()
            .chain(self.arrivals.borrow_mut().forget_waker())
            .chain(self.turns.forget_wakers())
            .collect();
        // Not borrowed while they are dropped: that may close sockets.
        drop(wakers);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::super::{Driver, Stream, send, spawn};
    use super::*;

    pub(crate) const SOON: Duration = Duration::from_millis(20);

    pub(crate) fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Stream::new(listener.accept().unwrap().0).unwrap(), peer)
    }

    /// Sends until the socket is full; how much it took.
    fn fill(stream: &Stream) -> usize {
        let much = vec![1; 1 << 20];
        std::iter::from_fn(|| send(stream.as_fd_number(), &much).ok()).sum()
    }

    /// Waits for room, which the peer makes by reading so much.
    async fn is_told_of_room(stream: &Stream, mut peer: TcpStream, bytes: usize) {
        let reader = std::thread::spawn(move || {
            peer.read_exact(&mut vec![0; bytes]).unwrap();
            peer
        });
        stream.writable().await.unwrap();
        assert!(send(stream.as_fd_number(), b"more").is_ok());
        drop(reader.join().unwrap());
    }

    /// With both drivers, where the system allows both.
    pub(crate) fn with_drivers<F: Future<Output = ()>>(test: impl Fn() -> F) {
        Driver::Epoll.block_on(test()).unwrap();
        if Driver::probe_uring().is_ok() {
            Driver::Uring.block_on(test()).unwrap();
        }
    }

    pub(crate) async fn is_told(stream: &Stream) -> bool {
        stream.readable_within(SOON).await.unwrap()
    }

    #[test]
    fn each_arrival_is_told_once_it_was_read() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            assert!(!is_told(&stream).await);
            for byte in 0..3 {
                peer.write_all(&[byte]).unwrap();
                stream.readable().await.unwrap();
                let mut buffer = [9; 8];
                assert_eq!((stream.recv(&mut buffer).unwrap(), buffer[0]), (1, byte));
                assert!(!is_told(&stream).await);
            }
        });
    }

    #[test]
    fn what_came_before_the_first_wait_or_between_two_is_told() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            peer.write_all(b"early").unwrap();
            stream.readable().await.unwrap();
            assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 5);
            peer.write_all(b"between").unwrap();
            sleep(SOON).await;
            stream.readable().await.unwrap();
            assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 7);
        });
    }

    #[test]
    fn what_did_not_fit_is_told_again() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            peer.write_all(&[7; 10]).unwrap();
            let mut received = 0;
            while received < 10 {
                stream.readable().await.unwrap();
                received += stream.recv(&mut [0; 4]).unwrap();
            }
            assert!(!is_told(&stream).await);
        });
    }

    #[test]
    fn the_end_is_told_behind_what_was_sent_before_it() {
        with_drivers(async || {
            for first_heard in [false, true] {
                let (stream, mut peer) = pair();
                if first_heard {
                    assert!(!is_told(&stream).await);
                }
                peer.write_all(b"last words").unwrap();
                drop(peer);
                stream.readable().await.unwrap();
                assert_eq!(stream.recv(&mut [0; 64]).unwrap(), 10);
                stream.readable().await.unwrap();
                assert_eq!(stream.recv(&mut [0; 64]).unwrap(), 0);
            }
        });
    }

    #[test]
    fn a_wait_given_up_loses_nothing() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            for _ in 0..3 {
                assert!(!is_told(&stream).await);
            }
            peer.write_all(b"x").unwrap();
            // Noticed, but the future that would have said so is gone.
            sleep(SOON).await;
            assert!(is_told(&stream).await);
        });
    }

    #[test]
    fn who_waits_for_room_and_who_waits_for_bytes_are_both_told() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            let stream = Rc::new(stream);
            let sent = fill(&stream);
            assert!(!stream.writable_within(SOON).await.unwrap());
            let heard = Rc::new(Cell::new(false));
            let (listening, told) = (Rc::clone(&stream), Rc::clone(&heard));
            spawn(async move {
                listening.readable().await.unwrap();
                told.set(true);
            });
            peer.write_all(b"a word").unwrap();
            is_told_of_room(&stream, peer, sent).await;
            while !heard.get() {
                sleep(Duration::from_millis(1)).await;
            }
        });
    }

    #[test]
    fn who_has_said_their_last_and_takes_nothing_makes_no_room() {
        with_drivers(async || {
            let (stream, peer) = pair();
            let sent = fill(&stream);
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            stream.readable().await.unwrap();
            assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 0);
            for _ in 0..3 {
                assert!(!stream.writable_within(SOON).await.unwrap());
            }
            is_told_of_room(&stream, peer, sent).await;
        });
    }

    #[test]
    fn a_socket_that_moves_is_heard_where_it_is() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            assert!(!is_told(&stream).await);
            peer.write_all(b"unread").unwrap();
            sleep(SOON).await;
            let moving = stream.into_std();
            let other = std::thread::spawn(move || {
                let there = async {
                    let stream = Stream::new(moving).unwrap();
                    stream.readable().await.unwrap();
                    stream.recv(&mut [0; 64]).unwrap()
                };
                Driver::Epoll.block_on(there).unwrap()
            });
            assert_eq!(other.join().unwrap(), 6);
        });
    }

    #[test]
    fn many_are_told_although_a_turn_takes_fewer() {
        with_drivers(async || {
            let count = NOTICES_PER_TURN * 2 + 1;
            let heard = Rc::new(Cell::new(0));
            let mut peers = Vec::new();
            for _ in 0..count {
                let (stream, peer) = pair();
                peers.push(peer);
                let heard = Rc::clone(&heard);
                spawn(async move {
                    stream.readable().await.unwrap();
                    heard.set(heard.get() + 1);
                });
            }
            sleep(SOON).await;
            assert_eq!(heard.get(), 0);
            for peer in &mut peers {
                peer.write_all(b"x").unwrap();
            }
            while heard.get() < count {
                sleep(Duration::from_millis(1)).await;
            }
        });
    }

    #[test]
    fn who_still_waits_at_the_end_is_let_go() {
        let held = Rc::new(());
        for driver in [Driver::Epoll, Driver::Uring] {
            if driver == Driver::Uring && Driver::probe_uring().is_err() {
                continue;
            }
            let mut peers = Vec::new();
            driver
                .block_on(async {
                    let (stream, peer) = pair();
                    peers.push(peer);
                    let held = Rc::clone(&held);
                    spawn(async move {
                        stream.readable().await.unwrap();
                        drop(held);
                    });
                    sleep(SOON).await;
                })
                .unwrap();
            assert_eq!(Rc::strong_count(&held), 1);
            assert_eq!(peers[0].read(&mut [0]).unwrap(), 0, "its socket is closed");
        }
    }

    #[test]
    fn who_no_longer_waits_is_not_woken() {
        with_drivers(async || {
            let (stream, mut peer) = pair();
            let stream = Rc::new(stream);
            let polls = Rc::new(Cell::new(0));
            let (writer, counted) = (Rc::clone(&stream), Rc::clone(&polls));
            spawn(async move {
                writer.writable().await.unwrap();
                poll_fn(|_| {
                    counted.set(counted.get() + 1);
                    Poll::<()>::Pending
                })
                .await;
            });
            for byte in 0..3 {
                peer.write_all(&[byte]).unwrap();
                stream.readable().await.unwrap();
                assert_eq!(stream.recv(&mut [0; 8]).unwrap(), 1);
                assert!(!is_told(&stream).await);
            }
            assert_eq!(polls.get(), 1);
        });
    }

    #[test]
    fn a_socket_needs_a_driver() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(Stream::new(peer).is_err());
    }
}
