//! The key by which push services know this server (RFC 8292), and what it signs.
//!
//! The file holds the private key as most tools write it, 32 bytes in base64url; the public key follows from it.

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use zeroize::Zeroizing;

use super::PushError;
use crate::secret::KeyFile;

/// How long a signature is good for, in seconds; RFC 8292 allows a day.
const VALID_S: i64 = 12 * 60 * 60;

/// Why there is no such key.
#[derive(Debug, thiserror::Error)]
pub enum VapidError {
    /// The file holds something else.
    #[error("the key of Web Push is not 32 bytes in base64url; `ringwire vapid-keys` prints one")]
    NotAKey,
    /// The system gives no random bytes.
    #[error("the system's random number generator failed")]
    Random,
}

/// A P-256 key that signs.
pub struct VapidKey {
    pair: EcdsaKeyPair,
    public: String,
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl VapidKey {
    /// The key in this file; makes one first if there is none and it may.
    pub fn load(file: &KeyFile) -> Result<Self, PushError> {
        // Any 32 bytes are a private key, but for one in four thousand millions.
        Ok(Self::read(file.load()?.expose())?)
    }

    /// Whether [`VapidKey::load`] would succeed; makes nothing.
    pub fn check(file: &KeyFile) -> Result<(), PushError> {
        if let Some(text) = file.look()? {
            Self::read(text.expose())?;
        }
        Ok(())
    }

    /// A new one, and the text for its file.
    pub fn generate() -> Result<(Self, Zeroizing<String>), VapidError> {
        let mut private = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *private).map_err(|_| VapidError::Random)?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*private));
        Ok((Self::read(text.as_bytes())?, text))
    }

    fn read(text: &[u8]) -> Result<Self, VapidError> {
        let private = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
        let private = private.map_err(|_| VapidError::NotAKey)?;
        let agreeing =
            PrivateKey::from_private_key(&ECDH_P256, &private).map_err(|_| VapidError::NotAKey)?;
        let public = agreeing.compute_public_key().map_err(|_| VapidError::NotAKey)?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, public.as_ref());
        Ok(Self {
            pair: pair.map_err(|_| VapidError::NotAKey)?,
            public: URL_SAFE_NO_PAD.encode(public.as_ref()),
        })
    }

    /// What browsers subscribe with (`applicationServerKey`), in base64url.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The value of `Authorization` for a push service.
    pub(super) fn authorization(&self, origin: &str, subject: &str, unix_s: i64) -> Option<String> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "aud": origin, "exp": unix_s + VALID_S, "sub": subject });
        let signed = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Some(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    use super::*;

    #[test]
    fn a_push_service_can_check_who_signed() {
        let (key, text) = VapidKey::generate().unwrap();
        assert_eq!(VapidKey::read(text.as_bytes()).unwrap().public(), key.public());
        let now = jsonwebtoken::get_current_timestamp().cast_signed();
        let value = key.authorization("https://push.example", "mailto:a@b.example", now).unwrap();
        let (token, public) = value.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let point = URL_SAFE_NO_PAD.decode(public).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
        let jwk: Jwk = serde_json::from_value(json!({
            "kty": "EC",
            "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        }))
        .unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["https://push.example"]);
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let claims = decode::<serde_json::Value>(token, &key, &validation).unwrap().claims;
        assert_eq!(claims["sub"], "mailto:a@b.example");
        assert_eq!(claims["exp"], now + VALID_S);
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_key_is_not_shown() {
        for text in ["", "AAAA", "not base64!", &URL_SAFE_NO_PAD.encode([0; 32])] {
            assert!(VapidKey::read(text.as_bytes()).is_err(), "{text}");
        }
        let (key, text) = VapidKey::generate().unwrap();
        assert!(!format!("{key:?}").contains(&*text));
    }

    #[test]
    fn the_first_start_makes_a_key_and_later_ones_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::Default(folder.path().join("vapid.key"));
        let first = VapidKey::load(&file).unwrap();
        assert_eq!(VapidKey::load(&file).unwrap().public(), first.public());
    }
}
