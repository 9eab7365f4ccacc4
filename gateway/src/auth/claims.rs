//! The parts of a token's header and claims that are looked at, as serde sees them. Duplicate members are an error.

use std::borrow::Cow;

use ringwire_protocol::{UnixMs, UserId};
use ringwire_storage::refresh::FamilyId;
use serde::{Deserialize, Serialize};

/// JOSE header (RFC 7515 section 4).
#[derive(Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) alg: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) typ: Option<Cow<'a, str>>,
    pub(super) crit: Option<serde::de::IgnoredAny>,
}

/// Registered claims (RFC 7519 section 4.1), our `uid`, and where issuers put people's names.
#[derive(Deserialize)]
pub(super) struct Claims<'a> {
    #[serde(borrow)]
    pub(super) iss: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) sub: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) aud: Option<Audience<'a>>,
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    pub(super) iat: Option<NumericDate>,
    #[serde(borrow)]
    pub(super) uid: Option<Uid<'a>>,
    #[serde(borrow)]
    pub(super) sid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) preferred_username: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Several(#[serde(borrow)] Vec<Cow<'a, str>>),
}

impl Audience<'_> {
    pub(super) fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(name) => name == audience,
            Self::Several(names) => names.iter().any(|name| name == audience),
        }
    }
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519 section 2).
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// Later than any date a sound issuer writes (the year 5138); what is beyond is milliseconds or nonsense.
    const MAX_S: f64 = 1e11;

    pub(super) fn as_unix_ms(self) -> Option<UnixMs> {
        (0.0..Self::MAX_S).contains(&self.0).then_some((self.0 * 1000.0) as UnixMs)
    }
}

/// A user id, as a number or, as everywhere in our JSON, as text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Uid<'a> {
    Number(u64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl Uid<'_> {
    pub(super) fn as_user_id(&self) -> Option<UserId> {
        match self {
            Self::Number(number) => UserId::new(*number),
            Self::Text(text) => UserId::new(text.parse().ok()?),
        }
    }
}

/// A login as the claim `sid` writes it: 32 hexadecimal digits.
pub(super) fn sid(login: FamilyId) -> String {
    format!("{:032x}", u128::from_be_bytes(login))
}

/// The login in a claim `sid`.
pub(super) fn parse_sid(text: &str) -> Option<FamilyId> {
    let is_sound = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| is_sound).map(u128::to_be_bytes)
}

/// The claims of this server's own tokens.
#[derive(Serialize)]
pub(super) struct OwnClaims<'a> {
    pub(super) iss: &'a str,
    pub(super) aud: &'a str,
    pub(super) sub: String,
    pub(super) uid: u64,
    /// The login it is of; see [`sid`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preferred_username: Option<&'a str>,
    pub(super) iat: i64,
    pub(super) exp: i64,
}
