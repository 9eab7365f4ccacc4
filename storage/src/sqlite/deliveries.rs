//! Deliveries to devices. One process, one writer: takers never meet.

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::Row;
use rusqlite::types::Type;

use super::SqliteStore;
use super::notifications::wanted;
use super::push::remove;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::deliveries::PushDelivery;
use crate::devices::{DeviceRow, PushAddress};
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn expand_push(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            // A device that waits after a failed try goes on waiting; what it is told of is new, and tried as often as any.
            let made = tx
                .prepare_cached(&format!(
                    "INSERT INTO push_deliveries
                         (user_id, device_id, conversation_id, seq, created_at, next_try_at)
                     SELECT d.user_id, d.device_id, e.conversation_id, e.seq, {CLOCK}, {CLOCK}
                     FROM entries e
                     JOIN members m ON m.conversation_id = e.conversation_id
                     JOIN devices d ON d.user_id = m.user_id AND d.push_kind <> ''
                     LEFT JOIN cursors k
                         ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                     WHERE e.conversation_id = ?1 AND e.seq = ?2 AND {}
                     ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE SET
                         seq = excluded.seq, created_at = excluded.created_at, tries = 0,
                         next_try_at = max(next_try_at, excluded.next_try_at)
                     WHERE seq < excluded.seq",
                    wanted()
                ))?
                .execute((id.as_i64(), position(seq)))?;
            remove(tx, std::iter::once((id, seq)))?;
            Ok(made as u64)
        })
        .await
    }

    pub(crate) async fn take_deliveries(
        &self,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<PushDelivery>, StoreError> {
        self.write(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "UPDATE push_deliveries SET tries = tries + 1, next_try_at = {CLOCK} + ?2
                     WHERE (user_id, device_id, conversation_id) IN (
                         SELECT user_id, device_id, conversation_id FROM push_deliveries
                         WHERE next_try_at <= {CLOCK} ORDER BY next_try_at LIMIT ?1)
                     RETURNING user_id, device_id, conversation_id, seq, created_at, tries,
                         (SELECT d.push_kind FROM devices d WHERE d.user_id = push_deliveries.user_id
                             AND d.device_id = push_deliveries.device_id),
                         (SELECT d.push_token FROM devices d WHERE d.user_id = push_deliveries.user_id
                             AND d.device_id = push_deliveries.device_id)"
                ))?
                .query_map((limit, lease_ms), delivery)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn finish_delivery(&self, done: PushDelivery) -> Result<(), StoreError> {
        self.write(move |tx| {
            let key = (
                done.user_id.as_i64(),
                &done.device_id,
                done.conversation_id.as_i64(),
                position(done.seq),
            );
            let removed = tx
                .prepare_cached(
                    "DELETE FROM push_deliveries WHERE user_id = ?1 AND device_id = ?2
                         AND conversation_id = ?3 AND seq = ?4",
                )?
                .execute(key)?;
            if removed == 0 {
                tx.prepare_cached(&format!(
                    "UPDATE push_deliveries SET next_try_at = {CLOCK} WHERE user_id = ?1
                         AND device_id = ?2 AND conversation_id = ?3 AND seq > ?4 AND tries = 0"
                ))?
                .execute(key)?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn retry_delivery(
        &self,
        again: PushDelivery,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            // The number of the try tells this taker from later ones.
            let retried = tx
                .prepare_cached(&format!(
                    "UPDATE push_deliveries SET next_try_at = {CLOCK} + ?6
                     WHERE user_id = ?1 AND device_id = ?2 AND conversation_id = ?3
                         AND (seq = ?4 AND tries = ?5 OR seq > ?4 AND tries = 0)"
                ))?
                .execute((
                    again.user_id.as_i64(),
                    &again.device_id,
                    again.conversation_id.as_i64(),
                    position(again.seq),
                    again.tries,
                    delay_ms,
                ))?;
            Ok(retried > 0)
        })
        .await
    }

    pub(crate) async fn silence_devices(&self, user: UserId) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let silenced = tx
                .prepare_cached(
                    "UPDATE devices SET push_kind = '', push_token = ''
                     WHERE user_id = ?1 AND push_kind <> '' AND device_id IN (
                         SELECT t.device_id FROM refresh_tokens t WHERE t.user_id = ?1
                         GROUP BY t.device_id HAVING min(t.revoked_at) > 0)",
                )?
                .execute([user.as_i64()])?;
            Ok(silenced as u64)
        })
        .await
    }

    pub(crate) async fn forget_address(
        &self,
        user: UserId,
        device_id: String,
        address: PushAddress,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let forgotten = tx
                .prepare_cached(
                    "UPDATE devices SET push_kind = '', push_token = ''
                     WHERE user_id = ?1 AND device_id = ?2 AND push_kind = ?3 AND push_token = ?4",
                )?
                .execute((user.as_i64(), device_id, address.kind.name(), address.token))?;
            Ok(forgotten > 0)
        })
        .await
    }
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<PushDelivery> {
    let kind: String = row.get(6)?;
    let address = DeviceRow::push_address(&kind, row.get(7)?).map_err(|()| {
        rusqlite::Error::InvalidColumnType(6, "unknown kind of push".into(), Type::Text)
    })?;
    Ok(PushDelivery {
        user_id: rows::user_id(row, 0)?,
        device_id: row.get(1)?,
        conversation_id: rows::conversation_id(row, 2)?,
        seq: rows::number(row, 3)?,
        created_at: row.get(4)?,
        tries: row.get(5)?,
        address,
    })
}
