//! What a device makes of replies and pushes, and what it checks in them.

use prost::Message as _;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, wire};
use ringwire_storage::model::EntryRow;
use wire::reply::Outcome;

use crate::database::{Log, POISON, identity};
use crate::device::{Asked, Device, Surroundings};
use crate::sabotage::Sabotage;
use crate::view::{Taken, View};

/// How an entry came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Push,
    Page,
}

impl Device {
    pub(crate) fn reply(&mut self, reply: wire::Reply, with: &mut Surroundings<'_>) {
        let Some(pending) = self.pending.remove(&reply.id) else {
            let name = &self.name;
            return with
                .journal
                .find(format!("{name}: {} is answered again, or was never asked", reply.id));
        };
        with.journal.note(format_args!("{} is answered {}", self.name, reply.id));
        match reply.outcome {
            Some(Outcome::Error(error)) => self.refused(pending.asked, &error, with),
            Some(outcome) => self.answered(pending.asked, outcome, with),
            None => with.journal.find(format!("{}: an empty reply", self.name)),
        }
        if self.live {
            self.repeat(with);
        }
        self.catch_up(with);
        self.speak(with);
    }

    fn answered(&mut self, asked: Asked, outcome: Outcome, with: &mut Surroundings<'_>) {
        match (asked, outcome) {
            (Asked::Connect, Outcome::Connected(connected)) => self.connected(connected, with),
            (Asked::Ping, Outcome::Pong(_))
            | (Asked::Query, Outcome::HeadsPage(_))
            | (Asked::Typing, Outcome::Done(_)) => {}
            (Asked::Query, Outcome::HistoryPage(page)) => {
                for entry in &page.entries {
                    self.check_committed(entry, with);
                }
            }
            (Asked::CreateGroup, Outcome::ConversationOpened(opened)) => {
                if let Some(head) = opened.head {
                    self.heard_of(&head);
                }
            }
            (Asked::Send { conversation, id, .. }, Outcome::SendAck(ack)) => {
                self.acked(conversation, &id, &ack, with);
                if let Some(outgoing) = self.outgoing.get_mut(&conversation) {
                    outgoing.acked(&id);
                }
            }
            (Asked::Membership { conversation, id, .. }, Outcome::SendAck(ack)) => {
                self.acked(conversation, &id, &ack, with);
            }
            (Asked::Read { conversation, seq }, Outcome::Done(_)) => {
                let view = self.views.entry(conversation).or_default();
                view.read_confirmed = view.read_confirmed.max(seq);
            }
            (Asked::Delivered { conversation, seq }, Outcome::Done(_)) => {
                let view = self.views.entry(conversation).or_default();
                view.delivered_confirmed = view.delivered_confirmed.max(seq);
            }
            (Asked::Sync { conversation }, Outcome::SyncPage(page)) => {
                self.synced(conversation, page, with);
            }
            (asked, outcome) => {
                with.journal.find(format!("{}: {asked:?} is answered {outcome:?}", self.name));
            }
        }
    }

    fn connected(&mut self, connected: wire::Connected, with: &mut Surroundings<'_>) {
        self.live = true;
        with.journal.met("connected");
        if connected.resumed {
            with.journal.met("resumed");
            self.just_resumed = true;
            if self.session.as_ref() != Some(&connected.session_id) {
                with.journal.find(format!("{} goes on with another session", self.name));
            }
            return;
        }
        self.session = Some(connected.session_id);
        self.received = 0;
        self.views.values_mut().for_each(View::begin);
        let heads = connected.heads.unwrap_or_default();
        let listed: Vec<_> = heads.heads.iter().filter_map(|head| self.heard_of(head)).collect();
        if heads.next_page_token.is_empty() {
            for (id, view) in &mut self.views {
                view.member &= listed.contains(id);
            }
        }
        for state in connected.sync {
            let Some(id) = ConversationId::new(state.conversation_id) else { continue };
            let view = self.views.entry(id).or_default();
            view.member &= !state.not_member;
            view.heard = view.heard.max(state.head_seq);
            view.missed_to = state.pushed_seq;
            if state.pushed_seq > view.cursor {
                // They follow right behind.
                view.sync_from_ms = with.now_ms + 1_000;
            }
            view.settle();
        }
    }

    /// A line of the list tells of a conversation.
    fn heard_of(&mut self, head: &wire::Head) -> Option<ConversationId> {
        let id = ConversationId::new(head.conversation.as_ref()?.conversation_id)?;
        let view = self.views.entry(id).or_default();
        view.member = true;
        view.heard = view.heard.max(head.head_seq);
        Some(id)
    }

