//! A user's own account: taking everything along, and ending it.
//!
//! Whoever asks is the bearer of a token in `Authorization`; no cookie is ever looked at, so no other site can ask.

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringwire_protocol::ErrorCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::ServiceState;
use super::attempts::Client;
use super::bearer::Bearer;
use super::error::ApiError;
use super::input::Body;
use super::own::prove;
use crate::export::Export;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(delete)).routes(routes!(export))
}

/// `DELETE /api/v1/account`. The body may be left out by who has no password, with a fresh token.
#[derive(Default, Deserialize, ToSchema)]
struct DeleteRequest {
    /// The account's password. May be left out by who has none, with a token that is less than 5 minutes old.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Zeroizing<String>>,
}

/// Ends the account for good.
///
/// What the user wrote is erased in the background. Only who has no password may leave the body out, with a token that
/// is less than 5 minutes old.
#[utoipa::path(
    delete,
    path = "/api/v1/account",
    operation_id = "delete_account",
    tag = "account",
    request_body = Option<DeleteRequest>,
    responses((status = 204, description = "The account has ended.")),
)]
async fn delete(
    State(state): State<ServiceState>,
    client: Client,
    bearer: Bearer,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let is_fresh = bearer.is_fresh();
    let user = bearer.existing()?;
    let has_body = request.headers().contains_key(header::CONTENT_TYPE);
    let asked =
        if has_body { Body::from_request(request, &()).await?.0 } else { DeleteRequest::default() };
    match (state.0.store.password_hash(user.user_id).await?, asked.password) {
        (hash, Some(password)) => prove(&state, client, &user, password, hash).await?,
        // Whoever got hold of a refresh token can make a token that is new.
        (Some(_), None) => {
            let message = "password: needed to end the account";
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        }
        (None, None) if is_fresh => {}
        (None, None) => {
            let message = "the end of an account needs a token that is less than 5 minutes old";
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        }
    }
    let id = user.user_id;
    if state.0.store.delete_user(id, Some(id)).await? {
        state.0.deleted.notify_one();
        tracing::info!(user = %id, "account deleted");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// All that the user's data is, as JSON lines, a page in memory at a time.
#[utoipa::path(
    get,
    path = "/api/v1/account/export",
    operation_id = "export_account",
    tag = "account",
    responses((status = 200, description = "One JSON object a line.", body = String, content_type = "application/x-ndjson")),
)]
async fn export(State(state): State<ServiceState>, bearer: Bearer) -> Result<Response, ApiError> {
    let user = bearer.existing()?;
    let export = Export::new(state.0.store.clone(), user.user_id);
    let lines = futures_util::stream::unfold(Some(export), async |export| {
        let mut export = export?;
        match export.next().await {
            Ok(lines) => Some((Ok(Bytes::from(lines?)), Some(export))),
            Err(error) => {
                // The answer has begun: cutting it short is the only way to say so.
                tracing::warn!(%error, "an export was cut short");
                Some((Err(error), None))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"ringwire-export.jsonl\""),
        ),
    ];
    Ok((headers, HttpBody::from_stream(lines)).into_response())
}
