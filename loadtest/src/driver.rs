//! One user's connections: connect, upgrade, read until it ends, and again.
//!
//! ```text
//!   socket ──arrivals──► recv ──► Connection::poll ──► messages ──► User ──► events ──► crew
//!   socket ◄──flush───── Connection::output ◄── payload of due commands ◄── User
//! ```
//!
//! What goes over the connection is the user's business ([`Player`]). What a user writes in a turn goes out in one write,
//! together with what others wrote ([`crate::flush`]), and what arrives is read by one task for all ([`crate::reading`]):
//! those of the users connect and wait for the end. While a socket takes no more, nothing is added to its output, so
//! it is bounded by one batch; sends that become due meanwhile wait in the user's queue.

use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ringwire_net::sleep;
use ringwire_protocol::CloseReason;
use ringwire_protocol::connection::{Connection, Event as SocketEvent, Input};
use ringwire_protocol::websocket::Limits;
use ringwire_protocol::websocket::handshake::{ClientHandshake, MAX_HEAD_BYTES};

use crate::client::Event;
use crate::crew::Crew;
use crate::net::Socket;
use crate::player::Player;
use crate::reading;

/// The largest message taken from the server: a full page of large entries.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// The shortest and the longest pause before a new connection.
const BACKOFF_MS: (u64, u64) = (50, 1000);
/// A user that has never been connected gives up after this many attempts.
const MAX_FIRST_ATTEMPTS: u32 = 6;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Rc<Socket>,
    connection: Connection,
    /// The socket took less than the output; a task waits until it takes more.
    blocked: bool,
    /// It waits for the next pass of its lane.
    dirty: bool,
    /// Why it has ended, and who waits for that.
    ended: Option<Ended>,
    waiting: Option<Waker>,
}

/// A user and its connection, if it has one.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) user: Player,
    pub(crate) link: Option<Link>,
    /// It will not connect again.
    pub(crate) dead: bool,
    /// When it will be written to without a cause; `None`: only when something happens.
    pub(crate) wake_us: Option<u64>,
    /// It reads slowly while sends are offered, and sends nothing.
    pub(crate) slow: bool,
    /// It has been in its conversation, or needs none and has been connected.
    pub(crate) entered: bool,
    /// When its first connection was due, until it stands.
    pub(crate) connect_due_us: Option<u64>,
    /// Its connection has been ended on purpose: until when it stays away.
    pub(crate) away_until_us: Option<u64>,
    /// It was cut off on purpose, and its recovery counts from then, until it has caught up.
    pub(crate) back_due_us: Option<u64>,
    /// When it last had caught up after that; 0: it was never cut off.
    pub(crate) caught_up_us: u64,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("connect: {0}")]
    Connect(String),
    #[error("upgrade refused with status {0}")]
    Refused(u16),
    #[error("upgrade: {0}")]
    Upgrade(&'static str),
    #[error("connection lost")]
    Lost,
    #[error("close {0}{meaning}", meaning = meaning_of(*.0))]
    Closed(u16),
    #[error("protocol error: {0}")]
    Protocol(String),
}

impl Ended {
    /// A new connection may fare better.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Lost => true,
            Self::Refused(status) => *status >= 500 || *status == 429,
            Self::Upgrade(_) | Self::Protocol(_) => false,
            // Of RFC 6455's codes (7.4.1) those that say something is wrong with what was sent: protocol error, a kind
            // or text that is not taken, too big, no extension. It would be sent again.
            Self::Closed(code) => !matches!(code, 1002 | 1003 | 1007 | 1009 | 1010 | 4000..4100),
        }
    }
}

impl Slot {
    pub(crate) fn new(user: Player) -> Self {
        Self {
            user,
            link: None,
            dead: false,
            wake_us: None,
            slow: false,
            entered: false,
            connect_due_us: None,
            away_until_us: None,
            back_due_us: None,
            caught_up_us: 0,
        }
    }

    /// Writes down what the user has to say; `payload` is scratch space. `true`: a pass has to send it, and does not know
    /// yet.
    pub(crate) fn write(
        &mut self,
        now_us: u64,
        payload: &mut BytesMut,
        events: &mut Vec<Event>,
    ) -> bool {
        let Some(link) = self.link.as_mut().filter(|link| !link.blocked) else { return false };
        let kind = self.user.kind();
        while self.user.poll_payload(now_us, payload, events) {
            link.connection.send(kind, payload);
            payload.clear();
        }
        let is_news = !link.dirty && !link.connection.output().is_empty();
        link.dirty |= is_news;
        is_news
    }

