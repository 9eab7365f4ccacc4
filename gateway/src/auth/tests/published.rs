//! Promise A1 for issuers that publish their keys (JWKS, RFC 7517).

use super::*;

/// One key of each kind, as an issuer publishes them, and what signs with them.
struct Published {
    jwks: Value,
    rsa: EncodingKey,
    ec: EncodingKey,
    ed25519: EncodingKey,
}

fn published() -> Published {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa_private: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    // DER of two numbers: 9 bytes, 256 bytes of the first, 2 bytes, 3 bytes of the second.
    let numbers = rsa.public_key().as_ref();
    assert_eq!(numbers.len(), 9 + 256 + 2 + 3);
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec_pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref()).unwrap();
    let point = ec_pair.public_key().as_ref();
    let ed = Ed25519KeyPair::generate().unwrap();
    let ed_private: Pkcs8V1Der<'_> = ed.as_der().unwrap();
    let jwks = json!({"keys": [
        {"kty": "RSA", "kid": "r", "use": "sig", "n": text(&numbers[9..265]), "e": text(&numbers[267..])},
        {"kty": "EC", "kid": "e", "crv": "P-256", "alg": "ES256", "x": text(&point[1..33]), "y": text(&point[33..])},
        {"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": text(ed.public_key().as_ref())},
        {"kty": "oct", "kid": "h", "alg": "HS256", "k": text(PARTNER_SECRET)},
        {"kty": "new", "kid": "n"},
    ]});
    Published {
        jwks,
        rsa: EncodingKey::from_rsa_pem(private_pem(rsa_private.as_ref()).as_bytes()).unwrap(),
        ec: EncodingKey::from_ec_der(ec.as_ref()),
        ed25519: EncodingKey::from_ed_der(ed_private.as_ref()),
    }
}

const PUBLISHER: &str = "https://keys.example";

fn with_issuer(change: impl FnOnce(&mut IssuerConfig)) -> AuthConfig {
    let mut issuer = IssuerConfig {
        issuer: PUBLISHER.to_owned(),
        audience: None,
        source: JwksSource::Url { url: String::new(), refresh: Duration::from_secs(1) },
        algorithms: vec![TokenAlgorithm::Rs256, TokenAlgorithm::Es256, TokenAlgorithm::EdDsa],
        claims: ClaimNames::default(),
    };
    change(&mut issuer);
    AuthConfig { issuers: vec![issuer], ..config() }
}

fn with_kid(kid: &str, algorithm: Algorithm, claims: &Value, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    encode(&header, claims, key).unwrap()
}

#[test]
fn a1_published_keys_verify_each_with_its_one_algorithm() {
    let keys = published();
    let config = with_issuer(|_| {});
    let verifier = TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config).unwrap();
    let check = |token: &str| verifier.verify(token, NOW_MS).map(|identity| identity.user);
    let claims = partner_claims(PUBLISHER);
    let good = [
        with_kid("r", Algorithm::RS256, &claims, &keys.rsa),
        with_kid("e", Algorithm::ES256, &claims, &keys.ec),
        with_kid("d", Algorithm::EdDSA, &claims, &keys.ed25519),
    ];
    for token in &good {
        assert_eq!(check(token), Err(TokenError::UnknownKey), "not fetched yet");
    }
    assert!(verifier.take_wanted(0) && !verifier.take_wanted(0), "but asked for");
    verifier.publish(&config, 0, keys.jwks.to_string().as_bytes()).unwrap();
    for token in &good {
        assert_eq!(check(token), Ok(external(PUBLISHER, "ann|1")));
    }
    // The classic confusions: HMAC with what everybody can read, another kind of key, another hash.
    let x = keys.jwks["keys"][2]["x"].as_str().unwrap().to_owned();
    for secret in [x.clone().into_bytes(), URL_SAFE_NO_PAD.decode(&x).unwrap()] {
        let forged = with_kid("d", Algorithm::HS256, &claims, &EncodingKey::from_secret(&secret));
        assert_eq!(check(&forged), Err(TokenError::WrongAlgorithm));
    }
    let shared = EncodingKey::from_secret(PARTNER_SECRET);
    let forged = with_kid("h", Algorithm::HS256, &claims, &shared);
    assert_eq!(check(&forged), Err(TokenError::UnknownKey), "a published secret is none");
    assert!(verifier.take_wanted(0));
    let crossed = with_kid("d", Algorithm::RS256, &claims, &keys.rsa);
    assert_eq!(check(&crossed), Err(TokenError::WrongAlgorithm));
    let hash = with_kid("r", Algorithm::RS512, &claims, &keys.rsa);
    assert_eq!(check(&hash), Err(TokenError::WrongAlgorithm));
    let other = with_kid("r", Algorithm::RS256, &claims, &published().rsa);
    assert_eq!(check(&other), Err(TokenError::BadSignature));
    // In nobody else's name, and to no other audience.
    let own = with_kid("d", Algorithm::EdDSA, &own_claims(), &keys.ed25519);
    assert_eq!(check(&own), Err(TokenError::WrongAlgorithm));
    let elsewhere = with(claims.clone(), "aud", json!("shop"));
    let elsewhere = with_kid("d", Algorithm::EdDSA, &elsewhere, &keys.ed25519);
    assert_eq!(check(&elsewhere), Err(TokenError::WrongAudience));
    assert!(!verifier.take_wanted(0), "keys would not explain these");
}

