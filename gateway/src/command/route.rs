//! Who carries a command out, and whether it is well-formed; knows neither sessions nor time.

use std::mem::take;

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UserId, wire};
use wire::command::Op;

use super::body::encode;
use super::entry;
use super::key::CommandKey;
use super::message::{self, invalid};
use super::named::Named;
use super::query::Query;
use crate::config::LimitsConfig;
use crate::conversation::answer::ReplyTo;
use crate::conversation::request::Request;
use crate::conversation::{Intent, Submission};
use crate::session::cursors::Cursor;

/// What becomes of a command.
#[derive(Debug)]
pub enum Routed {
    /// `connect`: the session itself.
    Connect(wire::Connect),
    /// `refresh`: the session itself.
    Refresh(wire::Refresh),
    /// `ping`: the session itself.
    Ping,
    /// `sessions`: the user's home shard.
    Sessions,
    /// `end_session`: the user's home shard.
    EndSession(wire::EndSession),
    /// `set_status`: the session's home.
    SetStatus(wire::SetStatus),
    /// `watch_presence`: the session's home.
    WatchPresence(wire::WatchPresence),
    /// To the owner of a conversation.
    Owner(Request),
    /// What a client missed: to the owner's memory or the database.
    Pull(wire::Sync),
    /// To the database.
    Service(Query),
    /// To the database, for the users or files it names, and then to the owner of a conversation.
    Named(Box<Named>),
}

/// Who sends a command, and what the deployment allows.
pub struct Sender<'a> {
    /// The user.
    pub user: UserId,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
    /// What the operator decided.
    pub limits: &'a LimitsConfig,
    /// Hashes commands.
    pub key: &'a CommandKey,
    /// Makes a `client_msg_id` for a command without one.
    pub next_id: &'a mut dyn FnMut() -> String,
}

/// Checks a command and tells whose it is. What a refused one held is left in place as far as its id goes.
pub fn route(op: &mut Option<Op>, sender: &mut Sender<'_>) -> Result<Routed, CommandError> {
    let reply_to = sender.reply_to;
    let Some(op) = op else {
        let error = "the command carries no operation this server knows";
        return Err(CommandError::new(ErrorCode::UnknownCommand, error));
    };
    Ok(match op {
        Op::Connect(connect) => Routed::Connect(take(connect)),
        Op::Refresh(refresh) => Routed::Refresh(take(refresh)),
        Op::Ping(_) => Routed::Ping,
        Op::Sessions(_) => Routed::Sessions,
        Op::EndSession(end) => Routed::EndSession(take(end)),
        Op::Send(send) => self::send(send, sender)?,
        Op::Read(read) => {
            Routed::Owner(raise(read.conversation_id, Cursor::read(read.seq), sender)?)
        }
        Op::Delivered(delivered) => {
            let to = Cursor::delivered(delivered.seq);
            Routed::Owner(raise(delivered.conversation_id, to, sender)?)
        }
        Op::Typing(typing) => Routed::Owner(Request::Typing {
            conversation_id: conversation(typing.conversation_id)?,
            user: sender.user,
            stopped: typing.stopped,
            reply_to,
        }),
        Op::SetStatus(set) => Routed::SetStatus(take(set)),
        Op::WatchPresence(watch) => Routed::WatchPresence(take(watch)),
        Op::Sync(sync) => Routed::Pull(take(sync)),
        Op::History(history) => Routed::Service(Query::History(take(history))),
        Op::Heads(heads) => Routed::Service(Query::Heads(take(heads))),
        Op::Members(members) => Routed::Service(Query::Members(take(members))),
        Op::ReadBy(read_by) => Routed::Service(Query::ReadBy(take(read_by))),
        Op::Hide(hide) => Routed::Service(Query::Hide(take(hide))),
        Op::Block(block) => Routed::Service(Query::Block(take(block))),
        Op::Blocks(blocks) => Routed::Service(Query::Blocks(take(blocks))),
        Op::OpenDirect(open) => Routed::Service(Query::OpenDirect(take(open))),
        Op::CreateGroup(create) => {
            message::check_client_msg_id(&create.client_msg_id)?;
            Routed::Service(Query::CreateGroup(take(create)))
        }
        Op::Edit(_)
        | Op::Recall(_)
        | Op::React(_)
        | Op::Pin(_)
        | Op::UpdateGroup(_)
        | Op::Join(_)
        | Op::Leave(_)
        | Op::Invite(_)
        | Op::Remove(_)
        | Op::SetRole(_)
        | Op::Mute(_)
        | Op::Ban(_)
        | Op::ResolveJoin(_)
        | Op::Dissolve(_) => return entry::route(op, sender),
    })
}

fn send(send: &mut wire::Send, sender: &mut Sender<'_>) -> Result<Routed, CommandError> {
    let id = conversation(send.conversation_id)?;
    let message = send.message.take().ok_or_else(|| invalid("message is missing"))?;
    message::check(&message, sender.limits)?;
    message::check_client_id(&send.after, "after")?;
    let (mentions, files) = (message::mentions(&message), message::files(&message));
    let body = encode(wire::entry_body::Kind::Message(message));
    let intent = Intent::Send { body, after: take(&mut send.after).into(), mentions, files };
    let submission = submission(&mut send.client_msg_id, intent, sender)?;
    Ok(to_owner(id, submission))
}

/// A command for the owner of a conversation: at once, or when the service has said what files its message carries.
pub(super) fn to_owner(conversation_id: ConversationId, submission: Box<Submission>) -> Routed {
    match &submission.intent {
        Intent::Send { files, .. } | Intent::Edit { files, .. } if !files.is_empty() => {
            let (users, usernames) = (Vec::new(), Vec::new());
            Routed::Named(Box::new(Named { conversation_id, submission, users, usernames }))
        }
        _ => Routed::Owner(Request::Submit { conversation_id, submission }),
    }
}

/// A checked command of the sender's, ready for the conversation.
pub(super) fn submission(
    client_msg_id: &mut String,
    intent: Intent,
    sender: &mut Sender<'_>,
) -> Result<Box<Submission>, CommandError> {
    message::check_client_msg_id(client_msg_id)?;
    let client_msg_id =
        if client_msg_id.is_empty() { (sender.next_id)() } else { take(client_msg_id) };
    Ok(Box::new(Submission {
        from: sender.user,
        reply_to: sender.reply_to,
        client_msg_id: client_msg_id.into_boxed_str(),
        command_hash: sender.key.hash(&intent),
        intent,
        also: Vec::new(),
    }))
}

fn raise(id: u64, to: Cursor, sender: &Sender<'_>) -> Result<Request, CommandError> {
    let conversation_id = conversation(id)?;
    Ok(Request::Raise { conversation_id, user: sender.user, to, reply_to: sender.reply_to })
}

/// A conversation's id as a client wrote it.
pub fn conversation(id: u64) -> Result<ConversationId, CommandError> {
    ConversationId::new(id).ok_or_else(|| invalid("conversation_id is missing or out of range"))
}
