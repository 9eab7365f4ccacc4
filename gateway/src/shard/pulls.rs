//! `sync`: from the memory of the conversation's owner if that has it all, else from the database.
//!
//! ```text
//!   home ─ Mail::Pull ─► owner ─ Mail::Pulled(page | nothing) ─► home ─► the client | the service
//! ```

use ringwire_protocol::{CommandError, ConversationId, Seq, UserId, wire};
use wire::reply::Outcome;

use super::mail::Mail;
use super::state::{State, busy};
use crate::command::query::Query;
use crate::command::route::conversation;
use crate::config::Database;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::limits;
use crate::placement::owner_shard;
use crate::service::ask::Ask;

/// A `sync` on its way.
#[derive(Debug)]
pub struct Pull {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Who asks.
    pub user: UserId,
    /// The last entry the client has.
    pub after: Seq,
    /// As the client set it.
    pub limit: u32,
    /// Where the answer goes.
    pub reply_to: ReplyTo,
}

impl State {
    /// A session of this shard asks. The command is counted as one that reads the database.
    pub(crate) fn pull(
        &mut self,
        user: UserId,
        reply_to: ReplyTo,
        sync: &wire::Sync,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let conversation_id = conversation(sync.conversation_id)?;
        let pull = Pull { conversation_id, user, after: sync.seq, limit: sync.limit, reply_to };
        self.take_query(reply_to.session)?;
        let owner = owner_shard(conversation_id, self.shared.shards());
        if owner == self.id {
            let page = self.page(&pull);
            self.pulled(&pull, page, links);
        } else if self.credits.take() {
            let mailbox = &self.shared.mailboxes[usize::from(owner)];
            if let Err(Mail::Pull(pull)) = mailbox.try_send(Mail::Pull(pull)) {
                self.credits.give_back(1);
                self.pulled(&pull, None, links);
            }
        } else {
            self.pulled(&pull, None, links);
        }
        Ok(())
    }

    /// Another shard asks for what this one may have in memory.
    pub(crate) fn pull_for(&mut self, pull: Pull) {
        let page = self.page(&pull).map(Box::new);
        let mailbox = &self.shared.mailboxes[usize::from(pull.reply_to.shard)];
        mailbox.send_reserved(Mail::Pulled(pull, page));
    }

    /// The owner has answered, or could not be asked.
    pub(crate) fn pulled(&mut self, pull: &Pull, page: Option<wire::SyncPage>, links: &mut Links) {
        let Pull { conversation_id, user, after, limit, reply_to } = *pull;
        // The owner does not know yet what the database told this session as it began.
        let session = self.registry.get(reply_to.session);
        let is_behind = |page: &wire::SyncPage| {
            session.is_some_and(|session| session.was_told_of_more(conversation_id, page.head_seq))
        };
        let page = page.filter(|page| !is_behind(page));
        let outcome = if let Some(page) = page {
            Ok(Outcome::SyncPage(page))
        } else {
            let sync = wire::Sync { conversation_id: conversation_id.get(), seq: after, limit };
            let query = Query::Sync(sync);
            if self.ask(Ask::Query { user, reply_to, query, dirty: Vec::new() }).is_ok() {
                return;
            }
            Err(busy("the service queue is full"))
        };
        self.give_query_back(reply_to.session);
        self.reply(reply_to.session, reply_to.command_id, outcome, links);
    }

    fn page(&mut self, pull: &Pull) -> Option<wire::SyncPage> {
        let limit = match pull.limit {
            0 => limits::MAX_PAGE,
            limit => limit.min(limits::MAX_PAGE),
        };
        let alone = matches!(self.shared.config.storage.database, Database::Sqlite);
        let at = self.now.at;
        let conversation = self.conversations.live(pull.conversation_id)?;
        conversation.missed_after(pull.user, pull.after, limit, at, alone)
    }
}
