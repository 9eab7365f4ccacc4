//! `connect`: a session goes live with a snapshot, or goes on where an earlier connection ended.
//!
//! ```text
//!   connect ─┬─ resume ─► the missed pushes, at once, without the database
//!            └─ device policy ─► registered ─► gate ─► service reads the snapshot ─► connected, held pushes, live
//! ```
//!
//! Invariant: nobody has to go for a session before its snapshot was read, for only then its login is known to be good
//! and its user to exist.

use std::collections::VecDeque;

use ringwire_protocol::websocket::frame;
use ringwire_protocol::{CloseReason, CommandError, ConversationId, ErrorCode, Seq, UserId, wire};
use ringwire_storage::refresh::FamilyId;
use wire::reply::Outcome;

use super::home::release;
use super::state::{State, busy};
use crate::command::message;
use crate::command::route::conversation;
use crate::command::text::is_name;
use crate::config::LimitsConfig;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::conversation::entry::about_entry;
use crate::fanout::push_payload;
use crate::limits;
use crate::presence::Status;
use crate::service::ask::Ask;
use crate::session::gate::Entered;
use crate::session::opening::{OpenRequest, Opened};
use crate::session::policy::{Present, Rules, Verdict, judge};
use crate::session::registry::{Device, Opening, Phase, Session, SessionKey};
use crate::session::resume::About;

/// What waits at the gate before the service.
#[derive(Debug)]
pub(crate) enum Entering {
    /// A session whose snapshot is to be read.
    Session(SessionKey, Box<OpenRequest>),
    /// A token of another issuer, whose user is to be found: the waiter, and the question.
    Identity(u64, Box<Ask>),
}

impl State {
    pub(super) fn connect(
        &mut self,
        reply_to: ReplyTo,
        connect: wire::Connect,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let key = reply_to.session;
        let now = self.now.unix_ms;
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        if !matches!(session.phase, Phase::AwaitingConnect) {
            return Err(already_connected());
        }
        let cursors = check(&connect)?;
        let view_no = connect.view_no;
        let status = Status::from_wire(connect.status)?;
        if let Some(resume) = &connect.resume
            && self.resume(reply_to, &connect.device_id, resume, links)
        {
            return Ok(());
        }
        let device = Device {
            id: connect.device_id.into(),
            class: connect.device_class.into(),
            client_name: connect.client_name.into(),
        };
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        let (user, login, link) = (session.user, session.login, session.link);
        if self.judge(user, &device, usize::MAX) == Verdict::Refused {
            self.reply(key, reply_to.command_id, Err(in_the_way()), links);
            self.end_session(key, CloseReason::TooManyDevices, links);
            return Ok(());
        }
        self.end_earlier_tries(user, login, &device, links);
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        let name_hint = session.name_hint.take().map_or_else(String::new, String::from);
        session.connected_at = now;
        session.device = device.clone();
        session.own.status = status.unwrap_or_default();
        session.phase = Phase::Opening(Box::new(Opening {
            held: VecDeque::new(),
            early: Vec::new(),
            connect_id: reply_to.command_id,
        }));
        // Registered first: what commits from now on is held, what committed before is in the snapshot.
        self.registry.subscribe(key, self.now.uptime_ms);
        self.watch_token(key);
        links.set_paused(link, true);
        let request = OpenRequest { user, name_hint, login, device, cursors, view_no };
        let weight = request.cursors.len();
        if !self.enter(Entering::Session(key, Box::new(request)), weight, links) {
            let error = busy("too many sessions are being opened");
            self.session_opened(key, Err(error), links);
        }
        Ok(())
    }

    /// What a session on a device means for the first so many of its user.
    fn judge(&self, user: UserId, device: &Device, most: usize) -> Verdict<SessionKey> {
        let config = &self.shared.config;
        let rules = Rules {
            policy: config.session.policy,
            on_conflict: config.session.on_conflict,
            most: config.limits.max_sessions_per_user as usize,
        };
        let present = self.registry.sessions_of(user).take(most).map(|(key, session)| Present {
            key,
            device_id: &session.device.id,
            device_class: &session.device.class,
            is_live: !session.is_detached(),
        });
        judge(rules, &device.id, &device.class, present)
    }

