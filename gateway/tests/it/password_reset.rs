//! Forgotten passwords: the token goes to the mailer and nowhere else, and is good once.

use aws_lc_rs::hmac;
use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::support::ENCODINGS;
use crate::support::client::{Client, Upgrade};
use crate::support::endpoint::{Asked, Endpoint};
use crate::support::http::{Answer, post};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;

const RESET: &str = "/api/v1/auth/password-reset";
const CONFIRM: &str = "/api/v1/auth/password-reset/confirm";
const SECRET: &str = "canary of a secret, shared with the mailer";
const OLD: &str = "correct horse battery staple";
const NEW: &str = "canary of another horse";

/// The file with the secret that is shared with the mailer.
pub(crate) fn secret_file(folder: &std::path::Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.join("mailer.secret");
    std::fs::write(&file, SECRET).expect("a secret");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))
        .expect("a private file");
    file.display().to_string()
}

fn with_mailer(mailer: &Endpoint, folder: &std::path::Path) -> Setup {
    Setup::new().config(&format!(
        "[auth]\npassword_reset_url = {:?}\npassword_reset_secret_file = {:?}",
        mailer.url("/mail"),
        secret_file(folder)
    ))
}

fn register(server: &ServerProcess, name: &str) -> Value {
    let body = json!({"username": name, "email": format!("{name}@example.org"), "password": OLD});
    let answer = post(server.address(), "/api/v1/auth/register", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn login(server: &ServerProcess, name: &str, password: &str) -> u16 {
    let body = json!({"username": name, "password": password});
    post(server.address(), "/api/v1/auth/login", &body).status
}

fn confirm(server: &ServerProcess, token: &str, password: &str) -> Answer {
    post(server.address(), CONFIRM, &json!({"token": token, "password": password}))
}

/// The mail, once its signature is looked at.
fn mail(asked: &Asked) -> Value {
    let signature = asked.header("x-ringwire-signature").expect("a signature");
    let (time, tag) = signature.split_once(",v1=").expect("a time and a tag");
    let signed = format!("{}.{}", time.strip_prefix("t=").expect("a time"), asked.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let bytes = (0..tag.len()).step_by(2).map(|at| u8::from_str_radix(&tag[at..at + 2], 16));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().expect("hexadecimal digits");
    hmac::verify(&key, signed.as_bytes(), &bytes).expect("the right tag");
    serde_json::from_str(&asked.body).expect("JSON")
}

#[test]
fn p1_a_forgotten_password_is_replaced_by_means_of_the_mailer() {
    for database in Database::both() {
        let folder = tempfile::tempdir().expect("a folder");
        let mailer = Endpoint::start(200, "");
        let setup = with_mailer(&mailer, folder.path()).database(database);
        let mut server = setup.variable("RINGWIRE_LOG", "trace").start();
        let ann = register(&server, "ann");
        let token = ann["token"].as_str().expect("a token");
        let upgrade = Upgrade::encoding(ENCODINGS[0]).bearer(token);
        let mut session =
            Client::upgrade(server.address(), &upgrade, ENCODINGS[0]).expect("a WebSocket");
        session.connect(wire::Connect::default()).expect("a session");

        // Whoever it is, the answer is the same.
        let answers = [json!({"username": "nobody"}), json!({"email": "ANN@example.org"})]
            .map(|who| post(server.address(), RESET, &who));
        for answer in &answers {
            assert_eq!((answer.status, &*answer.body), (202, "{}"), "{answer:?}");
        }
        let asked = mailer.asked(0);
        let mail = mail(&asked);
        assert_eq!((&mail["event"], &mail["username"]), (&json!("password_reset"), &json!("ann")));
        assert_eq!(mail["email"], "ann@example.org");
        let reset = mail["token"].as_str().expect("a token").to_owned();

        for bad in ["", "nonsense", &"a".repeat(43)] {
            assert_eq!(confirm(&server, bad, NEW).status, 401, "{bad}");
        }
        assert_eq!(confirm(&server, &reset, "short").status, 400);
        assert_eq!(login(&server, "ann", OLD), 200, "nothing has changed yet");
        assert_eq!(confirm(&server, &reset, NEW).status, 204);
        assert_eq!(session.close_code(), Some(4006));
        assert_eq!((login(&server, "ann", OLD), login(&server, "ann", NEW)), (401, 200));
        assert_eq!(confirm(&server, &reset, OLD).status, 401, "good once");
        assert_eq!(mailer.count(), 1, "nobody gets no mail");

        // A2: not in the most talkative log.
        server.terminate();
        assert!(server.wait().success());
        let log = server.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "not talkative");
        for secret in [&*reset, SECRET, NEW, OLD] {
            assert!(!log.contains(secret), "the log holds {secret:?}");
        }
    }
}

#[test]
fn p1_a_mailer_that_is_away_is_asked_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mailer = Endpoint::start(503, "");
    let server = with_mailer(&mailer, folder.path()).start();
    register(&server, "ann");
    assert_eq!(post(server.address(), RESET, &json!({"username": "ann"})).status, 202);
    let first = mailer.asked(0);
    mailer.answer(200, "");
    let second = mailer.asked(1);
    assert_eq!((mail(&first), &first.body), (mail(&second), &second.body));
    assert_eq!(first.header("x-ringwire-id"), second.header("x-ringwire-id"));
    // Mails to one name are few, to nobody's too.
    for (name, expected) in [("ann", [202, 202, 429]), ("nobody", [202, 202, 202])] {
        let asked =
            [(); 3].map(|()| post(server.address(), RESET, &json!({"username": name})).status);
        assert_eq!(asked, expected, "{name}");
    }
    assert_eq!(post(server.address(), RESET, &json!({"username": "nobody"})).status, 429);
    assert_eq!(post(server.address(), RESET, &json!({})).status, 400);
}

#[test]
fn p1_without_a_mailer_the_console_makes_tokens() {
    for database in Database::both() {
        let mut server = Setup::new().database(database).start();
        let ann = register(&server, "ann");
        let refused = post(server.address(), RESET, &json!({"username": "ann"}));
        assert_eq!(refused.json()["error"]["name"], "NOT_SUPPORTED");
        let id = ann["user"]["user_id"].as_str().expect("an id");
        // On Postgres beside the server as well; the embedded database is one process's.
        server.terminate();
        assert!(server.wait().success());
        let output = server.tool(&["user", "reset-password", "--user", id]);
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).expect("text");
        let nobody = server.tool(&["user", "reset-password", "--user", "9999"]);
        assert!(!nobody.status.success() && nobody.stdout.is_empty(), "{nobody:?}");
        server.restart();
        assert_eq!(confirm(&server, token.trim(), NEW).status, 204);
        assert_eq!(login(&server, "ann", NEW), 200);
    }
}
