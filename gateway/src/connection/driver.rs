//! One task per connection reads; one task per shard flushes; one sweeps once a second; one closes what has ended.
//!
//! ```text
//!   serve:  readable ─► recv into the shard's buffer ─► machine ─► Application::on_message ─► links
//!           a large answer is sent at the end of its turn, everything else by the flush task
//!   flush:  something dirty ─► 256 connections a pass, sent together ─► blocked ones come back when writable
//!   depart: ended ─► 32 sockets closed ─► a millisecond for others
//!   sweep:  each second ─► pings, idle and slow connections ─► Application::on_second
//! ```
//!
//! Invariants: application code runs between awaits only, so it never sees a half-done turn; the read buffer is
//! borrowed only while bytes are being fed, so a shard needs one for all its connections.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::websocket::deflate::Inflater;

use super::departures::Departures;
use super::endpoint::Endpoint;
use super::flush::Pass;
use super::links::{LinkKey, Links, Overdue};
use crate::limits;
use crate::net::{self, Stream};

/// What runs on top of the connections of a shard.
pub trait Application: 'static {
    /// The write halves.
    fn links(&self) -> &RefCell<Links>;
    /// What the shard reads with.
    fn read_buffer(&self) -> &RefCell<ReadBuffer>;
    /// Sockets that are to be closed.
    fn departures(&self) -> &Departures;
    /// Bytes arrived; messages may follow.
    fn on_turn(&self);
    /// A whole message arrived. Must not borrow the read buffer.
    fn on_message(&self, link: LinkKey, kind: MessageKind, payload: &[u8]);
    /// The peer ends the connection, with this close code if it gave one.
    fn on_farewell(&self, link: LinkKey, code: Option<u16>);
    /// The connection ended and its link is removed.
    fn on_gone(&self, link: LinkKey);
    /// A second passed; these connections are overdue.
    fn on_second(&self, overdue: Vec<(LinkKey, Overdue)>);
    /// A connection whose socket had been full has sent everything.
    fn on_drained(&self, link: LinkKey);
    /// What was queued has been given to the sockets.
    fn on_flushed(&self) {}
}

/// What a shard reads with, lent to one connection at a time.
#[derive(Debug)]
pub struct ReadBuffer {
    /// Where bytes arrive, [`limits::READ_BUFFER_BYTES`] long.
    pub bytes: Vec<u8>,
    /// Where compressed messages are uncompressed.
    pub inflater: Inflater,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self { bytes: vec![0; limits::READ_BUFFER_BYTES], inflater: Inflater::default() }
    }
}

/// A connection after its handshake, with what it has already received.
pub struct Opening {
    /// The protocol machine.
    pub machine: Connection,
    /// Messages that were read before the connection found its shard.
    pub messages: Vec<(MessageKind, Vec<u8>)>,
    /// Bytes that were read and not yet fed to the machine.
    pub unread: BytesMut,
}

/// Serves one connection to its end; `held` is dropped when its socket is closed. `link` must have been made for `stream`.
#[expect(clippy::manual_async_fn, reason = "an async fn keeps its arguments twice, here for ever")]
pub fn serve<A: Application>(
    app: Rc<A>,
    link: LinkKey,
    stream: Rc<Stream>,
    opening: Box<Opening>,
    held: impl Sized + 'static,
) -> impl Future<Output = ()> + 'static {
    async move {
        let Opening { mut machine, messages, mut unread } = *opening;
        for (kind, payload) in messages {
            app.on_message(link, kind, &payload);
        }
        let mut open = feed(&app, link, &mut machine, &mut unread);
        drop(unread);
        while open {
            poll_fn(|context| app.links().borrow_mut().poll_unpaused(link, context)).await;
            if app.links().borrow_mut().is_closing(link) {
                break;
            }
            if stream.readable().await.is_err() {
                open = false;
                break;
            }
            open = read_turn(&app, link, &stream, &mut machine);
            let mut pass = Pass::default();
            app.links().borrow_mut().flush_turn(link, &mut pass);
            after_pass(&app, &mut pass);
        }
        if open {
            // Boxed: the state of this wait would otherwise be kept for the connection's whole life.
            Box::pin(await_close(&app, &stream, &mut machine)).await;
        }
        app.links().borrow_mut().remove(link);
        app.on_gone(link);
        app.departures().push((stream, held));
    }
}

