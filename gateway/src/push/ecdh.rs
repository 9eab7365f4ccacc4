//! Encryption of a Web Push message for a browser (RFC 8291), as one record of `aes128gcm` (RFC 8188).
//!
//! ```text
//!   our key of one message ─┐ ECDH     auth secret      salt
//!   the browser's key ──────┴──────► HMAC ──► IKM ──► HMAC ──► key, nonce ─► AES-128-GCM
//! ```

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

/// The size of a record: push services take no larger message.
const RECORD_BYTES: u32 = 4_096;
/// An uncompressed point of P-256.
pub(super) const POINT_BYTES: usize = 65;
/// What a browser adds to its key.
pub(super) const AUTH_BYTES: usize = 16;
/// What varies from message to message.
const SALT_BYTES: usize = 16;
/// Before the ciphertext: salt, record size, length of the key, key.
const HEADER_BYTES: usize = SALT_BYTES + 4 + 1 + POINT_BYTES;
/// The longest text: what fits into a record with its header, tag and delimiter.
pub(super) const MAX_TEXT_BYTES: usize = RECORD_BYTES as usize - HEADER_BYTES - 16 - 1;

/// The body of a request with this text. `None`: it is too long, the browser's key is none, or the system gives no random
/// bytes.
pub(super) fn encrypt(
    text: &[u8],
    browser: &[u8; POINT_BYTES],
    auth: &[u8; AUTH_BYTES],
) -> Option<Vec<u8>> {
    let own = PrivateKey::generate(&ECDH_P256).ok()?;
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).ok()?;
    encrypt_with(text, browser, auth, &own, &salt)
}

fn encrypt_with(
    text: &[u8],
    browser: &[u8; POINT_BYTES],
    auth: &[u8; AUTH_BYTES],
    own: &PrivateKey,
    salt: &[u8; SALT_BYTES],
) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let public = own.compute_public_key().ok()?;
    let other = UnparsedPublicKey::new(&ECDH_P256, browser);
    let ikm = agree(own, other, (), |shared| {
        let info = [b"WebPush: info\0", browser.as_slice(), public.as_ref(), &[1]].concat();
        Ok(hmac(hmac(auth, shared).as_ref(), &info))
    })
    .ok()?;
    let prk = hmac(salt, ikm.as_ref());
    let key = hmac(prk.as_ref(), b"Content-Encoding: aes128gcm\0\x01");
    let nonce = hmac(prk.as_ref(), b"Content-Encoding: nonce\0\x01");
    let key = UnboundKey::new(&AES_128_GCM, key.as_ref().get(..16)?).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_ref().get(..12)?).ok()?;
    // The delimiter of the last record; no padding.
    let mut record = [text, &[2]].concat();
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut record).ok()?;
    let length = [POINT_BYTES as u8];
    Some([salt, &RECORD_BYTES.to_be_bytes()[..], &length, public.as_ref(), &record].concat())
}

fn hmac(key: &[u8], message: &[u8]) -> aws_lc_rs::hmac::Tag {
    sign(&Key::new(HMAC_SHA256, key), message)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8291 section 5 and appendix A.
    const BROWSER: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn the_vector_of_rfc_8291_is_met() {
        let own: [u8; 32] = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let body = encrypt_with(text, &bytes(BROWSER), &bytes(AUTH), &own, &salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8\
                        wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn a_message_fits_into_a_record_or_is_refused() {
        let (browser, auth) = (bytes(BROWSER), bytes(AUTH));
        let longest = encrypt(&vec![b'x'; MAX_TEXT_BYTES], &browser, &auth).unwrap();
        assert_eq!(longest.len(), RECORD_BYTES as usize);
        assert_eq!(encrypt(&vec![b'x'; MAX_TEXT_BYTES + 1], &browser, &auth), None);
        assert_ne!(encrypt(b"x", &browser, &auth), encrypt(b"x", &browser, &auth));
        assert_eq!(encrypt(b"x", &[4; POINT_BYTES], &auth), None);
    }
}
