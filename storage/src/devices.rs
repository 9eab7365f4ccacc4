//! Devices: the installations of a client that a user has, and where each wants to be pushed.
//!
//! Invariants: `last_seen_at` only rises; a user has at most as many devices as the last call allowed, the one seen
//! longest ago goes; a login is of the device that it was last used on, and a device that is removed takes its logins with
//! it.

use std::fmt;

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::refresh::FamilyId;
use crate::store::{Store, either};

/// How a device is pushed while no session is there; the names are those of the `push_kind` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushKind {
    /// A signed request to a server of the operator.
    Webhook,
    /// A browser's push service.
    WebPush,
    /// Firebase Cloud Messaging.
    Fcm,
}

impl PushKind {
    /// As the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::WebPush => "webpush",
            Self::Fcm => "fcm",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Webhook, Self::WebPush, Self::Fcm].into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a device is pushed. Who knows the token can push to it: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAddress {
    /// By which service.
    pub kind: PushKind,
    /// What the service knows the device by.
    pub token: String,
}

impl fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAddress").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a client says about its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDevice {
    /// As the client chose it, 1 to 64 bytes; unique for the user.
    pub device_id: String,
    /// Phone, desktop, web: whatever the client says.
    pub device_class: String,
    /// Shown to the user.
    pub name: String,
}

impl SeenDevice {
    /// One of which no more is known than that somebody logged in on it.
    pub(crate) fn named(device_id: String) -> Self {
        Self { device_id, device_class: String::new(), name: String::new() }
    }
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// What its client said when it was seen last.
    pub seen: SeenDevice,
    /// Where it is pushed; `None`: nowhere.
    pub push: Option<PushAddress>,
    /// What the user calls it; empty: as its client does.
    pub label: String,
    /// When it was seen first.
    pub created_at: UnixMs,
    /// When it was seen last.
    pub last_seen_at: UnixMs,
}

impl DeviceRow {
    /// The address in these columns; `Err`: no kind has that name.
    pub(crate) fn push_address(kind: &str, token: String) -> Result<Option<PushAddress>, ()> {
        match (kind, PushKind::from_name(kind)) {
            ("", _) => Ok(None),
            (_, Some(kind)) => Ok(Some(PushAddress { kind, token })),
            (_, None) => Err(()),
        }
    }
}

impl Store {
    /// Notes that a device was seen, makes it if it is new, and then forgets those seen longest ago beyond `max_devices`
    /// (never this one). Their logins stay: the next sign of life brings them back. What it leaves empty of itself stays as
    /// it was. A `login` is one of this device from now on, and ends with it, whatever device it was of.
    /// [`StoreError::NoSuchUser`] also if the user is deleted.
    pub async fn see_device(
        &self,
        user: UserId,
        device: SeenDevice,
        login: Option<FamilyId>,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        either!(self, store => store.see_device(user, device, login, max_devices, now_ms).await)
    }

    /// The devices of a user, the one seen last first.
    pub async fn devices(&self, user: UserId) -> Result<Vec<DeviceRow>, StoreError> {
        either!(self, store => store.devices(user).await)
    }

    /// Where a device is pushed from now on; `None`: nowhere. `false`: there is no such device.
    pub async fn set_device_push(
        &self,
        user: UserId,
        device_id: &str,
        push: Option<PushAddress>,
    ) -> Result<bool, StoreError> {
        let device_id = device_id.to_owned();
        either!(self, store => store.set_device_push(user, device_id, push).await)
    }

    /// What the user calls a device from now on; empty: as its client does. `false`: there is no such device.
    pub async fn label_device(
        &self,
        user: UserId,
        device_id: &str,
        label: &str,
    ) -> Result<bool, StoreError> {
        let (device_id, label) = (device_id.to_owned(), label.to_owned());
        either!(self, store => store.label_device(user, device_id, label).await)
    }

    /// Forgets a device and ends its logins, and those of the user that are `known` to be used on it: which, some of them.
    /// Logins end also without a device. `None`: there was neither.
    pub async fn remove_device(
        &self,
        user: UserId,
        device_id: &str,
        known: Vec<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        let device_id = device_id.to_owned();
        either!(self, store => store.remove_device(user, device_id, known, now_ms).await)
    }
}
