//! Where bytes lie: a folder, or an S3-compatible store.
//!
//! ```text
//!   <place>/ab/abcdef…        the file, called by its id
//!   <place>/ab/abcdef….thumb  its thumbnail, if it is a picture
//!   <place>/database          which database the files belong to
//! ```
//!
//! A file appears whole or not at all. In a folder its bytes are on the disk before that.

use std::fs::DirBuilder;
use std::future::ready;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, CopyMode, CopyOptions, GetOptions, GetRange, GetResultPayload, MultipartUpload,
    ObjectStore, ObjectStoreExt, RetryConfig,
};

use super::FileId;
use crate::config::FilesPlace;
use crate::limits;

/// How long a connection to the store may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long one request to it may take; a part of an upload is one.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// How long a request that failed is tried again.
const RETRY_TIME: Duration = Duration::from_secs(20);
/// See [`RETRY_TIME`].
const RETRIES: usize = 3;
/// The object that names the database.
const OWNER: &str = "database";
/// The end of a thumbnail's name.
const THUMBNAIL: &str = ".thumb";

/// Why bytes cannot be written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum BytesError {
    /// The folder for files cannot be made.
    #[error("cannot use the folder for files {}: {source}; see files.store", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store said so.
    #[error("the store of files: {0}")]
    Store(#[from] object_store::Error),
    /// A file is not as long as its row says.
    #[error("the store of files has {found} bytes of {expected}")]
    Length {
        /// By its row.
        expected: u64,
        /// In the store.
        found: u64,
    },
}

impl BytesError {
    /// Whether there are no such bytes.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
}

/// Pieces of a file.
type ByteStream = BoxStream<'static, Result<Bytes, BytesError>>;

/// One of the two. A handle: clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct ByteStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Of a store that is a folder.
    folder: Option<PathBuf>,
    /// Bytes of a part of an upload.
    part_bytes: usize,
}

