//! Signed links: whoever has one reads a file as the user for whom it was made, for a short time, without a header.
//!
//! ```text
//!   /api/v1/files/<id>?user=7&expires=<Unix milliseconds>&sig=<HMAC-SHA256 of all three>
//! ```
//!
//! A link gives no more than its user has: whether they may read the file is asked again at each use, so who leaves a
//! conversation leaves no working link behind.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwire_protocol::{UnixMs, UserId};

use super::FileId;
use crate::secret::SecretKey;

/// What the key is derived for: the server's own key also signs tokens.
const PURPOSE: &[u8] = b"ringwire file links, version 1";

/// Signs links and checks them.
pub struct LinkSigner(hmac::Key);

impl LinkSigner {
    /// A signer with a key that follows from the server's own.
    pub fn new(own: &SecretKey) -> Self {
        let own = hmac::Key::new(hmac::HMAC_SHA256, own.expose());
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&own, PURPOSE).as_ref()))
    }

    /// The signature of a link.
    pub(crate) fn sign(&self, id: &FileId, user: UserId, expires_at: UnixMs) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &signed(id, user, expires_at)))
    }

    /// Whether a link is one of ours and still good.
    pub(crate) fn is_good(
        &self,
        id: &FileId,
        user: UserId,
        expires_at: UnixMs,
        signature: &str,
        now: UnixMs,
    ) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        hmac::verify(&self.0, &signed(id, user, expires_at), &signature).is_ok() && now < expires_at
    }
}

/// The id has a fixed length, so no two links sign the same bytes.
fn signed(id: &FileId, user: UserId, expires_at: UnixMs) -> Vec<u8> {
    let numbers = [user.get().to_be_bytes(), expires_at.to_be_bytes()].concat();
    [id.as_str().as_bytes(), &numbers].concat()
}

impl fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSigner(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_a_link_is_good_for_one_file_one_user_and_its_time() {
        let signer = LinkSigner::new(&SecretKey::new(vec![7; 32]));
        let (one, other) = (FileId::random().unwrap(), FileId::random().unwrap());
        let user = |id| UserId::new(id).unwrap();
        let signature = signer.sign(&one, user(1), 1_000);
        let good = |id: &FileId, by, expires, signature: &str, now| {
            signer.is_good(id, user(by), expires, signature, now)
        };
        assert!(good(&one, 1, 1_000, &signature, 999));
        assert!(!good(&one, 1, 1_000, &signature, 1_000), "its time is over");
        assert!(!good(&one, 1, 1_001, &signature, 999));
        assert!(!good(&one, 2, 1_000, &signature, 999));
        assert!(!good(&other, 1, 1_000, &signature, 999));
        assert!(!good(&one, 1, 1_000, &signature[1..], 999));
        assert!(!good(&one, 1, 1_000, "", 999));
        let stranger = LinkSigner::new(&SecretKey::new(vec![8; 32]));
        assert_ne!(stranger.sign(&one, user(1), 1_000), signature);
    }
}
