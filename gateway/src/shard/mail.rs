//! What arrives in a shard's mailbox.

use std::sync::Arc;

use ringwire_protocol::{CloseReason, CommandError, ConversationId, UserId, wire};
use ringwire_storage::append::Completion;
use ringwire_storage::model::CursorRow;
use ringwire_storage::refresh::FamilyId;
use tokio::sync::oneshot;

use super::handoff::{Moving, Returned};
use super::looks::Look;
use super::pulls::Pull;
use super::questions::Question;
use super::readers::Readers;
use crate::conversation::answer::{Ack, ReplyTo};
use crate::conversation::request::Request;
use crate::fanout::Delivery;
use crate::presence::post::Letter;
use crate::service::ask::Served;

/// One message to a shard.
pub enum Mail {
    /// A connection that moves here, its user's home. Refusable.
    Moved(Box<Moving>),
    /// A connection that spoke HTTP and now asks for an upgrade. Refusable.
    Returned(Box<Returned>),
    /// A command for a conversation that this shard owns. Refusable.
    Request(Request),
    /// What a client missed, asked of the conversation's owner. Refusable.
    Pull(Pull),
    /// The owner's answer; nothing: it is for the database. Reserved.
    Pulled(Pull, Option<Box<wire::SyncPage>>),
    /// Who read something lately, asked of the conversation's owner. Refusable.
    Readers(Box<Readers>),
    /// The owner's answer: cursors that may not be written yet. Reserved.
    ReadersTold(Box<Readers>, Vec<CursorRow>),
    /// A push for this shard's users. Refusable.
    Deliver(Delivery),
    /// The last session in which a user typed in a conversation of this shard ended. Refusable.
    StopTyping(ConversationId, UserId),
    /// Who follows whom, and how they show. Refusable.
    Presence(Box<Letter>),
    /// A user of this shard, the first, sees nothing of the second any more. Refusable.
    Conceal(UserId, UserId),
    /// A user lets others see more or less than before. Refusable.
    RecheckWatchers(UserId),
    /// All sessions of a user of this shard are to end. Refusable.
    EndSessions(UserId, CloseReason),
    /// The sessions of a login of a user of this shard are to end; `None`: of all their logins. Refusable.
    EndLogin(UserId, Option<FamilyId>),
    /// An operator looks at the sessions. Refusable.
    Look(Box<Look>),
    /// An operator ends the session with this id; the answer: whose it was, if it is one of this shard's. Refusable.
    EndSession(Box<str>, oneshot::Sender<Option<UserId>>),
    /// An operator says something to these users of the shard; to nobody: to all of them. Refusable.
    Notice(Arc<wire::Notice>, Arc<[UserId]>),
    /// The answer of an owner shard. Reserved.
    Answered(ReplyTo, Result<Ack, CommandError>),
    /// The answers of a writer to one batch. Reserved.
    Completed(Vec<Completion>),
    /// The answer of the service. Reserved.
    Served(Served),
    /// What the service asks. Refusable.
    Question(Question),
    /// The server stops: tell the clients and end what is under way. One of them, with a place of its own.
    Drain,
}
