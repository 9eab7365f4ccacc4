//! Registration and login.

use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::ErrorCode;
use ringwire_storage::model::{NewUser, Registration};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::ServiceState;
use super::attempts::Client;
use super::error::{ApiError, ApiResult};
use super::input::{
    Body, check_display_name, check_email, check_password, check_username, given_login, is_login,
};
use super::logins::{SignedIn, sign_in};
use super::own::{email_taken, username_taken};
use crate::cli::unix_now_ms;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(register)).routes(routes!(login))
}

/// `POST /api/v1/auth/register`
#[derive(Deserialize, ToSchema)]
pub(super) struct RegisterRequest {
    /// 1 to 64 letters (a-z), digits, underscores, dots or hyphens.
    username: String,
    /// May stand for the name at logins.
    email: Option<String>,
    /// How others see the user; at most 64 characters.
    display_name: Option<String>,
    /// 8 to 256 characters of any kind.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
    /// As in `connect`: stable for one installation.
    device_id: Option<String>,
}

/// `POST /api/v1/auth/login`, with `username` or `email`; either may hold the one or the other.
#[derive(Deserialize, ToSchema)]
pub(super) struct LoginRequest {
    /// The user's name, or their address.
    username: Option<String>,
    /// The same.
    email: Option<String>,
    /// The account's password.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
    /// As in `connect`: stable for one installation.
    device_id: Option<String>,
}

/// Makes an account and begins its first login.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    tag = "logins",
    security(()),
    request_body = RegisterRequest,
    responses((status = 201, description = "The account is made.", body = SignedIn)),
)]
async fn register(
    State(state): State<ServiceState>,
    client: Client,
    Body(request): Body<RegisterRequest>,
) -> ApiResult<SignedIn> {
    if !state.0.config.auth.registration {
        return Err(ApiError::new(ErrorCode::Forbidden, "this server does not register accounts"));
    }
    check_username(&request.username)?;
    let email = request.email.filter(|email| !email.is_empty());
    email.as_deref().map_or(Ok(()), check_email)?;
    check_password("password", &request.password)?;
    let display_name = request.display_name.unwrap_or_default();
    check_display_name(&display_name)?;
    state.0.attempts.of_client(client)?;
    let password_hash = state.0.hasher.hash(request.password).await?;
    let new = NewUser { username: request.username, email, display_name, password_hash };
    match state.0.store.register(new, unix_now_ms()).await? {
        Registration::Registered(user) => {
            let device_id = request.device_id.unwrap_or_default();
            sign_in(&state, user, device_id, StatusCode::CREATED).await
        }
        Registration::UsernameTaken => Err(username_taken()),
        Registration::EmailTaken => Err(email_taken()),
    }
}

/// Begins a login.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "logins",
    security(()),
    request_body = LoginRequest,
    responses((status = 200, description = "Logged in.", body = SignedIn)),
)]
async fn login(
    State(state): State<ServiceState>,
    client: Client,
    Body(request): Body<LoginRequest>,
) -> ApiResult<SignedIn> {
    let login = given_login(request.username, request.email)?;
    state.0.attempts.of_client(client)?;
    state.0.attempts.of_name(&login)?;
    // What can be neither name nor address belongs to nobody; the password is checked all the same, against none.
    let checked = async {
        let found = if is_login(&login) { state.0.store.credentials(&login).await? } else { None };
        let (user, hash) = found.unzip();
        let matches = state.0.hasher.verify(request.password, hash).await?;
        Ok(user.filter(|_| matches))
    };
    let checked: Result<_, ApiError> = checked.await;
    if !matches!(checked, Ok(None)) {
        state.0.attempts.was_not_wrong(&login);
    }
    let wrong = || {
        let message = "the user name, e-mail address or password is wrong";
        ApiError::new(ErrorCode::InvalidCredentials, message)
    };
    let user = checked?.ok_or_else(wrong)?;
    let device_id = request.device_id.unwrap_or_default();
    sign_in(&state, user, device_id, StatusCode::OK).await
}