    fn synced(
        &mut self,
        conversation: ConversationId,
        page: wire::SyncPage,
        with: &mut Surroundings<'_>,
    ) {
        with.journal.met("page of missed entries");
        for entry in page.entries {
            self.entry(&entry, Way::Page, with);
        }
        let view = self.views.entry(conversation).or_default();
        view.syncing = None;
        view.heard = view.heard.max(page.head_seq);
        if !view.is_complete() && !page.more {
            // It was read before what was heard of since; a push of it may be on its way.
            Self::sync_later(view, with.now_ms);
        }
        view.settle();
    }

    /// What was acknowledged is in the log, at that position, and stays there.
    fn acked(
        &mut self,
        conversation: ConversationId,
        id: &str,
        ack: &wire::SendAck,
        with: &mut Surroundings<'_>,
    ) {
        let entry = wire::Entry {
            conversation_id: ack.conversation_id,
            seq: ack.seq,
            msg_no: ack.msg_no,
            sender_id: self.user.get(),
            created_at: ack.created_at,
            client_msg_id: ack.client_msg_id.clone(),
            ..Default::default()
        };
        if ack.conversation_id != conversation.get() || ack.client_msg_id != id {
            with.journal.find(format!("{}: {id} is acked as {ack:?}", self.name));
        }
        let row = with.database.logs.get(&conversation).and_then(|log| log.row(ack.seq));
        let body = row.and_then(|row| wire::EntryBody::decode(row.body.clone()).ok());
        let entry = wire::Entry { body, ..entry };
        self.check_committed(&entry, with);
        let key = (conversation, id.to_owned());
        if self.acks.insert(key, ack.seq).is_some_and(|before| before != ack.seq) {
            with.journal.find(format!("{}: {id} is acked at two positions", self.name));
        }
        let view = self.views.entry(conversation).or_default();
        view.read_asked = view.read_asked.max(ack.seq);
        if view.take(&entry, self.user) == Taken::Differs {
            with.journal.find(format!("{}: {conversation}/{} was another", self.name, ack.seq));
        }
    }

    fn refused(&mut self, asked: Asked, error: &wire::Error, with: &mut Surroundings<'_>) {
        let Some(code) = code(error) else {
            return with.journal.find(format!("{}: an unknown code in {error:?}", self.name));
        };
        with.journal.note(format_args!("{} is refused: {}", self.name, error.name));
        with.journal.met(code.name());
        self.check_refusal(&asked, code, with);
        let retry_ms = with.now_ms + u64::from(error.retry_after_ms.max(150));
        match asked {
            Asked::Send { conversation, id, text } => {
                let for_good =
                    !code.is_temporary() || code == ErrorCode::Internal && text.contains(POISON);
                if let Some(outgoing) = self.outgoing.get_mut(&conversation) {
                    outgoing.refused(&id, for_good, retry_ms);
                }
            }
            Asked::Sync { conversation } => {
                let view = self.views.entry(conversation).or_default();
                let since = view.syncing.unwrap_or_default();
                if !code.is_temporary() && view.heard == since {
                    view.member = false;
                    view.heard = view.cursor;
                }
                Self::sync_later(view, with.now_ms);
            }
            // The answer to an earlier try was lost.
            Asked::Membership { conversation, leaves, .. } => {
                let view = self.views.entry(conversation).or_default();
                match code {
                    ErrorCode::NotMember if leaves => view.member = false,
                    ErrorCode::AlreadyMember => view.member = true,
                    _ => {}
                }
            }
            Asked::Connect
            | Asked::Ping
            | Asked::Query
            | Asked::CreateGroup
            | Asked::Read { .. }
            | Asked::Delivered { .. }
            | Asked::Typing => {}
        }
    }

    /// A client that keeps to the protocol is refused only for what can happen to it.
    fn check_refusal(&self, asked: &Asked, code: ErrorCode, with: &mut Surroundings<'_>) {
        use ErrorCode as Code;
        let expected = match code {
            Code::Busy | Code::Unavailable | Code::RateLimited | Code::TooManyUnanswered => true,
            Code::Internal => matches!(asked, Asked::Send { text, .. } if text.contains(POISON)),
            Code::OutOfOrder => matches!(asked, Asked::Send { .. }),
            Code::NotMember | Code::ConversationNotFound => {
                !matches!(asked, Asked::Connect | Asked::Ping | Asked::CreateGroup)
            }
            Code::AlreadyMember => matches!(asked, Asked::Membership { .. }),
            // Another node wrote what this one's owner has not seen yet.
            Code::InvalidArgument => {
                matches!(asked, Asked::Read { .. } | Asked::Delivered { .. })
                    && with.plan.has_rival()
            }
            _ => false,
        };
        if !expected {
            with.journal.find(format!("{}: {asked:?} is refused: {}", self.name, code.name()));
        }
    }

