//! Files over HTTP: up, down, what is known of one, its thumbnail, a link to it, a copy of it.
//!
//! Who may read a file is decided by the store: its owner, and the members of the conversation whose message carries
//! it; everybody, if it is its owner's picture. Everybody else is told that there is no such file.

mod download;
mod upload;

use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId};
use ringwire_storage::attachments::AttachmentRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::Named;
use crate::cli::unix_now_ms;
use crate::files::headers::hex;
use crate::files::{BytesError, FileId, Files, addresses};
use crate::limits;

/// Where files are.
const FILES: &str = "/api/v1/files";
/// What a client is told to wait while too many others are at it, in milliseconds.
const BUSY_RETRY_MS: u32 = 1_000;
/// What a client is told to wait while the store of bytes is away, in milliseconds.
const BYTES_RETRY_MS: u32 = 2_000;

/// The routes of this area.
pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new()
        // How large a file may be is said by the configuration.
        .routes(routes!(upload::upload).layer(DefaultBodyLimit::disable()))
        .routes(routes!(download::download))
        .routes(routes!(info))
        .routes(routes!(download::thumbnail))
        .routes(routes!(link))
        .routes(routes!(upload::copy))
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
#[derive(Debug, Serialize, ToSchema)]
struct FileInfo {
    file_id: String,
    /// As the upload called it, without folders and characters that are not seen.
    name: String,
    /// By its first bytes.
    mime_type: String,
    /// A string, as all 64-bit numbers.
    size_bytes: String,
    /// Hexadecimal.
    sha256: String,
    /// In pixels; 0: no picture.
    width: u32,
    /// As `width`.
    height: u32,
    /// Unix milliseconds.
    created_at: String,
    /// A path of this server, for who may read the file.
    url: String,
    /// Empty: there is none.
    thumbnail_url: String,
}

impl FileInfo {
    fn of(row: &AttachmentRow) -> Self {
        let file = &row.file;
        let (url, thumbnail_url) = addresses(file);
        Self {
            file_id: file.file_id.clone(),
            name: file.name.clone(),
            mime_type: file.mime_type.clone(),
            size_bytes: file.size_bytes.to_string(),
            sha256: hex(&file.sha256),
            width: file.width,
            height: file.height,
            created_at: row.created_at.to_string(),
            url,
            thumbnail_url,
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

/// The query of a signed link; instead of a token.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LinkQuery {
    /// Of a signed link: for whom it was made.
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    user: Option<u64>,
    /// Of a signed link: until when it is good, in Unix milliseconds.
    expires: Option<i64>,
    /// Of a signed link: its signature.
    sig: Option<String>,
}

/// Which file a request is about, and who asks: the bearer of a token, or whoever a signed link was made for.
struct Asked {
    id: FileId,
    user: UserId,
    /// Until when the link is good; `None`: a token was given.
    until: Option<UnixMs>,
}

impl FromRequestParts<ServiceState> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ServiceState) -> Result<Self, ApiError> {
        files(state)?;
        let path = Named::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Named(text)| FileId::parse(&text));
        let Ok(Query(link)) = Query::<LinkQuery>::try_from_uri(&parts.uri) else {
            return Err(invalid("expected user, expires and sig of a link, each once, or none"));
        };
        let until = link.expires;
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
                let over = || {
                    ApiError::new(ErrorCode::Forbidden, "this link is not good, or not any more")
                };
                let user = by.ok_or_else(over)?;
                // It is worth no more than its user: one who is banned, or not there any more, reads nothing.
                let store = &state.0.store;
                if store.account_ban(user, unix_now_ms()).await?.is_some()
                    || store.user(user).await?.is_none()
                {
                    return Err(over());
                }
                user
            }
            _ => return Err(invalid("expected user, expires and sig of a link, or none")),
        };
        Ok(Self { id: id.ok_or_else(no_such_file)?, user, until })
    }
}

impl Asked {
    async fn row(&self, state: &ServiceState) -> Result<AttachmentRow, ApiError> {
        let row = state.0.store.attachment_for(self.user, self.id.as_str()).await?;
        row.ok_or_else(no_such_file)
    }
}

/// Tells what is known of a file.
#[utoipa::path(
    get,
    path = "/api/v1/files/{file_id}/info",
    operation_id = "file_info",
    tag = "files",
    security(("token" = []), ()),
    params(("file_id" = String, Path, description = "Of the file."), LinkQuery),
    responses((status = 200, description = "It.", body = FileInfo)),
)]
async fn info(State(state): State<ServiceState>, asked: Asked) -> ApiResult<FileInfo> {
    let row = asked.row(&state).await?;
    Ok((StatusCode::OK, Json(FileInfo::of(&row))))
}

/// Where a file can be had for a while without a token.
#[derive(Debug, Serialize, ToSchema)]
struct SignedLink {
    /// A path of this server, signed for the caller.
    url: String,
    /// Empty: there is none.
    thumbnail_url: String,
    /// Unix milliseconds.
    expires_at: String,
}

/// Makes a link by which a file can be had for a while without a token.
///
/// It gives nobody more, or for longer, than the caller has.
#[utoipa::path(
    post,
    path = "/api/v1/files/{file_id}/link",
    operation_id = "link_file",
    tag = "files",
    params(("file_id" = String, Path, description = "Of the file.")),
    responses((status = 201, description = "The link.", body = SignedLink)),
)]
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
