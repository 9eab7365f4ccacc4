//! Files that messages carry: their bytes, in a folder or an S3-compatible store. What is known of them is in the
//! database (`ringwire_storage::attachments`), which also decides who may read them.
//!
//! ```text
//!   upload ─► admission ─► intake: counted, hashed, in parts ─► sniff ─► picture ─► row ─► file_id
//!                             └── given up: parts and bytes go
//!   send with the file_id ─► bound in the transaction of the entry (Change::Carry)
//!   download ─► bearer or signed link ─► row, if the store lets this user read it ─► range ─► bytes
//!   cleanup (upkeep) ─► rows without an entry · bytes without a row
//! ```
//!
//! Invariants:
//! - No file is in memory as a whole, except a picture of bounded size while its thumbnail is made, one at a time.
//! - Where bytes lie follows from an id that the server made, never from what a client says. A name is only ever shown.
//! - A file's type is what its first bytes are. What a browser could run is never shown in place.
//! - Bytes come before their row and go before it, so a row always has its bytes.

mod admission;
mod bytes;
mod cleanup;
pub(crate) mod headers;
mod id;
mod intake;
pub mod link;
mod name;
mod picture;
pub(crate) mod range;
mod sniff;
mod told;

use std::fmt;
use std::sync::Arc;

use ringwire_protocol::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use admission::{NoPlace, UploadPlace};
pub(crate) use bytes::ByteStore;
pub use bytes::BytesError;
pub(crate) use cleanup::{Cleanup, CleanupError, REST as CLEANUP_REST};
pub use id::FileId;
pub(crate) use intake::{Intake, IntakeError, Written};
pub(crate) use name::{clean_name, unescape};
pub(crate) use picture::Picture;
pub(crate) use sniff::{is_allowed, is_inline, sniff};
pub(crate) use told::{addresses, describe};

use crate::config::FilesConfig;
use crate::limits;
use admission::Admission;

/// Everything about bytes. A handle: clones share everything.
#[derive(Clone)]
pub(crate) struct Files(Arc<Inner>);

struct Inner {
    config: FilesConfig,
    bytes: ByteStore,
    admission: Arc<Admission>,
    /// Pictures that are looked at.
    pictures: Semaphore,
    downloads: Arc<Semaphore>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("bytes", &self.0.bytes).finish_non_exhaustive()
    }
}

impl Files {
    /// Opens the store of bytes that the configuration names.
    pub(crate) fn open(config: &FilesConfig) -> Result<Self, BytesError> {
        Ok(Self(Arc::new(Inner {
            config: config.clone(),
            bytes: ByteStore::open(&config.place)?,
            admission: Arc::new(Admission::new(config.user_uploads)),
            pictures: Semaphore::new(limits::PICTURES_AT_ONCE),
            downloads: Arc::new(Semaphore::new(limits::DOWNLOADS_AT_ONCE)),
        })))
    }

    pub(crate) fn config(&self) -> &FilesConfig {
        &self.0.config
    }

    pub(crate) fn bytes(&self) -> &ByteStore {
        &self.0.bytes
    }

    /// Lets a user begin an upload, for as long as the place is held.
    pub(crate) fn begin_upload(&self, user: UserId) -> Result<UploadPlace, NoPlace> {
        Admission::begin(&self.0.admission, user)
    }

    /// Lets a download begin; `None`: there are too many.
    pub(crate) fn begin_download(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.downloads).try_acquire_owned().ok()
    }

    /// Looks at a stored picture and stores its thumbnail; its sides in pixels. `None`: it is no picture that can be
    /// shown, whatever its first bytes say.
    pub(crate) async fn picture(
        &self,
        id: &FileId,
        file: &Written,
        mime_type: &str,
    ) -> Result<Option<(u32, u32)>, BytesError> {
        let Some(format) = picture::format(mime_type) else { return Ok(None) };
        if file.size_bytes > limits::MAX_PICTURE_BYTES {
            return Ok(None);
        }
        // Never closed.
        let Ok(_place) = self.0.pictures.acquire().await else { return Ok(None) };
        let bytes = self.0.bytes.read_whole(id, file.size_bytes).await?;
        // A decoder that panics has found no picture.
        let look = tokio::task::spawn_blocking(move || picture::look(&bytes, format)).await;
        let Some(Picture { width, height, thumbnail }) = look.unwrap_or_default() else {
            return Ok(None);
        };
        if let Some(thumbnail) = thumbnail {
            self.0.bytes.put_thumbnail(id, thumbnail).await?;
        }
        Ok(Some((width, height)))
    }
}
