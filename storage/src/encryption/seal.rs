//! Sealing and opening one body.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use bytes::Bytes;
use ringwire_protocol::{ConversationId, Seq, UserId};

use super::keys::{BodyKeys, KeyId};
use crate::append::Append;

/// Bytes of the tag behind the ciphertext.
const TAG_BYTES: usize = 16;
/// What begins every context and every associated data, so that neither is ever taken for that of another use.
const DOMAIN: [u8; 16] = *b"ringwire body v1";

/// Where a body belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// Position in it.
    pub seq: Seq,
    /// Who made the entry; `None`: the server.
    pub sender_id: Option<UserId>,
    /// How often the body was changed.
    pub body_version: u32,
}

/// A body as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// 0: plain.
    pub key_id: KeyId,
    /// Nonce, ciphertext and tag, or the plain body.
    pub body: Bytes,
}

/// Why a stored body does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nobody gave this key.
    #[error("it is sealed with key {0}, which is not among the keys")]
    UnknownKey(i32),
    /// Body, place or key are not those it was sealed with.
    #[error("it was changed or moved after it was sealed with key {0}, or that is another key")]
    Changed(i32),
    /// It is plain, and plain bodies are refused.
    #[error("it is not sealed")]
    Plain,
}

/// The system gave no random bytes, or a body is longer than the cipher can take.
#[derive(Debug, thiserror::Error)]
#[error("a body could not be encrypted; check the system's random number generator")]
pub struct SealError;

impl Place {
    /// The only version an entry has when it is appended.
    pub(crate) const FIRST_VERSION: u32 = 0;
    /// The one after which versions begin anew.
    const LAST_VERSION: u32 = i16::MAX.unsigned_abs() as u32;

    pub(crate) const fn of(entry: &Append) -> Self {
        Self {
            conversation_id: entry.conversation_id,
            seq: entry.seq,
            sender_id: entry.sender_id,
            body_version: Self::FIRST_VERSION,
        }
    }

    /// Where the next body of an entry goes whose present one has this version. After as many edits as a column of 16 bits
    /// counts, versions begin anew; a body's key and nonce do not depend on them.
    pub(crate) const fn edited(
        conversation_id: ConversationId,
        seq: Seq,
        sender: i64,
        version: u32,
    ) -> Self {
        let sender_id = UserId::new(sender.unsigned_abs());
        let body_version = version % Self::LAST_VERSION + 1;
        Self { conversation_id, seq, sender_id, body_version }
    }

    /// Fixed widths, big endian, so that two places never look alike.
    fn associated(&self, key_id: KeyId) -> [u8; 48] {
        let mut out = [0; 48];
        out[..16].copy_from_slice(&DOMAIN);
        out[16..24].copy_from_slice(&self.conversation_id.get().to_be_bytes());
        out[24..32].copy_from_slice(&self.seq.to_be_bytes());
        // The server's own entries have sender 0.
        out[32..40].copy_from_slice(&self.sender_id.map_or(0, UserId::get).to_be_bytes());
        out[40..44].copy_from_slice(&self.body_version.to_be_bytes());
        out[44..].copy_from_slice(&key_id.to_be_bytes());
        out
    }
}

impl BodyKeys {
    /// The body as it is to be stored: with the active key, for this place alone.
    pub fn seal(&self, place: &Place, body: &Bytes) -> Result<Stored, SealError> {
        let key_id = self.active();
        if key_id == 0 || body.is_empty() {
            return Ok(Stored { key_id: 0, body: body.clone() });
        }
        let key = self.entry_key(key_id, place).ok_or(SealError)?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError)?;
        let mut out = Vec::with_capacity(NONCE_LEN + body.len() + TAG_BYTES);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(body);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.associated(key_id)),
                &mut out[NONCE_LEN..],
            )
            .map_err(|_| SealError)?;
        out.extend_from_slice(tag.as_ref());
        Ok(Stored { key_id, body: out.into() })
    }

    /// The body that was sealed for this place.
    pub fn open(&self, place: &Place, key_id: KeyId, stored: &[u8]) -> Result<Bytes, Fault> {
        if key_id == 0 {
            if self.refuses_plain() && !stored.is_empty() {
                return Err(Fault::Plain);
            }
            return Ok(Bytes::copy_from_slice(stored));
        }
        let key = self.entry_key(key_id, place).ok_or(Fault::UnknownKey(key_id))?;
        let changed = Fault::Changed(key_id);
        let (nonce, sealed) = stored.split_first_chunk::<NONCE_LEN>().ok_or(changed)?;
        let mut body = sealed.to_vec();
        let opened = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.associated(key_id)),
                &mut body,
            )
            .map_err(|_| changed)?
            .len();
        body.truncate(opened);
        Ok(body.into())
    }

    /// The body, or an empty one and `true` where it does not open, which is reported.
    pub(crate) fn open_or_report(
        &self,
        place: &Place,
        key_id: KeyId,
        stored: &[u8],
    ) -> (Bytes, bool) {
        match self.open(place, key_id, stored) {
            Ok(body) => (body, false),
            Err(fault) => {
                report(place, fault);
                (Bytes::new(), true)
            }
        }
    }

    /// The key of one position of one log.
    fn entry_key(&self, key_id: KeyId, place: &Place) -> Option<LessSafeKey> {
        let conversation = place.conversation_id.get().to_be_bytes();
        let context = [DOMAIN.as_slice(), &conversation, &place.seq.to_be_bytes()];
        let material = self.get(key_id)?.expand(&context, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(material)))
    }
}

/// The bodies of entries that are about to be written at their present positions.
pub(crate) fn seal_entries(keys: &BodyKeys, entries: &[Append]) -> Result<Vec<Stored>, SealError> {
    entries.iter().map(|entry| keys.seal(&Place::of(entry), &entry.body)).collect()
}

/// Tells the log which body does not open.
pub(super) fn report(place: &Place, fault: Fault) {
    let (conversation, seq) = (place.conversation_id, place.seq);
    match fault {
        Fault::UnknownKey(_) => tracing::error!(%conversation, seq, %fault,
            "the body of an entry does not open; give this node the same keys as the others"),
        Fault::Changed(_) | Fault::Plain => tracing::error!(%conversation, seq, %fault,
            "the body of an entry does not open; restore it from a backup"),
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
