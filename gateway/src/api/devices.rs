//! Devices: where a user is logged in, under which names, and how one of them is shut out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ringwire_protocol::ErrorCode;
use ringwire_storage::devices::DeviceRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use super::bearer::Bearer;
use super::error::{ApiError, ApiResult};
use super::input::{Body, Named, check_line};
use super::logins::MAX_DEVICE_ID_BYTES;
use crate::cli::unix_now_ms;

/// The longest name a user may give a device, in characters.
const MAX_NAME_CHARS: usize = 64;

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(rename, remove))
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
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
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Devices {
    devices: Vec<OwnDevice>,
}

/// Lists the caller's devices, the one seen last first.
///
/// A device is seen when somebody logs in on it and when it connects; what it is and what it is called is known once it has
/// connected.
#[utoipa::path(
    get,
    path = "/api/v1/devices",
    operation_id = "list_devices",
    tag = "account",
    responses((status = 200, description = "All devices.", body = Devices)),
)]
async fn list(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
) -> ApiResult<Devices> {
    let rows = state.0.store.devices(user).await?;
    let devices = rows.into_iter().map(OwnDevice::from).collect();
    Ok((StatusCode::OK, Json(Devices { devices })))
}

/// `PATCH /api/v1/devices/{device_id}`
#[derive(Deserialize, ToSchema)]
pub(super) struct DeviceRequest {
    /// At most 64 characters; empty: as its client calls it.
    name: String,
}

/// Calls a device differently.
#[utoipa::path(
    patch,
    path = "/api/v1/devices/{device_id}",
    operation_id = "rename_device",
    tag = "account",
    params(("device_id" = String, Path, description = "As its client chose it.")),
    request_body = DeviceRequest,
    responses((status = 204, description = "It has the new name.")),
)]
async fn rename(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(device_id): Named,
    Body(request): Body<DeviceRequest>,
) -> Result<StatusCode, ApiError> {
    check_line("name", &request.name, MAX_NAME_CHARS)?;
    check_device_id(&device_id)?;
    if state.0.store.label_device(user, &device_id, &request.name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(unknown())
}

/// Removes a device: its logins and their sessions end, and its sessions whatever login they are of.
///
/// Of the device are the logins that named it and those that were used on it last; they end on all nodes. A login that
/// another device uses too ends for both. A token of no login is good until it expires, but its sessions on this node end.
#[utoipa::path(
    delete,
    path = "/api/v1/devices/{device_id}",
    operation_id = "remove_device",
    tag = "account",
    params(("device_id" = String, Path, description = "As its client chose it.")),
    responses((status = 204, description = "Removed.")),
)]
async fn remove(
    State(state): State<ServiceState>,
    Bearer { user_id: user, .. }: Bearer,
    Named(device_id): Named,
) -> Result<StatusCode, ApiError> {
    check_device_id(&device_id)?;
    let store = &state.0.store;
    // No session of no device is meant.
    let used = match device_id.as_str() {
        "" => return Err(unknown()),
        device_id => state.0.calls.end_device(user, device_id).await?,
    };
    let removed = store.remove_device(user, &device_id, used, unix_now_ms()).await?;
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
