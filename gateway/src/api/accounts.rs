//! Registration and login.

use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::ErrorCode;
use ringwire_storage::model::{NewUser, Registration};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ServiceState;
use super::error::{ApiError, ApiResult};
use super::input::{Body, check_email, check_password, check_username};
use super::logins::{SignedIn, sign_in};
use crate::auth::is_username;
use crate::cli::unix_now_ms;
use crate::command::text::is_name;

/// `POST /api/v1/auth/register`
#[derive(Deserialize)]
pub(super) struct RegisterRequest {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
    password: Zeroizing<String>,
    device_id: Option<String>,
}

/// `POST /api/v1/auth/login`, with `username` or `email`; either may hold the one or the other.
#[derive(Deserialize)]
pub(super) struct LoginRequest {
    username: Option<String>,
    email: Option<String>,
    password: Zeroizing<String>,
    device_id: Option<String>,
}

/// The longest display name, in characters.
const MAX_DISPLAY_NAME_CHARS: usize = 64;

pub(super) async fn register(
    State(state): State<ServiceState>,
    Body(request): Body<RegisterRequest>,
) -> ApiResult<SignedIn> {
    if !state.0.config.auth.registration {
        return Err(ApiError::new(ErrorCode::Forbidden, "this server does not register accounts"));
    }
    check_username(&request.username)?;
    let email = request.email.filter(|email| !email.is_empty());
    email.as_deref().map_or(Ok(()), check_email)?;
    check_password(&request.password)?;
    let display_name = request.display_name.unwrap_or_default();
    if display_name.chars().count() > MAX_DISPLAY_NAME_CHARS || !is_name(&display_name) {
        return Err(ApiError::new(
            ErrorCode::InvalidArgument,
            "display_name: at most 64 characters, none that controls or turns the text",
        ));
    }
    let password_hash = state.0.hasher.hash(request.password).await?;
    let new = NewUser { username: request.username, email, display_name, password_hash };
    match state.0.store.register(new, unix_now_ms()).await? {
        Registration::Registered(user) => {
            let device_id = request.device_id.unwrap_or_default();
            sign_in(&state, user, device_id, StatusCode::CREATED).await
        }
        Registration::UsernameTaken => {
            Err(ApiError::new(ErrorCode::AlreadyExists, "username: somebody has this name"))
        }
        Registration::EmailTaken => {
            Err(ApiError::new(ErrorCode::AlreadyExists, "email: somebody has this address"))
        }
    }
}

pub(super) async fn login(
    State(state): State<ServiceState>,
    Body(request): Body<LoginRequest>,
) -> ApiResult<SignedIn> {
    let login = request.username.or(request.email).filter(|login| !login.is_empty());
    let Some(login) = login else {
        return Err(ApiError::new(ErrorCode::InvalidArgument, "username or email is missing"));
    };
    // What can be neither name nor address belongs to nobody; the password is checked all the same, against none.
    let possible = is_username(&login) || check_email(&login).is_ok();
    let found = if possible { state.0.store.credentials(&login).await? } else { None };
    let (user, hash) = found.unzip();
    let matches = state.0.hasher.verify(request.password, hash).await?;
    match user {
        Some(user) if matches => {
            let device_id = request.device_id.unwrap_or_default();
            sign_in(&state, user, device_id, StatusCode::OK).await
        }
        _ => Err(ApiError::new(
            ErrorCode::InvalidCredentials,
            "the user name, e-mail address or password is wrong",
        )),
    }
}
