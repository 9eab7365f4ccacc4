//! The keys that seal bodies, as an operator gives them: lines `id = base64 of 32 random bytes`.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// Number of a key; 0 stands for plain bodies.
pub type KeyId = i32;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// More keys than anybody rotates through at a time; bounds what a wrong file can do.
const MAX_KEYS: usize = 64;
/// What tells whether a key is the one a database was sealed with.
const PROOF_BYTES: usize = 16;

/// Which key seals new bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActiveKey {
    /// The one with the highest id; none are given: bodies are stored plain.
    #[default]
    Highest,
    /// None: bodies are stored plain, sealed ones are opened and, in the background, stored plain too.
    Plain,
    /// The one with this id.
    Id(u32),
}

/// Why keys cannot be used. The messages name lines and ids, never what a line holds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A line is none of ours.
    #[error(
        "line {0} is not `id = key`, with an id from 1 to 2147483647; `ringwire key new` prints such a line"
    )]
    Line(usize),
    /// What follows the id is no key.
    #[error("key {0} is not 32 bytes in base64; `ringwire key new` prints a good one")]
    Key(KeyId),
    /// An id is given twice.
    #[error("key {0} is given twice; give each key an id of its own")]
    Twice(KeyId),
    /// There are too many.
    #[error(
        "there are more than {MAX_KEYS} keys; remove those that the log of a rotation calls unused"
    )]
    TooMany,
    /// The active key is not among them.
    #[error("the active key {0} is not among the keys; add it or choose another")]
    NoActive(u32),
    /// Plain bodies are to be refused, but there is no key to seal with.
    #[error("plain bodies are refused, but no key is active; give a key or accept plain bodies")]
    RefusesAll,
}

/// The keys of one installation. Wiped from memory when dropped.
#[derive(Default)]
pub struct BodyKeys {
    keys: BTreeMap<KeyId, Prk>,
    active: KeyId,
    refuse_plain: bool,
}

impl BodyKeys {
    /// No keys: bodies are stored plain.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads lines `id = base64`; commas separate like line ends, and what follows a `#` is a comment.
    pub fn parse(text: &str, active: ActiveKey) -> Result<Self, KeysError> {
        let mut keys = BTreeMap::new();
        for (number, line) in text.split(['\n', ',']).enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (id, key) = line.split_once('=').ok_or(KeysError::Line(number + 1))?;
            let id = id.trim().parse::<KeyId>().ok().filter(|id| *id > 0);
            let id = id.ok_or(KeysError::Line(number + 1))?;
            let mut bytes = Zeroizing::new([0; KEY_BYTES + 2]);
            let length = STANDARD.decode_slice(key.trim(), &mut *bytes);
            if length.ok() != Some(KEY_BYTES) {
                return Err(KeysError::Key(id));
            }
            let key = Prk::new_less_safe(HKDF_SHA256, &bytes[..KEY_BYTES]);
            if keys.insert(id, key).is_some() {
                return Err(KeysError::Twice(id));
            }
            if keys.len() > MAX_KEYS {
                return Err(KeysError::TooMany);
            }
        }
        let active = match active {
            ActiveKey::Highest => keys.last_key_value().map_or(0, |(id, _)| *id),
            ActiveKey::Plain => 0,
            ActiveKey::Id(id) => KeyId::try_from(id)
                .ok()
                .filter(|id| keys.contains_key(id))
                .ok_or(KeysError::NoActive(id))?,
        };
        Ok(Self { keys, active, refuse_plain: false })
    }

    /// Takes plain bodies for damaged ones from now on: right once a rotation has reported that none is left, because
    /// somebody who can write to the database could otherwise put in plain ones.
    pub fn refuse_plain(mut self) -> Result<Self, KeysError> {
        if self.active == 0 {
            return Err(KeysError::RefusesAll);
        }
        self.refuse_plain = true;
        Ok(self)
    }

    /// Whether new bodies are sealed, or stored ones may be. Whatever keeps copies of bodies in the database, such as a
    /// search index, must not while this holds.
    pub fn in_use(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The highest id given; 0: none.
    pub fn highest(&self) -> u32 {
        self.keys.last_key_value().map_or(0, |(id, _)| id.cast_unsigned())
    }

    /// The ids given, in order.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.keys.keys().map(|id| id.cast_unsigned())
    }

    /// The id of the key that seals; 0: bodies stay plain.
    pub(crate) const fn active(&self) -> KeyId {
        self.active
    }

    pub(crate) const fn refuses_plain(&self) -> bool {
        self.refuse_plain
    }

    /// Whether this is the key by that id; what a database asks about each key it needs.
    pub(crate) fn check(&self, id: KeyId, proof: &[u8]) -> Result<(), StoreError> {
        match self.proof(id) {
            None => Err(StoreError::KeyMissing(id)),
            Some(own) if own != proof => Err(StoreError::KeyChanged(id)),
            Some(_) => Ok(()),
        }
    }

    pub(crate) fn get(&self, id: KeyId) -> Option<&Prk> {
        self.keys.get(&id)
    }

    /// What a database remembers of a key, to recognize it by; it tells nothing about the key. Empty for plain bodies.
    pub(crate) fn proof(&self, id: KeyId) -> Option<Vec<u8>> {
        if id == 0 {
            return Some(Vec::new());
        }
        let mut proof = vec![0; PROOF_BYTES];
        let context = [b"ringwire key proof v1".as_slice(), &id.to_be_bytes()];
        self.get(id)?.expand(&context, ProofLength).ok()?.fill(&mut proof).ok()?;
        Some(proof)
    }
}

