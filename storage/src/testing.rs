//! Values for this crate's unit tests.

use ringwire_protocol::{ConversationId, UserId};

use crate::append::{Append, Change};

pub(crate) fn conversation(number: u64) -> ConversationId {
    ConversationId::new(number).expect("a valid id")
}

pub(crate) fn user(number: u64) -> UserId {
    UserId::new(number).expect("a valid id")
}

/// A message of user 1; its token is its seq.
pub(crate) fn entry(conversation_number: u64, seq: u64) -> Append {
    Append {
        conversation_id: conversation(conversation_number),
        seq,
        msg_no: seq,
        sender_id: Some(user(1)),
        created_at: 1_000,
        client_msg_id: format!("m{seq}").into(),
        body: bytes::Bytes::from_static(b"hi"),
        command_hash: 1,
        change: Change::None,
        head_confirmed_at: std::time::Instant::now(),
        check_base: false,
        origin: 0,
        token: seq,
        generation: 1,
    }
}
