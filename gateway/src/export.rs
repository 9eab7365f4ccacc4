//! All that one user's data is, as JSON lines: one object a line, `{"type":"end"}` the last one of a complete export.

use prost::Message as _;
use ringwire_protocol::{UserId, wire};
use ringwire_storage::account::{ExportPosition, ExportRow};
use ringwire_storage::presence::Visibility;
use ringwire_storage::{Store, StoreError};
use serde_json::{Value, json};

use crate::conversation::entry::wire_entry;

/// Rows read at a time; with the longest bodies that is some megabytes.
const PAGE: u32 = 100;

/// An export under way. It holds a page at a time.
#[derive(Debug)]
pub struct Export {
    store: Store,
    user: UserId,
    from: Option<ExportPosition>,
    ended: bool,
}

impl Export {
    /// Of a user who exists.
    pub fn new(store: Store, user: UserId) -> Self {
        Self { store, user, from: Some(ExportPosition::default()), ended: false }
    }

    /// The next lines; `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(from) = self.from.take() {
            let (rows, next) = self.store.export_page(self.user, from, PAGE).await?;
            self.from = next;
            if !rows.is_empty() {
                return Ok(Some(lines(&rows)));
            }
        }
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        Ok(Some(b"{\"type\":\"end\"}\n".to_vec()))
    }
}

fn lines(rows: &[ExportRow]) -> Vec<u8> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&object(row).to_string());
        text.push('\n');
    }
    text.into_bytes()
}

/// Its name on the wire.
fn visibility(visibility: Visibility) -> &'static str {
    wire::Visibility::try_from(visibility as i32).map_or("", |visibility| visibility.as_str_name())
}

/// 64-bit numbers are text, as in every JSON of this server.
fn object(row: &ExportRow) -> Value {
    let number = |value: u64| value.to_string();
    match row {
        ExportRow::Profile {
            username,
            email,
            display_name,
            avatar_url,
            created_at,
            status_visibility,
            last_seen_visibility,
            last_seen_at,
            color,
            status_text,
        } => json!({
            "type": "profile", "username": username, "email": email,
            "display_name": display_name, "avatar_url": avatar_url,
            "created_at": created_at.to_string(),
            "status_visibility": visibility(*status_visibility),
            "last_seen_visibility": visibility(*last_seen_visibility),
            "last_seen_at": last_seen_at.to_string(), "color": color, "status_text": status_text,
        }),
        ExportRow::Identity { issuer, subject } => {
            json!({"type": "identity", "issuer": issuer, "subject": subject})
        }
        ExportRow::Device { device_id, device_class, name, label, created_at, last_seen_at } => {
            json!({
                "type": "device", "device_id": device_id, "device_class": device_class, "name": name,
                "label": label,
                "created_at": created_at.to_string(), "last_seen_at": last_seen_at.to_string(),
            })
        }
        ExportRow::Block { blocked_id, created_at } => json!({
            "type": "block", "user_id": number(blocked_id.get()),
            "created_at": created_at.to_string(),
        }),
        ExportRow::Contact { contact_id, nickname, created_at } => json!({
            "type": "contact", "user_id": number(contact_id.get()), "nickname": nickname,
            "created_at": created_at.to_string(),
        }),
        ExportRow::Membership {
            conversation_id,
            kind,
            role,
            joined_at,
            read_seq,
            delivered_seq,
        } => json!({
            "type": "membership", "conversation_id": number(conversation_id.get()),
            "kind": wire::ConversationKind::try_from(*kind as i32)
                .map_or("", |kind| kind.as_str_name()),
            "role": wire::Role::try_from(*role as i32).map_or("", |role| role.as_str_name()),
            "joined_at": joined_at.to_string(), "read_seq": number(*read_seq),
            "delivered_seq": number(*delivered_seq),
        }),
        ExportRow::JoinRequest { conversation_id, text, requested_at } => json!({
            "type": "join_request", "conversation_id": number(conversation_id.get()),
            "text": text, "requested_at": requested_at.to_string(),
        }),
        ExportRow::Reaction { conversation_id, seq, reaction } => json!({
            "type": "reaction", "conversation_id": number(conversation_id.get()),
            "seq": number(*seq), "reaction": reaction,
        }),
        ExportRow::Hidden { conversation_id, seq } => json!({
            "type": "hidden", "conversation_id": number(conversation_id.get()),
            "seq": number(*seq),
        }),
        ExportRow::Attachment { file_id, place, name, mime_type, size_bytes, created_at } => {
            json!({
                "type": "attachment", "file_id": file_id, "name": name, "mime_type": mime_type,
                "conversation_id": place.map(|(id, _)| number(id.get())),
                "seq": place.map(|(_, seq)| number(seq)),
                "size_bytes": number(*size_bytes), "created_at": created_at.to_string(),
            })
        }
        ExportRow::Entry(entry) => {
            let mut told = wire_entry(entry);
            let body = told.body.take();
            let mut object = json!({
                "type": "entry", "entry": told,
                "body": body,
            });
            if body.as_ref().is_none_or(|body| body.encoded_len() == 0) {
                // Erased, or written by a newer release.
                object["body"] = Value::Null;
            }
            object
        }
    }
}
