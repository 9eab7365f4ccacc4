//! From a message of a session to whoever carries its commands out.

use prost::Message as _;
use ringwire_protocol::codec::{DecodeError, Encoding};
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::{CloseReason, CommandError, ConversationId, ErrorCode, UserId, wire};
use wire::command::Op;
use wire::reply::Outcome;

use super::message::{self, invalid};
use super::reply::ReplyTo;
use super::request::Request;
use crate::connection::links::Links;
use crate::conversation::{Intent, Submission};
use crate::fanout::message_kind;
use crate::limits;
use crate::service::ask::{Ask, Query};
use crate::session::registry::{Phase, SessionKey};
use crate::shard::mail::Mail;
use crate::shard::placement::owner_shard;
use crate::shard::state::{State, busy};

/// What becomes of a command.
enum Routed {
    /// It is answered now.
    Answer(Box<Outcome>),
    /// To the owner of a conversation.
    Owner(Request),
    /// To the database.
    Service(Query),
}

impl State {
    /// A WebSocket message of a session: one or more commands.
    pub fn handle_message(
        &mut self,
        key: SessionKey,
        kind: MessageKind,
        payload: &[u8],
        links: &mut Links,
    ) {
        let Some(session) = self.registry.get(key) else { return };
        let (link, encoding) = (session.link, session.encoding);
        if kind != message_kind(encoding) {
            let reason = CloseReason::BadFrame;
            links.close(link, reason.code(), "wrong message type for this encoding");
            return;
        }
        for frame in encoding.decode::<wire::Command>(payload) {
            match frame {
                Ok(command) => self.handle_command(key, command, links),
                Err(DecodeError::WrongType { id, message }) => {
                    self.begin(key, links);
                    self.reply(key, id, Err(invalid(message)), links);
                }
                Err(DecodeError::Malformed(message)) => {
                    tracing::debug!(%message, "closing a session that sent an undecodable frame");
                    let reason = CloseReason::BadFrame;
                    links.close(link, reason.code(), reason.reason());
                    return;
                }
            }
        }
    }

    /// Counts a command as unanswered; too many stop the session from being read.
    fn begin(&mut self, key: SessionKey, links: &mut Links) {
        if let Some(session) = self.registry.get(key) {
            session.unanswered += 1;
            if session.unanswered >= limits::MAX_UNANSWERED && !session.paused {
                session.paused = true;
                links.set_paused(session.link, true);
            }
        }
    }

    /// One command: answered here, or sent to whoever can.
    pub fn handle_command(&mut self, key: SessionKey, command: wire::Command, links: &mut Links) {
        let wire::Command { id: command_id, received, op } = command;
        let Some(session) = self.registry.get(key) else { return };
        let user = session.user;
        if let Phase::Opening { early, .. } = &mut session.phase
            && !matches!(op, Some(Op::Connect(_)))
            && early.len() < limits::MAX_UNANSWERED as usize
        {
            early.push(wire::Command { id: command_id, received, op });
            return;
        }
        self.begin(key, links);
        if self.draining {
            let error = CommandError::new(ErrorCode::Draining, "the server stops; connect again");
            self.note_refusal(key, op.as_ref());
            self.reply(key, command_id, Err(error), links);
            return;
        }
        if let Err(wait_ms) = self.registry.take_command(key, self.now.unix_ms) {
            let error = CommandError::retry(ErrorCode::RateLimited, "too many commands", wait_ms);
            self.note_refusal(key, op.as_ref());
            self.reply(key, command_id, Err(error), links);
            return;
        }
        let reply_to = ReplyTo { shard: self.id, session: key, command_id };
        let routed = match op {
            Some(Op::Connect(connect)) => return self.connect(reply_to, &connect, links),
            Some(op) => self.route(reply_to, user, op),
            None => Err(CommandError::new(
                ErrorCode::UnknownCommand,
                "the command carries no operation this server knows",
            )),
        };
        match routed {
            Ok(Routed::Answer(outcome)) => self.reply(key, command_id, Ok(*outcome), links),
            Ok(Routed::Owner(request)) => self.send_to_owner(reply_to, request, links),
            Ok(Routed::Service(query)) => {
                if self.ask(Ask::Query { user, reply_to, query }).is_err() {
                    let error = busy("the service queue is full");
                    self.reply(key, command_id, Err(error), links);
                }
            }
            Err(error) => self.reply(key, command_id, Err(error), links),
        }
    }

