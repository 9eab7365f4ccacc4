//! Attachments. `seq`: 0 unused, -1 handed out for deletion, else the entry that carries the file; 1 without a conversation:
//! the picture of its owner.

use std::collections::HashSet;

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Row};

use super::SqliteStore;
use super::hold::require_user;
use super::retention::CLOCK;
use super::rows::{self, position};
use crate::attachments::{
    AttachmentRow, Binding, NewAttachment, SMALLEST_COUNTED_BYTES, why_not_bound,
};
use crate::error::StoreError;

/// What [`attachment`] reads.
const ATTACHMENT: &str = "file_id, owner_id, conversation_id, seq, name, mime_type, size_bytes, \
     sha256, width, height, created_at";

impl SqliteStore {
    pub(crate) async fn insert_attachment(
        &self,
        file: NewAttachment,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            require_user(tx, file.owner_id.as_i64())?;
            let inserted = tx
                .prepare_cached(
                    "INSERT INTO attachments (file_id, owner_id, name, mime_type, size_bytes, sha256,
                         width, height, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (file_id) DO NOTHING",
                )?
                .execute((
                    file.file_id,
                    file.owner_id.as_i64(),
                    file.name,
                    file.mime_type,
                    position(file.size_bytes),
                    file.sha256,
                    file.width,
                    file.height,
                    now_ms,
                ))?;
            Ok(inserted > 0)
        })
        .await
    }

    pub(crate) async fn attachment_bytes(&self, owner: UserId) -> Result<u64, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT coalesce(sum(max(size_bytes, ?2)), 0) FROM attachments
                     WHERE owner_id = ?1",
                )?
                .query_row((owner.as_i64(), SMALLEST_COUNTED_BYTES), |row| rows::number(row, 0))?)
        })
        .await
    }

    pub(crate) async fn known_attachments(
        &self,
        file_ids: Vec<String>,
    ) -> Result<HashSet<String>, StoreError> {
        self.read(move |tx| {
            let mut statement =
                tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM attachments WHERE file_id = ?1)")?;
            let mut known = HashSet::new();
            for file_id in file_ids {
                if statement.query_row([&file_id], |row| row.get::<_, bool>(0))? {
                    known.insert(file_id);
                }
            }
            Ok(known)
        })
        .await
    }

    pub(crate) async fn bind_attachment(
        &self,
        owner: UserId,
        file_id: String,
        place: (ConversationId, Seq),
    ) -> Result<Binding, StoreError> {
        let (id, seq) = (place.0.as_i64(), position(place.1));
        let owner = owner.as_i64();
        self.write(move |tx| {
            require_user(tx, owner)?;
            let entry = tx
                .prepare_cached(
                    "SELECT 1 FROM entries
                     WHERE conversation_id = ?1 AND seq = ?2 AND sender_id = ?3",
                )?
                .exists((id, seq, owner))?;
            if !entry {
                return Ok(Binding::NoSuchEntry);
            }
            let bound = tx
                .prepare_cached(
                    "UPDATE attachments SET conversation_id = ?3, seq = ?4
                     WHERE file_id = ?1 AND owner_id = ?2 AND seq = 0",
                )?
                .execute((&file_id, owner, id, seq))?;
            if bound > 0 {
                return Ok(Binding::Bound);
            }
            let found = tx
                .prepare_cached(
                    "SELECT conversation_id, seq FROM attachments
                     WHERE file_id = ?1 AND owner_id = ?2",
                )?
                .query_row((&file_id, owner), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(why_not_bound(found, place))
        })
        .await
    }

    pub(crate) async fn attachment_for(
        &self,
        user: UserId,
        file_id: String,
    ) -> Result<Option<AttachmentRow>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "SELECT {ATTACHMENT} FROM attachments a WHERE a.file_id = ?1 AND a.seq >= 0 AND (
                         a.owner_id = ?2 OR (a.seq > 0 AND (a.conversation_id IS NULL
                             OR EXISTS (SELECT 1 FROM members m
                                 WHERE m.conversation_id = a.conversation_id AND m.user_id = ?2))))"
                ))?
                .query_row((file_id, user.as_i64()), attachment)
                .optional()?)
        })
        .await
    }

    pub(crate) async fn condemn_attachments(
        &self,
        age_ms: i64,
        after: (UnixMs, String),
        limit: u32,
    ) -> Result<Vec<AttachmentRow>, StoreError> {
        self.write(move |tx| {
            Ok(tx
                .prepare_cached(&format!(
                    "UPDATE attachments SET seq = -1 WHERE file_id IN (
                         SELECT file_id FROM attachments
                         WHERE seq <= 0 AND created_at <= {CLOCK} - ?1
                             AND (created_at, file_id) > (?2, ?3)
                         ORDER BY created_at, file_id LIMIT ?4)
                     RETURNING {ATTACHMENT}"
                ))?
                .query_map((age_ms, after.0, after.1, limit), attachment)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn delete_attachment(&self, file_id: String) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let deleted = tx
                .prepare_cached("DELETE FROM attachments WHERE file_id = ?1 AND seq < 0")?
                .execute([file_id])?;
            Ok(deleted > 0)
        })
        .await
    }
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<AttachmentRow> {
    let place = match (row.get::<_, Option<i64>>(2)?, row.get::<_, i64>(3)?) {
        (Some(_), 1..) => Some((rows::conversation_id(row, 2)?, rows::number(row, 3)?)),
        _ => None,
    };
    let file = NewAttachment {
        file_id: row.get(0)?,
        owner_id: rows::user_id(row, 1)?,
        name: row.get(4)?,
        mime_type: row.get(5)?,
        size_bytes: rows::number(row, 6)?,
        sha256: row.get(7)?,
        width: row.get(8)?,
        height: row.get(9)?,
    };
    Ok(AttachmentRow { file, place, created_at: row.get(10)? })
}
