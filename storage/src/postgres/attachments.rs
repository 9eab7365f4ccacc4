//! Attachments. `seq`: 0 unused, -1 handed out for deletion, else the entry that carries the file.

use std::collections::HashSet;

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::hold::hold_users;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::attachments::{
    AttachmentRow, Binding, NewAttachment, SMALLEST_COUNTED_BYTES, why_not_bound,
};
use crate::error::StoreError;

/// What [`attachment`] reads, of table `a`.
const ATTACHMENT: &str = "a.file_id, a.owner_id, a.conversation_id, a.seq, a.name, a.mime_type, \
     a.size_bytes, a.sha256, a.width, a.height, a.created_at";

impl PostgresStore {
    pub(crate) async fn insert_attachment(
        &self,
        file: NewAttachment,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        hold_users(&tx, &[file.owner_id.as_i64()]).await?;
        let statement = tx
            .prepare_cached(
                "INSERT INTO attachments (file_id, owner_id, name, mime_type, size_bytes, sha256,
                     width, height, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (file_id) DO NOTHING",
            )
            .await?;
        let inserted = tx
            .execute(
                &statement,
                &[
                    &file.file_id,
                    &file.owner_id.as_i64(),
                    &file.name,
                    &file.mime_type,
                    &position(file.size_bytes),
                    &file.sha256.as_slice(),
                    &pixels(file.width),
                    &pixels(file.height),
                    &now_ms,
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(inserted > 0)
    }

    pub(crate) async fn attachment_bytes(&self, owner: UserId) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT coalesce(sum(GREATEST(size_bytes, $2)), 0)::int8 FROM attachments
                 WHERE owner_id = $1",
            )
            .await?;
        let least = i64::from(SMALLEST_COUNTED_BYTES);
        let row = client.query_one(&statement, &[&owner.as_i64(), &least]).await?;
        rows::number(&row, 0)
    }

    pub(crate) async fn known_attachments(
        &self,
        file_ids: Vec<String>,
    ) -> Result<HashSet<String>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("SELECT file_id FROM attachments WHERE file_id = ANY ($1)")
            .await?;
        let rows = client.query(&statement, &[&file_ids]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(crate) async fn bind_attachment(
        &self,
        owner: UserId,
        file_id: String,
        place: (ConversationId, Seq),
    ) -> Result<Binding, StoreError> {
        let (id, seq) = (place.0.as_i64(), position(place.1));
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        hold_users(&tx, &[owner.as_i64()]).await?;
        // Trimming waits for this lock, and unbinds what it finds afterwards.
        let statement = tx
            .prepare_cached(
                "SELECT FROM entries WHERE conversation_id = $1 AND seq = $2 AND sender_id = $3
                 FOR KEY SHARE",
            )
            .await?;
        let entry = tx.query_opt(&statement, &[&id, &seq, &owner.as_i64()]).await?;
        if entry.is_none() {
            return Ok(Binding::NoSuchEntry);
        }
        let statement = tx
            .prepare_cached(
                "UPDATE attachments SET conversation_id = $3, seq = $4
                 WHERE file_id = $1 AND owner_id = $2 AND seq = 0",
            )
            .await?;
        if tx.execute(&statement, &[&file_id, &owner.as_i64(), &id, &seq]).await? > 0 {
            tx.commit().await?;
            return Ok(Binding::Bound);
        }
        let statement = tx
            .prepare_cached(
                "SELECT conversation_id, seq FROM attachments WHERE file_id = $1 AND owner_id = $2",
            )
            .await?;
        let row = tx.query_opt(&statement, &[&file_id, &owner.as_i64()]).await?;
        let found = row.map(|row| Ok::<_, StoreError>((row.try_get(0)?, row.try_get(1)?)));
        Ok(why_not_bound(found.transpose()?, place))
    }

    pub(crate) async fn attachment_for(
        &self,
        user: UserId,
        file_id: String,
    ) -> Result<Option<AttachmentRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {ATTACHMENT} FROM attachments a WHERE a.file_id = $1 AND a.seq >= 0 AND (
                     a.owner_id = $2 OR (a.seq > 0 AND (a.conversation_id IS NULL
                         OR EXISTS (SELECT FROM members m
                             WHERE m.conversation_id = a.conversation_id AND m.user_id = $2))))"
            ))
            .await?;
        let row = client.query_opt(&statement, &[&file_id, &user.as_i64()]).await?;
        row.as_ref().map(attachment).transpose()
    }

    pub(crate) async fn condemn_attachments(
        &self,
        age_ms: i64,
        after: (UnixMs, String),
        limit: u32,
    ) -> Result<Vec<AttachmentRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "UPDATE attachments a SET seq = -1 FROM (
                     SELECT file_id FROM attachments
                     WHERE seq <= 0 AND created_at <= (SELECT {CLOCK}) - $1
                         AND (created_at, file_id) > ($2, $3)
                     ORDER BY created_at, file_id LIMIT $4 FOR UPDATE) old
                 WHERE a.file_id = old.file_id RETURNING {ATTACHMENT}"
            ))
            .await?;
        let rows =
            client.query(&statement, &[&age_ms, &after.0, &after.1, &i64::from(limit)]).await?;
        rows.iter().map(attachment).collect()
    }

    pub(crate) async fn delete_attachment(&self, file_id: String) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement =
            client.prepare_cached("DELETE FROM attachments WHERE file_id = $1 AND seq < 0").await?;
        Ok(client.execute(&statement, &[&file_id]).await? > 0)
    }
}

fn attachment(row: &Row) -> Result<AttachmentRow, StoreError> {
    let sha256 = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(7)?)
        .map_err(|_| StoreError::Damaged("the hash of a file has a wrong length".to_owned()))?;
    let side = |at| {
        u32::try_from(row.try_get::<_, i32>(at)?)
            .map_err(|_| StoreError::Damaged("a picture has a negative side".to_owned()))
    };
    let place = match (row.try_get::<_, Option<i64>>(2)?, row.try_get::<_, i64>(3)?) {
        (Some(_), 1..) => Some((rows::conversation_id(row, 2)?, rows::number(row, 3)?)),
        _ => None,
    };
    let file = NewAttachment {
        file_id: row.try_get(0)?,
        owner_id: rows::user_id(row, 1)?,
        name: row.try_get(4)?,
        mime_type: row.try_get(5)?,
        size_bytes: rows::number(row, 6)?,
        sha256,
        width: side(8)?,
        height: side(9)?,
    };
    Ok(AttachmentRow { file, place, created_at: row.try_get(10)? })
}

/// No picture has that many.
fn pixels(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
