//! The key that signs this server's own tokens: a file in the data folder, made at the first start.
//!
//! The file holds text (32 random bytes in base64url), so that it can be copied, mounted and compared; the HMAC key is
//! the bytes of that text without surrounding white space, so any program with the file can sign tokens too.
//!
//! Invariants: the file appears whole or not at all, even when two servers start at once; nobody but its owner can read
//! it, or the server does not start; a key never shows up in `Debug` output.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// Random bytes in a new secret.
const SECRET_BYTES: usize = 32;
/// The shortest key that HS256 allows (RFC 7518 section 3.2).
const MIN_KEY_BYTES: usize = 32;
/// No key file is larger; more is the wrong file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// A symmetric key. Wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// A key of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the signature alone.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

/// Why a secret or its folder cannot be used. Each message says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The data folder cannot be made or entered.
    #[error(
        "cannot use the data folder {}: {source}; create it for this user or choose another with --data-dir",
        path.display()
    )]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file cannot be read or written.
    #[error("cannot {action} the key file {}: {source}; {}", path.display(), mend_file(.source))]
    File {
        /// Read or create.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read the key, so tokens prove nothing.
    #[error(
        "the key file {} is open to other users (mode {mode:04o}); run: chmod 600 {}",
        path.display(),
        path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too short to sign with, or too large to be a key.
    #[error(
        "the key file {} has {found_bytes} bytes, a key has between 32 and 65536; put a key there, or \
         remove jwt.secret or vapid.key of the data folder and a new one is made",
        path.display()
    )]
    Size {
        /// Which file.
        path: PathBuf,
        /// Bytes without surrounding white space.
        found_bytes: usize,
    },
    /// The system gives no random bytes.
    #[error("the system's random number generator failed: {0}")]
    Random(String),
}

impl SecretError {
    /// Whether there is no such file.
    fn is_absent(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn mend_file(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "mend its path in the configuration, or put the key there",
        _ => "mend its owner and permissions",
    }
}

/// Where a key of this server's own lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// In the data folder: made at the first start.
    Default(PathBuf),
    /// Where the operator says: another one in its place would be a mistake, so it has to be there.
    Named(PathBuf),
}

