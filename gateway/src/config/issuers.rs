//! `[[auth.issuers]]`: who else may say who somebody is, by the sets of keys (JWKS, RFC 7517) they publish.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TokenAlgorithm;
use super::confidential::is_confidential;
use super::number::Number;
use super::redact;
use super::validate::{Invalid, invalid, not_empty};

/// Most issuers: each is a set of keys in memory.
const MAX_ISSUERS: usize = 32;
/// How often a set of keys is read again where the file does not say, in seconds.
const REFRESH_S: i64 = 300;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawIssuer {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) jwks_file: Option<String>,
    pub(super) jwks_url: Option<String>,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) refresh_s: Option<Number>,
    pub(super) subject_claim: Option<String>,
    pub(super) username_claim: Option<String>,
}

impl RawIssuer {
    /// The keys of one item of `auth.issuers`.
    pub(super) const KEYS: [&str; 8] = [
        "issuer",
        "audience",
        "jwks_file",
        "jwks_url",
        "algorithms",
        "refresh_s",
        "subject_claim",
        "username_claim",
    ];
}

/// Another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` that its tokens must name, where it differs from `auth.audience`.
    pub audience: Option<String>,
    /// Where its keys are.
    pub source: JwksSource,
    /// What its keys may be for; never a shared secret.
    pub algorithms: Vec<TokenAlgorithm>,
    /// Where its tokens say who somebody is.
    pub claims: ClaimNames,
}

/// Where a set of keys is.
#[derive(Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file, which is read at the start and with the other keys.
    File(PathBuf),
    /// At an address, which is asked again and again.
    Url {
        /// `https`, or of this machine.
        url: String,
        /// How often.
        refresh: Duration,
    },
}

impl fmt::Debug for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Url { url, refresh } => {
                let shown = redact::url(url);
                f.debug_struct("Url").field("url", &shown).field("refresh", refresh).finish()
            }
        }
    }
}

/// Claims with other names than usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimNames {
    /// Instead of `sub`.
    pub subject: Option<String>,
    /// Instead of `preferred_username` and `name`.
    pub username: Option<String>,
}

pub(super) fn issuers(raw: Vec<RawIssuer>, own_issuer: &str) -> Result<Vec<IssuerConfig>, Invalid> {
    if raw.len() > MAX_ISSUERS {
        let expected = format!("at most {MAX_ISSUERS} issuers");
        return Err(invalid("auth.issuers", raw.len().to_string(), expected));
    }
    let mut issuers: Vec<IssuerConfig> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let issuer = issuer(&format!("auth.issuers[{index}]"), raw, own_issuer)?;
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            let key = format!("auth.issuers[{index}].issuer");
            return Err(invalid(&key, issuer.issuer, "each issuer once"));
        }
        issuers.push(issuer);
    }
    Ok(issuers)
}

fn issuer(place: &str, raw: RawIssuer, own_issuer: &str) -> Result<IssuerConfig, Invalid> {
    let key = |name: &str| format!("{place}.{name}");
    let issuer = not_empty(&key("issuer"), raw.issuer)?;
    if issuer == own_issuer {
        // Else somebody else could sign tokens with `uid` in this server's name.
        let expected = "another issuer than this server's own, auth.issuer";
        return Err(invalid(&key("issuer"), issuer, expected));
    }
    let refresh = raw.refresh_s.unwrap_or(Number::Whole(REFRESH_S));
    let refresh = refresh.within(&key("refresh_s"), 1, 86_400)?;
    let source = match (raw.jwks_file, raw.jwks_url) {
        (Some(file), None) => JwksSource::File(PathBuf::from(not_empty(&key("jwks_file"), file)?)),
        (None, Some(url)) if is_confidential(&url) => {
            JwksSource::Url { url, refresh: Duration::from_secs(refresh.into()) }
        }
        (None, Some(url)) => {
            let expected = "an https address, or an http address of this machine";
            return Err(invalid(&key("jwks_url"), redact::url(&url), expected));
        }
        _ => {
            let expected = "either jwks_file or jwks_url";
            return Err(invalid(&key("jwks_url"), "", expected));
        }
    };
    let optional = |name: &str, value: Option<String>| {
        value.map(|value| not_empty(&key(name), value)).transpose()
    };
    Ok(IssuerConfig {
        audience: optional("audience", raw.audience)?,
        source,
        algorithms: algorithms(&key("algorithms"), raw.algorithms)?,
        claims: ClaimNames {
            subject: optional("subject_claim", raw.subject_claim)?,
            username: optional("username_claim", raw.username_claim)?,
        },
        issuer,
    })
}

fn algorithms(key: &str, raw: Option<Vec<String>>) -> Result<Vec<TokenAlgorithm>, Invalid> {
    use TokenAlgorithm::{EdDsa, Es256, Rs256};
    let Some(names) = raw else { return Ok(vec![Rs256, Es256, EdDsa]) };
    let expected = "some of RS256, ES256 and EdDSA";
    let algorithm = |name: &String| match name.as_str() {
        "RS256" => Ok(Rs256),
        "ES256" => Ok(Es256),
        "EdDSA" => Ok(EdDsa),
        // A shared secret is never published: HS256 has its place in auth.trusted_keys.
        other => Err(invalid(key, other, expected)),
    };
    if names.is_empty() {
        return Err(invalid(key, "", expected));
    }
    names.iter().map(algorithm).collect()
}
