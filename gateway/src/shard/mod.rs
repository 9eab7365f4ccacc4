//! One shard: a pinned thread with its own runtime, its users and its conversations.
//!
//! ```text
//!              ┌─ accept ─► session::admission ─┐
//!   tasks of   ├─ one reader per connection ────┤          State: sessions, conversations, credits
//!   one shard  ├─ mailbox ──────────────────────┼─► turn ─► Links: outboxes
//!              ├─ flush pass ◄──────────────────┤
//!              └─ each second ──────────────────┘
//! ```
//!
//! Invariant: a turn borrows the whole state, runs to its end without awaiting, and gives it back; so nothing in here
//! needs a lock, and no task sees another's half-done work.

pub mod clock;
mod commands;
mod connect;
pub mod credits;
mod drain;
mod figures;
mod greet;
pub mod handoff;
mod home;
pub mod launch;
pub mod looks;
pub mod mail;
pub mod mailbox;
mod named;
mod news;
mod owner;
#[cfg(test)]
mod owner_tests;
mod presence;
pub mod pulls;
pub mod questions;
pub mod readers;
mod screening;
mod sessions;
pub mod shared;
mod signals;
pub mod state;
mod sync;
mod wake;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::TcpListener as StdListener;
use std::os::fd::{AsFd as _, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::MessageKind;
use ringwire_protocol::{CloseReason, CommandError, ErrorCode, UnixMs, UserId};
use tokio::sync::oneshot;

use crate::connection::addresses::Greeting;
use crate::connection::admission::Admission;
use crate::connection::departures::Departures;
use crate::connection::driver::{self, Application, ReadBuffer};
use crate::connection::endpoint::Endpoint;
use crate::connection::links::{Heartbeat, LinkKey, Links, Overdue};
use crate::limits;
use crate::memory;
use crate::net::{self, Driver, Listener, Signal, Stream};
use crate::observe::figures::Figure;
use crate::persist::AppendSink;
use crate::placement::ShardId;
use crate::service::ask::{Ask, Served};
use crate::session::registry::{ExternalIdentity, NewSession};
use clock::TimeSource;
use connect::Entering;
use handoff::{Moving, Returned};
use mail::Mail;
use mailbox::MailboxReceiver;
use shared::Shared;
use state::State;

/// The close code of a client that does not mean to come back (RFC 6455 section 7.4.1).
const FAREWELL: u16 = 1000;

/// What a turn with the mailbox left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailTurn {
    /// More messages wait, and nobody will signal them.
    pub more: bool,
    /// The shard is to be drained.
    pub stop: bool,
}

/// A shard, shared by the tasks of its thread.
pub struct Shard {
    shared: Arc<Shared>,
    id: ShardId,
    links: RefCell<Links>,
    read_buffer: RefCell<ReadBuffer>,
    departures: Departures,
    state: RefCell<State>,
    /// Upgraded connections of which nobody knows yet whose they are.
    nameless: RefCell<BTreeSet<RawFd>>,
}

impl Shard {
    /// A shard without connections. It does nothing by itself: whoever made it lets it take its turns.
    pub fn new(shared: Arc<Shared>, id: ShardId, time: TimeSource, writers: AppendSink) -> Self {
        let heartbeat =
            Heartbeat { ping_after_s: limits::PING_AFTER_S, close_after_s: limits::IDLE_CLOSE_S };
        Self {
            shared: Arc::clone(&shared),
            id,
            links: RefCell::new(Links::new(heartbeat)),
            read_buffer: RefCell::default(),
            departures: Departures::default(),
            state: RefCell::new(State::new(shared, id, time, writers)),
            nameless: RefCell::default(),
        }
    }

    /// Runs a shard until it is drained.
    pub async fn run(
        shared: Arc<Shared>,
        id: ShardId,
        driver: Driver,
        writers: AppendSink,
        listener: StdListener,
        mailbox: MailboxReceiver<Mail>,
    ) -> io::Result<()> {
        let shard = Rc::new(Self::new(shared, id, TimeSource::System, writers));
        if driver == Driver::Uring {
            shard.links.borrow_mut().send_together();
        }
        net::spawn(driver::flush_loop(Rc::clone(&shard)));
        net::spawn(driver::sweep_loop(Rc::clone(&shard)));
        net::spawn(driver::departure_loop(Rc::clone(&shard)));
        let listener_fd = std::os::fd::AsRawFd::as_raw_fd(&listener);
        net::spawn(accept_loop(Rc::clone(&shard), Listener::new(listener)?));
        let signal = Signal::new(mailbox.as_fd())?;
        mailbox_loop(&shard, mailbox, signal).await?;
        drain::drain(&shard, listener_fd).await;
        Ok(())
    }