    /// Sends what was written down. Answers the socket if it takes no more and must be waited for.
    pub(crate) fn flush(&mut self) -> Option<Rc<Socket>> {
        let link = self.link.as_mut().filter(|link| link.dirty)?;
        link.dirty = false;
        link.flush();
        link.blocked.then(|| Rc::clone(&link.socket))
    }

    /// What a pass has to send as it is, and the socket's descriptor.
    pub(crate) fn plain_output(&mut self) -> Option<(RawFd, &mut BytesMut)> {
        let link = self.link.as_mut().filter(|link| link.dirty)?;
        Some((link.socket.plain()?, link.connection.output()))
    }

    /// Says goodbye, as far as the socket takes it.
    pub(crate) fn close(&mut self) {
        if let Some(link) = &mut self.link {
            link.connection.close(1000, "");
            link.flush();
        }
    }

    /// Ends the connection without a word.
    pub(crate) fn hang_up(&mut self) {
        if let Some(link) = &self.link {
            link.socket.shutdown();
        }
        // Who reads slowly would see it late.
        self.end(Ended::Lost);
    }

    /// Whoever waits for the end of the connection is told.
    pub(crate) fn end(&mut self, ended: Ended) {
        if let Some(link) = &mut self.link {
            link.ended = Some(ended);
            if let Some(waiting) = link.waiting.take() {
                waiting.wake();
            }
        }
    }

    /// Why the connection has ended, if it has and nobody was told yet.
    pub(crate) fn take_ended(&mut self) -> Option<Ended> {
        match &mut self.link {
            Some(link) => link.ended.take(),
            None => Some(Ended::Lost),
        }
    }

