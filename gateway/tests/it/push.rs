//! Notifications to the devices of members who are away, to services that are played.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::wire;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::support::chat::id_of;
use crate::support::client::Client;
use crate::support::http::{Answer, ask_as, get, get_as, give_as};
use crate::support::mock::{Mock, Received, TAKEN};
use crate::support::server::{ServerProcess, Setup};
use crate::support::store::Database;
use crate::{admin, dashboard};

const SECRET: &str = "a secret of the tests";

/// A server that notifies by a webhook, after so long.
fn by_webhook(mock: &Mock, delay_ms: u32) -> Setup {
    Setup::new().config(&format!(
        "[push]\nwebhook_url = \"{}\"\nwebhook_secrets = [\"{SECRET}\"]\ndelay_ms = {delay_ms}",
        mock.url("/notify")
    ))
}

/// A device of user 2, which is there.
fn ben(server: &ServerProcess) -> Client {
    let connect = wire::Connect { device_id: "phone".to_owned(), ..Default::default() };
    Client::session_with(server, 2, Encoding::Json, connect).0
}

fn put(server: &ServerProcess, user: u64, path: &str, body: &Value) -> Answer {
    give_as(server.address(), &server.token(user), "PUT", path, &[], body)
}

/// Has that device pushed.
fn push_to(server: &ServerProcess, body: &Value) {
    let answer = put(server, 2, "/api/v1/devices/phone/push", body);
    assert_eq!(answer.status, 204, "{answer:?}");
}