    /// Which shard this is.
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// What all threads share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The time, read anew.
    pub fn unix_ms(&self) -> UnixMs {
        let mut state = self.state.borrow_mut();
        state.begin_turn();
        state.now.unix_ms
    }

    /// The same of the clock that never goes back.
    pub fn now(&self) -> Instant {
        let mut state = self.state.borrow_mut();
        state.begin_turn();
        state.now.at
    }

    /// A connection in this encoding became a session.
    pub(crate) fn count_connection(&self, encoding: Encoding) {
        self.state.borrow_mut().figures.add(connections(encoding), 1);
    }

    /// One has ended.
    pub(crate) fn discount_connection(&self, encoding: Encoding) {
        self.state.borrow_mut().figures.lower(connections(encoding));
    }

    /// Takes a connection in as a session.
    pub fn open_session(
        &self,
        endpoint: Endpoint,
        session: impl FnOnce(LinkKey) -> NewSession,
    ) -> LinkKey {
        let mut links = self.links.borrow_mut();
        let link = links.insert(endpoint);
        let mut state = self.state.borrow_mut();
        let (now, tick) = (state.now.uptime_ms, links.now());
        state.registry.insert(session(link), now, tick);
        link
    }

    /// Asks the service which user a token of another issuer means.
    pub async fn resolve(
        &self,
        identity: &ExternalIdentity,
        name_hint: Option<&str>,
    ) -> Result<UserId, CommandError> {
        let answer = {
            let mut state = self.state.borrow_mut();
            if state.draining {
                return Err(state::draining());
            }
            let waiter = state.next_waiter;
            state.next_waiter += 1;
            let ask = Ask::Resolve {
                waiter,
                issuer: identity.issuer.clone(),
                subject: identity.subject.clone(),
                name_hint: name_hint.unwrap_or_default().to_owned(),
            };
            let (sender, receiver) = oneshot::channel();
            state.waiters.insert(waiter, sender);
            let entering = Entering::Identity(waiter, Box::new(ask));
            if !state.enter(entering, 1, &mut self.links.borrow_mut()) {
                state.waiters.remove(&waiter);
                return Err(state::busy("too many sessions are being opened"));
            }
            receiver
        };
        let gone = || CommandError::new(ErrorCode::Internal, "the server is stopping");
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Handles what other threads have sent, at most so many messages; the shard goes on draining its mailbox until
    /// nothing is left, and until it is to stop.
    pub fn mail_turn(
        self: &Rc<Self>,
        mailbox: &mut MailboxReceiver<Mail>,
        most: usize,
    ) -> MailTurn {
        self.on_turn();
        let mut stop = false;
        let more = mailbox.drain(most, |mail| {
            stop |= !self.on_mail(mail);
        });
        self.state.borrow_mut().retry_lagging();
        MailTurn { more, stop }
    }

    /// Nothing is under way: neither to the writers nor to the service nor to another shard.
    pub fn is_quiet(&self) -> bool {
        self.state.borrow().is_quiet()
    }

    /// One message from another thread; `false`: the shard is to be drained.
    fn on_mail(self: &Rc<Self>, mail: Mail) -> bool {
        match mail {
            Mail::Moved(moving) => {
                let Moving { stream, opening, bearer, encoding, admission } = *moving;
                if let Ok(stream) = Stream::new(stream) {
                    let shard = Rc::clone(self);
                    greet::serve(shard, stream, opening, bearer, encoding, admission);
                }
            }
            Mail::Returned(returned) => {
                let Returned { stream, unread, peer, admission } = *returned;
                if let Ok(stream) = Stream::new(stream) {
                    let shard = Rc::clone(self);
                    let greeting = Greeting::uncounted();
                    net::spawn(greet::greet(shard, stream, unread, peer, admission, greeting));
                }
            }
            Mail::Drain => return false,
            mail => {
                let mut state = self.state.borrow_mut();
                state.on_mail(mail, &mut self.links.borrow_mut());
            }
        }
        true
    }

    /// A place for one more connection; those that have ended and wait to be closed make room.
    fn admit(&self) -> Option<Admission> {
        self.departures.make_room(limits::CLOSES_PER_MS, || self.shared.admit())
    }
}

impl State {
    fn on_mail(&mut self, mail: Mail, links: &mut Links) {
        self.figures.add(Figure::Mails, 1);
        match mail {
            Mail::Request(request) => self.handle_request(request, links),
            Mail::Pull(pull) => self.pull_for(pull),
            Mail::Pulled(pull, page) => {
                self.credits.give_back(1);
                self.pulled(&pull, page.map(|page| *page), links);
            }
            Mail::Readers(readers) => self.readers_for(readers),
            Mail::ReadersTold(readers, moved) => {
                self.credits.give_back(1);
                self.count_readers(*readers, moved, links);
            }
            Mail::Deliver(delivery) => self.deliver_here(&delivery, links),
            Mail::Presence(letter) => self.presence_letter(*letter, links),
            Mail::Conceal(watcher, user) => self.conceal(watcher, user, links),
            Mail::RecheckWatchers(user) => self.look_again(user),
            Mail::StopTyping(id, user) => self.typing_stopped(id, user, links),
            Mail::EndSessions(user, reason) => self.end_sessions(user, reason, links),
            Mail::EndLogin(user, login) => self.end_login(user, login, links),
            Mail::Answered(reply_to, answer) => {
                self.credits.give_back(1);
                self.finish_command(reply_to, answer, links);
            }
            Mail::Look(look) => self.look(*look, links),
            Mail::EndSession(session_id, answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.end_named(&session_id, links));
            }
            Mail::Notice(notice, users) => self.tell_notice(&notice, &users, links),
            Mail::Completed(completions) => self.completed(&completions, links),
            Mail::Question(question) => self.question(question, links),
            Mail::Served(served) => {
                self.credits.give_back(1);
                self.on_served(served, links);
            }
            Mail::Moved(_) | Mail::Returned(_) | Mail::Drain => {}
        }
    }

