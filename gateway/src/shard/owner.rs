//! A shard as the owner of conversations: requests in, effects out to writers, sessions and other shards.

use std::sync::Arc;
use std::time::Instant;

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, wire};
use ringwire_storage::append::Completion;
use ringwire_storage::model::{ConversationSnapshot, EntryRow, LogPage};

use super::mail::Mail;
use super::signals::CursorPush;
use super::state::{State, busy};
use crate::connection::links::Links;
use crate::conversation::answer::{Ack, ReplyTo};
use crate::conversation::cache::Lookup;
use crate::conversation::entry::EntryFrame;
use crate::conversation::members::Recipients;
use crate::conversation::request::Request;
use crate::conversation::{Conversation, Effect, Moment, no_such_conversation};
use crate::fanout::{Delivery, Fresh, Pushed};
use crate::observe::figures::{Figure, Spread};
use crate::observe::trace::{EntryTimes, SpanContext, Tracer};
use crate::service::ask::Ask;

impl State {
    /// Carries out a request for a conversation of this shard, or lets it wait until that is in memory.
    pub(crate) fn handle_request(&mut self, request: Request, links: &mut Links) {
        let id = request.conversation_id();
        if self.conversations.follows_refused(&request) {
            let error = "the send named in `after` was refused";
            let error = CommandError::new(ErrorCode::OutOfOrder, error);
            return self.refuse_request(&request, error, links);
        }
        if request.is_for_memory() && !self.conversations.is_known(id) {
            return;
        }
        let (tick, at) = (self.now.tick, self.now.at);
        let mut effects = std::mem::take(&mut self.spare_effects);
        let unix_ms = self.now.unix_ms;
        let mut load = false;
        let mut no_room = None;
        match self.conversations.get(id, request, tick, at) {
            Lookup::Ready(conversation, request) => {
                let (generation, terms) = (&mut self.generation, &self.terms);
                let mut now = Moment { unix_ms, at, generation, terms };
                carry_out(conversation, request, &mut now, &mut effects);
            }
            Lookup::Waiting { load: first } => load = first,
            Lookup::Full(request) => no_room = Some(request),
        }
        if let Some(request) = no_room {
            let error = busy("too many commands wait for the conversation");
            self.refuse_request(&request, error, links);
        }
        if load && self.ask(Ask::LoadConversation(id)).is_err() {
            self.refuse_waiting(id, |_| busy("the service queue is full"), links);
        }
        self.perform(id, effects, links);
    }

    /// The service loaded a conversation.
    pub(crate) fn conversation_loaded(
        &mut self,
        id: ConversationId,
        snapshot: Result<Option<Box<ConversationSnapshot>>, CommandError>,
        links: &mut Links,
    ) {
        let snapshot = match snapshot {
            Ok(Some(snapshot)) => *snapshot,
            Ok(None) => {
                let gone = |request: &Request| no_such_conversation(request.operation());
                return self.refuse_waiting(id, gone, links);
            }
            Err(error) => return self.refuse_waiting(id, |_| error.clone(), links),
        };
        let newest = snapshot.recent.last().cloned();
        // What is told was true when it was asked, not when it came.
        let at = self.conversations.asked_at(id).unwrap_or(self.now.at);
        let mut asked = Moment { at, ..self.moment() };
        let conversation = Conversation::new(snapshot, &mut asked);
        let tick = self.now.tick;
        let waiting = self.conversations.loaded(id, Some(conversation), tick);
        for request in waiting {
            if let (Request::Announce { .. }, Some(row)) = (&request, &newest)
                && let Some(conversation) = self.conversations.live(id)
            {
                let deliver = Effect::Deliver {
                    frame: Arc::new(EntryFrame::new(row)),
                    recipients: conversation.recipients(),
                    except: None,
                    accepted: None,
                };
                self.perform(id, vec![deliver], links);
            } else {
                self.handle_request(request, links);
            }
        }
    }

