//! From an accepted socket to a session on its user's home shard.
//!
//! ```text
//!   accept ─► request ─┬─ upgrade: address, path, origin, token ─► 101 ─► first message, if something is still unknown
//!                      │                                             │ encoding by opcode, token of `connect`
//!                      └─ other HTTP ─► service thread               ▼
//!                                        user known ─► home shard: here, or the descriptor moves
//! ```
//!
//! Invariant: a connection moves between two operations, with its machine and every byte read, so nothing is lost.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::handshake::{self, UpgradeRequest};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
use ringwire_protocol::{CloseReason, CommandError, ErrorCode, wire};

use super::Shard;
use super::handoff::{Bearer, HttpSocket, Moving};
use super::mail::Mail;
use crate::auth::{Identity, TokenUser};
use crate::config::CompressionChoice;
use crate::connection::address_rate::AddressRate;
use crate::connection::addresses::Greeting;
use crate::connection::admission::Admission;
use crate::connection::driver::{self, Application as _, Opening};
use crate::connection::endpoint::Endpoint;
use crate::connection::forwarded::Forwarding;
use crate::connection::upgrade::{self, Arrival};
use crate::limits;
use crate::net::{self, Stream};
use crate::placement::home_shard;
use crate::session::admission::{self, Offer};
use crate::session::registry::{ExternalIdentity, NewSession};

/// Serves a freshly accepted connection until it is a session, an HTTP connection, or gone.
pub(super) async fn greet(
    shard: Rc<Shard>,
    stream: Stream,
    already_read: BytesMut,
    peer: SocketAddr,
    admission: Admission,
    // Over when this is: by then it is a session, an HTTP connection, or gone.
    mut greeting: Greeting,
) {
    match upgrade::read_request(&stream, already_read).await {
        None => {}
        Some(Arrival::Http { read }) => {
            let socket = HttpSocket { stream: stream.into_std(), read, peer, admission };
            // With no room the connection ends; the client's HTTP library tries again.
            drop(shard.shared().http.try_send(socket));
        }
        Some(Arrival::Upgrade { request, unread }) => {
            let (addresses, now) = (&shard.shared().addresses, shard.now());
            let forwarding = Forwarding {
                forwarded: &request.forwarded,
                x_forwarded_for: &request.x_forwarded_for,
            };
            match addresses.introduce(&mut greeting, peer.ip(), forwarding, now) {
                Ok(client) => {
                    let address_rate = addresses.command_rate(client, now);
                    accept_upgrade(shard, stream, request, unread, admission, address_rate).await;
                }
                Err(wait_ms) => {
                    slow_down(&stream, wait_ms);
                    upgrade::linger(&stream).await;
                }
            }
        }
    }
}

/// Answers an upgrade request.
async fn accept_upgrade(
    shard: Rc<Shard>,
    stream: Stream,
    request: Box<UpgradeRequest>,
    unread: BytesMut,
    admission: Admission,
    address_rate: Option<AddressRate>,
) {
    let config = &shard.shared().config.server;
    let verifier = &shard.shared().verifier;
    let checked = admission::check(&request, verifier, &config.allowed_origins, shard.unix_ms());
    let (offer, subprotocol) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return upgrade::refuse(&stream, refusal.status, &refusal.error).await,
    };
    // Known to speak JSON now, not by its first message only.
    let deflate = match config.compression {
        CompressionChoice::Json if offer.encoding == Some(Encoding::Json) => request.deflate,
        CompressionChoice::Json | CompressionChoice::Off => None,
    };
    let response = handshake::accept_response(&request, subprotocol, deflate);
    if upgrade::write_all(&stream, &response).await.is_ok() {
        drop(request);
        let limits = Limits { max_message_bytes: limits::MAX_FRAME_BYTES };
        let mut machine = Connection::new(Role::Server, limits);
        if deflate.is_some() {
            machine = machine.with_deflate();
        }
        let opening = Box::new(Opening { machine, messages: Vec::new(), unread });
        welcome(shard, stream, offer, opening, admission, address_rate).await;
    }
}

