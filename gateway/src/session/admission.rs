//! From an accepted socket to a session on its user's home shard.
//!
//! ```text
//!   accept ─► request ─┬─ upgrade: path, origin, token ─► 101 ─► first message, if something is still unknown
//!                      │                                             │ encoding by opcode, token of `connect`
//!                      └─ other HTTP ─► service thread               ▼
//!                                        user known ─► home shard: here, or the descriptor moves
//! ```
//!
//! Invariant: a connection moves between two operations, with its machine and every byte read, so nothing is lost.

use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_protocol::codec::{Encoding, SUBPROTOCOL_BEARER_PREFIX};
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::handshake::{self, UpgradeRequest};
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame};
use ringwire_protocol::{CloseReason, CommandError, ErrorCode, UserId, wire};

use super::registry::{ExternalIdentity, NewSession};
use crate::auth::{Identity, TokenError, TokenUser};
use crate::command::route::encoding_of;
use crate::connection::driver::{self, Opening};
use crate::connection::upgrade::{self, Arrival};
use crate::fanout::message_kind;
use crate::limits;
use crate::net::{self, Stream};
use crate::server::{Admission, Shared};
use crate::service::HttpSocket;
use crate::shard::Shard;
use crate::shard::mail::Mail;
use crate::shard::placement::home_shard;

/// The WebSocket endpoint.
pub const PATH: &str = "/ws";

/// What an upgrade request settled.
pub struct Offer {
    /// How frames are written; `None`: the first message tells.
    pub encoding: Option<Encoding>,
    /// Who it is; `None`: the `connect` command tells.
    pub identity: Option<Identity>,
}

/// Why an upgrade request is answered with an HTTP error.
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The error in the body.
    pub error: CommandError,
}

/// A connection that the HTTP server found to be a WebSocket after all, as if it had just been accepted.
pub struct Returned {
    /// The socket.
    pub stream: StdStream,
    /// The upgrade request, and what came behind it.
    pub unread: BytesMut,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// Its place among the process's connections.
    pub admission: Admission,
}

/// A connection that moves to its user's home shard.
pub struct Moving {
    /// The socket.
    pub stream: StdStream,
    /// Its machine, with everything read so far.
    pub opening: Opening,
    /// Whose it is.
    pub bearer: Bearer,
    /// How frames are written.
    pub encoding: Encoding,
    /// Its place among the process's connections.
    pub admission: Admission,
}

/// Who is on the other side.
pub struct Bearer {
    /// The user.
    pub user: UserId,
    /// What the token said, when it was not of this server's own.
    pub external: Option<Box<ExternalIdentity>>,
    /// What the token calls the person: a proposal for the name of a new user.
    pub name_hint: Option<Box<str>>,
    /// When the token expires.
    pub expires_at: i64,
}

/// Checks an upgrade request: path, subprotocols, origin, token. Returns the subprotocol to answer as well.
pub fn check(
    request: &UpgradeRequest,
    shared: &Shared,
    now_ms: i64,
) -> Result<(Offer, Option<&'static str>), Refusal> {
    let refusal =
        |status, code, message: &str| Refusal { status, error: CommandError::new(code, message) };
    if request.path != PATH {
        return Err(refusal(404, ErrorCode::NotFound, "WebSockets are served at /ws"));
    }
    // Pages of other origins may not act for a user unless the deployment says so.
    let origins = &shared.config.server.allowed_origins;
    if !origins.allows(request.origin.as_deref(), Some(&request.host)) {
        return Err(refusal(403, ErrorCode::Forbidden, "this origin may not connect"));
    }
    let encoding = request.protocols.iter().find_map(|name| Encoding::from_subprotocol(name));
    let identity = match token(request) {
        None => None,
        Some(token) => match shared.verifier.verify(&token, now_ms) {
            Ok(identity) => Some(identity),
            Err(error) => {
                return Err(refusal(401, token_error_code(error), &error.to_string()));
            }
        },
    };
    Ok((Offer { encoding, identity }, encoding.map(Encoding::subprotocol)))
}

