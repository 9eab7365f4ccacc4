//! Devices. The lock of the user makes their number exact.

use deadpool_postgres::Transaction;
use ringwire_protocol::{UnixMs, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::hold::lock_user;
use super::refresh::{end_device, end_family};
use super::rows;
use crate::devices::{DeviceRow, PushAddress, SeenDevice};
use crate::error::StoreError;
use crate::passwords::ENDED_TOLD;
use crate::refresh::FamilyId;

impl PostgresStore {
    pub(crate) async fn see_device(
        &self,
        user: UserId,
        device: SeenDevice,
        login: Option<FamilyId>,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        lock_user(&tx, user).await?;
        see(&tx, user, &device, max_devices, now_ms).await?;
        if let Some(login) = login {
            let statement = tx
                .prepare_cached(
                    "UPDATE refresh_tokens SET device_id = $3
                     WHERE family_id = $1 AND user_id = $2 AND device_id <> $3",
                )
                .await?;
            tx.execute(&statement, &[&login.as_slice(), &user.as_i64(), &device.device_id]).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(crate) async fn devices(&self, user: UserId) -> Result<Vec<DeviceRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT device_id, device_class, name, push_kind, push_token, created_at, last_seen_at,
                         label
                 FROM devices WHERE user_id = $1 ORDER BY last_seen_at DESC, device_id",
            )
            .await?;
        client.query(&statement, &[&user.as_i64()]).await?.iter().map(device).collect()
    }

    pub(crate) async fn set_device_push(
        &self,
        user: UserId,
        device_id: String,
        push: Option<PushAddress>,
    ) -> Result<bool, StoreError> {
        let (kind, token) = push.map_or(("", String::new()), |push| (push.kind.name(), push.token));
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE devices SET push_kind = $3, push_token = $4
                 WHERE user_id = $1 AND device_id = $2",
            )
            .await?;
        let set = client.execute(&statement, &[&user.as_i64(), &device_id, &kind, &token]).await?;
        Ok(set > 0)
    }

    pub(crate) async fn label_device(
        &self,
        user: UserId,
        device_id: String,
        label: String,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("UPDATE devices SET label = $3 WHERE user_id = $1 AND device_id = $2")
            .await?;
        Ok(client.execute(&statement, &[&user.as_i64(), &device_id, &label]).await? > 0)
    }

    pub(crate) async fn remove_device(
        &self,
        user: UserId,
        device_id: String,
        known: Vec<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        match lock_user(&tx, user).await {
            // A deleted user has none.
            Err(StoreError::NoSuchUser) => return Ok(None),
            locked => locked?,
        }
        let statement =
            tx.prepare_cached("DELETE FROM devices WHERE user_id = $1 AND device_id = $2").await?;
        let removed = tx.execute(&statement, &[&user.as_i64(), &device_id]).await?;
        let statement = tx
            .prepare_cached(
                "SELECT DISTINCT family_id FROM refresh_tokens
                 WHERE user_id = $1 AND device_id = $2 AND revoked_at = 0 LIMIT $3",
            )
            .await?;
        let ended = tx.query(&statement, &[&user.as_i64(), &device_id, &ENDED_TOLD]).await?;
        let mut ended: Vec<_> =
            ended.iter().map(|row| rows::family_id(row, 0)).collect::<Result<_, _>>()?;
        end_device(&tx, user, &device_id, now_ms).await?;
        for login in known {
            if end_family(&tx, &login, now_ms).await? > 0 {
                ended.push(login);
            }
        }
        tx.commit().await?;
        Ok((removed > 0 || !ended.is_empty()).then_some(ended))
    }
}

/// Notes that a device was seen; the caller has locked the user.
pub(super) async fn see(
    tx: &Transaction<'_>,
    user: UserId,
    device: &SeenDevice,
    max_devices: u32,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached(
            "INSERT INTO devices AS d
                 (user_id, device_id, device_class, name, created_at, last_seen_at)
             VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (user_id, device_id) DO UPDATE SET
                 device_class = COALESCE(NULLIF(EXCLUDED.device_class, ''), d.device_class),
                 name = COALESCE(NULLIF(EXCLUDED.name, ''), d.name),
                 last_seen_at = GREATEST(d.last_seen_at, EXCLUDED.last_seen_at)",
        )
        .await?;
    let SeenDevice { device_id, device_class, name } = device;
    tx.execute(&statement, &[&user.as_i64(), device_id, device_class, name, &now_ms]).await?;
    let statement = tx
        .prepare_cached(
            "DELETE FROM devices WHERE user_id = $1 AND device_id IN (
                 SELECT device_id FROM devices WHERE user_id = $1 AND device_id <> $2
                 ORDER BY last_seen_at DESC, device_id OFFSET $3)",
        )
        .await?;
    let others = i64::from(max_devices).saturating_sub(1).max(0);
    tx.execute(&statement, &[&user.as_i64(), device_id, &others]).await?;
    Ok(())
}

fn device(row: &Row) -> Result<DeviceRow, StoreError> {
    let push = DeviceRow::push_address(row.try_get(3)?, row.try_get(4)?)
        .map_err(|()| StoreError::Damaged("a device has an unknown kind of push".to_owned()))?;
    Ok(DeviceRow {
        seen: SeenDevice {
            device_id: row.try_get(0)?,
            device_class: row.try_get(1)?,
            name: row.try_get(2)?,
        },
        push,
        label: row.try_get(7)?,
        created_at: row.try_get(5)?,
        last_seen_at: row.try_get(6)?,
    })
}
