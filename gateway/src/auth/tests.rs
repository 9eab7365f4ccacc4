//! Promise A1: only the right tokens enter. Keys are made afresh for each run; time is a parameter.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use ringwire_protocol::{UnixMs, UserId};
use serde_json::{Value, json};

use super::{
    MAX_JWKS_BYTES, MAX_TOKEN_BYTES, RefreshMinter, RefreshToken, TokenError, TokenMinter,
    TokenUser, TokenVerifier,
};
use crate::config::{AuthConfig, ClaimNames, IssuerConfig, JwksSource, TokenAlgorithm, TrustedKey};
use crate::secret::{KeyFile, SecretKey};

mod published;

/// The time of every check.
const NOW_S: i64 = 1_800_000_000;
const NOW_MS: UnixMs = NOW_S * 1000;
const OWN_SECRET: &[u8] = b"own-secret-own-secret-own-secret-own";
const PARTNER_SECRET: &[u8] = b"partner-secret-partner-secret-partner";

fn config() -> AuthConfig {
    AuthConfig {
        jwt_secret_file: KeyFile::Default(PathBuf::new()),
        issuer: "ringwire".to_owned(),
        audience: "ringwire".to_owned(),
        previous_secret_files: Vec::new(),
        token_ttl_s: 3600,
        refresh_ttl_s: 7200,
        provision_unknown_users: true,
        registration: true,
        password_reset: None,
        password_reset_ttl_s: 3600,
        issuers: Vec::new(),
        trusted_keys: Vec::new(),
    }
}

fn own_verifier() -> TokenVerifier {
    TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config()).unwrap()
}

fn own_claims() -> Value {
    json!({"iss": "ringwire", "aud": "ringwire", "sub": "7", "uid": 7, "exp": NOW_S + 60})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn sign(algorithm: Algorithm, claims: &Value, key: &EncodingKey) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn sign_own(claims: &Value) -> String {
    sign(Algorithm::HS256, claims, &EncodingKey::from_secret(OWN_SECRET))
}

/// A correctly signed token with any header at all.
fn sign_raw(header: &Value, claims: &Value, key: &EncodingKey) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = crypto::sign(signed.as_bytes(), key, Algorithm::HS256).unwrap();
    format!("{signed}.{signature}")
}

fn verify_own(token: &str) -> Result<TokenUser, TokenError> {
    own_verifier().verify(token, NOW_MS).map(|identity| identity.user)
}

fn known(number: u64) -> TokenUser {
    TokenUser::Known(UserId::new(number).unwrap())
}

fn external(issuer: &str, subject: &str) -> TokenUser {
    TokenUser::External { issuer: issuer.to_owned(), subject: subject.to_owned() }
}

#[test]
fn a1_a_minted_token_is_accepted_until_it_expires() {
    let minter = TokenMinter::new(&SecretKey::new(OWN_SECRET.to_vec()), &config());
    let minted = minter.mint(UserId::new(42).unwrap(), Some("ann"), None, None, NOW_MS).unwrap();
    assert_eq!(minted.expires_at_ms, NOW_MS + 3_600_000);
    let verifier = own_verifier();
    let identity = verifier.verify(&minted.token, minted.expires_at_ms - 1).unwrap();
    assert_eq!((identity.user, identity.expires_at_ms), (known(42), minted.expires_at_ms));
    assert_eq!(identity.name_hint.as_deref(), Some("ann"));
    assert_eq!(verifier.verify(&minted.token, minted.expires_at_ms), Err(TokenError::Expired));
    let endless =
        minter.mint(UserId::new(42).unwrap(), None, None, Some(u64::MAX), NOW_MS).unwrap();
    assert!(verifier.verify(&endless.token, NOW_MS).is_ok());
}

