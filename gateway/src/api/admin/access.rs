//! Logins of operators.

use std::fmt;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs};
use ringwire_storage::operators::OperatorRow;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::super::ServiceState;
use super::super::attempts::Client;
use super::super::error::{ApiError, ApiResult};
use super::super::input::Body;
use super::lockout::Tries;
use super::trail::{self, Operator};
use crate::auth::is_username;
use crate::cli::unix_now_ms;

/// What a token begins with, so that it is known for what it is.
const PREFIX: &str = "rwop_";
/// The longest password that is looked at, in characters; the console makes none that is longer.
pub(super) const MAX_PASSWORD_CHARS: usize = 1024;
/// How long a login lasts, in milliseconds.
const LOGIN_MS: UnixMs = 8 * 60 * 60 * 1000;

/// `POST /api/v1/admin/login`
#[derive(Deserialize)]
pub(super) struct LoginRequest {
    name: String,
    password: Zeroizing<String>,
}

/// An operator, for operators.
#[derive(Debug, Serialize)]
pub(super) struct OperatorView {
    name: String,
    role: &'static str,
    created_at: String,
    disabled: bool,
}

impl From<OperatorRow> for OperatorView {
    fn from(row: OperatorRow) -> Self {
        Self {
            name: row.name,
            role: row.role.name(),
            created_at: row.created_at.to_string(),
            disabled: row.disabled_at > 0,
        }
    }
}

/// What a login gives.
#[derive(Serialize)]
pub(super) struct LoggedIn {
    operator: OperatorView,
    /// For `Authorization: Bearer`.
    token: String,
    /// Unix milliseconds.
    expires_at: String,
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").field("operator", &self.operator).finish_non_exhaustive()
    }
}

pub(super) async fn login(
    State(state): State<ServiceState>,
    client: Client,
    Body(request): Body<LoginRequest>,
) -> ApiResult<LoggedIn> {
    if request.password.chars().count() > MAX_PASSWORD_CHARS {
        let message = format!("password: at most {MAX_PASSWORD_CHARS} characters");
        return Err(ApiError::new(ErrorCode::InvalidArgument, message));
    }
    let name = Some(request.name.trim()).filter(|name| is_username(name));
    let tries = Tries::new(name, client.address());
    let lockout = &state.0.administration.lockout;
    if let Err(wait) = lockout.enter(&tries, Instant::now()) {
        trail::not_logged_in(&state, name, ErrorCode::RateLimited).await?;
        return Err(too_many(wait));
    }
    let found = match name {
        Some(name) => state.0.store.operator_credentials(name).await?,
        None => None,
    };
    let (operator, hash) = found.unzip();
    let matches = state.0.hasher.verify(request.password, hash).await?;
    let Some(operator) = operator.filter(|_| matches) else {
        trail::not_logged_in(&state, name, ErrorCode::InvalidCredentials).await?;
        let message = "the operator's name or password is wrong";
        return Err(ApiError::new(ErrorCode::InvalidCredentials, message));
    };
    lockout.succeeded(&tries);
    let token = fresh_token()?;
    let now_ms = unix_now_ms();
    let expires_at = now_ms + LOGIN_MS;
    state.0.store.begin_operator_login(operator.id, hash_of(&token), now_ms, expires_at).await?;
    trail::logged_in(&state, &operator).await?;
    let answer = LoggedIn { operator: operator.into(), token, expires_at: expires_at.to_string() };
    Ok((StatusCode::OK, Json(answer)))
}

fn too_many(wait: Duration) -> ApiError {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    let message = "too many failed logins; wait";
    CommandError::retry(ErrorCode::RateLimited, message, wait_ms).into()
}

fn fresh_token() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the system gives no random bytes"))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn hash_of(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// The token of a request, if it is one of an operator's.
fn token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| token.starts_with(PREFIX))
        .ok_or_else(|| {
            let message =
                "the header Authorization has to be: Bearer, a space, an operator's token";
            ApiError::new(ErrorCode::Unauthenticated, message)
        })
}

/// Whose token came with a request.
pub(super) async fn bearer(
    state: &ServiceState,
    headers: &HeaderMap,
) -> Result<OperatorRow, ApiError> {
    let found = state.0.store.operator_by_token(hash_of(token(headers)?), unix_now_ms()).await?;
    let over = || ApiError::new(ErrorCode::Unauthenticated, "this login is over; log in again");
    found.ok_or_else(over)
}

/// Ends the login of the request's token.
pub(super) async fn logout(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    operator.note(&state, &json!({})).await?;
    state.0.store.end_operator_login(hash_of(token(&headers)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn me(Extension(operator): Extension<Operator>) -> Json<OperatorView> {
    Json(operator.row.into())
}

/// All operators.
pub(super) async fn operators(
    State(state): State<ServiceState>,
) -> Result<Json<serde_json::Value>, ApiError> {
    let operators = state.0.store.operators().await?;
    let operators: Vec<OperatorView> = operators.into_iter().map(Into::into).collect();
    Ok(Json(json!({"operators": operators})))
}
