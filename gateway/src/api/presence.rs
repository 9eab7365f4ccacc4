//! How users show at this moment, asked once; a socket is told of every change (`watch_presence`).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use ringwire_protocol::{ErrorCode, UserId, wire};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::commands::fields;
use super::error::{ApiError, ApiResult};
use super::openapi::wire_types;
use crate::limits;
use crate::presence::May;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(presence))
}

/// The users that a query names.
pub(super) struct Users(Vec<UserId>);

impl<S: Send + Sync> FromRequestParts<S> for Users {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = fields::query(parts).await?;
        let invalid = |message: &str| ApiError::new(ErrorCode::InvalidArgument, message);
        let named = query.iter().filter(|(name, _)| name == "user_ids");
        let ids = named.flat_map(|(_, ids)| ids.split(',')).map(|id| {
            let id = id.parse().ok().and_then(UserId::new);
            id.ok_or_else(|| invalid("user_ids: ids of users, repeated or with commas"))
        });
        let users: Vec<UserId> = ids.collect::<Result<_, _>>()?;
        if users.is_empty() {
            return Err(invalid("user_ids is missing"));
        }
        if users.len() > limits::MAX_NAMED {
            let message = format!("user_ids: at most {}", limits::MAX_NAMED);
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        Ok(Self(users))
    }
}

/// How users show at this moment.
///
/// Users whose presence the caller may not see show as OFFLINE. On a server of several nodes this one tells what it knows.
#[utoipa::path(
    get,
    path = "/api/v1/presence",
    tag = "presence",
    params(("user_ids" = Vec<u64>, Query, description = "Ids of users, at most 200: repeated or with commas.")),
    responses((status = 200, description = "Each user once, in the order of their ids.", body = wire_types::PresencePush)),
)]
async fn presence(
    State(state): State<ServiceState>,
    Bearer { user_id: watcher, .. }: Bearer,
    Users(users): Users,
) -> ApiResult<wire::PresencePush> {
    let seen = state.0.store.visible_presence(watcher, &users).await?;
    let may: BTreeMap<UserId, May> = seen.iter().map(May::of).collect();
    let visible: Vec<UserId> = may.keys().copied().collect();
    let shown = state.shown(&visible).await?;
    let mut told: Vec<wire::Presence> = Vec::with_capacity(users.len());
    for user in users {
        let may = may.get(&user).copied().unwrap_or_default();
        told.push(may.tell(user, shown.get(&user)));
    }
    told.sort_unstable_by_key(|presence| presence.user_id);
    told.dedup_by_key(|presence| presence.user_id);
    Ok((StatusCode::OK, Json(wire::PresencePush { users: told })))
}