#[test]
fn a1_exp_is_required_and_has_to_be_a_date() {
    let check = |exp| verify_own(&sign_own(&with(own_claims(), "exp", exp)));
    assert_eq!(check(Value::Null), Err(TokenError::BadClaim("exp")));
    assert_eq!(check(json!(NOW_S)), Err(TokenError::Expired));
    assert_eq!(check(json!(NOW_S - 1)), Err(TokenError::Expired));
    assert_eq!(check(json!(-5)), Err(TokenError::BadClaim("exp")));
    assert_eq!(check(json!(1e300)), Err(TokenError::BadClaim("exp")));
    assert_eq!(check(json!("1900000000")), Err(TokenError::Malformed));
    assert_eq!(check(json!(NOW_S as f64 + 0.5)), Ok(known(7)));
}

#[test]
fn a1_nbf_is_kept_apart_from_a_clock_that_is_a_little_ahead() {
    let check = |nbf| verify_own(&sign_own(&with(own_claims(), "nbf", nbf)));
    assert_eq!(check(json!(NOW_S - 10)), Ok(known(7)));
    assert_eq!(check(json!(NOW_S + 5)), Ok(known(7)));
    assert_eq!(check(json!(NOW_S + 6)), Err(TokenError::NotYetValid));
    assert_eq!(check(json!(-1)), Err(TokenError::BadClaim("nbf")));
}

#[test]
fn a1_aud_has_to_name_this_service() {
    let check = |aud| verify_own(&sign_own(&with(own_claims(), "aud", aud)));
    assert_eq!(check(json!(["shop", "ringwire"])), Ok(known(7)));
    assert_eq!(check(json!("shop")), Err(TokenError::WrongAudience));
    assert_eq!(check(json!([])), Err(TokenError::WrongAudience));
    assert_eq!(check(Value::Null), Err(TokenError::WrongAudience));
}

#[test]
fn a1_iss_has_to_be_trusted() {
    let check = |iss| verify_own(&sign_own(&with(own_claims(), "iss", iss)));
    assert_eq!(check(json!("someone")), Err(TokenError::UnknownIssuer));
    assert_eq!(check(json!("Ringwire")), Err(TokenError::UnknownIssuer));
    assert_eq!(check(Value::Null), Err(TokenError::BadClaim("iss")));
}

#[test]
fn a1_typ_and_crit_cannot_smuggle_another_kind_of_token() {
    let key = EncodingKey::from_secret(OWN_SECRET);
    let check = |header: Value| verify_own(&sign_raw(&header, &own_claims(), &key));
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        assert_eq!(check(json!({"alg": "HS256", "typ": typ})), Ok(known(7)), "{typ}");
    }
    assert_eq!(check(json!({"alg": "HS256"})), Ok(known(7)));
    assert_eq!(check(json!({"alg": "HS256", "typ": "dpop+jwt"})), Err(TokenError::WrongType));
    assert_eq!(check(json!({"alg": "HS256", "crit": ["b64"]})), Err(TokenError::WrongType));
}

#[test]
fn a1_alg_none_is_refused_with_and_without_signature() {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "NONE", "", "HS384", "HS512", "ES256", "hs256"] {
        let signed = format!("{}.{}", part(json!({"alg": alg})), part(own_claims()));
        for token in [format!("{signed}."), format!("{signed}.AAAA")] {
            assert_eq!(verify_own(&token), Err(TokenError::WrongAlgorithm), "{alg}");
        }
    }
}

#[test]
fn a1_a_changed_or_foreign_signature_is_refused() {
    let token = sign_own(&own_claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for index in 0..bytes.len() {
        bytes[index] ^= 1;
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bytes));
        assert_eq!(verify_own(&forged), Err(TokenError::BadSignature));
        bytes[index] ^= 1;
    }
    assert_eq!(verify_own(&format!("{signed}.")), Err(TokenError::BadSignature));
    let foreign = EncodingKey::from_secret(PARTNER_SECRET);
    let token = sign(Algorithm::HS256, &own_claims(), &foreign);
    assert_eq!(verify_own(&token), Err(TokenError::BadSignature));
    let other = sign_own(&with(own_claims(), "uid", json!(1)));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(verify_own(&swapped), Err(TokenError::BadSignature));
}

