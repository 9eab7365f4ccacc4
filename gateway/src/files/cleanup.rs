//! Clean-up: files that no message carries, and bytes that no row knows.
//!
//! ```text
//!   rows without an entry for a day: handed out (nobody can bind or read them) ─► bytes removed ─► row deleted
//!   one folder of 256 after the other: bytes older than a day ─► without a row? ─► removed
//! ```
//!
//! A step that is cut off anywhere is done again: a row that was handed out stays on the list until it is deleted, and
//! bytes without a row are found at the next pass. Bytes of files are only removed here and by uploads that are given up.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use futures_util::stream::StreamExt;
use ringwire_storage::{Store, StoreError};
use tokio::time::Instant;

use super::headers::hex;
use super::{BytesError, FileId, Files};
use crate::limits;

/// How long a file may be without an entry, and bytes without a row; much longer than any upload takes.
const GRACE: Duration = Duration::from_hours(24);
/// How often every folder is looked at.
const PASS: Duration = Duration::from_hours(24);
/// Files that are removed in one step.
const PAGE: u32 = 50;
/// Files whose rows are looked for at once.
const LOOKED_FOR: usize = 200;
/// What the fingerprint of a database is derived for.
const PURPOSE: &[u8] = b"ringwire files of a database, version 1";

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanupError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of bytes.
    #[error(transparent)]
    Bytes(#[from] BytesError),
    /// Bytes of another database would be removed.
    #[error(
        "files.store holds the files of another database, so files without a row are left alone: give each database a \
             place of its own"
    )]
    Shared,
}

/// Where the clean-up stands.
#[derive(Debug)]
pub(crate) struct Cleanup {
    files: Files,
    /// The folder that is looked at next; `None`: all were.
    folder: Option<u8>,
    next_pass: Instant,
}

impl Cleanup {
    /// All of it is due.
    pub(crate) fn new(files: Files) -> Self {
        Self { files, folder: None, next_pass: Instant::now() }
    }

    /// Removes some files; whether there is more to do at once.
    pub(crate) async fn step(&mut self, store: &Store) -> Result<bool, CleanupError> {
        let age_ms = GRACE.as_millis() as i64;
        let page = store.condemn_attachments(age_ms, None, PAGE).await?;
        for row in &page {
            // An id of another making has no bytes here.
            if let Some(id) = FileId::parse(&row.file.file_id) {
                self.files.bytes().remove(&id).await?;
            }
            store.delete_attachment(&row.file.file_id).await?;
        }
        if !page.is_empty() {
            tracing::debug!(files = page.len(), "unused files removed");
        }
        if page.len() >= PAGE as usize {
            return Ok(true);
        }
        let now = Instant::now();
        let folder = match self.folder {
            Some(folder) => folder,
            None if now >= self.next_pass => {
                self.next_pass = now + PASS;
                self.check_owner(store).await?;
                0
            }
            None => return Ok(false),
        };
        // First: a folder that takes too long does not keep the others from being looked at.
        self.folder = folder.checked_add(1);
        self.look_at(folder, store).await?;
        Ok(self.folder.is_some())
    }

    async fn check_owner(&self, store: &Store) -> Result<(), CleanupError> {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(PURPOSE);
        hash.update(&store.command_key().await?);
        let own = hex(hash.finish().as_ref());
        if self.files.bytes().owner(&own).await? == own {
            Ok(())
        } else {
            Err(CleanupError::Shared)
        }
    }

    async fn look_at(&self, folder: u8, store: &Store) -> Result<(), CleanupError> {
        let before = SystemTime::now() - GRACE;
        let bytes = self.files.bytes();
        bytes.remove_pieces(folder, before).await?;
        let mut pages = bytes.older_than(folder, before).chunks(LOOKED_FOR);
        while let Some(page) = pages.next().await {
            let ids = page.into_iter().collect::<Result<Vec<FileId>, _>>()?;
            let names = ids.iter().map(|id| id.as_str().to_owned()).collect();
            let known = store.known_attachments(names).await?;
            for id in ids.iter().filter(|id| !known.contains(id.as_str())) {
                bytes.remove(id).await?;
                tracing::debug!(file = %id, "bytes without a row removed");
            }
        }
        Ok(())
    }
}

/// The pause after everything was looked at.
pub(crate) const REST: Duration = Duration::from_secs(limits::FILES_REST_S);