    pub(crate) fn poll_ended(&mut self, context: &Context<'_>) -> Poll<Ended> {
        if let Some(ended) = self.take_ended() {
            return Poll::Ready(ended);
        }
        if let Some(link) = &mut self.link {
            link.waiting = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Lets go of who waits for the end of the connection.
    pub(crate) fn forget_waker(&mut self) -> Option<Waker> {
        self.link.as_mut()?.waiting.take()
    }

    /// The socket, if it is connected and has not ended.
    pub(crate) fn open_socket(&self) -> Option<Rc<Socket>> {
        let link = self.link.as_ref().filter(|link| link.ended.is_none())?;
        Some(Rc::clone(&link.socket))
    }

    fn is_current(&self, socket: &Rc<Socket>) -> bool {
        self.link.as_ref().is_some_and(|link| Rc::ptr_eq(&link.socket, socket))
    }

    /// Takes in bytes; frames go to the user.
    pub(crate) fn feed(
        &mut self,
        bytes: &mut [u8],
        now_us: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Ended> {
        let Some(link) = &mut self.link else { return Err(Ended::Lost) };
        let mut input = Input::new(bytes);
        loop {
            match link.connection.poll(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(SocketEvent::Message { payload, .. })) => {
                    self.user.take_in(payload, now_us, events).map_err(Ended::Protocol)?;
                }
                Ok(Some(SocketEvent::Close { code, .. })) => {
                    let code = code.unwrap_or(1005);
                    link.flush();
                    return Err(Ended::Closed(code));
                }
                Ok(Some(SocketEvent::Ping(_) | SocketEvent::Pong(_))) => {}
                Err(error) => {
                    link.flush();
                    return Err(Ended::Protocol(error.to_string()));
                }
            }
        }
    }
}

impl Link {
    /// Writes the output as far as the socket takes it. A failed write is left to the reader, who will see the end.
    fn flush(&mut self) {
        let output = self.connection.output();
        while !output.is_empty() {
            match self.socket.send(output) {
                Ok(written) => output.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.blocked = error.kind() == io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
        let rest = self.socket.flush();
        self.blocked = rest.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    }
}

/// Keeps one user connected until the run is over or nothing more can be hoped for.
pub(crate) async fn keep_connected(crew: Rc<Crew>, index: usize) {
    let mut failures_in_row = 0;
    loop {
        let entered_before = crew.has_entered(index);
        let Err(ended) = session(&crew, index).await;
        if crew.is_live(index) {
            failures_in_row = 0;
        }
        let given_up = crew.disconnected(index);
        if crew.is_over() {
            return;
        }
        if let Some(until_us) = crew.take_absence(index)
            && !crew.is_dead(index)
        {
            crew.go_on(index, given_up, crew.run.now_us());
            let away_us = until_us.saturating_sub(crew.run.now_us());
            if away_us > 0 {
                sleep(Duration::from_micros(away_us)).await;
            }
            continue;
        }
        crew.error(ended.to_string());
        let entered = entered_before || crew.has_entered(index);
        let hopeless = !ended.is_temporary()
            || (entered && !crew.retries())
            || (!entered && failures_in_row >= MAX_FIRST_ATTEMPTS);
        if hopeless || crew.is_dead(index) {
            crew.give_up(index, &ended.to_string());
            return;
        }
        crew.go_on(index, given_up, crew.run.now_us());
        let (shortest_ms, longest_ms) = BACKOFF_MS;
        let pause_ms = (shortest_ms << failures_in_row.min(10)).min(longest_ms);
        // Users that were cut off together come back spread over the second half of the pause.
        let spread_ms = pause_ms / 2 * (index as u64 % 16) / 16;
        failures_in_row += 1;
        sleep(Duration::from_millis(pause_ms / 2 + spread_ms)).await;
    }
}

/// In words, as far as it is known.
fn meaning_of(code: u16) -> String {
    let own = CloseReason::ALL.iter().find(|known| known.code() == code);
    match (own, code) {
        (Some(reason), _) => format!(" ({})", reason.reason()),
        (None, 1003) => " (the server does not take such messages)".to_owned(),
        (None, 1009) => " (too large for the server)".to_owned(),
        (None, 1013) => " (try again later)".to_owned(),
        (None, _) => String::new(),
    }
}

/// What an error says of its own, as TLS does; else its kind, so that errors that differ in numbers only are one.
fn reason(error: &io::Error) -> String {
    error.get_ref().map_or_else(|| error.kind().to_string(), ToString::to_string)
}

/// One connection from beginning to end.
async fn session(crew: &Rc<Crew>, index: usize) -> Result<std::convert::Infallible, Ended> {
    let target = crew.target();
    let lost = |_| Ended::Lost;
    let socket = Socket::connect(target, crew.source(index))
        .await
        .map_err(|error| Ended::Connect(reason(&error)))?;
    let request = crew.request(index);
    let (handshake, request_bytes) =
        ClientHandshake::new(&target.host, &request.path, request.subprotocol.as_slice(), &[]);
    socket.send_all(&request_bytes).await.map_err(lost)?;

    let mut head = vec![0; MAX_HEAD_BYTES + 4096];
    let mut filled = 0;
    let (response, head_bytes) = loop {
        socket.readable().await.map_err(lost)?;
        match socket.recv(&mut head[filled..]) {
            Ok(0) => return Err(Ended::Lost),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => return Err(Ended::Lost),
        }
        let parsed = handshake.parse_response(&head[..filled]);
        if let Some(parsed) = parsed.map_err(|error| Ended::Upgrade(error.reason))? {
            break parsed;
        }
    };
    if response.status != 101 {
        return Err(Ended::Refused(response.status));
    }
    if request.subprotocol.is_some() && response.subprotocol.as_deref() != request.subprotocol {
        return Err(Ended::Upgrade("the server did not choose the subprotocol offered"));
    }

    let socket = Rc::new(socket);
    let limits = Limits { max_message_bytes: MAX_MESSAGE_BYTES };
    let connection = Connection::new_client(crew.mask_seed(index), limits);
    let link = Link {
        socket: Rc::clone(&socket),
        connection,
        blocked: false,
        dirty: false,
        ended: None,
        waiting: None,
    };
    crew.connected(index, link);
    crew.with_slot(index, |slot, now_us, events| {
        slot.feed(&mut head[head_bytes..filled], now_us, events)
    })?;
    drop(head);
    Err(reading::until_end(crew, index, &socket).await)
}

/// Waits until a socket takes more, then goes on writing.
pub(crate) async fn write_on(crew: Rc<Crew>, index: usize, socket: Rc<Socket>) {
    loop {
        if socket.writable().await.is_err() {
            return;
        }
        let go_on = crew.with_slot(index, |slot, _, _| {
            if !slot.is_current(&socket) {
                return false;
            }
            slot.link.as_mut().is_some_and(|link| {
                link.flush();
                link.blocked
            })
        });
        if !go_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_will_not_take_is_not_sent_again() {
        for code in [1002, 1003, 1007, 1009, 1010, 4000, 4099] {
            assert!(!Ended::Closed(code).is_temporary(), "{code}");
        }
        for code in [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4100] {
            assert!(Ended::Closed(code).is_temporary(), "{code}");
        }
        assert!(Ended::Refused(429).is_temporary() && Ended::Refused(503).is_temporary());
        assert!(!Ended::Refused(401).is_temporary() && !Ended::Upgrade("no").is_temporary());
    }
}
