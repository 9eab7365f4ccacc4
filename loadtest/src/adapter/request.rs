//! The upgrade request to a foreign server: the path of `--url` with the user's own words in it.
//!
//! ```text
//!   /ws/chat/{room}        ──►  /ws/chat/loadtest-00c0ffee-1?token=eyJ…
//!   (nothing)              ──►  the path that servers of the protocol usually have
//! ```
//!
//! `{user}`, `{room}` and `{token}` may stand anywhere. What a protocol needs in the query and the URL does not have is
//! added. Tokens are secrets: nothing here is shown by `Debug`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Place;
use crate::scenario::Protocol;

/// All but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a WebSocket is asked for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    /// The subprotocol the server has to choose.
    pub(crate) subprotocol: Option<&'static str>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("subprotocol", &self.subprotocol)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The request of one user; `template` is path and query of the URL.
    pub(crate) fn new(protocol: Protocol, template: &str, place: &Place) -> Self {
        let template = own_or_usual(template, protocol);
        let encoded = |word: &str| utf8_percent_encode(word, RESERVED).to_string();
        let mut path = template
            .replace("{user}", &encoded(&place.user))
            .replace("{room}", &encoded(&place.room))
            .replace("{token}", &encoded(&place.token));
        let needed: &[(&str, &str)] = match protocol {
            Protocol::TypedStrings | Protocol::Notify | Protocol::Payload => {
                &[("token", &place.token)]
            }
            Protocol::Rooms => &[("token", &place.token), ("room_id", &place.room)],
            Protocol::Numbered => {
                &[("token", &place.token), ("platform", "loadtest"), ("device_id", &place.user)]
            }
            Protocol::SocketIo => &[("EIO", "4"), ("transport", "websocket")],
            Protocol::Ringwire
            | Protocol::Echo
            | Protocol::Broadcast
            | Protocol::CentrifugoJson
            | Protocol::CentrifugoProtobuf => &[],
        };
        for (key, value) in needed {
            let shown = template.contains(&format!("{{{key}}}"));
            if !value.is_empty() && !shown && !has_key(&path, key) {
                path.push(if path.contains('?') { '&' } else { '?' });
                path.push_str(key);
                path.push('=');
                path.push_str(&encoded(value));
            }
        }
        let is_protobuf = protocol == Protocol::CentrifugoProtobuf;
        Self { path, subprotocol: is_protobuf.then_some("centrifuge-protobuf") }
    }
}

/// A path from a URL, or where servers of the protocol usually listen if the URL has none.
pub(crate) fn own_or_usual(path: &str, protocol: Protocol) -> &str {
    if path == "/" { usual_path(protocol) } else { path }
}

/// Where servers of a protocol usually listen.
const fn usual_path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Echo | Protocol::Broadcast => "/",
        Protocol::Ringwire | Protocol::TypedStrings | Protocol::Rooms | Protocol::Numbered => "/ws",
        Protocol::Notify => "/api/v1/ws/messages",
        Protocol::Payload => "/ws/chat/{room}",
        Protocol::SocketIo => "/socket.io/",
        Protocol::CentrifugoJson | Protocol::CentrifugoProtobuf => "/connection/websocket",
    }
}

fn has_key(path: &str, key: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair.split('=').next() == Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_the_urls_or_the_usual_one_with_what_the_protocol_needs() {
        let place = Place {
            token: "a.b-c_d".to_owned(),
            user: "17".to_owned(),
            partner: None,
            room: "loud & clear".to_owned(),
            converses: true,
        };
        for (protocol, template, expected) in [
            (Protocol::Echo, "/", "/"),
            (Protocol::Broadcast, "/all?x=1", "/all?x=1"),
            (Protocol::TypedStrings, "/", "/ws?token=a.b-c_d"),
            (Protocol::TypedStrings, "/chat/{token}", "/chat/a.b-c_d"),
            (Protocol::TypedStrings, "/ws?token=fixed", "/ws?token=fixed"),
            (Protocol::Rooms, "/", "/ws?token=a.b-c_d&room_id=loud%20%26%20clear"),
            (Protocol::Payload, "/", "/ws/chat/loud%20%26%20clear?token=a.b-c_d"),
            (Protocol::Numbered, "/ws", "/ws?token=a.b-c_d&platform=loadtest&device_id=17"),
            (Protocol::SocketIo, "/", "/socket.io/?EIO=4&transport=websocket"),
            (Protocol::SocketIo, "/s/?EIO=3", "/s/?EIO=3&transport=websocket"),
            (Protocol::CentrifugoJson, "/", "/connection/websocket"),
            (Protocol::Notify, "/", "/api/v1/ws/messages?token=a.b-c_d"),
        ] {
            let request = Request::new(protocol, template, &place);
            assert_eq!(request.path, expected, "{protocol:?}");
            assert!(!format!("{request:?}").contains("a.b-c_d"), "tokens are never shown");
        }
        let without = Place { token: String::new(), ..place };
        assert_eq!(Request::new(Protocol::TypedStrings, "/", &without).path, "/ws");
        let protobuf = Request::new(Protocol::CentrifugoProtobuf, "/", &without);
        assert_eq!(protobuf.subprotocol, Some("centrifuge-protobuf"));
    }
}
