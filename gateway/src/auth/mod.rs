//! Tokens: who the bearer is, for how long, and why not.
//!
//! ```text
//!   token ─► header: alg, kid ─► claims: iss ─► the one key for (iss, kid) ─► alg must be that key's
//!                                                                               │
//!              Identity ◄─ sub / uid ◄─ aud ◄─ nbf ◄─ exp ◄─ signature ◄────────┘
//!   no such kid? ─► its issuer's set of keys (jwks) is asked for again, by the service thread
//! ```
//!
//! Invariants: the key decides the algorithm, never the token; no claim is believed before the signature is checked;
//! `uid` and `sid` count only in tokens of this server's own; neither tokens nor keys appear in errors, `Debug` output or logs.

mod claims;
mod jwks;
mod keys;
mod mint;
mod name;
mod refresh;
mod reset;
#[cfg(test)]
mod tests;
mod verify;

use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId};
use ringwire_storage::refresh::FamilyId;

pub use jwks::{JwksError, MAX_JWKS_BYTES};
pub use keys::KeyError;
pub use mint::{MintError, MintedToken, TokenMinter};
pub use name::{MAX_USERNAME_CHARS, is_username};
pub use refresh::{RefreshMinter, RefreshToken};
pub use reset::ResetToken;
pub use verify::TokenVerifier;

/// Longer tokens are refused unread; real ones have some 300 bytes (1,500 with RS256 and many claims).
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose it is.
    pub user: TokenUser,
    /// What the token calls the person, if that could be a user name here: a proposal for a new user.
    pub name_hint: Option<String>,
    /// When the token ceases to be valid.
    pub expires_at_ms: UnixMs,
    /// When it was made, if it says so.
    pub issued_at_ms: Option<UnixMs>,
    /// Of which login it is; only this server's own tokens tell, and not all of them.
    pub login: Option<FamilyId>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenUser {
    /// A token of this server's own names the user by id.
    Known(UserId),
    /// The identities table maps issuer and subject to a user.
    External {
        /// `iss`.
        issuer: String,
        /// `sub`, 1 to 255 bytes without control characters.
        subject: String,
    },
}

/// Why a token does not let its bearer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, or not JSON in them.
    #[error("the token is not a JSON Web Token")]
    Malformed,
    /// `typ` is not `JWT` or `at+jwt`, or `crit` asks for an extension.
    #[error("the token is of a type that is not accepted")]
    WrongType,
    /// No key for this `iss`.
    #[error("the token's issuer is not trusted")]
    UnknownIssuer,
    /// No key of the issuer has this `kid`.
    #[error("the token names a key that is not known")]
    UnknownKey,
    /// It has no `kid`, and each key of its issuer has one.
    #[error("the token names no key (kid), and its issuer's keys have names")]
    NamesNoKey,
    /// `alg` is not the one the key is for; `none` never is.
    #[error("the token's algorithm is not the one of its issuer's key")]
    WrongAlgorithm,
    /// Signed with another key, or changed.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// `aud` does not name this service.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// This claim is missing or has no sensible value.
    #[error("the token's claim `{0}` is missing or not valid")]
    BadClaim(&'static str),
}

impl From<TokenError> for CommandError {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Expired => ErrorCode::TokenExpired,
            _ => ErrorCode::Unauthenticated,
        };
        Self::new(code, error.to_string())
    }
}
