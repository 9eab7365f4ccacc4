//! Who asks: `Authorization: Bearer`, by the rules of the sockets.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ringwire_protocol::{CommandError, ErrorCode, UserId};

use super::ServiceState;
use super::error::ApiError;
use crate::auth::TokenUser;
use crate::cli::unix_now_ms;

/// The user whose token came with the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bearer(pub(super) UserId);

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
        let identity =
            state.0.keys.verifier.verify(token, unix_now_ms()).map_err(CommandError::from)?;
        // Whoever has never connected is a member of nothing, so nobody is made here.
        let (issuer, subject) = match identity.user {
            TokenUser::Known(user) => return Ok(Self(user)),
            TokenUser::External { issuer, subject } => (issuer, subject),
        };
        let user = state.0.store.resolve_identity(&issuer, &subject, None, unix_now_ms()).await?;
        let unknown =
            || ApiError::new(ErrorCode::Unauthenticated, "the token's user is not known here");
        Ok(Self(user.ok_or_else(unknown)?.user_id))
    }
}