    /// Of one device and login one session at a time is opened, the newest: they are as good as each other.
    fn end_earlier_tries(
        &mut self,
        user: UserId,
        login: Option<FamilyId>,
        device: &Device,
        links: &mut Links,
    ) {
        let is_such = |session: &Session| {
            matches!(session.phase, Phase::Opening(_))
                && session.login == login
                && !device.id.is_empty()
                && session.device.id == device.id
        };
        let sessions = self.registry.sessions_of(user).filter(|(_, session)| is_such(session));
        let earlier: Vec<SessionKey> = sessions.map(|(key, _)| key).collect();
        for key in earlier {
            self.end_session(key, CloseReason::Replaced, links);
        }
    }

    /// Ends the sessions that have to go for one whose login is good. Those that came later are not judged: they will
    /// judge this one.
    fn make_room(&mut self, key: SessionKey, links: &mut Links) -> Result<(), CommandError> {
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        let (user, device) = (session.user, session.device.clone());
        let sessions = self.registry.of_user(user);
        let earlier = sessions.iter().position(|other| *other == key).unwrap_or(sessions.len());
        match self.judge(user, &device, earlier) {
            Verdict::Refused => Err(in_the_way()),
            Verdict::Welcome { replaced, kicked } => {
                for old in replaced {
                    self.end_session(old, CloseReason::Replaced, links);
                }
                for old in kicked {
                    self.end_session(old, CloseReason::Kicked, links);
                }
                Ok(())
            }
        }
    }

    /// Goes on with an earlier session, whole; `false`: that cannot be done.
    fn resume(
        &mut self,
        reply_to: ReplyTo,
        device_id: &str,
        resume: &wire::Resume,
        links: &mut Links,
    ) -> bool {
        let newcomer = reply_to.session;
        let Some(new) = self.registry.get(newcomer) else { return false };
        let (user, login, encoding) = (new.user, new.login, new.encoding);
        let Some(old) = self.registry.by_public_id(&resume.session_id) else { return false };
        let fits = self.registry.get(old).is_some_and(|session| {
            session.user == user
                && session.login == login
                && *session.device.id == *device_id
                && session.encoding == encoding
                && matches!(session.phase, Phase::Live | Phase::Detached { .. })
                && session.ring.missed_after(resume.received).is_some()
        });
        if !fits {
            return false;
        }
        let Some(taken_up) = self.registry.take_up(old, newcomer, links.now()) else {
            return false;
        };
        let reason = CloseReason::Replaced;
        links.close(taken_up.old_link, reason.code(), reason.reason());
        let key = taken_up.key;
        self.presence_resumed(user, old, key);
        self.registry.received(key, resume.received);
        self.watch_token(key);
        let session_id = self.registry.public_id(key);
        let view_no = self.registry.get(key).map_or(0, |session| session.view_no);
        let connected = wire::Connected {
            session_id,
            user: Some(wire::User { user_id: user.get(), ..Default::default() }),
            server_time: self.now.unix_ms,
            limits: Some(wire_limits(&self.shared.config.limits, self.resume_ms())),
            heartbeat_ms: limits::PING_AFTER_S * 1000,
            resumed: true,
            view_no,
            ..Default::default()
        };
        self.reply(key, reply_to.command_id, Ok(Outcome::Connected(connected)), links);
        if let Some(session) = self.registry.get(key) {
            for frame in session.ring.missed_after(resume.received).into_iter().flatten() {
                links.push(session.link, frame);
            }
        }
        true
    }

    fn resume_ms(&self) -> u32 {
        self.shared.config.session.resume_s * 1000
    }

