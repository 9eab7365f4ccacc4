//! The client's side: an upgrade request written, its answer checked (RFC 6455 section 4.1).

use std::fmt;

use bytes::Bytes;
use tungstenite::handshake::client::{Response as HttpResponse, generate_key};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;

use super::extensions::{self, DEFLATE_OFFER};
use super::{HandshakeError, Head, find_head, has_element, put_header};

/// A request that waits for its answer. `Debug` shows no token.
pub struct ClientHandshake {
    accept_key: String,
    subprotocols: Vec<String>,
    offers_deflate: bool,
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientHandshake").finish_non_exhaustive()
    }
}

/// The server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 101: the WebSocket is open. Anything else is a refusal whose body follows.
    pub status: u16,
    /// What the server chose among the subprotocols offered.
    pub subprotocol: Option<String>,
    /// Permessage-deflate was agreed on: the connection has to be made
    /// [`with_deflate`](crate::connection::Connection::with_deflate).
    pub deflate: bool,
}

impl ClientHandshake {
    /// Makes the request for `ws://{host}{path_and_query}` with a fresh key. Control characters in any argument are
    /// left out.
    pub fn new(
        host: &str,
        path_and_query: &str,
        subprotocols: &[&str],
        extra_headers: &[(&str, &str)],
    ) -> (Self, Bytes) {
        Self::request(host, path_and_query, subprotocols, extra_headers, false)
    }

    /// [`Self::new`] with an offer of permessage-deflate (RFC 7692).
    pub fn with_deflate(
        host: &str,
        path_and_query: &str,
        subprotocols: &[&str],
        extra_headers: &[(&str, &str)],
    ) -> (Self, Bytes) {
        Self::request(host, path_and_query, subprotocols, extra_headers, true)
    }

    fn request(
        host: &str,
        path_and_query: &str,
        subprotocols: &[&str],
        extra_headers: &[(&str, &str)],
        offers_deflate: bool,
    ) -> (Self, Bytes) {
        let key = generate_key();
        let mut head = String::from("GET ");
        head.extend(path_and_query.chars().filter(|character| !character.is_control()));
        head.push_str(" HTTP/1.1\r\n");
        put_header(&mut head, "Host", host);
        head.push_str("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
        put_header(&mut head, "Sec-WebSocket-Key", &key);
        if !subprotocols.is_empty() {
            put_header(&mut head, "Sec-WebSocket-Protocol", &subprotocols.join(", "));
        }
        if offers_deflate {
            put_header(&mut head, "Sec-WebSocket-Extensions", DEFLATE_OFFER);
        }
        for (name, value) in extra_headers {
            put_header(&mut head, name, value);
        }
        head.push_str("\r\n");
        let handshake = Self {
            accept_key: derive_accept_key(key.as_bytes()),
            subprotocols: subprotocols.iter().map(|&name| name.to_owned()).collect(),
            offers_deflate,
        };
        (handshake, Bytes::from(head))
    }

    /// Judges the answer from all bytes that have arrived so far; also answers how many of them it took. `None`: read
    /// on. A status other than 101 is an answer too.
    ///
    /// # Errors
    /// The answer is no HTTP, or says 101 without fulfilling section 4.1.
    pub fn parse_response(
        &self,
        bytes: &[u8],
    ) -> Result<Option<(Response, usize)>, HandshakeError> {
        let head = match find_head(bytes) {
            Head::Incomplete => return Ok(None),
            Head::Complete(head) => head,
            Head::TooLarge => return Err(HandshakeError::new(0, "response head is too large")),
        };
        let Ok(Some((_, response))) = HttpResponse::try_parse(head) else {
            return Err(HandshakeError::new(0, "response head is malformed"));
        };
        let status = response.status().as_u16();
        let (subprotocol, deflate) =
            if status == 101 { self.check(&response)? } else { (None, false) };
        Ok(Some((Response { status, subprotocol, deflate }, head.len())))
    }

    /// Checks a 101; answers the subprotocol chosen, and whether messages may be compressed.
    fn check(&self, response: &HttpResponse) -> Result<(Option<String>, bool), HandshakeError> {
        let headers = response.headers();
        let fail = |reason| Err(HandshakeError::new(101, reason));
        if !has_element(headers, "upgrade", "websocket") {
            return fail("Upgrade is not websocket");
        }
        if !has_element(headers, "connection", "upgrade") {
            return fail("Connection does not say Upgrade");
        }
        let mut accept_keys = headers.get_all("sec-websocket-accept").iter();
        if accept_keys.next().is_none_or(|key| key.as_bytes() != self.accept_key.as_bytes())
            || accept_keys.next().is_some()
        {
            return fail("Sec-WebSocket-Accept does not belong to the request");
        }
        let deflate = match extensions::agreed_deflate(headers, self.offers_deflate) {
            Ok(agreed) => agreed,
            Err(reason) => return fail(reason),
        };
        let mut chosen = headers.get_all("sec-websocket-protocol").iter();
        let Some(first) = chosen.next() else { return Ok((None, deflate)) };
        match self.subprotocols.iter().find(|name| first.as_bytes() == name.as_bytes()) {
            Some(name) if chosen.next().is_none() => Ok((Some(name.clone()), deflate)),
            _ => fail("a subprotocol that was not offered"),
        }
    }
}
