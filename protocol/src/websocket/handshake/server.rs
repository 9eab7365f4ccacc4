//! The server's side: an upgrade request read and answered (RFC 6455 section 4.2).

use std::fmt;

use bytes::Bytes;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::Request;
use tungstenite::http::{HeaderMap, StatusCode};

use super::extensions::{self, DeflateOffer};
use super::{HandshakeError, Head, find_head, has_element, is_token_byte, list, put_header};
use crate::codec::SUBPROTOCOL_BEARER_PREFIX;

/// What the first bytes of a connection are.
#[derive(Debug)]
pub enum Parsed {
    /// Not decided: read on and give all bytes again.
    Incomplete,
    /// A sound request for a WebSocket.
    Upgrade {
        /// What the client asks for.
        request: Box<UpgradeRequest>,
        /// How many bytes the request took; frames may follow.
        consumed: usize,
    },
    /// Anything else, unjudged: all bytes belong to an HTTP server.
    Http,
}

/// A request for a WebSocket. `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
pub struct UpgradeRequest {
    /// The path of the URL, as it was sent.
    pub path: String,
    /// The query of the URL without its question mark; may hold a token.
    pub query: Option<String>,
    /// The `Host` header.
    pub host: String,
    /// The `Origin` header, which browsers send.
    pub origin: Option<String>,
    /// The `Authorization` header; holds a token.
    pub authorization: Option<String>,
    /// The subprotocols offered, in order of preference; may hold a token.
    pub protocols: Vec<String>,
    /// The first offer of permessage-deflate that can be accepted.
    pub deflate: Option<DeflateOffer>,
    /// The `Forwarded` headers (RFC 7239), line by line: what proxies say of the client, or the client of itself.
    pub forwarded: Vec<String>,
    /// The `X-Forwarded-For` headers, line by line; the same.
    pub x_forwarded_for: Vec<String>,
    /// What proves that the server has understood the request (section 4.2.2).
    accept_key: String,
}

impl fmt::Debug for UpgradeRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REDACTED: &str = "[redacted]";
        let protocols: Vec<&str> = self
            .protocols
            .iter()
            .map(|name| if is_bearer(name) { REDACTED } else { name })
            .collect();
        formatter
            .debug_struct("UpgradeRequest")
            .field("path", &self.path)
            .field("query", &self.query.as_ref().map(|_| REDACTED))
            .field("host", &self.host)
            .field("origin", &self.origin)
            .field("authorization", &self.authorization.as_ref().map(|_| REDACTED))
            .field("protocols", &protocols)
            .field("deflate", &self.deflate)
            .finish_non_exhaustive()
    }
}

/// Whether a subprotocol carries a token; a client may have written the prefix in another case.
fn is_bearer(name: &str) -> bool {
    name.get(..SUBPROTOCOL_BEARER_PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(SUBPROTOCOL_BEARER_PREFIX))
}

/// Judges the first bytes of a connection, all that have arrived so far.
///
/// # Errors
/// 400 for a head that is malformed or no proper upgrade, 426 for another version of the WebSocket protocol, 431 for
/// a head that is too large.
pub fn parse_request(bytes: &[u8]) -> Result<Parsed, HandshakeError> {
    const METHOD: &[u8] = b"GET ";
    let compared = bytes.len().min(METHOD.len());
    if bytes[..compared] != METHOD[..compared] {
        return Ok(Parsed::Http);
    }
    let head = match find_head(bytes) {
        Head::Incomplete => return Ok(Parsed::Incomplete),
        Head::Complete(head) => head,
        Head::TooLarge => return Err(HandshakeError::new(431, "request head is too large")),
    };
    let request = match Request::try_parse(head) {
        Ok(Some((_, request))) => request,
        Err(Error::Protocol(ProtocolError::WrongHttpVersion)) => return http_1_0(head),
        Err(Error::Capacity(_)) => return Err(TOO_MANY_HEADERS),
        Ok(None) | Err(_) => return Err(MALFORMED),
    };
    if !asks_for_websocket(request.headers()) {
        return Ok(Parsed::Http);
    }
    let request = Box::new(read_upgrade(&request)?);
    Ok(Parsed::Upgrade { request, consumed: head.len() })
}

const MALFORMED: HandshakeError = HandshakeError::new(400, "request head is malformed");
const TOO_MANY_HEADERS: HandshakeError = HandshakeError::new(431, "too many headers");

/// HTTP/1.0 is served, but knows no upgrade (section 4.1: at least HTTP/1.1).
fn http_1_0(head: &[u8]) -> Result<Parsed, HandshakeError> {
    let first_line_end = head.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    match HeaderMap::try_parse(&head[first_line_end..]) {
        Ok(Some((_, headers))) if asks_for_websocket(&headers) => {
            Err(HandshakeError::new(400, "an upgrade needs HTTP/1.1"))
        }
        Ok(_) => Ok(Parsed::Http),
        Err(_) => Err(MALFORMED),
    }
}

/// Whether a request is meant for a WebSocket, sound or not.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    has_element(headers, "upgrade", "websocket") || headers.contains_key("sec-websocket-key")
}

