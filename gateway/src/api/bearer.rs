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

/// A token younger than this may do without the password, in milliseconds.
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
        if let Some(login) = login
            && !store.login_state(login).await?
        {
            let message = "the login of this token has ended";
            return Err(ApiError::new(ErrorCode::Unauthenticated, message));
        }
        // Whoever has never connected is a member of nothing, so nobody is made here.
        match identity.user {
            TokenUser::Known(user_id) => {
                let user = store.user(user_id).await?;
                if user.is_none() && !store.users(&[user_id]).await?.is_empty() {
                    // Deleted.
                    return Err(unknown());
                }
                Ok(Self { user_id, user, issued_at_ms, login })
            }
            TokenUser::External { issuer, subject } => {
                let user = store.resolve_identity(&issuer, &subject, None, now).await?;
                let user = user.ok_or_else(unknown)?;
                Ok(Self { user_id: user.user_id, user: Some(user), issued_at_ms, login })
            }
        }
    }
}
