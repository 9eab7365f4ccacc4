//! The shard between its sessions, the machines of presence, the store and the other shards.
//!
//! ```text
//!   session comes, goes, sets a status ─► board ─┐                          ┌─► at most one push a second ─► session
//!   watch_presence ─► store: may see? ─► watches ┴─► post ─► other shards ──┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId, wire};
use ringwire_storage::presence::{SeenBy, Visibility};
use wire::reply::Outcome;

use super::mail::Mail;
use super::state::{State, busy};
use crate::command::message::invalid;
use crate::command::query::Query;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::fanout::push_frame;
use crate::limits;
use crate::observe::kinds::PushKind;
use crate::placement::home_shard;
use crate::presence::post::Letter;
use crate::presence::watches::{Check, Interest};
use crate::presence::{May, Own, Status, check_text};
use crate::service::ask::Ask;
use crate::session::registry::{Phase, SessionKey};

impl State {
    /// A session of this shard has become live.
    pub(super) fn came_online(&mut self, key: SessionKey) {
        let now = self.now.unix_ms;
        if let Some(session) = self.registry.get(key) {
            self.presence.board.came(session.user, key, session.own.clone(), now);
        }
    }

    /// The connection of a session ended.
    pub(super) fn went_offline(&mut self, key: SessionKey) {
        if let Some(session) = self.registry.get(key) {
            self.presence.board.went(session.user, key, self.now.unix_ms, self.now.at);
        }
    }

    /// A session goes on over another connection, under another key.
    pub(super) fn presence_resumed(&mut self, user: UserId, old: SessionKey, new: SessionKey) {
        self.presence.board.went(user, old, self.now.unix_ms, self.now.at);
        self.came_online(new);
        self.presence.watches.rename(old, new, self.now.at);
    }

    /// `set_status`: how this session shows its user, and who may see it.
    pub(super) fn set_status(
        &mut self,
        reply_to: ReplyTo,
        set: wire::SetStatus,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let status = Status::from_wire(set.status)?;
        if let Some(text) = &set.text {
            check_text(text)?;
        }
        let seen_by = (visibility(set.status_visibility)?, visibility(set.last_seen_visibility)?);
        let key = reply_to.session;
        let Some(user) = self.user_of(key) else { return Ok(()) };
        let kept = seen_by != (None, None);
        if kept {
            let (status, last_seen) = seen_by;
            self.take_query(key)?;
            let query = Query::SetVisibility { status, last_seen };
            let ask = Ask::Query { user, reply_to, query, dirty: Vec::new() };
            if self.ask(ask).is_err() {
                self.give_query_back(key);
                return Err(busy("the service queue is full"));
            }
        }
        if let Some(session) = self.registry.get(key)
            && (status.is_some() || set.text.is_some())
        {
            let own = Own {
                status: status.unwrap_or(session.own.status),
                text: set.text.map_or_else(|| session.own.text.clone(), Into::into),
            };
            session.own = own.clone();
            let hides = own.status == Status::Invisible;
            self.presence.board.set(user, key, own, self.now.unix_ms);
            if hides {
                self.stop_typing(key, links);
            }
        }
        if !kept {
            self.reply(key, reply_to.command_id, Ok(Outcome::Done(wire::Done {})), links);
        }
        Ok(())
    }

    /// `watch_presence`: whom this session watches.
    pub(super) fn watch_presence(
        &mut self,
        reply_to: ReplyTo,
        watch: &wire::WatchPresence,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let (add, remove) = (users(&watch.add)?, users(&watch.remove)?);
        let key = reply_to.session;
        let Some(session) = self.registry.get(key) else { return Ok(()) };
        let watcher = session.user;
        self.presence.watches.check_room(key, &add, &remove)?;
        if !add.is_empty() {
            self.take_query(key)?;
            let check = self.presence.watches.question(key, watcher, add.clone());
            if self.ask(Ask::SeePresence { check, reply_to: Some(reply_to) }).is_err() {
                self.give_query_back(key);
                return Err(busy("the service queue is full"));
            }
        }
        let mut interest = Interest::default();
        let watches = &mut self.presence.watches;
        watches.watch(key, watcher, (&add, &remove), self.now.at, &mut interest)?;
        self.interested(interest, links);
        if add.is_empty() {
            self.reply(key, reply_to.command_id, Ok(Outcome::Done(wire::Done {})), links);
        }
        Ok(())
    }

