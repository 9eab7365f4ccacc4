//! Files go: whole or in part, and the thumbnails of pictures. What a browser has it is not sent again.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::StreamExt;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs};
use utoipa::ToSchema;

use super::{Asked, BUSY_RETRY_MS, LinkQuery, files, no_such_file};
use crate::api::ServiceState;
use crate::api::error::ApiError;
use crate::cli::unix_now_ms;
use crate::files::headers::{CONTENT_SECURITY_POLICY, content_disposition, hex, http_date};
use crate::files::range::{Wanted, is_known, wanted};
use crate::files::{is_inline, sniff};

/// The longest that a browser keeps a file without asking, in seconds.
const MOST_KEPT_S: i64 = 86_400;

/// How long the reader's own browser may keep an answer. What an id stands for never changes, but who may read it
/// does: by a token it is asked for each time, and the answer is that it has not changed; a link is good for anybody until its
/// end, and so is what it gave.
fn cache_control(until: Option<UnixMs>, now_ms: UnixMs) -> String {
    match until {
        None => "private, no-cache".to_owned(),
        Some(until) => {
            let left_s = until.saturating_sub(now_ms) / 1000;
            format!("private, max-age={}", left_s.clamp(0, MOST_KEPT_S))
        }
    }
}

/// The body of a download.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "the body is sent piece by piece; this describes it")]
struct FileBytes(Vec<u8>);

/// Gives a file, whole or in part.
///
/// Its type is the one that `info` tells. `HEAD` is answered too, by the headers alone.
#[utoipa::path(
    get,
    path = "/api/v1/files/{file_id}",
    operation_id = "download_file",
    tag = "files",
    security(("token" = []), ()),
    params(
        ("file_id" = String, Path, description = "Of the file."),
        LinkQuery,
        ("Range" = Option<String>, Header, description = "One part of the file, as `bytes=0-1023`."),
        ("If-Range" = Option<String>, Header, description = "The part, if the file has this `ETag`; else all of it."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the client has."),
    ),
    responses(
        (
            status = 200,
            description = "The whole file.",
            body = FileBytes,
            content_type = "*/*",
            headers(("ETag" = String, description = "What stands for its bytes.")),
        ),
        (
            status = 206,
            description = "The part that `Range` asks for.",
            body = FileBytes,
            content_type = "*/*",
            headers(("Content-Range" = String, description = "Which part of how many bytes.")),
        ),
        (status = 304, description = "The client has it already."),
        (
            status = 416,
            description = "The file has no such part.",
            body = ref("#/components/schemas/Refusal"),
            content_type = "application/json",
            headers(("Content-Range" = String, description = "How many bytes the file has.")),
        ),
    ),
)]
pub(super) async fn download(
    State(state): State<ServiceState>,
    method: Method,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let files = files(&state)?;
    let row = asked.row(&state).await?;
    let (file, size) = (&row.file, row.file.size_bytes);
    let about = About {
        etag: format!("\"{}\"", hex(&file.sha256)),
        modified: http_date(row.created_at),
        mime_type: &file.mime_type,
        disposition: content_disposition(&file.name, is_inline(&file.mime_type)),
        cache_control: cache_control(asked.until, unix_now_ms()),
    };
    if about.is_unchanged(&headers) {
        return Ok(about.answer(StatusCode::NOT_MODIFIED, HttpBody::empty()));
    }
    let (status, range) = match about.range(&method, &headers, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let message = format!("Range: the file has {size} bytes");
            let error = CommandError::new(ErrorCode::InvalidArgument, message);
            let refusal = ApiError::with_status(StatusCode::RANGE_NOT_SATISFIABLE, error);
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((range, refusal).into_response());
        }
    };
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    let body = if method == Method::HEAD {
        HttpBody::empty()
    } else {
        let busy = "too many downloads at this moment";
        let place = files
            .begin_download()
            .ok_or_else(|| CommandError::retry(ErrorCode::Busy, busy, BUSY_RETRY_MS))?;
        let bytes = files.bytes().read(&asked.id, range).await;
        let bytes =
            bytes.map_err(|error| if error.is_absent() { no_such_file() } else { error.into() })?;
        HttpBody::from_stream(bytes.map(move |piece| {
            let _held = &place;
            piece
        }))
    };
    let mut response = about.answer(status, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT {
        set(headers, header::CONTENT_RANGE, &content_range);
    }
    Ok(response)
}

