//! One's own account: looking at it, changing it, and a new password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::ErrorCode;
use ringwire_storage::model::UserRow;
use ringwire_storage::profiles::{AccountChange, AccountRow, AccountUpdate};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::ServiceState;
use super::attempts::Client;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{
    Body, check_avatar, check_color, check_display_name, check_email, check_password,
    check_status_text, check_username, invalid,
};
use super::users::Profile;
use crate::cli::unix_now_ms;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(show, change)).routes(routes!(password))
}

/// An account as its user sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Account {
    #[serde(flatten)]
    profile: Profile,
    /// Address; null: none.
    email: Option<String>,
    /// Whether this server knows a password; people of other issuers need none.
    has_password: bool,
    /// When the account was made: Unix milliseconds.
    created_at: String,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            created_at: row.profile.user.created_at.to_string(),
            profile: row.profile.into(),
            email: row.email,
            has_password: row.has_password,
        }
    }
}

/// The caller's account.
#[utoipa::path(
    get,
    path = "/api/v1/account",
    operation_id = "get_account",
    tag = "account",
    responses((status = 200, description = "The account as its user sees it.", body = Account)),
)]
async fn show(State(state): State<ServiceState>, bearer: Bearer) -> ApiResult<Account> {
    let user = bearer.existing()?;
    let account = state.0.store.account(user.user_id).await?.ok_or_else(gone)?;
    Ok((StatusCode::OK, Json(account.into())))
}

fn gone() -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, "the token's user is not known here")
}

/// `PATCH /api/v1/account`: what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct AccountRequest {
    /// 1 to 64 letters (a-z), digits, underscores, dots or hyphens.
    username: Option<String>,
    /// Null or empty: none from now on.
    #[serde(default, deserialize_with = "null_is_empty")]
    email: Option<String>,
    /// At most 64 characters.
    display_name: Option<String>,
    /// An address of the web, or of a file that the caller uploaded for this: everybody may read it while it is their
    /// picture. Empty: none.
    avatar_url: Option<String>,
    /// `#rrggbb`; empty: whatever clients choose.
    color: Option<String>,
    /// At most 160 characters.
    status_text: Option<String>,
    /// Needed for another user name or address, where the account has one.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Zeroizing<String>>,
}

/// Tells null from what is left out.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer).map(|email: Option<String>| Some(email.unwrap_or_default()))
}

impl AccountRequest {
    fn change(self) -> Result<(AccountChange, Option<Zeroizing<String>>), ApiError> {
        let given = |text: &Option<String>, check: fn(&str) -> Result<(), ApiError>| {
            text.as_deref().map_or(Ok(()), check)
        };
        given(&self.username, check_username)?;
        given(&self.display_name, check_display_name)?;
        given(&self.avatar_url, check_avatar)?;
        given(&self.color, check_color)?;
        given(&self.status_text, check_status_text)?;
        let email = self.email;
        email.as_deref().filter(|email| !email.is_empty()).map_or(Ok(()), check_email)?;
        let change = AccountChange {
            username: self.username,
            email,
            display_name: self.display_name,
            avatar_url: self.avatar_url,
            color: self.color.map(|color| color.to_ascii_lowercase()),
            status_text: self.status_text,
        };
        Ok((change, self.password))
    }
}

/// Changes the account, all of it or nothing.
///
/// What is left out stays as it is.
#[utoipa::path(
    patch,
    path = "/api/v1/account",
    operation_id = "update_account",
    tag = "account",
    request_body = AccountRequest,
    responses((status = 200, description = "The account as it is now.", body = Account)),
)]
async fn change(
    State(state): State<ServiceState>,
    client: Client,
    bearer: Bearer,
    Body(request): Body<AccountRequest>,
) -> ApiResult<Account> {
    let (change, password) = request.change()?;
    let user = bearer.existing()?;
    let needs_password = change.username.is_some() || change.email.is_some();
    if needs_password && let Some(hash) = state.0.store.password_hash(user.user_id).await? {
        let Some(password) = password else {
            let message = "password: needed for another username or email";
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        };
        prove(&state, client, &user, password, Some(hash)).await?;
    }
    match state.0.store.update_account(user.user_id, change).await? {
        AccountUpdate::Updated(account) => Ok((StatusCode::OK, Json(account.into()))),
        AccountUpdate::UsernameTaken => Err(username_taken()),
        AccountUpdate::EmailTaken => Err(email_taken()),
        AccountUpdate::NoSuchFile => Err(invalid(
            "avatar_url: no file of yours, or one that a message carries; upload it anew",
        )),
        AccountUpdate::Unknown => Err(gone()),
    }
}

pub(super) fn username_taken() -> ApiError {
    ApiError::new(ErrorCode::AlreadyExists, "username: somebody has this name")
}

pub(super) fn email_taken() -> ApiError {
    ApiError::new(ErrorCode::AlreadyExists, "email: somebody has this address")
}

/// Whether it is the password of this user; wrong ones are counted, whoever has their token.
pub(super) async fn prove(
    state: &ServiceState,
    client: Client,
    user: &UserRow,
    password: Zeroizing<String>,
    hash: Option<String>,
) -> Result<(), ApiError> {
    // No user name has a colon.
    let name = format!("user:{}", user.user_id);
    state.0.attempts.of_client(client)?;
    state.0.attempts.of_name(&name)?;
    let checked = state.0.hasher.verify(password, hash).await;
    if !matches!(checked, Ok(false)) {
        state.0.attempts.was_not_wrong(&name);
    }
    if checked? {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::InvalidCredentials, "the password is wrong"))
}

/// `POST /api/v1/account/password`
#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordRequest {
    /// May be left out by who has none, with a token that is less than 5 minutes old.
    #[schema(value_type = Option<String>, format = Password)]
    old_password: Option<Zeroizing<String>>,
    /// 8 to 256 characters of any kind.
    #[schema(value_type = String, format = Password)]
    new_password: Zeroizing<String>,
}

/// Sets a new password; all logins but the one that asks end.
#[utoipa::path(
    post,
    path = "/api/v1/account/password",
    operation_id = "change_password",
    tag = "account",
    request_body = PasswordRequest,
    responses((status = 204, description = "The password is the new one.")),
)]
async fn password(
    State(state): State<ServiceState>,
    client: Client,
    bearer: Bearer,
    Body(request): Body<PasswordRequest>,
) -> Result<StatusCode, ApiError> {
    check_password("new_password", &request.new_password)?;
    let (login, is_fresh) = (bearer.login, bearer.is_fresh());
    let user = bearer.existing()?;
    match (state.0.store.password_hash(user.user_id).await?, request.old_password) {
        (Some(hash), Some(old)) => prove(&state, client, &user, old, Some(hash)).await?,
        (Some(_), None) => {
            let message = "old_password: needed for a new one";
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        }
        (None, _) if is_fresh => {}
        (None, _) => {
            let message = "a first password needs a token that is less than 5 minutes old";
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        }
    }
    let hash = Zeroizing::new(state.0.hasher.hash(request.new_password).await?);
    let ended = state.0.store.set_password(user.user_id, &hash, login, unix_now_ms()).await?;
    let ended = ended.ok_or_else(gone)?;
    tracing::info!(user = %user.user_id, "a password was changed");
    if login.is_none() {
        state.end_login(user.user_id, None);
    } else {
        for login in ended {
            state.end_login(user.user_id, Some(login));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