impl ByteStore {
    /// Opens it; whether an S3-compatible store can be reached shows at the first use.
    pub(crate) fn open(place: &FilesPlace) -> Result<Self, BytesError> {
        match place {
            FilesPlace::Folder(path) => {
                let folder = |source| BytesError::Folder { path: path.clone(), source };
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(folder)?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Self {
                    store: Arc::new(store),
                    prefix: Path::default(),
                    folder: Some(path.clone()),
                    part_bytes: limits::FOLDER_PART_BYTES,
                })
            }
            FilesPlace::S3(s3) => {
                let options = ClientOptions::new()
                    .with_connect_timeout(CONNECT_TIME)
                    .with_timeout(REQUEST_TIME)
                    .with_allow_http(s3.endpoint.starts_with("http://"));
                let retry = RetryConfig {
                    max_retries: RETRIES,
                    retry_timeout: RETRY_TIME,
                    ..RetryConfig::default()
                };
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(&s3.bucket)
                    .with_region(&s3.region)
                    .with_client_options(options)
                    .with_retry(retry);
                if !s3.endpoint.is_empty() {
                    builder = builder.with_endpoint(&s3.endpoint);
                }
                if !s3.access_key_id.is_empty() {
                    builder = builder
                        .with_access_key_id(&s3.access_key_id)
                        .with_secret_access_key(s3.secret_access_key.expose());
                }
                Ok(Self {
                    store: Arc::new(builder.build()?),
                    prefix: Path::parse(&s3.prefix).map_err(object_store::Error::from)?,
                    folder: None,
                    part_bytes: limits::S3_PART_BYTES,
                })
            }
        }
    }

    pub(crate) const fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    fn path(&self, id: &FileId) -> Path {
        self.prefix.clone().join(id.folder()).join(id.as_str())
    }

    fn thumbnail_path(&self, id: &FileId) -> Path {
        self.prefix.clone().join(id.folder()).join(format!("{id}{THUMBNAIL}"))
    }

    /// Writes a small file at once.
    pub(crate) async fn put(&self, id: &FileId, bytes: Bytes) -> Result<(), BytesError> {
        self.store.put(&self.path(id), bytes.into()).await?;
        Ok(())
    }

    /// Begins a file that is written in parts.
    pub(crate) async fn begin(&self, id: &FileId) -> Result<Box<dyn MultipartUpload>, BytesError> {
        Ok(self.store.put_multipart(&self.path(id)).await?)
    }

    /// Writes a thumbnail.
    pub(crate) async fn put_thumbnail(
        &self,
        id: &FileId,
        bytes: Vec<u8>,
    ) -> Result<(), BytesError> {
        self.store.put(&self.thumbnail_path(id), bytes.into()).await?;
        Ok(())
    }

    /// A thumbnail; `None`: there is none.
    pub(crate) async fn thumbnail(&self, id: &FileId) -> Result<Option<Bytes>, BytesError> {
        let found = self.store.get(&self.thumbnail_path(id)).await;
        let result = match found.map_err(BytesError::from) {
            Err(error) if error.is_absent() => return Ok(None),
            result => result?,
        };
        let most = limits::MAX_THUMBNAIL_BYTES;
        let found = result.meta.size;
        if found > most {
            return Err(BytesError::Length { expected: most, found });
        }
        Ok(Some(result.bytes().await?))
    }

    /// A file of a known size as a whole.
    pub(crate) async fn read_whole(&self, id: &FileId, size: u64) -> Result<Bytes, BytesError> {
        let mut pieces = self.read(id, 0..size).await?;
        let mut whole = BytesMut::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(piece) = pieces.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }

    /// A part of a file, which has at least so many bytes and is not empty.
    pub(crate) async fn read(
        &self,
        id: &FileId,
        range: Range<u64>,
    ) -> Result<ByteStream, BytesError> {
        let wanted = GetRange::Bounded(range.clone());
        let options = GetOptions::new().with_range(Some(wanted));
        let result = self.store.get_opts(&self.path(id), options).await?;
        if result.range != range {
            return Err(BytesError::Length { expected: range.end, found: result.range.end });
        }
        Ok(match result.payload {
            GetResultPayload::File(file, _) => from_file(file, range),
            GetResultPayload::Stream(stream) => {
                stream.map(|piece| piece.map_err(BytesError::from)).boxed()
            }
        })
    }

    /// Copies a file and its thumbnail.
    pub(crate) async fn copy(&self, from: &FileId, to: &FileId) -> Result<(), BytesError> {
        let options = || CopyOptions::new().with_mode(CopyMode::Overwrite);
        self.store.copy_opts(&self.path(from), &self.path(to), options()).await?;
        let (from, to) = (self.thumbnail_path(from), self.thumbnail_path(to));
        match self.store.copy_opts(&from, &to, options()).await.map_err(BytesError::from) {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a file and its thumbnail; fine if they are gone.
    pub(crate) async fn remove(&self, id: &FileId) -> Result<(), BytesError> {
        for path in [self.thumbnail_path(id), self.path(id)] {
            match self.store.delete(&path).await.map_err(BytesError::from) {
                Err(error) if !error.is_absent() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The files of one of the 256 folders that were written before a time, in any order.
    pub(crate) fn older_than(
        &self,
        folder: u8,
        before: SystemTime,
    ) -> BoxStream<'static, Result<FileId, BytesError>> {
        let path = self.prefix.clone().join(format!("{folder:02x}"));
        let listed = self.store.list(Some(&path));
        let old = listed.filter_map(move |object| {
            ready(match object {
                Ok(object) if SystemTime::from(object.last_modified) < before => {
                    let name = object.location.filename().unwrap_or_default();
                    FileId::parse(name.strip_suffix(THUMBNAIL).unwrap_or(name)).map(Ok)
                }
                Ok(_) | Err(object_store::Error::NotFound { .. }) => None,
                Err(error) => Some(Err(error.into())),
            })
        });
        old.boxed()
    }

    /// Removes what uploads that a crash cut off left in a folder before a time; an S3-compatible store does that itself
    /// where it is told to (`AbortIncompleteMultipartUpload`).
    pub(crate) async fn remove_pieces(
        &self,
        folder: u8,
        before: SystemTime,
    ) -> Result<(), BytesError> {
        let Some(root) = self.folder.clone() else { return Ok(()) };
        let path = root.join(format!("{folder:02x}"));
        let failed = |source| BytesError::Folder { path: root, source };
        let work = tokio::task::spawn_blocking(move || remove_pieces(&path, before)).await;
        work.unwrap_or_else(|_| Err(io::Error::other("the look at the folder failed")))
            .map_err(failed)
    }

    /// Notes which database the files belong to, once; which one it is.
    pub(crate) async fn owner(&self, own: &str) -> Result<String, BytesError> {
        let path = self.prefix.clone().join(OWNER);
        match self.store.get(&path).await.map_err(BytesError::from) {
            Err(error) if error.is_absent() => {
                self.store.put(&path, own.to_owned().into()).await?;
                Ok(own.to_owned())
            }
            result => {
                let bytes = result?.bytes().await?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

/// Pieces of an open file, each read on a thread that may wait for the disk.
fn from_file(file: std::fs::File, range: Range<u64>) -> ByteStream {
    let state = Some((Arc::new(file), range));
    stream::unfold(state, async |state| {
        let (file, Range { start, end }) = state?;
        if start >= end {
            return None;
        }
        let size = usize::try_from(end - start).unwrap_or(usize::MAX).min(limits::READ_BYTES);
        let from = Arc::clone(&file);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; size];
            from.read_exact_at(&mut piece, start).map(|()| Bytes::from(piece))
        });
        let read = read.await.unwrap_or_else(|_| Err(io::Error::other("a read failed")));
        Some(match read {
            Ok(piece) => (Ok(piece), Some((file, start + size as u64..end))),
            Err(source) => {
                let error = object_store::Error::Generic { store: "folder", source: source.into() };
                (Err(error.into()), None)
            }
        })
    })
    .boxed()
}

/// The store calls a file that is being written by its name, `#` and a number.
fn remove_pieces(folder: &std::path::Path, before: SystemTime) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let is_piece = entry.file_name().to_string_lossy().contains('#');
        if is_piece && entry.metadata()?.modified()? < before {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
