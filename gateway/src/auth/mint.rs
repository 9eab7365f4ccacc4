//! This server's own tokens.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringwire_protocol::{UnixMs, UserId};
use ringwire_storage::refresh::FamilyId;

use super::claims::{self, OwnClaims};
use crate::config::AuthConfig;
use crate::secret::SecretKey;

/// Signing failed, or the system gives no random bytes: only something broken explains it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("making a token failed")]
pub struct MintError;

/// Makes tokens for users that proved who they are.
pub struct TokenMinter {
    key: EncodingKey,
    issuer: String,
    audience: String,
    ttl_s: u64,
}

/// A fresh token.
pub struct MintedToken {
    /// The token itself: a secret of the user.
    pub token: String,
    /// When it ceases to be valid.
    pub expires_at_ms: UnixMs,
}

impl TokenMinter {
    /// A minter that signs with the server's own key.
    pub fn new(own: &SecretKey, config: &AuthConfig) -> Self {
        Self {
            key: EncodingKey::from_secret(own.expose()),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            ttl_s: config.token_ttl_s,
        }
    }

    /// A token for this user, of this login, from `now_ms` on, for `ttl_s` seconds or as long as the configuration says.
    pub fn mint(
        &self,
        user_id: UserId,
        username: Option<&str>,
        login: Option<FamilyId>,
        ttl_s: Option<u64>,
        now_ms: UnixMs,
    ) -> Result<MintedToken, MintError> {
        let issued_at_s = now_ms.div_euclid(1000);
        let ttl_s = i64::try_from(ttl_s.unwrap_or(self.ttl_s)).unwrap_or(i64::MAX);
        // The verifier refuses dates beyond 10^11 s; a life that long is cut there.
        let expires_at_s = issued_at_s.saturating_add(ttl_s).min(99_999_999_999);
        let claims = OwnClaims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: user_id.to_string(),
            uid: user_id.get(),
            sid: login.map(claims::sid),
            preferred_username: username,
            iat: issued_at_s,
            exp: expires_at_s,
        };
        let token =
            encode(&Header::new(Algorithm::HS256), &claims, &self.key).map_err(|_| MintError)?;
        Ok(MintedToken { token, expires_at_ms: expires_at_s * 1000 })
    }
}

impl fmt::Debug for TokenMinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMinter").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}
