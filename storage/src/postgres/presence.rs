//! Who may see whether a user is there.

use ringwire_protocol::{UnixMs, UserId};

use super::PostgresStore;
use super::rows;
use crate::error::StoreError;
use crate::presence::SeenBy;

/// Whether user `$1` may see what `column` of user `u` is about; only where neither blocks the other. (Scalar
/// subqueries, because Postgres may turn `EXISTS` into a hash of a whole table.)
fn may_see(column: &str) -> String {
    format!(
        "u.id = $1 OR u.{column} = 1 OR (u.{column} = 0 AND (
             SELECT m.user_id FROM members m
             JOIN members w ON w.conversation_id = m.conversation_id AND w.user_id = $1
             JOIN conversations c ON c.id = m.conversation_id AND c.kind <> 2
             WHERE m.user_id = u.id LIMIT 1) IS NOT NULL)"
    )
}

impl PostgresStore {
    pub(crate) async fn set_visibility(
        &self,
        user: UserId,
        status: Option<i16>,
        last_seen: Option<i16>,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE users SET status_visibility = coalesce($2, status_visibility),
                     last_seen_visibility = coalesce($3, last_seen_visibility)
                 WHERE id = $1 AND deleted_at = 0",
            )
            .await?;
        match client.execute(&statement, &[&user.as_i64(), &status, &last_seen]).await? {
            0 => Err(StoreError::NoSuchUser),
            _ => Ok(()),
        }
    }

    pub(crate) async fn visible_presence(
        &self,
        watcher: UserId,
        users: Vec<i64>,
    ) -> Result<Vec<SeenBy>, StoreError> {
        let client = self.client().await?;
        let (status, last_seen) = (may_see("status_visibility"), may_see("last_seen_visibility"));
        let statement = client
            .prepare_cached(&format!(
                "SELECT u.id, NOT b.blocked AND ({status}), NOT b.blocked AND ({last_seen}),
                     u.last_seen_at
                 FROM UNNEST($2::int8[]) AS w (id) JOIN users u ON u.id = w.id
                 CROSS JOIN LATERAL (SELECT
                     (SELECT k.user_id FROM blocks k
                      WHERE k.user_id = $1 AND k.blocked_id = u.id) IS NOT NULL
                     OR (SELECT k.user_id FROM blocks k
                         WHERE k.user_id = u.id AND k.blocked_id = $1) IS NOT NULL AS blocked) b
                 WHERE u.deleted_at = 0"
            ))
            .await?;
        let found = client.query(&statement, &[&watcher.as_i64(), &users]).await?;
        found
            .iter()
            .map(|row| {
                Ok(SeenBy {
                    user_id: rows::user_id(row, 0)?,
                    status: row.try_get(1)?,
                    last_seen: row.try_get(2)?,
                    last_seen_at: row.try_get(3)?,
                })
            })
            .collect()
    }

    pub(crate) async fn save_last_seen(&self, seen: Vec<(i64, UnixMs)>) -> Result<(), StoreError> {
        let (ids, times): (Vec<i64>, Vec<UnixMs>) = seen.into_iter().unzip();
        let client = self.client().await?;
        // Locked in the order of ids, as other nodes do.
        let statement = client
            .prepare_cached(
                "WITH later AS MATERIALIZED (
                     SELECT u.id, s.at FROM UNNEST($1::int8[], $2::int8[]) AS s (id, at)
                     JOIN users u ON u.id = s.id
                     WHERE u.last_seen_at < s.at AND u.deleted_at = 0
                     ORDER BY u.id FOR NO KEY UPDATE OF u
                 )
                 UPDATE users u SET last_seen_at = GREATEST(u.last_seen_at, later.at)
                 FROM later WHERE u.id = later.id",
            )
            .await?;
        client.execute(&statement, &[&ids, &times]).await?;
        Ok(())
    }
}
