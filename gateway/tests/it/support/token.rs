//! Tokens, signed here with the server's key: also such as the server would never make.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The time in seconds, as tokens count it.
pub(crate) fn now_s() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    since_epoch.as_secs().cast_signed()
}

/// What the server's own tokens claim; `ttl_s` may be negative.
pub(crate) fn claims(user: u64, ttl_s: i64) -> Value {
    let now = now_s();
    json!({
        "iss": "ringwire",
        "aud": "ringwire",
        "sub": user.to_string(),
        "uid": user,
        "iat": now,
        "exp": now + ttl_s,
    })
}

/// A token with these claims, signed with the key in the file.
pub(crate) fn sign(secret_file: &Path, claims: &Value) -> String {
    let secret = fs::read(secret_file).expect("the server's key");
    sign_with(secret.trim_ascii(), claims)
}

/// A token with these claims, signed with any key.
pub(crate) fn sign_with(key: &[u8], claims: &Value) -> String {
    let key = EncodingKey::from_secret(key);
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("a signature")
}