/// Checks what section 4.2.1 demands and takes out what the session needs.
fn read_upgrade(request: &Request) -> Result<UpgradeRequest, HandshakeError> {
    let headers = request.headers();
    let Some(host) = single(headers, "host")? else {
        return Err(HandshakeError::new(400, "Host is missing"));
    };
    if !has_element(headers, "upgrade", "websocket") {
        return Err(HandshakeError::new(400, "Upgrade is not websocket"));
    }
    if !has_element(headers, "connection", "upgrade") {
        return Err(HandshakeError::new(400, "Connection does not say Upgrade"));
    }
    if single(headers, "sec-websocket-version")? != Some("13") {
        return Err(HandshakeError::new(426, "Sec-WebSocket-Version has to be 13"));
    }
    let Some(key) = single(headers, "sec-websocket-key")?.filter(|key| is_key(key)) else {
        return Err(HandshakeError::new(400, "Sec-WebSocket-Key is not 16 bytes in base64"));
    };
    // A body would be taken for frames.
    let length = single(headers, "content-length")?;
    if headers.contains_key("transfer-encoding") || length.is_some_and(|length| length != "0") {
        return Err(HandshakeError::new(400, "an upgrade has no body"));
    }
    let mut protocols = Vec::new();
    for name in list(headers, "sec-websocket-protocol") {
        let Some(name) = name.filter(|name| name.bytes().all(is_token_byte)) else {
            return Err(HandshakeError::new(400, "Sec-WebSocket-Protocol is no list of names"));
        };
        protocols.push(name.to_owned());
    }
    let deflate = extensions::acceptable_offer(headers)
        .map_err(|_| HandshakeError::new(400, "Sec-WebSocket-Extensions is malformed"))?;
    Ok(UpgradeRequest {
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        host: host.to_owned(),
        origin: single(headers, "origin")?.map(str::to_owned),
        authorization: single(headers, "authorization")?.map(str::to_owned),
        protocols,
        deflate,
        forwarded: lines(headers, "forwarded"),
        x_forwarded_for: lines(headers, "x-forwarded-for"),
        accept_key: derive_accept_key(key.as_bytes()),
    })
}

/// The value of a header that may come once at most: two of them may be read differently by a proxy.
fn single<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, HandshakeError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(HandshakeError::new(400, "a header that may come once came twice"));
    }
    first
        .map(|value| value.to_str().map(str::trim))
        .transpose()
        .map_err(|_| HandshakeError::new(400, "a header is not text"))
}

/// Every line of a header that only some ask for; what is not text in it is no reason to refuse the request.
fn lines(headers: &HeaderMap, name: &'static str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// 16 bytes in base64: 22 digits and two signs of padding.
fn is_key(key: &str) -> bool {
    key.len() == 24
        && key.strip_suffix("==").is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        })
}

/// The answer that opens the WebSocket; `subprotocol` has to be one the client offered, and so has `deflate`, with which
/// the connection has to be made [`with_deflate`](crate::connection::Connection::with_deflate).
pub fn accept_response(
    request: &UpgradeRequest,
    subprotocol: Option<&str>,
    deflate: Option<DeflateOffer>,
) -> Bytes {
    let mut head = String::with_capacity(320);
    head.push_str(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    put_header(&mut head, "Sec-WebSocket-Accept", &request.accept_key);
    if let Some(subprotocol) = subprotocol {
        put_header(&mut head, "Sec-WebSocket-Protocol", subprotocol);
    }
    if let Some(offer) = deflate {
        put_header(&mut head, "Sec-WebSocket-Extensions", &offer.answer());
    }
    head.push_str("\r\n");
    Bytes::from(head)
}

/// The answer that refuses, after which the connection is closed. A 426 names the version that is spoken.
pub fn refuse_response(status: u16, body_json: &str, extra_headers: &[(&str, &str)]) -> Bytes {
    let phrase = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase.unwrap_or_default());
    if status == 426 {
        head.push_str("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        head.push_str("Connection: close, Upgrade\r\n");
    } else {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("Content-Type: application/json\r\n");
    put_header(&mut head, "Content-Length", &body_json.len().to_string());
    for (name, value) in extra_headers {
        put_header(&mut head, name, value);
    }
    head.push_str("\r\n");
    head.push_str(body_json);
    Bytes::from(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_debug_output_holds_no_token() {
        let head = b"GET /ws?token=canary HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Authorization: Bearer canary\r\n\
            Sec-WebSocket-Protocol: ringwire.v1.json, bearer.canary, Bearer.canary\r\n\r\n";
        let shown = format!("{:?}", parse_request(head).unwrap());
        assert!(shown.contains("ringwire.v1.json"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn no_value_can_begin_a_header_of_its_own() {
        let response = refuse_response(400, "{}", &[("A\r\nB", "c\r\n\r\nd")]);
        let head = String::from_utf8(response.to_vec()).unwrap();
        assert!(head.ends_with("\r\nAB: cd\r\n\r\n{}"), "{head}");
    }
}
