//! The commands of this shard's sessions: answered here, or sent to whoever can.

use ringwire_protocol::codec::DecodeError;
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::{CloseReason, CommandError, ConversationId, ErrorCode, UserId, wire};
use wire::command::Op;
use wire::reply::Outcome;

use super::connect::already_connected;
use super::mail::Mail;
use super::state::{State, busy};
use crate::command::message::invalid;
use crate::command::query::Query;
use crate::command::route::{Routed, Sender, conversation, route};
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::conversation::request::Request;
use crate::limits;
use crate::placement::owner_shard;
use crate::presence::Status;
use crate::service::ask::{Ask, News};
use crate::session::registry::{Phase, SessionKey};

impl State {
    /// A WebSocket message of a session: one or more commands.
    pub(crate) fn handle_message(
        &mut self,
        key: SessionKey,
        kind: MessageKind,
        payload: &[u8],
        links: &mut Links,
    ) {
        let Some(session) = self.registry.get(key) else { return };
        let (link, encoding) = (session.link, session.encoding);
        if kind != encoding.message_kind() {
            let reason = CloseReason::BadFrame;
            links.close(link, reason.code(), "wrong message type for this encoding");
            return;
        }
        for frame in encoding.decode::<wire::Command>(payload) {
            // A resume gives the connection's session another key, and an end none.
            let Some(key) = self.registry.by_link(link) else { return };
            match frame {
                Ok(command) => self.handle_command(key, command, links),
                Err(DecodeError::WrongType { id, message }) if id != 0 => {
                    self.begin(key, links);
                    self.reply(key, id, Err(invalid(message)), links);
                }
                // Without an id that can be read nobody would know what is answered.
                Err(DecodeError::Malformed(message) | DecodeError::WrongType { message, .. }) => {
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
    pub(crate) fn handle_command(
        &mut self,
        key: SessionKey,
        command: wire::Command,
        links: &mut Links,
    ) {
        let Some(session) = self.registry.get(key) else { return };
        if let Phase::Opening(opening) = &mut session.phase
            && !matches!(command.op, Some(Op::Connect(_)))
            && opening.early.len() < limits::MAX_UNANSWERED as usize
        {
            opening.early.push(command);
            return;
        }
        let wire::Command { id: command_id, received, mut op } = command;
        if received > 0 {
            self.registry.received(key, received);
        }
        self.figures.command(op.as_ref());
        self.begin(key, links);
        if let Err(error) = self.try_command(key, command_id, &mut op, links) {
            if let Some(Op::Send(send)) = &op
                && let Some(id) = ConversationId::new(send.conversation_id)
            {
                self.note_refusal(key, id, &send.client_msg_id);
            }
            let too_fast = error.code == ErrorCode::RateLimited;
            self.reply(key, command_id, Err(error), links);
            if too_fast {
                self.close_flood(key, links);
            }
        }
    }

    /// Closes a session that goes on flooding though it is told to wait. It may come back and be resumed.
    fn close_flood(&mut self, key: SessionKey, links: &mut Links) {
        let now = self.now.uptime_ms;
        let Some(session) = self.registry.get(key) else { return };
        let (count, since) = session.too_fast;
        if count >= limits::FLOOD_REFUSALS && now - since <= limits::FLOOD_MS {
            let reason = CloseReason::RateLimited;
            links.close(session.link, reason.code(), reason.reason());
        } else if count >= limits::FLOOD_REFUSALS {
            session.too_fast = (0, now);
        }
    }

    fn try_command(
        &mut self,
        key: SessionKey,
        command_id: u64,
        op: &mut Option<Op>,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        self.check_turn(key, op.as_ref())?;
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        let user = session.user;
        self.carry_out(user, ReplyTo { shard: self.id, session: key, command_id }, op, links)
    }

    /// Does what a command asks that may be given now, of a session or of a caller without one.
    pub(super) fn carry_out(
        &mut self,
        user: UserId,
        reply_to: ReplyTo,
        op: &mut Option<Op>,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let ReplyTo { session: key, command_id, .. } = reply_to;
        let server_ids = &mut self.server_ids;
        let mut sender = Sender {
            user,
            reply_to,
            limits: &self.shared.config.limits,
            key: &self.shared.command_key,
            next_id: &mut || server_ids.next(),
        };
        match route(op, &mut sender)? {
            Routed::Connect(connect) => self.connect(reply_to, connect, links),
            Routed::Refresh(refresh) => {
                let refreshed = Outcome::Refreshed(self.refresh(key, &refresh)?);
                self.reply(key, command_id, Ok(refreshed), links);
                Ok(())
            }
            Routed::Ping => {
                let pong = Outcome::Pong(wire::Pong { server_time: self.now.unix_ms });
                self.reply(key, command_id, Ok(pong), links);
                Ok(())
            }
            Routed::Sessions => {
                let list = Outcome::SessionList(self.list_sessions(user, key));
                self.reply(key, command_id, Ok(list), links);
                Ok(())
            }
            Routed::EndSession(end) => {
                self.end_others(key, user, &end, links)?;
                self.reply(key, command_id, Ok(Outcome::Done(wire::Done {})), links);
                Ok(())
            }
            Routed::SetStatus(set) => self.set_status(reply_to, set, links),
            Routed::WatchPresence(watch) => self.watch_presence(reply_to, &watch, links),
            Routed::Owner(mut request) => {
                if let Request::Typing { conversation_id, stopped, .. } = &mut request {
                    *stopped |= self.is_invisible(user, key);
                    if let Some(session) = self.registry.get(key) {
                        session.typing = (!*stopped).then_some(*conversation_id);
                    }
                }
                self.send_in_turn(request, links)
            }
            Routed::Pull(sync) => self.pull(user, reply_to, &sync, links),
            Routed::Named(named) => self.identify(named),
            Routed::Service(Query::ReadBy(ask)) => self.read_by(user, reply_to, ask, links),
            Routed::Service(query) => {
                let dirty = match query {
                    Query::Heads(_) | Query::Members(_) => self.cursors.of(user),
                    _ => Vec::new(),
                };
                self.take_query(key)?;
                self.ask(Ask::Query { user, reply_to, query, dirty }).map_err(|_| {
                    self.give_query_back(key);
                    busy("the service queue is full")
                })
            }
        }
    }

    /// Whether a session shows its user as not being there; of a caller without one, whether all their sessions do. Who
    /// does not show as being there does not show as writing.
    fn is_invisible(&mut self, user: UserId, key: SessionKey) -> bool {
        if let Some(session) = self.registry.get(key) {
            return session.own.status == Status::Invisible;
        }
        let mut sessions = self.registry.sessions_of(user).peekable();
        sessions.peek().is_some()
            && sessions.all(|(_, session)| session.own.status == Status::Invisible)
    }

    /// Counts a command that reads the database. Their replies can be large, so few may be under way.
    pub(crate) fn take_query(&mut self, key: SessionKey) -> Result<(), CommandError> {
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        if session.queries >= limits::MAX_QUERIES {
            let error = "too many unanswered commands that read the database";
            let wait_ms = limits::BUSY_RETRY_MS;
            return Err(CommandError::retry(ErrorCode::TooManyUnanswered, error, wait_ms));
        }
        session.queries += 1;
        Ok(())
    }

    pub(crate) fn give_query_back(&mut self, key: SessionKey) {
        if let Some(session) = self.registry.get(key) {
            session.queries = session.queries.saturating_sub(1);
        }
    }

    /// Whether the session may send a command now, and this one.
    fn check_turn(&mut self, key: SessionKey, op: Option<&Op>) -> Result<(), CommandError> {
        if self.draining {
            return Err(super::state::draining());
        }
        let now = self.now.uptime_ms;
        let taken = self.registry.take_command(key, now, self.now.at);
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        match taken {
            Ok(()) => session.too_fast = (0, now),
            Err(wait_ms) => {
                session.too_fast.0 += 1;
                return Err(CommandError::retry(
                    ErrorCode::RateLimited,
                    "too many commands",
                    wait_ms,
                ));
            }
        }
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        match (&session.phase, op) {
            (Phase::Live | Phase::AwaitingConnect, Some(Op::Connect(_))) => Ok(()),
            (Phase::Opening(_), Some(Op::Connect(_))) => Err(already_connected()),
            (Phase::AwaitingConnect, _) => {
                Err(CommandError::new(ErrorCode::NotConnected, "connect must come first"))
            }
            (Phase::Opening(_), _) => {
                let error = "too many commands before connect was answered";
                Err(CommandError::new(ErrorCode::TooManyUnanswered, error))
            }
            (Phase::Live, Some(Op::Send(send))) => {
                let (id, user) = (conversation(send.conversation_id)?, session.user);
                if session.refused_sends.contains(id, user, &send.after) {
                    let error = "the send named in `after` was refused";
                    return Err(CommandError::new(ErrorCode::OutOfOrder, error));
                }
                session.refused_sends.forgive(id, user, &send.client_msg_id);
                Ok(())
            }
            (Phase::Live | Phase::Detached { .. }, _) => Ok(()),
        }
    }

    pub(super) fn send_to_owner(
        &mut self,
        request: Request,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let owner = owner_shard(request.conversation_id(), self.shared.shards());
        if owner == self.id {
            self.handle_request(request, links);
            return Ok(());
        }
        let refused = if self.credits.take() {
            match self.shared.mailboxes[usize::from(owner)].try_send(Mail::Request(request)) {
                Ok(()) => return Ok(()),
                Err(Mail::Request(request)) => {
                    self.credits.give_back(1);
                    Some(request)
                }
                Err(_) => None,
            }
        } else {
            Some(request)
        };
        if let Some(Request::Submit { conversation_id, submission }) = refused {
            let session = submission.reply_to.session;
            self.note_refusal(session, conversation_id, &submission.client_msg_id);
        }
        Err(busy("the conversation's shard has no room"))
    }

    /// Makes known what a command did that the database carried out.
    pub(crate) fn tell(&mut self, news: News, links: &mut Links) {
        match news {
            News::Made(conversation_id) => {
                self.announce(Request::Announce { conversation_id }, links);
            }
            News::Hidden { user, change } => {
                // Its owner forgets what it would still tell the user from memory.
                let id = ConversationId::new(change.conversation_id);
                let seen = id.zip(change.hidden_seqs.last().copied());
                if let Some((conversation_id, through)) = seen {
                    self.announce(Request::SeenOtherwise { conversation_id, through }, links);
                }
                self.push_view_changed(user, change, links);
            }
            News::SeenByOthers { user } => self.look_again_everywhere(user),
            News::BlockChanged { user, other, direct, blocked } => {
                if blocked {
                    self.conceal_both(user, other, links);
                } else {
                    self.look_again_everywhere(user);
                    self.look_again_everywhere(other);
                }
                if let Some(conversation_id) = direct {
                    self.announce(Request::BlockChanged { conversation_id, blocked }, links);
                }
            }
        }
    }

    /// Remembers a refused send, for those that say they come `after` it.
    pub(super) fn note_refusal(
        &mut self,
        key: SessionKey,
        id: ConversationId,
        client_msg_id: &str,
    ) {
        if let Some(session) = self.registry.get(key) {
            session.refused_sends.insert(id, session.user, client_msg_id);
        }
    }
}
