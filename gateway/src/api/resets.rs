//! Forgotten passwords: a token goes to the operator's mailer, and whoever shows it sets a new password.
//!
//! ```text
//!   asked ─► 202, whoever it is │ in the background: user? ─► token ─► signed request to the mailer, three tries
//!   confirmed ─► token good? ─► new password, all logins end
//! ```
//!
//! Invariants: neither the answer nor its time tells whether there is such an account; the token is known to its mailer
//! alone, and to the database by its hash; deliveries under way are bounded.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use ringwire_storage::Store;
use ringwire_storage::passwords::PasswordReset;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::ServiceState;
use super::attempts::Client;
use super::error::{ApiError, ApiResult};
use super::input::{Body, check_password, given_login};
use crate::auth::ResetToken;
use crate::cli::unix_now_ms;
use crate::config::AuthConfig;
use crate::outbound::{Outgoing, RequestError};
use crate::secret::{self, SecretError, SecretKey};

/// Deliveries under way.
const DELIVERIES: usize = 64;
/// The pauses before the second and third try.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// What the mailer hears of.
const EVENT: &str = "password_reset";
/// What BUSY tells the client to wait, in milliseconds.
const BUSY_RETRY_MS: u32 = 5_000;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(confirm))
}

/// Gives tokens to the operator's mailer.
pub(super) struct Mailer {
    url: String,
    secret: SecretKey,
    ttl_s: u64,
    outgoing: Outgoing,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("places", &self.places).finish_non_exhaustive()
    }
}

/// What the mailer is told.
#[derive(Serialize)]
struct Mail<'a> {
    event: &'static str,
    user_id: String,
    username: &'a str,
    display_name: &'a str,
    email: Option<&'a str>,
    token: &'a str,
    expires_at: String,
}

impl Mailer {
    /// As the configuration asks for; `None`: there is none.
    pub(super) fn new(
        config: &AuthConfig,
        outgoing: &Outgoing,
    ) -> Result<Option<Self>, SecretError> {
        let Some(mailer) = &config.password_reset else { return Ok(None) };
        Ok(Some(Self {
            url: mailer.url.clone(),
            secret: secret::read_key(&mailer.secret_file)?,
            ttl_s: config.password_reset_ttl_s,
            outgoing: outgoing.clone(),
            places: Arc::new(Semaphore::new(DELIVERIES)),
        }))
    }

    /// Delivers a token to whoever has this name, if somebody has.
    async fn deliver(&self, store: &Store, login: &str) -> Result<(), String> {
        let failed = |error: &dyn fmt::Display| error.to_string();
        let Some(user) = store.user_by_login(login).await.map_err(|error| failed(&error))? else {
            return Ok(());
        };
        let Some(account) = store.account(user).await.map_err(|error| failed(&error))? else {
            return Ok(());
        };
        let token = ResetToken::random().map_err(|error| failed(&error))?;
        let now_ms = unix_now_ms();
        let expires_at = expiry(now_ms, self.ttl_s);
        let kept = store.create_password_reset(user, token.hash(), expires_at, now_ms).await;
        if !kept.map_err(|error| failed(&error))? {
            return Ok(());
        }
        let mail = Mail {
            event: EVENT,
            user_id: user.to_string(),
            username: &account.profile.user.username,
            display_name: &account.profile.user.display_name,
            email: account.email.as_deref(),
            token: token.expose(),
            expires_at: expires_at.to_string(),
        };
        let body = Zeroizing::new(serde_json::to_vec(&mail).map_err(|error| failed(&error))?);
        self.post(user, now_ms, &body).await
    }

    async fn post(&self, user: UserId, now_ms: i64, body: &[u8]) -> Result<(), String> {
        let id = format!("password-reset-{user}-{now_ms}");
        let mut pauses = PAUSES.iter();
        loop {
            let secrets = [self.secret.expose()];
            let request = self.outgoing.signed_with(&self.url, secrets, EVENT, &id, body.to_vec());
            let error = match request.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => RequestError::Status(answer.status()),
                Err(error) => error.into(),
            };
            let Some(pause) = pauses.next() else { return Err(error.to_string()) };
            tracing::warn!(%user, %error, "the mailer did not take a password reset; trying again");
            tokio::time::sleep(*pause).await;
        }
    }
}

