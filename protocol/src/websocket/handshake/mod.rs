//! The HTTP/1.1 upgrade (RFC 6455 section 4), of which either side sees one head.
//!
//! ```text
//!   server   bytes ──► parse_request ──► Incomplete: read on
//!                                    ──► Http: not an upgrade, the same bytes go to an HTTP server
//!                                    ──► Upgrade ──► accept_response / refuse_response
//!                                    ──► HandshakeError ──► refuse_response
//!   client   ClientHandshake::new ──► request;   bytes ──► parse_response ──► Response
//! ```
//!
//! Invariants: a head is parsed once, when its end is there, so bytes that arrive one by one cost a search each and
//! give the same answer; a head holds at most [`MAX_HEAD_BYTES`]; tokens never appear in `Debug` output; what is
//! written into a head can never end a line of it.

mod client;
mod extensions;
mod server;

pub use client::{ClientHandshake, Response};
pub use extensions::DeflateOffer;
pub use server::{Parsed, UpgradeRequest, accept_response, parse_request, refuse_response};

use tungstenite::http::HeaderMap;

/// The largest request or response head, in bytes.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// A handshake that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct HandshakeError {
    /// Server: what to refuse with, 400, 426 or 431. Client: what the server answered, 0 if that cannot be read.
    pub status: u16,
    /// What is wrong, for the developer of the other side.
    pub reason: &'static str,
}

impl HandshakeError {
    const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

/// How far a head has arrived.
enum Head<'a> {
    Incomplete,
    /// Everything up to and with the empty line.
    Complete(&'a [u8]),
    TooLarge,
}

/// Looks for the empty line that ends a head. A bare line feed ends a line too, as RFC 9112 section 2.2 allows.
fn find_head(bytes: &[u8]) -> Head<'_> {
    let window = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
    let mut line_start = 0;
    while let Some(line_bytes) = window[line_start..].iter().position(|&byte| byte == b'\n') {
        let line = &window[line_start..line_start + line_bytes];
        line_start += line_bytes + 1;
        if matches!(line, b"" | b"\r") {
            return Head::Complete(&window[..line_start]);
        }
    }
    if window.len() == MAX_HEAD_BYTES { Head::TooLarge } else { Head::Incomplete }
}

/// The elements of a comma-separated header, which may be spread over several lines (RFC 9110 section 5.6.1).
/// `None` stands for a value that is not text.
fn list<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = Option<&'h str>> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().ok());
    values.flat_map(|value| {
        let text = value.unwrap_or_default();
        let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
        elements.map(Some).chain(value.is_none().then_some(None))
    })
}

/// Whether a list header holds an element, in any case.
fn has_element(headers: &HeaderMap, name: &'static str, element: &str) -> bool {
    list(headers, name).flatten().any(|found| found.eq_ignore_ascii_case(element))
}

/// The characters of a token (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Appends a header line. Control characters are left out: no value can begin a line of its own.
fn put_header(head: &mut String, name: &str, value: &str) {
    head.extend(name.chars().filter(|character| !character.is_control()));
    head.push_str(": ");
    head.extend(value.chars().filter(|character| !character.is_control()));
    head.push_str("\r\n");
}