#[test]
fn a1_a_set_that_cannot_be_used_changes_nothing() {
    let keys = published();
    let config = with_issuer(|issuer| issuer.algorithms = vec![TokenAlgorithm::EdDsa]);
    let verifier = TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config).unwrap();
    let publish = |set: &str| verifier.publish(&config, 0, set.as_bytes());
    publish(&keys.jwks.to_string()).unwrap();
    let claims = partner_claims(PUBLISHER);
    let token = with_kid("d", Algorithm::EdDSA, &claims, &keys.ed25519);
    let check = |token: &str| verifier.verify(token, NOW_MS).map(|identity| identity.user);
    let rsa = with_kid("r", Algorithm::RS256, &claims, &keys.rsa);
    assert_eq!(check(&rsa), Err(TokenError::UnknownKey), "not one of the algorithms");
    let mut encrypts = keys.jwks["keys"][2].clone();
    encrypts["use"] = json!("enc");
    let mut derives = keys.jwks["keys"][2].clone();
    derives["key_ops"] = json!(["deriveBits"]);
    let many: Vec<Value> = vec![keys.jwks["keys"][2].clone(); 101];
    for bad in [
        String::new(),
        "nonsense".to_owned(),
        json!({"keys": []}).to_string(),
        json!({"keys": {}}).to_string(),
        json!({"keys": [keys.jwks["keys"][0]]}).to_string(),
        json!({"keys": [encrypts, derives]}).to_string(),
        json!({"keys": many}).to_string(),
        json!({"keys": [keys.jwks["keys"][2]], "more": "x".repeat(MAX_JWKS_BYTES)}).to_string(),
    ] {
        let shown: String = bad.chars().take(100).collect();
        assert!(publish(&bad).is_err(), "{shown}");
        assert_eq!(check(&token), Ok(external(PUBLISHER, "ann|1")), "{shown}");
    }
    // Reading the other keys again leaves what was fetched.
    verifier.reload(&config).unwrap();
    assert_eq!(check(&token), Ok(external(PUBLISHER, "ann|1")));
}

#[test]
fn a1_a_published_key_without_kid_is_tried_for_every_token_of_its_issuer() {
    let (keys, other) = (published(), published());
    let config = with_issuer(|_| {});
    let verifier = TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config).unwrap();
    let check = |token: &str| verifier.verify(token, NOW_MS).map(|identity| identity.user);
    let unnamed = |published: &Published| {
        let mut key = published.jwks["keys"][2].clone();
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    let claims = partner_claims(PUBLISHER);
    let without = |key| encode(&Header::new(Algorithm::EdDSA), &claims, key).unwrap();
    let publish = |set: Value| {
        verifier.publish(&config, 0, json!({"keys": set}).to_string().as_bytes()).unwrap();
    };
    let good = Ok(external(PUBLISHER, "ann|1"));

    publish(json!([unnamed(&keys)]));
    assert_eq!(check(&without(&keys.ed25519)), good);
    assert_eq!(check(&with_kid("any", Algorithm::EdDSA, &claims, &keys.ed25519)), good);
    assert_eq!(check(&without(&other.ed25519)), Err(TokenError::BadSignature));

    // While one takes over from another, both have none.
    publish(json!([unnamed(&other), unnamed(&keys)]));
    assert_eq!(check(&without(&keys.ed25519)), good);
    assert_eq!(check(&without(&other.ed25519)), good);

    // A key with a name is for tokens that name it.
    publish(json!([keys.jwks["keys"][2]]));
    assert_eq!(check(&without(&keys.ed25519)), Err(TokenError::NamesNoKey));
}

#[test]
fn a1_claims_may_have_other_names() {
    let keys = published();
    let named = ClaimNames { subject: Some("oid".into()), username: Some("nick".into()) };
    let config = with_issuer(|issuer| {
        issuer.claims = named;
        issuer.audience = Some("chat".to_owned());
    });
    let verifier = TokenVerifier::new(&SecretKey::new(OWN_SECRET.to_vec()), &config).unwrap();
    verifier.publish(&config, 0, keys.jwks.to_string().as_bytes()).unwrap();
    let check = |claims: &Value| {
        let token = with_kid("d", Algorithm::EdDSA, claims, &keys.ed25519);
        verifier.verify(&token, NOW_MS).map(|identity| (identity.user, identity.name_hint))
    };
    let claims = with(partner_claims(PUBLISHER), "aud", json!("chat"));
    let claims = with(claims, "preferred_username", json!("not-this"));
    assert_eq!(check(&claims), Err(TokenError::BadClaim("sub")), "the usual name does not count");
    let claims = with(claims, "oid", json!("o-1"));
    assert_eq!(check(&claims), Ok((external(PUBLISHER, "o-1"), None)));
    let claims = with(claims, "nick", json!("Ann"));
    assert_eq!(check(&claims).unwrap().1.as_deref(), Some("Ann"));
    for bad in [json!(7), json!(["o-1"]), json!(""), json!("x".repeat(256))] {
        assert_eq!(check(&with(claims.clone(), "oid", bad)), Err(TokenError::BadClaim("sub")));
    }
}
