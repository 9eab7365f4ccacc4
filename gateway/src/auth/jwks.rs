//! Sets of keys that other issuers publish (JWKS, RFC 7517), as far as they are for signatures we accept.
//!
//! What a set holds besides (keys for encryption, of other curves, of other algorithms) is passed over, as section 5 of
//! the RFC wants it; shared secrets too: whoever publishes one has none. Each key is for one algorithm, which follows from
//! its kind, so a token cannot choose.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::keys::VerifyingKey;
use crate::config::{IssuerConfig, TokenAlgorithm};

/// The largest set, in bytes.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Most keys of one issuer: a token without `kid` is tried with each that has none.
const MAX_KEYS: usize = 100;

/// Why a set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("cannot read {} in auth.issuers: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no set of keys.
    #[error("the keys of {0} are no JSON Web Key Set")]
    Format(String),
    /// There is no key for an algorithm that may be used.
    #[error("the keys of {0} hold none of the configured algorithms")]
    NoKeys(String),
    /// More than anybody needs.
    #[error(
        "the keys of {issuer} are too large: more than {MAX_JWKS_BYTES} bytes, or {MAX_KEYS} keys"
    )]
    TooLarge {
        /// Whose.
        issuer: String,
    },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The one algorithm it is for, if it is one we accept, and the key itself.
    fn key(&self) -> Option<(TokenAlgorithm, Algorithm, DecodingKey)> {
        let (n, e) = (self.n.as_deref(), self.e.as_deref());
        let (x, y) = (self.x.as_deref(), self.y.as_deref());
        match (self.kty.as_deref()?, self.crv.as_deref()) {
            ("RSA", _) => {
                let key = DecodingKey::from_rsa_components(n?, e?).ok()?;
                Some((TokenAlgorithm::Rs256, Algorithm::RS256, key))
            }
            ("EC", Some("P-256")) => {
                let key = DecodingKey::from_ec_components(x?, y?).ok()?;
                Some((TokenAlgorithm::Es256, Algorithm::ES256, key))
            }
            ("OKP", Some("Ed25519")) => {
                let key = DecodingKey::from_ed_components(x?).ok()?;
                Some((TokenAlgorithm::EdDsa, Algorithm::EdDSA, key))
            }
            _ => None,
        }
    }

    fn is_for_signatures(&self) -> bool {
        self.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
    }
}

/// As a set or a header writes it.
const fn name(algorithm: TokenAlgorithm) -> &'static str {
    match algorithm {
        TokenAlgorithm::Hs256 => "HS256",
        TokenAlgorithm::EdDsa => "EdDSA",
        TokenAlgorithm::Es256 => "ES256",
        TokenAlgorithm::Rs256 => "RS256",
    }
}

/// The keys of a set that tokens of this issuer may be signed with.
pub(super) fn parse(
    issuer: &IssuerConfig,
    default_audience: &str,
    text: &[u8],
) -> Result<Arc<[VerifyingKey]>, JwksError> {
    let name_of = || issuer.issuer.clone();
    if text.len() > MAX_JWKS_BYTES {
        return Err(JwksError::TooLarge { issuer: name_of() });
    }
    let set: Set = serde_json::from_slice(text).map_err(|_| JwksError::Format(name_of()))?;
    if set.keys.len() > MAX_KEYS {
        return Err(JwksError::TooLarge { issuer: name_of() });
    }
    let audience = issuer.audience.as_deref().unwrap_or(default_audience);
    let claims = Arc::new(issuer.claims.clone());
    let keys: Vec<VerifyingKey> = set
        .keys
        .iter()
        .filter(|jwk| jwk.is_for_signatures())
        .filter_map(|jwk| {
            let (kind, algorithm, key) = jwk.key()?;
            let is_allowed = issuer.algorithms.contains(&kind)
                && jwk.alg.as_deref().is_none_or(|alg| alg == name(kind));
            is_allowed.then(|| VerifyingKey {
                issuer: issuer.issuer.clone(),
                audience: audience.to_owned(),
                kid: jwk.kid.clone(),
                algorithm,
                key,
                own: false,
                claims: Some(Arc::clone(&claims)),
            })
        })
        .collect();
    if keys.is_empty() { Err(JwksError::NoKeys(name_of())) } else { Ok(keys.into()) }
}

/// The keys in a file.
pub(super) fn read(
    issuer: &IssuerConfig,
    default_audience: &str,
    path: &PathBuf,
) -> Result<Arc<[VerifyingKey]>, JwksError> {
    let text = fs::read(path).map_err(|source| JwksError::File { path: path.clone(), source })?;
    parse(issuer, default_audience, &text)
}