    fn refuse_waiting(
        &mut self,
        id: ConversationId,
        error: impl Fn(&Request) -> CommandError,
        links: &mut Links,
    ) {
        let tick = self.now.tick;
        for request in self.conversations.loaded(id, None, tick) {
            let error = error(&request);
            self.refuse_request(&request, error, links);
        }
    }

    /// Answers a request whose conversation is not in memory.
    fn refuse_request(&mut self, request: &Request, error: CommandError, links: &mut Links) {
        self.conversations.note_refusal(request);
        if let Some(reply_to) = request.reply_to() {
            self.answer(reply_to, Err(error), links);
        }
    }

    /// A writer answered a batch.
    pub(crate) fn completed(&mut self, completions: &[Completion], links: &mut Links) {
        self.persist.completed(completions.len(), &mut self.credits);
        for completion in completions {
            let id = completion.conversation_id;
            let mut ended = false;
            self.with_live(id, links, |conversation, now, effects| {
                conversation.complete(completion, now, effects);
                ended = conversation.is_outdated();
            });
            if ended {
                self.conversations.drop_if_outdated(id);
            }
        }
        self.persist.retry(&mut self.credits);
    }

    /// The service read the tail of a conversation.
    pub(crate) fn tail_loaded(
        &mut self,
        id: ConversationId,
        tail: Result<Option<LogPage>, CommandError>,
        links: &mut Links,
    ) {
        let tail = match tail {
            Ok(tail) => tail,
            Err(error) => {
                tracing::warn!(conversation = %id, %error, "cannot read the tail of a conversation; trying again");
                self.stalled.push(id);
                return;
            }
        };
        self.with_live(id, links, |conversation, now, effects| {
            conversation.tail_loaded(tail, now, effects);
        });
        self.conversations.drop_if_outdated(id);
    }

    /// The service read an entry that a command is about.
    pub(crate) fn target_loaded(
        &mut self,
        id: ConversationId,
        seq: Seq,
        asked: u64,
        row: Result<Option<EntryRow>, CommandError>,
        links: &mut Links,
    ) {
        self.with_live(id, links, |conversation, now, effects| {
            conversation.target_loaded(seq, asked, row, now, effects);
        });
    }

    /// The service looked whether one of the two of a direct conversation blocks the other.
    pub(crate) fn blocks_loaded(
        &mut self,
        id: ConversationId,
        asked: u64,
        blocked: Result<bool, CommandError>,
        links: &mut Links,
    ) {
        self.with_live(id, links, |conversation, now, effects| {
            conversation.blocks_loaded(asked, blocked, now, effects);
        });
    }

