//! Connections on their way from one thread to another.
//!
//! Invariant: a connection moves between two operations, with its machine and every byte read, so nothing is lost.

use std::net::{SocketAddr, TcpStream};

use bytes::BytesMut;
use ringwire_protocol::UserId;
use ringwire_protocol::codec::Encoding;
use ringwire_storage::refresh::FamilyId;

use crate::connection::address_rate::AddressRate;
use crate::connection::admission::Admission;
use crate::connection::driver::Opening;
use crate::session::registry::ExternalIdentity;

/// A connection that speaks HTTP.
pub struct HttpSocket {
    /// The socket.
    pub stream: TcpStream,
    /// What was read of it.
    pub read: BytesMut,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// Its place among the process's connections.
    pub admission: Admission,
}

/// A connection that the HTTP server found to be a WebSocket after all, as if it had just been accepted.
pub struct Returned {
    /// The socket.
    pub stream: TcpStream,
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
    pub stream: TcpStream,
    /// Its machine, with everything read so far.
    pub opening: Box<Opening>,
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
    /// Of which login the token is, if of any.
    pub login: Option<FamilyId>,
    /// When the token expires.
    pub expires_at: i64,
    /// What all sessions of the address may send together.
    pub address_rate: Option<AddressRate>,
}
