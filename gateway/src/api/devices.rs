//! Devices: where a user is logged in, under which names, and how one of them is shut out.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ringwire_protocol::ErrorCode;
use ringwire_storage::devices::DeviceRow;
use serde::{Deserialize, Serialize};

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{Body, check_line};
use super::logins::MAX_DEVICE_ID_BYTES;
use crate::cli::unix_now_ms;

/// The longest name a user may give a device, in characters.
const MAX_NAME_CHARS: usize = 64;

/// A device.
#[derive(Debug, Serialize)]
pub(super) struct OwnDevice {
    /// As its client chose it.
    device_id: String,
    /// Phone, desktop, web: whatever its client says.
    device_class: String,
    /// What the user calls it, or else its client.
    name: String,
    /// How it is notified while it is away: `webhook`, `webpush`, `fcm`; empty: not at all.
    push_kind: String,
    /// When it was first seen: Unix milliseconds.
    created_at: String,
    /// When it was last seen: Unix milliseconds.
    last_seen_at: String,
}

impl From<DeviceRow> for OwnDevice {
    fn from(row: DeviceRow) -> Self {
        Self {
            device_id: row.seen.device_id,
            device_class: row.seen.device_class,
            name: if row.label.is_empty() { row.seen.name } else { row.label },
            push_kind: row.push.map_or("", |push| push.kind.name()).to_owned(),
            created_at: row.created_at.to_string(),
            last_seen_at: row.last_seen_at.to_string(),
        }
    }
}

/// All devices of a user, the one seen last first.
#[derive(Debug, Serialize)]
pub(super) struct Devices {
    devices: Vec<OwnDevice>,
}

/// `GET /api/v1/devices`
pub(super) async fn list(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
) -> ApiResult<Devices> {
    let rows = state.0.store.devices(user).await?;
    let devices = rows.into_iter().map(OwnDevice::from).collect();
    Ok((StatusCode::OK, Json(Devices { devices })))
}

/// `PATCH /api/v1/devices/{device_id}`
#[derive(Deserialize)]
pub(super) struct DeviceRequest {
    /// Empty: as its client calls it.
    name: String,
}

pub(super) async fn rename(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(device_id): Path<String>,
    Body(request): Body<DeviceRequest>,
) -> Result<StatusCode, ApiError> {
    check_line("name", &request.name, MAX_NAME_CHARS)?;
    check_device_id(&device_id)?;
    if state.0.store.label_device(user, &device_id, &request.name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(unknown())
}

/// `DELETE /api/v1/devices/{device_id}`: its logins and their sessions end.
pub(super) async fn remove(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Path(device_id): Path<String>,
) -> Result<StatusCode, ApiError> {
    check_device_id(&device_id)?;
    let removed = state.0.store.remove_device(user, &device_id, unix_now_ms()).await?;
    for login in removed.ok_or_else(unknown)? {
        state.end_login(user, Some(login));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What no client can have called its device is not asked about.
fn check_device_id(device_id: &str) -> Result<(), ApiError> {
    if device_id.len() <= MAX_DEVICE_ID_BYTES && !device_id.contains('\0') {
        return Ok(());
    }
    Err(unknown())
}

fn unknown() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "there is no such device")
}
