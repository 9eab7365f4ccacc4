//! `hide` and `read_by`: what one user sees of a conversation, and who has seen an entry of it.
//!
//! Invariant: clients know a view by numbers one higher than the database does, so that one of which nothing was ever
//! hidden is 1: a client that says 0 keeps no view, and one that says 1 is told of the first change, too.

use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};
use ringwire_storage::model::CursorRow;
use ringwire_storage::views::{Hidden, ViewChanges};
use wire::reply::Outcome;

use super::ask::News;
use super::queries::{Answer, Queries, failed, not_member, parse_user_token};
use crate::command::message::{invalid, too_large};
use crate::command::route::conversation;
use crate::limits;

impl Queries<'_> {
    /// Hides entries from the caller. Their sessions are told also of what was hidden before: an earlier try may have ended
    /// between the two.
    pub(super) async fn hide(&self, user: UserId, hide: wire::Hide) -> Answer {
        let id = conversation(hide.conversation_id)?;
        if hide.seqs.len() > limits::MAX_NAMED {
            return Err(too_large(format!("more than {} seqs", limits::MAX_NAMED)));
        }
        if hide.seqs.is_empty() || hide.seqs.contains(&0) {
            return Err(invalid("seqs is empty, or has a 0"));
        }
        let hidden = self.store.hide(user, id, &hide.seqs).await.map_err(failed)?;
        let Hidden { view_no, seqs: hidden_seqs } = hidden.ok_or_else(not_member)?;
        let news = (!hidden_seqs.is_empty()).then(|| {
            let view_no = told(view_no);
            let change = wire::ViewChanged { conversation_id: id.get(), hidden_seqs, view_no };
            News::Hidden { user, change }
        });
        Ok((Box::new(Outcome::Done(wire::Done {})), news))
    }

    /// How the user's view changed after that number; with 0 only its present number is of interest.
    pub(super) async fn view(&self, user: UserId, after: u64) -> Result<ViewChanges, CommandError> {
        let asked = after.checked_sub(1).unwrap_or(u64::MAX);
        let view = self.store.view_changes(user, asked, limits::CONNECT_VIEW).await;
        let mut view = view.map_err(failed)?;
        for change in &mut view.changes {
            change.view_no = told(change.view_no);
        }
        Ok(ViewChanges { view_no: told(view.view_no), reset: view.reset && after > 0, ..view })
    }

    pub(super) async fn read_by(
        &self,
        user: UserId,
        ask: &wire::ReadBy,
        dirty: &[CursorRow],
    ) -> Result<Outcome, CommandError> {
        let id = conversation(ask.conversation_id)?;
        if ask.seq == 0 || i64::try_from(ask.seq).is_err() {
            return Err(invalid("seq is missing or out of range"));
        }
        let after = parse_user_token(&ask.page_token)?;
        self.save_first(dirty).await?;
        let read = self.store.read_by(user, id, ask.seq, after, Self::page(ask.limit)).await;
        let read = read.map_err(failed)?.ok_or_else(not_member)?;
        if !read.exists {
            return Err(CommandError::new(ErrorCode::EntryNotFound, "there is no such entry"));
        }
        let next_page_token = match read.users.last() {
            Some(last) if read.more => last.to_string(),
            _ => String::new(),
        };
        Ok(Outcome::ReadByPage(wire::ReadByPage {
            conversation_id: id.get(),
            seq: ask.seq,
            count: read.read_count,
            user_ids: read.users.iter().map(|user| user.get()).collect(),
            next_page_token,
            delivered_count: read.delivered_count,
        }))
    }
}

/// The number of a change as clients know it.
const fn told(view_no: u64) -> u64 {
    view_no + 1
}
