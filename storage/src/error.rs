//! What can go wrong with the store as a whole. What becomes of one entry is an [`Outcome`](crate::append::Outcome).

use std::path::PathBuf;

use crate::encryption::SealError;

/// An operation failed. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or cannot serve now. Trying again later may succeed; nothing was written, except
    /// that an interrupted write may have been (all writes can be repeated safely).
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database answers, but not to us: a wrong password, an untrusted certificate, a missing right or table.
    /// Somebody has to mend that; then the same call succeeds.
    #[error("the database refuses this server: {0}")]
    Misconfigured(String),
    /// A newer release has changed the schema so that this one would damage it.
    #[error(
        "the database has schema {found}, this release knows up to {supported}; start a newer release of ringwire"
    )]
    SchemaTooNew {
        /// Major version in the database.
        found: i64,
        /// Newest major version this release can work with.
        supported: i64,
    },
    /// The database lacks migrations of this release, or everything.
    #[error(
        "the database has schema {found}, which is too old for this tool; run `ringwire migrate` first"
    )]
    SchemaTooOld {
        /// Version in the database; 0: none.
        found: i64,
    },
    /// Another process serves from this data folder.
    #[error(
        "the data folder {} is in use by another ringwire; stop that one or choose another --data-dir", .0.display()
    )]
    DataFolderLocked(PathBuf),
    /// The data folder cannot be made, read or written.
    #[error("the data folder {} cannot be used: {reason}; check its owner and permissions or choose another --data-dir",
        .dir.display())]
    DataFolderUnreadable {
        /// Which folder.
        dir: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The embedded database's file holds what SQLite never writes: a failing disk, or somebody else wrote to it.
    #[error(
        "the embedded database is damaged: {0}; stop the server, keep a copy of the whole data folder, and \
         restore a backup; `ringwire db check` tells what is wrong"
    )]
    FileDamaged(String),
    /// The configured database address is not one.
    #[error(
        "the database address is wrong: {0}; expected postgres://user:password@host:port/database"
    )]
    BadAddress(String),
    /// The embedded database has one file and one table of entries.
    #[error(
        "only Postgres has partitions; leave storage.partitions and --partitions out for sqlite"
    )]
    NoPartitions,
    /// There is nothing to look at.
    #[error(
        "there is no ringwire database at {}: the file is missing, empty or another program's; check --data-dir, or \
         restore a backup", .0.display()
    )]
    NoDatabase(PathBuf),
    /// One of the keys that keep acknowledged messages from being stored twice is missing or invalid.
    #[error(
        "the database has no valid unique index on entries ({columns}), without which messages may be stored twice; \
         keep all servers stopped, make a backup, let `ringwire db check` tell what else is wrong, and {mend}"
    )]
    ArbiterMissing {
        /// The columns that must be unique together.
        columns: String,
        /// What to do.
        mend: String,
    },
    /// A user named in the operation does not exist; nothing was written.
    #[error("a user of this operation does not exist")]
    NoSuchUser,
    /// A row holds what this release never writes.
    #[error("the database holds a damaged row: {0}; restore a backup or report this")]
    Damaged(String),
    /// Bodies are sealed with a key that was not given.
    #[error(
        "bodies in the database are sealed with key {0}, which is not among the keys given; add it to storage.encryption"
    )]
    KeyMissing(i32),
    /// Bodies are sealed with another key than the one given under that id.
    #[error(
        "key {0} is not the one that bodies in the database are sealed with; give the old key back its id and the new \
         one another"
    )]
    KeyChanged(i32),
    /// Nothing is indexed in this store.
    #[error(
        "search is off; switch it on with storage.search (it stays off while there are keys in storage.encryption)"
    )]
    SearchOff,
    /// The store was shut down.
    #[error("the store is shut down")]
    Closed,
    /// The database refuses the operation and will again.
    #[error("the database refused: {0}")]
    Fatal(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody mending anything in the request.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Misconfigured(_))
    }
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
