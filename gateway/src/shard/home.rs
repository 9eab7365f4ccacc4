//! A shard as the home of users: their sessions, replies and pushes.

use std::collections::VecDeque;

use ringwire_protocol::{CloseReason, CommandError, ErrorCode, UserId, wire};
use wire::reply::Outcome;

use super::state::State;
use crate::connection::links::{LinkKey, Links};
use crate::conversation::answer::{Ack, ReplyTo};
use crate::fanout::{Delivery, Frames, Pushed, push_frame, send_push};
use crate::limits;
use crate::session::cursors::Cursor;
use crate::session::opening::Opened;
use crate::session::registry::{HeldPush, Phase, Session, SessionKey};
use ringwire_protocol::ConversationId;

impl State {
    /// Answers a command of a session of this shard.
    pub(crate) fn finish_command(
        &mut self,
        reply_to: ReplyTo,
        answer: Result<Ack, CommandError>,
        links: &mut Links,
    ) {
        let Some(session) = self.registry.get(reply_to.session) else { return };
        let user = session.user;
        match &answer {
            Ok(Ack::Entry { conversation_id: id, seq, .. }) => {
                let cursor = Cursor::read(*seq);
                self.cursors.raise(user, *id, cursor);
                self.own_cursor_said(user, *id, cursor, reply_to.session, links);
            }
            Ok(Ack::Cursor { conversation_id: id, cursor, moved }) => {
                self.cursors.raise(user, *id, *cursor);
                if *moved {
                    self.own_cursor_moved(user, *id, *cursor, reply_to.session, links);
                }
            }
            Ok(Ack::Done) | Err(_) => {}
        }
        self.reply(reply_to.session, reply_to.command_id, answer.map(Outcome::from), links);
    }

    /// Writes the one reply to a command, and reads on if the session had too many without.
    pub(crate) fn reply(
        &mut self,
        key: SessionKey,
        command_id: u64,
        outcome: Result<Outcome, CommandError>,
        links: &mut Links,
    ) {
        let resume_below = limits::MAX_UNANSWERED / 2;
        let Some(session) = self.registry.get(key) else { return };
        session.unanswered = session.unanswered.saturating_sub(1);
        let roomy = links.queued_bytes(session.link) <= limits::OUTBOX_FULL_BYTES;
        if session.paused && session.unanswered <= resume_below && roomy {
            session.paused = false;
            links.set_paused(session.link, false);
        }
        if command_id == 0 {
            return;
        }
        let outcome = outcome.unwrap_or_else(|error| Outcome::Error(error.into()));
        let reply = wire::Reply { id: command_id, outcome: Some(outcome) };
        let server_frame =
            wire::ServerFrame { frame: Some(wire::server_frame::Frame::Reply(reply)) };
        let (link, encoding) = (session.link, session.encoding);
        self.scratch.clear();
        encoding.encode(&server_frame, &mut self.scratch);
        let payload = &self.scratch;
        links.send_message(link, encoding.message_kind(), payload);
        // A client that asks without reading the answers is not read either, until they are gone.
        if links.queued_bytes(link) > limits::OUTBOX_FULL_BYTES {
            session.paused = true;
            links.set_paused(link, true);
        }
    }

    /// Gives a push to every session of the users it is for.
    pub(crate) fn deliver_here(&mut self, delivery: &Delivery, links: &mut Links) {
        let mut frames = Frames::new(&delivery.pushed);
        let except = delivery.except.map(|reply_to| reply_to.session);
        let author = delivery.pushed.author();
        for user in delivery.users.iter().filter(|user| Some(**user) != author) {
            self.push_to_user(*user, &mut frames, except, links);
        }
    }

    /// Gives a push to every session of a user but one.
    pub(super) fn push_to_user(
        &mut self,
        user: UserId,
        frames: &mut Frames<'_>,
        except: Option<SessionKey>,
        links: &mut Links,
    ) {
        // A user has few sessions; the keys are copied so that each session can be changed.
        let mut position = 0;
        while let Some(key) = self.registry.of_user(user).get(position).copied() {
            position += 1;
            if Some(key) != except
                && let Some(session) = self.registry.get(key)
            {
                push(session, frames, links);
            }
        }
    }

