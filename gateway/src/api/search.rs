//! Search in the messages of one's conversations.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use ringwire_protocol::{ConversationId, ErrorCode, wire};
use ringwire_storage::StoreError;
use ringwire_storage::search::{SearchAfter, SearchQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{check_page, page_limit};
use super::openapi::wire_types;
use crate::conversation::entry::wire_entry;

/// The longest `q`, in bytes.
const MAX_QUERY_BYTES: usize = 512;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(search))
}

/// `GET /api/v1/search?q=&conversation_id=&limit=&page_token=`
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchRequest {
    /// Words that all have to be there, `"words in a row"`, `begin*`.
    #[serde(default)]
    #[param(required = true)]
    q: String,
    /// Only in this conversation.
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    conversation_id: Option<u64>,
    /// 1 to 200; 20 if left out.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// From the page before.
    #[serde(default)]
    page_token: String,
}

/// The answer: entries as the schema says, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchPage)]
pub(super) struct Found {
    #[schema(value_type = Vec<wire_types::Entry>)]
    entries: Vec<wire::Entry>,
    /// Empty: this was the last page.
    next_page_token: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SearchRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        check_page(&parts.uri)?;
        let read: Result<Query<Self>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        let Query(request) = read.map_err(|_| {
            invalid("expected q, conversation_id (a number), limit (a number) and page_token, each once")
        })?;
        Ok(request)
    }
}

/// Searches the messages of the caller's conversations, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "messages",
    params(SearchRequest),
    responses((status = 200, description = "Entries that hold all the words.", body = Found)),
)]
async fn search(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    request: SearchRequest,
) -> ApiResult<Found> {
    if request.q.len() > MAX_QUERY_BYTES {
        let message = format!("q: at most {MAX_QUERY_BYTES} bytes");
        return Err(ApiError::new(ErrorCode::TooLarge, message));
    }
    let query = SearchQuery::parse(&request.q).ok_or_else(|| invalid("q: at least one word"))?;
    let only = request
        .conversation_id
        .map(|id| ConversationId::new(id).ok_or_else(|| invalid("conversation_id is out of range")))
        .transpose()?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(
            parse_token(token).ok_or_else(|| invalid("page_token is not one of this server"))?,
        ),
    };
    let limit = page_limit(request.limit)?;
    let found = state.0.store.search(user, &query, only, after, limit).await;
    let (rows, more) = found.map_err(|error| match error {
        StoreError::SearchOff => {
            ApiError::new(ErrorCode::NotSupported, "this server does not offer search")
        }
        error => error.into(),
    })?;
    let next_page_token = match rows.last() {
        Some(last) if more => format!("{}.{}.{}", last.created_at, last.conversation_id, last.seq),
        _ => String::new(),
    };
    let entries = rows.iter().map(wire_entry).collect();
    Ok((StatusCode::OK, Json(Found { entries, next_page_token })))
}

fn parse_token(token: &str) -> Option<SearchAfter> {
    let (created_at, rest) = token.split_once('.')?;
    let (conversation_id, seq) = rest.split_once('.')?;
    Some(SearchAfter {
        created_at: created_at.parse().ok()?,
        conversation_id: ConversationId::new(conversation_id.parse().ok()?)?,
        seq: seq.parse().ok()?,
    })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}
