//! Where devices are pushed, and what members want to be told of.

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use ringwire_protocol::{ConversationId, ErrorCode, UnixMs};
use ringwire_storage::devices::{PushAddress, PushKind};
use ringwire_storage::notifications::{NotificationSettings, NotifyLevel};
use serde::{Deserialize, Serialize};

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::Body;
use crate::push::Subscription;

/// The longest token of a push service, in bytes.
const MAX_TOKEN_BYTES: usize = 4_096;
/// The longest id of a device, in bytes.
const MAX_DEVICE_BYTES: usize = 64;

/// The paths of this file.
pub(super) fn routes() -> Router<ServiceState> {
    Router::new()
        .route("/api/v1/devices/{device_id}/push", put(set_push).delete(remove_push))
        .route("/api/v1/push/vapid-key", get(vapid_key))
        .route(
            "/api/v1/conversations/{conversation_id}/notifications",
            get(settings).put(set_settings),
        )
}

/// `PUT /api/v1/devices/{device_id}/push`
#[derive(Deserialize)]
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

/// Says where one's device is pushed. It is known once it has connected with its `device_id`.
async fn set_push(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(device_id): Path<String>,
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

/// One's device is pushed nowhere any more.
async fn remove_push(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(device_id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let device_id = device(device_id)?;
    answered(state.0.store.set_device_push(user, &device_id, None).await?)
}

fn answered(found: bool) -> Result<StatusCode, ApiError> {
    if found {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = "device_id: no device of yours; it is known once it has connected";
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
#[derive(Debug, Serialize)]
struct PublicKey {
    /// `applicationServerKey`, in base64url.
    public_key: String,
}

async fn vapid_key(State(state): State<ServiceState>) -> ApiResult<PublicKey> {
    let Some(key) = &state.0.keys.vapid else {
        let message = "this server does not push by webpush";
        return Err(ApiError::new(ErrorCode::NotSupported, message));
    };
    Ok((StatusCode::OK, Json(PublicKey { public_key: key.public().to_owned() })))
}

/// What a member wants to be told of in a conversation.
#[derive(Debug, Serialize)]
struct Settings {
    /// Of which messages.
    level: Level,
    /// Of none until then, in Unix milliseconds; "0": not muted.
    muted_until: String,
}

/// Of which messages a member is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
#[derive(Deserialize)]
struct SettingsRequest {
    level: Option<Level>,
    muted_until: Option<Time>,
}

/// Unix milliseconds, as a number or as its digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Number(UnixMs),
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

async fn settings(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(conversation_id): Path<String>,
) -> ApiResult<Settings> {
    let id = conversation(&conversation_id)?;
    let found = state.0.store.notification_settings(user, id).await?;
    Ok((StatusCode::OK, Json(found.ok_or_else(not_member)?.into())))
}

async fn set_settings(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(conversation_id): Path<String>,
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
