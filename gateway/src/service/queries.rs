//! Commands that the database answers, and the snapshot a session begins with.

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UnixMs, UserId, wire};
use ringwire_storage::devices::SeenDevice;
use ringwire_storage::members::{MemberList, MembersPage};
use ringwire_storage::model::{CursorRow, HeadsAfter, HistoryWindow};
use ringwire_storage::refresh::FamilyId;
use ringwire_storage::{Store, StoreError};
use wire::reply::Outcome;

use super::ask::News;
use super::rows;
use crate::command::key::CommandKey;
use crate::command::message::invalid;
use crate::command::query::Query;
use crate::command::route::conversation;
use crate::config::Config;
use crate::conversation::no_such_conversation;
use crate::limits;
use crate::permissions::Operation;
use crate::session::opening::{OpenRequest, Opened};
use crate::session::registry::Device;

/// What answering takes.
pub(super) struct Queries<'a> {
    pub(super) store: &'a Store,
    pub(super) config: &'a Config,
    pub(super) key: CommandKey,
    pub(super) now_ms: UnixMs,
}

pub(super) type Answer = Result<(Box<Outcome>, Option<News>), CommandError>;

impl Queries<'_> {
    pub(super) fn page(limit: u32) -> u32 {
        let most = limits::MAX_PAGE;
        if limit == 0 { most } else { limit.min(most) }
    }

    /// The reply, and what others have to hear of it.
    pub(super) async fn answer(&self, user: UserId, query: Query, dirty: &[CursorRow]) -> Answer {
        let outcome = match query {
            Query::Sync(sync) => self.sync(user, &sync).await?,
            Query::History(history) => self.history(user, &history).await?,
            Query::Heads(heads) => self.heads(user, &heads, dirty).await?,
            Query::Members(members) => self.members(user, &members, dirty).await?,
            Query::ReadBy(read_by) => self.read_by(user, &read_by, dirty).await?,
            Query::Hide(hide) => return self.hide(user, hide).await,
            Query::Block(block) => return self.block(user, &block).await,
            Query::Blocks(blocks) => self.blocks(user, &blocks).await?,
            Query::SetVisibility { status, last_seen } => {
                self.store.set_visibility(user, status, last_seen).await.map_err(failed)?;
                let news = News::SeenByOthers { user };
                return Ok((Box::new(Outcome::Done(wire::Done {})), Some(news)));
            }
            Query::OpenDirect(open) => return self.open_direct(user, open).await,
            Query::CreateGroup(create) => return self.create_group(user, create).await,
        };
        Ok((Box::new(outcome), None))
    }

    async fn sync(&self, user: UserId, sync: &wire::Sync) -> Result<Outcome, CommandError> {
        let id = conversation(sync.conversation_id)?;
        let page = self.store.sync_page(user, id, sync.seq, Self::page(sync.limit)).await;
        let page = page.map_err(failed)?.ok_or_else(not_member)?;
        Ok(Outcome::SyncPage(rows::sync(id, sync.seq, &page)))
    }

    async fn history(&self, user: UserId, ask: &wire::History) -> Result<Outcome, CommandError> {
        let id = conversation(ask.conversation_id)?;
        let window = history_window(ask)?;
        let page = self.store.history_page(user, id, window, Self::page(ask.limit)).await;
        let page = page.map_err(failed)?.ok_or_else(not_member)?;
        Ok(Outcome::HistoryPage(rows::history(id, window, &page)))
    }

    async fn heads(
        &self,
        user: UserId,
        heads: &wire::Heads,
        dirty: &[CursorRow],
    ) -> Result<Outcome, CommandError> {
        let limit = Self::page(heads.limit);
        if heads.conversation_ids.len() > limits::MAX_PAGE as usize {
            let error = format!("more than {} conversation_ids", limits::MAX_PAGE);
            return Err(CommandError::new(ErrorCode::TooLarge, error));
        }
        let only: Vec<_> =
            heads.conversation_ids.iter().map(|id| conversation(*id)).collect::<Result<_, _>>()?;
        let after = parse_heads_token(&heads.page_token)?;
        self.save_first(dirty).await?;
        if after.is_none() && only.is_empty() {
            let list = self.store.session_snapshot(user, &[], limit, 0).await.map_err(failed)?;
            return Ok(Outcome::HeadsPage(rows::first_heads(&list, &self.key, self.now_ms)));
        }
        let (rows, more) = self.store.heads(user, after, &only, limit).await.map_err(failed)?;
        Ok(Outcome::HeadsPage(rows::heads(&rows, more, &self.key, self.now_ms)))
    }

    async fn members(
        &self,
        user: UserId,
        ask: &wire::Members,
        dirty: &[CursorRow],
    ) -> Result<Outcome, CommandError> {
        let id = conversation(ask.conversation_id)?;
        let after = parse_user_token(&ask.page_token)?;
        let limit = Self::page(ask.limit);
        let list = match wire::members::List::try_from(ask.list) {
            Ok(wire::members::List::Members) => MemberList::Members,
            Ok(wire::members::List::Banned) => MemberList::Banned,
            Ok(wire::members::List::Requests) => MemberList::Requests,
            Err(_) => return Err(invalid("list is not known")),
        };
        self.save_first(dirty).await?;
        let page = self.store.members_page(user, id, list, after, limit, self.now_ms).await;
        let (members, more) = match page.map_err(failed)? {
            MembersPage::Page { members, more } => (members, more),
            MembersPage::NotMember => return Err(not_member()),
            MembersPage::NotAllowed => {
                let error = "the list is for owner and admins";
                return Err(CommandError::new(ErrorCode::Forbidden, error));
            }
        };
        let next_page_token = match members.last() {
            Some(last) if more => last.member.user_id.to_string(),
            _ => String::new(),
        };
        Ok(Outcome::MembersPage(wire::MembersPage {
            conversation_id: id.get(),
            members: members.iter().map(|row| rows::member(row, self.now_ms)).collect(),
            next_page_token,
        }))
    }

    /// Saves what the user has read before it is read back. Where the database can be read and not written, because its
    /// disk is full, what is read lacks these moves; they stay to be written.
    pub(super) async fn save_first(&self, dirty: &[CursorRow]) -> Result<(), CommandError> {
        match self.store.save_cursors(dirty).await {
            Err(error) if error.is_temporary() => {
                tracing::debug!(%error, "cursors are saved later");
                Ok(())
            }
            result => result.map_err(failed),
        }
    }

    /// Notes on which device the user came. Where the database can only be read that has to wait for the next time.
    async fn see_device(
        &self,
        user: UserId,
        device: &Device,
        login: Option<FamilyId>,
    ) -> Result<(), CommandError> {
        if device.id.is_empty() {
            return Ok(());
        }
        let seen = SeenDevice {
            device_id: device.id.to_string(),
            device_class: device.class.to_string(),
            name: device.client_name.to_string(),
        };
        let seen = self.store.see_device(user, seen, login, limits::MAX_DEVICES, self.now_ms).await;
        match seen {
            Err(error) if error.is_temporary() => {
                tracing::debug!(%error, "a device is noted later");
                Ok(())
            }
            result => result.map_err(failed),
        }
    }

    /// Everything `connected` tells.
    pub(super) async fn open_session(
        &self,
        request: &OpenRequest,
        dirty: &[CursorRow],
    ) -> Result<Opened, CommandError> {
        let OpenRequest { user, name_hint, login, device, cursors, view_no } = request;
        let user = *user;
        if self.store.account_ban(user, self.now_ms).await.map_err(failed)?.is_some() {
            return Err(CommandError::new(ErrorCode::Banned, "this account is banned"));
        }
        if let Some(login) = login
            && !self.store.login_state(*login).await.map_err(failed)?
        {
            let message = "the login of this token has ended";
            return Err(CommandError::new(ErrorCode::Unauthenticated, message));
        }
        let profile = if self.config.auth.provision_unknown_users {
            Some(self.store.ensure_user(user, name_hint, self.now_ms).await.map_err(failed)?.0)
        } else {
            self.store.user(user).await.map_err(failed)?
        };
        let profile = profile.ok_or_else(|| {
            CommandError::new(ErrorCode::UserNotFound, "the token's user does not exist")
        })?;
        self.see_device(user, device, *login).await?;
        self.save_first(dirty).await?;
        let view = self.view(user, *view_no).await?;
        let snapshot = self
            .store
            .session_snapshot(user, cursors, limits::CONNECT_HEADS, limits::CONNECT_SYNC)
            .await
            .map_err(failed)?;
        Ok(Opened { view, ..rows::opened(&profile, cursors, &snapshot, &self.key, self.now_ms) })
    }
}