    fn route(&mut self, reply_to: ReplyTo, user: UserId, op: Op) -> Result<Routed, CommandError> {
        let Some(session) = self.registry.get(reply_to.session) else {
            return Err(CommandError::new(ErrorCode::Internal, "the session is gone"));
        };
        match session.phase {
            Phase::Live => {}
            Phase::AwaitingConnect => {
                return Err(CommandError::new(ErrorCode::NotConnected, "connect must come first"));
            }
            Phase::Opening { .. } => {
                let error = "too many commands before connect was answered";
                return Err(CommandError::new(ErrorCode::TooManyUnanswered, error));
            }
        }
        Ok(match op {
            Op::Connect(_) => return Err(already_connected()),
            Op::Refresh(refresh) => {
                Routed::Answer(Box::new(self.refresh(reply_to.session, &refresh)?))
            }
            Op::Ping(_) => {
                let server_time = self.now.unix_ms;
                Routed::Answer(Box::new(Outcome::Pong(wire::Pong { server_time })))
            }
            Op::Send(send) => Routed::Owner(self.send(reply_to, user, send)?),
            Op::Join(join) => {
                let id = conversation(join.conversation_id)?;
                Routed::Owner(self.submit(reply_to, user, id, join.client_msg_id, Intent::Join)?)
            }
            Op::Leave(leave) => {
                let id = conversation(leave.conversation_id)?;
                Routed::Owner(self.submit(
                    reply_to,
                    user,
                    id,
                    leave.client_msg_id,
                    Intent::Leave,
                )?)
            }
            Op::Read(read) => Routed::Owner(Request::Read {
                conversation_id: conversation(read.conversation_id)?,
                user,
                seq: read.seq,
                reply_to,
            }),
            Op::Sync(sync) => Routed::Service(Query::Sync(sync)),
            Op::History(history) => Routed::Service(Query::History(history)),
            Op::Heads(heads) => Routed::Service(Query::Heads(heads, self.cursors.of(user))),
            Op::Members(members) => Routed::Service(Query::Members(members)),
            Op::OpenDirect(open) => Routed::Service(Query::OpenDirect(open)),
            Op::CreateGroup(create) => {
                message::check_client_id(&create.client_msg_id, "client_msg_id")?;
                Routed::Service(Query::CreateGroup(create))
            }
            Op::SetStatus(_)
            | Op::Edit(_)
            | Op::Recall(_)
            | Op::React(_)
            | Op::Pin(_)
            | Op::Hide(_)
            | Op::Delivered(_)
            | Op::Typing(_)
            | Op::WatchPresence(_)
            | Op::ReadBy(_)
            | Op::UpdateGroup(_)
            | Op::Invite(_)
            | Op::Remove(_)
            | Op::SetRole(_)
            | Op::Mute(_)
            | Op::Ban(_)
            | Op::ResolveJoin(_)
            | Op::Dissolve(_) => {
                return Err(CommandError::new(
                    ErrorCode::NotSupported,
                    "this server does not offer the operation",
                ));
            }
        })
    }

