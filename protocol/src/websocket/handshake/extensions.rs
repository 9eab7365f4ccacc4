//! `Sec-WebSocket-Extensions`: what is offered, and what is agreed (RFC 6455 section 9.1, RFC 7692 section 7.1).
//!
//! One extension is known, permessage-deflate, and in one way of using it: neither side takes a window over from one
//! message to the next. An offer that cannot be used so is declined, the next one may do. A header that does not
//! follow the grammar fails the handshake.

use std::borrow::Cow;

use tungstenite::http::HeaderMap;

use super::{is_token_byte, list};
use crate::websocket::deflate::WINDOW_BITS;

const HEADER: &str = "sec-websocket-extensions";
const DEFLATE: &str = "permessage-deflate";

/// What a client offers. It demands of the server what our side could not do without.
pub(super) const DEFLATE_OFFER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// An offer of permessage-deflate that can be accepted, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOffer {
    /// The client wants to know how large our window is, and does with it.
    names_window: bool,
}

impl DeflateOffer {
    /// The header's value that accepts it.
    pub(super) fn answer(self) -> Cow<'static, str> {
        if self.names_window {
            format!("{DEFLATE_OFFER}; server_max_window_bits={WINDOW_BITS}").into()
        } else {
            DEFLATE_OFFER.into()
        }
    }
}

/// The header does not follow the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The first offer in a request that can be accepted.
pub(super) fn acceptable_offer(headers: &HeaderMap) -> Result<Option<DeflateOffer>, Malformed> {
    let mut accepted = None;
    for element in list(headers, HEADER) {
        // What comes behind an acceptable offer has to follow the grammar, too.
        let extension = element.and_then(Extension::parse).ok_or(Malformed)?;
        accepted = accepted.or_else(|| extension.acceptable());
    }
    Ok(accepted)
}

/// Whether an answer agrees on permessage-deflate. `Err`: on something that was not offered, or cannot be done.
pub(super) fn agreed_deflate(headers: &HeaderMap, offered: bool) -> Result<bool, &'static str> {
    let mut agreed = false;
    for element in list(headers, HEADER) {
        let Some(extension) = element.and_then(Extension::parse) else {
            return Err("Sec-WebSocket-Extensions is malformed");
        };
        if !offered || extension.name != DEFLATE || agreed {
            return Err("an extension that was not offered");
        }
        // A window for what the client sends may be asked for only where the client offered to keep one.
        agreed = extension.deflate_parameters().is_some_and(|parameters| {
            parameters.server_no_context_takeover && !parameters.client_max_window_bits
        });
        if !agreed {
            return Err("permessage-deflate with parameters that were not offered");
        }
    }
    Ok(agreed)
}

/// One element of the header.
struct Extension<'h> {
    name: &'h str,
    parameters: Vec<(&'h str, Option<Cow<'h, str>>)>,
}

/// The parameters of permessage-deflate that are there.
#[derive(Default)]
struct DeflateParameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: bool,
}

impl<'h> Extension<'h> {
    /// Reads `name; parameter; parameter=value; parameter="value"`. The element was found by its commas: a quoted
    /// value holds none, for it has to be a token.
    fn parse(element: &'h str) -> Option<Self> {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().filter(|name| is_token(name))?;
        let parameters = parts.map(|part| match part.split_once('=') {
            None => is_token(part).then_some((part, None)),
            Some((name, value)) => {
                let (name, value) = (name.trim_end(), value_of(value.trim_start())?);
                (is_token(name) && is_token(&value)).then_some((name, Some(value)))
            }
        });
        Some(Self { name, parameters: parameters.collect::<Option<_>>()? })
    }

    fn acceptable(&self) -> Option<DeflateOffer> {
        let parameters = self.deflate_parameters().filter(|_| self.name == DEFLATE)?;
        let names_window = parameters.server_max_window_bits;
        // A smaller window than ours would mean another compressor, and other frames, for this connection.
        names_window
            .is_none_or(|bits| bits >= WINDOW_BITS)
            .then_some(DeflateOffer { names_window: names_window.is_some() })
    }

    /// `None`: a parameter is unknown, comes twice, or has a value it may not have (RFC 7692 section 7.1).
    fn deflate_parameters(&self) -> Option<DeflateParameters> {
        let mut found = DeflateParameters::default();
        for (name, value) in &self.parameters {
            let is_first = match (*name, value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut found.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut found.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(bits)) => {
                    found.server_max_window_bits.replace(window_bits(bits)?).is_none()
                }
                ("client_max_window_bits", bits) => {
                    if let Some(bits) = bits {
                        window_bits(bits)?;
                    }
                    !std::mem::replace(&mut found.client_max_window_bits, true)
                }
                _ => return None,
            };
            if !is_first {
                return None;
            }
        }
        Some(found)
    }
}

/// A value with its quotes and escapes taken away.
fn value_of(value: &str) -> Option<Cow<'_, str>> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.into()) };
    let quoted = quoted.strip_suffix('"')?;
    let mut unquoted = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => unquoted.push(characters.next()?),
            '"' => return None,
            character => unquoted.push(character),
        }
    }
    Some(unquoted.into())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// 8 to 15, without leading zeros (RFC 7692 section 7.1.2).
fn window_bits(value: &str) -> Option<u8> {
    (8..=15).find(|bits: &u8| bits.to_string() == value)
}
