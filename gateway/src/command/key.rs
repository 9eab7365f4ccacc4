//! The keyed hash of a command, kept with its entry: tells a retry from another command under the same id, also when
//! the entry was edited, recalled or encrypted since.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::conversation::Intent;

/// The key of a database (SipHash-1-3, Aumasson and Bernstein 2012). Not a secret worth guarding: it keeps clients from
/// choosing collisions.
#[derive(Clone, Copy, Debug)]
pub struct CommandKey([u8; 16]);

impl CommandKey {
    /// The key as the store keeps it.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The hash of what a command asks, without its id and its place among the sender's commands.
    pub fn hash(&self, intent: &Intent) -> i64 {
        match intent {
            Intent::Send { body, .. } => self.hash_bytes(0, body),
            Intent::Join => self.hash_bytes(1, b""),
            Intent::Leave => self.hash_bytes(2, b""),
        }
    }

    /// The hash of the encoded form of a command of another kind.
    pub fn hash_bytes(&self, kind: u8, bytes: &[u8]) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish().cast_signed()
    }
}
