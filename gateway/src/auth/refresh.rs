//! Refresh tokens: random text that stands for a login, of which the database knows the hash alone.
//!
//! ```text
//!   login ─► first: random ── next ─► HMAC(key, first) ── next ─► …
//! ```
//!
//! The next token follows from the used one by a key of this server. So a client that lost the answer to a refresh may
//! ask again and is told the same token, and nobody without the key can go on from a used token.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwire_protocol::UnixMs;
use ringwire_storage::refresh::{FamilyId, TokenHash};
use zeroize::Zeroizing;

use super::mint::MintError;
use crate::config::AuthConfig;
use crate::secret::SecretKey;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// No token is longer, in base64url.
const MAX_TOKEN_CHARS: usize = 43;
/// What the key is derived for: the server's own key also signs access tokens.
const PURPOSE: &[u8] = b"ringwire refresh tokens, version 1";

/// A refresh token: a secret of the user.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// What a client shows; `None`: it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == MAX_TOKEN_CHARS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_ours.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// One that nobody can guess.
    pub(super) fn random() -> Result<Self, MintError> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        getrandom::fill(&mut *bytes).map_err(|_| MintError)?;
        Ok(Self::of(&*bytes))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text, for its user alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps.
    pub fn hash(&self) -> TokenHash {
        let mut hash = TokenHash::default();
        hash.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref());
        hash
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(***)")
    }
}

/// Makes refresh tokens.
pub struct RefreshMinter {
    key: hmac::Key,
    ttl_ms: UnixMs,
}

impl RefreshMinter {
    /// A minter with a key that follows from the server's own.
    pub fn new(own: &SecretKey, config: &AuthConfig) -> Self {
        let own = hmac::Key::new(hmac::HMAC_SHA256, own.expose());
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&own, PURPOSE).as_ref());
        let ttl_ms = i64::try_from(config.refresh_ttl_s).unwrap_or(i64::MAX).saturating_mul(1000);
        Self { key, ttl_ms }
    }

    /// The first token of a login, and a name for the login.
    pub fn first(&self) -> Result<(RefreshToken, FamilyId), MintError> {
        let mut family = FamilyId::default();
        getrandom::fill(&mut family).map_err(|_| MintError)?;
        Ok((RefreshToken::random()?, family))
    }

    /// The token that follows a used one.
    pub fn next(&self, used: &RefreshToken) -> RefreshToken {
        RefreshToken::of(hmac::sign(&self.key, used.0.as_bytes()).as_ref())
    }

    /// When a token made now ceases to be valid.
    pub fn expires_at(&self, now_ms: UnixMs) -> UnixMs {
        now_ms.saturating_add(self.ttl_ms)
    }
}

impl fmt::Debug for RefreshMinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshMinter").field("ttl_ms", &self.ttl_ms).finish_non_exhaustive()
    }
}
