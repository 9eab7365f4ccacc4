//! What comes from the server: replies to what the user asked, and pushes.

use ringwire_protocol::Seq;
use ringwire_protocol::codec::DecodeError;
use ringwire_protocol::glance::Glance;
use ringwire_protocol::wire::{self, command::Op, push, reply::Outcome, server_frame};

use super::{Asked, Event, Phase, RESERVED_UNANSWERED, User};
use crate::meeting::Opened;
use crate::message::Tag;
use crate::outgoing::Refusal;
use crate::verify::{Content, Origin, SenderIndex, Via};

/// How long to wait before repeating a control command that was refused for the time being without naming a delay.
const CONTROL_RETRY_US: u64 = 200_000;
/// Stands among the error names for a reply that no command waits for.
pub(crate) const UNEXPECTED_REPLY: &str = "UNEXPECTED_REPLY";

/// What a user looks at of a message.
#[derive(Clone, Copy)]
struct Said<'a> {
    sender_id: u64,
    client_msg_id: &'a str,
    text: &'a str,
}

impl User {
    /// Takes in a WebSocket message from the server.
    pub(crate) fn take_in(
        &mut self,
        payload: &[u8],
        now_us: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut frames = self.encoding().decode::<wire::ServerFrame>(payload);
        loop {
            if let Some(glance) = frames.next_glance() {
                self.handle_glance(glance, now_us, events);
            } else if let Some(frame) = frames.next() {
                self.handle_frame(&frame?, now_us, events);
            } else {
                return Ok(());
            }
            self.look_whether_caught_up(events);
        }
    }

    /// Nearly all frames of a run are of these two kinds.
    fn handle_glance(&mut self, glance: Glance<'_>, now_us: u64, events: &mut Vec<Event>) {
        match glance {
            Glance::SendAck(ack) if self.asked.is_empty() => {
                self.handle_ack(ack.id, ack.seq, events);
            }
            // It may be what something else waits for.
            Glance::SendAck(_) => self.handle_frame(&glance.into(), now_us, events),
            Glance::Message(message) => {
                self.count_durable();
                let said = Said {
                    sender_id: message.sender_id,
                    client_msg_id: message.client_msg_id,
                    text: message.text,
                };
                self.handle_entry(message.conversation_id, message.seq, Some(said), events);
            }
        }
    }

    fn handle_frame(&mut self, frame: &wire::ServerFrame, now_us: u64, events: &mut Vec<Event>) {
        match &frame.frame {
            Some(server_frame::Frame::Reply(reply)) => self.handle_reply(reply, now_us, events),
            Some(server_frame::Frame::Push(push)) => self.handle_push(push, events),
            None => {}
        }
    }

    fn look_whether_caught_up(&mut self, events: &mut Vec<Event>) {
        if self.missed_up_to.is_some_and(|head| self.inbox.cursor() >= head) {
            self.missed_up_to = None;
            events.push(Event::CaughtUp);
        }
    }

    fn handle_reply(&mut self, reply: &wire::Reply, now_us: u64, events: &mut Vec<Event>) {
        match &reply.outcome {
            Some(Outcome::Error(error)) => self.handle_error(reply.id, error, now_us, events),
            outcome => {
                let asked = self.asked.remove(&reply.id).map(|(asked, _)| asked);
                match (asked, outcome) {
                    (None, Some(Outcome::SendAck(ack))) => {
                        self.handle_ack(reply.id, ack.seq, events);
                    }
                    (Some(Asked::Connect), Some(Outcome::Connected(connected))) => {
                        self.handle_connected(connected, events);
                    }
                    (Some(Asked::Found), Some(outcome)) => self.handle_founded(outcome, events),
                    (Some(Asked::CatchUp), Some(Outcome::SyncPage(page))) => {
                        self.handle_sync_page(page, events);
                    }
                    (Some(Asked::Log), Some(Outcome::SyncPage(page))) => {
                        self.handle_log_page(page, events);
                    }
                    (Some(Asked::Resumed), Some(Outcome::Pong(_))) => {
                        self.missed_up_to = Some(self.inbox.highest());
                    }
                    (Some(Asked::Extra { history_due_us }), Some(outcome)) => {
                        self.extras = self.extras.saturating_sub(1);
                        match (history_due_us, outcome) {
                            (Some(due_us), Outcome::HistoryPage(_)) => {
                                events.push(Event::HistoryRead { due_us });
                            }
                            (None, Outcome::Done(_)) => {}
                            _ => events.push(Event::Error(UNEXPECTED_REPLY.to_owned())),
                        }
                    }
                    _ => events.push(Event::Error(UNEXPECTED_REPLY.to_owned())),
                }
            }
        }
    }

