//! Files over HTTP: up, down, what is known of one, its thumbnail, a link to it, a copy of it.
//!
//! Who may read a file is decided by the store: its owner, and the members of the conversation whose message carries
//! it. Everybody else is told that there is no such file.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::{Body as HttpBody, BodyDataStream, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::rejection::PathRejection;
use axum::extract::{
    DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Path, Query, Request, State,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::{Stream, StreamExt};
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use ringwire_storage::attachments::{AttachmentRow, NewAttachment, SMALLEST_COUNTED_BYTES};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use crate::cli::unix_now_ms;
use crate::files::headers::{CONTENT_SECURITY_POLICY, content_disposition, hex, http_date};
use crate::files::range::{Wanted, is_known, wanted};
use crate::files::{
    BytesError, FileId, Files, Intake, IntakeError, NoPlace, UploadPlace, Written, clean_name,
    is_allowed, is_inline, sniff,
};
use crate::limits;

/// Where files are.
const FILES: &str = "/api/v1/files";
/// The part of an upload that is the file.
const PART: &str = "file";
/// What a client is told to wait while too many others are at it, in milliseconds.
const BUSY_RETRY_MS: u32 = 1_000;
/// What a client is told to wait while the store of bytes is away, in milliseconds.
const BYTES_RETRY_MS: u32 = 2_000;
/// What comes between two pieces of a file at most: more than a connection reads at once.
const PIECE_BYTES: usize = 1024 * 1024;
/// Kept by the reader's own browser alone. What an id stands for never changes.
const CACHE_CONTROL: &str = "private, max-age=86400";

/// The routes of this area.
pub(super) fn routes() -> axum::Router<ServiceState> {
    axum::Router::new()
        .route(FILES, post(upload).layer(DefaultBodyLimit::disable()))
        .route("/api/v1/files/{file_id}", get(download))
        .route("/api/v1/files/{file_id}/info", get(info))
        .route("/api/v1/files/{file_id}/thumbnail", get(thumbnail))
        .route("/api/v1/files/{file_id}/link", post(link))
        .route("/api/v1/files/{file_id}/copy", post(copy))
}

/// How long a request may take until its answer begins, if it carries a file.
pub(super) fn upload_time(method: &Method, path: &str) -> Option<Duration> {
    (method == Method::POST && path == FILES).then(|| Duration::from_secs(limits::TRANSFER_S))
}

/// Whether files travel over a connection with such a request.
pub(super) fn is_transfer(path: &str) -> bool {
    path.starts_with(FILES)
}

/// What is known of a file. `url` and `thumbnail_url` may go into an attachment as they are.
#[derive(Debug, Serialize)]
pub(super) struct FileInfo {
    file_id: String,
    name: String,
    /// By its first bytes.
    mime_type: String,
    /// A string, as all 64-bit numbers.
    size_bytes: String,
    /// Hexadecimal.
    sha256: String,
    /// In pixels; 0: no picture.
    width: u32,
    height: u32,
    /// Unix milliseconds.
    created_at: String,
    url: String,
    /// Empty: there is none.
    thumbnail_url: String,
}

impl FileInfo {
    fn of(row: &AttachmentRow) -> Self {
        let file = &row.file;
        let url = format!("{FILES}/{}", file.file_id);
        let has_thumbnail = file.width > 0
            && u64::from(file.width) * u64::from(file.height) <= limits::MAX_PICTURE_PIXELS;
        Self {
            file_id: file.file_id.clone(),
            name: file.name.clone(),
            mime_type: file.mime_type.clone(),
            size_bytes: file.size_bytes.to_string(),
            sha256: hex(&file.sha256),
            width: file.width,
            height: file.height,
            created_at: row.created_at.to_string(),
            thumbnail_url: if has_thumbnail { format!("{url}/thumbnail") } else { String::new() },
            url,
        }
    }
}

fn files(state: &ServiceState) -> Result<&Files, ApiError> {
    let off = || ApiError::new(ErrorCode::NotSupported, "this server does not keep files");
    state.0.files.as_ref().ok_or_else(off)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}

fn no_such_file() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "no such file, or it is not for you")
}

