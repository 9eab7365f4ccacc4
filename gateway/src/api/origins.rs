//! Pages of other sites: what `server.allowed_origins` says for sockets holds for requests too.
//!
//! ```text
//!   Origin: none (a program), or this server's own ─► as ever
//!           a listed one ─► preflight answered; the page may read the answer (CORS)
//!           any other ────► 403, before anything is done
//! ```
//!
//! Invariants: nothing that a browser adds by itself, such as a cookie, ever says who somebody is, so a page of another
//! site could act for nobody anyway; with an origin that is not listed it does not even get an answer it could read.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ringwire_protocol::ErrorCode;

use super::ServiceState;
use super::error::ApiError;

/// What is asked of this server by pages.
const PREFIX: &str = "/api/";
/// How long a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_S: &str = "3600";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, if-range, range";
const ANSWER_HEADERS: &str = "retry-after, etag, content-disposition, content-range, location";

/// Lets requests of this server's own and of listed origins through, and tells browsers so.
pub(super) async fn guard(
    State(state): State<ServiceState>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let Some(origin) = headers.get(header::ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let host = host(&request);
    // What is no text is no origin of anybody.
    let named = origin.to_str().unwrap_or("null");
    if !state.0.config.server.allowed_origins.allows(Some(named), host.as_deref()) {
        return ApiError::new(ErrorCode::Forbidden, "this origin may not use the API")
            .into_response();
    }
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    share(response.headers_mut(), origin);
    response
}

/// Has the browser show the answer to the page.
fn share(headers: &mut HeaderMap, origin: HeaderValue) {
    const EXPOSED: (HeaderName, &str) = (header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(EXPOSED.0, HeaderValue::from_static(EXPOSED.1));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// To whom the request was sent.
fn host(request: &Request) -> Option<String> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    header
        .or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str))
        .map(str::to_owned)
}