    fn on_served(&mut self, served: Served, links: &mut Links) {
        match served {
            Served::Resolved { waiter, user } => {
                if let Some(waiter) = self.waiters.remove(&waiter) {
                    drop(waiter.send(user));
                }
                self.left(links);
            }
            Served::SessionOpened { session, opened } => {
                self.session_opened(session, opened, links);
                self.left(links);
            }
            Served::Answered { reply_to, outcome, news } => {
                let outcome = outcome.map(|outcome| *outcome);
                self.give_query_back(reply_to.session);
                self.reply(reply_to.session, reply_to.command_id, outcome, links);
                if let Some(news) = news {
                    self.tell(news, links);
                }
            }
            Served::Identified { named, users } => self.identified(*named, users, links),
            Served::Screened { screening, allowed } => self.screened(*screening, allowed, links),
            Served::Target { id, seq, asked, row } => {
                self.target_loaded(id, seq, asked, row, links);
            }
            Served::Blocks { id, asked, blocked } => self.blocks_loaded(id, asked, blocked, links),
            Served::Conversation { id, snapshot } => self.conversation_loaded(id, snapshot, links),
            Served::Tail { id, tail } => self.tail_loaded(id, tail, links),
            Served::PresenceSeen { check, reply_to, seen } => {
                self.presence_seen(&check, reply_to, seen, links);
            }
            Served::LastSeenSaved { batch, success } => self.last_seen_saved(&batch, success),
            Served::CursorsSaved { batch, success } => {
                self.cursors.written(&batch, success);
                self.flush_cursors();
            }
        }
    }

    /// What is due each second.
    fn on_second(&mut self, overdue: Vec<(LinkKey, Overdue)>, links: &mut Links) {
        for (link, overdue) in overdue {
            let reason = match overdue {
                Overdue::Idle => CloseReason::Idle,
                Overdue::Slow => CloseReason::SlowConsumer,
            };
            links.close(link, reason.code(), reason.reason());
            if overdue == Overdue::Slow {
                // Its socket is full; a close frame would never get through.
                links.abort(link);
            }
        }
        let tick = links.now();
        let (expiring, silent) = self.registry.advance(tick);
        self.check_tokens(expiring, links);
        for key in silent {
            if let Some(session) = self.registry.get(key) {
                let reason = CloseReason::ConnectTimeout;
                links.close(session.link, reason.code(), reason.reason());
            }
        }
        if tick.is_multiple_of(limits::CURSOR_FLUSH_S) {
            self.cursors.start_round();
            self.flush_cursors();
        }
        if tick.is_multiple_of(limits::CACHE_SWEEP_S) {
            let now = self.now.tick;
            self.conversations.sweep(now, self.now.at);
            self.registry.forget_absent_users(self.now.uptime_ms);
        }
        if tick.is_multiple_of(limits::MEMORY_SWEEP_S) {
            memory::give_back();
        }
        self.sweep_signals(links);
        self.sweep_presence(links);
        self.persist.retry(&mut self.credits);
        self.retry_stalled();
        self.retry_lagging();
        self.retry_news(links);
    }