/// When a token made now ceases to be good.
pub(crate) fn expiry(now_ms: i64, ttl_s: u64) -> i64 {
    now_ms.saturating_add(i64::try_from(ttl_s).unwrap_or(i64::MAX).saturating_mul(1000))
}

/// `POST /api/v1/auth/password-reset`, with `username` or `email`; either may hold the one or the other.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResetRequest {
    /// The user's name, or their address.
    username: Option<String>,
    /// The same.
    email: Option<String>,
}

/// Nothing: whether there is such an account is nobody's business.
#[derive(Debug, Serialize)]
pub(super) struct Asked {}

/// Asks for a token that sets a new password, where the old one is forgotten.
///
/// The operator's mailer delivers it. The answer is the same whether or not there is such an account.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password-reset",
    operation_id = "ask_password_reset",
    tag = "logins",
    security(()),
    request_body = ResetRequest,
    responses((status = 202, description = "If there is such an account, its mail is under way.", body = Object)),
)]
async fn ask(
    State(state): State<ServiceState>,
    client: Client,
    Body(request): Body<ResetRequest>,
) -> ApiResult<Asked> {
    if state.0.mailer.is_none() {
        let message = "this server sends no mails; ask its operator for a new password";
        return Err(ApiError::new(ErrorCode::NotSupported, message));
    }
    let login = given_login(request.username, request.email)?;
    state.0.attempts.of_client(client)?;
    state.0.attempts.mail(&login)?;
    let places = state.0.mailer.as_ref().map(|mailer| Arc::clone(&mailer.places));
    let Some(Ok(place)) = places.map(Semaphore::try_acquire_owned) else {
        let message = "too many mails at this moment";
        return Err(CommandError::retry(ErrorCode::Busy, message, BUSY_RETRY_MS).into());
    };
    tokio::spawn(async move {
        if super::input::is_login(&login)
            && let Some(mailer) = &state.0.mailer
            && let Err(error) = mailer.deliver(&state.0.store, &login).await
        {
            tracing::error!(%error, "a password reset could not be delivered");
        }
        drop(place);
    });
    Ok((StatusCode::ACCEPTED, Json(Asked {})))
}

/// `POST /api/v1/auth/password-reset/confirm`
#[derive(Deserialize, ToSchema)]
pub(super) struct ConfirmRequest {
    /// From the mail; good once.
    #[schema(value_type = String, format = Password)]
    token: Zeroizing<String>,
    /// The new one: 8 to 256 characters of any kind.
    #[schema(value_type = String, format = Password)]
    password: Zeroizing<String>,
}

/// Sets a new password with the token of a mail; every login of the user ends.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password-reset/confirm",
    operation_id = "confirm_password_reset",
    tag = "logins",
    security(()),
    request_body = ConfirmRequest,
    responses((status = 204, description = "The password is the new one.")),
)]
async fn confirm(
    State(state): State<ServiceState>,
    client: Client,
    Body(request): Body<ConfirmRequest>,
) -> Result<StatusCode, ApiError> {
    let invalid = || {
        let message = "token: it was used, has expired or never was one";
        ApiError::new(ErrorCode::InvalidCredentials, message)
    };
    check_password("password", &request.password)?;
    state.0.attempts.of_client(client)?;
    let token = ResetToken::parse(&request.token).ok_or_else(invalid)?.hash();
    let store = &state.0.store;
    // Before the work of hashing: strangers cannot have it done.
    if store.password_reset(token, unix_now_ms()).await?.is_none() {
        return Err(invalid());
    }
    let hash = Zeroizing::new(state.0.hasher.hash(request.password).await?);
    match store.use_password_reset(token, &hash, unix_now_ms()).await? {
        PasswordReset::Done(user) => {
            state.end_login(user, None);
            tracing::info!(%user, "a forgotten password was replaced");
            Ok(StatusCode::NO_CONTENT)
        }
        PasswordReset::Invalid => Err(invalid()),
    }
}
