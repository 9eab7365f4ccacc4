//! What a shard tells of its own accord: how far members are and who types, each at most once a second.
//!
//! ```text
//!   owner: cursor moved ─► at most one push per member and second ─► the other members
//!          typing ───────► typists ────────────────────────────────► the other members
//!   home:  acked ────────► at most one push per conversation and second ─► the user's own other sessions
//! ```

use ringwire_protocol::{CommandError, ConversationId, UserId, wire};

use super::mail::Mail;
use super::state::{State, busy};
use crate::connection::links::{LinkKey, Links};
use crate::conversation::Conversation;
use crate::conversation::members::Recipients;
use crate::conversation::typing::{Tell, TooMany};
use crate::fanout::{Frames, Pushed};
use crate::limits;
use crate::placement::owner_shard;
use crate::session::cursors::Cursor;
use crate::session::registry::SessionKey;

/// A member's cursors, on their way to the other members.
#[derive(Debug)]
pub(crate) struct CursorPush {
    /// How far they are.
    pub cursor: wire::Cursor,
    /// Who is told, unless that has changed when it goes out.
    pub recipients: Recipients,
}

/// A user's cursors in one conversation, on their way to their own devices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnCursor {
    cursor: Cursor,
    /// The session that knows, if one session did it all.
    except: Option<SessionKey>,
}

impl OwnCursor {
    fn merge(&mut self, later: Self) {
        self.cursor.raise(later.cursor);
        if self.except != later.except {
            self.except = None;
        }
    }
}

impl State {
    /// A member of a conversation of this shard is further than before.
    pub(super) fn cursor_moved(
        &mut self,
        id: ConversationId,
        user: UserId,
        push: CursorPush,
        links: &mut Links,
    ) {
        let newest = |waiting: &mut CursorPush, push| *waiting = push;
        if let Some(push) = self.cursor_pushes.note((id, user), push, self.now.at, newest) {
            let pushed = Pushed::Cursor { id, cursor: push.cursor };
            self.deliver(id, &pushed, &push.recipients, None, None, links);
        }
    }

    /// A user of this shard moved a cursor in a session: the others learn it.
    pub(super) fn own_cursor_moved(
        &mut self,
        user: UserId,
        id: ConversationId,
        cursor: Cursor,
        by: SessionKey,
        links: &mut Links,
    ) {
        if self.has_other_sessions(user, by) {
            let own = OwnCursor { cursor, except: Some(by) };
            let first = self.own_cursors.note((user, id), own, self.now.at, OwnCursor::merge);
            if let Some(own) = first {
                self.push_own_cursor(user, id, own, links);
            }
        }
    }

    /// A user of this shard said something, and so has seen what is before it. The entry tells it to those who look;
    /// the cursor may follow it.
    pub(super) fn own_cursor_said(
        &mut self,
        user: UserId,
        id: ConversationId,
        cursor: Cursor,
        by: SessionKey,
        links: &mut Links,
    ) {
        if self.has_other_sessions(user, by) {
            let own = OwnCursor { cursor, except: Some(by) };
            let key = (user, id);
            let full = self.own_cursors.note_later(key, own, self.now.at, OwnCursor::merge);
            if let Some(own) = full {
                self.push_own_cursor(user, id, own, links);
            }
        }
    }

    fn has_other_sessions(&self, user: UserId, than: SessionKey) -> bool {
        self.registry.of_user(user).iter().any(|key| *key != than)
    }

    fn push_own_cursor(
        &mut self,
        user: UserId,
        id: ConversationId,
        own: OwnCursor,
        links: &mut Links,
    ) {
        let Cursor { read_seq, delivered_seq } = own.cursor;
        let (conversation_id, user_id) = (id.get(), user.get());
        let cursor = wire::Cursor { conversation_id, user_id, read_seq, delivered_seq };
        let pushed = Pushed::Cursor { id, cursor };
        self.push_to_user(user, &mut Frames::new(&pushed, 1), own.except, links);
    }

