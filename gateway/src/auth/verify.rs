//! The check itself. It runs on shards: 2 µs for the server's own tokens, up to 45 µs for those of other issuers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use ringwire_protocol::UnixMs;
use serde_json::Value;
use tokio::sync::Notify;

use super::claims::{self, Claims, Header, NumericDate};
use super::jwks::{self, JwksError};
use super::keys::{KeyError, VerifyingKey};
use super::name::is_username;
use super::{Identity, MAX_TOKEN_BYTES, TokenError, TokenUser};
use crate::config::{AuthConfig, ClaimNames, JwksSource};
use crate::secret::{self, SecretKey};

/// How far another issuer's clock may be ahead of ours before its fresh tokens count as "not yet valid".
/// There is no such allowance for `exp`: an expired token is expired.
const NOT_BEFORE_LEEWAY_MS: UnixMs = 5_000;
/// The longest `sub`, in bytes (OpenID Connect Core section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// Checks tokens. Shared by all threads; keys that have been read again are there at once.
pub struct TokenVerifier {
    /// The server's own key comes first: it signs most tokens. Locked for as long as it takes to note where they are, once
    /// a token.
    keys: RwLock<Arc<Keys>>,
    own: SecretKey,
    /// What is asked for: a token named a key that is not known.
    wanted: Wanted,
}

/// All keys there are.
#[derive(Clone)]
struct Keys {
    /// The server's own and those of `auth.trusted_keys`.
    fixed: Arc<[VerifyingKey]>,
    /// Of each of `auth.issuers`; empty: not fetched yet.
    published: Vec<Arc<[VerifyingKey]>>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.fixed.iter().chain(self.published.iter().flat_map(|keys| keys.iter()))
    }
}

/// Of which issuers keys are wanted, by their place in `auth.issuers`.
struct Wanted {
    issuers: Box<[(String, AtomicBool)]>,
    bell: Notify,
}

impl TokenVerifier {
    /// A verifier for the server's own tokens and those of the issuers the configuration trusts.
    pub fn new(own: &SecretKey, config: &AuthConfig) -> Result<Self, KeyError> {
        let unknown = vec![Arc::from([]); config.issuers.len()];
        let keys = RwLock::new(Arc::new(load(own, config, unknown)?));
        let issuers = config.issuers.iter();
        let issuers =
            issuers.map(|issuer| (issuer.issuer.clone(), AtomicBool::new(false))).collect();
        let wanted = Wanted { issuers, bell: Notify::new() };
        Ok(Self { keys, own: own.clone(), wanted })
    }