/// The token of an upgrade request: header, subprotocol or query.
fn token(request: &UpgradeRequest) -> Option<String> {
    if let Some(header) = &request.authorization {
        let (scheme, token) = header.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let in_protocols = request
        .protocols
        .iter()
        .find_map(|protocol| protocol.strip_prefix(SUBPROTOCOL_BEARER_PREFIX));
    if let Some(token) = in_protocols {
        return Some(token.to_owned());
    }
    let query = request.query.as_deref()?;
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    in_query.map(ToOwned::to_owned)
}

/// The code a refused token is answered with.
pub fn token_error_code(error: TokenError) -> ErrorCode {
    match error {
        TokenError::Expired => ErrorCode::TokenExpired,
        _ => ErrorCode::Unauthenticated,
    }
}

/// Serves a freshly accepted connection until it is a session, an HTTP connection, or gone.
pub async fn greet(
    shard: Rc<Shard>,
    stream: Stream,
    already_read: BytesMut,
    peer: SocketAddr,
    admission: Admission,
) {
    match upgrade::read_request(&stream, already_read).await {
        None => {}
        Some(Arrival::Http { read }) => {
            let socket = HttpSocket { stream: stream.into_std(), read, peer, admission };
            // With no room the connection ends; the client's HTTP library tries again.
            drop(shard.shared().http.try_send(socket));
        }
        Some(Arrival::Upgrade { request, unread }) => {
            match check(&request, shard.shared(), shard.unix_ms()) {
                Err(refusal) => upgrade::refuse(&stream, refusal.status, &refusal.error).await,
                Ok((offer, subprotocol)) => {
                    let response = handshake::accept_response(&request, subprotocol);
                    if upgrade::write_all(&stream, &response).await.is_ok() {
                        drop(request);
                        welcome(shard, stream, offer, unread, admission).await;
                    }
                }
            }
        }
    }
}

/// Finds out what the request left open, then takes the connection to its home shard.
async fn welcome(
    shard: Rc<Shard>,
    stream: Stream,
    offer: Offer,
    unread: BytesMut,
    admission: Admission,
) {
    let max_message_bytes = limits::MAX_FRAME_BYTES;
    let machine = Connection::new(Role::Server, Limits { max_message_bytes });
    let mut opening = Opening { machine, messages: Vec::new(), unread };
    let Offer { mut encoding, mut identity } = offer;
    if encoding.is_none() || identity.is_none() {
        let Some((kind, payload)) = first_message(&stream, &mut opening).await else { return };
        let encoding = *encoding.get_or_insert(encoding_of(kind));
        if identity.is_none() {
            match identify(&shard, encoding, kind, &payload) {
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
        Ok(bearer) => bearer,
        Err(error) => return reject(&stream, encoding, 0, error).await,
    };
    place(&shard, stream, opening, bearer, encoding, admission);
}

/// Takes a connection to its user's home shard.
fn place(
    shard: &Rc<Shard>,
    stream: Stream,
    opening: Opening,
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

/// Makes the session and starts reading.
pub fn serve(
    shard: Rc<Shard>,
    stream: Stream,
    opening: Opening,
    bearer: Bearer,
    encoding: Encoding,
    admission: Admission,
) {
    let stream = Rc::new(stream);
    let link = shard.open_session(Rc::clone(&stream), |link| NewSession {
        user: bearer.user,
        external: bearer.external,
        name_hint: bearer.name_hint,
        link,
        encoding,
        expires_at: bearer.expires_at,
        admission,
    });
    net::spawn(driver::serve(shard, link, stream, opening));
}

/// Who the `connect` command says it is. The error goes with the command's id.
fn identify(
    shard: &Shard,
    encoding: Encoding,
    kind: MessageKind,
    payload: &[u8],
) -> Result<Identity, (u64, CommandError)> {
    if kind != message_kind(encoding) {
        return Err((0, CommandError::new(ErrorCode::InvalidArgument, "wrong message type")));
    }
    let Some(Ok(command)) = encoding.decode::<wire::Command>(payload).next() else {
        return Err((0, CommandError::new(ErrorCode::InvalidArgument, "not a command")));
    };
    let Some(wire::command::Op::Connect(connect)) = command.op else {
        let error =
            CommandError::new(ErrorCode::NotConnected, "connect with a token must come first");
        return Err((command.id, error));
    };
    let verifier = &shard.shared().verifier;
    verifier.verify(&connect.token, shard.unix_ms()).map_err(|error| {
        (command.id, CommandError::new(token_error_code(error), error.to_string()))
    })
}

/// Maps a token of another issuer to a user.
async fn resolve(shard: &Shard, identity: Identity) -> Result<Bearer, CommandError> {
    let expires_at = identity.expires_at_ms;
    let name_hint = identity.name_hint.map(String::into_boxed_str);
    match identity.user {
        TokenUser::Known(user) => Ok(Bearer { user, external: None, name_hint, expires_at }),
        TokenUser::External { issuer, subject } => {
            let external = Box::new(ExternalIdentity { issuer, subject });
            let user = shard.resolve(&external, name_hint.as_deref()).await?;
            Ok(Bearer { user, external: Some(external), name_hint: None, expires_at })
        }
    }
}

/// Reads until the first whole message.
async fn first_message(stream: &Stream, opening: &mut Opening) -> Option<(MessageKind, Vec<u8>)> {
    let deadline = Instant::now() + Duration::from_secs(limits::HANDSHAKE_S);
    let mut buffer = [0; 2048];
    loop {
        let length = opening.unread.len();
        let mut input = Input::new(&mut opening.unread);
        let (found, failed) = match opening.machine.poll(&mut input) {
            Ok(Some(Event::Message { kind, payload })) => (Some((kind, payload.to_vec())), false),
            Ok(None | Some(Event::Ping(_) | Event::Pong(_))) => (None, false),
            Ok(Some(Event::Close { .. })) => (None, true),
            Err(error) => {
                opening.machine.close(error.close_code(), "");
                (None, true)
            }
        };
        let remaining = input.remaining();
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
        _ => CloseReason::BadToken,
    };
    let outcome = Some(wire::reply::Outcome::Error(error.into()));
    let reply = wire::Reply { id, outcome };
    let server_frame = wire::ServerFrame { frame: Some(wire::server_frame::Frame::Reply(reply)) };
    let payload = encoding.encode_one(&server_frame);
    let answer = frame::server_frame(message_kind(encoding), &payload);
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

/// Takes a connection in, unless the process has too many.
pub fn admit(shared: &Arc<Shared>) -> Option<Admission> {
    Admission::take(&shared.connections, shared.max_connections)
}

/// Tells a connection for which there is no room so, without spending more on it.
pub fn turn_away(stream: &Stream) {
    let body =
        r#"{"error":{"code":2,"name":"BUSY","message":"too many connections","temporary":true}}"#;
    let response = handshake::refuse_response(503, body, &[("Retry-After", "1")]);
    drop(net::send(stream.as_fd_number(), &response));
}
