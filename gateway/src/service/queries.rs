//! Commands that the database answers, and the snapshot a session begins with.

use std::collections::HashMap;

use prost::Message as _;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, UnixMs, UserId, wire};
use ringwire_storage::model::{ConversationKind, CursorRow, HeadsAfter, NewGroup};
use ringwire_storage::{Store, StoreError};
use wire::group_settings::JoinPolicy;
use wire::reply::Outcome;

use super::rows;
use crate::command::key::CommandKey;
use crate::command::message::invalid;
use crate::command::query::Query;
use crate::command::route::conversation;
use crate::config::{Config, LimitsConfig};
use crate::conversation::entry::wire_entry;
use crate::limits;
use crate::session::opening::Opened;

/// What answering takes.
pub(super) struct Queries<'a> {
    pub(super) store: &'a Store,
    pub(super) config: &'a Config,
    pub(super) key: CommandKey,
    pub(super) now_ms: UnixMs,
}

type Answer = Result<(Box<Outcome>, Option<ConversationId>), CommandError>;

impl Queries<'_> {
    fn limits(&self) -> &LimitsConfig {
        &self.config.limits
    }

    fn page(limit: u32) -> u32 {
        let most = limits::MAX_PAGE;
        if limit == 0 { most } else { limit.min(most) }
    }

    /// The reply, and the conversation the command made, if it did.
    pub(super) async fn answer(&self, user: UserId, query: Query, dirty: &[CursorRow]) -> Answer {
        let outcome = match query {
            Query::Sync(sync) => self.sync(user, &sync).await?,
            Query::History(history) => self.history(user, &history).await?,
            Query::Heads(heads) => self.heads(user, &heads, dirty).await?,
            Query::Members(members) => self.members(user, &members).await?,
            Query::OpenDirect(open) => return self.open_direct(user, open).await,
            Query::CreateGroup(create) => return self.create_group(user, create).await,
        };
        Ok((Box::new(outcome), None))
    }

    async fn sync(&self, user: UserId, sync: &wire::Sync) -> Result<Outcome, CommandError> {
        let id = conversation(sync.conversation_id)?;
        let page = self.store.sync_page(user, id, sync.seq, Self::page(sync.limit)).await;
        let page = page.map_err(failed)?.ok_or_else(not_member)?;
        let entries: Vec<_> = rows::within_budget(page.entries.iter()).map(wire_entry).collect();
        Ok(Outcome::SyncPage(wire::SyncPage {
            conversation_id: id.get(),
            head_seq: page.head.seq,
            more: entries.last().is_some_and(|last| last.seq < page.head.seq),
            entries,
            trimmed_floor: rows::trimmed_floor(&page, sync.seq),
        }))
    }

    async fn history(&self, user: UserId, ask: &wire::History) -> Result<Outcome, CommandError> {
        let id = conversation(ask.conversation_id)?;
        let limit = Self::page(ask.limit);
        let page = self.store.history_page(user, id, ask.before_seq, limit).await;
        let page = page.map_err(failed)?.ok_or_else(not_member)?;
        let mut entries: Vec<_> =
            rows::within_budget(page.entries.iter().rev()).map(wire_entry).collect();
        entries.reverse();
        Ok(Outcome::HistoryPage(wire::HistoryPage {
            conversation_id: id.get(),
            head_seq: page.head.seq,
            more: entries.first().is_some_and(|first| first.seq > page.floor_seq),
            entries,
        }))
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
        self.store.save_cursors(dirty).await.map_err(failed)?;
        let (rows, more) = self.store.heads(user, after, &only, limit).await.map_err(failed)?;
        Ok(Outcome::HeadsPage(rows::heads(&rows, more)))
    }

    async fn members(&self, user: UserId, ask: &wire::Members) -> Result<Outcome, CommandError> {
        let id = conversation(ask.conversation_id)?;
        let after = match ask.page_token.as_str() {
            "" => None,
            token => Some(
                token
                    .parse()
                    .ok()
                    .and_then(UserId::new)
                    .ok_or_else(|| invalid("page_token is not one of this server"))?,
            ),
        };
        let page = self.store.members_page(user, id, after, Self::page(ask.limit)).await;
        let (members, more) = page.map_err(failed)?.ok_or_else(not_member)?;
        let next_page_token = match members.last() {
            Some(last) if more => last.member.user_id.to_string(),
            _ => String::new(),
        };
        Ok(Outcome::MembersPage(wire::MembersPage {
            conversation_id: id.get(),
            members: members.iter().map(rows::member).collect(),
            next_page_token,
        }))
    }

    async fn open_direct(&self, user: UserId, open: wire::OpenDirect) -> Answer {
        let other = match (UserId::new(open.user_id), open.username.trim()) {
            (Some(other), "") => other,
            (None, name) if open.user_id == 0 && !name.is_empty() => self.user_id(name).await?,
            _ => return Err(invalid("give either user_id or username")),
        };
        if other == user {
            return Err(invalid("a direct conversation needs another user"));
        }
        let body = created(ConversationKind::Direct, String::new(), &[user, other]);
        let opened = self.store.open_direct(user, other, self.now_ms, body).await;
        let (id, made) = opened.map_err(failed)?;
        self.opened(user, id, made).await
    }

    async fn create_group(&self, user: UserId, create: wire::CreateGroup) -> Answer {
        let kind = match wire::ConversationKind::try_from(create.kind) {
            // A group is what most callers mean; a direct conversation is never created this way.
            Ok(wire::ConversationKind::Direct | wire::ConversationKind::Group) => {
                ConversationKind::Group
            }
            Ok(wire::ConversationKind::Room) => ConversationKind::Room,
            Err(_) => return Err(invalid("kind is not known")),
        };
        let settings = check_settings(create.settings.clone().unwrap_or_default(), self.limits())?;
        let mut members = Vec::new();
        for id in &create.user_ids {
            members
                .push(UserId::new(*id).ok_or_else(|| invalid("user_ids has an id out of range"))?);
        }
        let most = settings.max_members.unwrap_or(self.limits().max_group_members) as usize;
        if members.len() + create.usernames.len() + 1 > most {
            return Err(CommandError::new(ErrorCode::GroupFull, format!("at most {most} members")));
        }
        for name in &create.usernames {
            members.push(self.user_id(name.trim()).await?);
        }
        members.sort_unstable();
        members.dedup();
        members.retain(|member| *member != user);

        let mut all = vec![user];
        all.extend(&members);
        let title = settings.title.clone().unwrap_or_default();
        let client_msg_id = if create.client_msg_id.is_empty() {
            format!("g.{:x}.{:016x}", self.now_ms, rand_id())
        } else {
            create.client_msg_id.clone()
        };
        let group = NewGroup {
            kind,
            creator: user,
            body: created(kind, title, &all),
            members,
            settings: settings.encode_to_vec().into(),
            client_msg_id,
            command_hash: self.key.hash_bytes(3, &create.encode_to_vec()),
        };
        let (id, made) = self.store.create_group(group, self.now_ms).await.map_err(failed)?;
        self.opened(user, id, made).await
    }

    async fn opened(&self, user: UserId, id: ConversationId, made: bool) -> Answer {
        let (heads, _) = self.store.heads(user, None, &[id], 1).await.map_err(failed)?;
        // The caller of a repeated create_group may have left the group since.
        let head = heads.first().map(rows::head).ok_or_else(not_member)?;
        let opened = wire::ConversationOpened { head: Some(head), created: made };
        Ok((Box::new(Outcome::ConversationOpened(opened)), made.then_some(id)))
    }

    async fn user_id(&self, name: &str) -> Result<UserId, CommandError> {
        let user = self.store.user_by_name(name).await.map_err(failed)?;
        let missing = || CommandError::new(ErrorCode::UserNotFound, format!("no user {name:?}"));
        Ok(user.ok_or_else(missing)?.user_id)
    }

    /// Everything `connected` tells.
    pub(super) async fn open_session(
        &self,
        user: UserId,
        name_hint: &str,
        cursors: &[(ConversationId, Seq)],
        dirty: &[CursorRow],
    ) -> Result<Opened, CommandError> {
        let profile = if self.config.auth.provision_unknown_users {
            Some(self.store.ensure_user(user, name_hint, self.now_ms).await.map_err(failed)?.0)
        } else {
            self.store.user(user).await.map_err(failed)?
        };
        let profile = profile.ok_or_else(|| {
            CommandError::new(ErrorCode::UserNotFound, "the token's user does not exist")
        })?;
        self.store.save_cursors(dirty).await.map_err(failed)?;
        let snapshot = self
            .store
            .session_snapshot(user, cursors, limits::CONNECT_HEADS, limits::CONNECT_SYNC)
            .await
            .map_err(failed)?;

        let mut covered: HashMap<ConversationId, Seq> =
            snapshot.heads.iter().map(|row| (row.conversation_id, row.head.seq)).collect();
        let mut missed = Vec::new();
        let mut sync = Vec::with_capacity(cursors.len());
        for ((id, seq), page) in cursors.iter().zip(&snapshot.syncs) {
            let Some(page) = page else {
                sync.push(wire::SyncState {
                    conversation_id: id.get(),
                    not_member: true,
                    ..Default::default()
                });
                continue;
            };
            covered.insert(*id, page.head.seq);
            let room = limits::CONNECT_SYNC_TOTAL.saturating_sub(missed.len());
            let pushed: Vec<_> = rows::within_budget(page.entries.iter()).take(room).collect();
            missed.extend(pushed.iter().copied().map(wire_entry));
            sync.push(wire::SyncState {
                conversation_id: id.get(),
                head_seq: page.head.seq,
                pushed_seq: pushed.last().map_or((*seq).min(page.head.seq), |row| row.seq),
                trimmed_floor: rows::trimmed_floor(page, *seq),
                not_member: false,
            });
        }
        let heads = rows::heads(&snapshot.heads, snapshot.more_heads);
        Ok(Opened { user: rows::user(&profile), heads, sync, missed, covered })
    }
}