fn notify(server: &ServerProcess, conversation: u64, body: &Value) {
    let path = format!("/api/v1/conversations/{conversation}/notifications");
    let answer = put(server, 2, &path, body);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What a notification by webhook says.
fn said(received: &Received) -> String {
    received.json()["notification"]["text"].as_str().expect("a text").to_owned()
}

/// As if the delay of all that waits had passed.
fn hurry(server: &ServerProcess) -> usize {
    server.change_sqlite("UPDATE push_outbox SET next_try_at = 0")
}

#[test]
fn who_is_away_is_notified_by_a_signed_webhook() {
    for database in Database::both() {
        let mock = Mock::start(|_| TAKEN);
        let server = by_webhook(&mock, 0).database(database).start();
        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let ben = ben(&server);
        let id = id_of(&anna.open_direct(2));
        push_to(&server, &json!({ "kind": "webhook", "token": "phone-of-ben" }));
        ben.close();

        anna.say(id, "a", "hi  there");
        let first = mock.await_requests(1).remove(0);
        first.assert_signed(SECRET);
        assert_eq!(first.path, "/notify");
        assert!(!first.header("x-ringwire-id").is_empty());
        let body = first.json();
        assert_eq!(body["token"], "phone-of-ben");
        assert_eq!((&body["user_id"], &body["device_id"]), (&json!("2"), &json!("phone")));
        let told = &body["notification"];
        assert_eq!((&told["title"], &told["text"]), (&json!("user-1"), &json!("hi there")));
        assert_eq!((&told["unread"], &told["seq"]), (&json!(1), &json!("2")));
        assert_eq!(told["conversation_id"], id.to_string());

        // What is muted is never told, so the next that comes is the one after.
        notify(&server, id, &json!({ "level": "none" }));
        anna.say(id, "b", "quiet");
        notify(
            &server,
            id,
            &json!({ "level": "mentions", "muted_until": 9_007_199_254_740_991_u64 }),
        );
        anna.say(id, "c", "muted");
        notify(&server, id, &json!({ "level": "all", "muted_until": "0" }));
        anna.say(id, "d", "loud");
        let all = mock.await_where(1, |received| said(received) == "loud");
        assert_eq!(all[0].json()["notification"]["seq"], "5");
    }
}

#[test]
fn operators_see_what_became_of_notifications() {
    for database in Database::both() {
        let mock = Mock::start(|_| TAKEN);
        let mut server = by_webhook(&mock, 0).database(database).start();
        let browser = Chromium::start();
        let password = admin::create(&mut server, "root", "admin");
        let page = dashboard::log_in(&browser, &server, "root", &password);
        let row = "[...document.querySelectorAll('#outgoing tbody td')].map(cell => cell.textContent).join()";
        page.wait_for("the one way", &format!("{row} === 'devices,webhook,0,0,0'"));

        let mut anna = Client::session(&server, 1, Encoding::Protobuf);
        let ben = ben(&server);
        let id = id_of(&anna.open_direct(2));
        push_to(&server, &json!({ "kind": "webhook", "token": "phone-of-ben" }));
        ben.close();
        anna.say(id, "a", "hi there");
        page.wait_for("a delivery", &format!("{row} === 'devices,webhook,1,0,0'"));
        page.screenshot("dashboard-outgoing");
        let note = "document.querySelector('#outgoing-note').textContent.startsWith('Waiting: ')";
        page.wait_for("what waits", note);
        browser.assert_no_problems();
    }
}

#[test]
fn what_was_got_is_not_notified_and_what_was_taken_back_neither() {
    let mock = Mock::start(|_| TAKEN);
    let server = by_webhook(&mock, 600_000).start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let mut ben = ben(&server);
    push_to(&server, &json!({ "kind": "webhook", "token": "t" }));
    let [got, recalled, missed] = [(); 3].map(|()| anna.create_group(&[2]));
    let seq = anna.say(got, "a", "got").seq;
    let target_seq = anna.say(recalled, "b", "taken back").seq;
    ben.read_up_to(got, seq);
    // Writes the cursors that are still to be written.
    ben.head(got);
    ben.close();
    let recall = wire::Recall { conversation_id: recalled, target_seq, ..Default::default() };
    anna.call(wire::command::Op::Recall(recall)).expect("taken back");
    anna.say(missed, "c", "missed");
    assert_eq!(hurry(&server), 2);
    assert_eq!(said(&mock.await_requests(1)[0]), "missed");
    // It would have come before this one.
    anna.say(missed, "d", "and more");
    hurry(&server);
    let all: Vec<String> = mock.await_requests(2).iter().map(said).collect();
    assert_eq!(all, ["missed", "and more"]);
}

#[test]
fn a_kill_between_commit_and_delivery_loses_no_notification() {
    let mock = Mock::start(|_| TAKEN);
    let mut server = by_webhook(&mock, 600_000).start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let ben = ben(&server);
    push_to(&server, &json!({ "kind": "webhook", "token": "t" }));
    let id = id_of(&anna.open_direct(2));
    ben.close();
    anna.say(id, "a", "committed");
    server.kill();
    assert_eq!(hurry(&server), 1);
    server.restart();
    assert_eq!(said(&mock.await_requests(1)[0]), "committed");
}

#[test]
fn a_refused_notification_is_tried_again_and_a_device_that_is_gone_is_not() {
    let asked = AtomicUsize::new(0);
    let mock = Mock::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Some((503, "", String::new())),
        1 => TAKEN,
        _ => Some((410, "", String::new())),
    });
    let server = by_webhook(&mock, 0).start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let ben = ben(&server);
    push_to(&server, &json!({ "kind": "webhook", "token": "t" }));
    let id = id_of(&anna.open_direct(2));
    ben.close();
    anna.say(id, "a", "again");
    let both = mock.await_requests(2);
    assert_eq!(both[0].header("x-ringwire-id"), both[1].header("x-ringwire-id"));
    anna.say(id, "b", "gone");
    mock.await_requests(3);
    let mut metrics = String::new();
    while !metrics.contains("push_notifications_total{kind=\"webhook\",result=\"gone\"} 1") {
        metrics = get(server.address(), "/metrics").body;
    }
    while server.change_sqlite("UPDATE devices SET name = '' WHERE push_kind <> ''") > 0 {}
}

/// A browser's keys, and what it reads with them.
struct Browser {
    own: PrivateKey,
    auth: [u8; 16],
}

impl Browser {
    fn new() -> Self {
        Self { own: PrivateKey::generate(&ECDH_P256).unwrap(), auth: [7; 16] }
    }

    fn subscription(&self, endpoint: &str) -> Value {
        let public = self.own.compute_public_key().unwrap();
        json!({ "endpoint": endpoint, "expirationTime": null, "keys": {
            "p256dh": URL_SAFE_NO_PAD.encode(public.as_ref()),
            "auth": URL_SAFE_NO_PAD.encode(self.auth),
        }})
    }

