//! `[storage.encryption]`: the keys that bodies are sealed with in the database.

use std::fmt;
use std::path::PathBuf;

use ringwire_storage::encryption::ActiveKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::validate::{Invalid, invalid};

/// The keys that bodies are sealed with in the database, and which of them seals new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionConfig {
    /// Where they are; neither: bodies are stored plain.
    pub keys: KeySource,
    /// Which one seals.
    pub active: ActiveKey,
    /// Whether plain bodies count as damaged.
    pub refuse_plain: bool,
}

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// There are none.
    Nowhere,
    /// Lines of a file.
    File(PathBuf),
    /// The option itself, from the environment as a rule.
    Text(KeysText),
}

/// Lines with keys. Not shown, and wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct KeysText(Zeroizing<String>);

impl KeysText {
    /// The lines, for the parser alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeysText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeysText(***)")
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawEncryption {
    pub(super) keys_file: String,
    pub(super) keys: String,
    pub(super) active: String,
    pub(super) refuse_plain: bool,
}

pub(super) fn encryption(raw: RawEncryption) -> Result<EncryptionConfig, Invalid> {
    let keys = match (raw.keys_file.is_empty(), raw.keys.is_empty()) {
        (true, true) => KeySource::Nowhere,
        (false, true) => KeySource::File(PathBuf::from(raw.keys_file)),
        (true, false) => KeySource::Text(KeysText(Zeroizing::new(raw.keys))),
        (false, false) => {
            let expected = "no file while RINGWIRE_STORAGE_KEYS or storage.encryption.keys is set";
            return Err(invalid("storage.encryption.keys_file", raw.keys_file, expected));
        }
    };
    let active = match raw.active.as_str() {
        "" => ActiveKey::Highest,
        "plain" => ActiveKey::Plain,
        id => ActiveKey::Id(id.parse().map_err(|_| {
            let expected = "the id of a key, plain, or nothing for the key with the highest id";
            invalid("storage.encryption.active", id, expected)
        })?),
    };
    Ok(EncryptionConfig { keys, active, refuse_plain: raw.refuse_plain })
}