#[test]
fn a1_truncated_and_huge_tokens_are_refused() {
    let token = sign_own(&own_claims());
    for length in 0..token.len() {
        assert!(verify_own(&token[..length]).is_err(), "{length}");
    }
    assert!(verify_own(&format!("{token}.x")).is_err());
    assert!(verify_own(&format!("{token}=")).is_err());
    let huge = "a".repeat(MAX_TOKEN_BYTES + 1);
    assert_eq!(verify_own(&huge), Err(TokenError::TooLong));
    assert_eq!(verify_own(&".".repeat(MAX_TOKEN_BYTES)), Err(TokenError::Malformed));
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(3000));
    assert_eq!(verify_own(&format!("{deep}.{deep}.AA")), Err(TokenError::Malformed));
}

#[test]
fn a1_uid_has_to_be_an_id_and_sub_a_name() {
    let check = |name, value| verify_own(&sign_own(&with(own_claims(), name, value)));
    assert_eq!(check("uid", json!("9007199254740991")), Ok(known(9_007_199_254_740_991)));
    for uid in [json!(0), json!(9_007_199_254_740_992_u64), json!("0"), json!("x")] {
        assert_eq!(check("uid", uid), Err(TokenError::BadClaim("uid")));
    }
    assert_eq!(check("uid", json!(-1)), Err(TokenError::Malformed));
    assert_eq!(check("uid", Value::Null), Ok(external("ringwire", "7")));
    let nameless = with(own_claims(), "uid", Value::Null);
    for sub in [Value::Null, json!(""), json!("a\nb"), json!("x".repeat(256))] {
        let token = sign_own(&with(nameless.clone(), "sub", sub));
        assert_eq!(verify_own(&token), Err(TokenError::BadClaim("sub")));
    }
}

#[test]
fn a1_a_claim_given_twice_is_refused() {
    let claims = own_claims().to_string().replacen('{', "{\"uid\":1,", 1);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(OWN_SECRET);
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_eq!(verify_own(&format!("{signed}.{signature}")), Err(TokenError::Malformed));
}

/// A verifier that trusts three other issuers, and the keys these sign with.
struct Partners {
    verifier: TokenVerifier,
    ed25519: EncodingKey,
    rsa: EncodingKey,
    /// What an attacker knows of the RSA key.
    rsa_public_pem: Vec<u8>,
    _folder: tempfile::TempDir,
}

fn write_pem(path: &Path, der: &[u8]) -> Vec<u8> {
    let body = STANDARD.encode(der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    fs::write(path, &pem).unwrap();
    pem.into_bytes()
}

fn private_pem(pkcs8: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8))
}

fn partners() -> Partners {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);

    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let public: PublicKeyX509Der<'_> = ed25519.public_key().as_der().unwrap();
    write_pem(&path("ed.pem"), public.as_ref());
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
    let rsa_public_pem = write_pem(&path("rsa.pem"), public.as_ref());
    fs::write(path("hs.key"), PARTNER_SECRET).unwrap();
    fs::set_permissions(path("hs.key"), fs::Permissions::from_mode(0o600)).unwrap();

    let trusted = |issuer: &str, algorithm, file: &str, kid: Option<&str>| TrustedKey {
        issuer: issuer.to_owned(),
        algorithm,
        key_file: path(file),
        audience: None,
        kid: kid.map(str::to_owned),
    };
    let mut config = config();
    config.trusted_keys = vec![
        trusted("https://ed.example", TokenAlgorithm::EdDsa, "ed.pem", Some("2026")),
        trusted("https://rsa.example", TokenAlgorithm::Rs256, "rsa.pem", None),
        trusted("https://hs.example", TokenAlgorithm::Hs256, "hs.key", None),
    ];
    config.trusted_keys[2].audience = Some("partner-chat".to_owned());
    let rsa_pkcs8: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let rsa_pem = private_pem(rsa_pkcs8.as_ref());
    Partners {
        verifier: TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config).unwrap(),
        ed25519: EncodingKey::from_ed_der(ed25519.to_pkcs8().unwrap().as_ref()),
        rsa: EncodingKey::from_rsa_pem(rsa_pem.as_bytes()).unwrap(),
        rsa_public_pem,
        _folder: folder,
    }
}