    /// Has the next batch of the round written, unless a write is under way.
    fn flush_cursors(&mut self) {
        if let Some(batch) = self.cursors.take_batch()
            && let Err(refused) = self.ask(Ask::SaveCursors(batch))
            && let Ask::SaveCursors(batch) = *refused
        {
            self.cursors.written(&batch, false);
        }
    }
}

impl Application for Shard {
    fn links(&self) -> &RefCell<Links> {
        &self.links
    }

    fn read_buffer(&self) -> &RefCell<ReadBuffer> {
        &self.read_buffer
    }

    fn departures(&self) -> &Departures {
        &self.departures
    }

    fn on_turn(&self) {
        let mut state = self.state.borrow_mut();
        state.begin_turn();
        if state.is_posting_due() {
            state.post_figures(&self.links.borrow());
        }
    }

    fn on_message(&self, link: LinkKey, kind: MessageKind, payload: &[u8]) {
        let mut state = self.state.borrow_mut();
        if let Some(session) = state.registry.by_link(link) {
            state.handle_message(session, kind, payload, &mut self.links.borrow_mut());
        }
    }

    fn on_farewell(&self, link: LinkKey, code: Option<u16>) {
        if code == Some(FAREWELL) {
            let mut state = self.state.borrow_mut();
            state.said_goodbye(link, &mut self.links.borrow_mut());
        }
    }

    fn on_gone(&self, link: LinkKey) {
        self.state.borrow_mut().session_gone(link, &mut self.links.borrow_mut());
    }

    fn on_second(&self, overdue: Vec<(LinkKey, Overdue)>) {
        let mut state = self.state.borrow_mut();
        state.begin_turn();
        state.on_second(overdue, &mut self.links.borrow_mut());
        state.post_figures(&self.links.borrow());
    }

    fn on_flushed(&self) {
        self.state.borrow_mut().flushed();
    }

    fn on_drained(&self, link: LinkKey) {
        self.state.borrow_mut().drained(link, &mut self.links.borrow_mut());
    }
}

fn connections(encoding: Encoding) -> Figure {
    match encoding {
        Encoding::Protobuf => Figure::ConnectionsProtobuf,
        Encoding::Json => Figure::ConnectionsJson,
    }
}

/// Accepts until the listener is shut down.
async fn accept_loop(shard: Rc<Shard>, listener: Listener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(admission) = shard.admit() else {
                    greet::turn_away(&stream);
                    continue;
                };
                match shard.shared.addresses.arrive(peer.ip(), shard.now()) {
                    Ok(greeting) => {
                        let shard = Rc::clone(&shard);
                        let unread = BytesMut::new();
                        net::spawn(greet::greet(shard, stream, unread, peer, admission, greeting));
                    }
                    Err(wait_ms) => greet::slow_down(&stream, wait_ms),
                }
            }
            Err(_) if shard.state.borrow().draining => return,
            Err(error) => {
                // Out of descriptors, most likely: those who are connected keep theirs.
                tracing::warn!(%error, "cannot accept connections");
                net::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

/// Handles what other threads send, until the shard is to be drained.
async fn mailbox_loop(
    shard: &Rc<Shard>,
    mut mailbox: MailboxReceiver<Mail>,
    signal: Signal,
) -> io::Result<()> {
    loop {
        let MailTurn { more, stop } = shard.mail_turn(&mut mailbox, limits::MAILBOX_PER_TURN);
        if stop {
            net::spawn(drain::keep_mailbox(Rc::clone(shard), mailbox, signal));
            return Ok(());
        }
        if more {
            net::yield_to_others().await;
        } else {
            signal.raised().await?;
            mailbox.acknowledge_wake();
        }
    }
}