    /// RFC 8291, from the other side.
    fn read(&self, body: &[u8]) -> Value {
        let hmac = |key: &[u8], text: &[u8]| sign(&Key::new(HMAC_SHA256, key), text);
        let (salt, server) = (&body[..16], &body[21..86]);
        assert_eq!(body[20], 65);
        let own = self.own.compute_public_key().unwrap();
        let other = UnparsedPublicKey::new(&ECDH_P256, server);
        let ikm = agree(&self.own, other, (), |shared| {
            let info = [b"WebPush: info\0", own.as_ref(), server, &[1]].concat();
            Ok(hmac(hmac(&self.auth, shared).as_ref(), &info))
        })
        .unwrap();
        let prk = hmac(salt, ikm.as_ref());
        let key = hmac(prk.as_ref(), b"Content-Encoding: aes128gcm\0\x01");
        let nonce = hmac(prk.as_ref(), b"Content-Encoding: nonce\0\x01");
        let key = UnboundKey::new(&AES_128_GCM, &key.as_ref()[..16]).unwrap();
        let nonce = Nonce::try_assume_unique_for_key(&nonce.as_ref()[..12]).unwrap();
        let mut record = body[86..].to_vec();
        let text = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut record).unwrap();
        serde_json::from_slice(text.strip_suffix(&[2]).unwrap()).unwrap()
    }
}

#[test]
fn browsers_are_notified_by_web_push_and_alone_can_read_it() {
    let asked = AtomicUsize::new(0);
    let mock = Mock::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Some((201, "", String::new())),
        _ => Some((410, "", String::new())),
    });
    let lines = "[push]\nweb_push_subject = \"mailto:ops@example.org\"\ndelay_ms = 0\nprivate_endpoints = true";
    let server = Setup::new().config(lines).start();
    let key = get(server.address(), "/api/v1/push/vapid-key").json();
    let key = key["public_key"].as_str().expect("a key").to_owned();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let ben = ben(&server);
    let browser = Browser::new();
    let subscription = browser.subscription(&mock.url("/send/abc"));
    push_to(&server, &json!({ "kind": "webpush", "subscription": subscription }));
    let id = id_of(&anna.open_direct(2));
    ben.close();
    anna.say(id, "a", "for your eyes only");
    let first = mock.await_requests(1).remove(0);
    assert_eq!(first.path, "/send/abc");
    assert_eq!(first.header("content-encoding"), "aes128gcm");
    assert_eq!((first.header("ttl"), first.header("urgency")), ("86400", "high"));
    assert_eq!(first.header("topic"), format!("c{id}"));
    let authorization = first.header("authorization");
    assert!(authorization.starts_with("vapid t=") && authorization.ends_with(&format!("k={key}")));
    assert!(!String::from_utf8_lossy(&first.body).contains("eyes"));
    let told = browser.read(&first.body);
    assert_eq!((&told["title"], &told["text"]), (&json!("user-1"), &json!("for your eyes only")));
    // The browser has unsubscribed.
    anna.say(id, "b", "anybody there?");
    mock.await_requests(2);
    while server.change_sqlite("UPDATE devices SET name = '' WHERE push_kind <> ''") > 0 {}
}

