//! A shard as the home of users: their sessions, replies and pushes.

use std::collections::VecDeque;

use ringwire_protocol::{CloseReason, CommandError, UserId, wire};
use wire::reply::Outcome;

use super::state::State;
use crate::connection::links::{LinkKey, Links};
use crate::conversation::answer::{Ack, ReplyTo};
use crate::fanout::{Delivery, Frames, Fresh, Pushed, push_frame};
use crate::limits;
use crate::observe::figures::Figure;
use crate::observe::kinds::PushKind;
use crate::session::cursors::Cursor;
use crate::session::registry::{HeldPush, Phase, Session, SessionKey};
use crate::session::resume::{About, ResumeBudget};
use ringwire_protocol::ConversationId;

impl State {
    /// Whose command it is that a session, or a caller without one, of this shard gave.
    pub(super) fn user_of(&mut self, key: SessionKey) -> Option<UserId> {
        if key.is_caller() {
            self.callers.user(key)
        } else {
            self.registry.get(key).map(|session| session.user)
        }
    }

    /// Answers a command of a session of this shard.
    pub(crate) fn finish_command(
        &mut self,
        reply_to: ReplyTo,
        answer: Result<Ack, CommandError>,
        links: &mut Links,
    ) {
        let Some(user) = self.user_of(reply_to.session) else { return };
        match &answer {
            Ok(Ack::Entry { conversation_id: id, seq, says: true, .. }) => {
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
            Ok(Ack::Entry { .. } | Ack::Done) | Err(_) => {}
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
        self.figures.reply(&outcome);
        if key.is_caller() {
            if let Some(answer) = self.callers.take(key) {
                // Whoever asked may have gone away.
                drop(answer.send(outcome));
            }
            return;
        }
        let resume_below = limits::MAX_UNANSWERED / 2;
        let Some(session) = self.registry.get(key) else { return };
        session.unanswered = session.unanswered.saturating_sub(1);
        let roomy = links.queued_bytes(session.link) <= limits::OUTBOX_FULL_BYTES;
        if session.paused && session.unanswered <= resume_below && roomy {
            session.paused = false;
            links.set_paused(session.link, false);
        }
        if command_id == 0 || session.is_detached() {
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
        let mut frames = Frames::new(&delivery.pushed, delivery.users.len());
        let except = delivery.except.map(|reply_to| reply_to.session);
        self.figures.add(Figure::Deliveries, 1);
        if let Some(Fresh { committed, trace }) = &delivery.fresh {
            self.unflushed.note(*committed, trace.as_deref().copied());
        }
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
            let Some((session, budget)) = self.registry.get_for_push(key) else { continue };
            // One whose connection ended has not learned it in another way.
            if Some(key) == except && !session.is_detached() && !links.is_closing(session.link) {
                if let About::Recalls(subject) = frames.pushed().about() {
                    session.ring.erase(subject, budget);
                }
                continue;
            }
            self.figures.pushed(frames.pushed().kind());
            if push(session, budget, frames, links) == Given::Hopeless {
                self.registry.remove(key);
                position -= 1;
            }
        }
    }

    /// A user of this shard changed their own view: all their sessions learn it. Durable, as entries are.
    pub fn push_view_changed(
        &mut self,
        user: UserId,
        change: wire::ViewChanged,
        links: &mut Links,
    ) {
        if let Some(id) = ConversationId::new(change.conversation_id) {
            let pushed = Pushed::View { id, change };
            self.push_to_user(user, &mut Frames::new(&pushed, 1), None, links);
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
                self.figures.pushed(PushKind::TokenExpiring);
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
}

/// What became of a push.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// It was sent, kept, or noted as missing.
    Done,
    /// The session has no connection, and nothing can resume it any more.
    Hopeless,
}

/// Gives a push to one session: held while its snapshot is read, dropped with a note while its outbox is full, kept
/// while it has no connection.
fn push(
    session: &mut Session,
    budget: &mut ResumeBudget,
    frames: &mut Frames<'_>,
    links: &mut Links,
) -> Given {
    let pushed = frames.pushed();
    match pushed {
        Pushed::Entry(entry) if session.is_covered(entry.conversation_id, entry.seq) => {
            return Given::Done;
        }
        Pushed::Lag { .. } if session.is_detached() => return Given::Hopeless,
        Pushed::Lag { id, head_seq } => {
            mark_lagging(session, budget, *id, *head_seq, links);
            return Given::Done;
        }
        Pushed::View { .. } | Pushed::Entry(_) | Pushed::Cursor { .. } | Pushed::Typing(_) => {}
    }
    let Some((id, seq)) = pushed.position() else {
        // Ephemeral: of no interest when a snapshot has come, or a client come back.
        let has_room = matches!(session.phase, Phase::Live)
            && links.queued_bytes(session.link) < limits::OUTBOX_HALF_BYTES;
        if has_room {
            frames.send(session.encoding, session.link, links);
        }
        return Given::Done;
    };
    let is_view = matches!(pushed, Pushed::View { .. });
    match &mut session.phase {
        Phase::AwaitingConnect => {}
        Phase::Opening(opening) => {
            // Behind something that was left out nothing may be shown before the client knows.
            let lagging = !is_view && session.lagging.contains_key(&id);
            if lagging || opening.held.len() >= limits::MAX_HELD_PUSHES {
                return left_out(session, budget, pushed, (id, seq), links);
            }
            let position = matches!(pushed, Pushed::Entry(_)).then_some((id, seq));
            let (about, frame) = (pushed.about(), frames.get(session.encoding).clone());
            opening.held.push_back(HeldPush { position, about, frame });
        }
        Phase::Live => {
            let queued = links.queued_bytes(session.link);
            let lagging =
                !session.lagging.is_empty() && !is_view && session.lagging.contains_key(&id);
            let full = |queued| queued >= limits::OUTBOX_FULL_BYTES;
            if lagging || (full(queued) && full(links.relieve(session.link))) {
                return left_out(session, budget, pushed, (id, seq), links);
            }
            session.ring.push(frames.get(session.encoding), pushed.about(), budget);
            frames.send(session.encoding, session.link, links);
        }
        Phase::Detached { sent } => {
            let sent = *sent;
            session.ring.push(frames.get(session.encoding), pushed.about(), budget);
            if session.ring.base().is_none_or(|base| base > sent) {
                return Given::Hopeless;
            }
        }
    }
    if let Pushed::View { change, .. } = pushed {
        session.view_no = change.view_no.max(session.view_no);
    }
    Given::Done
}

/// Notes that a session missed a push. A change of the view cannot be asked for like entries, but with `connect`: there
/// the session ends, and its client comes back with the number it had.
fn left_out(
    session: &mut Session,
    budget: &mut ResumeBudget,
    pushed: &Pushed,
    (id, seq): (ConversationId, u64),
    links: &mut Links,
) -> Given {
    if matches!(pushed, Pushed::View { .. }) {
        session.ring.give_up(budget);
        close_slow(session, links);
    } else {
        mark_lagging(session, budget, id, seq, links);
    }
    Given::Done
}

fn mark_lagging(
    session: &mut Session,
    budget: &mut ResumeBudget,
    id: ConversationId,
    seq: u64,
    links: &mut Links,
) {
    session.ring.give_up(budget);
    links.count_left_out();
    let head_seq = session.lagging.entry(id).or_default();
    *head_seq = seq.max(*head_seq);
    if session.lagging.len() > limits::OUTBOX_LAGGING {
        close_slow(session, links);
    } else {
        links.report_when_drained(session.link);
    }
}

/// Ends the connection of a session that does not take what it is sent; it would not take a close frame either.
fn close_slow(session: &Session, links: &mut Links) {
    let reason = CloseReason::SlowConsumer;
    links.close(session.link, reason.code(), reason.reason());
    links.abort(session.link);
}

/// Sends the pushes that waited, except those the snapshot already tells.
pub(super) fn release(
    held: VecDeque<HeldPush>,
    covered: &std::collections::HashMap<ConversationId, u64>,
    session: &mut Session,
    budget: &mut ResumeBudget,
    links: &mut Links,
) {
    for push in held {
        let told = push
            .position
            .is_some_and(|(id, seq)| covered.get(&id).is_some_and(|&head| seq <= head));
        if !told {
            session.ring.push(&push.frame, push.about, budget);
            links.push(session.link, &push.frame);
        }
    }
}
