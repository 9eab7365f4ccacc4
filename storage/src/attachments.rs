//! Attachments: what the database knows of uploaded files. Their bytes lie in an object store.
//!
//! ```text
//!   insert ─► unused ── Change::Carry, or bind, once ─► carried by an entry ── the entry goes, the owner is erased ─► unused
//!               ├── Store::update_account ─► its owner's picture, shown to everybody ── another picture ─► unused
//!               └── old enough: condemned ─► bytes removed ─► row deleted
//! ```
//!
//! Invariants:
//! - Only the owner's own entry carries a file, one entry for ever.
//! - A row goes after its bytes: only one that was handed out for deletion can be deleted. From then on nobody can bind
//!   or read it, so no entry ever carries a file whose bytes are being removed.
//! - A user's picture is a file of theirs that no entry carries: it stays for as long as their account names it.
//! - Trimming and erasing unbind files, so that those who remove unused ones find them.

use std::collections::HashSet;

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};

use crate::error::StoreError;
use crate::store::{Store, either};

/// A smaller file counts as this much against its owner's quota: rows take room too.
pub const SMALLEST_COUNTED_BYTES: u32 = 4096;

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttachment {
    /// Made by the server, 1 to 64 bytes.
    pub file_id: String,
    /// Who uploaded it.
    pub owner_id: UserId,
    /// File name, for people.
    pub name: String,
    /// Content type.
    pub mime_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Of the bytes.
    pub sha256: [u8; 32],
    /// In pixels; 0: no picture.
    pub width: u32,
    /// In pixels; 0: no picture.
    pub height: u32,
}

/// A file and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRow {
    /// What was uploaded.
    pub file: NewAttachment,
    /// The entry that carries it. `None`: nothing does, or its owner's account as their picture.
    pub place: Option<(ConversationId, Seq)>,
    /// Upload time.
    pub created_at: UnixMs,
}

/// What became of a wish to let an entry carry a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It carries it now.
    Bound,
    /// It did already.
    Already,
    /// Another entry carries it.
    Elsewhere,
    /// The user has no such file, or it is being removed.
    NoSuchFile,
    /// The user made no such entry, or it is gone.
    NoSuchEntry,
}

/// What is known of a file that could not be bound.
pub(crate) fn why_not_bound(
    place: Option<(Option<i64>, i64)>,
    wanted: (ConversationId, Seq),
) -> Binding {
    match place {
        Some((Some(id), seq)) if id == wanted.0.as_i64() && seq.unsigned_abs() == wanted.1 => {
            Binding::Already
        }
        Some((_, seq)) if seq > 0 => Binding::Elsewhere,
        _ => Binding::NoSuchFile,
    }
}

impl Store {
    /// Notes a file whose bytes are there; `false`: there is one with this id.
    /// [`StoreError::NoSuchUser`] also if the owner is deleted.
    pub async fn insert_attachment(
        &self,
        file: NewAttachment,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        either!(self, store => store.insert_attachment(file, now_ms).await)
    }

    /// What all files of a user take, in bytes, each counted as [`SMALLEST_COUNTED_BYTES`] at least.
    pub async fn attachment_bytes(&self, owner: UserId) -> Result<u64, StoreError> {
        either!(self, store => store.attachment_bytes(owner).await)
    }

    /// Which of these files have a row, in any state.
    pub async fn known_attachments(
        &self,
        file_ids: Vec<String>,
    ) -> Result<HashSet<String>, StoreError> {
        either!(self, store => store.known_attachments(file_ids).await)
    }

    /// Lets a committed entry of its owner carry a file, from then on for all members.
    pub async fn bind_attachment(
        &self,
        owner: UserId,
        file_id: &str,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Binding, StoreError> {
        let file_id = file_id.to_owned();
        either!(self, store => store.bind_attachment(owner, file_id, (id, seq)).await)
    }

    /// A file: for its owner, for members of the conversation whose entry carries it, and for every user if it is its
    /// owner's picture. `None`: there is none for this user.
    pub async fn attachment_for(
        &self,
        user: UserId,
        file_id: &str,
    ) -> Result<Option<AttachmentRow>, StoreError> {
        let file_id = file_id.to_owned();
        either!(self, store => store.attachment_for(user, file_id).await)
    }

    /// Hands out files that no entry carries, that are no pictures of their owners and that were uploaded at least `age_ms` ago, by the database's clock, oldest
    /// first, for their bytes to be removed. `after`: upload time and id of the last one of the page before. They stay on
    /// the list until [`Self::delete_attachment`], so work that was cut off is done again.
    pub async fn condemn_attachments(
        &self,
        age_ms: i64,
        after: Option<(UnixMs, &str)>,
        limit: u32,
    ) -> Result<Vec<AttachmentRow>, StoreError> {
        let (at, file_id) = after.unwrap_or((i64::MIN, ""));
        let after = (at, file_id.to_owned());
        let mut rows =
            either!(self, store => store.condemn_attachments(age_ms, after, limit).await?);
        rows.sort_by(|one, other| {
            (one.created_at, &one.file.file_id).cmp(&(other.created_at, &other.file.file_id))
        });
        Ok(rows)
    }

    /// Forgets a file whose bytes are removed; `false`: it was not handed out for that, or is forgotten already.
    pub async fn delete_attachment(&self, file_id: &str) -> Result<bool, StoreError> {
        let file_id = file_id.to_owned();
        either!(self, store => store.delete_attachment(file_id).await)
    }
}
