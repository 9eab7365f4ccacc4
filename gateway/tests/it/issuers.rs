//! A1, A3: tokens of issuers that publish their keys, while these change, go and come back.

use std::thread;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::support::client::{Client, Upgrade};
use crate::support::endpoint::Endpoint;
use crate::support::http::get_as;
use crate::support::server::{ServerProcess, Setup};
use crate::support::{ENCODINGS, token};

const ISSUER: &str = "https://login.example";

/// A key of the issuer.
struct Key {
    kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        Self { kid, pair: Ed25519KeyPair::generate().expect("a key") }
    }

    fn published(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "alg": "EdDSA", "x": x})
    }

    fn token(&self, subject: &str) -> String {
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = self.pair.as_der().expect("a private key");
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.to_owned());
        let claims = json!({
            "iss": ISSUER, "aud": "ringwire", "sub": subject, "exp": token::now_s() + 600,
        });
        encode(&header, &claims, &EncodingKey::from_ed_der(der.as_ref())).expect("a token")
    }
}

fn set(keys: &[&Key]) -> String {
    json!({"keys": keys.iter().map(|key| key.published()).collect::<Vec<_>>()}).to_string()
}

/// Whether a session opens.
fn lets_in(server: &ServerProcess, token: &str) -> bool {
    let upgrade = Upgrade::encoding(ENCODINGS[0]).bearer(token);
    match Client::upgrade(server.address(), &upgrade, ENCODINGS[0]) {
        Ok(mut client) => client.connect(wire::Connect::default()).is_ok(),
        Err(_) => false,
    }
}

fn until_let_in(server: &ServerProcess, token: &str) {
    while !lets_in(server, token) {
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a3_published_keys_change_and_an_outage_changes_nothing() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let issuer = Endpoint::start(503, "");
    // It is away when the server starts, which does not wait for it.
    let server = Setup::new()
        .config(&format!(
            "[[auth.issuers]]\nissuer = {ISSUER:?}\njwks_url = {:?}\nrefresh_s = 86400",
            issuer.url("/jwks.json")
        ))
        .start();
    assert!(!lets_in(&server, &old.token("ann")));
    assert!(lets_in(&server, &server.token(1)), "own tokens do not need it");
    issuer.answer(200, &set(&[&old]));
    until_let_in(&server, &old.token("ann"));
    assert_eq!(get_as(server.address(), &old.token("ann"), "/api/v1/account").status, 200);
    assert!(!lets_in(&server, &Key::new("old").token("ann")), "another key under the same name");

    // Rotation: a token with the new key has it asked for, long before its time.
    issuer.answer(200, &set(&[&old, &new]));
    until_let_in(&server, &new.token("ann"));
    let carl = get_as(server.address(), &old.token("carl"), "/api/v1/account");
    assert_eq!(carl.status, 200, "known over HTTP first: {carl:?}");
    assert!(lets_in(&server, &old.token("bob")));

    // Outage, and nonsense: the last good keys stay. Unknown keys have it asked no more often than every 30 s.
    issuer.answer(200, "{\"keys\": []}");
    let asked = issuer.count();
    for _ in 0..20 {
        assert!(!lets_in(&server, &Key::new("strange").token("eve")));
    }
    assert!(issuer.count() <= asked + 2, "{} requests", issuer.count() - asked);
    assert!(lets_in(&server, &new.token("ann")) && lets_in(&server, &old.token("bob")));
}

#[test]
fn a3_keys_in_a_file_are_read_again_when_told() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, set(&[&old])).expect("a set of keys");
    let lines = format!(
        "[[auth.issuers]]\nissuer = {ISSUER:?}\njwks_file = {:?}\nalgorithms = [\"EdDSA\"]",
        path.display().to_string()
    );
    let server = Setup::new().config(&lines).start();
    assert!(lets_in(&server, &old.token("ann")));
    assert!(!lets_in(&server, &new.token("ann")));
    std::fs::write(&path, "nonsense").expect("no set of keys");
    server.reload();
    while !server.log().contains("stay as they were") {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(lets_in(&server, &old.token("ann")), "an error changes nothing");
    std::fs::write(&path, set(&[&new])).expect("a set of keys");
    server.reload();
    until_let_in(&server, &new.token("ann"));
    assert!(!lets_in(&server, &old.token("ann")), "a key taken out lets nobody in");
}