impl From<BytesError> for ApiError {
    fn from(error: BytesError) -> Self {
        // What the store says is for the log.
        tracing::warn!("a file could not be read or written: {error}");
        let message = "the store of files cannot be reached";
        CommandError::retry(ErrorCode::Unavailable, message, BYTES_RETRY_MS).into()
    }
}

/// `POST /api/v1/files`, `multipart/form-data` with one part called `file`.
async fn upload(
    State(state): State<ServiceState>,
    bearer: Bearer,
    request: Request,
) -> ApiResult<FileInfo> {
    let files = files(&state)?;
    let user = bearer.existing()?.user_id;
    let _place = begin(files, user)?;
    let room = Room::of(&state, files, user).await?;
    room.check_length(request.headers())?;
    let id = new_id()?;
    let mut form = Form::read(request).await?;
    let allowance = Arc::clone(&form.allowance);
    let (mut name, mut intake) = (String::new(), None);
    while let Some(mut field) = form.next().await? {
        if field.name() != Some(PART) || intake.is_some() {
            return Err(invalid(format!("{PART}: the body is one part with this name")));
        }
        name = clean_name(field.file_name().unwrap_or_default());
        let mut writing = Intake::new(files.bytes().clone(), id.clone(), room.most_bytes);
        while let Some(piece) = Form::piece(&allowance, &mut field).await? {
            writing.write(&piece).await.map_err(|error| room.refuse(error))?;
        }
        intake = Some(writing);
    }
    let mut intake = intake.ok_or_else(|| invalid(format!("{PART}: it is missing")))?;
    let written = intake.finish().await.map_err(|error| room.refuse(error))?;
    let row = note(&state, files, (&id, user), name, &written).await?;
    intake.keep();
    Ok((StatusCode::CREATED, Json(FileInfo::of(&row))))
}

