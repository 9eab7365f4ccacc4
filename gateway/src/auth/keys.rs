//! The keys that tokens may be signed with, each bound to one issuer, one algorithm and one audience.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};

use super::jwks::JwksError;
use crate::config::{ClaimNames, TokenAlgorithm, TrustedKey};
use crate::secret::{self, SecretError, SecretKey};

/// Why a configured key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A shared secret that cannot be read or is not private.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A set of keys that cannot be used.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// A public key that cannot be read.
    #[error("cannot read the key file {} in auth.trusted_keys: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no public key of the algorithm.
    #[error(
        "the key file {} in auth.trusted_keys holds no {algorithm} public key in PEM form",
        path.display()
    )]
    Format {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        algorithm: &'static str,
    },
}

/// One key with everything a token under it must say.
pub(super) struct VerifyingKey {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    /// Whether this server signs with it: only then `uid` counts.
    pub(super) own: bool,
    /// Claims with other names than usual.
    pub(super) claims: Option<Arc<ClaimNames>>,
}

impl VerifyingKey {
    pub(super) fn own(secret: &SecretKey, issuer: &str, audience: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            kid: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret.expose()),
            own: true,
            claims: None,
        }
    }

    pub(super) fn load(trusted: &TrustedKey, default_audience: &str) -> Result<Self, KeyError> {
        let path = &trusted.key_file;
        let (algorithm, key) = match trusted.algorithm {
            TokenAlgorithm::Hs256 => {
                let secret = secret::read_key(path)?;
                (Algorithm::HS256, DecodingKey::from_secret(secret.expose()))
            }
            TokenAlgorithm::EdDsa => {
                let key =
                    DecodingKey::from_ed_pem(&read(path)?).map_err(|_| wrong(path, "Ed25519"))?;
                (Algorithm::EdDSA, key)
            }
            TokenAlgorithm::Es256 => {
                let key = DecodingKey::from_ec_pem(&read(path)?).map_err(|_| wrong(path, "EC"))?;
                (Algorithm::ES256, key)
            }
            TokenAlgorithm::Rs256 => {
                let key =
                    DecodingKey::from_rsa_pem(&read(path)?).map_err(|_| wrong(path, "RSA"))?;
                (Algorithm::RS256, key)
            }
        };
        Ok(Self {
            issuer: trusted.issuer.clone(),
            audience: trusted.audience.clone().unwrap_or_else(|| default_audience.to_owned()),
            kid: trusted.kid.clone(),
            algorithm,
            key,
            own: false,
            claims: None,
        })
    }

    /// Whether a token with this `kid` may mean this key. A key without a `kid` serves all of its issuer's tokens.
    pub(super) fn answers_to(&self, kid: Option<&str>) -> bool {
        match (&self.kid, kid) {
            (Some(own), Some(asked)) => own == asked,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
}

fn wrong(path: &Path, algorithm: &'static str) -> KeyError {
    KeyError::Format { path: path.to_owned(), algorithm }
}
