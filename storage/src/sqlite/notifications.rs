//! What members want to be told of, and what a notification says.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::OptionalExtension as _;
use rusqlite::types::Type;

use super::SqliteStore;
use super::directory::users_by_id;
use super::retention::CLOCK;
use super::rows::{self, ENTRY, ENTRY_WIDTH, position};
use super::snapshots::total_unread;
use crate::error::StoreError;
use crate::model::UserRow;
use crate::notifications::{Notice, NotificationSettings, NotifyLevel};

/// Whether member `m`, whose cursors are `k`, is to be told of entry `e`.
pub(super) fn wanted() -> String {
    format!(
        "m.user_id <> e.sender_id AND e.recalled_at IS NULL AND length(e.body) > 0
         AND max(coalesce(k.delivered_seq, 0), coalesce(k.read_seq, 0)) < e.seq
         AND m.notify < 2 AND m.notify_muted_until <= {CLOCK}
         AND (m.notify = 0
             OR EXISTS (SELECT 1 FROM mentions x WHERE x.user_id = m.user_id
                 AND x.conversation_id = e.conversation_id AND x.seq = e.seq)
             OR EXISTS (SELECT 1 FROM mentions x WHERE x.user_id = 0
                 AND x.conversation_id = e.conversation_id AND x.seq = e.seq))
         AND NOT EXISTS (SELECT 1 FROM blocks b
             WHERE b.user_id = m.user_id AND b.blocked_id = e.sender_id)
         AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.user_id = m.user_id
             AND h.conversation_id = e.conversation_id AND h.seq = e.seq)"
    )
}

impl SqliteStore {
    pub(crate) async fn notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
    ) -> Result<Option<NotificationSettings>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT notify, notify_muted_until FROM members
                     WHERE conversation_id = ?1 AND user_id = ?2",
                )?
                .query_row((id.as_i64(), user.as_i64()), |row| {
                    let unknown = || {
                        rusqlite::Error::InvalidColumnType(0, "unknown level".into(), Type::Integer)
                    };
                    let level = NotifyLevel::from_number(row.get(0)?).ok_or_else(unknown)?;
                    Ok(NotificationSettings { level, muted_until: row.get(1)? })
                })
                .optional()?)
        })
        .await
    }

    pub(crate) async fn set_notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
        settings: NotificationSettings,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let set = tx
                .prepare_cached(
                    "UPDATE members SET notify = ?3, notify_muted_until = ?4
                     WHERE conversation_id = ?1 AND user_id = ?2",
                )?
                .execute((
                    id.as_i64(),
                    user.as_i64(),
                    settings.level as i16,
                    settings.muted_until,
                ))?;
            Ok(set > 0)
        })
        .await
    }

    pub(crate) async fn notice(
        &self,
        user: UserId,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<Notice>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let found = tx
                .prepare_cached(&format!(
                    "SELECT {ENTRY}, c.kind, c.settings
                     FROM entries e
                     JOIN conversations c ON c.id = e.conversation_id AND c.deleted_at = 0
                     JOIN members m ON m.conversation_id = e.conversation_id AND m.user_id = ?3
                     LEFT JOIN cursors k ON k.conversation_id = e.conversation_id AND k.user_id = ?3
                     WHERE e.conversation_id = ?1 AND e.seq = ?2 AND {}",
                    wanted()
                ))?
                .query_row((id.as_i64(), position(seq), user.as_i64()), |row| {
                    let settings: Vec<u8> = row.get(ENTRY_WIDTH + 1)?;
                    Ok((rows::entry(row, 0, &keys)?, rows::kind(row, ENTRY_WIDTH)?, settings))
                })
                .optional()?;
            let Some((entry, kind, settings)) = found else { return Ok(None) };
            let sender: Vec<UserRow> =
                users_by_id(tx, entry.sender_id.iter().map(|sender| sender.as_i64()))?;
            Ok(Some(Notice {
                sender: sender.into_iter().next(),
                kind,
                settings: settings.into(),
                unread: total_unread(tx, user)?,
                entry,
            }))
        })
        .await
    }
}
