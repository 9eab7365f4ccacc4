//! Tokens for forgotten passwords: random text, good once, of which the database knows the hash alone.

use std::fmt;

use ringwire_storage::refresh::TokenHash;

use super::mint::MintError;
use super::refresh::RefreshToken;

/// A permission to set a new password without the old one: a secret of the user.
#[derive(Clone, PartialEq, Eq)]
pub struct ResetToken(RefreshToken);

impl ResetToken {
    /// A new one.
    pub fn random() -> Result<Self, MintError> {
        RefreshToken::random().map(Self)
    }

    /// What somebody shows; `None`: it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        RefreshToken::parse(text).map(Self)
    }

    /// The text, for its user alone.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the database keeps.
    pub fn hash(&self) -> TokenHash {
        self.0.hash()
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken(***)")
    }
}