/// Finds out what the request left open, then takes the connection to its home shard.
async fn welcome(
    shard: Rc<Shard>,
    stream: Stream,
    offer: Offer,
    mut opening: Box<Opening>,
    admission: Admission,
    address_rate: Option<AddressRate>,
) {
    let Offer { mut encoding, mut identity } = offer;
    if encoding.is_none() || identity.is_none() {
        let Some((kind, payload)) = first_message(&shard, &stream, &mut opening).await else {
            return;
        };
        let encoding = *encoding.get_or_insert(Encoding::of_message(kind));
        if identity.is_none() {
            let verifier = &shard.shared().verifier;
            match admission::identify(verifier, shard.unix_ms(), encoding, kind, &payload) {
                Ok(found) => identity = Some(found),
                Err((id, error)) => {
                    return reject(&stream, encoding, id, error).await;
                }
            }
        }
        opening.messages.push((kind, payload));
    }
    let (Some(encoding), Some(identity)) = (encoding, identity) else { return };
    let bearer = match resolve(&shard, identity).await {
        Ok(bearer) => Bearer { address_rate, ..bearer },
        Err(error) => return reject(&stream, encoding, 0, error).await,
    };
    place(&shard, stream, opening, bearer, encoding, admission);
}

/// Takes a connection to its user's home shard.
fn place(
    shard: &Rc<Shard>,
    stream: Stream,
    opening: Box<Opening>,
    bearer: Bearer,
    encoding: Encoding,
    admission: Admission,
) {
    let home = home_shard(bearer.user, shard.shared().shards());
    if home == shard.id() {
        serve(Rc::clone(shard), stream, opening, bearer, encoding, admission);
        return;
    }
    let stream = stream.into_std();
    let moving = Box::new(Moving { stream, opening, bearer, encoding, admission });
    if let Err(Mail::Moved(refused)) =
        shard.shared().mailboxes[usize::from(home)].try_send(Mail::Moved(moving))
    {
        let reason = CloseReason::Overloaded;
        let close = frame::server_close_frame(reason.code(), reason.reason());
        drop(io::Write::write(&mut &refused.stream, &close));
    }
}

/// A connection among those of its shard and of the process, until this is dropped.
struct Counted {
    shard: Rc<Shard>,
    encoding: Encoding,
    _admission: Admission,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shard.discount_connection(self.encoding);
    }
}

/// Makes the session and starts reading.
pub(super) fn serve(
    shard: Rc<Shard>,
    stream: Stream,
    opening: Box<Opening>,
    bearer: Bearer,
    encoding: Encoding,
    admission: Admission,
) {
    let stream = Rc::new(stream);
    let deflate = opening.machine.is_deflate_agreed();
    let link = shard.open_session(Endpoint::Socket(Rc::clone(&stream)), |link| NewSession {
        user: bearer.user,
        external: bearer.external,
        name_hint: bearer.name_hint,
        link,
        encoding,
        login: bearer.login,
        expires_at: bearer.expires_at,
        address_rate: bearer.address_rate,
    });
    if deflate {
        shard.links().borrow_mut().allow_deflate(link);
    }
    shard.count_connection(encoding);
    let counted = Counted { shard: Rc::clone(&shard), encoding, _admission: admission };
    net::spawn(driver::serve(shard, link, stream, opening, counted));
}

/// Maps a token of another issuer to a user.
async fn resolve(shard: &Shard, identity: Identity) -> Result<Bearer, CommandError> {
    let name_hint = identity.name_hint.map(String::into_boxed_str);
    let (user, external, name_hint) = match identity.user {
        TokenUser::Known(user) => (user, None, name_hint),
        TokenUser::External { issuer, subject } => {
            let external = Box::new(ExternalIdentity { issuer, subject });
            let user = shard.resolve(&external, name_hint.as_deref()).await?;
            (user, Some(external), None)
        }
    };
    let (login, expires_at) = (identity.login, identity.expires_at_ms);
    Ok(Bearer { user, external, name_hint, login, expires_at, address_rate: None })
}

/// A connection that would have to be told if the shard stopped now, until this is dropped.
struct Nameless<'a>(&'a Shard, RawFd);

impl<'a> Nameless<'a> {
    fn new(shard: &'a Shard, stream: &Stream) -> Self {
        let fd = stream.as_fd_number();
        shard.nameless.borrow_mut().insert(fd);
        Self(shard, fd)
    }
}

impl Drop for Nameless<'_> {
    fn drop(&mut self) {
        self.0.nameless.borrow_mut().remove(&self.1);
    }
}

/// Tells all of whom nobody knows yet who they are that the server stops.
pub(super) fn send_nameless_away(shard: &Shard) {
    let reason = CloseReason::Drain;
    let close = frame::server_close_frame(reason.code(), reason.reason());
    for fd in shard.nameless.borrow().iter() {
        // Nothing else was sent there for a while: there is room for it.
        drop(net::send(*fd, &close));
    }
}