/// Gives a file whose bytes are there its row.
async fn note(
    state: &ServiceState,
    files: &Files,
    (id, owner_id): (&FileId, UserId),
    name: String,
    written: &Written,
) -> Result<AttachmentRow, ApiError> {
    if written.size_bytes == 0 {
        return Err(invalid(format!("{PART}: it is empty")));
    }
    let mime_type = sniff(&written.head, written.head.len() as u64 == written.size_bytes);
    if !is_allowed(&files.config().allowed_types, mime_type) {
        let message = format!("{PART}: files of the type {mime_type} are not accepted here");
        let error = CommandError::new(ErrorCode::InvalidArgument, message);
        return Err(ApiError::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    // Another upload of this user may have ended meanwhile.
    Room::of(state, files, owner_id).await?.check(written.size_bytes)?;
    let (width, height) = files.picture(id, written, mime_type).await?.unwrap_or_default();
    let file = NewAttachment {
        file_id: id.as_str().to_owned(),
        owner_id,
        name,
        mime_type: mime_type.to_owned(),
        size_bytes: written.size_bytes,
        sha256: written.sha256,
        width,
        height,
    };
    insert(state, file).await
}

async fn insert(state: &ServiceState, file: NewAttachment) -> Result<AttachmentRow, ApiError> {
    let created_at = unix_now_ms();
    if !state.0.store.insert_attachment(file.clone(), created_at).await? {
        return Err(ApiError::new(ErrorCode::Internal, "the id of the file is taken"));
    }
    Ok(AttachmentRow { file, place: None, created_at })
}

fn begin(files: &Files, user: UserId) -> Result<UploadPlace, ApiError> {
    files.begin_upload(user).map_err(|refusal| {
        let (code, message, wait_ms) = match refusal {
            NoPlace::Busy => (ErrorCode::Busy, "too many uploads at this moment", BUSY_RETRY_MS),
            NoPlace::TooFast(wait_ms) => (ErrorCode::RateLimited, "too many uploads", wait_ms),
        };
        CommandError::retry(code, message, wait_ms).into()
    })
}

fn new_id() -> Result<FileId, ApiError> {
    let none = || ApiError::new(ErrorCode::Internal, "the system gives no random bytes");
    FileId::random().ok_or_else(none)
}

/// How large a user's next file may be.
struct Room {
    most_bytes: u64,
    /// By what all of them take, not by the size of one.
    by_quota: bool,
}

impl Room {
    async fn of(state: &ServiceState, files: &Files, user: UserId) -> Result<Self, ApiError> {
        let config = files.config();
        if config.quota_bytes == 0 {
            return Ok(Self { most_bytes: config.max_size_bytes, by_quota: false });
        }
        let used = state.0.store.attachment_bytes(user).await?;
        let left = config.quota_bytes.saturating_sub(used);
        if left < SMALLEST_COUNTED_BYTES.into() {
            return Err(Self::full());
        }
        let most_bytes = config.max_size_bytes.min(left);
        Ok(Self { most_bytes, by_quota: left < config.max_size_bytes })
    }

    /// The header may lie: what really comes is counted too.
    fn check_length(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let length = length.and_then(|length| length.parse::<u64>().ok()).unwrap_or_default();
        self.check(length.saturating_sub(limits::UPLOAD_HEAD_BYTES as u64))
    }

    fn check(&self, size_bytes: u64) -> Result<(), ApiError> {
        let most = self.most_bytes;
        if size_bytes <= most { Ok(()) } else { Err(self.refuse(IntakeError::TooLarge(most))) }
    }

    fn refuse(&self, error: IntakeError) -> ApiError {
        match error {
            IntakeError::TooLarge(_) if self.by_quota => Self::full(),
            IntakeError::TooLarge(most) => {
                let message = format!("{PART}: it is larger than {most} bytes");
                ApiError::new(ErrorCode::TooLarge, message)
            }
            IntakeError::Bytes(error) => error.into(),
        }
    }

    fn full() -> ApiError {
        let message =
            "your files take all the room you have; recall messages with files you do not need";
        ApiError::new(ErrorCode::LimitReached, message)
    }
}

/// A body of `multipart/form-data`. Its parser keeps what it reads until it finds the end of a part's head, so bytes are
/// given to it by allowance.
struct Form {
    multipart: Multipart,
    allowance: Arc<AtomicUsize>,
}

impl Form {
    async fn read(request: Request) -> Result<Self, ApiError> {
        let allowance = Arc::<AtomicUsize>::default();
        let given = Arc::clone(&allowance);
        let request = request.map(|body| {
            HttpBody::from_stream(Allowed { body: body.into_data_stream(), allowance: given })
        });
        match Multipart::from_request(request, &()).await {
            Ok(multipart) => Ok(Self { multipart, allowance }),
            Err(_) => Err(ApiError::with_status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                CommandError::new(
                    ErrorCode::InvalidArgument,
                    "the header Content-Type has to be multipart/form-data with a boundary",
                ),
            )),
        }
    }

    async fn next(&mut self) -> Result<Option<Field<'_>>, ApiError> {
        self.allowance.store(limits::UPLOAD_HEAD_BYTES, Ordering::Relaxed);
        in_time(self.multipart.next_field()).await
    }

    async fn piece(
        allowance: &AtomicUsize,
        field: &mut Field<'_>,
    ) -> Result<Option<Bytes>, ApiError> {
        allowance.store(PIECE_BYTES, Ordering::Relaxed);
        in_time(field.chunk()).await
    }
}

async fn in_time<T>(
    reading: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, ApiError> {
    let silence = Duration::from_secs(limits::UPLOAD_SILENCE_S);
    match timeout(silence, reading).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(_)) => Err(invalid("the body is no sound multipart/form-data, or ends too early")),
        Err(_) => Err(ApiError::with_status(
            StatusCode::REQUEST_TIMEOUT,
            CommandError::new(ErrorCode::InvalidArgument, "nothing came for too long"),
        )),
    }
}

/// A body that fails when more of it is read than is allowed.
struct Allowed {
    body: BodyDataStream,
    allowance: Arc<AtomicUsize>,
}

impl Stream for Allowed {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = std::task::ready!(self.body.poll_next_unpin(cx));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            let left = self.allowance.load(Ordering::Relaxed).checked_sub(piece.len());
            self.allowance.store(left.ok_or("the head of a part is too long")?, Ordering::Relaxed);
            Ok(piece)
        }))
    }
}

/// The query of a signed link.
#[derive(Deserialize)]
struct LinkQuery {
    user: Option<u64>,
    expires: Option<i64>,
    sig: Option<String>,
}

/// Which file a request is about, and who asks: the bearer of a token, or whoever a signed link was made for.
struct Asked {
    id: FileId,
    user: UserId,
}

