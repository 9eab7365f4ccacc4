//! Deliveries to devices.

use ringwire_protocol::{ConversationId, Seq, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::notifications::wanted;
use super::push::remove;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::deliveries::PushDelivery;
use crate::devices::{DeviceRow, PushAddress};
use crate::error::StoreError;

impl PostgresStore {
    pub(crate) async fn expand_push(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<u64, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        // A device that waits after a failed try goes on waiting; what it is told of is new, and tried as often as any.
        let statement = tx
            .prepare_cached(&format!(
                "INSERT INTO push_deliveries AS p
                     (user_id, device_id, conversation_id, seq, created_at, next_try_at)
                 SELECT d.user_id, d.device_id, e.conversation_id, e.seq, {CLOCK}, {CLOCK}
                 FROM entries e
                 JOIN members m ON m.conversation_id = e.conversation_id
                 JOIN devices d ON d.user_id = m.user_id AND d.push_kind <> ''
                 LEFT JOIN cursors k
                     ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                 WHERE e.conversation_id = $1 AND e.seq = $2 AND {}
                 ORDER BY d.user_id, d.device_id
                 ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE SET
                     seq = EXCLUDED.seq, created_at = EXCLUDED.created_at, tries = 0,
                     next_try_at = GREATEST(p.next_try_at, EXCLUDED.next_try_at)
                 WHERE p.seq < EXCLUDED.seq",
                wanted()
            ))
            .await?;
        let made = tx.execute(&statement, &[&id.as_i64(), &position(seq)]).await?;
        remove(&tx, &[(id, seq)]).await?;
        tx.commit().await?;
        Ok(made)
    }

    pub(crate) async fn take_deliveries(
        &self,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<PushDelivery>, StoreError> {
        let client = self.client().await?;
        // Rows that another taker has just locked are passed over; those it has taken are not due.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE push_deliveries p SET tries = p.tries + 1, next_try_at = {CLOCK} + $2
                 FROM (
                     SELECT user_id, device_id, conversation_id FROM push_deliveries
                     WHERE next_try_at <= (SELECT {CLOCK})
                     ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
                 JOIN devices d ON d.user_id = due.user_id AND d.device_id = due.device_id
                 WHERE p.user_id = due.user_id AND p.device_id = due.device_id
                     AND p.conversation_id = due.conversation_id
                 RETURNING p.user_id, p.device_id, p.conversation_id, p.seq, p.created_at, p.tries,
                     d.push_kind, d.push_token"
            ))
            .await?;
        let rows = client.query(&statement, &[&i64::from(limit), &lease_ms]).await?;
        rows.iter().map(delivery).collect()
    }

    pub(crate) async fn finish_delivery(&self, done: PushDelivery) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let key = (done.user_id.as_i64(), done.conversation_id.as_i64(), position(done.seq));
        let statement = tx
            .prepare_cached(
                "DELETE FROM push_deliveries
                 WHERE user_id = $1 AND device_id = $2 AND conversation_id = $3 AND seq = $4",
            )
            .await?;
        let removed = tx.execute(&statement, &[&key.0, &done.device_id, &key.1, &key.2]).await?;
        if removed == 0 {
            let statement = tx
                .prepare_cached(&format!(
                    "UPDATE push_deliveries SET next_try_at = {CLOCK}
                     WHERE user_id = $1 AND device_id = $2 AND conversation_id = $3 AND seq > $4
                         AND tries = 0"
                ))
                .await?;
            tx.execute(&statement, &[&key.0, &done.device_id, &key.1, &key.2]).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(crate) async fn retry_delivery(
        &self,
        again: PushDelivery,
        delay_ms: i64,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        // The number of the try tells this taker from later ones.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE push_deliveries SET next_try_at = {CLOCK} + $6
                 WHERE user_id = $1 AND device_id = $2 AND conversation_id = $3
                     AND (seq = $4 AND tries = $5 OR seq > $4 AND tries = 0)"
            ))
            .await?;
        let tries = i32::try_from(again.tries).unwrap_or(i32::MAX);
        let (user, id) = (again.user_id.as_i64(), again.conversation_id.as_i64());
        let seq = position(again.seq);
        let arguments: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&user, &again.device_id, &id, &seq, &tries, &delay_ms];
        Ok(client.execute(&statement, &arguments).await? > 0)
    }

    pub(crate) async fn silence_devices(&self, user: UserId) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE devices d SET push_kind = '', push_token = ''
                 WHERE d.user_id = $1 AND d.push_kind <> '' AND d.device_id IN (
                     SELECT t.device_id FROM refresh_tokens t WHERE t.user_id = $1
                     GROUP BY t.device_id HAVING min(t.revoked_at) > 0)",
            )
            .await?;
        Ok(client.execute(&statement, &[&user.as_i64()]).await?)
    }

    pub(crate) async fn forget_address(
        &self,
        user: UserId,
        device_id: String,
        address: PushAddress,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE devices SET push_kind = '', push_token = ''
                 WHERE user_id = $1 AND device_id = $2 AND push_kind = $3 AND push_token = $4",
            )
            .await?;
        let (user, kind) = (user.as_i64(), address.kind.name());
        let forgotten =
            client.execute(&statement, &[&user, &device_id, &kind, &address.token]).await?;
        Ok(forgotten > 0)
    }
}

fn delivery(row: &Row) -> Result<PushDelivery, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(what.to_owned());
    Ok(PushDelivery {
        user_id: rows::user_id(row, 0)?,
        device_id: row.try_get(1)?,
        conversation_id: rows::conversation_id(row, 2)?,
        seq: rows::number(row, 3)?,
        created_at: row.try_get(4)?,
        tries: u32::try_from(row.try_get::<_, i32>(5)?)
            .map_err(|_| damaged("a delivery was tried a negative number of times"))?,
        address: DeviceRow::push_address(row.try_get(6)?, row.try_get(7)?)
            .map_err(|()| damaged("a device has an unknown kind of push"))?,
    })
}
