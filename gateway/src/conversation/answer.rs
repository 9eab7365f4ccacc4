//! Where the answer to a command goes, and what an owner shard answers.

use ringwire_protocol::{ConversationId, MsgNo, Seq, UnixMs, wire};
use ringwire_storage::model::EntryRow;
use wire::reply::Outcome;

use super::Intent;
use crate::placement::ShardId;
use crate::session::cursors::Cursor;
use crate::session::registry::SessionKey;

/// Names one command of one session, anywhere in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The session's home shard.
    pub shard: ShardId,
    /// The session there.
    pub session: SessionKey,
    /// The command's id as the client chose it; 0: it wants no reply.
    pub command_id: u64,
}

/// A command was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Its entry is committed.
    Entry {
        /// Whose log.
        conversation_id: ConversationId,
        /// Position in it.
        seq: Seq,
        /// Messages up to it.
        msg_no: MsgNo,
        /// Its time.
        created_at: UnixMs,
        /// As the sender chose it.
        client_msg_id: Box<str>,
        /// It is a message, and so its sender has seen what is before it.
        says: bool,
    },
    /// The cursors are valid.
    Cursor {
        /// Whose log.
        conversation_id: ConversationId,
        /// How far the member is now.
        cursor: Cursor,
        /// It was not known before.
        moved: bool,
    },
    /// There is nothing further to tell.
    Done,
}

impl Ack {
    /// For the entry that a command made.
    pub fn entry(row: &EntryRow, intent: &Intent) -> Self {
        Self::Entry {
            conversation_id: row.conversation_id,
            seq: row.seq,
            msg_no: row.msg_no,
            created_at: row.created_at,
            client_msg_id: row.client_msg_id.as_str().into(),
            says: intent.is_message(),
        }
    }
}

impl From<Ack> for Outcome {
    fn from(ack: Ack) -> Self {
        match ack {
            Ack::Entry { conversation_id, seq, msg_no, created_at, client_msg_id, says: _ } => {
                Self::SendAck(wire::SendAck {
                    conversation_id: conversation_id.get(),
                    seq,
                    msg_no,
                    created_at,
                    client_msg_id: client_msg_id.into(),
                })
            }
            Ack::Cursor { .. } | Ack::Done => Self::Done(wire::Done {}),
        }
    }
}
