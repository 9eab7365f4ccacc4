//! Users and conversations as operators see them, and what they do about them. Nothing tells what people wrote.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use ringwire_protocol::{ConversationId, ErrorCode, UnixMs, UserId};
use ringwire_storage::StoreError;
use ringwire_storage::moderation::{AccountBan, FoundUser, OrderKind};
use ringwire_storage::operators::OperatorRole;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::super::ServiceState;
use super::super::error::ApiError;
use super::super::input::{Body, Named, Parameters};
use super::trail::Operator;
use super::views::{ConversationView, UserView, UsersPage, WholeUser};
use crate::cli::unix_now_ms;
use crate::command::text::{check_name, check_speech};

/// Users on a page.
const PAGE: u32 = 50;
/// The longest search, in characters.
pub(super) const MAX_QUERY_CHARS: usize = 254;
/// Members of a conversation that are told.
const MEMBERS: usize = 200;
/// Conversations of a user that are told.
const CONVERSATIONS: u32 = 100;
/// The longest reason of a ban, in characters.
pub(super) const MAX_REASON_CHARS: usize = 500;
/// The longest text of a broadcast, in characters.
pub(super) const MAX_TEXT_CHARS: usize = 2000;
/// Users that one broadcast may name.
pub(super) const MAX_USERS: usize = 1000;
/// Those of them that the audit log names.
const NAMED_USERS: usize = 100;

fn invalid(message: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}

pub(super) fn user_id(text: &str) -> Result<UserId, ApiError> {
    let id = text.parse().ok().and_then(UserId::new);
    id.ok_or_else(|| invalid("user_id: a number from 1 to 9007199254740991"))
}

/// `GET /api/v1/admin/users`
#[derive(Debug, Deserialize)]
pub(super) struct SearchRequest {
    /// The beginning of a user name, an id, or a whole e-mail address.
    #[serde(default)]
    q: String,
    #[serde(default)]
    page_token: String,
}

/// Users by name, id or address.
pub(super) async fn search(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Parameters(request): Parameters<SearchRequest>,
) -> Result<Json<UsersPage>, ApiError> {
    let q = request.q.trim();
    if request.q.chars().count() > MAX_QUERY_CHARS {
        return Err(invalid("q: at most 254 characters"));
    }
    if request.page_token.chars().count() > MAX_QUERY_CHARS {
        return Err(invalid("page_token: not one that was given here"));
    }
    check_name(q, "q")?;
    check_name(&request.page_token, "page_token")?;
    let store = &state.0.store;
    let mut found = store.find_users(q, &request.page_token, PAGE + 1).await?;
    let next = (found.len() > PAGE as usize).then(|| {
        found.truncate(PAGE as usize);
        found.last().map(|found| found.user.username.clone()).unwrap_or_default()
    });
    if request.page_token.is_empty() {
        let id = q.parse().ok().and_then(UserId::new);
        if id.is_some() || q.contains('@') {
            let exact = store.find_user(id, q).await?;
            let is_new = |exact: &FoundUser| {
                !found.iter().any(|found| found.user.user_id == exact.user.user_id)
            };
            if let Some(exact) = exact.filter(is_new) {
                found.insert(0, exact);
            }
        }
    }
    let now = unix_now_ms();
    let mut users = Vec::with_capacity(found.len());
    for user in &found {
        let ban = store.account_ban(user.user.user_id, now).await?;
        users.push(UserView::of(user, ban, sees_addresses(&operator)));
    }
    Ok(Json(UsersPage { users, next_page_token: next.unwrap_or_default() }))
}

/// An address is nobody's business who only looks.
fn sees_addresses(operator: &Operator) -> bool {
    operator.row.role >= OperatorRole::Moderator
}

async fn found(state: &ServiceState, id: UserId) -> Result<FoundUser, ApiError> {
    let unknown = || ApiError::new(ErrorCode::UserNotFound, "there is no such user");
    state.0.store.find_user(Some(id), "").await?.ok_or_else(unknown)
}

/// One user: devices and conversations too.
pub(super) async fn user(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Named(id): Named,
) -> Result<Json<WholeUser>, ApiError> {
    let id = user_id(&id)?;
    let found = found(&state, id).await?;
    let store = &state.0.store;
    let ban = store.account_ban(id, unix_now_ms()).await?;
    let devices = store.devices(id).await?;
    let (heads, _) = store.heads(id, None, &[], CONVERSATIONS).await?;
    Ok(Json(WholeUser {
        user: UserView::of(&found, ban, sees_addresses(&operator)),
        devices: devices.into_iter().map(Into::into).collect(),
        conversations: heads.into_iter().map(Into::into).collect(),
    }))
}

/// One conversation: what it is and who is in it.
pub(super) async fn conversation(
    State(state): State<ServiceState>,
    Named(id): Named,
) -> Result<Json<ConversationView>, ApiError> {
    let id = id.parse().ok().and_then(ConversationId::new);
    let id = id.ok_or_else(|| invalid("conversation_id: a number from 1 to 9007199254740991"))?;
    let unknown =
        || ApiError::new(ErrorCode::ConversationNotFound, "there is no such conversation");
    let snapshot = state.0.store.load_conversation(id, 1).await?.ok_or_else(unknown)?;
    let members = snapshot.members.iter().take(MEMBERS);
    let ids: Vec<UserId> = members.map(|member| member.user_id).collect();
    let users = state.0.store.users(&ids).await?;
    let name =
        |id: UserId| users.iter().find(|user| user.user_id == id).map(|user| &*user.username);
    Ok(Json(ConversationView::of(id, snapshot, MEMBERS, name)))
}