#[test]
fn fcm_is_given_a_token_once_and_told_of_unread_messages() {
    let sent = AtomicUsize::new(0);
    let unregistered =
        json!({ "error": { "code": 404, "details": [{ "errorCode": "UNREGISTERED" }] } });
    let mock = Mock::start(move |request| {
        if request.path == "/token" {
            let granted = json!({ "access_token": "granted", "expires_in": 3600 });
            return Some((200, "", granted.to_string()));
        }
        match sent.fetch_add(1, Ordering::SeqCst) {
            0 => Some((429, "Retry-After: 1\r\n", "{}".to_owned())),
            1 => Some((200, "", "{}".to_owned())),
            _ => Some((404, "", unregistered.to_string())),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account.json");
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let json = json!({
        "type": "service_account", "project_id": "chat", "client_email": "push@chat.example",
        "private_key": pem, "token_uri": mock.url("/token"),
    });
    std::fs::write(&account, json.to_string()).unwrap();
    std::fs::set_permissions(&account, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let lines = format!(
        "[push]\nfcm_account_file = \"{}\"\nfcm_url = \"{}\"\ndelay_ms = 0",
        account.display(),
        mock.url("/")
    );
    let server = Setup::new().config(&lines).start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let ben = ben(&server);
    push_to(&server, &json!({ "kind": "fcm", "token": "registration" }));
    let id = id_of(&anna.open_direct(2));
    ben.close();
    anna.say(id, "a", "hi");
    let is_send = |request: &Received| request.path == "/v1/projects/chat/messages:send";
    let both = mock.await_where(2, is_send);
    let message = &both[1].json()["message"];
    assert_eq!(both[1].header("authorization"), "Bearer granted");
    assert_eq!(message["token"], "registration");
    assert_eq!(message["notification"], json!({ "title": "user-1", "body": "hi" }));
    assert_eq!(message["android"]["collapse_key"], format!("c{id}"));
    assert_eq!(message["apns"]["payload"]["aps"]["badge"], 1);
    assert_eq!(message["data"]["conversation_id"], id.to_string());
    anna.say(id, "b", "gone");
    mock.await_where(3, is_send);
    while server.change_sqlite("UPDATE devices SET name = '' WHERE push_kind <> ''") > 0 {}
    let grants = mock.await_where(1, |request| request.path == "/token");
    assert_eq!(grants.len(), 1, "one token does for all");
    let form = String::from_utf8(grants[0].body.clone()).unwrap();
    assert!(form.starts_with(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey"
    ));
}

#[test]
fn what_cannot_be_pushed_is_refused_in_one_shape() {
    let mock = Mock::start(|_| TAKEN);
    let server = by_webhook(&mock, 0).config("web_push_subject = \"https://example.org\"").start();
    let mut anna = Client::session(&server, 1, Encoding::Protobuf);
    let _ben = ben(&server);
    let id = id_of(&anna.open_direct(2));
    let device = "/api/v1/devices/phone/push";
    let code = |answer: Answer| answer.json()["error"]["name"].as_str().map(str::to_owned);
    let refused = |path: &str, body: Value| code(put(&server, 2, path, &body)).expect("a code");
    let inside = Browser::new().subscription("https://169.254.169.254/latest/meta-data");
    for (path, body, name) in [
        (device, json!({ "kind": "fcm", "token": "t" }), "NOT_SUPPORTED"),
        (device, json!({ "kind": "pigeon", "token": "t" }), "INVALID_ARGUMENT"),
        (device, json!({ "kind": "webhook", "token": "" }), "INVALID_ARGUMENT"),
        (device, json!({ "kind": "webhook", "token": "x".repeat(5_000) }), "INVALID_ARGUMENT"),
        (device, json!({ "kind": "webpush", "subscription": inside }), "INVALID_ARGUMENT"),
        ("/api/v1/devices/other/push", json!({ "kind": "webhook", "token": "t" }), "NOT_FOUND"),
    ] {
        assert_eq!(refused(path, body.clone()), name, "{body}");
    }
    let settings = format!("/api/v1/conversations/{id}/notifications");
    assert_eq!(refused(&settings, json!({ "level": "some" })), "INVALID_ARGUMENT");
    assert_eq!(refused(&settings, json!({ "muted_until": "-1" })), "INVALID_ARGUMENT");
    assert_eq!(refused("/api/v1/conversations/x/notifications", json!({})), "INVALID_ARGUMENT");
    let stranger = code(get_as(server.address(), &server.token(3), &settings));
    assert_eq!(stranger.as_deref(), Some("NOT_MEMBER"));
    let found = get_as(server.address(), &server.token(2), &settings).json();
    assert_eq!(found, json!({ "level": "all", "muted_until": "0" }));
    push_to(&server, &json!({ "kind": "webhook", "token": "t" }));
    for status in [204, 204] {
        assert_eq!(ask_as(server.address(), &server.token(2), "DELETE", device).status, status);
    }
    assert_eq!(get(server.address(), &settings).status, 401);
}

#[test]
fn a_pair_of_keys_for_web_push_can_be_printed() {
    let server = ServerProcess::start(&[]);
    let printed = String::from_utf8(server.tool(&["vapid-keys"]).stdout).unwrap();
    let lengths: Vec<usize> = printed
        .lines()
        .map(|line| URL_SAFE_NO_PAD.decode(line.split(" = ").nth(1).unwrap()).unwrap().len())
        .collect();
    assert_eq!(lengths, [32, 65]);
}