fn partner_claims(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": "ringwire", "sub": "ann|1", "exp": NOW_S + 60, "uid": 1})
}

#[test]
fn a1_trusted_issuers_enter_under_their_own_names_and_uid_means_nothing_from_them() {
    let Partners { verifier, ed25519, rsa, .. } = partners();
    let user = |token: &str| verifier.verify(token, NOW_MS).map(|identity| identity.user);

    let rsa_token = sign(Algorithm::RS256, &partner_claims("https://rsa.example"), &rsa);
    assert_eq!(user(&rsa_token), Ok(external("https://rsa.example", "ann|1")));

    let mut header = Header::new(Algorithm::EdDSA);
    let claims = with(partner_claims("https://ed.example"), "name", json!("Ann"));
    assert_eq!(user(&encode(&header, &claims, &ed25519).unwrap()), Err(TokenError::NamesNoKey));
    header.kid = Some("2025".to_owned());
    assert_eq!(user(&encode(&header, &claims, &ed25519).unwrap()), Err(TokenError::UnknownKey));
    header.kid = Some("2026".to_owned());
    let identity = verifier.verify(&encode(&header, &claims, &ed25519).unwrap(), NOW_MS).unwrap();
    assert_eq!(identity.user, external("https://ed.example", "ann|1"));
    assert_eq!(identity.name_hint.as_deref(), Some("Ann"));
    let claims = with(claims, "name", json!("Ann \u{7} Smith"));
    let identity = verifier.verify(&encode(&header, &claims, &ed25519).unwrap(), NOW_MS).unwrap();
    assert_eq!(identity.name_hint, None, "no user name here");

    let secret = EncodingKey::from_secret(PARTNER_SECRET);
    let claims = partner_claims("https://hs.example");
    assert_eq!(user(&sign(Algorithm::HS256, &claims, &secret)), Err(TokenError::WrongAudience));
    let claims = with(claims, "aud", json!("partner-chat"));
    assert_eq!(
        user(&sign(Algorithm::HS256, &claims, &secret)),
        Ok(external("https://hs.example", "ann|1"))
    );
}

#[test]
fn a1_a_public_key_is_no_shared_secret_and_keys_do_not_cross_issuers() {
    let Partners { verifier, rsa, rsa_public_pem, .. } = partners();
    let refusal = |token: &str| verifier.verify(token, NOW_MS).unwrap_err();
    let claims = partner_claims("https://rsa.example");

    // The classic confusion: HMAC with the public key as its secret.
    let public = EncodingKey::from_secret(&rsa_public_pem);
    assert_eq!(refusal(&sign(Algorithm::HS256, &claims, &public)), TokenError::WrongAlgorithm);
    // One issuer's key in the name of another, and in ours.
    let secret = EncodingKey::from_secret(PARTNER_SECRET);
    assert_eq!(refusal(&sign(Algorithm::HS256, &claims, &secret)), TokenError::WrongAlgorithm);
    let own = own_claims();
    assert_eq!(refusal(&sign(Algorithm::HS256, &own, &secret)), TokenError::BadSignature);
    assert_eq!(refusal(&sign(Algorithm::RS256, &own, &rsa)), TokenError::WrongAlgorithm);
    let hs = with(partner_claims("https://hs.example"), "aud", json!("partner-chat"));
    assert_eq!(refusal(&sign_own(&hs)), TokenError::BadSignature);
}

