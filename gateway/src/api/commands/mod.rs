//! The commands of conversations over HTTP: the sockets' commands, given by method and path.
//!
//! ```text
//!   request ─► table: which command ─► fields: path, query and body become the command's JSON ─► codec ─► Op
//!   answer  ◄─ answers: the reply's message as JSON ◄───────────── the user's home shard ◄─── Caller ◄──┘
//! ```
//!
//! No rule of a command is written here: what is allowed, well-formed and told is decided where the sockets' commands
//! are carried out. Lists that are read by page number go the same way as often as it takes (`pages.rs`).

mod answers;
pub(super) mod fields;
pub(super) mod pages;
pub(super) mod table;
#[cfg(test)]
mod tests;

use axum::body::to_bytes;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use ringwire_protocol::{CommandError, ErrorCode};
use utoipa_axum::router::OpenApiRouter;

use super::ServiceState;
use super::caller::Caller;
use super::error::ApiError;
use crate::limits;
use table::{ROWS, Row};

/// All paths of the table. Their description is made from the table too (`openapi/`).
pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    let mut router = OpenApiRouter::new();
    for row in &ROWS {
        let give = move |state, request| give(row, state, request);
        // Methods of the table are those that filters know.
        let filter = MethodFilter::try_from(row.method.clone()).unwrap_or(MethodFilter::GET);
        router = router.route(row.path, MethodRouter::new().on(filter, give));
    }
    router
}

async fn give(
    row: &'static Row,
    State(state): State<ServiceState>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &state).await?;
    let params = axum::extract::RawPathParams::from_request_parts(&mut parts, &state).await;
    let params = params.map_err(|_| invalid("the path is not text"))?;
    let query = fields::query(&mut parts).await?;
    let body = to_bytes(body, limits::MAX_FRAME_BYTES)
        .await
        .map_err(|_| ApiError::new(ErrorCode::TooLarge, "the body is too large, or was cut off"))?;
    let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(fields::is_json);
    if !body.is_empty() && !is_json {
        let message = "the header Content-Type has to be application/json";
        return Err(ApiError::with_status(
            axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            CommandError::new(ErrorCode::InvalidArgument, message),
        ));
    }
    let key = parts.headers.get(fields::IDEMPOTENCY_KEY);
    let params: Vec<(&str, &str)> = params.iter().collect();
    // First, because a list's own bounds are narrower than those of the command's fields.
    let page = pages::asked(row, &query)?;
    let op = fields::command(row, &params, &query, key, &body)?;
    let outcome = match page {
        Some(page) => pages::read(&caller, &state, op, page).await?,
        None => caller.command(&state, op).await?,
    };
    answers::answer(row, &params, outcome)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}
