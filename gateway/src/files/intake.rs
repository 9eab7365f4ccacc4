//! A file on its way in: counted, hashed and written as it comes, in parts of bounded size.
//!
//! Whatever becomes of the request, an upload that is not kept leaves nothing: dropping it removes parts and bytes.

use aws_lc_rs::digest;
use bytes::BytesMut;
use object_store::MultipartUpload;

use super::{ByteStore, BytesError, FileId};
use crate::limits;

/// Why an upload ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    /// It is larger than allowed.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// The store failed.
    #[error(transparent)]
    Bytes(#[from] BytesError),
}

/// What was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Its size.
    pub(crate) size_bytes: u64,
    /// Of its bytes.
    pub(crate) sha256: [u8; 32],
    /// Its first bytes.
    pub(crate) head: Vec<u8>,
}

/// A file that is being written.
pub(crate) struct Intake {
    store: ByteStore,
    id: FileId,
    most_bytes: u64,
    size_bytes: u64,
    hash: digest::Context,
    head: Vec<u8>,
    part: BytesMut,
    parts: Option<Box<dyn MultipartUpload>>,
    is_kept: bool,
}

impl Intake {
    /// A file of at most so many bytes.
    pub(crate) fn new(store: ByteStore, id: FileId, most_bytes: u64) -> Self {
        Self {
            store,
            id,
            most_bytes,
            size_bytes: 0,
            hash: digest::Context::new(&digest::SHA256),
            head: Vec::new(),
            part: BytesMut::new(),
            parts: None,
            is_kept: false,
        }
    }

    /// The next bytes.
    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), IntakeError> {
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        if self.size_bytes > self.most_bytes {
            return Err(IntakeError::TooLarge(self.most_bytes));
        }
        self.hash.update(bytes);
        let missing = limits::SNIFFED_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        while !bytes.is_empty() {
            let room = self.store.part_bytes() - self.part.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.part.extend_from_slice(now);
            bytes = later;
            if self.part.len() == self.store.part_bytes() {
                self.write_part().await?;
            }
        }
        Ok(())
    }

    async fn write_part(&mut self) -> Result<(), BytesError> {
        let part = std::mem::take(&mut self.part).freeze();
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => none.insert(self.store.begin(&self.id).await?),
        };
        Ok(parts.put_part(part.into()).await?)
    }

    /// The end of the file: from now on it is there as a whole, but not kept yet.
    pub(crate) async fn finish(&mut self) -> Result<Written, IntakeError> {
        if self.parts.is_some() && !self.part.is_empty() {
            self.write_part().await?;
        }
        match &mut self.parts {
            Some(parts) => {
                parts.complete().await.map_err(BytesError::from)?;
                self.parts = None;
            }
            None => self.store.put(&self.id, std::mem::take(&mut self.part).freeze()).await?,
        }
        let hash = self.hash.clone().finish();
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.as_ref());
        let head = std::mem::take(&mut self.head);
        Ok(Written { size_bytes: self.size_bytes, sha256, head })
    }

    /// There is a row for it now.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let (store, id, parts) = (self.store.clone(), self.id.clone(), self.parts.take());
        // Without a runtime the server has stopped; what is left is found by the clean-up.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let mut result = Ok(());
            if let Some(mut parts) = parts {
                result = parts.abort().await.map_err(BytesError::from);
            }
            if let Err(error) = result.and(store.remove(&id).await) {
                tracing::warn!(file = %id, %error, "what is left of an upload is removed later");
            }
        });
    }
}