impl KeyFile {
    /// The file that the configuration names, or the default where it names none.
    pub(crate) fn of(named: String, default: impl FnOnce() -> PathBuf) -> Self {
        if named.is_empty() { Self::Default(default()) } else { Self::Named(named.into()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Default(path) | Self::Named(path) => path,
        }
    }

    /// The key; made first if it may be.
    pub fn load(&self) -> Result<SecretKey, SecretError> {
        match self {
            Self::Default(path) => load_or_create(path),
            Self::Named(path) => read_key(path),
        }
    }

    /// The key; `None`: it is not there yet, and [`KeyFile::load`] would make it.
    pub fn look(&self) -> Result<Option<SecretKey>, SecretError> {
        match (self, read_key(self.path())) {
            (Self::Default(_), Err(error)) if error.is_absent() => Ok(None),
            (_, key) => key.map(Some),
        }
    }
}

/// Makes the data folder, closed to other users, unless it is there, and checks that files can be made in it.
pub fn prepare_data_dir(path: &Path) -> Result<(), SecretError> {
    let folder = |source| SecretError::Folder { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(folder)?;
    let probe = path.join(format!(".write-test-{}", std::process::id()));
    OpenOptions::new().write(true).create(true).truncate(true).open(&probe).map_err(folder)?;
    fs::remove_file(&probe).map_err(folder)
}

/// The key in this file; makes the file first if there is none.
fn load_or_create(path: &Path) -> Result<SecretKey, SecretError> {
    match read_key(path) {
        Err(error) if error.is_absent() => {
            create(path)?;
            read_key(path)
        }
        result => result,
    }
}

/// What this file holds, which must be there and private.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let failed = |source| SecretError::File { action: "read", path: path.to_owned(), source };
    let file = OpenOptions::new().read(true).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    check_private(path, &metadata)?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// The key in this file, which must be there and private.
pub fn read_key(path: &Path) -> Result<SecretKey, SecretError> {
    let content = read_private(path)?;
    let key = content.trim_ascii();
    if key.len() < MIN_KEY_BYTES || content.len() as u64 > MAX_FILE_BYTES {
        return Err(SecretError::Size { path: path.to_owned(), found_bytes: key.len() });
    }
    Ok(SecretKey::new(key.to_vec()))
}

/// The owner alone may read the file. A file of root's may also be readable by its group: that is how orchestrators
/// mount secrets.
fn check_private(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    let mode = metadata.mode() & 0o777;
    // SAFETY: geteuid has no preconditions and cannot fail.
    let own_uid = unsafe { libc::geteuid() };
    let mounted_secret = metadata.uid() == 0 && own_uid != 0;
    let forbidden = if mounted_secret { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        return Err(SecretError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Writes a new secret beside the file and links it into place: a link never replaces, so of two servers that start
/// at once both end with the key of the first.
fn create(path: &Path) -> Result<(), SecretError> {
    let failed = |source| SecretError::File { action: "create", path: path.to_owned(), source };
    let mut random = Zeroizing::new([0_u8; SECRET_BYTES]);
    getrandom::fill(&mut *random).map_err(|error| SecretError::Random(error.to_string()))?;
    let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*random));
    text.push('\n');

    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut suffix = [0_u8; 8];
    getrandom::fill(&mut suffix).map_err(|error| SecretError::Random(error.to_string()))?;
    let draft = folder.join(format!(".jwt.secret-{:016x}", u64::from_ne_bytes(suffix)));
    let written =
        write_new(&draft, text.as_bytes()).and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        });
    // The draft goes in any case; that it may be missing is what `written` reports.
    let _ = fs::remove_file(&draft);
    written.map_err(failed)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_start_makes_a_private_key_and_later_starts_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("a/b");
        prepare_data_dir(&data_dir).unwrap();
        let path = data_dir.join("jwt.secret");
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().expose(), first.expose());
        let text = fs::read(&path).unwrap();
        assert_eq!(text.trim_ascii(), first.expose());
        assert_eq!(URL_SAFE_NO_PAD.decode(text.trim_ascii()).unwrap().len(), SECRET_BYTES);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&data_dir).unwrap().count(), 1, "no drafts stay behind");
    }

    #[test]
    fn servers_that_start_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.secret");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| load_or_create(&path).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.expose() == keys[0].expose()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no drafts stay behind");
    }

    #[test]
    fn a2_a_key_that_others_can_read_is_refused_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.secret");
        let key = load_or_create(&path).unwrap();
        assert_eq!(format!("{key:?}"), "SecretKey(***)");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = load_or_create(&path).unwrap_err();
        assert!(matches!(error, SecretError::Exposed { mode: 0o644, .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_is_made_where_none_was_named_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.secret");
        let named = KeyFile::of(path.display().to_string(), || unreachable!());
        for error in [named.load().unwrap_err(), named.look().unwrap_err()] {
            assert!(error.to_string().contains("mend its path"), "{error}");
        }
        let default = KeyFile::of(String::new(), || path.clone());
        assert!(default.look().unwrap().is_none());
        assert!(!path.exists(), "a look makes nothing");
        let made = default.load().unwrap();
        for key in [default.look(), named.look(), named.load().map(Some)] {
            assert_eq!(key.unwrap().unwrap().expose(), made.expose());
        }
    }

    #[test]
    fn short_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.secret");
        write_new(&path, b"  short\n").unwrap();
        assert!(matches!(load_or_create(&path), Err(SecretError::Size { found_bytes: 5, .. })));
    }

    #[test]
    fn a_data_folder_that_is_a_file_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = prepare_data_dir(&path.join("data")).unwrap_err();
        assert!(error.to_string().contains("--data-dir"), "{error}");
    }
}
