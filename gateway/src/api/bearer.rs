//! Who asks: `Authorization: Bearer`, by the rules of the sockets.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs};
use ringwire_storage::model::UserRow;

use super::ServiceState;
use super::error::ApiError;
use crate::auth::TokenUser;
use crate::cli::unix_now_ms;

/// Whose token came with the request: a user who exists.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// The user.
    pub(super) user: UserRow,
    /// When the token was made, if it says so.
    pub(super) issued_at_ms: Option<UnixMs>,
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
        // Whoever has never connected has nothing, so nobody is made here; a deleted user is nobody.
        let store = &state.0.store;
        let user = match identity.user {
            TokenUser::Known(user) => store.user(user).await?,
            TokenUser::External { issuer, subject } => {
                store.resolve_identity(&issuer, &subject, None, now).await?
            }
        };
        let unknown =
            || ApiError::new(ErrorCode::Unauthenticated, "the token's user is not known here");
        Ok(Self { user: user.ok_or_else(unknown)?, issued_at_ms: identity.issued_at_ms })
    }
}