/// Reads until the first whole message.
async fn first_message(
    shard: &Shard,
    stream: &Stream,
    opening: &mut Opening,
) -> Option<(MessageKind, Vec<u8>)> {
    let _nameless = Nameless::new(shard, stream);
    let deadline = Instant::now() + Duration::from_secs(limits::HANDSHAKE_S);
    let mut buffer = [0; 2048];
    loop {
        let length = opening.unread.len();
        let (found, failed, remaining) = {
            let inflater = &mut shard.read_buffer().borrow_mut().inflater;
            let mut input = Input::with_inflater(&mut opening.unread, inflater);
            let (found, failed) = match opening.machine.poll(&mut input) {
                Ok(Some(Event::Message { kind, payload })) => {
                    (Some((kind, payload.to_vec())), false)
                }
                Ok(None | Some(Event::Ping(_) | Event::Pong(_))) => (None, false),
                Ok(Some(Event::Close { .. })) => (None, true),
                Err(error) => {
                    opening.machine.close(error.close_code(), "");
                    (None, true)
                }
            };
            (found, failed, input.remaining())
        };
        bytes::Buf::advance(&mut opening.unread, length - remaining);
        let output = opening.machine.output();
        if !output.is_empty() {
            let sent = upgrade::write_all(stream, output).await;
            output.clear();
            sent.ok()?;
        }
        if failed {
            upgrade::linger(stream).await;
            return None;
        }
        if found.is_some() {
            return found;
        }
        if remaining > 0 {
            continue;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !stream.readable_within(left).await.ok()? {
            let reason = CloseReason::ConnectTimeout;
            close(stream, reason).await;
            return None;
        }
        match stream.recv(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => opening.unread.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// Answers a first command that lets nobody in, and closes.
async fn reject(stream: &Stream, encoding: Encoding, id: u64, error: CommandError) {
    let reason = match error.code {
        ErrorCode::TokenExpired => CloseReason::TokenExpired,
        ErrorCode::InvalidArgument => CloseReason::BadFrame,
        ErrorCode::Busy | ErrorCode::Unavailable => CloseReason::Overloaded,
        ErrorCode::Draining => CloseReason::Drain,
        _ => CloseReason::BadToken,
    };
    let outcome = Some(wire::reply::Outcome::Error(error.into()));
    let reply = wire::Reply { id, outcome };
    let server_frame = wire::ServerFrame { frame: Some(wire::server_frame::Frame::Reply(reply)) };
    let payload = encoding.encode_one(&server_frame);
    let answer = frame::server_frame(encoding.message_kind(), &payload);
    if upgrade::write_all(stream, &answer).await.is_ok() {
        close(stream, reason).await;
    }
}

async fn close(stream: &Stream, reason: CloseReason) {
    let close = frame::server_close_frame(reason.code(), reason.reason());
    if upgrade::write_all(stream, &close).await.is_ok() {
        upgrade::linger(stream).await;
    }
}

/// Tells a connection from an address that connects too often so, without spending more on it.
pub(super) fn slow_down(stream: &Stream, wait_ms: u32) {
    let body = format!(
        r#"{{"error":{{"code":3,"name":"RATE_LIMITED","message":"too many connections from this address","temporary":true,"retry_after_ms":{wait_ms}}}}}"#
    );
    let seconds = wait_ms.div_ceil(1000).to_string();
    let response = handshake::refuse_response(429, &body, &[("Retry-After", &seconds)]);
    drop(net::send(stream.as_fd_number(), &response));
}

/// Tells a connection for which there is no room so, without spending more on it.
pub(super) fn turn_away(stream: &Stream) {
    let body =
        r#"{"error":{"code":2,"name":"BUSY","message":"too many connections","temporary":true}}"#;
    let response = handshake::refuse_response(503, body, &[("Retry-After", "1")]);
    drop(net::send(stream.as_fd_number(), &response));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::links::LinkKey;

    fn future_bytes<F>(
        _serve: impl FnOnce(Rc<Shard>, LinkKey, Rc<Stream>, Box<Opening>, Counted) -> F,
    ) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_waits_in_a_small_task() {
        let bytes = future_bytes(|shard, link, stream, opening, counted| {
            driver::serve(shard, link, stream, opening, counted)
        });
        assert!(bytes <= 400, "{bytes}");
    }
}