    /// The store said what a session may see.
    pub(super) fn presence_seen(
        &mut self,
        check: &Check,
        reply_to: Option<ReplyTo>,
        seen: Result<Vec<SeenBy>, CommandError>,
        links: &mut Links,
    ) {
        let mut interest = Interest::default();
        let watches = &mut self.presence.watches;
        let answer = match seen {
            Ok(seen) => {
                let may: BTreeMap<UserId, May> = seen.iter().map(May::of).collect();
                watches.permitted(check, &may, &mut interest);
                Ok(Outcome::Done(wire::Done {}))
            }
            Err(error) if reply_to.is_some() => {
                watches.unanswered(check, &mut interest);
                Err(error)
            }
            // It stays as it was, and is asked again in a minute.
            Err(error) => Err(error),
        };
        if let Some(reply_to) = reply_to {
            self.give_query_back(reply_to.session);
            self.reply(reply_to.session, reply_to.command_id, answer, links);
        }
        self.tell_presence(check.session, true, links);
        self.interested(interest, links);
    }

    /// One user sees nothing of another any more, because one of them has blocked the other.
    pub(super) fn conceal(&mut self, watcher: UserId, user: UserId, links: &mut Links) {
        let mut interest = Interest::default();
        self.presence.watches.conceal(watcher, user, &mut interest);
        self.interested(interest, links);
    }

    /// Two users see nothing of each other any more. Where a shard has no room for the news, its next look at who may see
    /// whom finds out.
    pub(super) fn conceal_both(&mut self, one: UserId, other: UserId, links: &mut Links) {
        for (watcher, user) in [(one, other), (other, one)] {
            let home = home_shard(watcher, self.shared.shards());
            if home == self.id {
                self.conceal(watcher, user, links);
            } else {
                let mailbox = &self.shared.mailboxes[usize::from(home)];
                drop(mailbox.try_send(Mail::Conceal(watcher, user)));
            }
        }
    }

    /// Nothing more is told of a user before the store has said what each session here may see of them.
    pub(super) fn look_again(&mut self, user: UserId) {
        self.presence.watches.hold(user, self.now.at);
    }

    /// Likewise on every shard. One that has no room for the news asks again within a minute, as it does in any case.
    pub(super) fn look_again_everywhere(&mut self, user: UserId) {
        for shard in 0..self.shared.shards() as u16 {
            if shard == self.id {
                self.look_again(user);
            } else {
                let mailbox = &self.shared.mailboxes[usize::from(shard)];
                drop(mailbox.try_send(Mail::RecheckWatchers(user)));
            }
        }
    }

    fn interested(&mut self, interest: Interest, links: &mut Links) {
        let shards = self.shared.shards();
        let post = &mut self.presence.post;
        let changes = interest.unfollow.into_iter().map(|user| (user, false));
        for (user, follows) in changes.chain(interest.follow.into_iter().map(|user| (user, true))) {
            post.interest(home_shard(user, shards), user, follows);
        }
        self.send_letters(links);
    }

    /// A shard tells whom it follows, and how its users show to this one.
    pub(super) fn presence_letter(&mut self, letter: Letter, links: &mut Links) {
        self.read_letter(letter, links);
        self.send_letters(links);
    }

    fn read_letter(&mut self, letter: Letter, links: &mut Links) {
        let presence = &mut self.presence;
        for (user, follows) in letter.interest {
            if follows {
                let shown = presence.board.follow(user, letter.from);
                presence.post.news(letter.from, user, shown);
            } else {
                presence.board.unfollow(user, letter.from);
            }
        }
        let mut first = BTreeSet::new();
        for (user, shown) in letter.news {
            first.extend(presence.watches.news(user, shown));
        }
        for key in first {
            self.tell_presence(key, true, links);
        }
    }

