//! Where devices are pushed, and what members want to be told of.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::{ConversationId, ErrorCode, UnixMs};
use ringwire_storage::devices::{PushAddress, PushKind};
use ringwire_storage::notifications::{NotificationSettings, NotifyLevel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{Body, Named};
use crate::push::Subscription;

/// The longest token of a push service, in bytes.
const MAX_TOKEN_BYTES: usize = 4_096;
/// The longest id of a device, in bytes.
const MAX_DEVICE_BYTES: usize = 64;

/// The paths of this file.
pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new()
        .routes(routes!(set_push, remove_push))
        .routes(routes!(vapid_key))
        .routes(routes!(settings, set_settings))
}

/// `PUT /api/v1/devices/{device_id}/push`
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum PushRequest {
    /// By a program of the operator.
    Webhook {
        /// Whatever it knows the device by.
        token: String,
    },
    /// By a browser's push service.
    WebPush {
        /// The browser's `PushSubscription`.
        subscription: Subscription,
    },
    /// By Firebase Cloud Messaging.
    Fcm {
        /// The registration token.
        token: String,
    },
}

/// Says where a device of the caller's is pushed.
///
/// A device is known once it has connected with its `device_id`.
#[utoipa::path(
    put,
    path = "/api/v1/devices/{device_id}/push",
    tag = "push",
    params((
        "device_id" = String,
        Path,
        description = "As the device names itself in `connect`.",
        min_length = 1,
        max_length = 64,
    )),
    request_body = PushRequest,
    responses((status = 204, description = "It is pushed there.")),
)]
async fn set_push(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(device_id): Named,
    Body(request): Body<PushRequest>,
) -> Result<StatusCode, ApiError> {
    let config = &state.0.config.push;
    let (kind, is_on, token) = match request {
        PushRequest::Webhook { token } => (PushKind::Webhook, config.webhook.is_some(), token),
        PushRequest::Fcm { token } => (PushKind::Fcm, config.fcm.is_some(), token),
        PushRequest::WebPush { subscription } => {
            if let Some(fault) = subscription.fault(config.private_endpoints) {
                return Err(invalid(format!("subscription.{fault}: cannot be used")));
            }
            (PushKind::WebPush, config.web_push.is_some(), subscription.token())
        }
    };
    if !is_on {
        let message = format!("kind: this server does not push by {}", kind.name());
        return Err(ApiError::new(ErrorCode::NotSupported, message));
    }
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES || token.contains(char::is_control) {
        let message = format!("token: 1 to {MAX_TOKEN_BYTES} bytes, no control characters");
        return Err(invalid(message));
    }
    let device_id = device(device_id)?;
    let address = Some(PushAddress { kind, token });
    answered(state.0.store.set_device_push(user, &device_id, address).await?)
}

/// A device of the caller's is pushed nowhere any more.
#[utoipa::path(
    delete,
    path = "/api/v1/devices/{device_id}/push",
    tag = "push",
    params((
        "device_id" = String,
        Path,
        description = "As the device names itself in `connect`.",
        min_length = 1,
        max_length = 64,
    )),
    responses((status = 204, description = "It is pushed nowhere.")),
)]
async fn remove_push(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(device_id): Named,
) -> Result<StatusCode, ApiError> {
    let device_id = device(device_id)?;
    answered(state.0.store.set_device_push(user, &device_id, None).await?)
}

fn answered(found: bool) -> Result<StatusCode, ApiError> {
    if found {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = "device_id: no device of yours; it is known once it has logged in or connected";
    Err(ApiError::new(ErrorCode::NotFound, message))
}

fn device(device_id: String) -> Result<String, ApiError> {
    // Postgres keeps no zero in a text.
    if device_id.is_empty() || device_id.len() > MAX_DEVICE_BYTES || device_id.contains('\0') {
        return Err(invalid(format!("device_id: 1 to {MAX_DEVICE_BYTES} bytes")));
    }
    Ok(device_id)
}

/// What a page subscribes with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VapidKey)]
struct PublicKey {
    /// `applicationServerKey`, in base64url.
    public_key: String,
}

/// Gives the key that a browser subscribes with to be pushed by this server.
#[utoipa::path(
    get,
    path = "/api/v1/push/vapid-key",
    tag = "push",
    security(()),
    responses((status = 200, description = "The key.", body = PublicKey)),
)]
async fn vapid_key(State(state): State<ServiceState>) -> ApiResult<PublicKey> {
    let Some(key) = &state.0.keys.vapid else {
        let message = "this server does not push by webpush";
        return Err(ApiError::new(ErrorCode::NotSupported, message));
    };
    Ok((StatusCode::OK, Json(PublicKey { public_key: key.public().to_owned() })))
}

