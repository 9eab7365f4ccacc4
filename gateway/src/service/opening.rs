//! Commands that make conversations: transactions of their own, outside the writers' batches.

use prost::Message as _;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UserId, wire};
use ringwire_storage::model::{ConversationKind, NewGroup};
use wire::reply::Outcome;

use super::ask::News;
use super::queries::{Answer, Queries, failed, not_member};
use super::rows;
use crate::auth::is_username;
use crate::command::message::{SERVER_ID_PREFIX, invalid};
use crate::command::named::Named;
use crate::config::LimitsConfig;
use crate::conversation::settings;

impl Queries<'_> {
    fn limits(&self) -> &LimitsConfig {
        &self.config.limits
    }

    pub(super) async fn open_direct(&self, user: UserId, open: wire::OpenDirect) -> Answer {
        let other = match (UserId::new(open.user_id), open.username.trim()) {
            (Some(other), "") => other,
            (None, name) if open.user_id == 0 && !name.is_empty() => self.user_id(name).await?,
            (None, _) if open.user_id != 0 => return Err(invalid("user_id is out of range")),
            _ => return Err(invalid("give either user_id or username")),
        };
        if other == user {
            return Err(invalid("a direct conversation needs another user"));
        }
        self.may_open(user, other).await?;
        let body = created(ConversationKind::Direct, String::new(), &[user, other]);
        let opened = self.store.open_direct(user, other, self.now_ms, body).await;
        let (id, made) = opened.map_err(failed)?;
        self.opened(user, id, made).await
    }

    pub(super) async fn create_group(&self, user: UserId, create: wire::CreateGroup) -> Answer {
        let kind = match wire::ConversationKind::try_from(create.kind) {
            // A group is what most callers mean; a direct conversation is never created this way.
            Ok(wire::ConversationKind::Direct | wire::ConversationKind::Group) => {
                ConversationKind::Group
            }
            Ok(wire::ConversationKind::Room) => ConversationKind::Room,
            Err(_) => return Err(invalid("kind is not known")),
        };
        let settings = create.settings.clone().unwrap_or_default();
        settings::check(&settings, self.limits())?;
        settings::fits_kind(&settings, kind)?;
        let settings = wire::GroupSettings { join_code: None, ..settings };
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
            format!("{SERVER_ID_PREFIX}g.{:x}.{:016x}", self.now_ms, rand_id())
        } else {
            create.client_msg_id.clone()
        };
        let command_hash = self.key.hash_bytes(3, &create.encode_to_vec());
        let group = NewGroup {
            kind,
            creator: user,
            body: created(kind, title, &all),
            members,
            settings: settings.encode_to_vec().into(),
            client_msg_id,
            command_hash,
        };
        let (id, made) = self.store.create_group(group, self.now_ms).await.map_err(failed)?;
        if !made {
            self.check_repeated(user, id, command_hash).await?;
        }
        self.opened(user, id, made).await
    }

    /// A `client_msg_id` that made a group before must have been the same command. Where entry 1 can no longer be read
    /// the id alone decides.
    async fn check_repeated(
        &self,
        user: UserId,
        id: ConversationId,
        command_hash: i64,
    ) -> Result<(), CommandError> {
        let page = self.store.sync_page(user, id, 0, 1).await.map_err(failed)?;
        let first = page.as_ref().and_then(|page| page.entries.first());
        if first.is_some_and(|row| row.seq == 1 && row.command_hash != command_hash) {
            let message = "this client_msg_id was used for another command";
            return Err(CommandError::new(ErrorCode::Conflict, message));
        }
        Ok(())
    }

    async fn opened(&self, user: UserId, id: ConversationId, made: bool) -> Answer {
        let (heads, _) = self.store.heads(user, None, &[id], 1).await.map_err(failed)?;
        // The caller of a repeated create_group may have left the group since.
        let head = heads
            .first()
            .map(|row| rows::head(row, &self.key, self.now_ms))
            .ok_or_else(not_member)?;
        let opened = wire::ConversationOpened { head: Some(head), created: made };
        Ok((Box::new(Outcome::ConversationOpened(opened)), made.then_some(News::Made(id))))
    }

    /// The users that a command names, each once, by id; all of them exist. Files that it names are described in it.
    pub(super) async fn identify(&self, named: &mut Named) -> Result<Vec<UserId>, CommandError> {
        self.describe_files(&mut named.submission).await?;
        let Named { users, usernames, .. } = named;
        if users.is_empty() && usernames.is_empty() {
            return Ok(Vec::new());
        }
        let mut users = users.clone();
        let known = self.store.users(&users).await.map_err(failed)?;
        let missing =
            users.iter().find(|user| known.binary_search_by_key(*user, |row| row.user_id).is_err());
        if let Some(missing) = missing {
            return Err(CommandError::new(ErrorCode::UserNotFound, format!("no user {missing}")));
        }
        for name in usernames {
            users.push(self.user_id(name.trim()).await?);
        }
        users.sort_unstable();
        users.dedup();
        Ok(users)
    }

    async fn user_id(&self, name: &str) -> Result<UserId, CommandError> {
        // Names are checked when they are made; what cannot be one is not looked for.
        let user = if is_username(name) {
            self.store.user_by_name(name).await.map_err(failed)?
        } else {
            None
        };
        let missing = || CommandError::new(ErrorCode::UserNotFound, format!("no user {name:?}"));
        Ok(user.ok_or_else(missing)?.user_id)
    }
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

fn rand_id() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the time alone keeps ids apart, which is enough for one creator.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