    /// A member types in a conversation of this shard, or has stopped.
    pub(super) fn typing(
        &mut self,
        id: ConversationId,
        user: UserId,
        stopped: bool,
        recipients: Option<Recipients>,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let Some(recipients) = recipients else { return Ok(()) };
        let tell = if stopped {
            self.typists.stopped((id, user), self.now.at)
        } else {
            let typed = self.typists.typed((id, user), self.now.at);
            typed.map_err(|TooMany| busy("too many users are typing"))?
        };
        self.tell_typing(id, user, tell, &recipients, links);
        Ok(())
    }

    /// Nobody types there any more for this user.
    pub(super) fn typing_stopped(&mut self, id: ConversationId, user: UserId, links: &mut Links) {
        let tell = self.typists.stopped((id, user), self.now.at);
        self.tell_members(id, user, tell, links);
    }

    fn tell_members(&mut self, id: ConversationId, user: UserId, tell: Tell, links: &mut Links) {
        // One that is not in memory any more has nobody to tell; the others' clients end it by themselves.
        let audience = self.conversations.live(id).and_then(Conversation::typing_audience);
        if let Some(recipients) = audience {
            self.tell_typing(id, user, tell, &recipients, links);
        }
    }

    fn tell_typing(
        &mut self,
        id: ConversationId,
        user: UserId,
        tell: Tell,
        recipients: &Recipients,
        links: &mut Links,
    ) {
        let stopped = match tell {
            Tell::Nothing => return,
            Tell::Typing => false,
            Tell::Stopped => true,
        };
        let (conversation_id, user_id) = (id.get(), user.get());
        let push = wire::TypingPush { conversation_id, user_id, stopped };
        self.deliver(id, &Pushed::Typing(push), recipients, None, None, links);
    }

    /// The connection of a session ended: it types no more.
    pub(super) fn session_gone(&mut self, link: LinkKey, links: &mut Links) {
        if let Some(key) = self.registry.by_link(link) {
            self.stop_typing(key, links);
            self.went_offline(key);
        }
        // After a drain this process is no more.
        let keep_s = if self.draining { 0 } else { self.shared.config.session.resume_s };
        self.registry.connection_ended(link, links.now(), keep_s);
    }

    /// Ends what a session types, unless another session of the user types in the same place.
    pub(super) fn stop_typing(&mut self, key: SessionKey, links: &mut Links) {
        let Some(session) = self.registry.get(key) else { return };
        let (user, Some(id)) = (session.user, session.typing.take()) else { return };
        for other in self.registry.of_user(user).to_vec() {
            if self.registry.get(other).is_some_and(|other| other.typing == Some(id)) {
                return;
            }
        }
        let owner = owner_shard(id, self.shared.shards());
        if owner == self.id {
            self.typing_stopped(id, user, links);
        } else {
            // Without room for this it ends by itself.
            drop(self.shared.mailboxes[usize::from(owner)].try_send(Mail::StopTyping(id, user)));
        }
    }

    /// Sends what had to wait for its second, and ends what was not repeated.
    pub(super) fn sweep_signals(&mut self, links: &mut Links) {
        let now = self.now.at;
        for ((id, user), push) in self.cursor_pushes.close(now, limits::PACED_PER_SWEEP) {
            let recipients = match self.conversations.live(id) {
                Some(conversation) => conversation.cursor_audience(user),
                None => Some(push.recipients),
            };
            if let Some(recipients) = recipients {
                let pushed = Pushed::Cursor { id, cursor: push.cursor };
                self.deliver(id, &pushed, &recipients, None, None, links);
            }
        }
        for ((user, id), own) in self.own_cursors.close(now, limits::PACED_PER_SWEEP) {
            self.push_own_cursor(user, id, own, links);
        }
        for ((id, user), tell) in self.typists.sweep(now) {
            self.tell_members(id, user, tell, links);
        }
    }
}