#[test]
fn a2_neither_keys_nor_tokens_show_in_debug_or_errors() {
    let secret = std::str::from_utf8(OWN_SECRET).unwrap();
    let minter = TokenMinter::new(&SecretKey::new(OWN_SECRET.to_vec()), &config());
    let minted = minter.mint(UserId::new(1).unwrap(), None, None, None, NOW_MS).unwrap();
    let shown = format!("{minter:?} {minted:?} {:?}", own_verifier());
    assert!(!shown.contains(secret) && !shown.contains(&minted.token), "{shown}");
}

fn write_private(path: &Path, secret: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, secret).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a3_own_tokens_tell_their_login_and_those_of_others_cannot() {
    let minter = TokenMinter::new(&SecretKey::new(OWN_SECRET.to_vec()), &config());
    let login = [0xab; 16];
    let minted = minter.mint(UserId::new(1).unwrap(), None, Some(login), None, NOW_MS).unwrap();
    let identity = own_verifier().verify(&minted.token, NOW_MS).unwrap();
    assert_eq!(identity.login, Some(login));
    for bad in ["", "ab", "zz", &"+".repeat(32), &"a".repeat(33)] {
        let bad = sign_own(&with(own_claims(), "sid", json!(bad)));
        assert_eq!(verify_own(&bad), Err(TokenError::BadClaim("sid")));
    }
}

#[test]
fn a3_a_key_that_has_been_replaced_verifies_until_it_is_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.secret");
    write_private(&old, OWN_SECRET);
    let new = SecretKey::new(b"a new key of this server, 32 bytes or more".to_vec());
    let with_old = AuthConfig { previous_secret_files: vec![old.clone()], ..config() };
    let verifier = TokenVerifier::new(&new, &with_old).unwrap();
    let of_old = sign_own(&own_claims());
    let of_new = TokenMinter::new(&new, &config());
    let of_new = of_new.mint(UserId::new(8).unwrap(), None, None, None, NOW_MS).unwrap().token;
    let check = |token: &str| verifier.verify(token, NOW_MS).map(|identity| identity.user);
    assert_eq!((check(&of_old), check(&of_new)), (Ok(known(7)), Ok(known(8))));
    let forged = sign(
        Algorithm::HS256,
        &own_claims(),
        &EncodingKey::from_secret(b"neither this one nor that one, surely"),
    );
    assert_eq!(check(&forged), Err(TokenError::BadSignature));

    fs::remove_file(&old).unwrap();
    assert!(verifier.reload(&with_old).is_err());
    assert_eq!(check(&of_old), Ok(known(7)), "an error changes nothing");
    verifier.reload(&config()).unwrap();
    assert_eq!(check(&of_old), Err(TokenError::BadSignature));
    assert_eq!(check(&of_new), Ok(known(8)));
}

#[test]
fn a3_the_next_refresh_token_follows_from_the_used_one_and_the_key() {
    let minter = RefreshMinter::new(&SecretKey::new(OWN_SECRET.to_vec()), &config());
    let (first, login) = minter.first().unwrap();
    let (other, other_login) = minter.first().unwrap();
    assert!(first != other && login != other_login);
    let next = minter.next(&first);
    assert_eq!(minter.next(&RefreshToken::parse(first.expose()).unwrap()), next);
    assert!(next != first && next.hash() != first.hash());
    let elsewhere = RefreshMinter::new(&SecretKey::new(PARTNER_SECRET.to_vec()), &config());
    assert_ne!(elsewhere.next(&first), next);
    assert_eq!(minter.expires_at(5), 5 + 7_200_000);
    assert!(!format!("{first:?}{minter:?}").contains(first.expose()));
    for bad in ["", "short", &"=".repeat(43), &"a".repeat(44)] {
        assert_eq!(RefreshToken::parse(bad), None);
    }
}
