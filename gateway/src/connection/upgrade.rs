//! The first bytes of a connection: a WebSocket upgrade, or something for the HTTP server.

use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_protocol::websocket::handshake::{self, Parsed, UpgradeRequest};
use ringwire_protocol::{CommandError, ErrorCode};

use crate::limits;
use crate::net::{self, Stream};

/// What a new connection turned out to be.
pub enum Arrival {
    /// It wants to speak WebSocket; `unread` came behind the request.
    Upgrade {
        /// The request.
        request: Box<UpgradeRequest>,
        /// Bytes of the first frames.
        unread: BytesMut,
    },
    /// Any other HTTP request, with what was read of it.
    Http {
        /// The bytes read so far.
        read: BytesMut,
    },
}

/// Reads until the request can be told. `None`: the connection ended, took too long, or was refused with an answer.
pub async fn read_request(stream: &Stream, already_read: BytesMut) -> Option<Arrival> {
    let deadline = Instant::now() + Duration::from_secs(limits::HANDSHAKE_S);
    let mut read = already_read;
    let mut buffer = [0; 2048];
    loop {
        match handshake::parse_request(&read) {
            Ok(Parsed::Incomplete) => {}
            Ok(Parsed::Upgrade { request, consumed }) => {
                let unread = read.split_off(consumed);
                return Some(Arrival::Upgrade { request, unread });
            }
            Ok(Parsed::Http) => return Some(Arrival::Http { read }),
            Err(error) => {
                let code = match error.status {
                    431 => ErrorCode::TooLarge,
                    _ => ErrorCode::InvalidArgument,
                };
                refuse(stream, error.status, &CommandError::new(code, error.to_string())).await;
                return None;
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !matches!(stream.readable_within(left).await, Ok(true)) {
            return None;
        }
        match stream.recv(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// Answers an upgrade request with an error and ends the connection.
pub async fn refuse(stream: &Stream, status: u16, error: &CommandError) {
    let body = serde_json::json!({ "error": {
        "code": error.code as u32,
        "name": error.code.name(),
        "message": error.message,
        "temporary": error.code.is_temporary(),
        "retry_after_ms": error.retry_after_ms,
    } });
    let response = handshake::refuse_response(status, &body.to_string(), &[]);
    if write_all(stream, &response).await.is_ok() {
        linger(stream).await;
    }
}

/// Lets the peer end the connection: ending it here with unread bytes would reset it and lose our last words.
pub async fn linger(stream: &Stream) {
    net::shutdown_write(stream.as_fd_number());
    let deadline = Instant::now() + Duration::from_secs(limits::CLOSE_WAIT_S.into());
    let mut rest = [0; 2048];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !matches!(stream.readable_within(left).await, Ok(true)) {
            return;
        }
        if !matches!(stream.recv(&mut rest), Ok(1..)) {
            return;
        }
    }
}

/// Writes a short answer whole.
pub async fn write_all(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match net::send(stream.as_fd_number(), bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let patience = Duration::from_secs(limits::HANDSHAKE_S);
                if !stream.writable_within(patience).await? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
