//! Devices.

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::types::Type;
use rusqlite::{Row, Transaction};

use super::SqliteStore;
use super::hold::require_user;
use super::refresh::{end_device, end_family};
use crate::devices::{DeviceRow, PushAddress, SeenDevice};
use crate::error::StoreError;
use crate::passwords::ENDED_TOLD;
use crate::refresh::FamilyId;

impl SqliteStore {
    pub(crate) async fn see_device(
        &self,
        user: UserId,
        device: SeenDevice,
        login: Option<FamilyId>,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            require_user(tx, user.as_i64())?;
            see(tx, user, &device, max_devices, now_ms)?;
            if let Some(login) = login {
                tx.prepare_cached(
                    "UPDATE refresh_tokens SET device_id = ?3
                     WHERE family_id = ?1 AND user_id = ?2 AND device_id <> ?3",
                )?
                .execute((login, user.as_i64(), &device.device_id))?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn devices(&self, user: UserId) -> Result<Vec<DeviceRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT device_id, device_class, name, push_kind, push_token, created_at, last_seen_at,
                         label
                     FROM devices WHERE user_id = ?1 ORDER BY last_seen_at DESC, device_id",
                )?
                .query_map([user.as_i64()], device)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn set_device_push(
        &self,
        user: UserId,
        device_id: String,
        push: Option<PushAddress>,
    ) -> Result<bool, StoreError> {
        let (kind, token) = push.map_or(("", String::new()), |push| (push.kind.name(), push.token));
        self.write(move |tx| {
            let set = tx
                .prepare_cached(
                    "UPDATE devices SET push_kind = ?3, push_token = ?4
                     WHERE user_id = ?1 AND device_id = ?2",
                )?
                .execute((user.as_i64(), device_id, kind, token))?;
            Ok(set > 0)
        })
        .await
    }

    pub(crate) async fn label_device(
        &self,
        user: UserId,
        device_id: String,
        label: String,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let set = tx
                .prepare_cached(
                    "UPDATE devices SET label = ?3 WHERE user_id = ?1 AND device_id = ?2",
                )?
                .execute((user.as_i64(), device_id, label))?;
            Ok(set > 0)
        })
        .await
    }

    pub(crate) async fn remove_device(
        &self,
        user: UserId,
        device_id: String,
        known: Vec<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        self.write(move |tx| {
            let removed = tx
                .prepare_cached("DELETE FROM devices WHERE user_id = ?1 AND device_id = ?2")?
                .execute((user.as_i64(), &device_id))?;
            let mut ended: Vec<FamilyId> = tx
                .prepare_cached(
                    "SELECT DISTINCT family_id FROM refresh_tokens
                     WHERE user_id = ?1 AND device_id = ?2 AND revoked_at = 0 LIMIT ?3",
                )?
                .query_map((user.as_i64(), &device_id, ENDED_TOLD), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            end_device(tx, user, &device_id, now_ms)?;
            for login in known {
                if end_family(tx, &login, now_ms)? > 0 {
                    ended.push(login);
                }
            }
            Ok((removed > 0 || !ended.is_empty()).then_some(ended))
        })
        .await
    }
}

/// Notes that a device was seen.
pub(super) fn see(
    tx: &Transaction<'_>,
    user: UserId,
    device: &SeenDevice,
    max_devices: u32,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let user = user.as_i64();
    let SeenDevice { device_id, device_class, name } = device;
    tx.prepare_cached(
        "INSERT INTO devices
             (user_id, device_id, device_class, name, created_at, last_seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (user_id, device_id) DO UPDATE SET
             device_class = coalesce(nullif(excluded.device_class, ''), device_class),
             name = coalesce(nullif(excluded.name, ''), name),
             last_seen_at = max(last_seen_at, excluded.last_seen_at)",
    )?
    .execute((user, device_id, device_class, name, now_ms))?;
    let others = i64::from(max_devices).saturating_sub(1).max(0);
    tx.prepare_cached(
        "DELETE FROM devices WHERE user_id = ?1 AND device_id IN (
             SELECT device_id FROM devices WHERE user_id = ?1 AND device_id <> ?2
             ORDER BY last_seen_at DESC, device_id LIMIT -1 OFFSET ?3)",
    )?
    .execute((user, device_id, others))?;
    Ok(())
}

fn device(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    let kind: String = row.get(3)?;
    let push = DeviceRow::push_address(&kind, row.get(4)?).map_err(|()| {
        rusqlite::Error::InvalidColumnType(3, "unknown kind of push".into(), Type::Text)
    })?;
    Ok(DeviceRow {
        seen: SeenDevice { device_id: row.get(0)?, device_class: row.get(1)?, name: row.get(2)? },
        push,
        label: row.get(7)?,
        created_at: row.get(5)?,
        last_seen_at: row.get(6)?,
    })
}
