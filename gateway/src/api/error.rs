//! Refusals over HTTP: one JSON shape, with the codes of the sockets.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringwire_protocol::{CommandError, ErrorCode};
use ringwire_storage::StoreError;
use serde::Serialize;

/// What clients are told to wait while the database is away, in milliseconds.
const DATABASE_RETRY_MS: u32 = 2_000;

/// A [`CommandError`] as an HTTP answer.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    error: CommandError,
}

/// `{"error":{"code":204,"name":"INVALID_CREDENTIALS","message":"…","temporary":false,"retry_after_ms":0}}`
#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: u32,
    name: &'a str,
    message: &'a str,
    temporary: bool,
    retry_after_ms: u32,
}

impl ApiError {
    /// An error with the status that its code stands for.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        CommandError::new(code, message).into()
    }

    /// An error with another status than its code's.
    pub fn with_status(status: StatusCode, error: CommandError) -> Self {
        Self { status, error }
    }

    /// The body, for answers that are written without axum.
    pub(super) fn to_json(&self) -> String {
        let Self { error, .. } = self;
        let body = Body {
            code: error.code as u32,
            name: error.code.name(),
            message: &error.message,
            temporary: error.code.is_temporary(),
            retry_after_ms: error.retry_after_ms,
        };
        // Text and numbers always serialize.
        serde_json::to_string(&Envelope { error: body }).unwrap_or_default()
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        let status = StatusCode::from_u16(error.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, error }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        // What the database says is for the log; clients learn whether to try again.
        tracing::warn!("an API request failed: {error}");
        if error.is_temporary() {
            let message = "the database cannot be reached";
            return CommandError::retry(ErrorCode::Unavailable, message, DATABASE_RETRY_MS).into();
        }
        Self::new(ErrorCode::Internal, "the server failed; the failure is in its log")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status, json, self.to_json()).into_response();
        // For layers around the handler that want to know why.
        response.extensions_mut().insert(self.error.code);
        if self.error.retry_after_ms > 0 {
            let seconds = self.error.retry_after_ms.div_ceil(1000);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A successful JSON answer or a refusal.
pub(super) type ApiResult<T> = Result<(StatusCode, Json<T>), ApiError>;
