//! Files come: by an upload, or as a copy of one that is there.
//!
//! ```text
//!   body ─ by allowance ─► Form ─ pieces ─► Intake ─► bytes ─ all there, of an accepted type ─► row
//!                                  Room ─► how many there may be
//! ```
//!
//! Invariants: no row without its bytes; bytes without a row are removed; no user takes more room than the quota.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::{Body as HttpBody, BodyDataStream, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::stream::{Stream, StreamExt};
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use ringwire_storage::attachments::{AttachmentRow, NewAttachment, SMALLEST_COUNTED_BYTES};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{Asked, BUSY_RETRY_MS, FileInfo, LinkQuery, files, invalid};
use crate::api::ServiceState;
use crate::api::bearer::Bearer;
use crate::api::error::{ApiError, ApiResult};
use crate::cli::unix_now_ms;
use crate::files::{
    FileId, Files, Intake, IntakeError, NoPlace, UploadPlace, Written, clean_name, is_allowed,
    sniff, unescape,
};
use crate::limits;

/// The part of an upload that is the file.
const PART: &str = "file";
/// What comes between two pieces of a file at most: more than a connection reads at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// A body with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the body is read piece by piece; this describes it")]
struct UploadForm {
    /// The file, with its name as the part's `filename`.
    #[schema(value_type = String, format = Binary)]
    file: Bytes,
}

/// Uploads a file, so that a message may carry it.
///
/// What it is, is told by its first bytes. A file that no message carries within a day is removed.
#[utoipa::path(
    post,
    path = "/api/v1/files",
    operation_id = "upload_file",
    tag = "files",
    request_body(
        content = UploadForm,
        content_type = "multipart/form-data",
        description = "One part called `file`, and no other.",
    ),
    responses((status = 201, description = "The file is kept.", body = FileInfo)),
)]
pub(super) async fn upload(
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
        name = clean_name(&unescape(field.file_name().unwrap_or_default()));
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

/// Makes a file of the caller's own with the same bytes, to be sent once more.
#[utoipa::path(
    post,
    path = "/api/v1/files/{file_id}/copy",
    operation_id = "copy_file",
    tag = "files",
    params(("file_id" = String, Path, description = "Of the file to be copied."), LinkQuery),
    responses((status = 201, description = "The copy.", body = FileInfo)),
)]
pub(super) async fn copy(
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
