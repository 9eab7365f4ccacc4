//! Signatures of requests: `t=<seconds>,v1=<hex of HMAC-SHA256>`, a `v1` for each secret.
//!
//! What is signed is the time, a dot and the body, so a request that somebody recorded can be told by its age.

use std::fmt::Write as _;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

/// The value of `X-Ringwire-Signature`.
pub(super) fn signature<'a>(
    secrets: impl IntoIterator<Item = &'a [u8]>,
    unix_s: i64,
    body: &[u8],
) -> String {
    let mut value = format!("t={unix_s}");
    let signed = [unix_s.to_string().as_bytes(), b".", body].concat();
    for secret in secrets {
        value.push_str(",v1=");
        let tag = sign(&Key::new(HMAC_SHA256, secret), &signed);
        for byte in tag.as_ref() {
            // Writing into a string does not fail.
            let _ = write!(value, "{byte:02x}");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_signs_the_time_and_the_body() {
        // By: printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected =
            "t=1700000000,v1=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e";
        let secret = b"0123456789abcdef".as_slice();
        assert_eq!(signature([secret], 1_700_000_000, b"{}"), expected);
        let both = signature([secret, b"another secret.."], 1_700_000_000, b"{}");
        assert!(both.starts_with(expected) && both.matches("v1=").count() == 2, "{both}");
    }
}
