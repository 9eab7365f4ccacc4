//! Values for this crate's unit tests.

use ringwire_protocol::{ConversationId, UserId};

use crate::append::{Append, Change};
use crate::model::EntryRow;

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

/// What the log holds once the entry is written.
pub(crate) fn row(entry: &Append) -> EntryRow {
    EntryRow {
        conversation_id: entry.conversation_id,
        seq: entry.seq,
        msg_no: entry.msg_no,
        sender_id: entry.sender_id,
        created_at: entry.created_at,
        client_msg_id: entry.client_msg_id.to_string(),
        body: entry.body.clone(),
        command_hash: entry.command_hash,
        damaged: false,
        marks: None,
    }
}
