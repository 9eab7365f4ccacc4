//! The keys that seal bodies in the database, as the configuration names them.

use std::path::PathBuf;
use std::sync::Arc;

use ringwire_storage::encryption::{BodyKeys, KeysError, new_key_line};
use zeroize::Zeroizing;

use crate::config::{EncryptionConfig, KeySource};
use crate::secret::{self, SecretError};

/// Why the keys cannot be used. Each message says how to mend it and holds nothing of a key.
#[derive(Debug, thiserror::Error)]
pub enum BodyKeysError {
    /// The file cannot be read, or others can read it.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The file holds something else than keys.
    #[error("the keys in {}: {source}", path.display())]
    InFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: KeysError,
    },
    /// The option holds something else than keys.
    #[error("the keys in RINGWIRE_STORAGE_KEYS or storage.encryption.keys: {0}")]
    InOption(KeysError),
    /// The system gives no random bytes.
    #[error("the system's random number generator failed")]
    Random,
}

/// The keys, or none where none are configured.
pub fn load(config: &EncryptionConfig) -> Result<Arc<BodyKeys>, BodyKeysError> {
    let parse = |text: &str| {
        let keys = BodyKeys::parse(text, config.active)?;
        if config.refuse_plain { keys.refuse_plain() } else { Ok(keys) }
    };
    let keys = match &config.keys {
        KeySource::Nowhere => parse("").map_err(BodyKeysError::InOption)?,
        KeySource::Text(text) => parse(text.expose()).map_err(BodyKeysError::InOption)?,
        KeySource::File(path) => {
            let content = secret::read_private(path)?;
            // What is not UTF-8 is no line of ours either.
            let text = std::str::from_utf8(&content).map_err(|_| KeysError::Line(1));
            text.and_then(parse)
                .map_err(|source| BodyKeysError::InFile { path: path.clone(), source })?
        }
    };
    Ok(Arc::new(keys))
}

/// A line with a fresh key, numbered after those that are configured.
pub fn new_line(config: &EncryptionConfig) -> Result<Zeroizing<String>, BodyKeysError> {
    let highest = load(config)?.highest();
    new_key_line(highest + 1).ok_or(BodyKeysError::Random)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config;

    fn loaded(text: &str) -> EncryptionConfig {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringwire.toml");
        fs::write(&path, text).unwrap();
        config::load(Some(&path), [], &[]).unwrap().config.storage.encryption
    }

    #[test]
    fn without_configuration_there_are_no_keys_and_the_first_gets_the_number_1() {
        let config = loaded("");
        assert!(!load(&config).unwrap().in_use());
        assert!(new_line(&config).unwrap().starts_with("1 = "));
    }

    #[test]
    fn a2_a_file_of_keys_has_to_be_private_and_its_content_is_in_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let line = new_key_line(4).unwrap();
        fs::write(&path, line.as_bytes()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let config =
            loaded(&format!("[storage.encryption]\nkeys_file = {:?}", path.display().to_string()));
        assert_eq!(load(&config).unwrap().highest(), 4);
        assert!(new_line(&config).unwrap().starts_with("5 = "));

        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = load(&config).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");

        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, format!("{}\ncanary-of-a-key", *line)).unwrap();
        let error = load(&config).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("canary"), "{error}");
        fs::write(&path, [0xFF, 0xFE]).unwrap();
        assert!(matches!(load(&config), Err(BodyKeysError::InFile { .. })));
    }

    #[test]
    fn keys_that_nobody_gave_cannot_be_active() {
        let error = load(&loaded("[storage.encryption]\nactive = \"3\"")).unwrap_err().to_string();
        assert!(error.contains("active key 3"), "{error}");
        let error = load(&loaded("[storage.encryption]\nrefuse_plain = true")).unwrap_err();
        assert!(matches!(error, BodyKeysError::InOption(KeysError::RefusesAll)));
    }
}
