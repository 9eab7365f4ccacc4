//! The encoded body of a message: made of it, read again, and given to a command in place of the one that came.
//!
//! Invariant: a command keeps its id and its hash whatever becomes of its body, so a retry finds the first try.

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::wire;
use wire::entry_body::Kind;

use crate::conversation::Intent;

/// The body of an entry.
pub(crate) fn encode(kind: Kind) -> Bytes {
    wire::EntryBody { kind: Some(kind) }.encode_to_vec().into()
}

/// The message in a body; `None`: there is something else.
pub(crate) fn message_of(body: &[u8]) -> Option<wire::Message> {
    match wire::EntryBody::decode(body).ok()?.kind? {
        Kind::Message(message) => Some(message),
        _ => None,
    }
}

/// Gives a send or an edit another message; nothing else has one.
pub(crate) fn replace(intent: &mut Intent, message: wire::Message) {
    match intent {
        Intent::Send { body, .. } => *body = encode(Kind::Message(message)),
        Intent::Edit { target_seq, body, edited, .. } => {
            *body = encode(Kind::Message(message.clone()));
            let target_seq = *target_seq;
            *edited = encode(Kind::Edited(wire::Edited { target_seq, message: Some(message) }));
        }
        _ => {}
    }
}