/// Gives a small picture of a picture.
///
/// `HEAD` is answered too, by the headers alone.
#[utoipa::path(
    get,
    path = "/api/v1/files/{file_id}/thumbnail",
    operation_id = "download_thumbnail",
    tag = "files",
    security(("token" = []), ()),
    params(
        ("file_id" = String, Path, description = "Of the picture."),
        LinkQuery,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the client has."),
    ),
    responses(
        (
            status = 200,
            description = "A JPEG or PNG.",
            content((FileBytes = "image/jpeg"), (FileBytes = "image/png")),
            headers(("ETag" = String, description = "What stands for its bytes.")),
        ),
        (status = 304, description = "The client has it already."),
    ),
)]
pub(super) async fn thumbnail(
    State(state): State<ServiceState>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, ApiError> {
    let files = files(&state)?;
    let row = asked.row(&state).await?;
    let about = |mime_type| About {
        etag: format!("\"{}-thumbnail\"", hex(&row.file.sha256)),
        modified: http_date(row.created_at),
        mime_type,
        disposition: "inline".to_owned(),
        cache_control: cache_control(asked.until, unix_now_ms()),
    };
    let none = || ApiError::new(ErrorCode::NotFound, "this file has no thumbnail");
    if row.file.width == 0 {
        return Err(none());
    }
    let bytes = files.bytes().thumbnail(&asked.id).await?.ok_or_else(none)?;
    let about = about(sniff(&bytes, true));
    if about.is_unchanged(&headers) {
        return Ok(about.answer(StatusCode::NOT_MODIFIED, HttpBody::empty()));
    }
    Ok(about.answer(StatusCode::OK, bytes.into()))
}

/// What the headers of a download say.
struct About<'a> {
    etag: String,
    modified: String,
    mime_type: &'a str,
    disposition: String,
    cache_control: String,
}

impl About<'_> {
    /// Whether the client has it already (RFC 9110 section 13.2.2). Times are compared as text: clients repeat ours.
    fn is_unchanged(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        match text(header::IF_NONE_MATCH) {
            Some(known) => is_known(known, &self.etag),
            None => text(header::IF_MODIFIED_SINCE) == Some(&self.modified),
        }
    }

    fn range(&self, method: &Method, headers: &HeaderMap, size: u64) -> Wanted {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        let is_same = |of: &str| of == self.etag || of == self.modified;
        match text(header::RANGE) {
            Some(range) if method == Method::GET && text(header::IF_RANGE).is_none_or(is_same) => {
                wanted(range, size)
            }
            _ => Wanted::Whole,
        }
    }

    fn answer(&self, status: StatusCode, body: HttpBody) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::ETAG, &*self.etag),
            (header::LAST_MODIFIED, &self.modified),
            (header::CACHE_CONTROL, &self.cache_control),
            (header::VARY, "authorization"),
            (header::CONTENT_TYPE, self.mime_type),
            (header::CONTENT_DISPOSITION, &self.disposition),
            (header::ACCEPT_RANGES, "bytes"),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        ] {
            set(headers, name, value);
        }
        response
    }
}

/// All values here are plain text.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_no_longer_than_its_link_is_good() {
        let kept = |left_ms: i64| cache_control(Some(1_000_000 + left_ms), 1_000_000);
        assert_eq!(kept(1_999), "private, max-age=1");
        assert_eq!(kept(7 * 86_400_000), "private, max-age=86400");
        assert_eq!(kept(-5), "private, max-age=0");
        assert_eq!(cache_control(None, 0), "private, no-cache");
    }
}