    /// Commands a conversation that is in memory, and does what it decides.
    fn with_live(
        &mut self,
        id: ConversationId,
        links: &mut Links,
        command: impl FnOnce(&mut Conversation, &mut Moment<'_>, &mut Vec<Effect>),
    ) {
        let mut effects = std::mem::take(&mut self.spare_effects);
        let (unix_ms, at) = (self.now.unix_ms, self.now.at);
        if let Some(conversation) = self.conversations.live(id) {
            let (generation, terms) = (&mut self.generation, &self.terms);
            command(conversation, &mut Moment { unix_ms, at, generation, terms }, &mut effects);
        }
        self.perform(id, effects, links);
    }

    /// Asks again for tails that could not be loaded.
    pub(crate) fn retry_stalled(&mut self) {
        for id in std::mem::take(&mut self.stalled) {
            if let Some(conversation) = self.conversations.live(id) {
                let after = conversation.head().seq;
                if self.ask(Ask::LoadTail { conversation_id: id, after }).is_err() {
                    self.stalled.push(id);
                }
            }
        }
    }

    /// Does what a conversation decided, in order. What that leads to is decided when all of it is done: nothing may
    /// reach the writer before the entries that were decided first.
    fn perform(&mut self, id: ConversationId, mut effects: Vec<Effect>, links: &mut Links) {
        let mut setbacks = Vec::new();
        loop {
            for effect in effects.drain(..) {
                setbacks.extend(self.carry_through(id, effect, links));
            }
            if setbacks.is_empty() {
                break;
            }
            let (unix_ms, at) = (self.now.unix_ms, self.now.at);
            let conversation = self.conversations.live(id);
            let (generation, terms) = (&mut self.generation, &self.terms);
            let mut now = Moment { unix_ms, at, generation, terms };
            if let Some(conversation) = conversation {
                for setback in setbacks.drain(..) {
                    meet(conversation, setback, &mut now, &mut effects);
                }
            } else {
                setbacks.clear();
            }
        }
        if effects.capacity() > self.spare_effects.capacity() {
            self.spare_effects = effects;
        }
    }

    /// Does one thing that a conversation decided; what it has to hear of that.
    fn carry_through(
        &mut self,
        id: ConversationId,
        effect: Effect,
        links: &mut Links,
    ) -> Option<Setback> {
        match effect {
            Effect::Append { append, fresh: true } => {
                let token = append.token;
                let taken = self.persist.submit_fresh(append, &mut self.credits);
                return (!taken).then_some(Setback::Full { token });
            }
            Effect::Append { append, fresh: false } => {
                self.persist.submit_again(append, &mut self.credits);
            }
            Effect::Answer(reply_to, answer) => self.answer(reply_to, answer, links),
            Effect::Deliver { frame, recipients, except, accepted } => {
                if let Some(speaker) = frame.speaker {
                    self.typists.said((id, speaker));
                }
                let (seq, kind) = (frame.seq, frame.kind);
                let entry = Pushed::Entry(frame);
                match accepted {
                    None => self.deliver(id, &entry, &recipients, except, None, links),
                    Some(at) => {
                        let fresh = self.committed(at, kind, &recipients);
                        self.deliver(id, &entry, &recipients, except, Some(&fresh), links);
                        if let Some(trace) = fresh.trace {
                            self.trace_entry(*trace, at, (id, seq), &recipients);
                        }
                    }
                }
            }
            Effect::CursorMoved { user, cursor, recipients } => {
                self.cursor_moved(id, user, CursorPush { cursor, recipients }, links);
            }
            Effect::Typing { user, stopped, recipients, reply_to } => {
                let answer = self.typing(id, user, stopped, recipients, links);
                self.answer(reply_to, answer.map(|()| Ack::Done), links);
            }
            Effect::LoadTarget { seq, asked } => {
                let ask = Ask::LoadTarget { conversation_id: id, seq, asked };
                return self.ask(ask).is_err().then_some(Setback::Target { seq, asked });
            }
            Effect::LoadBlocks { users, asked } => {
                let ask = Ask::LoadBlocks { conversation_id: id, users, asked };
                return self.ask(ask).is_err().then_some(Setback::Blocks { asked });
            }
            Effect::LoadTail { after } => {
                if self.ask(Ask::LoadTail { conversation_id: id, after }).is_err() {
                    self.stalled.push(id);
                }
            }
        }
        None
    }

    /// Counts an entry that was committed.
    fn committed(
        &mut self,
        accepted: Instant,
        kind: Option<wire::message::Kind>,
        recipients: &Recipients,
    ) -> Fresh {
        let committed = self.now.at;
        self.figures.add(Figure::Entries, 1);
        if let Some(kind) = kind {
            self.figures.said(kind);
        }
        self.figures.observe(Spread::FanOut, users(recipients), 1);
        let took = committed.saturating_duration_since(accepted);
        self.figures.observe_time(Spread::Ack, took, 1);
        let trace = self.tracer.as_mut().and_then(Tracer::sample).map(Box::new);
        Fresh { committed, trace }
    }

    fn trace_entry(
        &mut self,
        trace: SpanContext,
        accepted: Instant,
        entry: (ConversationId, Seq),
        recipients: &Recipients,
    ) {
        let (committed, fanned_out) = (self.now.at, self.now.read_again());
        let times = EntryTimes { accepted, committed, fanned_out };
        if let Some(tracer) = &mut self.tracer {
            tracer.entry(trace, times, entry, users(recipients));
        }
    }

    /// Sends an answer to the session's home shard.
    pub(super) fn answer(
        &mut self,
        reply_to: ReplyTo,
        answer: Result<Ack, CommandError>,
        links: &mut Links,
    ) {
        if reply_to.shard == self.id {
            self.finish_command(reply_to, answer, links);
        } else {
            let mailbox = &self.shared.mailboxes[usize::from(reply_to.shard)];
            mailbox.send_reserved(Mail::Answered(reply_to, answer));
        }
    }

    /// Sends a push to the home shards of its recipients: one message each.
    pub(super) fn deliver(
        &mut self,
        id: ConversationId,
        pushed: &Pushed,
        recipients: &Recipients,
        except: Option<ReplyTo>,
        fresh: Option<&Fresh>,
        links: &mut Links,
    ) {
        for (shard, users) in recipients.iter().enumerate() {
            if users.is_empty() {
                continue;
            }
            let shard = shard as u16;
            let delivery = Delivery {
                pushed: pushed.clone(),
                users: Arc::clone(users),
                except: except.filter(|reply_to| reply_to.shard == shard),
                fresh: fresh.cloned(),
            };
            if shard == self.id {
                self.deliver_here(&delivery, links);
                continue;
            }
            let mailbox = &self.shared.mailboxes[usize::from(shard)];
            // A lagging shard gets no more of the conversation until it knows that it lags: entries would show a gap.
            let sent = !self.lagging.contains(shard, id)
                && mailbox.try_send(Mail::Deliver(delivery)).is_ok();
            if !sent && let Some((_, seq)) = pushed.position() {
                self.lagging.mark(shard, id, seq, users);
            }
        }
    }

    /// Tells shards whose mailbox was full which conversations they missed entries of.
    pub(crate) fn retry_lagging(&mut self) {
        let mailboxes = &self.shared.mailboxes;
        self.lagging.retry(|shard, delivery| {
            mailboxes[usize::from(shard)].try_send(Mail::Deliver(delivery)).is_ok()
        });
    }
}

fn users(recipients: &Recipients) -> u64 {
    recipients.iter().map(|users| users.len() as u64).sum()
}

/// What a conversation decided and could not be done.
#[derive(Clone, Copy)]
enum Setback {
    /// The writer has no room for a fresh entry.
    Full { token: u64 },
    /// An entry that a command is about cannot be asked for.
    Target { seq: Seq, asked: u64 },
    /// Who blocks whom cannot be asked.
    Blocks { asked: u64 },
}

fn meet(
    conversation: &mut Conversation,
    setback: Setback,
    now: &mut Moment<'_>,
    effects: &mut Vec<Effect>,
) {
    let error = || busy("the service queue is full");
    match setback {
        Setback::Full { token } => conversation.withdraw(token, effects),
        Setback::Target { seq, asked } => {
            conversation.target_loaded(seq, asked, Err(error()), now, effects);
        }
        Setback::Blocks { asked } => {
            conversation.blocks_loaded(asked, Err(error()), now, effects);
        }
    }
}

fn carry_out(
    conversation: &mut Conversation,
    request: Request,
    now: &mut Moment<'_>,
    effects: &mut Vec<Effect>,
) {
    match request {
        Request::Submit { submission, .. } => conversation.submit(*submission, now, effects),
        Request::Raise { user, to, reply_to, .. } => {
            conversation.raise(user, to, reply_to, now, effects);
        }
        Request::Typing { user, stopped, reply_to, .. } => {
            conversation.typing(user, stopped, reply_to, now, effects);
        }
        // Everything since it was made was pushed as it came.
        Request::Announce { .. } => {}
        Request::BlockChanged { blocked, .. } => conversation.forget_blocks(blocked),
        Request::SeenOtherwise { through, .. } => conversation.forget_encoded(through),
    }
}
