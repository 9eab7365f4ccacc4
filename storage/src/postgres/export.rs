//! What is one user's, besides what they sent.

use ringwire_protocol::{ConversationId, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::rows;
use crate::account::{ExportPosition, ExportRow, Section};
use crate::error::StoreError;

impl PostgresStore {
    /// A page of one section, in the order of what [`ExportPosition`] names; empty for [`Section::Entries`].
    pub(crate) async fn export_section(
        &self,
        user: UserId,
        from: &ExportPosition,
        limit: u32,
    ) -> Result<Vec<ExportRow>, StoreError> {
        type Read = fn(&Row) -> Result<ExportRow, StoreError>;
        // Every query takes the user, a number, a text and a limit, and uses two or three of them.
        let (sql, read): (&str, Read) = match from.section {
            Section::Profile => (
                "SELECT username, email, display_name, avatar_url, created_at, status_visibility,
                     last_seen_visibility, last_seen_at, color, status_text FROM users
                 WHERE id = $1 AND deleted_at = 0 AND id > $2 AND $3::text = '' LIMIT $4",
                profile,
            ),
            Section::Identities => (
                "SELECT issuer, subject FROM identities
                 WHERE user_id = $1 AND $2 = 0::int8 AND issuer || E'\\n' || subject > $3
                 ORDER BY issuer || E'\\n' || subject LIMIT $4",
                identity,
            ),
            Section::Devices => (
                "SELECT device_id, device_class, name, created_at, last_seen_at, label FROM devices
                 WHERE user_id = $1 AND $2 = 0::int8 AND device_id > $3 ORDER BY device_id LIMIT $4",
                device,
            ),
            Section::Blocks => (
                "SELECT blocked_id, created_at FROM blocks
                 WHERE user_id = $1 AND blocked_id > $2 AND $3::text = '' ORDER BY blocked_id LIMIT $4",
                block,
            ),
            Section::Contacts => (
                "SELECT contact_id, nickname, created_at FROM contacts
                 WHERE user_id = $1 AND contact_id > $2 AND $3::text = '' ORDER BY contact_id LIMIT $4",
                contact,
            ),
            Section::Memberships => (
                "SELECT m.conversation_id, c.kind, m.role, m.joined_at, coalesce(k.read_seq, 0),
                     coalesce(k.delivered_seq, 0)
                 FROM members m JOIN conversations c ON c.id = m.conversation_id
                 LEFT JOIN cursors k
                     ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                 WHERE m.user_id = $1 AND m.conversation_id > $2 AND $3::text = ''
                 ORDER BY m.conversation_id LIMIT $4",
                membership,
            ),
            Section::JoinRequests => (
                "SELECT conversation_id, text, requested_at FROM join_requests
                 WHERE user_id = $1 AND conversation_id > $2 AND $3::text = ''
                 ORDER BY conversation_id LIMIT $4",
                join_request,
            ),
            Section::Reactions => (
                "SELECT r.conversation_id, r.seq, r.reaction FROM reactions r
                 WHERE r.user_id = $1 AND r.conversation_id >= $2
                     AND (r.conversation_id > $2 OR lpad(r.seq::text, 19, '0') || r.reaction > $3::text)
                 ORDER BY r.conversation_id, r.seq, r.reaction LIMIT $4",
                reaction,
            ),
            Section::Hidden => (
                "SELECT h.conversation_id, h.seq FROM hidden h
                 WHERE h.user_id = $1 AND h.conversation_id >= $2
                     AND (h.conversation_id > $2 OR lpad(h.seq::text, 19, '0') > $3::text)
                 ORDER BY h.conversation_id, h.seq LIMIT $4",
                hidden,
            ),
            Section::Attachments => (
                "SELECT file_id, conversation_id, seq, name, mime_type, size_bytes, created_at
                 FROM attachments WHERE owner_id = $1 AND $2 = 0::int8 AND file_id > $3
                 ORDER BY file_id LIMIT $4",
                attachment,
            ),
            Section::Entries => return Ok(Vec::new()),
        };
        let client = self.client().await?;
        let statement = client.prepare_cached(sql).await?;
        let rows = client
            .query(&statement, &[&user.as_i64(), &from.id, &from.key, &i64::from(limit)])
            .await?;
        rows.iter().map(read).collect()
    }
}

fn profile(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Profile {
        username: row.try_get(0)?,
        email: row.try_get(1)?,
        display_name: row.try_get(2)?,
        avatar_url: row.try_get(3)?,
        created_at: row.try_get(4)?,
        status_visibility: rows::visibility(row, 5)?,
        last_seen_visibility: rows::visibility(row, 6)?,
        last_seen_at: row.try_get(7)?,
        color: row.try_get(8)?,
        status_text: row.try_get(9)?,
    })
}

fn identity(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Identity { issuer: row.try_get(0)?, subject: row.try_get(1)? })
}

fn device(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Device {
        device_id: row.try_get(0)?,
        device_class: row.try_get(1)?,
        name: row.try_get(2)?,
        created_at: row.try_get(3)?,
        last_seen_at: row.try_get(4)?,
        label: row.try_get(5)?,
    })
}

fn block(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Block { blocked_id: rows::user_id(row, 0)?, created_at: row.try_get(1)? })
}

fn contact(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Contact {
        contact_id: rows::user_id(row, 0)?,
        nickname: row.try_get(1)?,
        created_at: row.try_get(2)?,
    })
}

fn membership(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Membership {
        conversation_id: rows::conversation_id(row, 0)?,
        kind: rows::kind(row, 1)?,
        role: rows::role(row, 2)?,
        joined_at: row.try_get(3)?,
        read_seq: rows::number(row, 4)?,
        delivered_seq: rows::number(row, 5)?,
    })
}

fn join_request(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::JoinRequest {
        conversation_id: rows::conversation_id(row, 0)?,
        text: row.try_get(1)?,
        requested_at: row.try_get(2)?,
    })
}

fn reaction(row: &Row) -> Result<ExportRow, StoreError> {
    Ok(ExportRow::Reaction {
        conversation_id: rows::conversation_id(row, 0)?,
        seq: rows::number(row, 1)?,
        reaction: row.try_get(2)?,
    })
}

fn hidden(row: &Row) -> Result<ExportRow, StoreError> {
    let conversation_id = rows::conversation_id(row, 0)?;
    Ok(ExportRow::Hidden { conversation_id, seq: rows::number(row, 1)? })
}

fn attachment(row: &Row) -> Result<ExportRow, StoreError> {
    let conversation = match row.try_get::<_, Option<i64>>(1)? {
        Some(_) => Some(rows::conversation_id(row, 1)?),
        None => None,
    };
    let seq = rows::number(row, 2)?;
    Ok(ExportRow::Attachment {
        file_id: row.try_get(0)?,
        place: conversation.map(|id: ConversationId| (id, seq)),
        name: row.try_get(3)?,
        mime_type: row.try_get(4)?,
        size_bytes: rows::number(row, 5)?,
        created_at: row.try_get(6)?,
    })
}