impl FromRequestParts<ServiceState> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ServiceState) -> Result<Self, ApiError> {
        files(state)?;
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| FileId::parse(&text));
        let Ok(Query(link)) = Query::<LinkQuery>::try_from_uri(&parts.uri) else {
            return Err(invalid("expected user, expires and sig of a link, each once, or none"));
        };
        let user = match link {
            LinkQuery { user: None, expires: None, sig: None } => {
                Bearer::from_request_parts(parts, state).await?.user_id
            }
            LinkQuery { user, expires: Some(expires), sig: Some(sig) } => {
                let is_good = |id: &FileId, user| {
                    state.0.keys.links.is_good(id, user, expires, &sig, unix_now_ms())
                };
                let user = user.and_then(UserId::new);
                let by = user.filter(|user| id.as_ref().is_some_and(|id| is_good(id, *user)));
                by.ok_or_else(|| {
                    ApiError::new(ErrorCode::Forbidden, "this link is not good, or not any more")
                })?
            }
            _ => return Err(invalid("expected user, expires and sig of a link, or none")),
        };
        Ok(Self { id: id.ok_or_else(no_such_file)?, user })
    }
}

impl Asked {
    async fn row(&self, state: &ServiceState) -> Result<AttachmentRow, ApiError> {
        let row = state.0.store.attachment_for(self.user, self.id.as_str()).await?;
        row.ok_or_else(no_such_file)
    }
}

/// `GET /api/v1/files/{file_id}/info`
async fn info(State(state): State<ServiceState>, asked: Asked) -> ApiResult<FileInfo> {
    let row = asked.row(&state).await?;
    Ok((StatusCode::OK, Json(FileInfo::of(&row))))
}

/// Where a file can be had for a while without a token.
#[derive(Debug, Serialize)]
struct SignedLink {
    url: String,
    /// Empty: there is none.
    thumbnail_url: String,
    /// Unix milliseconds.
    expires_at: String,
}

/// `POST /api/v1/files/{file_id}/link`
async fn link(
    State(state): State<ServiceState>,
    bearer: Bearer,
    asked: Asked,
) -> ApiResult<SignedLink> {
    if bearer.user_id != asked.user {
        return Err(invalid("a link cannot be made by a link"));
    }
    let info = FileInfo::of(&asked.row(&state).await?);
    let expires_at = unix_now_ms().saturating_add(files(&state)?.config().link_ttl_ms);
    let signature = state.0.keys.links.sign(&asked.id, asked.user, expires_at);
    let query = format!("?user={}&expires={expires_at}&sig={signature}", asked.user);
    let signed = |url: String| if url.is_empty() { url } else { format!("{url}{query}") };
    let (url, thumbnail_url) = (signed(info.url), signed(info.thumbnail_url));
    Ok((
        StatusCode::CREATED,
        Json(SignedLink { url, thumbnail_url, expires_at: expires_at.to_string() }),
    ))
}

/// `POST /api/v1/files/{file_id}/copy`: a file of the caller's own with the same bytes, to be sent once more.
async fn copy(
    State(state): State<ServiceState>,
    bearer: Bearer,
    asked: Asked,
) -> ApiResult<FileInfo> {
    let files = files(&state)?;
    let user = bearer.existing()?.user_id;
    let _place = begin(files, user)?;
    let row = asked.row(&state).await?;
    Room::of(&state, files, user).await?.check(row.file.size_bytes)?;
    let id = new_id()?;
    // Dropped on any failure, it removes what was copied.
    let intake = Intake::new(files.bytes().clone(), id.clone(), 0);
    files.bytes().copy(&asked.id, &id).await?;
    let file = NewAttachment { file_id: id.as_str().to_owned(), owner_id: user, ..row.file };
    let row = insert(&state, file).await?;
    intake.keep();
    Ok((StatusCode::CREATED, Json(FileInfo::of(&row))))
}

/// `GET /api/v1/files/{file_id}`, whole or in part, and `HEAD`.
async fn download(
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

/// `GET /api/v1/files/{file_id}/thumbnail`, and `HEAD`.
async fn thumbnail(
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
            (header::CACHE_CONTROL, CACHE_CONTROL),
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