/// What a member wants to be told of in a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationSettings)]
struct Settings {
    /// Of which messages.
    level: Level,
    /// Of none until then, in Unix milliseconds; "0": not muted.
    muted_until: String,
}

/// Of which messages a member is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NotifyLevel)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Of every one.
    All,
    /// Of those that mention the member, or everyone.
    Mentions,
    /// Of none.
    None,
}

/// `PUT /api/v1/conversations/{conversation_id}/notifications`; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = NotificationSettingsInput)]
struct SettingsRequest {
    /// Of which messages.
    level: Option<Level>,
    /// Of none until then; 0: not muted.
    muted_until: Option<Time>,
}

/// Unix milliseconds, as a number or as its digits.
#[derive(Deserialize, ToSchema)]
#[schema(as = TimeInput)]
#[serde(untagged)]
enum Time {
    /// As a number.
    Number(i64),
    /// As its digits.
    Digits(String),
}

impl Time {
    fn read(self) -> Result<UnixMs, ApiError> {
        let time = match self {
            Self::Number(time) => Some(time),
            Self::Digits(digits) => digits.parse().ok(),
        };
        let time = time.filter(|time| *time >= 0);
        time.ok_or_else(|| invalid("muted_until: milliseconds since 1970, or 0"))
    }
}

impl From<NotificationSettings> for Settings {
    fn from(settings: NotificationSettings) -> Self {
        let level = match settings.level {
            NotifyLevel::All => Level::All,
            NotifyLevel::Mentions => Level::Mentions,
            NotifyLevel::Nothing => Level::None,
        };
        Self { level, muted_until: settings.muted_until.to_string() }
    }
}

/// Tells what the caller wants to be told of in a conversation.
#[utoipa::path(
    get,
    path = "/api/v1/conversations/{conversation_id}/notifications",
    operation_id = "notification_settings",
    tag = "push",
    params((
        "conversation_id" = u64,
        Path,
        description = "Of a conversation of the caller's.",
        minimum = 1,
        maximum = 9_007_199_254_740_991_u64,
    )),
    responses((status = 200, description = "It.", body = Settings)),
)]
async fn settings(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(conversation_id): Named,
) -> ApiResult<Settings> {
    let id = conversation(&conversation_id)?;
    let found = state.0.store.notification_settings(user, id).await?;
    Ok((StatusCode::OK, Json(found.ok_or_else(not_member)?.into())))
}

/// Says what the caller wants to be told of in a conversation; what is left out stays.
#[utoipa::path(
    put,
    path = "/api/v1/conversations/{conversation_id}/notifications",
    operation_id = "set_notification_settings",
    tag = "push",
    params((
        "conversation_id" = u64,
        Path,
        description = "Of a conversation of the caller's.",
        minimum = 1,
        maximum = 9_007_199_254_740_991_u64,
    )),
    request_body = SettingsRequest,
    responses((status = 200, description = "What they are now.", body = Settings)),
)]
async fn set_settings(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(conversation_id): Named,
    Body(request): Body<SettingsRequest>,
) -> ApiResult<Settings> {
    let id = conversation(&conversation_id)?;
    let store = &state.0.store;
    let mut settings = store.notification_settings(user, id).await?.ok_or_else(not_member)?;
    match request.level {
        Some(Level::All) => settings.level = NotifyLevel::All,
        Some(Level::Mentions) => settings.level = NotifyLevel::Mentions,
        Some(Level::None) => settings.level = NotifyLevel::Nothing,
        None => {}
    }
    if let Some(time) = request.muted_until {
        settings.muted_until = time.read()?;
    }
    if !store.set_notification_settings(user, id, settings).await? {
        return Err(not_member());
    }
    Ok((StatusCode::OK, Json(settings.into())))
}

fn conversation(id: &str) -> Result<ConversationId, ApiError> {
    let id = id.parse().ok().and_then(ConversationId::new);
    id.ok_or_else(|| invalid("conversation_id: out of range"))
}

fn not_member() -> ApiError {
    ApiError::new(ErrorCode::NotMember, "no such conversation, or you are not a member")
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidArgument, message)
}
