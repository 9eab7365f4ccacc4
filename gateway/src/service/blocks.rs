//! `block` and `blocks`: whom a user does not want to hear from.

use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};
use ringwire_storage::blocks::Blocking;
use wire::reply::Outcome;

use super::ask::News;
use super::queries::{Answer, Queries, failed, parse_user_token};
use super::rows;
use crate::command::message::invalid;

impl Queries<'_> {
    /// Makes or ends a block. Whoever decides by it is told, whether anything changed or not: an earlier try may have ended
    /// between the two.
    pub(super) async fn block(&self, user: UserId, block: &wire::Block) -> Answer {
        let other = UserId::new(block.user_id)
            .ok_or_else(|| invalid("user_id is missing or out of range"))?;
        if block.remove {
            self.store.remove_block(user, other).await.map_err(failed)?;
        } else if self.store.add_block(user, other, self.now_ms).await.map_err(failed)?
            == Blocking::Oneself
        {
            return Err(invalid("nobody blocks themselves"));
        }
        let direct = self.store.direct_between(user, other).await.map_err(failed)?;
        let blocked = self.store.is_blocked_either_way(user, other).await.map_err(failed)?;
        let news = News::BlockChanged { user, other, direct, blocked };
        Ok((Box::new(Outcome::Done(wire::Done {})), Some(news)))
    }

    pub(super) async fn blocks(
        &self,
        user: UserId,
        ask: &wire::Blocks,
    ) -> Result<Outcome, CommandError> {
        let after = parse_user_token(&ask.page_token)?;
        let page = self.store.blocks_page(user, after, Self::page(ask.limit)).await;
        let (blocked, more) = page.map_err(failed)?;
        let ids: Vec<UserId> = blocked.iter().map(|row| row.blocked_id).collect();
        let users = self.store.users(&ids).await.map_err(failed)?;
        let next_page_token = match ids.last() {
            Some(last) if more => last.to_string(),
            _ => String::new(),
        };
        let users = users.iter().map(rows::user).collect();
        Ok(Outcome::BlocksPage(wire::BlocksPage { users, next_page_token }))
    }

    /// Nobody opens a direct conversation with one who blocks them, or whom they block, whether there is one or not.
    pub(super) async fn may_open(&self, user: UserId, other: UserId) -> Result<(), CommandError> {
        if !self.store.is_blocked_either_way(user, other).await.map_err(failed)? {
            return Ok(());
        }
        Err(CommandError::new(ErrorCode::Blocked, "one of the two blocks the other"))
    }
}
