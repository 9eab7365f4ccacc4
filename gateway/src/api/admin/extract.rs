//! What a request asks for in its query; refusals have our shape.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use ringwire_protocol::ErrorCode;
use serde::de::DeserializeOwned;

use super::super::error::ApiError;
use super::super::input::check_page;

/// The parameters of the query.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        check_page(&parts.uri)?;
        let read = Query::from_request_parts(parts, state).await;
        let Query(asked) = read.map_err(|_| {
            let message = "the query has a parameter twice, or one that cannot be read";
            ApiError::new(ErrorCode::InvalidArgument, message)
        })?;
        Ok(Self(asked))
    }
}
