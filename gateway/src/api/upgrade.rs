//! WebSocket upgrades that arrive on a connection that spoke HTTP before, as proxies with keep-alive send them.
//!
//! The shards hold the only implementation of the handshake, so the request is not answered here: it is written down
//! again as bytes, put before what was read after it, and socket and bytes go to the shards, just as if the
//! connection had begun with the upgrade.

use std::net::{SocketAddr, TcpStream};

use axum::http::{Method, Request, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use ringwire_protocol::{CommandError, ErrorCode};

use super::error::ApiError;

/// A connection on its way back to the shards.
#[derive(Debug)]
pub struct UpgradedSocket {
    /// The socket, non-blocking; nothing is left to be written to it.
    pub stream: TcpStream,
    /// The upgrade request, then whatever the client sent after it.
    pub unread: Bytes,
    /// Who is at the other end.
    pub peer: SocketAddr,
}

/// Whether the shards should answer this request: `GET` with `Upgrade: websocket` and no body.
pub(super) fn is_upgrade<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let lists_websocket = headers.get_all(header::UPGRADE).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',').any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
        })
    });
    lists_websocket
        && request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && !headers.contains_key(header::TRANSFER_ENCODING)
        && headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0")
}

/// The request as it could have arrived: same names, values and target.
pub(super) fn write_head<B>(request: &Request<B>) -> Bytes {
    let mut head = BytesMut::with_capacity(1024);
    head.put_slice(b"GET ");
    head.put_slice(request.uri().to_string().as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"\r\n");
    head.freeze()
}

/// `/ws` without an upgrade (RFC 9110 section 15.5.22).
pub(super) async fn required() -> Response {
    let error = CommandError::new(ErrorCode::InvalidArgument, "this path speaks WebSocket only");
    let upgrade = [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")];
    (upgrade, ApiError::with_status(StatusCode::UPGRADE_REQUIRED, error)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::get("/ws?token=a%20b&room_id=1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn only_requests_that_shards_can_answer_go_back_to_them() {
        assert!(is_upgrade(&request(&[("upgrade", "WebSocket")])));
        assert!(is_upgrade(&request(&[("upgrade", "h2c, websocket"), ("content-length", "0")])));
        assert!(!is_upgrade(&request(&[("upgrade", "h2c")])));
        assert!(!is_upgrade(&request(&[("upgrade", "websocket"), ("content-length", "5")])));
        assert!(!is_upgrade(&request(&[
            ("upgrade", "websocket"),
            ("transfer-encoding", "chunked")
        ])));
        let mut post = request(&[("upgrade", "websocket")]);
        *post.method_mut() = Method::POST;
        assert!(!is_upgrade(&post));
    }

    #[test]
    fn the_request_is_written_down_as_it_came() {
        let head = write_head(&request(&[("host", "a"), ("x-list", "1"), ("x-list", "2")]));
        let expected =
            "GET /ws?token=a%20b&room_id=1 HTTP/1.1\r\nhost: a\r\nx-list: 1\r\nx-list: 2\r\n\r\n";
        assert_eq!(head, expected.as_bytes());
    }
}