    fn handle_connected(&mut self, connected: &wire::Connected, events: &mut Vec<Event>) {
        let known_as = connected.user.as_ref().map_or(0, |user| user.user_id);
        if known_as != self.identity.user_id() {
            let own = self.identity.user_id();
            events.push(Event::Failed(format!("user {own} is known as user {known_as}")));
            return;
        }
        if !connected.resumed && !connected.session_id.is_empty() {
            let session_id = connected.session_id.clone();
            self.session = Some(wire::Resume { session_id, received: 0 });
        }
        if let Some(limits) = &connected.limits
            && limits.max_unanswered > 0
        {
            self.unanswered_limit =
                limits.max_unanswered.saturating_sub(RESERVED_UNANSWERED).max(1);
        }
        if self.conversation_id == 0 && self.settings.converses {
            self.phase = Phase::Identified;
            events.push(Event::Identified);
            self.go_on_founding();
            return;
        }
        self.phase = Phase::Live;
        events.push(Event::Reconnected);
        if connected.resumed {
            self.inbox.resumed();
            self.ask(Asked::Resumed, Op::Ping(wire::Ping {}));
            return;
        }
        self.inbox.started_anew();
        let own = connected.sync.iter().find(|sync| sync.conversation_id == self.conversation_id);
        let mut head = self.inbox.cursor();
        if let Some(sync) = own {
            if sync.not_member {
                events.push(Event::Failed("no longer a member of its conversation".to_owned()));
                return;
            }
            head = sync.head_seq;
            if sync.pushed_seq < sync.head_seq {
                self.inbox.lag(sync.head_seq);
            }
        }
        self.missed_up_to = Some(head);
    }

    fn handle_founded(&mut self, outcome: &Outcome, events: &mut Vec<Event>) {
        let Some(founding) = &mut self.founding else { return };
        let founded = match outcome {
            Outcome::ConversationOpened(opened) => {
                let head = opened.head.as_ref();
                let conversation = head.and_then(|head| head.conversation.as_ref());
                let conversation_id = conversation.map_or(0, |known| known.conversation_id);
                let head_seq = head.map_or(0, |head| head.head_seq);
                if conversation_id == 0 {
                    events.push(Event::Failed("no conversation was opened".to_owned()));
                    return;
                }
                founding.created(Opened { conversation_id, head: head_seq })
            }
            Outcome::SendAck(ack) => founding.invited(ack.seq),
            // All of them were in it already.
            Outcome::Done(_) => founding.invited(0),
            _ => {
                events.push(Event::Error(UNEXPECTED_REPLY.to_owned()));
                return;
            }
        };
        match founded {
            Some(opened) => {
                events.push(Event::Founded(opened));
                self.enter(opened, events);
            }
            None => self.go_on_founding(),
        }
    }

    fn handle_ack(&mut self, id: u64, seq: Seq, events: &mut Vec<Event>) {
        let Some(send) = self.outgoing.acked(id) else {
            events.push(Event::Error(UNEXPECTED_REPLY.to_owned()));
            return;
        };
        events.push(Event::Acked { origin: send.origin, due_us: send.due_us, seq: Some(seq) });
        self.inbox.arrive(seq);
        events.push(Event::Received {
            seq,
            content: Content::Message(send.origin),
            via: Via::Ack,
            delivered_due_us: None,
        });
    }

    fn handle_error(&mut self, id: u64, error: &wire::Error, now_us: u64, events: &mut Vec<Event>) {
        let (code, temporary, retry_after_ms) = (error.code, error.temporary, error.retry_after_ms);
        events.push(Event::Error(error.name.clone()));
        match self.outgoing.refused(id, temporary, retry_after_ms, now_us) {
            Refusal::Retried => return,
            Refusal::Final(send) => {
                events.push(Event::Refused { origin: send.origin, code });
                return;
            }
            Refusal::Unknown => {}
        }
        let Some((asked, op)) = self.asked.remove(&id) else { return };
        if matches!(asked, Asked::Extra { .. }) {
            self.extras = self.extras.saturating_sub(1);
            return;
        }
        if temporary {
            let delay_us = match retry_after_ms {
                0 => CONTROL_RETRY_US,
                ms => u64::from(ms) * 1000,
            };
            self.deferred.push((now_us + delay_us, asked, op));
        } else {
            let what = match asked {
                Asked::Connect => "connect",
                Asked::Found => "the conversation",
                Asked::CatchUp | Asked::Log | Asked::Resumed | Asked::Extra { .. } => "sync",
            };
            events.push(Event::Failed(format!("{what} was refused: {}", error.message)));
        }
    }