    fn send(
        &mut self,
        reply_to: ReplyTo,
        user: UserId,
        send: wire::Send,
    ) -> Result<Request, CommandError> {
        let id = conversation(send.conversation_id)?;
        let message = send.message.ok_or_else(|| invalid("message is missing"))?;
        message::check(&message, &self.shared.config.limits)?;
        message::check_client_id(&send.after, "after")?;
        if let Some(session) = self.registry.get(reply_to.session) {
            if session.refused_sends.contains(&send.after) {
                let error = "the send named in `after` was refused";
                session.refused_sends.insert(&send.client_msg_id);
                return Err(CommandError::new(ErrorCode::OutOfOrder, error));
            }
            session.refused_sends.forgive(&send.client_msg_id);
        }
        let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) };
        let intent =
            Intent::Send { body: body.encode_to_vec().into(), after: send.after.into_boxed_str() };
        self.submit(reply_to, user, id, send.client_msg_id, intent)
    }

    fn submit(
        &mut self,
        reply_to: ReplyTo,
        user: UserId,
        conversation_id: ConversationId,
        client_msg_id: String,
        intent: Intent,
    ) -> Result<Request, CommandError> {
        message::check_client_id(&client_msg_id, "client_msg_id")?;
        let client_msg_id =
            if client_msg_id.is_empty() { self.server_ids.next() } else { client_msg_id };
        let submission = Box::new(Submission {
            from: user,
            reply_to,
            client_msg_id: client_msg_id.into_boxed_str(),
            command_hash: self.shared.command_key.hash(&intent),
            intent,
            also: Vec::new(),
        });
        Ok(Request::Submit { conversation_id, submission })
    }

    fn send_to_owner(&mut self, reply_to: ReplyTo, request: Request, links: &mut Links) {
        let owner = owner_shard(request.conversation_id(), self.shared.shards());
        if owner == self.id {
            self.handle_request(request, links);
            return;
        }
        let refused = if self.credits.take() {
            let mailbox = &self.shared.mailboxes[usize::from(owner)];
            match mailbox.try_send(Mail::Request(request)) {
                Ok(()) => return,
                Err(Mail::Request(request)) => {
                    self.credits.give_back(1);
                    Some(request)
                }
                Err(_) => None,
            }
        } else {
            Some(request)
        };
        if let Some(Request::Submit { submission, .. }) = refused
            && let Some(session) = self.registry.get(reply_to.session)
        {
            session.refused_sends.insert(&submission.client_msg_id);
        }
        let error = busy("the conversation's shard has no room");
        self.reply(reply_to.session, reply_to.command_id, Err(error), links);
    }

    /// Remembers a refused send, for those that say they come after it.
    fn note_refusal(&mut self, key: SessionKey, op: Option<&Op>) {
        if let Some(Op::Send(send)) = op
            && let Some(session) = self.registry.get(key)
        {
            session.refused_sends.insert(&send.client_msg_id);
        }
    }

    fn connect(&mut self, reply_to: ReplyTo, connect: &wire::Connect, links: &mut Links) {
        if let Err(error) = self.try_connect(reply_to, connect, links) {
            self.reply(reply_to.session, reply_to.command_id, Err(error), links);
        }
    }

    fn try_connect(
        &mut self,
        reply_to: ReplyTo,
        connect: &wire::Connect,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let key = reply_to.session;
        let most = limits::MAX_CURSORS;
        let now = self.now.unix_ms;
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        if !matches!(session.phase, Phase::AwaitingConnect) {
            return Err(already_connected());
        }
        message::check_client_id(&connect.device_id, "device_id")?;
        if connect.cursors.len() > most {
            let error = format!("more than {most} cursors");
            return Err(CommandError::new(ErrorCode::TooLarge, error));
        }
        let cursors = connect
            .cursors
            .iter()
            .map(|cursor| Ok((conversation(cursor.conversation_id)?, cursor.seq)))
            .collect::<Result<Vec<_>, CommandError>>()?;
        let (user, link) = (session.user, session.link);
        let name_hint = session.name_hint.take().map_or_else(String::new, String::from);
        session.phase = Phase::Opening {
            held: std::collections::VecDeque::new(),
            early: Vec::new(),
            connect_id: reply_to.command_id,
        };
        // Registered first: what commits from now on is held, what committed before is in the snapshot.
        self.registry.subscribe(key, now);
        self.watch_token(key);
        links.set_paused(link, true);
        let dirty = self.cursors.of(user);
        let ask = Ask::OpenSession { session: key, user, name_hint, cursors, dirty };
        if self.ask(ask).is_err() {
            self.session_opened(key, Err(busy("the service queue is full")), links);
        }
        Ok(())
    }

    fn refresh(
        &mut self,
        key: SessionKey,
        refresh: &wire::Refresh,
    ) -> Result<Outcome, CommandError> {
        let now = self.now.unix_ms;
        let identity = self.shared.verifier.verify(&refresh.token, now).map_err(|error| {
            CommandError::new(crate::session::admission::token_error_code(error), error.to_string())
        })?;
        let Some(session) = self.registry.get(key) else {
            return Err(CommandError::new(ErrorCode::Internal, "the session is gone"));
        };
        if !session.is_bearer(&identity.user) {
            let error = "the token is of another user";
            return Err(CommandError::new(ErrorCode::Forbidden, error));
        }
        session.expires_at = identity.expires_at_ms;
        session.expiry_told = false;
        self.watch_token(key);
        Ok(Outcome::Refreshed(wire::Refreshed { expires_at: identity.expires_at_ms }))
    }
}

fn conversation(id: u64) -> Result<ConversationId, CommandError> {
    ConversationId::new(id).ok_or_else(|| invalid("conversation_id is missing or out of range"))
}

fn already_connected() -> CommandError {
    CommandError::new(ErrorCode::AlreadyConnected, "connect came a second time")
}

/// The encoding a message of a connection without subprotocol decides for.
pub fn encoding_of(kind: MessageKind) -> Encoding {
    match kind {
        MessageKind::Binary => Encoding::Protobuf,
        MessageKind::Text => Encoding::Json,
    }
}