    pub(crate) fn push(&mut self, push: wire::Push, with: &mut Surroundings<'_>) {
        use wire::push::Event;
        let resumed = std::mem::take(&mut self.just_resumed);
        // Exactly these are counted.
        let durable =
            matches!(push.event, Some(Event::Entry(_) | Event::Cursor(_) | Event::ViewChanged(_)));
        self.received += u64::from(durable);
        match push.event {
            Some(Event::Entry(entry)) => {
                let lost = match with.sabotage {
                    Sabotage::LosePush => entry.seq.is_multiple_of(5),
                    Sabotage::PartialResume => resumed,
                    _ => false,
                };
                if !lost {
                    self.entry(&entry, Way::Push, with);
                }
            }
            Some(Event::Cursor(cursor)) => self.check_cursor(cursor, with),
            Some(Event::Typing(typing)) => {
                with.journal.met("typing");
                if typing.user_id == self.user.get() {
                    with.journal.find(format!("{} is told of its own typing", self.name));
                }
            }
            Some(Event::Lag(lag)) => {
                with.journal.met("lag");
                with.journal.note(format_args!("{} lags: {lag:?}", self.name));
                if let Some(id) = ConversationId::new(lag.conversation_id) {
                    let view = self.views.entry(id).or_default();
                    view.heard = view.heard.max(lag.head_seq);
                    view.whole &= view.is_complete();
                }
            }
            other => with.journal.find(format!("{} is pushed {other:?}", self.name)),
        }
        self.catch_up(with);
    }

    fn entry(&mut self, entry: &wire::Entry, way: Way, with: &mut Surroundings<'_>) {
        let Some(id) = ConversationId::new(entry.conversation_id) else {
            return with.journal.find(format!("{}: an entry of no conversation", self.name));
        };
        with.journal.note(format_args!("{} gets {id}/{} by {way:?}", self.name, entry.seq));
        self.check_committed(entry, with);
        let log = with.database.logs.get(&id);
        let live = self.views.get(&id).is_none_or(|view| entry.seq > view.missed_to);
        if way == Way::Push && live && !log.is_some_and(|log| log.concerns(entry.seq, self.user)) {
            let name = &self.name;
            with.journal.find(format!("{name} is pushed {id}/{}, which is not for it", entry.seq));
        }
        let view = self.views.entry(id).or_default();
        let (was_whole, cursor) = (view.whole, view.cursor);
        let taken = view.take(entry, self.user);
        match taken {
            Taken::Next | Taken::Known => {}
            Taken::Differs => {
                with.journal.find(format!("{}: {id}/{} was another", self.name, entry.seq));
            }
            Taken::Gap => {
                with.journal.met("gap");
                let missing = cursor + 1..=entry.seq - 1;
                // What it sent itself comes as an ack only, and that may have been lost with a connection.
                let excused = log.is_some_and(|log| {
                    log.rival_wrote(missing.clone())
                        || missing.clone().any(|seq| self.made(log, seq))
                });
                if way == Way::Push && was_whole && !excused {
                    let name = &self.name;
                    with.journal
                        .find(format!("{name}: {id}/{missing:?} did not come, without a word"));
                }
            }
        }
    }

    /// What a client is shown is committed.
    fn check_committed(&self, entry: &wire::Entry, with: &mut Surroundings<'_>) {
        let id = ConversationId::new(entry.conversation_id);
        let log = id.and_then(|id| with.database.logs.get(&id));
        let same = log.and_then(|log| log.row(entry.seq)).is_some_and(|row| {
            let committed = ringwire_gateway::conversation::entry::wire_entry(row);
            identity(&committed) == identity(entry) && committed.body == entry.body
        });
        if !same {
            let (name, seq) = (&self.name, entry.seq);
            with.journal.find(format!("{name} is shown {id:?}/{seq}, which is not committed so"));
        }
    }

    /// Whether this device made an entry.
    fn made(&self, log: &Log, seq: Seq) -> bool {
        let own = |row: &EntryRow| row.client_msg_id.split('.').next() == Some(&self.name);
        log.row(seq).is_some_and(own)
    }

    fn check_cursor(&self, cursor: wire::Cursor, with: &mut Surroundings<'_>) {
        let id = ConversationId::new(cursor.conversation_id);
        let log = id.and_then(|id| with.database.logs.get(&id));
        let head: Seq = log.map_or(0, |log| log.head().seq);
        if cursor.read_seq > head || cursor.delivered_seq > head {
            with.journal.find(format!("{}: {cursor:?} is beyond the head {head}", self.name));
        }
    }
}

fn code(error: &wire::Error) -> Option<ErrorCode> {
    let known = ErrorCode::ALL.iter().copied().find(|code| *code as u32 == error.code)?;
    let again: wire::Error = CommandError::new(known, "").into();
    (again.name == error.name && again.temporary == error.temporary).then_some(known)
}