    /// Reads the files of all keys but the server's own again. With an error everything stays as it was.
    pub fn reload(&self, config: &AuthConfig) -> Result<(), KeyError> {
        let keys = load(&self.own, config, self.keys().published.clone())?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Puts a fetched set in the place of the last one of this issuer. With an error that one stays.
    pub fn publish(
        &self,
        config: &AuthConfig,
        issuer: usize,
        text: &[u8],
    ) -> Result<(), JwksError> {
        let Some(of) = config.issuers.get(issuer) else { return Ok(()) };
        let published = jwks::parse(of, &config.audience, text)?;
        let mut guard = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut keys = Keys::clone(&guard);
        if let Some(place) = keys.published.get_mut(issuer) {
            *place = published;
        }
        *guard = Arc::new(keys);
        Ok(())
    }

    /// Waits until a token names a key of an issuer of `auth.issuers` that is not known.
    pub async fn asked(&self) {
        self.wanted.bell.notified().await;
    }

    /// Whether keys of this issuer were asked for since the last call.
    pub fn take_wanted(&self, issuer: usize) -> bool {
        let wanted = self.wanted.issuers.get(issuer);
        wanted.is_some_and(|(_, wanted)| wanted.swap(false, Ordering::Relaxed))
    }

    /// A refusal, once the issuer's keys are asked for if they could explain it.
    fn refuse(&self, refusal: TokenError, issuer: Option<&str>) -> TokenError {
        let may_be_news = matches!(
            refusal,
            TokenError::UnknownIssuer | TokenError::UnknownKey | TokenError::NamesNoKey
        );
        if !may_be_news {
            return refusal;
        }
        let known = self.wanted.issuers.iter().find(|(name, _)| Some(name.as_str()) == issuer);
        let Some((_, wanted)) = known else { return refusal };
        if !wanted.swap(true, Ordering::Relaxed) {
            self.wanted.bell.notify_one();
        }
        if refusal == TokenError::NamesNoKey { refusal } else { TokenError::UnknownKey }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who bears this token at the time `now_ms`.
    pub fn verify(&self, token: &str, now_ms: UnixMs) -> Result<Identity, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header = decode_part(header)?;
        let header: Header<'_> =
            serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
        check_type(&header)?;
        let payload = decode_part(claims)?;
        let claims: Claims<'_> =
            serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;

        let keys = self.keys();
        let key = signed_by(&keys, &header, &claims, signed, signature)
            .map_err(|refusal| self.refuse(refusal, claims.iss.as_deref()))?;
        // From here on the claims are the issuer's.
        let expires_at_ms = check_time(&claims, now_ms)?;
        if !claims.aud.as_ref().is_some_and(|aud| aud.names(&key.audience)) {
            return Err(TokenError::WrongAudience);
        }
        let named = Named::of(key, &payload);
        let user = user(&claims, key, &named.subject)?;
        let names = match named.username {
            Said::Elsewhere(name) => [name, None],
            Said::AsUsual => [claims.preferred_username, claims.name],
        };
        let name_hint =
            names.into_iter().flatten().find(|name| is_username(name)).map(Cow::into_owned);
        let issued_at_ms = claims.iat.and_then(NumericDate::as_unix_ms);
        let login = match claims.sid.filter(|_| key.own) {
            None => None,
            Some(sid) => Some(claims::parse_sid(&sid).ok_or(TokenError::BadClaim("sid"))?),
        };
        Ok(Identity { user, name_hint, expires_at_ms, issued_at_ms, login })
    }
}

/// What a token says under names that the configuration gives.
#[derive(Default)]
struct Named<'a> {
    subject: Said<'a>,
    username: Said<'a>,
}

#[derive(Default)]
enum Said<'a> {
    /// It is under its usual name.
    #[default]
    AsUsual,
    /// This is what it says under another one, if anything.
    Elsewhere(Option<Cow<'a, str>>),
}

impl<'a> Named<'a> {
    fn of(key: &VerifyingKey, payload: &'a [u8]) -> Self {
        let Some(names) = key.claims.as_deref() else { return Self::default() };
        if *names == ClaimNames::default() {
            return Self::default();
        }
        // They were read before, as a struct.
        let mut claims: HashMap<Cow<'a, str>, Value> =
            serde_json::from_slice(payload).unwrap_or_default();
        let mut said = |name: &Option<String>| match name {
            None => Said::AsUsual,
            Some(name) => Said::Elsewhere(match claims.remove(name.as_str()) {
                Some(Value::String(text)) => Some(Cow::Owned(text)),
                _ => None,
            }),
        };
        Self { subject: said(&names.subject), username: said(&names.username) }
    }
}

fn load(
    own: &SecretKey,
    config: &AuthConfig,
    mut published: Vec<Arc<[VerifyingKey]>>,
) -> Result<Keys, KeyError> {
    let own_key = |secret: &SecretKey| VerifyingKey::own(secret, &config.issuer, &config.audience);
    let mut keys = vec![own_key(own)];
    for path in &config.previous_secret_files {
        keys.push(own_key(&secret::read_key(path)?));
    }
    for trusted in &config.trusted_keys {
        keys.push(VerifyingKey::load(trusted, &config.audience)?);
    }
    for (issuer, place) in config.issuers.iter().zip(&mut published) {
        if let JwksSource::File(path) = &issuer.source {
            *place = jwks::read(issuer, &config.audience, path)?;
        }
    }
    Ok(Keys { fixed: keys.into(), published })
}