    fn handle_push(&mut self, push: &wire::Push, events: &mut Vec<Event>) {
        let is_durable = matches!(
            push.event,
            Some(push::Event::Entry(_) | push::Event::Cursor(_) | push::Event::ViewChanged(_))
        );
        if is_durable {
            self.count_durable();
        }
        match &push.event {
            Some(push::Event::Entry(entry)) => {
                self.handle_entry(entry.conversation_id, entry.seq, said(entry), events);
            }
            Some(push::Event::Lag(lag)) if lag.conversation_id == self.conversation_id => {
                self.inbox.lag(lag.head_seq);
            }
            Some(push::Event::Cursor(_) | push::Event::Typing(_)) => events.push(Event::Signal),
            _ => {}
        }
    }

    /// A resume says how many of these have come.
    fn count_durable(&mut self) {
        if let Some(session) = &mut self.session {
            session.received += 1;
        }
    }

    fn handle_entry(
        &mut self,
        conversation_id: u64,
        seq: Seq,
        said: Option<Said<'_>>,
        events: &mut Vec<Event>,
    ) {
        if self.conversation_id == 0 {
            // The first entries of a conversation that is being opened: part of what it starts from.
            return;
        }
        if conversation_id != self.conversation_id {
            events.push(Event::Stray);
            return;
        }
        let (content, due_us) = self.read(said);
        let fresh = self.inbox.arrive(seq);
        let delivered_due_us = due_us.filter(|_| fresh);
        events.push(Event::Received { seq, content, via: Via::Push, delivered_due_us });
    }

    fn handle_sync_page(&mut self, page: &wire::SyncPage, events: &mut Vec<Event>) {
        let via = self.inbox.page_via();
        let cursor = self.inbox.cursor();
        let mut last = None;
        for entry in page.entries.iter().filter(|entry| entry.seq > cursor) {
            let (content, delivered_due_us) = self.read(said(entry));
            last = last.max(Some(entry.seq));
            events.push(Event::Received { seq: entry.seq, content, via, delivered_due_us });
        }
        self.inbox.page(last, page.head_seq, page.more);
    }

    fn handle_log_page(&mut self, page: &wire::SyncPage, events: &mut Vec<Event>) {
        let entries =
            page.entries.iter().map(|entry| (entry.seq, self.read(said(entry)).0)).collect();
        let log = self.inbox.log_page(entries, page.more, page.trimmed_floor);
        if let Some((start, entries)) = log {
            events.push(Event::LogRead { start, entries });
        }
    }

    /// What an entry holds, and when it was due if it is a message of somebody else.
    fn read(&self, said: Option<Said<'_>>) -> (Content, Option<u64>) {
        let Some(said) = said else { return (Content::Notice, None) };
        let identity = &self.identity;
        let member = said
            .sender_id
            .checked_sub(identity.first_member_id)
            .and_then(|place| u32::try_from(place).ok())
            .filter(|&place| place < identity.members);
        match (Tag::parse(said.text), member) {
            (Some(tag), Some(member))
                if tag.run == self.settings.run
                    && said.text.len() == self.settings.sizes.of(tag)
                    && tag.is_named(said.client_msg_id) =>
            {
                let origin = Origin { sender: SenderIndex::at(member), number: tag.number };
                (Content::Message(origin), (member != identity.member).then_some(tag.due_us))
            }
            _ => (Content::Foreign, None),
        }
    }
}

/// What an entry says, if it holds a message.
fn said(entry: &wire::Entry) -> Option<Said<'_>> {
    let kind = entry.body.as_ref().and_then(|body| body.kind.as_ref());
    let Some(wire::entry_body::Kind::Message(message)) = kind else { return None };
    Some(Said {
        sender_id: entry.sender_id,
        client_msg_id: &entry.client_msg_id,
        text: &message.text,
    })
}