fn check_settings(
    settings: wire::GroupSettings,
    limits: &LimitsConfig,
) -> Result<wire::GroupSettings, CommandError> {
    let long =
        |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.len() > most);
    if long(&settings.title, limits::MAX_TITLE_BYTES) {
        let error = format!("settings.title is longer than {} bytes", limits::MAX_TITLE_BYTES);
        return Err(CommandError::new(ErrorCode::TooLarge, error));
    }
    if long(&settings.description, limits::MAX_DESCRIPTION_BYTES)
        || long(&settings.avatar_url, limits::MAX_DESCRIPTION_BYTES)
    {
        let error = format!(
            "settings.description or avatar_url is longer than {} bytes",
            limits::MAX_DESCRIPTION_BYTES
        );
        return Err(CommandError::new(ErrorCode::TooLarge, error));
    }
    match settings.join_policy.map(JoinPolicy::try_from) {
        None | Some(Ok(JoinPolicy::InviteOnly | JoinPolicy::Open)) => {}
        Some(Ok(JoinPolicy::ByLink | JoinPolicy::ByApproval)) => {
            let error = "join_policy BY_LINK and BY_APPROVAL are not offered by this server";
            return Err(CommandError::new(ErrorCode::NotSupported, error));
        }
        Some(Err(_)) => return Err(invalid("settings.join_policy is not known")),
    }
    if settings.max_members.is_some_and(|most| most == 0 || most > limits.max_group_members) {
        let error = format!("settings.max_members must be 1 to {}", limits.max_group_members);
        return Err(invalid(error));
    }
    Ok(wire::GroupSettings { join_code: None, ..settings })
}