    /// Asks the service for something the gate counts, or has it wait; `false`: there is no room.
    pub(super) fn enter(&mut self, entering: Entering, weight: usize, links: &mut Links) -> bool {
        match self.gate.enter(entering, weight) {
            Entered::Go(entering) => self.go(entering, links),
            Entered::Waits => {}
            Entered::Refused(_) => return false,
        }
        true
    }

    /// The service has answered one whom the gate counts.
    pub(super) fn left(&mut self, links: &mut Links) {
        if let Some(entering) = self.gate.leave() {
            self.go(entering, links);
        }
    }

    /// Goes through the gate, or gives the place to the next.
    fn go(&mut self, entering: Entering, links: &mut Links) {
        let mut next = Some(entering);
        while let Some(entering) = next {
            if self.ask_for(entering, links) {
                return;
            }
            next = self.gate.leave();
        }
    }

    /// Asks the service; `false`: there was nothing to ask any more, or no room.
    fn ask_for(&mut self, entering: Entering, links: &mut Links) -> bool {
        match entering {
            Entering::Session(key, request) => {
                // It may be gone, or its token expired, while it waited.
                let now = self.now.unix_ms;
                let Some(session) = self.registry.get(key) else { return false };
                if session.expires_at <= now {
                    self.end_session(key, CloseReason::TokenExpired, links);
                    return false;
                }
                let dirty = self.cursors.of(request.user);
                if self.ask(Ask::OpenSession { session: key, request, dirty }).is_ok() {
                    return true;
                }
                self.session_opened(key, Err(busy("the service queue is full")), links);
                false
            }
            Entering::Identity(waiter, ask) => {
                let asked = self.ask(*ask).is_ok();
                if !asked && let Some(waiter) = self.waiters.remove(&waiter) {
                    drop(waiter.send(Err(busy("the service queue is full"))));
                }
                asked
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
        let session_id = self.registry.public_id(key);
        let server_time = self.now.unix_ms;
        let limits = wire_limits(&self.shared.config.limits, self.resume_ms());
        let Some(session) = self.registry.get(key) else { return };
        let Phase::Opening(opening) = std::mem::replace(&mut session.phase, Phase::Live) else {
            return;
        };
        let Opening { held, early, connect_id } = *opening;
        let (link, encoding) = (session.link, session.encoding);
        let lagging = !session.lagging.is_empty();
        let opened = opened.and_then(|opened| self.make_room(key, links).map(|()| *opened));
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let reason = close_reason(&error);
                self.reply(key, connect_id, Err(error), links);
                self.end_session(key, reason, links);
                return;
            }
        };
        self.came_online(key);
        let connected = wire::Connected {
            session_id,
            user: Some(opened.user),
            server_time,
            limits: Some(limits),
            heartbeat_ms: limits::PING_AFTER_S * 1000,
            resumed: false,
            heads: Some(opened.heads),
            sync: opened.sync,
            view_no: opened.view.view_no,
            view_reset: opened.view.reset,
        };
        self.reply(key, connect_id, Ok(Outcome::Connected(connected)), links);
        if let Some((session, budget)) = self.registry.get_for_push(key) {
            for entry in opened.missed {
                let about = about_entry(&entry);
                let payload = push_payload(encoding, wire::push::Event::Entry(entry));
                let kind = encoding.message_kind();
                session.ring.push(&frame::server_frame(kind, &payload), about, budget);
                links.send_message(link, kind, &payload);
            }
            // What is held may be newer.
            session.view_no = session.view_no.max(opened.view.view_no);
            for change in opened.view.changes {
                let change = wire::ViewChanged {
                    conversation_id: change.conversation_id.get(),
                    hidden_seqs: change.seqs,
                    view_no: change.view_no,
                };
                let payload = push_payload(encoding, wire::push::Event::ViewChanged(change));
                let kind = encoding.message_kind();
                session.ring.push(&frame::server_frame(kind, &payload), About::Nothing, budget);
                links.send_message(link, kind, &payload);
            }
            release(held, &opened.covered, session, budget, links);
        }
        self.registry.cover(key, opened.covered, links.now());
        if lagging {
            links.report_when_drained(link);
        }
        links.set_paused(link, false);
        for command in early {
            self.handle_command(key, command, links);
        }
    }

