//! Who asks: `Authorization: Bearer`, by the rules of the sockets.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId};
use ringwire_storage::model::UserRow;
use ringwire_storage::refresh::FamilyId;

use super::ServiceState;
use super::error::ApiError;
use crate::auth::TokenUser;
use crate::cli::unix_now_ms;

/// Whose token came with the request; never a deleted user.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// The user's id.
    pub(super) user_id: UserId,
    /// The user; `None`: one of this server's own tokens whose user has never connected.
    pub(super) user: Option<UserRow>,
    /// When the token was made, if it says so.
    pub(super) issued_at_ms: Option<UnixMs>,
    /// Of which login it is; one that has not ended.
    pub(super) login: Option<FamilyId>,
}

/// A token younger than this stands in for the password that its user has not, in milliseconds.
const FRESH_MS: UnixMs = 5 * 60 * 1_000;

impl Bearer {
    /// Whether the token was made a moment ago, so that its user is there.
    pub(super) fn is_fresh(&self) -> bool {
        self.issued_at_ms.is_some_and(|at| (0..FRESH_MS).contains(&(unix_now_ms() - at)))
    }

    /// The user, who has to exist.
    pub(super) fn existing(self) -> Result<UserRow, ApiError> {
        self.user.ok_or_else(unknown)
    }
}

fn unknown() -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, "the token's user is not known here")
}

impl FromRequestParts<ServiceState> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ServiceState) -> Result<Self, ApiError> {
        Self::read(parts, state, false).await
    }
}

impl Bearer {
    /// The bearer as a user that exists: made now, as `connect` would, where the configuration lets tokens make users.
    pub(super) async fn present(parts: &Parts, state: &ServiceState) -> Result<UserId, ApiError> {
        let makes_users = state.0.config.auth.provision_unknown_users;
        let bearer = Self::read(parts, state, makes_users).await?;
        let unknown = || ApiError::new(ErrorCode::UserNotFound, "the token's user does not exist");
        Ok(bearer.user.ok_or_else(unknown)?.user_id)
    }

    /// `make`: a user whom nobody knows is made.
    async fn read(parts: &Parts, state: &ServiceState, make: bool) -> Result<Self, ApiError> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let Some(token) = token else {
            let message = "the header Authorization has to be: Bearer, a space, a token";
            return Err(ApiError::new(ErrorCode::Unauthenticated, message));
        };
        let now = unix_now_ms();
        let identity = state.0.keys.verifier.verify(token, now).map_err(CommandError::from)?;
        let store = &state.0.store;
        let (issued_at_ms, login) = (identity.issued_at_ms, identity.login);
        let banned = || ApiError::new(ErrorCode::Banned, "this account is banned");
        // A ban ends logins too; it is what there is to be told.
        if let TokenUser::Known(user_id) = identity.user
            && store.account_ban(user_id, now).await?.is_some()
        {
            return Err(banned());
        }
        if let Some(login) = login
            && !store.login_state(login).await?
        {
            let message = "the login of this token has ended";
            return Err(ApiError::new(ErrorCode::Unauthenticated, message));
        }
        let hint = identity.name_hint.unwrap_or_default();
        // Whoever has never connected is a member of nothing, so for most questions nobody has to be made.
        match identity.user {
            TokenUser::Known(user_id) => {
                let mut user = store.user(user_id).await?;
                if user.is_none() && !store.users(&[user_id]).await?.is_empty() {
                    // Deleted.
                    return Err(unknown());
                }
                if user.is_none() && make {
                    user = Some(store.ensure_user(user_id, &hint, now).await?.0);
                }
                Ok(Self { user_id, user, issued_at_ms, login })
            }
            TokenUser::External { issuer, subject } => {
                // Here nothing can be asked of somebody who has no id yet.
                let makes_users = make || state.0.config.auth.provision_unknown_users;
                let provision = makes_users.then_some(hint.as_str());
                let user = store.resolve_identity(&issuer, &subject, provision, now).await?;
                let user = user.ok_or_else(unknown)?;
                if store.account_ban(user.user_id, now).await?.is_some() {
                    return Err(banned());
                }
                Ok(Self { user_id: user.user_id, user: Some(user), issued_at_ms, login })
            }
        }
    }
}