    /// Ends every session of a user.
    pub(crate) fn end_sessions(&mut self, user: UserId, reason: CloseReason, links: &mut Links) {
        for key in self.registry.of_user(user).to_vec() {
            if let Some(session) = self.registry.get(key) {
                links.close(session.link, reason.code(), reason.reason());
            }
        }
    }

    /// The service read what `connected` tells; the session goes live.
    pub(crate) fn session_opened(
        &mut self,
        key: SessionKey,
        opened: Result<Box<Opened>, CommandError>,
        links: &mut Links,
    ) {
        let (shard, server_time) = (self.id, self.now.unix_ms);
        let limits = self.wire_limits();
        let Some(session) = self.registry.get(key) else { return };
        let Phase::Opening { held, early, connect_id } =
            std::mem::replace(&mut session.phase, Phase::Live)
        else {
            return;
        };
        let opened = match opened {
            Ok(opened) => *opened,
            Err(error) => {
                // The client comes back by itself and tries again.
                let (link, reason) = (session.link, close_reason(&error));
                self.reply(key, connect_id, Err(error), links);
                links.close(link, reason.code(), reason.reason());
                return;
            }
        };
        let (link, encoding) = (session.link, session.encoding);
        let connected = wire::Connected {
            session_id: key.public_id(shard),
            user: Some(opened.user),
            server_time,
            limits: Some(limits),
            heartbeat_ms: limits::PING_AFTER_S * 1000,
            resumed: false,
            heads: Some(opened.heads),
            sync: opened.sync,
            view_no: 0,
            view_reset: false,
        };
        let lagging = !session.lagging.is_empty();
        self.reply(key, connect_id, Ok(Outcome::Connected(connected)), links);
        for entry in opened.missed {
            send_push(encoding, wire::push::Event::Entry(entry), link, links);
        }
        release(held, &opened.covered, link, links);
        self.registry.cover(key, opened.covered, links.now());
        if lagging {
            links.report_when_drained(link);
        }
        links.set_paused(link, false);
        for command in early {
            self.handle_command(key, command, links);
        }
    }

    /// Announces the conversations a session lags in, once its socket has taken everything else.
    pub(crate) fn drained(&mut self, link: LinkKey, links: &mut Links) {
        let Some(key) = self.registry.by_link(link) else { return };
        let Some(session) = self.registry.get(key) else { return };
        if !matches!(session.phase, Phase::Live) {
            return;
        }
        for (id, head_seq) in std::mem::take(&mut session.lagging) {
            let lag = wire::Lag { conversation_id: id.get(), head_seq };
            links.push(link, &push_frame(session.encoding, wire::push::Event::Lag(lag)));
        }
        if session.unanswered < limits::MAX_UNANSWERED {
            session.paused = false;
            links.set_paused(link, false);
        }
    }

    /// Looks at the tokens of sessions whose time has come.
    pub(crate) fn check_tokens(&mut self, due: Vec<SessionKey>, links: &mut Links) {
        let now = self.now.unix_ms;
        for key in due {
            let Some(session) = self.registry.get(key) else { continue };
            let left_ms = session.expires_at - now;
            if left_ms <= 0 {
                let reason = CloseReason::TokenExpired;
                links.close(session.link, reason.code(), reason.reason());
                continue;
            }
            if left_ms <= limits::TOKEN_WARNING_S * 1000 && !session.expiry_told {
                session.expiry_told = true;
                let expiring = wire::TokenExpiring { expires_at: session.expires_at };
                let event = wire::push::Event::TokenExpiring(expiring);
                links.push(session.link, &push_frame(session.encoding, event));
            }
            self.watch_token(key);
        }
    }