    pub(super) fn refresh(
        &mut self,
        key: SessionKey,
        refresh: &wire::Refresh,
    ) -> Result<wire::Refreshed, CommandError> {
        let now = self.now.unix_ms;
        let identity = self.shared.verifier.verify(&refresh.token, now)?;
        let Some(session) = self.registry.get(key) else {
            return Err(CommandError::new(ErrorCode::Internal, "the session is gone"));
        };
        if !session.is_bearer(&identity.user) {
            let error = "the token is of another user";
            return Err(CommandError::new(ErrorCode::Forbidden, error));
        }
        if session.login != identity.login {
            let error = "the token is of another login: connect anew with it";
            return Err(CommandError::new(ErrorCode::Forbidden, error));
        }
        session.expires_at = identity.expires_at_ms;
        session.expiry_told = false;
        self.watch_token(key);
        Ok(wire::Refreshed { expires_at: identity.expires_at_ms })
    }
}

/// Checks a `connect`; its cursors.
fn check(connect: &wire::Connect) -> Result<Vec<(ConversationId, Seq)>, CommandError> {
    let most = limits::MAX_CURSORS;
    message::check_client_id(&connect.device_id, "device_id")?;
    let texts = [
        (&connect.device_class, "device_class", limits::MAX_DEVICE_CLASS_BYTES),
        (&connect.client_name, "client_name", limits::MAX_CLIENT_NAME_BYTES),
    ];
    for (text, name, most) in texts {
        if text.len() > most || !is_name(text) {
            let error = format!("{name}: at most {most} bytes, no control characters");
            return Err(message::invalid(error));
        }
    }
    if connect.cursors.len() > most {
        let error = format!("more than {most} cursors");
        return Err(CommandError::new(ErrorCode::TooLarge, error));
    }
    let cursor =
        |cursor: &wire::SyncCursor| Ok((conversation(cursor.conversation_id)?, cursor.seq));
    connect.cursors.iter().map(cursor).collect()
}

fn in_the_way() -> CommandError {
    CommandError::new(ErrorCode::LimitReached, "another session of the user is in the way")
}

pub(super) fn already_connected() -> CommandError {
    CommandError::new(ErrorCode::AlreadyConnected, "connect came a second time")
}

fn wire_limits(configured: &LimitsConfig, resume_ms: u32) -> wire::Limits {
    wire::Limits {
        max_frame_bytes: limits::MAX_FRAME_BYTES as u32,
        max_text_bytes: configured.max_text_bytes,
        max_metadata_bytes: configured.max_metadata_bytes,
        max_unanswered: limits::MAX_UNANSWERED,
        max_page: limits::MAX_PAGE,
        max_cursors: limits::MAX_CURSORS as u32,
        max_group_members: configured.max_group_members,
        edit_window_ms: configured.edit_window_ms(),
        recall_window_ms: configured.recall_window_ms(),
        max_pins: limits::MAX_PINS as u32,
        max_reaction_bytes: limits::MAX_REACTION_BYTES as u32,
        max_cursor_members: limits::CURSOR_PUSH_MEMBERS as u32,
        resume_ms,
        typing_ms: limits::TYPING_MS as u32,
        max_watched: limits::MAX_WATCHED as u32,
    }
}

fn close_reason(error: &CommandError) -> CloseReason {
    match error.code {
        ErrorCode::Unauthenticated | ErrorCode::UserNotFound => CloseReason::BadToken,
        ErrorCode::Banned => CloseReason::Banned,
        ErrorCode::LimitReached => CloseReason::TooManyDevices,
        ErrorCode::Draining => CloseReason::Drain,
        ErrorCode::Busy | ErrorCode::Unavailable => CloseReason::Overloaded,
        _ => CloseReason::Internal,
    }
}