impl fmt::Debug for BodyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyKeys")
            .field("ids", &self.keys.keys().collect::<Vec<_>>())
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

struct ProofLength;

impl aws_lc_rs::hkdf::KeyType for ProofLength {
    fn len(&self) -> usize {
        PROOF_BYTES
    }
}

/// A line with a fresh key, to be added to the file of keys; `None`: the system gives no random bytes.
pub fn new_key_line(id: u32) -> Option<Zeroizing<String>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::fill(&mut *key).ok()?;
    let encoded = Zeroizing::new(STANDARD.encode(*key));
    Some(Zeroizing::new(format!("{id} = {}", *encoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u32) -> String {
        new_key_line(id).expect("randomness").to_string()
    }

    #[test]
    fn the_highest_key_is_active_unless_another_is_chosen() {
        let text = format!("# old\n{}\n\n {} # new\n", line(3), line(12));
        assert_eq!(BodyKeys::parse(&text, ActiveKey::Highest).expect("good").active(), 12);
        assert_eq!(BodyKeys::parse(&text, ActiveKey::Id(3)).expect("good").active(), 3);
        assert_eq!(BodyKeys::parse(&text, ActiveKey::Plain).expect("good").active(), 0);
        assert_eq!(BodyKeys::parse(&text, ActiveKey::Id(4)).err(), Some(KeysError::NoActive(4)));
        let none = BodyKeys::parse("\n# nothing\n", ActiveKey::Highest).expect("good");
        assert!(!none.in_use() && none.active() == 0);
        assert_eq!(none.refuse_plain().err(), Some(KeysError::RefusesAll));
    }

    #[test]
    fn a_list_in_one_line_is_read_too() {
        let text = format!("{},{}", line(1), line(2));
        assert_eq!(BodyKeys::parse(&text, ActiveKey::Highest).expect("good").highest(), 2);
    }

    #[test]
    fn wrong_lines_are_named_without_their_content() {
        let good = line(1);
        let canary = "Y2FuYXJ5IGNhbmFyeQ==";
        let cases = [
            (format!("{good}\n{canary}\n"), KeysError::Line(2)),
            (format!("0 = {canary}"), KeysError::Line(1)),
            (format!("-1 = {canary}"), KeysError::Line(1)),
            (format!("99999999999 = {canary}"), KeysError::Line(1)),
            (format!("7 = {canary}"), KeysError::Key(7)),
            (format!("7 = {canary}{canary}{canary}"), KeysError::Key(7)),
            ("7 =".to_owned(), KeysError::Key(7)),
            (format!("{good}\n{good}"), KeysError::Twice(1)),
            ((1..=65).map(line).collect::<Vec<_>>().join("\n"), KeysError::TooMany),
        ];
        for (text, expected) in cases {
            let error = BodyKeys::parse(&text, ActiveKey::Highest).expect_err("refused");
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("Y2Fu"), "{error}");
        }
    }

    #[test]
    fn a2_keys_are_not_shown() {
        let text = line(5);
        let keys = BodyKeys::parse(&text, ActiveKey::Highest).expect("good");
        assert_eq!(format!("{keys:?}"), "BodyKeys { ids: [5], active: 5, .. }");
    }

    #[test]
    fn a_proof_tells_keys_apart() {
        let keys = |text: &str| BodyKeys::parse(text, ActiveKey::Highest).expect("good");
        let (one, other) = (line(1), line(1));
        assert_eq!(keys(&one).proof(1), keys(&one).proof(1));
        assert_ne!(keys(&one).proof(1), keys(&other).proof(1));
        assert_eq!(keys(&one).proof(2), None);
    }
}
