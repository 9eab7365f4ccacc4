//! The page: the files of `gateway/web`, carried in the program.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use ringwire_protocol::ErrorCode;
use rust_embed::RustEmbed;

use super::error::ApiError;
use super::{ServiceState, admin, method_not_allowed};

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

/// The folder of the page of operators.
const ADMIN: &str = "admin/";
/// What `/` means.
const INDEX: &str = "index.html";

/// Every path that is no route: a file of the page, or nothing. Only names in the program's own list exist, so no path
/// leads out of the folder.
pub(super) async fn file(method: Method, uri: Uri, request: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { INDEX } else { path };
    if path.starts_with(ADMIN) {
        return nothing_here();
    }
    send(path, method, &request).await
}

/// `/admin` and what is below it: the page of operators, if there are any.
pub(super) async fn admin(
    State(state): State<ServiceState>,
    method: Method,
    uri: Uri,
    request: HeaderMap,
) -> Response {
    match admin::exists(&state).await {
        Ok(true) => {}
        Ok(false) => return nothing_here(),
        Err(error) => return error.into_response(),
    }
    let path = uri.path().trim_start_matches('/');
    match path {
        // Its files are named from the folder.
        "admin" => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/admin/")]).into_response()
        }
        "admin/" => send("admin/index.html", method, &request).await,
        path => send(path, method, &request).await,
    }
}

async fn send(path: &str, method: Method, request: &HeaderMap) -> Response {
    let Some(file) = Files::get(path) else {
        return nothing_here();
    };
    if method != Method::GET && method != Method::HEAD {
        return method_not_allowed(method).await;
    }
    let etag = etag(&file.metadata.sha256_hash());
    let unchanged = request.get_all(header::IF_NONE_MATCH).iter().any(|known| names(known, &etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        };
        ([(header::CONTENT_TYPE, content_type(path))], body).into_response()
    };
    let headers = response.headers_mut();
    // Kept by the browser, but asked about each time: a new release shows at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// One of the files, under a path of its own.
pub(super) fn named(name: &str) -> Response {
    let Some(file) = Files::get(name) else { return nothing_here() };
    let headers = [(header::CONTENT_TYPE, content_type(name)), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from(file.data.into_owned())).into_response()
}

pub(super) fn nothing_here() -> Response {
    ApiError::new(ErrorCode::NotFound, "there is nothing at this path").into_response()
}

/// The first half of the content's hash, in quotes.
fn etag(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut etag = String::from("\"");
    for byte in &hash[..hash.len() / 2] {
        // Writing to a string cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

/// Whether `If-None-Match` names this tag (RFC 9110 section 13.1.2: weak comparison).
fn names(header: &HeaderValue, etag: &str) -> bool {
    header.to_str().is_ok_and(|list| {
        list.split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    })
}

/// By the name's ending; unknown ones are bytes that no browser runs.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let tag = etag(&[0xab; 32]);
        assert_eq!(tag, format!("\"{}\"", "ab".repeat(16)));
        for header in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert!(names(&HeaderValue::from_str(&header).unwrap(), &tag), "{header}");
        }
        assert!(!names(&HeaderValue::from_static("\"x\""), &tag));
    }

    #[test]
    fn scripts_have_the_type_that_modules_need() {
        assert_eq!(content_type("app/main.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }
}