    /// Sends what waits, as far as there is room.
    fn send_letters(&mut self, links: &mut Links) {
        // The second time brings the answers of this shard to itself.
        for _ in 0..2 {
            let mut refused = Vec::new();
            for (to, letter) in self.presence.post.take() {
                if to == self.id {
                    self.read_letter(letter, links);
                    continue;
                }
                let mailbox = &self.shared.mailboxes[usize::from(to)];
                if let Err(Mail::Presence(letter)) =
                    mailbox.try_send(Mail::Presence(Box::new(letter)))
                {
                    refused.push((to, *letter));
                }
            }
            for (to, letter) in refused {
                self.presence.post.put_back(to, letter);
            }
        }
    }

    /// Tells a session what it was not told, if it can be told now; otherwise that waits.
    fn tell_presence(&mut self, key: SessionKey, first: bool, links: &mut Links) {
        let Some(session) = self.registry.get(key) else { return };
        let roomy = links.queued_bytes(session.link) < limits::OUTBOX_HALF_BYTES;
        if matches!(session.phase, Phase::Live)
            && roomy
            && let Some(push) = self.presence.watches.take(key, first)
        {
            let frame = push_frame(session.encoding, wire::push::Event::Presence(push));
            links.push(session.link, &frame);
            self.figures.pushed(PushKind::Presence);
        }
    }

    /// What is due each second.
    pub(super) fn sweep_presence(&mut self, links: &mut Links) {
        let (now, at) = (self.now.unix_ms, self.now.at);
        let mut interest = Interest::default();
        for (user, key) in self.registry.take_gone() {
            self.presence.board.went(user, key, now, at);
            self.presence.watches.forget(key, &mut interest);
        }
        for news in self.presence.board.sweep(at) {
            for follower in news.followers {
                self.presence.post.news(follower, news.user, news.shown.clone());
            }
        }
        self.interested(interest, links);
        for _ in 0..limits::PRESENCE_CHECKS_PER_SWEEP {
            let Some(check) = self.presence.watches.next_check(at) else { break };
            let session = check.session;
            if self.ask(Ask::SeePresence { check, reply_to: None }).is_err() {
                self.presence.watches.not_asked(session, at);
                break;
            }
        }
        for key in self.presence.watches.owed() {
            self.tell_presence(key, false, links);
        }
        self.save_last_seen();
    }

    /// Has times of last being there written, unless some are being written.
    pub(super) fn save_last_seen(&mut self) {
        if self.presence.saving {
            return;
        }
        let batch = self.presence.board.take_seen();
        if batch.is_empty() {
            return;
        }
        match self.ask(Ask::SaveLastSeen(batch)) {
            Ok(()) => self.presence.saving = true,
            Err(refused) => {
                if let Ask::SaveLastSeen(batch) = *refused {
                    self.presence.board.not_saved(&batch);
                }
            }
        }
    }

    /// They are written, or have to be written again.
    pub(super) fn last_seen_saved(&mut self, batch: &[(UserId, UnixMs)], success: bool) {
        self.presence.saving = false;
        if !success {
            self.presence.board.not_saved(batch);
        }
    }
}

fn visibility(number: Option<i32>) -> Result<Option<Visibility>, CommandError> {
    let known = |number: i32| i16::try_from(number).ok().and_then(Visibility::from_number);
    number
        .map(|number| known(number).ok_or_else(|| invalid("a visibility is not known")))
        .transpose()
}

/// The users a client names, each once.
fn users(ids: &[u64]) -> Result<Vec<UserId>, CommandError> {
    let most = limits::MAX_WATCHED;
    if ids.len() > most {
        return Err(CommandError::new(ErrorCode::TooLarge, format!("more than {most} users")));
    }
    let known = |id: &u64| UserId::new(*id).ok_or_else(|| invalid("a user_id is out of range"));
    let named: BTreeSet<UserId> = ids.iter().map(known).collect::<Result<_, _>>()?;
    Ok(named.into_iter().collect())
}
