//! Logins: a refresh token gives the next access token, and a logout ends what a login can do.
//!
//! ```text
//!   register, login ─► access token (claim sid: the login) + refresh token
//!   refresh ─► the next of both │ used a second time ─► the login ends, its sessions with it
//!   logout ─► the login ends, or all of the user
//! ```

use std::fmt;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::{ErrorCode, UnixMs, wire};
use ringwire_storage::model::UserRow;
use ringwire_storage::refresh::{Login, NewRefreshToken, NextToken, Rotation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::Body;
use super::openapi::wire_types;
use crate::auth::{MintError, RefreshToken};
use crate::cli::unix_now_ms;
use crate::limits;
use crate::service::rows;

/// The longest `device_id`, in bytes, as in `connect`.
pub(super) const MAX_DEVICE_ID_BYTES: usize = 64;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(refresh)).routes(routes!(logout))
}

/// What registering, logging in and refreshing give.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// `user_id`, `username`, `display_name` and so on, as the schema says.
    #[schema(value_type = wire_types::User)]
    user: wire::User,
    /// For `Authorization: Bearer` and `connect`.
    token: String,
    /// When the token ceases to be valid: Unix milliseconds, a string as all 64-bit numbers.
    expires_at: String,
    /// For one use of `POST /api/v1/auth/refresh`.
    refresh_token: String,
    /// When that ceases to be valid.
    refresh_expires_at: String,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user_id", &self.user.user_id).finish_non_exhaustive()
    }
}

/// Begins a login of a user who has proved who they are. `device_id`: as they name it in `connect`; may be empty.
pub(super) async fn sign_in(
    state: &ServiceState,
    user: UserRow,
    device_id: String,
    status: StatusCode,
) -> ApiResult<SignedIn> {
    if device_id.len() > MAX_DEVICE_ID_BYTES || device_id.contains('\0') {
        let message = format!("device_id: at most {MAX_DEVICE_ID_BYTES} bytes, none of them zero");
        return Err(ApiError::new(ErrorCode::InvalidArgument, message));
    }
    let now_ms = unix_now_ms();
    refuse_banned(state, &user, now_ms).await?;
    let minter = &state.0.keys.refresh;
    let (refresh, family_id) = minter.first().map_err(failed)?;
    let login = Login { user_id: user.user_id, family_id, device_id };
    let expires_at = minter.expires_at(now_ms);
    let token = NewRefreshToken { token_hash: refresh.hash(), login: login.clone(), expires_at };
    state.0.store.create_refresh_token(token, limits::MAX_DEVICES, now_ms).await?;
    signed_in(state, &user, &login, &refresh, status)
}

async fn refuse_banned(
    state: &ServiceState,
    user: &UserRow,
    now_ms: UnixMs,
) -> Result<(), ApiError> {
    match state.0.store.account_ban(user.user_id, now_ms).await? {
        Some(_) => Err(ApiError::new(ErrorCode::Banned, "this account is banned")),
        None => Ok(()),
    }
}

fn signed_in(
    state: &ServiceState,
    user: &UserRow,
    login: &Login,
    refresh: &RefreshToken,
    status: StatusCode,
) -> ApiResult<SignedIn> {
    let now_ms = unix_now_ms();
    let keys = &state.0.keys;
    let minted = keys
        .minter
        .mint(user.user_id, Some(&user.username), Some(login.family_id), None, now_ms)
        .map_err(failed)?;
    let answer = SignedIn {
        user: rows::user(user),
        token: minted.token,
        expires_at: minted.expires_at_ms.to_string(),
        refresh_token: refresh.expose().to_owned(),
        refresh_expires_at: keys.refresh.expires_at(now_ms).to_string(),
    };
    Ok((status, Json(answer)))
}

fn failed(error: MintError) -> ApiError {
    ApiError::new(ErrorCode::Internal, error.to_string())
}

/// `POST /api/v1/auth/refresh`
#[derive(Deserialize, ToSchema)]
pub(super) struct RefreshRequest {
    /// From the login, or from the refresh before.
    #[schema(value_type = String)]
    refresh_token: Zeroizing<String>,
}

/// Gives the next access token for a refresh token.
///
/// The same answer may be had again for half a minute, until the new token is used.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "logins",
    security(()),
    request_body = RefreshRequest,
    responses((status = 200, description = "The next tokens.", body = SignedIn)),
)]
async fn refresh(
    State(state): State<ServiceState>,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<SignedIn> {
    let refused = |message: &str| ApiError::new(ErrorCode::Unauthenticated, message);
    let unknown = || refused("this refresh token is not known here");
    let used = RefreshToken::parse(&request.refresh_token).ok_or_else(unknown)?;
    let minter = &state.0.keys.refresh;
    let now_ms = unix_now_ms();
    let next = minter.next(&used);
    let kept = NextToken { token_hash: next.hash(), expires_at: minter.expires_at(now_ms) };
    match state.0.store.rotate_refresh_token(used.hash(), kept, now_ms).await? {
        Rotation::Rotated(login) | Rotation::Repeated(login) => {
            let user = state.0.store.user(login.user_id).await?.ok_or_else(unknown)?;
            refuse_banned(&state, &user, now_ms).await?;
            signed_in(&state, &user, &login, &next, StatusCode::OK)
        }
        Rotation::Reused(login) => {
            tracing::warn!(user = %login.user_id, "a refresh token came a second time; its login ends");
            state.end_login(login.user_id, Some(login.family_id));
            Err(refused("this refresh token was used before, so its login has ended; log in again"))
        }
        Rotation::Revoked => Err(refused("this login has ended; log in again")),
        Rotation::Expired => {
            let message = "this refresh token has expired; log in again";
            Err(ApiError::new(ErrorCode::TokenExpired, message))
        }
        Rotation::Unknown => Err(unknown()),
    }
}

/// `POST /api/v1/auth/logout`. The body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct LogoutRequest {
    /// Every login of the user, on all devices.
    #[serde(default)]
    everywhere: bool,
}

/// Ends the login that the bearer's token is of, or all of the user's.
///
/// Sessions of it end with it. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "logins",
    request_body = Option<LogoutRequest>,
    responses((status = 204, description = "Logged out.")),
)]
async fn logout(
    State(state): State<ServiceState>,
    bearer: Bearer,
    request: axum::extract::Request,
) -> Result<StatusCode, ApiError> {
    let asked = if request.headers().contains_key(axum::http::header::CONTENT_TYPE) {
        <Body<LogoutRequest> as axum::extract::FromRequest<()>>::from_request(request, &()).await?.0
    } else {
        LogoutRequest::default()
    };
    let (user, now_ms) = (bearer.user_id, unix_now_ms());
    match bearer.login {
        _ if asked.everywhere => {
            state.0.store.revoke_refresh_tokens(user, None, now_ms).await?;
            state.end_login(user, None);
        }
        Some(login) => {
            state.0.store.revoke_refresh_family(login, now_ms).await?;
            state.end_login(user, Some(login));
        }
        None => {
            let message = "this token is of no login; it ends when it expires";
            return Err(ApiError::new(ErrorCode::InvalidArgument, message));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