fn history_window(ask: &wire::History) -> Result<HistoryWindow, CommandError> {
    match (ask.before_seq, ask.after_seq, ask.around_seq) {
        (0, None, 0) => Ok(HistoryWindow::Newest),
        (before, None, 0) => Ok(HistoryWindow::Before(before)),
        (0, Some(after), 0) => Ok(HistoryWindow::After(after)),
        (0, None, around) => Ok(HistoryWindow::Around(around)),
        _ => Err(invalid("give at most one of before_seq, after_seq and around_seq")),
    }
}

/// Lists of users go on behind the last one of the page before.
pub(super) fn parse_user_token(token: &str) -> Result<Option<UserId>, CommandError> {
    if token.is_empty() {
        return Ok(None);
    }
    let user = token.parse().ok().and_then(UserId::new);
    user.map(Some).ok_or_else(|| invalid("page_token is not one of this server"))
}

fn parse_heads_token(token: &str) -> Result<Option<HeadsAfter>, CommandError> {
    if token.is_empty() {
        return Ok(None);
    }
    let parse = || {
        let (activity, id) = token.split_once('.')?;
        Some(HeadsAfter {
            last_activity_at: activity.parse().ok()?,
            conversation_id: ConversationId::new(id.parse().ok()?)?,
        })
    };
    parse().map(Some).ok_or_else(|| invalid("page_token is not one of this server"))
}

pub(super) fn not_member() -> CommandError {
    no_such_conversation(Operation::Sync)
}

/// What a failed store means to the client; the details stay in the server's log.
pub(super) fn failed(error: StoreError) -> CommandError {
    match error {
        StoreError::NoSuchUser => CommandError::new(ErrorCode::UserNotFound, "no such user"),
        error if error.is_temporary() => {
            tracing::warn!("a query has to wait: {error}");
            let message = "the database cannot be reached at present";
            CommandError::retry(ErrorCode::Unavailable, message, limits::UNAVAILABLE_RETRY_MS)
        }
        error => {
            tracing::error!(%error, "a query failed");
            CommandError::new(ErrorCode::Internal, "the query failed")
        }
    }
}
