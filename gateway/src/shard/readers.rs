//! `read_by`: who has read an entry, those included who read it a moment ago and whose cursors are not written yet.
//!
//! ```text
//!   home ─ Mail::Readers ─► owner ─ Mail::ReadersTold(cursors that moved lately) ─► home ─► the service: saved, counted
//! ```
//!
//! Invariant: who asks after a `read` on this node was answered hears of it, whoever's it was. On other nodes cursors are
//! seen when they were written, and in conversations of more members than hear of each other's cursors as well.

use ringwire_protocol::{CommandError, ConversationId, UserId, wire};
use ringwire_storage::model::CursorRow;

use super::mail::Mail;
use super::state::{State, busy};
use crate::command::query::Query;
use crate::command::route::conversation;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::placement::owner_shard;
use crate::service::ask::Ask;

/// A `read_by` on its way.
#[derive(Debug)]
pub struct Readers {
    /// Whose log.
    conversation_id: ConversationId,
    /// Who asks.
    user: UserId,
    /// What is asked.
    ask: wire::ReadBy,
    /// Where the answer goes.
    reply_to: ReplyTo,
}

impl State {
    /// A user of this shard asks. The command is counted as one that reads the database.
    pub(super) fn read_by(
        &mut self,
        user: UserId,
        reply_to: ReplyTo,
        ask: wire::ReadBy,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let conversation_id = conversation(ask.conversation_id)?;
        self.take_query(reply_to.session)?;
        let readers = Box::new(Readers { conversation_id, user, ask, reply_to });
        let owner = owner_shard(conversation_id, self.shared.shards());
        if owner == self.id {
            let moved = self.moved_lately(&readers);
            self.count_readers(*readers, moved, links);
            return Ok(());
        }
        if self.credits.take() {
            let mailbox = &self.shared.mailboxes[usize::from(owner)];
            if mailbox.try_send(Mail::Readers(readers)).is_ok() {
                return Ok(());
            }
            self.credits.give_back(1);
        }
        self.give_query_back(reply_to.session);
        Err(busy("the conversation's shard has no room"))
    }

    /// Another shard asks for what this one may have in memory.
    pub(super) fn readers_for(&mut self, readers: Box<Readers>) {
        let moved = self.moved_lately(&readers);
        let mailbox = &self.shared.mailboxes[usize::from(readers.reply_to.shard)];
        mailbox.send_reserved(Mail::ReadersTold(readers, moved));
    }

    fn moved_lately(&mut self, readers: &Readers) -> Vec<CursorRow> {
        let at = self.now.at;
        let conversation = self.conversations.live(readers.conversation_id);
        conversation.map_or_else(Vec::new, |live| live.moved_lately(readers.user, at))
    }

    /// The owner has answered: the service saves what moved, with what is the user's own, and then counts.
    pub(super) fn count_readers(
        &mut self,
        readers: Readers,
        moved: Vec<CursorRow>,
        links: &mut Links,
    ) {
        let Readers { user, ask, reply_to, .. } = readers;
        let mut dirty = self.cursors.of(user);
        dirty.extend(moved.into_iter().filter(|row| row.user_id != user));
        let query = Query::ReadBy(ask);
        if self.ask(Ask::Query { user, reply_to, query, dirty }).is_err() {
            self.give_query_back(reply_to.session);
            let error = busy("the service queue is full");
            self.reply(reply_to.session, reply_to.command_id, Err(error), links);
        }
    }
}