/// Reads what has arrived, within one turn's share; `false`: the connection has ended.
fn read_turn<A: Application>(
    app: &Rc<A>,
    link: LinkKey,
    stream: &Stream,
    machine: &mut Connection,
) -> bool {
    let ReadBuffer { bytes, inflater } = &mut *app.read_buffer().borrow_mut();
    app.links().borrow_mut().heard(link);
    app.on_turn();
    for _ in 0..limits::READS_PER_TURN {
        match stream.recv(bytes) {
            Ok(0) => return false,
            Ok(count) => {
                app.links().borrow_mut().count_received(count as u64);
                let input = Input::with_inflater(&mut bytes[..count], inflater);
                if !feed_input(app, link, machine, input) {
                    return false;
                }
                if count < bytes.len() {
                    return true;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

/// Gives bytes to the machine and its messages to the application; `false`: the connection has ended.
pub fn feed<A: Application>(
    app: &Rc<A>,
    link: LinkKey,
    machine: &mut Connection,
    bytes: &mut [u8],
) -> bool {
    let inflater = &mut app.read_buffer().borrow_mut().inflater;
    feed_input(app, link, machine, Input::with_inflater(bytes, inflater))
}

fn feed_input<A: Application>(
    app: &Rc<A>,
    link: LinkKey,
    machine: &mut Connection,
    mut input: Input<'_>,
) -> bool {
    loop {
        let closed = match machine.poll(&mut input) {
            Ok(Some(Event::Message { kind, payload })) => {
                app.on_message(link, kind, payload);
                if app.links().borrow_mut().is_closing(link) {
                    return true;
                }
                false
            }
            Ok(Some(Event::Ping(_) | Event::Pong(_))) => false,
            Ok(Some(Event::Close { code, .. })) => {
                app.on_farewell(link, code);
                true
            }
            Ok(None) => return true,
            Err(error) => {
                tracing::debug!(%error, "closing a connection that broke the WebSocket protocol");
                app.links().borrow_mut().close(link, error.close_code(), "");
                return true;
            }
        };
        // Pongs leave in the order of the pings and messages around them.
        let output = machine.output();
        if closed {
            app.links().borrow_mut().finish(link, output);
            output.clear();
            app.links().borrow_mut().flush_last(link);
            return false;
        }
        if !output.is_empty() {
            app.links().borrow_mut().write(link, |buffer| buffer.extend_from_slice(output));
            output.clear();
        }
    }
}

/// Sees to it that blocked connections are flushed again, and tells the application of those that recovered.
fn after_pass<A: Application>(app: &Rc<A>, pass: &mut Pass) {
    for (key, endpoint) in pass.blocked.drain(..) {
        let Endpoint::Socket(stream) = endpoint else { continue };
        let app = Rc::clone(app);
        net::spawn(async move {
            let ready = stream.writable().await;
            app.links().borrow_mut().unblocked(key, &ready);
        });
    }
    for link in pass.drained.drain(..) {
        app.on_drained(link);
    }
}

/// After our close frame: discards what still comes until the peer answers or the wait is over. Ending the socket
/// earlier would answer late data with a reset, which can overtake the close frame.
async fn await_close<A: Application>(app: &Rc<A>, stream: &Stream, machine: &mut Connection) {
    let limit = Duration::from_secs(limits::CLOSE_WAIT_S.into());
    let deadline = std::time::Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() || !matches!(stream.readable_within(left).await, Ok(true)) {
            break;
        }
        let ReadBuffer { bytes, inflater } = &mut *app.read_buffer().borrow_mut();
        match stream.recv(bytes) {
            Ok(0) => break,
            Ok(count) => {
                let mut input = Input::with_inflater(&mut bytes[..count], inflater);
                loop {
                    match machine.poll(&mut input) {
                        Ok(Some(Event::Close { .. })) => return,
                        Ok(Some(_)) => {}
                        // A machine that met an error once discards the rest.
                        Ok(None) | Err(_) => break,
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
}

/// Sends whatever the connections of the shard have queued, a pass at a time, for ever.
pub async fn flush_loop<A: Application>(app: Rc<A>) {
    let mut pass = Pass::default();
    loop {
        poll_fn(|context| app.links().borrow_mut().poll_dirty(context)).await;
        app.links().borrow_mut().flush_pass(&mut pass);
        after_pass(&app, &mut pass);
        if pass.more {
            net::yield_to_others().await;
        } else {
            app.on_flushed();
        }
    }
}

/// Closes the sockets of connections that have ended, for ever.
pub async fn departure_loop<A: Application>(app: Rc<A>) {
    loop {
        poll_fn(|context| app.departures().poll_waiting(context)).await;
        app.departures().close(limits::CLOSES_PER_MS);
        net::sleep(Duration::from_millis(1)).await;
    }
}

/// Sweeps once a second, for ever.
pub async fn sweep_loop<A: Application>(app: Rc<A>) {
    loop {
        net::sleep(Duration::from_secs(1)).await;
        let overdue = app.links().borrow_mut().sweep();
        app.on_second(overdue);
    }
}
