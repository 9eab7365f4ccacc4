//! What members want to be told of, and what a notification says.

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio_postgres::IsolationLevel;

use super::PostgresStore;
use super::directory::users_by_id;
use super::log::snapshot;
use super::retention::CLOCK;
use super::rows::{self, ENTRY, ENTRY_WIDTH, position};
use super::snapshots::total_unread;
use crate::error::StoreError;
use crate::notifications::{Notice, NotificationSettings, NotifyLevel};

/// Whether member `m`, whose cursors are `k`, is to be told of entry `e`.
pub(super) fn wanted() -> String {
    format!(
        "m.user_id <> e.sender_id AND e.recalled_at IS NULL AND octet_length(e.body) > 0
         AND GREATEST(k.delivered_seq, k.read_seq, 0) < e.seq
         AND m.notify < 2 AND m.notify_muted_until <= (SELECT {CLOCK})
         AND (m.notify = 0
             OR (SELECT x.seq FROM mentions x WHERE x.user_id = m.user_id
                 AND x.conversation_id = e.conversation_id AND x.seq = e.seq) IS NOT NULL
             OR (SELECT x.seq FROM mentions x WHERE x.user_id = 0
                 AND x.conversation_id = e.conversation_id AND x.seq = e.seq) IS NOT NULL)
         AND (SELECT b.user_id FROM blocks b
             WHERE b.user_id = m.user_id AND b.blocked_id = e.sender_id) IS NULL
         AND (SELECT h.seq FROM hidden h WHERE h.user_id = m.user_id
             AND h.conversation_id = e.conversation_id AND h.seq = e.seq) IS NULL"
    )
}

impl PostgresStore {
    pub(crate) async fn notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
    ) -> Result<Option<NotificationSettings>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT notify, notify_muted_until FROM members
                 WHERE conversation_id = $1 AND user_id = $2",
            )
            .await?;
        let row = client.query_opt(&statement, &[&id.as_i64(), &user.as_i64()]).await?;
        row.map(|row| {
            let level = NotifyLevel::from_number(row.try_get(0)?)
                .ok_or_else(|| StoreError::Damaged("a level of notification".to_owned()))?;
            Ok(NotificationSettings { level, muted_until: row.try_get(1)? })
        })
        .transpose()
    }

    pub(crate) async fn set_notification_settings(
        &self,
        user: UserId,
        id: ConversationId,
        settings: NotificationSettings,
    ) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "UPDATE members SET notify = $3, notify_muted_until = $4
                 WHERE conversation_id = $1 AND user_id = $2",
            )
            .await?;
        let (level, until): (i16, UnixMs) = (settings.level as i16, settings.muted_until);
        let key = (id.as_i64(), user.as_i64());
        Ok(client.execute(&statement, &[&key.0, &key.1, &level, &until]).await? > 0)
    }

    pub(crate) async fn notice(
        &self,
        user: UserId,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<Notice>, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let statement = tx
            .prepare_cached(&format!(
                "SELECT {ENTRY}, c.kind, c.settings
                 FROM entries e
                 JOIN conversations c ON c.id = e.conversation_id AND c.deleted_at = 0
                 JOIN members m ON m.conversation_id = e.conversation_id AND m.user_id = $3
                 LEFT JOIN cursors k ON k.conversation_id = e.conversation_id AND k.user_id = $3
                 WHERE e.conversation_id = $1 AND e.seq = $2 AND {}",
                wanted()
            ))
            .await?;
        let key = (id.as_i64(), position(seq), user.as_i64());
        let Some(row) = tx.query_opt(&statement, &[&key.0, &key.1, &key.2]).await? else {
            return Ok(None);
        };
        let entry = rows::entry(&row, 0, &self.keys)?;
        let sender: Vec<i64> = entry.sender_id.iter().map(|sender| sender.as_i64()).collect();
        Ok(Some(Notice {
            sender: users_by_id(&tx, &sender).await?.pop(),
            kind: rows::kind(&row, ENTRY_WIDTH)?,
            settings: rows::bytes(&row, ENTRY_WIDTH + 1)?,
            unread: total_unread(&tx, user).await?,
            entry,
        }))
    }
}