/// The encoded body of entry 1.
fn created(kind: ConversationKind, title: String, members: &[UserId]) -> bytes::Bytes {
    let member = |(place, user): (usize, &UserId)| wire::Member {
        user: Some(wire::User { user_id: user.get(), ..Default::default() }),
        role: match (kind, place) {
            (ConversationKind::Group | ConversationKind::Room, 0) => wire::Role::Owner.into(),
            _ => wire::Role::Member.into(),
        },
        ..Default::default()
    };
    let members = members.iter().enumerate().map(member).collect();
    let created = wire::Created { kind: kind as i32, title, members };
    wire::EntryBody { kind: Some(wire::entry_body::Kind::Created(created)) }.encode_to_vec().into()
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

fn not_member() -> CommandError {
    CommandError::new(ErrorCode::NotMember, "no such conversation, or you are not a member")
}

fn rand_id() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the time alone keeps ids apart, which is enough for one creator.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// What a failed store means to the client; the details stay in the server's log.
pub(super) fn failed(error: StoreError) -> CommandError {
    match error {
        StoreError::NoSuchUser => CommandError::new(ErrorCode::UserNotFound, "no such user"),
        StoreError::Unavailable(reason) => {
            tracing::warn!(reason, "the database is unavailable");
            let message = "the database cannot be reached at present";
            CommandError::retry(ErrorCode::Unavailable, message, limits::UNAVAILABLE_RETRY_MS)
        }
        error => {
            tracing::error!(%error, "a query failed");
            CommandError::new(ErrorCode::Internal, "the query failed")
        }
    }
}