/// `iss` and `kid` choose among the keys; then the key's algorithm must be the token's, and the signature the key's.
fn signed_by<'a>(
    keys: &'a Keys,
    header: &Header<'_>,
    claims: &Claims<'_>,
    signed: &str,
    signature: &str,
) -> Result<&'a VerifyingKey, TokenError> {
    let issuer = claims.iss.as_deref().ok_or(TokenError::BadClaim("iss"))?;
    let algorithm = match &*header.alg {
        "HS256" => Some(Algorithm::HS256),
        "EdDSA" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "RS256" => Some(Algorithm::RS256),
        _ => None,
    };
    let mut refusal = TokenError::UnknownIssuer;
    for key in keys.all().filter(|key| key.issuer == issuer) {
        if !key.answers_to(header.kid.as_deref()) {
            if refusal == TokenError::UnknownIssuer {
                refusal = match header.kid {
                    Some(_) => TokenError::UnknownKey,
                    None => TokenError::NamesNoKey,
                };
            }
        } else if algorithm == Some(key.algorithm) {
            // Errors other than a wrong signature are malformed base64 in it.
            match crypto::verify(signature, signed.as_bytes(), &key.key, key.algorithm) {
                Ok(true) => return Ok(key),
                // Keys of one issuer without a `kid`, while one takes over from another.
                Ok(false) => refusal = TokenError::BadSignature,
                Err(_) => return Err(TokenError::Malformed),
            }
        } else if refusal != TokenError::BadSignature {
            refusal = TokenError::WrongAlgorithm;
        }
    }
    Err(refusal)
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let issuers = keys.all().map(|key| (&key.issuer, key.algorithm));
        f.debug_map().entries(issuers).finish()
    }
}

fn decode_part(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

/// RFC 8725 section 3.11: a token made for another purpose (such as `dpop+jwt`) is none for us. RFC 7515 section
/// 4.1.11: who does not know an extension named in `crit` must refuse, and we know none.
fn check_type(header: &Header<'_>) -> Result<(), TokenError> {
    let accepted = header.typ.as_deref().is_none_or(|typ| {
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt")
    });
    if accepted && header.crit.is_none() { Ok(()) } else { Err(TokenError::WrongType) }
}

fn check_time(claims: &Claims<'_>, now_ms: UnixMs) -> Result<UnixMs, TokenError> {
    let expires_at_ms =
        claims.exp.and_then(NumericDate::as_unix_ms).ok_or(TokenError::BadClaim("exp"))?;
    if expires_at_ms <= now_ms {
        return Err(TokenError::Expired);
    }
    if let Some(not_before) = claims.nbf {
        let not_before_ms = not_before.as_unix_ms().ok_or(TokenError::BadClaim("nbf"))?;
        if not_before_ms > now_ms.saturating_add(NOT_BEFORE_LEEWAY_MS) {
            return Err(TokenError::NotYetValid);
        }
    }
    Ok(expires_at_ms)
}

fn user(
    claims: &Claims<'_>,
    key: &VerifyingKey,
    subject: &Said<'_>,
) -> Result<TokenUser, TokenError> {
    if let (true, Some(uid)) = (key.own, &claims.uid) {
        return uid.as_user_id().map(TokenUser::Known).ok_or(TokenError::BadClaim("uid"));
    }
    let subject = match subject {
        Said::Elsewhere(subject) => subject.as_deref(),
        Said::AsUsual => claims.sub.as_deref(),
    };
    let subject = subject.unwrap_or_default();
    if subject.is_empty()
        || subject.len() > MAX_SUBJECT_BYTES
        || subject.chars().any(char::is_control)
    {
        return Err(TokenError::BadClaim("sub"));
    }
    Ok(TokenUser::External { issuer: key.issuer.clone(), subject: subject.to_owned() })
}
