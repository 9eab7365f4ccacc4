//! Requests while the server drains: those it is at are answered, later ones are refused, and their connections end.
//!
//! ```text
//!   drain ─► listeners closed: new connections are refused by the kernel
//!         └► a kept connection: /health/…, /metrics ─► as ever (ready: 503) ─┐
//!                               everything else ─► 503 DRAINING ─────────────┴─► Connection: close
//! ```

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ServiceState;
use super::error::ApiError;
use crate::shard::state::draining;

/// Around every request.
pub(super) async fn guard(
    State(state): State<ServiceState>,
    request: Request,
    next: Next,
) -> Response {
    if !state.is_draining() {
        return next.run(request).await;
    }
    let path = request.uri().path();
    // Whoever watches the server has to see how it ends.
    let mut response = if path.starts_with("/health/") || path == "/metrics" {
        next.run(request).await
    } else {
        ApiError::from(draining()).into_response()
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
