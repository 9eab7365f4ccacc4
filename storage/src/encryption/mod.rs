//! Encryption at rest: the bodies of entries are sealed with a key that the database never holds.
//!
//! ```text
//!   append ─► seal(place, body) ─► nonce ‖ ciphertext ‖ tag, key_id ─► row
//!   row ─► open(place, key_id, stored) ─► body, or a fault that concerns this entry alone
//!   background ─► rows of other keys: open, seal with the active key, put back if nobody changed them meanwhile
//! ```
//!
//! **Scheme.** AES-256-GCM with a random nonce of 96 bits. NIST SP 800-38D allows 2³² random nonces for one key, which a
//! busy installation uses up within months, so no key of the operator ever meets the cipher: each position of each log
//! has a key of its own, HKDF-Expand-SHA-256 (RFC 5869; the given key is uniformly random, so there is nothing to
//! extract) of the given key with the conversation and the seq as context. Such a key seals as many bodies as that entry
//! had versions, rotations and attempts. Rotation is a matter of policy, then, not of arithmetic.
//!
//! **Place.** The tag also covers the conversation, the seq, the sender, the body's version and the key id, each in a
//! fixed width behind a domain tag, so that a body opens only where it was sealed. The kind of the entry (message, join,
//! recall) is the outermost field of the encoded body and so lies inside the ciphertext.
//!
//! Invariants:
//! - What is sealed is sealed after its seq is final; an entry that gets another seq is sealed again.
//! - An empty body stays empty and plain: an erased entry has nothing to hide, and erasing needs no key.
//! - A body that does not open is never shown as anything else: its entry comes out `damaged`, without a body.
//! - Keys are wiped from memory when dropped and show up in no `Debug` output, error or log line.
//!
//! Not protected: who wrote when to whom, `client_msg_id`s, names, titles and settings of conversations, the length of a
//! body. Whoever can write to the database can put a whole old row back, or erase one.

mod keys;
mod pass;
mod seal;

pub use keys::{ActiveKey, BodyKeys, KeyId, KeysError, new_key_line};
pub use pass::{KeyUse, Resealed};
pub use seal::{Fault, Place, SealError, Stored};

pub(crate) use pass::{PASS_ROWS, PassState, Reseal, SealedRow};
pub(crate) use seal::seal_entries;