/// Has every node do something.
async fn order(
    state: &ServiceState,
    kind: OrderKind,
    users: &[UserId],
    text: &str,
) -> Result<(), ApiError> {
    state.0.store.give_order(kind, users, text).await?;
    state.0.facts.reach.ordered.notify_one();
    Ok(())
}

/// Ends the sessions of a user on every node. They may come back.
pub(super) async fn kick(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    let id = user_id(&id)?;
    if found(&state, id).await?.deleted_at > 0 {
        return Err(ApiError::new(ErrorCode::UserNotFound, "this account is deleted"));
    }
    operator.note(&state, &json!({})).await?;
    order(&state, OrderKind::Kick, &[id], "").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/admin/users/{user_id}/ban`
#[derive(Debug, Default, Deserialize)]
pub(super) struct BanRequest {
    #[serde(default)]
    reason: String,
    /// Seconds; left out or 0: for good.
    #[serde(default)]
    seconds: u32,
}

/// Keeps an account out: no login, no token of it is good, its sessions end on every node.
pub(super) async fn ban(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Named(id): Named,
    Body(request): Body<BanRequest>,
) -> Result<StatusCode, ApiError> {
    let id = user_id(&id)?;
    if request.reason.chars().count() > MAX_REASON_CHARS {
        return Err(invalid("reason: at most 500 characters"));
    }
    let reason = request.reason.trim();
    check_speech(reason, "reason")?;
    found(&state, id).await?;
    let now = unix_now_ms();
    let until = if request.seconds == 0 { 0 } else { now + UnixMs::from(request.seconds) * 1000 };
    let detail = json!({"reason": reason, "until": until.to_string()});
    operator.note(&state, &detail).await?;
    let ban = AccountBan {
        user_id: id,
        banned_at: now,
        until,
        reason: reason.to_owned(),
        operator: operator.row.id,
    };
    state.0.store.ban_account(ban).await.map_err(|error| match error {
        StoreError::NoSuchUser => ApiError::new(ErrorCode::UserNotFound, "there is no such user"),
        other => other.into(),
    })?;
    state.0.store.revoke_refresh_tokens(id, None, now).await?;
    order(&state, OrderKind::Ban, &[id], "").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets an account in again.
pub(super) async fn unban(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Named(id): Named,
) -> Result<StatusCode, ApiError> {
    let id = user_id(&id)?;
    found(&state, id).await?;
    operator.note(&state, &json!({})).await?;
    if state.0.store.unban_account(id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::new(ErrorCode::NotFound, "this account is not banned"))
}

/// `POST /api/v1/admin/broadcast`
#[derive(Debug, Deserialize)]
pub(super) struct BroadcastRequest {
    text: String,
    /// Left out: everybody. A null is no list that was left out.
    #[serde(default, deserialize_with = "a_list")]
    user_ids: Option<Vec<String>>,
}

fn a_list<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Vec<String>>, D::Error> {
    Vec::deserialize(given).map(Some)
}

/// Tells the sessions there are something, on every node. Whoever is not there misses it.
pub(super) async fn broadcast(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Body(request): Body<BroadcastRequest>,
) -> Result<StatusCode, ApiError> {
    let text = request.text.trim();
    if text.is_empty() || request.text.chars().count() > MAX_TEXT_CHARS {
        return Err(invalid("text: 1 to 2000 characters"));
    }
    check_speech(text, "text")?;
    // A list that came out empty does not mean everybody.
    if request.user_ids.as_ref().is_some_and(|ids| !(1..=MAX_USERS).contains(&ids.len())) {
        return Err(invalid("user_ids: 1 to 1000, or left out for everybody"));
    }
    let ids = request.user_ids.unwrap_or_default();
    let users: Vec<UserId> = ids.iter().map(|id| user_id(id)).collect::<Result<_, _>>()?;
    let known = state.0.store.users(&users).await?;
    let is_known = |id: &&UserId| known.iter().any(|user| user.user_id == **id);
    if let Some(id) = users.iter().find(|id| !is_known(id)) {
        let message = format!("user_ids: there is no user {id}");
        return Err(ApiError::new(ErrorCode::UserNotFound, message));
    }
    let mut detail = json!({"text": text});
    if !users.is_empty() {
        let named = users.iter().take(NAMED_USERS).map(UserId::to_string);
        detail["user_ids"] = named.collect::<Vec<_>>().into();
        detail["users"] = users.len().into();
    }
    operator.note(&state, &detail).await?;
    order(&state, OrderKind::Notice, &users, text).await?;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_null_does_not_mean_everybody() {
        let parse = |body: Value| serde_json::from_value::<BroadcastRequest>(body);
        let everybody = parse(json!({"text": "a"})).unwrap();
        assert!(everybody.user_ids.is_none());
        assert!(parse(json!({"text": "a", "user_ids": null})).is_err());
        assert_eq!(
            parse(json!({"text": "a", "user_ids": ["1"]})).unwrap().user_ids.unwrap(),
            ["1"]
        );
    }
}
