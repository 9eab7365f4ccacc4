//! Who may see whether a user is there.

use ringwire_protocol::{UnixMs, UserId};

use super::SqliteStore;
use super::rows::{self, json_list};
use crate::error::StoreError;
use crate::presence::SeenBy;

/// Whether user `?1` may see what `column` of user `u` is about; only where neither blocks the other.
fn may_see(column: &str) -> String {
    format!(
        "u.id = ?1 OR u.{column} = 1 OR (u.{column} = 0 AND EXISTS (
             SELECT 1 FROM members m
             CROSS JOIN members w ON w.conversation_id = m.conversation_id AND w.user_id = ?1
             CROSS JOIN conversations c ON c.id = m.conversation_id AND c.kind <> 2
             WHERE m.user_id = u.id))"
    )
}

impl SqliteStore {
    pub(crate) async fn set_visibility(
        &self,
        user: UserId,
        status: Option<i16>,
        last_seen: Option<i16>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE users SET status_visibility = coalesce(?2, status_visibility),
                         last_seen_visibility = coalesce(?3, last_seen_visibility)
                     WHERE id = ?1 AND deleted_at = 0",
                )?
                .execute((user.as_i64(), status, last_seen))?;
            if changed == 0 { Err(StoreError::NoSuchUser) } else { Ok(()) }
        })
        .await
    }

    pub(crate) async fn visible_presence(
        &self,
        watcher: UserId,
        users: Vec<i64>,
    ) -> Result<Vec<SeenBy>, StoreError> {
        self.read(move |tx| {
            let blocked = "EXISTS (SELECT 1 FROM blocks WHERE user_id = ?1 AND blocked_id = u.id)
                 OR EXISTS (SELECT 1 FROM blocks WHERE user_id = u.id AND blocked_id = ?1)";
            let (status, last_seen) =
                (may_see("status_visibility"), may_see("last_seen_visibility"));
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT u.id, NOT ({blocked}) AND ({status}), NOT ({blocked}) AND ({last_seen}),
                         u.last_seen_at
                     FROM json_each(?2) j CROSS JOIN users u ON u.id = j.value
                     WHERE u.deleted_at = 0"
                ))?
                .query_map((watcher.as_i64(), json_list(users.into_iter())), |row| {
                    Ok(SeenBy {
                        user_id: rows::user_id(row, 0)?,
                        status: row.get(1)?,
                        last_seen: row.get(2)?,
                        last_seen_at: row.get(3)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn save_last_seen(&self, seen: Vec<(i64, UnixMs)>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut save = tx.prepare_cached(
                "UPDATE users SET last_seen_at = ?2
                 WHERE id = ?1 AND last_seen_at < ?2 AND deleted_at = 0",
            )?;
            for row in seen {
                save.execute(row)?;
            }
            Ok(())
        })
        .await
    }
}