    /// Has the session's token looked at when it is about to expire, and when it has.
    pub(crate) fn watch_token(&mut self, key: SessionKey) {
        let now = self.now.unix_ms;
        let Some(session) = self.registry.get(key) else { return };
        let left_ms = session.expires_at.saturating_sub(now).max(0);
        let wait_ms = if session.expiry_told {
            left_ms
        } else {
            (left_ms - limits::TOKEN_WARNING_S * 1000).max(0)
        };
        let seconds = u32::try_from(wait_ms.cast_unsigned().div_ceil(1000)).unwrap_or(u32::MAX / 2);
        self.registry.watch_expiry(key, seconds.min(u32::MAX / 2));
    }

    fn wire_limits(&self) -> wire::Limits {
        let configured = &self.shared.config.limits;
        wire::Limits {
            max_frame_bytes: limits::MAX_FRAME_BYTES as u32,
            max_text_bytes: configured.max_text_bytes,
            max_metadata_bytes: configured.max_metadata_bytes,
            max_unanswered: limits::MAX_UNANSWERED,
            max_page: limits::MAX_PAGE,
            max_cursors: limits::MAX_CURSORS as u32,
            max_group_members: configured.max_group_members,
            max_cursor_members: limits::CURSOR_PUSH_MEMBERS as u32,
            typing_ms: limits::TYPING_MS as u32,
            ..Default::default()
        }
    }
}

/// Gives a push to one session: held while its snapshot is read, dropped with a note while its outbox is full.
fn push(session: &mut Session, frames: &mut Frames<'_>, links: &mut Links) {
    let pushed = frames.pushed();
    match pushed {
        Pushed::Entry(entry) if session.is_covered(entry.conversation_id, entry.seq) => return,
        Pushed::Lag { id, head_seq } => return mark_lagging(session, *id, *head_seq, links),
        Pushed::Entry(_) | Pushed::Cursor { .. } | Pushed::Typing(_) => {}
    }
    let position = pushed.position();
    match &mut session.phase {
        Phase::AwaitingConnect => {}
        Phase::Opening { held, .. } => {
            // Who types now is of no interest when the snapshot has come.
            let Some((id, seq)) = position else { return };
            if held.len() < limits::MAX_HELD_PUSHES {
                let position = matches!(pushed, Pushed::Entry(_)).then_some((id, seq));
                held.push_back(HeldPush { position, frame: frames.get(session.encoding).clone() });
            } else {
                mark_lagging(session, id, seq, links);
            }
        }
        Phase::Live => {
            let queued = links.queued_bytes(session.link);
            let Some((id, seq)) = position else {
                if queued < limits::OUTBOX_HALF_BYTES {
                    frames.send(session.encoding, session.link, links);
                }
                return;
            };
            let lagging = !session.lagging.is_empty() && session.lagging.contains_key(&id);
            let full = |queued| queued >= limits::OUTBOX_FULL_BYTES;
            if lagging || (full(queued) && full(links.relieve(session.link))) {
                mark_lagging(session, id, seq, links);
            } else {
                frames.send(session.encoding, session.link, links);
            }
        }
    }
}

fn mark_lagging(session: &mut Session, id: ConversationId, seq: u64, links: &mut Links) {
    let head_seq = session.lagging.entry(id).or_default();
    *head_seq = seq.max(*head_seq);
    if session.lagging.len() > limits::OUTBOX_LAGGING {
        let reason = CloseReason::SlowConsumer;
        links.close(session.link, reason.code(), reason.reason());
        links.abort(session.link);
    } else {
        links.report_when_drained(session.link);
    }
}

/// Sends the pushes that waited, except those the snapshot already tells.
fn release(
    held: VecDeque<HeldPush>,
    covered: &std::collections::HashMap<ConversationId, u64>,
    link: LinkKey,
    links: &mut Links,
) {
    for push in held {
        let told = push
            .position
            .is_some_and(|(id, seq)| covered.get(&id).is_some_and(|&head| seq <= head));
        if !told {
            links.push(link, &push.frame);
        }
    }
}

fn close_reason(error: &CommandError) -> CloseReason {
    match error.code {
        ErrorCode::Unauthenticated | ErrorCode::UserNotFound => CloseReason::BadToken,
        ErrorCode::Busy | ErrorCode::Unavailable => CloseReason::Overloaded,
        _ => CloseReason::Internal,
    }
}
